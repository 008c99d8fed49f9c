// What the page shows as an address or a file, and back.
(function (ari) {
  "use strict";

  const { at } = ari;
  // What addresses call the window and the colour map of each scale.
  const NAMES = {
    statistic: ["window", "colours"], tdp: ["tdpwindow", "tdpcolours"], second: ["secondwindow", "secondcolours"],
  };

  ari.PageState = class PageState extends ari.PageDisplay {
    // State in the address.

    get address() {
      const { session, map } = this;
      const { geometry } = map;
      return ari.addressOf({
        tdp: session.tdp,
        overlay: this.overlay,
        at: geometry.textOf(this.place),
        radius: this.radius,
        opacity: this.opacity,
        step: this.step,
        view: this.view,
        beside: this.second.isBeside ? 1 : null,
        mesh: geometry.mesh,
        camera: this.viewer?.camera?.map((angle) => Math.round(angle)).join(","),
        theme: this.theme,
        ...this._scalesOfAddress(),
        clusters: session.isChanged
          ? map.forest.difference(map.forest.query(session.tdp), session.clusters)
          : null,
      });
    }

    // What differs from the start.
    _scalesOfAddress() {
      const { overlays, tableKind } = this;
      const changed = (scale) =>
        overlays.windows[scale].some((value, k) => value !== overlays.defaults[scale][k])
          ? overlays.windows[scale].join(",")
          : null;
      const ofScales = {};
      for (const [scale, [range, colours]] of Object.entries(NAMES)) {
        const name = overlays.colourMaps[scale];
        ofScales[range] = changed(scale);
        ofScales[colours] = name === ari.Overlays.firstMapOf(scale) ? null : name;
      }
      return {
        sign: overlays.sign || null,
        outlines: this.hasOutlines ? 1 : null,
        ...ofScales,
        table: tableKind === "clusters" ? null : tableKind,
      };
    }

    writeAddress() {
      if (!this._isReady) return;
      clearTimeout(this._addressTimer);
      // Browsers allow so many changes in a while, and a slider makes more.
      this._addressTimer = setTimeout(() => {
        const { address } = this;
        if (address === location.hash) return;
        try {
          history.replaceState(null, "", address);
        } catch {
          // In a frame without an address of its own there is nothing to write to.
        }
      }, 150);
    }

    readAddress(address = location.hash) {
      const { geometry, forest } = this.map;
      const angles = (text) => {
        const [azimuth, elevation, ...more] = text.split(",").map(ari.checkNumber(-720, 720));
        return azimuth === null || (elevation ?? null) === null || more.length ? null : [azimuth, elevation];
      };
      const ofScales = {};
      for (const [scale, [range, colours]] of Object.entries(NAMES)) {
        ofScales[range] = ari.checkRange(0, scale === "tdp" ? 1 : Infinity);
        ofScales[colours] = ari.checkChoice(ari.colourMapsOf(scale));
      }
      const { state, wrong } = ari.readAddress(address, {
        tdp: ari.checkNumber(0, 1),
        overlay: ari.checkChoice(this.overlays.names),
        at: (text) => geometry.placeFrom(text),
        radius: ari.checkNumber(0, 1e6),
        opacity: ari.checkNumber(0, 1),
        step: ari.checkNumber(0.01, 1),
        view: ari.checkChoice(Object.keys(this.views)),
        beside: ari.checkChoice(this.map.second ? ["1"] : []),
        mesh: ari.checkChoice(Object.keys(geometry.meshes ?? {})),
        camera: angles,
        theme: ari.checkChoice(["dark", "light"]),
        sign: ari.checkChoice(this.map.info.two_sided ? ["1", "-1"] : []),
        outlines: ari.checkChoice(["1"]),
        ...ofScales,
        table: ari.checkChoice(this.map.atlas ? ["clusters", "regions"] : ["clusters"]),
      });
      const {
        tdp = this.session.tdp, clusters, at: place, theme = null, mesh, sign = 0, outlines, table, beside,
        ...others
      } = state;
      const simple = Object.fromEntries(Object.entries(others).filter(([name]) => !(name in ofScales)));
      const { overlays } = this;
      overlays.sign = Number(sign);
      for (const [scale, [range, colours]] of Object.entries(NAMES)) {
        overlays.windows[scale] = others[range] ?? overlays.defaults[scale];
        overlays.colourMaps[scale] = others[colours] ?? ari.Overlays.firstMapOf(scale);
      }
      this.hasOutlines = Boolean(outlines);
      this.tableKind = table ?? "clusters";
      const session = new ari.Session(forest, tdp);
      const changed = clusters && forest.exchange(session.clusters, clusters);
      if (changed) session.show(changed);
      else if (clusters) wrong.push("clusters");
      if (address) this.session = session;
      Object.assign(this, { camera: null }, simple);
      this.second.isWanted = Boolean(beside) && this.overlay !== "second";
      this.place = place ?? this.place;
      if (mesh) this.setMesh(mesh);
      this.setTheme(theme);
      if (wrong.length) this.say(`Not understood in the address, and left out: ${wrong.join(", ")}.`);
    }

    // Show the whole state.
    async apply() {
      const { viewer, camera } = this;
      this._painted = null;
      viewer?.setOpacity(this.opacity);
      viewer?.setView(this.view);
      if (camera && viewer) viewer.camera = camera;
      viewer?.moveTo(this.place, { mayTurn: camera === null });
      await this.second.arrange();
      this.show();
    }

    // Files.

    saveSession() {
      this.downloads.session({
        address: this.address, region: this.session.region, atlas: this.loadedAtlas,
        second: this.loadedSecond,
      });
    }

    async openSession(file) {
      try {
        const { address, region, atlas, second } = ari.readSessionFile(await file.text(), this.map);
        if (atlas) await this.setAtlas(atlas);
        if (second) {
          this.setSecond(second);
          this.loadedSecond = second;
        }
        this.say(`${file.name} is open.`);
        this.readAddress(address);
        this.session.draw(region);
        await this.apply();
      } catch (error) {
        this.say(`${file.name} was not opened: ${error.message}`);
      }
    }

    async openAtlas(files) {
      const names = files.map(({ name }) => name).join(", ");
      try {
        this.say(`Reading ${names} …`);
        const atlas = await ari.readAtlas(files, this.map.geometry);
        await this.setAtlas(atlas);
        if (this.map.atlas !== atlas) return;
        this.say("");
        this.setTable("regions");
        this.show();
      } catch (error) {
        this.say(`${names} was not loaded: ${error.message}`);
      }
    }

    async setAtlas(atlas) {
      this.map.atlas = this.loadedAtlas = atlas;
      this.markedRegion = 0;
      await this.describeAtlas();
    }

    figure() {
      const { map, session, overlay, overlays } = this;
      const option = at("overlay").selectedOptions[0].textContent;
      const asked = `clusters with a TDP of at least ${session.tdp}${session.isChanged ? ", some grown or shrunk" : ""}`;
      const side = { 1: ", positive values only", "-1": ", negative values only" }[overlays.sign] ?? "";
      const shown = ["free", "statistic", "second"].includes(overlay) ? "" : `; ${asked}`;
      return new ari.Figure({
        viewer: this.viewer,
        title: at("title").textContent,
        legends: this.legends,
        captions: [
          `${option[0].toUpperCase()}${option.slice(1)}${shown}${side}.`,
          ...(this.second.isBeside ? [`Second map: ${map.second.name}. All bounds belong to ${map.info.name}.`] : []),
          map.info.about,
        ],
        background: at("background").value,
      });
    }
  };
})((globalThis.ari ??= {}));
