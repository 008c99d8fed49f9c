// The page: it asks the map, and shows what it says.
(function (ari) {
  "use strict";

  const { at } = ari;
  const TOOLS = ["pen", "eraser"];
  // So far a vertex may be from a point that was typed, in mm, without a word.
  const NEAR = 2;

  class Page extends ari.PageState {
    // What is done.

    // Set the TDP; while a slider is dragged all is one step.
    setTdp(tdp, { more = false, isMoving = false } = {}) {
      if (!(tdp >= 0 && tdp <= 1)) {
        this.say("A TDP lies between 0 and 1.");
        this.showControls();
        return;
      }
      this.say("");
      if (!more && tdp === this.session.tdp && !this.session.isChanged) return;
      this.session.ask(tdp, { more });
      if (isMoving) this.showSoon();
      else this.show();
    }

    change(sign) {
      const cluster = this.clusterHere;
      if (cluster === null) return;
      const now = this.map.forest.tdps[cluster];
      // The last step ends at 0 or 1.
      const step = sign > 0 ? Math.min(this.step, 1 - now) : -Math.min(this.step, now);
      if (this.session.change(cluster, step)) {
        this.say("");
        this.show();
        return;
      }
      this.say(
        `No ${sign > 0 ? "cluster within" : "larger cluster around"} this one has a TDP of ` +
          `${sign > 0 ? "at least" : "at most"} ${ari.short(now + step)}.`,
      );
    }

    history(what) {
      this.session[what]();
      this.say("");
      this.show();
    }

    // how: whether a picture may turn to show the place, see the viewers.
    moveTo(place, how) {
      this.place = place;
      this.viewer?.moveTo(place, how);
      this.showHere();
      this.repaint();
      this.writeAddress();
    }

    // To a point in mm, unless it is out of range; whether it is not.
    moveToXyz(xyz) {
      const { geometry } = this.map;
      if (!xyz.every(Number.isFinite)) {
        this.showHere();
        return false;
      }
      const place = geometry.placeAt(xyz);
      if (place === null) {
        const range = geometry.range
          .map(([low, high], k) => `${"xyz"[k]} from ${ari.short(low)} to ${ari.short(high)}`)
          .join(", ");
        this.say(`${xyz.map(ari.short).join(", ")} mm is not on the map, which covers ${range} mm.`);
        this.showHere();
        return false;
      }
      const away = Math.hypot(...geometry.xyz(place).map((value, k) => value - xyz[k]));
      this.say(geometry.isOnMesh(place) && away > NEAR ? `The nearest vertex is ${ari.short(away)} mm away.` : "");
      this.moveTo(place);
      return true;
    }

    // To what was typed: three numbers in mm, a cluster, or the name of a region.
    goTo(text) {
      const numbers = text.trim().split(/[\s,;]+/).map((part) => (part ? Number(part) : NaN));
      if (numbers.length === 3 && numbers.every(Number.isFinite)) {
        this.moveToXyz(numbers);
        return;
      }
      const labels = this.map.atlas && text.trim() ? this.map.atlas.find(text) : [];
      if (labels.length) this._goToRegions(labels, text.trim());
      else this._goToCluster(text.trim());
    }

    // One region is gone to; several are listed, to choose one of them.
    _goToRegions(labels, text) {
      this.regionsFound = labels.length > 1 ? labels : null;
      if (labels.length === 1) {
        this.say("");
        this.mark(labels[0]);
        if (this.tableKind === "regions") this.showTable();
        return;
      }
      this.tableKind = "regions";
      this.showTable();
      const { names } = this.map.atlas;
      const some = labels.slice(0, 4).map((label) => names[label]).join(", ");
      this.say(
        `${labels.length} regions have “${text}” in their names: ${some}${labels.length > 4 ? ", …" : ""}. ` +
          "The table lists them.",
      );
    }

    _goToCluster(text) {
      const [, number] = /^(?:cluster\s*)?(\d+)$/i.exec(text) ?? [];
      const row = this.found.rows[Number(number) - 1];
      const { atlas } = this.map;
      const n = this.found.rows.length;
      if (row) {
        this.say("");
        this._goToPeak(row);
      } else if (number) {
        this.say(`There is no cluster ${number}: the page shows ${ari.count(n)} ${n === 1 ? "cluster" : "clusters"}.`);
      } else if (atlas) {
        this.say(`No region has “${text}” in its name. Type three numbers in mm, a part of a name, or cluster 1.`);
      } else {
        this.say("Type three numbers in mm, such as -42 -22 54, or a cluster, such as cluster 1.");
      }
    }

    _goToPeak(row) {
      this.moveTo(this.map.geometry.placeOfElement(this.map.peakOfCluster(row.cluster)));
    }

    // To the peak of a row of the table.
    choose(row) {
      if (this.tableKind === "regions") {
        this.mark(row.label);
        return;
      }
      this._goToPeak(row);
    }

    // Mark a region of the atlas, and go to its peak.
    mark(label) {
      this.markedRegion = label;
      const peak = this.map.peakOf(this.map.atlas.members()[label]);
      this.moveTo(this.map.geometry.placeOfElement(peak));
    }

    setTable(kind) {
      this.tableKind = kind;
      this.regionsFound = null;
      if (kind === "clusters") this.markedRegion = 0;
      this.showTable();
      this.repaint();
    }

    moveBy(direction) {
      const { viewer, map } = this;
      const place = map.geometry.step(this.place, viewer ? viewer.direction(direction) : direction);
      if (place === null) return;
      this.say("");
      this.moveTo(place);
    }

    setOverlay(overlay) {
      this.second.leave(overlay);
      if (overlay !== this.overlay && overlay === "free") this._before = this.overlay;
      this.overlay = overlay;
      this.showColours();
    }

    // Show the threshold-free TDP map, or what was shown before it.
    toggleFree() {
      this.setOverlay(this.overlay === "free" ? (this._before ?? this.overlays.first) : "free");
    }

    showColours() {
      this.showControls();
      this.showTable();
      this.paint();
    }

    setSign(sign) {
      this.overlays.sign = sign;
      this.showColours();
    }

    setOutlines(hasOutlines) {
      this.hasOutlines = hasOutlines;
      this.repaint();
      this.writeAddress();
    }

    setColourMap(name) {
      this.overlays.colourMaps[this.overlays.scale(this.overlay)] = name;
      this.showColours();
    }

    // Values at the ends of the colours; null for the values at the start.
    setWindow(range) {
      const { overlays } = this;
      const scale = overlays.scale(this.overlay);
      const [low, high] = range ?? overlays.defaults[scale];
      const isRight = low >= 0 && low < high && Number.isFinite(high) && (scale !== "tdp" || high <= 1);
      if (isRight) overlays.windows[scale] = [low, high];
      const limits = scale === "tdp" ? "between 0 and 1" : "of 0 or more";
      this.say(isRight ? "" : `A window needs two numbers ${limits}, the smaller one first.`);
      this.showColours();
    }

    setOpacity(opacity) {
      this.opacity = opacity;
      this.viewer?.setOpacity(opacity);
      this.writeAddress();
    }

    setRadius(radius) {
      if (!(radius >= 0)) return;
      this.radius = radius;
      this.showSphere();
      this.writeAddress();
    }

    setView(view) {
      this.view = view;
      this.viewer?.setView(view);
      this.showControls();
    }

    setSecond(second) {
      this.map.second = second;
      this.overlays.followSecond();
      this.second.describe();
    }

    setMesh(mesh) {
      this.map.geometry.choose(mesh);
      this.viewer?.chooseMesh();
      this.viewer?.moveTo(this.place);
      this.showControls();
    }

    setTheme(theme) {
      this.theme = theme;
      const prefersLight = matchMedia("(prefers-color-scheme: light)").matches;
      document.documentElement.dataset.theme = theme ?? (prefersLight ? "light" : "dark");
      this._colourViewer();
    }

    _colourViewer() {
      const style = getComputedStyle(document.documentElement);
      const [ink, back] = ["--ink", "--stage"].map((name) => style.getPropertyValue(name).trim());
      this.viewer?.setColours({ ink, back });
    }

    // A region.

    // "pen", "eraser" or null for none.
    takeTool(tool) {
      this.tool = tool;
      this.pen.isOn = tool !== null;
      for (const id of TOOLS) at(id).setAttribute("aria-pressed", id === tool);
      this.say(tool ? this.viewer.constructor.hint : "");
    }

    draw(line) {
      const elements = this.viewer.enclosed(line);
      this.say(elements?.length ? "" : this.viewer.constructor.hint);
      if (elements) this.changeRegion(elements, { isTakenOut: this.tool === "eraser" });
    }

    changeRegion(elements, how) {
      if (!this.session.draw(elements, how)) return;
      this.showControls();
      this.showRegion();
      this.repaint();
    }

    async start() {
      this.describe();
      this.readAddress();
      ari.listen(this);
      this.show();
      try {
        this.viewer = await ari.viewerOf(this.map).create({
          frame: at("brain"),
          geometry: this.map.geometry,
          onMove: (place) => {
            this.say("");
            this.moveTo(place, { mayTurn: false });
          },
          onTurn: () => this.writeAddress(),
          onView: (view) => {
            this.view = view;
            this.showControls();
          },
          onProblem: (text) => this.say(text),
        });
        this._colourViewer();
      } catch (error) {
        at("no-picture").hidden = false;
        for (const id of ["save-picture", "save-svg", "pen", "eraser"]) at(id).disabled = true;
        this.say(`No picture: ${error.message}`);
      }
      await this.isDescribed;
      this._isReady = true;
      await this.apply();
    }
  }

  ari.started = (async () => {
    const { info, arrays } = JSON.parse(at("data").textContent);
    at("data").remove();
    ari.page = new Page(new ari.StatMap(info, await ari.unpackAll(arrays)));
    await ari.page.start();
  })();
  ari.started.catch((error) => {
    at("status").textContent = `This page does not work in this browser: ${error.message}`;
    throw error;
  });
})((globalThis.ari ??= {}));
