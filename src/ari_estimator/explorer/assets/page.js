// The page: it asks the forest, and shows what it says. All text is written as text, never as HTML.
(function (ari) {
  "use strict";

  const MOST_ROWS = 500; // of the table on screen; the file has all
  const at = (id) => document.getElementById(id);
  const count = (n) => n.toLocaleString("en-US");
  const percent = (tdp) => `${(ari.roundedDown(tdp, 3) * 100).toFixed(1)}\u00a0%`;
  const short = (value) => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : String(value));

  const COLUMNS = {
    cluster_id: { head: "cluster" },
    n_voxels: { head: "voxels", show: count },
    size_mm3: { head: "mm³", show: (value) => count(Math.round(value)) },
    true_discoveries: { head: "true discoveries", show: count },
    tdp: { head: "TDP", show: (value) => ari.roundedDown(value, 3).toFixed(3) },
    peak_stat: { head: "peak", show: short },
    peak_x: { head: "x", show: short },
    peak_y: { head: "y", show: short },
    peak_z: { head: "z", show: short },
    peak_region: { head: "region of the peak", isText: true },
  };

  function element(tag, text, attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  }

  function evidenceOf(stat, info) {
    if (info.stat_type === "p") return stat.map((p) => -p);
    return info.two_sided ? stat.map(Math.abs) : stat;
  }

  // What is drawn of a statistic: p-values as -log10 p.
  function drawnOf(stat, info) {
    if (info.stat_type === "p") return stat.map((p) => -Math.log10(Math.max(p, 1e-300)));
    if (info.stat_type === "one_minus_p")
      return stat.map((q) => -Math.log10(Math.max(1 - q, 1e-300)));
    return stat;
  }

  class Page {
    constructor(info, arrays) {
      this.info = info;
      const { mask, stat, background, regions, ...ofForest } = arrays;
      this.grid = new ari.Grid({ ...info, mask });
      this.grid.spaceCode = info.space_code;
      this.stat = stat;
      this.evidence = evidenceOf(stat, info);
      this.drawn = drawnOf(stat, info);
      this.regions = regions;
      this.forest = new ari.Forest({
        ...ofForest,
        isCluster: arrays.is_cluster,
        trueDiscoveries: arrays.true_discoveries,
        nThresholds: info.n_thresholds,
      });
      this.background = background ?? this.grid.volume(new Uint8Array(stat.length).fill(70));
      this.free = this.forest.thresholdFree();
      const strengths = Float64Array.from(this.drawn, Math.abs).filter(Number.isFinite).sort();
      this.strongest = strengths[Math.floor(0.999 * (strengths.length - 1))] || 1;
      this.weakest = strengths[Math.floor(0.75 * (strengths.length - 1))];
      this.session = new ari.Session(this.forest, info.tdp);
      this.sort = { column: "cluster_id", ascending: true };
      const strongest = this.evidence.reduce((best, e, i) => (e > this.evidence[best] ? i : best), 0);
      this.voxel = this.grid.voxelOf(strongest);
      this.radius = 8;
      this.overlay = "tdp";
      this.opacity = 0.85;
      this.step = 0.05;
      this.theme = null;
    }

    // Words.

    describe() {
      const { info } = this;
      at("about").textContent = info.about;
      const strong = element("strong", percent(info.true_discoveries / this.forest.n));
      at("whole").replaceChildren(
        "Whole brain: at least ",
        strong,
        ` active, ${count(info.true_discoveries)} of ${count(this.forest.n)} voxels`,
      );
    }

    say(text) {
      at("status").textContent = text;
    }

    // What is asked.

    get elementHere() {
      return this.grid.elementAt[this.grid.placeOf(this.voxel)];
    }

    // Cluster that is shown at the crosshair, null if there is none.
    get clusterHere() {
      const label = this.elementHere < 0 ? 0 : this.labels[this.elementHere];
      return label ? this.session.clusters[label - 1] : null;
    }

    // Compute all that follows from the clusters.
    ask() {
      const { rows, rest, labels } = ari.clusterRows(this, this.session.clusters);
      Object.assign(this, { rows, rest, labels });
    }

    tdpOfElements() {
      const tdps = new Float64Array(this.forest.n);
      this.labels.forEach((label, i) => {
        if (label) tdps[i] = this.rows[label - 1].tdp;
      });
      return tdps;
    }

    // Shade of each element.
    shades() {
      const { forest, labels, rows, overlay } = this;
      const shades = new Uint8Array(forest.n);
      if (overlay === "statistic") {
        this.drawn.forEach((value, i) => {
          if (!(Math.abs(value) > this.weakest)) return;
          const part = (Math.abs(value) - this.weakest) / (this.strongest - this.weakest || 1);
          if (value < 0 && !this.info.two_sided) return;
          shades[i] = ari.shade(0.5 + Math.sign(value) * (0.1 + 0.4 * Math.min(part, 1)));
        });
        return shades;
      }
      if (overlay === "free") {
        this.free.forEach((tdp, i) => {
          if (tdp > 0) shades[i] = ari.shade(tdp);
        });
        return shades;
      }
      const ofLabel = rows.map((row) =>
        overlay === "tdp" ? ari.shade(row.tdp) : ari.shade(ari.fractionOfCluster(row.cluster_id)),
      );
      for (let i = 0; i < shades.length; i++) if (labels[i]) shades[i] = ofLabel[labels[i] - 1];
      return shades;
    }

    get scale() {
      return this.overlay === "free" ? "tdp" : this.overlay;
    }

    // What is seen.

    // After a change of clusters; after others see below.
    show() {
      this.ask();
      this.showControls();
      this.showTable();
      this.paint();
      this.showHere();
    }

    paint() {
      this._painted = this.shades();
      this._isStale = true;
      this.repaint();
      this.showLegend();
    }

    // Drawn once a frame at the most, with an outline around the cluster at the crosshair.
    repaint() {
      if (!this.viewer || this._isWaiting) return;
      this._isWaiting = true;
      requestAnimationFrame(() => {
        this._isWaiting = false;
        const cluster = this.clusterHere;
        if (!this._isStale && cluster === this._outlined) return;
        const ring = cluster === null ? [] : this.grid.ring(this.forest.members(cluster));
        this.viewer.paint(this.grid.volume(this._painted), ring, this.scale);
        this._isStale = false;
        this._outlined = cluster;
      });
    }

    showLegend() {
      const isTdp = this.scale === "tdp";
      at("legend").hidden = this.overlay === "clusters";
      at("ramp").style.background = isTdp
        ? ari.cssGradient("tdp")
        : ari.cssGradient("statistic", this.info.two_sided ? 0 : 0.6, 1);
      at("low").textContent = isTdp
        ? "TDP 0"
        : `${this.info.drawn} ${short(this.info.two_sided ? -this.strongest : this.weakest)}`;
      at("high").textContent = isTdp ? "1" : short(this.strongest);
      at("legend").setAttribute(
        "aria-label",
        `Colours from ${at("low").textContent} to ${at("high").textContent}`,
      );
    }

    showControls() {
      const { session } = this;
      at("tdp").value = session.tdp;
      at("tdp-slider").value = session.tdp;
      at("undo").disabled = !session.canUndo;
      at("redo").disabled = !session.canRedo;
      at("overlay").value = this.overlay;
      at("opacity").value = this.opacity;
      at("radius").value = this.radius;
      this.writeUrl();
    }

    showHere() {
      const here = this.elementHere;
      const xyz = this.grid.xyz(this.voxel);
      ["x", "y", "z"].forEach((axis, k) => (at(axis).value = Number(xyz[k].toFixed(2))));
      const lines = [];
      if (here < 0) lines.push(["voxel", "not tested"]);
      else {
        lines.push([this.info.stat_name, short(this.stat[here])]);
        if (this.regions)
          lines.push(["region", this.info.region_names[this.regions[here]] || "none"]);
        lines.push(["threshold-free TDP", ari.roundedDown(Math.max(this.free[here], 0), 3).toFixed(3)]);
      }
      const cluster = this.clusterHere;
      if (cluster !== null) {
        const row = this.rows[this.labels[here] - 1];
        lines.push(
          ["cluster", count(row.cluster_id)],
          ["voxels", count(row.n_voxels)],
          ["true discoveries, at least", count(row.true_discoveries)],
          ["TDP, at least", ari.roundedDown(row.tdp, 3).toFixed(3)],
          ["peak", short(row.peak_stat)],
          ["peak at (mm)", [row.peak_x, row.peak_y, row.peak_z].map(short).join(", ")],
        );
      } else if (here >= 0) lines.push(["cluster", "none"]);
      at("here").replaceChildren(
        ...lines.flatMap(([term, value]) => [element("dt", term), element("dd", value)]),
      );
      at("grow").disabled = at("shrink").disabled = cluster === null;
      this.showSphere();
      this.selectRow();
    }

    showSphere() {
      const members = this.grid.sphere(this.grid.xyz(this.voxel), this.radius);
      const bound = this.forest.setBound(members);
      this.sphere = { n_tested: members.length, true_discoveries: bound };
      at("sphere").textContent = members.length
        ? `At least ${count(bound)} of ${count(members.length)} voxels are active: ${percent(bound / members.length)}`
        : "No tested voxel is in it.";
    }

    get columns() {
      return Object.keys(COLUMNS).filter((name) => name !== "peak_region" || this.regions);
    }

    sorted() {
      const { column, ascending } = this.sort;
      const order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0);
      const rows = [...this.rows].sort((a, b) => order(a[column], b[column]));
      return ascending ? rows : rows.reverse();
    }

    showTable() {
      const heads = this.columns.map((name) => {
        const { head, isText } = COLUMNS[name];
        const isSorted = this.sort.column === name;
        const arrow = isSorted ? (this.sort.ascending ? " ▲" : " ▼") : "";
        const th = element("th", "", { scope: "col", class: isText ? "text" : "" });
        if (isSorted) th.setAttribute("aria-sort", this.sort.ascending ? "ascending" : "descending");
        th.append(element("button", head + arrow, { type: "button", "data-column": name }));
        return th;
      });
      at("heads").replaceChildren(...heads);
      const cells = (row) =>
        this.columns.map((name) => {
          const { show = String, isText } = COLUMNS[name];
          const value = row[name];
          const isNothing = value === undefined || Number.isNaN(value);
          return element("td", isNothing ? "" : show(value), { class: isText ? "text" : "" });
        });
      const rows = this.sorted();
      at("rows").replaceChildren(
        ...rows.slice(0, MOST_ROWS).map((row) => {
          const tr = element("tr", "", { tabindex: "0", "data-cluster": row.cluster });
          tr.append(...cells(row));
          const colour =
            this.overlay === "clusters"
              ? ari.cssColour("clusters", ari.fractionOfCluster(row.cluster_id))
              : ari.cssColour("tdp", row.tdp);
          const swatch = element("span", "", { class: "swatch" });
          swatch.style.background = colour;
          tr.firstChild.prepend(swatch);
          return tr;
        }),
      );
      const rest = element("tr", "");
      rest.append(...cells(this.rest));
      rest.firstChild.textContent = "rest";
      at("rest").replaceChildren(rest);
      const n = rows.length;
      const inAll = this.forest.n - this.rest.n_voxels;
      at("count").textContent =
        `${count(n)} ${n === 1 ? "cluster" : "clusters"}, ${count(inAll)} voxels` +
        (n > MOST_ROWS ? `; the first ${MOST_ROWS} in this order are listed` : "");
      this.selectRow();
    }

    selectRow() {
      const cluster = this.clusterHere;
      for (const row of at("rows").querySelectorAll('[aria-selected="true"]')) {
        if (Number(row.dataset.cluster) !== cluster) row.removeAttribute("aria-selected");
      }
      if (cluster === null) return;
      const row = at("rows").querySelector(`[data-cluster="${cluster}"]`);
      if (!row || row.hasAttribute("aria-selected")) return;
      row.setAttribute("aria-selected", "true");
      // Within the list alone: the page itself must not jump.
      const [list, foot, head] = [at("scroll"), at("rest").offsetHeight, at("heads").offsetHeight];
      if (row.offsetTop < list.scrollTop + head) list.scrollTop = row.offsetTop - head;
      const over = row.offsetTop + row.offsetHeight + foot - list.scrollTop - list.clientHeight;
      if (over > 0) list.scrollTop += over;
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
      if (!more && tdp === this.session.tdp && !this._isChanged) return;
      this.session.ask(tdp, { more });
      this._isChanged = false;
      this.show();
    }

    change(sign) {
      const cluster = this.clusterHere;
      if (cluster === null) return;
      const now = this.forest.tdps[cluster];
      // The last step ends at 0 or 1.
      const step = sign > 0 ? Math.min(this.step, 1 - now) : -Math.min(this.step, now);
      const isChanged = this.session.change(cluster, step);
      this._isChanged ||= isChanged;
      this.say(
        isChanged
          ? ""
          : `No ${sign > 0 ? "cluster within" : "larger cluster around"} this one has a TDP of ` +
              `${sign > 0 ? "at least" : "at most"} ${short(now + step)}.`,
      );
      if (isChanged) this.show();
    }

    history(what) {
      this.session[what]();
      this._isChanged = true;
      this.say("");
      this.show();
    }

    moveTo(voxel, { fromViewer = false } = {}) {
      this.voxel = voxel;
      if (!fromViewer) this.viewer?.moveTo(this.grid.xyz(voxel));
      this.showHere();
      this.repaint();
      this.writeUrl();
    }

    moveToXyz(xyz, how) {
      if (xyz.every(Number.isFinite)) this.moveTo(this.grid.nearest(xyz), how);
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
      this.writeUrl();
    }

    setRadius(radius) {
      if (!(radius >= 0)) return;
      this.radius = radius;
      this.showSphere();
      this.writeUrl();
    }

    setTheme(theme) {
      this.theme = theme;
      const prefersLight = matchMedia("(prefers-color-scheme: light)").matches;
      document.documentElement.dataset.theme = theme ?? (prefersLight ? "light" : "dark");
    }

    // Files.

    save(name, parts, type) {
      const link = element("a", "", { download: `${this.info.file_stem}_${name}` });
      link.href = URL.createObjectURL(new Blob(parts, { type }));
      document.body.append(link);
      link.click();
      link.remove();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }

    csv() {
      const columns = ["cluster_id", "threshold", "direction", "n_voxels", "size_mm3"];
      columns.push("true_discoveries", "tdp", "peak_stat", "peak_x", "peak_y", "peak_z");
      if (this.regions) columns.push("peak_region");
      return ari.csv([...this.rows, this.rest], columns);
    }

    image(values, description) {
      return ari.niftiFile(this.grid.volume(values), { ...this.grid, description });
    }

    // State in the address.

    writeUrl() {
      if (!this._isReady) return;
      const xyz = this.grid.xyz(this.voxel).map((value) => Number(value.toFixed(3)));
      const state = new URLSearchParams({
        tdp: this.session.tdp,
        overlay: this.overlay,
        at: xyz.join(","),
        radius: this.radius,
        opacity: this.opacity,
      });
      if (this.theme) state.set("theme", this.theme);
      const hash = `#${state.toString().replaceAll("%2C", ",")}`;
      if (hash === location.hash) return;
      clearTimeout(this._urlTimer);
      // Browsers allow so many changes in a while, and a slider makes more.
      this._urlTimer = setTimeout(() => {
        try {
          history.replaceState(null, "", hash);
        } catch {
          // In a frame without an address of its own there is nothing to write to.
        }
      }, 150);
    }

    readUrl() {
      const state = new URLSearchParams(location.hash.slice(1));
      const number = (name, low, high) => {
        const value = Number(state.get(name) || NaN);
        return value >= low && value <= high ? value : null;
      };
      const tdp = number("tdp", 0, 1);
      if (tdp !== null && tdp !== this.session.tdp) this.session = new ari.Session(this.forest, tdp);
      const overlay = state.get("overlay");
      if ([...at("overlay").options].some((option) => option.value === overlay)) this.overlay = overlay;
      const xyz = (state.get("at") ?? "").split(",").map((part) => (part ? Number(part) : NaN));
      if (xyz.length === 3 && xyz.every(Number.isFinite)) this.voxel = this.grid.nearest(xyz);
      this.radius = number("radius", 0, 1e6) ?? this.radius;
      this.opacity = number("opacity", 0, 1) ?? this.opacity;
      const theme = state.get("theme");
      this.setTheme(["dark", "light"].includes(theme) ? theme : null);
    }

    // Wires.

    listen() {
      const on = (id, event, action) => at(id).addEventListener(event, action);
      let isDragged = false;
      on("tdp-slider", "input", () => {
        this.setTdp(at("tdp-slider").valueAsNumber, isDragged);
        isDragged = true;
      });
      on("tdp-slider", "change", () => (isDragged = false));
      on("tdp", "change", () => this.setTdp(at("tdp").valueAsNumber));
      for (const what of ["undo", "redo", "reset"]) on(what, "click", () => this.history(what));
      on("grow", "click", () => this.change(-1));
      on("shrink", "click", () => this.change(1));
      on("step", "change", () => {
        const step = at("step").valueAsNumber;
        if (step > 0 && step <= 1) this.step = step;
        at("step").value = this.step;
      });
      for (const axis of ["x", "y", "z"]) {
        on(axis, "change", () => this.moveToXyz(["x", "y", "z"].map((name) => at(name).valueAsNumber)));
      }
      on("radius", "input", () => this.setRadius(at("radius").valueAsNumber));
      on("overlay", "change", () => this.setOverlay(at("overlay").value));
      on("opacity", "input", () => this.setOpacity(at("opacity").valueAsNumber));
      on("slices", "change", () => this.viewer?.setView(at("slices").value));
      on("theme", "click", () => {
        this.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
        this.writeUrl();
      });
      matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
        if (!this.theme) this.setTheme(null);
      });
      on("heads", "click", (event) => {
        const column = event.target.dataset.column;
        if (!column) return;
        const isAgain = this.sort.column === column;
        // What is large is sought first, but in the order of the clusters.
        const ascending = isAgain ? !this.sort.ascending : column === "cluster_id";
        this.sort = { column, ascending };
        this.showTable();
        at("heads").querySelector(`[data-column="${column}"]`).focus();
      });
      const choose = (event) => {
        const row = event.target.closest("tr");
        if (!row) return;
        const peak = this.forest.peak(Number(row.dataset.cluster), this.evidence);
        this.moveTo(this.grid.voxelOf(peak));
      };
      on("rows", "click", choose);
      on("rows", "keydown", (event) => {
        const row = event.target.closest("tr");
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(event);
        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          event.preventDefault();
          (event.key === "ArrowDown" ? row?.nextSibling : row?.previousSibling)?.focus();
        }
      });
      on("save-table", "click", () => this.save("clusters.csv", [this.csv()], "text/csv"));
      on("save-labels", "click", () => {
        this.save("labels.nii", [this.image(this.labels, "ari_estimator clusters")], "application/octet-stream");
      });
      on("save-tdp", "click", () => {
        const file = this.image(this.tdpOfElements(), "ari_estimator TDP of clusters");
        this.save("tdp.nii", [file], "application/octet-stream");
      });
      on("save-picture", "click", async () => {
        this.save("picture.png", [await this.viewer.picture()], "image/png");
      });
      const STEPS = {
        ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowDown: [1, -1],
        ArrowUp: [1, 1], PageDown: [2, -1], PageUp: [2, 1],
      };
      // Before niivue, which has keys of its own.
      at("stage").addEventListener(
        "keydown",
        (event) => {
          if (!(event.key in STEPS)) return;
          event.preventDefault();
          event.stopPropagation();
          this.stepBy(...STEPS[event.key]);
        },
        true,
      );
      document.addEventListener("keydown", (event) => {
        if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
        // In a box the browser undoes what was typed.
        if (event.target.type === "number") return;
        const key = event.key.toLowerCase();
        const what = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
        if (!what) return;
        event.preventDefault();
        if (!at(what).disabled) this.history(what);
      });
      window.addEventListener("hashchange", () => {
        this.readUrl();
        this.apply();
      });
    }

    // To the next voxel along the axis of the grid that is closest to an axis of the body.
    stepBy(axis, sign) {
      const along = [0, 1, 2].map((k) => this.grid.affine[axis][k]);
      const k = along.reduce((best, v, i) => (Math.abs(v) > Math.abs(along[best]) ? i : best), 0);
      const voxel = this.voxel.slice();
      voxel[k] += sign * Math.sign(along[k]);
      if (this.grid.isInside(voxel)) this.moveTo(voxel);
    }

    // Show the whole state.
    apply() {
      this.viewer?.setOpacity(this.opacity);
      this.viewer?.moveTo(this.grid.xyz(this.voxel));
      this.show();
    }

    async start() {
      this.readUrl();
      this.describe();
      this.listen();
      this.show();
      try {
        this.viewer = await ari.Viewer.create({
          canvas: at("brain"),
          grid: this.grid,
          background: this.background,
          onMove: (xyz) => this.moveToXyz(xyz, { fromViewer: true }),
        });
      } catch (error) {
        at("no-picture").hidden = false;
        at("save-picture").disabled = true;
        this.say(`No picture: ${error.message}`);
      }
      this._isReady = true;
      this.apply();
    }
  }

  ari.started = (async () => {
    const { info, arrays } = JSON.parse(at("data").textContent);
    at("data").remove();
    ari.page = new Page(info, await ari.unpackAll(arrays));
    await ari.page.start();
  })();
  ari.started.catch((error) => {
    at("status").textContent = `This page does not work in this browser: ${error.message}`;
    throw error;
  });
})((globalThis.ari ??= {}));
