// The page: it asks the map, and shows what it says.
(function (ari) {
  "use strict";

  const { at, count, element } = ari;
  const VIEWERS = { volume: ari.VolumeViewer, surface: ari.SurfaceViewer };

  const TOOLS = ["pen", "eraser"];
  const SIGNS = { positive: 1, negative: -1 };
  const NONE = new Int32Array(0);
  // Code of NIfTI for the space of coordinates.
  const MNI = 4;

  // So far a vertex may be from a point that was typed, in mm, without a word.
  const NEAR = 2;

  class Page {
    constructor(map) {
      this.map = map;
      this.overlays = new ari.Overlays(map);
      this.session = new ari.Session(map.forest, map.info.tdp);
      this.place = map.geometry.placeOfElement(map.strongest);
      this.radius = 8;
      this.overlay = this.overlays.first;
      this.opacity = 0.85;
      this.hasOutlines = false;
      this.step = 0.05;
      this.theme = null;
      this.camera = null;
      this.views = VIEWERS[map.info.geometry.kind].views(map.geometry);
      this.view = Object.keys(this.views)[0];
      this.tool = null;
      // Which table is shown, and the atlas region whose row was chosen, 0 for none.
      this.tableKind = "clusters";
      this.markedRegion = 0;
      this.loadedAtlas = null;
      this.downloads = new ari.Downloads(map);
      this.table = new ari.TableView(map, (row) => this.choose(row));
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
      at("space").textContent = geometry.spaceCode === MNI ? "mm, MNI" : "mm";
      const options = (names) =>
        Object.entries(names).map(([value, label]) => element("option", label, { value }));
      at("views").replaceChildren(...options(this.views));
      const { meshes = {} } = geometry;
      const labels = { given: "for drawing", map: "of the map" };
      at("meshes").replaceChildren(
        ...Object.keys(meshes).map((value) => element("option", labels[value], { value })),
      );
      at("of-meshes").hidden = Object.keys(meshes).length < 2;
      at("of-sign").hidden = !info.two_sided;
      this.describeAtlas();
    }

    describeAtlas() {
      const { atlas } = this.map;
      const names = atlas ? atlas.names.filter((name, label) => atlas.members()[label].length) : [];
      at("places").replaceChildren(
        ...names.map((name) => element("option", "", { value: name })),
      );
      at("show-regions").hidden = at("add-region").hidden = !atlas;
      at("show-clusters").hidden = !atlas;
      at("place").placeholder = atlas ? "x y z, or a region" : "x y z";
      this.regionRows = atlas ? ari.regionRows(this.map, atlas) : [];
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

    // Elements of the atlas region whose row was chosen.
    get marked() {
      const { atlas } = this.map;
      return this.markedRegion && atlas ? atlas.members()[this.markedRegion] : NONE;
    }

    // What is seen.

    // After a change of clusters; after others see below. isMoving: whether more is to come.
    show({ isMoving = false } = {}) {
      this._isDue = false;
      if (this.viewer) this.viewer.isMoving = isMoving;
      this.found = ari.clusterRows(this.map, this.session.clusters);
      this.showControls();
      this.showTable({ isMoving });
      this.paint();
      if (isMoving && this.viewer) this.repaintNow();
      this.showHere();
      this.showRegion();
    }

    // The same once a frame, while a slider is dragged: the last position wins.
    showSoon() {
      if (this._isDue) return;
      this._isDue = true;
      requestAnimationFrame(() => {
        if (this._isDue) this.show({ isMoving: true });
      });
    }

    showTable({ isMoving = false } = {}) {
      const { overlays, found, map } = this;
      const isClusters = this.tableKind === "clusters";
      at("show-clusters").setAttribute("aria-pressed", isClusters);
      at("show-regions").setAttribute("aria-pressed", !isClusters);
      at("table").setAttribute("aria-label", isClusters ? "Clusters" : "Regions of the atlas");
      if (isClusters) {
        const rows = found.rows.filter(({ direction }) => overlays.isShown(SIGNS[direction] ?? overlays.sign));
        this.table.show({
          kind: "clusters",
          rows,
          rest: found.rest,
          keyOf: (row) => row.cluster,
          colourOf: (row) => overlays.rowColour(this.overlay, row),
          isMoving,
        });
      } else {
        this.table.show({
          kind: "regions", rows: this.regionRows, keyOf: (row) => row.label, isMoving,
        });
      }
      at("count").textContent = this._countText(isClusters) + this.table.note;
      this.selectRow();
      if (isMoving) {
        clearTimeout(this._tableTimer);
        this._tableTimer = setTimeout(() => this.showTable(), 200);
      } else {
        clearTimeout(this._tableTimer);
      }
      this._showDownloads(map, isClusters);
    }

    _countText(isClusters) {
      const { rows, rest } = this.found;
      if (!isClusters) {
        const { source } = this.map.atlas;
        return `${count(this.regionRows.length)} regions${source ? ` of ${source}` : ""}`;
      }
      const { many } = this.map.geometry.words;
      const n = this.table.rows.length;
      const words = `${count(rows.length)} ${rows.length === 1 ? "cluster" : "clusters"}`;
      const inAll = `${count(this.map.forest.n - rest[`n_${many}`])} ${many}`;
      return n === rows.length ? `${words}, ${inAll}` : `${count(n)} of ${words}`;
    }

    _showDownloads(map, isClusters) {
      const what = isClusters ? "Table of all clusters (CSV)" : "Table of regions (CSV)";
      at("save-table").textContent = what;
    }

    selectRow() {
      this.table.select(this.tableKind === "clusters" ? this.clusterHere : this.markedRegion || null);
    }

    paint() {
      this._shades = this.overlays.shades(this.overlay, this.found);
      this._table = ari.tableOfShades(this.overlays.colours(this.overlay));
      this.repaint();
      ari.showLegend(at("legend"), this.legend);
    }

    get legend() {
      return this.overlays.legend(this.overlay, this.found.rows.length);
    }

    // Drawn once a frame at the most, with an outline around the cluster at the crosshair.
    repaint() {
      if (!this.viewer || this._isWaiting) return;
      this._isWaiting = true;
      requestAnimationFrame(() => this.repaintNow());
    }

    repaintNow() {
      this._isWaiting = false;
      const { rowHere, marked, hasOutlines } = this;
      const { region } = this.session;
      const chosen = rowHere && this.overlays.isShown(SIGNS[rowHere.direction] ?? this.overlays.sign)
        ? rowHere.cluster_id : 0;
      const painted = [this._shades, this._table, chosen, region, marked, hasOutlines];
      if (painted.every((what, i) => what === this._painted?.[i])) return;
      this._painted = painted;
      this.viewer.paint({
        shades: this._shades,
        table: this._table,
        labels: this.found.labels,
        chosen,
        outlined: chosen ? this.map.forest.members(rowHere.cluster) : NONE,
        marked,
        region,
        hasOutlines,
        opacity: this.opacity,
      });
    }

    showControls() {
      const { session } = this;
      at("tdp").value = session.tdp;
      at("tdp-slider").value = session.tdp;
      at("undo").disabled = !session.canUndo;
      at("redo").disabled = !session.canRedo;
      at("overlay").value = this.overlay;
      at("free").setAttribute("aria-pressed", this.overlay === "free");
      at("sign").value = this.overlays.sign;
      at("outlines").checked = this.hasOutlines;
      this._showScale();
      at("views").value = this.view;
      at("meshes").value = this.map.geometry.mesh ?? "";
      at("opacity").value = this.opacity;
      at("radius").value = this.radius;
      at("step").value = this.step;
      this.writeAddress();
    }

    _showScale() {
      const { overlays } = this;
      const scale = overlays.scale(this.overlay);
      const names = ari.colourMapsOf(scale);
      at("of-colours").hidden = at("of-window").hidden = !names.length;
      if (!names.length) return;
      if (this._scaleShown !== scale) {
        at("colours").replaceChildren(...names.map((name) => element("option", name, { value: name })));
      }
      this._scaleShown = scale;
      at("colours").value = overlays.colourMaps[scale];
      const [low, high] = overlays.windows[scale];
      at("window-low").value = low;
      at("window-high").value = high;
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
      at("add-region").disabled = !this.map.atlas?.labels[this.elementHere];
      this.showSphere();
      this.selectRow();
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
      const { one } = geometry.words;
      this.say(one === "vertex" && away > NEAR ? `The nearest vertex is ${ari.short(away)} mm away.` : "");
      this.moveTo(place);
      return true;
    }

    // To what was typed: three numbers in mm, or the name of a region.
    goTo(text) {
      const numbers = text.trim().split(/[\s,;]+/).map((part) => (part ? Number(part) : NaN));
      if (numbers.length === 3 && numbers.every(Number.isFinite)) {
        this.moveToXyz(numbers);
        return;
      }
      const { atlas } = this.map;
      const labels = atlas && text.trim() ? atlas.find(text) : [];
      if (labels.length === 1) {
        this.say("");
        this.mark(labels[0]);
        return;
      }
      const some = labels.slice(0, 4).map((label) => atlas.names[label]).join(", ");
      if (labels.length) this.say(`${labels.length} regions have this in their names: ${some}${labels.length > 4 ? ", …" : ""}.`);
      else if (atlas) this.say(`No region has “${text.trim()}” in its name. Type three numbers in mm, or a part of a name.`);
      else this.say("Type three numbers in mm, such as -42 -22 54.");
    }

    // To the peak of a row of the table.
    choose(row) {
      if (this.tableKind === "regions") {
        this.mark(row.label);
        return;
      }
      this.moveTo(this.map.geometry.placeOfElement(this.map.peakOfCluster(row.cluster)));
    }

    // Mark a region of the atlas, and go to its peak.
    mark(label) {
      this.markedRegion = label;
      const peak = this.map.peakOf(this.map.atlas.members()[label]);
      this.moveTo(this.map.geometry.placeOfElement(peak));
    }

    setTable(kind) {
      this.tableKind = kind;
      if (kind === "clusters") this.markedRegion = 0;
      this.showTable();
      this.repaint();
    }

    moveBy(direction) {
      const { viewer, map } = this;
      const place = map.geometry.step(this.place, viewer ? viewer.direction(direction) : direction);
      if (place !== null) this.moveTo(place);
    }

    setOverlay(overlay) {
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

    // Values at the ends of the colours; null for those of the start.
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
      return {
        sign: overlays.sign || null,
        outlines: this.hasOutlines ? 1 : null,
        window: changed("statistic"),
        tdpwindow: changed("tdp"),
        colours: overlays.colourMaps.statistic === "blue-orange" ? null : overlays.colourMaps.statistic,
        tdpcolours: overlays.colourMaps.tdp === "viridis" ? null : overlays.colourMaps.tdp,
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
      const { state, wrong } = ari.readAddress(address, {
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
        sign: ari.checkChoice(this.map.info.two_sided ? ["1", "-1"] : []),
        outlines: ari.checkChoice(["1"]),
        window: ari.checkRange(0, Infinity),
        tdpwindow: ari.checkRange(0, 1),
        colours: ari.checkChoice(ari.colourMapsOf("statistic")),
        tdpcolours: ari.checkChoice(ari.colourMapsOf("tdp")),
        table: ari.checkChoice(this.map.atlas ? ["clusters", "regions"] : ["clusters"]),
      });
      const {
        tdp = this.session.tdp, clusters, at: place, theme = null, mesh, sign = 0, outlines,
        window: range, tdpwindow: tdpRange, colours, tdpcolours: tdpColours, table, ...simple
      } = state;
      const { overlays } = this;
      overlays.sign = Number(sign);
      overlays.windows = {
        statistic: range ?? overlays.defaults.statistic, tdp: tdpRange ?? overlays.defaults.tdp,
      };
      overlays.colourMaps = { statistic: colours ?? "blue-orange", tdp: tdpColours ?? "viridis" };
      this.hasOutlines = Boolean(outlines);
      this.tableKind = table ?? "clusters";
      const session = new ari.Session(forest, tdp);
      const changed = clusters && forest.exchange(session.clusters, clusters);
      if (changed) session.show(changed);
      else if (clusters) wrong.push("clusters");
      if (address) this.session = session;
      Object.assign(this, { camera: null }, simple);
      this.place = place ?? this.place;
      if (mesh) this.setMesh(mesh);
      this.setTheme(theme);
      if (wrong.length) this.say(`Not understood in the address, and left out: ${wrong.join(", ")}.`);
    }

    // Show the whole state.
    apply() {
      const { viewer, camera } = this;
      this._painted = null;
      viewer?.setOpacity(this.opacity);
      viewer?.setView(this.view);
      if (camera && viewer) viewer.camera = camera;
      viewer?.moveTo(this.place, { mayTurn: camera === null });
      this.show();
    }

    // Files.

    saveSession() {
      this.downloads.session({
        address: this.address, region: this.session.region, atlas: this.loadedAtlas,
      });
    }

    async openSession(file) {
      try {
        const { address, region, atlas } = ari.readSessionFile(await file.text(), this.map);
        if (atlas) this.setAtlas(atlas);
        this.say("");
        this.readAddress(address);
        this.session.draw(region);
        this.apply();
      } catch (error) {
        this.say(`${file.name} was not opened: ${error.message}`);
      }
    }

    async openAtlas(files) {
      const names = files.map(({ name }) => name).join(", ");
      try {
        this.say(`Reading ${names} …`);
        this.setAtlas(await ari.readAtlas(files, this.map.geometry));
        this.say("");
        this.setTable("regions");
        this.show();
      } catch (error) {
        this.say(`${names} was not loaded: ${error.message}`);
      }
    }

    setAtlas(atlas) {
      this.map.atlas = this.loadedAtlas = atlas;
      this.markedRegion = 0;
      this.describeAtlas();
    }

    figure() {
      const { map, session, overlay, overlays } = this;
      const option = at("overlay").selectedOptions[0].textContent;
      const asked = `clusters with a TDP of at least ${session.tdp}${session.isChanged ? ", some grown or shrunk" : ""}`;
      const side = { 1: ", positive values only", "-1": ", negative values only" }[overlays.sign] ?? "";
      const shown = ["free", "statistic"].includes(overlay) ? "" : `; ${asked}`;
      return new ari.Figure({
        viewer: this.viewer,
        title: at("title").textContent,
        legend: this.legend,
        captions: [`${option[0].toUpperCase()}${option.slice(1)}${shown}${side}.`, map.info.about],
        background: at("background").value,
      });
    }

    async start() {
      this.describe();
      this.readAddress();
      ari.listen(this);
      this.show();
      try {
        this.viewer = await VIEWERS[this.map.info.geometry.kind].create({
          frame: at("brain"),
          geometry: this.map.geometry,
          onMove: (place) => this.moveTo(place, { mayTurn: false }),
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
