// What the page does with a second map: it is loaded, shown instead of the first one, or beside it.
(function (ari) {
  "use strict";

  const { at, element } = ari;

  ari.SecondView = class SecondView {
    // page: see Page.
    constructor(page) {
      this.page = page;
      this.isWanted = false;
      this._before = null;
    }

    // Options and buttons for it, if there is one.
    describe() {
      const { second } = this.page.map;
      at("second").hidden = at("beside").hidden = !second;
      at("overlay").querySelector('[value="second"]')?.remove();
      if (!second) return;
      at("second").title = `Show ${second.name} instead of the map, and back`;
      at("beside").title = `Show ${second.name} beside the map`;
      at("overlay").append(element("option", `second map: ${second.name}`, { value: "second" }));
    }

    // Whether both maps are in sight.
    get isBeside() {
      return this.isWanted && this.page.map.second !== null;
    }

    async setBeside(isWanted) {
      const { page } = this;
      this.isWanted = isWanted;
      // Not twice the same map.
      if (this.isBeside && page.overlay === "second") page.overlay = this._first;
      await this.arrange();
      page.showColours();
    }

    // What was shown before it.
    get _first() {
      return this._before ?? this.page.overlays.first;
    }

    // Make room for both maps, or for one.
    async arrange() {
      const { page } = this;
      try {
        await page.viewer?.setBeside(this.isBeside);
      } catch (error) {
        this.isWanted = false;
        page.say(`No second picture: ${error.message}`);
      }
    }

    // Show it instead of the first map, and back.
    toggle() {
      const { page } = this;
      page.setOverlay(page.overlay === "second" ? this._first : "second");
    }

    // Before another overlay is shown.
    leave(overlay) {
      const { page } = this;
      if (overlay !== "second" || page.overlay === "second") return;
      this._before = page.overlay;
      if (!this.isBeside) return;
      this.isWanted = false;
      this.arrange();
    }

    // What pictures draw of it.
    painted(found) {
      const { map, overlays } = this.page;
      return {
        name: map.second.name,
        shades: overlays.shades("second", found),
        table: ari.tableOfShades(overlays.colours("second")),
      };
    }

    async open(files) {
      const { page } = this;
      const names = files.map(({ name }) => name).join(", ");
      try {
        page.say(`Reading ${names} …`);
        const second = await ari.readSecondMap(files, page.map.geometry);
        page.setSecond(second);
        page.loadedSecond = second;
        page.say(`${second.name} is loaded, and shown beside the map.`);
        await this.setBeside(true);
        page.showHere();
      } catch (error) {
        page.say(`${names} was not loaded: ${error.message}`);
      }
    }
  };
})((globalThis.ari ??= {}));
