// The page: it asks the map, and shows what it says.
(function (ari) {
  "use strict";

  const { at, count, element } = ari;
  const VIEWERS = { volume: ari.VolumeViewer, surface: ari.SurfaceViewer };

  const TOOLS = ["pen", "eraser"];

  class Page {
    constructor(map) {
      this.map = map;
      this.overlays = new ari.Overlays(map);
      this.session = new ari.Session(map.forest, map.info.tdp);
      this.place = map.geometry.placeOfElement(map.strongest);
      this.radius = 8;
      this.overlay = "tdp";
      this.opacity = 0.85;
      this.step = 0.05;
      this.theme = null;
      this.camera = null;
      this.views = VIEWERS[map.info.geometry.kind].views(map.geometry);
      this.view = Object.keys(this.views)[0];
      this.tool = null;
      this.downloads = new ari.Downloads(map);
      this.table = new ari.TableView(map, (cluster) => {
        const peak = map.peakOfCluster(cluster);
        this.moveTo(map.geometry.placeOfElement(peak));
      });
      this.pen = new ari.Pen(at("paper"), (line) => this.draw(line));
    }

    // Words.

    describe() {
      const { info, forest, geometry } = this.map;
      at("about").textContent = info.about;
      at("whole").replaceChildren(
        "Whole brain: at least ",
        element("strong", ari.percent(info.true_discoveries / forest.n)),
        ` active, ${count(info.true_discoveries)} of ${count(forest.n)} ${geometry.words.many}`,
      );
      const { format } = geometry.words;
      at("save-labels").textContent = `Labels (${format})`;
      at("save-tdp").textContent = `TDP (${format})`;
      at("save-region").textContent = `Mask (${format})`;
      const options = (names) =>
        Object.entries(names).map(([value, label]) => element("option", label, { value }));
      at("views").replaceChildren(...options(this.views));
      const { meshes = {} } = geometry;
      const labels = { given: "for drawing", map: "of the map" };
      at("meshes").replaceChildren(
        ...Object.keys(meshes).map((value) => element("option", labels[value], { value })),
      );
      at("of-meshes").hidden = Object.keys(meshes).length < 2;
    }

    say(text) {
      at("status").textContent = text;
    }

    // What is asked.

    get elementHere() {
      return this.map.geometry.elementOf(this.place);
    }

    // Row of the cluster at the crosshair, undefined if there is none.
    get rowHere() {
      const here = this.elementHere;
      return here < 0 ? undefined : this.found.rows[this.found.labels[here] - 1];
    }

    get clusterHere() {
      return this.rowHere?.cluster ?? null;
    }

    // What is seen.

    // After a change of clusters; after others see below.
    show() {
      this.found = ari.clusterRows(this.map, this.session.clusters);
      this.showControls();
      this.showTable();
      this.paint();
      this.showHere();
      this.showRegion();
    }

    showTable() {
      this.table.show(this.found, (row) => this.overlays.rowColour(this.overlay, row));
      this.table.select(this.clusterHere);
    }

    paint() {
      this._shades = this.overlays.shades(this.overlay, this.found);
      this.repaint();
      const legend = this.overlays.legend(this.overlay);
      at("legend").hidden = !legend;
      if (!legend) return;
      at("ramp").style.background = legend.colours;
      at("low").textContent = legend.low;
      at("high").textContent = legend.high;
      at("legend").setAttribute("aria-label", `Colours from ${legend.low} to ${legend.high}`);
    }

    // Drawn once a frame at the most, with an outline around the cluster at the crosshair.
    repaint() {
      if (!this.viewer || this._isWaiting) return;
      this._isWaiting = true;
      requestAnimationFrame(() => {
        this._isWaiting = false;
        const cluster = this.clusterHere;
        const painted = [this._shades, cluster, this.session.region];
        if (painted.every((what, i) => what === this._painted?.[i])) return;
        this._painted = painted;
        this.viewer.paint({
          shades: this._shades,
          outlined: cluster === null ? [] : this.map.forest.members(cluster),
          region: this.session.region,
          scale: this.overlays.scale(this.overlay),
        });
      });
    }

    showControls() {
      const { session } = this;
      at("tdp").value = session.tdp;
      at("tdp-slider").value = session.tdp;
      at("undo").disabled = !session.canUndo;
      at("redo").disabled = !session.canRedo;
      at("overlay").value = this.overlay;
      at("views").value = this.view;
      at("meshes").value = this.map.geometry.mesh ?? "";
      at("opacity").value = this.opacity;
      at("radius").value = this.radius;
      at("step").value = this.step;
      this.writeAddress();
    }

    showHere() {
      const { geometry } = this.map;
      const row = this.rowHere;
      geometry.xyz(this.place).forEach((value, k) => (at("xyz"[k]).value = Number(value.toFixed(2))));
      const lines = ari.linesOfPlace(this.map, this.place, row);
      at("here").replaceChildren(
        ...lines.flatMap(([term, value]) => [element("dt", term), element("dd", value)]),
      );
      for (const id of ["grow", "shrink", "add-cluster"]) at(id).disabled = !row;
      this.showSphere();
      this.table.select(this.clusterHere);
    }

    showSphere() {
      const { geometry } = this.map;
      this.inSphere = geometry.sphere(geometry.xyz(this.place), this.radius);
      this.sphere = this.map.bound(this.inSphere);
      at("sphere").textContent = ari.boundText(this.sphere, geometry.words);
      at("add-sphere").disabled = !this.inSphere.length;
    }

    showRegion() {
      const { region } = this.session;
      this.region = this.map.bound(region);
      const isEmpty = region.length === 0;
      at("region").textContent = isEmpty
        ? "Draw it, or add spheres and clusters to it."
        : ari.boundText(this.region, this.map.geometry.words);
      at("clear").disabled = at("save-region").disabled = isEmpty;
      at("eraser").disabled = isEmpty || !this.viewer;
      if (isEmpty && this.tool === "eraser") this.takeTool(null);
    }

    // What is done.

    // Set the TDP; while a slider is dragged all is one step.
    setTdp(tdp, more = false) {
      if (!(tdp >= 0 && tdp <= 1)) {
        this.say("A TDP lies between 0 and 1.");
        this.showControls();
        return;
      }
      this.say("");
      if (!more && tdp === this.session.tdp && !this.session.isChanged) return;
      this.session.ask(tdp, { more });
      this.show();
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

    moveToXyz(xyz) {
      if (xyz.every(Number.isFinite)) this.moveTo(this.map.geometry.nearest(xyz));
      else this.showHere();
    }

    moveBy(direction) {
      const { viewer, map } = this;
      const place = map.geometry.step(this.place, viewer ? viewer.direction(direction) : direction);
      if (place !== null) this.moveTo(place);
    }

    setOverlay(overlay) {
      this.overlay = overlay;
      this.showControls();
      this.showTable();
      this.paint();
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
        mesh: geometry.mesh,
        camera: this.viewer?.camera.map((angle) => Math.round(angle)).join(","),
        theme: this.theme,
        clusters: session.isChanged
          ? map.forest.difference(map.forest.query(session.tdp), session.clusters)
          : null,
      });
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

    readAddress() {
      const { geometry, forest } = this.map;
      const angles = (text) => {
        const [azimuth, elevation, ...more] = text.split(",").map(ari.checkNumber(-720, 720));
        return azimuth === null || (elevation ?? null) === null || more.length ? null : [azimuth, elevation];
      };
      const { state, wrong } = ari.readAddress(location.hash, {
        tdp: ari.checkNumber(0, 1),
        overlay: ari.checkChoice(ari.Overlays.names),
        at: (text) => geometry.placeFrom(text),
        radius: ari.checkNumber(0, 1e6),
        opacity: ari.checkNumber(0, 1),
        step: ari.checkNumber(0.01, 1),
        view: ari.checkChoice(Object.keys(this.views)),
        mesh: ari.checkChoice(Object.keys(geometry.meshes ?? {})),
        camera: angles,
        theme: ari.checkChoice(["dark", "light"]),
      });
      const { tdp = this.session.tdp, clusters, at: place, theme = null, mesh, ...simple } = state;
      const session = new ari.Session(forest, tdp);
      const changed = clusters && forest.exchange(session.clusters, clusters);
      if (changed) session.show(changed);
      else if (clusters) wrong.push("clusters");
      if (location.hash) this.session = session;
      Object.assign(this, { camera: null }, simple);
      this.place = place ?? this.place;
      if (mesh) this.setMesh(mesh);
      this.setTheme(theme);
      if (wrong.length) this.say(`Not understood in the address, and left out: ${wrong.join(", ")}.`);
    }

    // Show the whole state.
    apply() {
      const { viewer, camera } = this;
      viewer?.setOpacity(this.opacity);
      viewer?.setView(this.view);
      if (camera && viewer) viewer.camera = camera;
      viewer?.moveTo(this.place, { mayTurn: camera === null });
      this.show();
    }

    async start() {
      this.describe();
      this.readAddress();
      ari.listen(this);
      this.show();
      try {
        this.viewer = await VIEWERS[this.map.info.geometry.kind].create({
          canvas: at("brain"),
          geometry: this.map.geometry,
          onMove: (place) => this.moveTo(place, { mayTurn: false }),
          onTurn: () => this.writeAddress(),
          onView: (view) => {
            this.view = view;
            this.showControls();
          },
        });
      } catch (error) {
        at("no-picture").hidden = false;
        for (const id of ["save-picture", "pen", "eraser"]) at(id).disabled = true;
        this.say(`No picture: ${error.message}`);
      }
      this._isReady = true;
      this.apply();
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
