// The page shows words, tables, controls and colours. Actions of users are in page.js.
(function (ari) {
  "use strict";

  const { at, count, element } = ari;
  const SIGNS = { positive: 1, negative: -1 };
  const NONE = new Int32Array(0);
  // A slider that has not moved for so many ms has come to rest.
  const SETTLED = 500;
  // Code of NIfTI for the space of coordinates.
  const MNI = 4;

  ari.PageDisplay = class PageDisplay {
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
      this.second = new ari.SecondView(this);
      this.views = ari.viewerOf(map).views(map.geometry);
      this.view = Object.keys(this.views)[0];
      this.tool = null;
      // Which table is shown, and the atlas region whose row was chosen, 0 for none.
      this.tableKind = "clusters";
      this.markedRegion = 0;
      this.loadedAtlas = this.loadedSecond = null;
      // Labels of the regions that are listed; null for all.
      this.regionsFound = null;
      this.downloads = new ari.Downloads(map);
      this.table = new ari.TableView(map, (row) => this.choose(row));
      this.pen = new ari.Pen(at("paper"), (line) => this.draw(line));
    }

    // Words.

    describe() {
      const { info, forest, geometry } = this.map;
      at("about").textContent = info.about;
      at("whole").replaceChildren(
        geometry.hasMm ? "Whole brain: at least " : "Whole map: at least ",
        element("strong", ari.percent(info.true_discoveries / forest.n)),
        ` active, ${count(info.true_discoveries)} of ${count(forest.n)} ${geometry.words.many}`,
      );
      const { format } = geometry.words;
      at("save-labels").textContent = `Labels (${format})`;
      at("save-tdp").textContent = `TDP (${format})`;
      at("save-region").textContent = `Save mask (${format})`;
      at("space").textContent = geometry.spaceCode === MNI ? "mm, MNI" : "mm";
      // Without mm there are no coordinates to type, no spheres, and no files to read.
      for (const id of ["of-mm", "go", "of-sphere", "add-sphere", "of-atlas-file", "of-second-file"]) {
        at(id).hidden = !geometry.hasMm;
      }
      const { meshes = {} } = geometry;
      const labels = { given: "for drawing", map: "of the map" };
      at("meshes").replaceChildren(
        ...Object.keys(meshes).map((value) => element("option", labels[value], { value })),
      );
      at("of-meshes").hidden = Object.keys(meshes).length < 2;
      at("of-sign").hidden = !info.two_sided;
      this.isDescribed = this.describeAtlas();
      const options = Object.entries(this.views).map(([value, label]) => element("option", label, { value }));
      at("views").replaceChildren(...options);
      this.second.describe();
    }

    async describeAtlas() {
      const { atlas } = this.map;
      const names = atlas ? atlas.names.filter((name, label) => atlas.members()[label].length) : [];
      at("places").replaceChildren(
        ...names.map((name) => element("option", "", { value: name })),
      );
      at("kinds").hidden = at("add-region").hidden = !atlas;
      at("place").placeholder = atlas ? "x y z, or a name" : "x y z";
      this.regionsFound = null;
      this.regionRows = [];
      const rows = atlas ? await ari.regionRows(this.map, atlas) : [];
      // The last atlas that was loaded wins.
      if (atlas === this.map.atlas) this.regionRows = rows;
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
      return here < 0 ? undefined : this.found.rows[this.found.partition.labelOf(here) - 1];
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
      this.found = ari.clusterRows(this.map, this.session);
      this.showControls();
      this.showTable({ isMoving });
      this.paint();
      if (isMoving && this.viewer) this.repaintNow();
      this.showHere({ isMoving });
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
      const { overlays, found } = this;
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
          kind: "regions", rows: this.regionRowsShown, keyOf: (row) => row.label, isMoving,
        });
      }
      at("count").textContent = this._countText(isClusters) + this.table.note;
      this.selectRow({ isMoving });
      clearTimeout(this._tableTimer);
      if (isMoving) this._tableTimer = setTimeout(() => this.showTable(), SETTLED);
      at("save-table").textContent = isClusters ? "Table of all clusters (CSV)" : "Table of regions (CSV)";
    }

    // The regions that a search found, or all.
    get regionRowsShown() {
      const { regionsFound: found } = this;
      return found ? this.regionRows.filter(({ label }) => found.includes(label)) : this.regionRows;
    }

    _countText(isClusters) {
      const { rows, rest } = this.found;
      if (!isClusters) {
        const { source } = this.map.atlas;
        const nFound = this.regionsFound ? `${count(this.regionsFound.length)} of ` : "";
        return `${nFound}${count(this.regionRows.length)} regions${source ? ` of ${source}` : ""}`;
      }
      const { many } = this.map.geometry.words;
      const n = this.table.rows.length;
      const words = `${count(rows.length)} ${rows.length === 1 ? "cluster" : "clusters"}`;
      const inAll = `${count(this.map.forest.n - rest[`n_${many}`])} ${many}`;
      return n === rows.length ? `${words}, ${inAll}` : `${count(n)} of ${words}`;
    }

    selectRow(how) {
      this.table.select(this.tableKind === "clusters" ? this.clusterHere : this.markedRegion || null, how);
    }

    paint() {
      this._shades = this.overlays.shades(this.overlay, this.found);
      this._table = ari.tableOfShades(this.overlays.colours(this.overlay));
      this._second = this.second.isBeside ? this.second.painted(this.found) : null;
      this.repaint();
      ari.showLegend(at("legend"), this.legends);
    }

    // Legends of the colours in sight, one for each map.
    get legends() {
      const names = [this.overlay, ...(this.second.isBeside ? ["second"] : [])];
      return names.map((name) => this.overlays.legend(name, this.found.rows.length));
    }

    // Draw at most once a frame, with an outline around the cluster at the crosshair.
    repaint() {
      if (!this.viewer || this._isWaiting) return;
      this._isWaiting = true;
      requestAnimationFrame(() => this.repaintNow());
    }

    repaintNow() {
      this._isWaiting = false;
      const { rowHere, marked, hasOutlines } = this;
      const { region } = this.session;
      const { partition } = this.found;
      const chosen = rowHere && this.overlays.isShown(SIGNS[rowHere.direction] ?? this.overlays.sign)
        ? rowHere.cluster_id : 0;
      const painted = [
        this._shades, this._table, this._second, partition, chosen, region, marked, hasOutlines,
      ];
      if (painted.every((what, i) => what === this._painted?.[i])) return;
      this._painted = painted;
      this.viewer.paint({
        shades: this._shades,
        table: this._table,
        name: this.overlay === "second" ? this.map.second.name : this.map.info.name,
        second: this._second,
        labelOf: (element) => partition.labelOf(element),
        chosen,
        outlined: chosen ? this.map.forest.range(rowHere.cluster) : NONE,
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
      at("second").setAttribute("aria-pressed", this.overlay === "second");
      at("beside").setAttribute("aria-pressed", this.second.isBeside);
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

    showHere(how) {
      const { geometry } = this.map;
      const row = this.rowHere;
      if (geometry.hasMm) geometry.xyz(this.place).forEach((value, k) => (at("xyz"[k]).value = Number(value.toFixed(2))));
      const lines = ari.linesOfPlace(this.map, this.place, row);
      at("here").replaceChildren(
        ...lines.flatMap(([term, value]) => [element("dt", term), element("dd", value)]),
      );
      for (const id of ["grow", "shrink", "add-cluster"]) at(id).disabled = !row;
      at("add-region").disabled = !this.map.atlas?.labels[this.elementHere];
      this.showSphere();
      this.selectRow(how);
    }

    showSphere() {
      const { geometry } = this.map;
      const ball = `${geometry.textOf(this.place)} ${this.radius}`;
      if (ball === this._ball) return;
      this._ball = ball;
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
        ? `Draw it, or add ${this.map.geometry.hasMm ? "spheres and " : ""}clusters to it.`
        : ari.boundText(this.region, this.map.geometry.words);
      at("clear").disabled = at("save-region").disabled = isEmpty;
      at("eraser").disabled = isEmpty || !this.viewer;
      if (isEmpty && this.tool === "eraser") this.takeTool(null);
    }
  };
})((globalThis.ari ??= {}));
