// The table of clusters on screen: sorted by its headers, a row chosen by a click or a key.
(function (ari) {
  "use strict";

  const { at, count, element, short } = ari;
  const MOST_ROWS = 500; // the file has all
  const wholeNumber = (value) => count(Math.round(value));

  const COLUMNS = {
    cluster_id: { head: "cluster" },
    n_voxels: { head: "voxels", show: count },
    n_vertices: { head: "vertices", show: count },
    size_mm3: { head: "mm³", show: wholeNumber },
    size_mm2: { head: "mm²", show: wholeNumber },
    true_discoveries: { head: "true discoveries", show: count },
    tdp: { head: "TDP", show: (value) => ari.proportion(value) },
    peak_stat: { head: "peak", show: short },
    peak_hemisphere: { head: "hemisphere", isText: true },
    peak_vertex: { head: "vertex" },
    peak_x: { head: "x", show: short },
    peak_y: { head: "y", show: short },
    peak_z: { head: "z", show: short },
    peak_region: { head: "region of the peak", isText: true },
  };

  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0;

  ari.TableView = class TableView {
    // onChoose is called with a cluster whose row was chosen.
    constructor(map, onChoose) {
      this.map = map;
      this.columns = ari.tableColumns(map).filter((name) => COLUMNS[name]);
      this.sort = { column: "cluster_id", ascending: true };
      this.onChoose = onChoose;
      this._listen();
    }

    // Show rows of clusters, and that of the rest. colourOf: colour of a row.
    show({ rows, rest }, colourOf) {
      Object.assign(this, { rows, rest, colourOf });
      this._showHeads();
      const sorted = this.sorted();
      at("rows").replaceChildren(...sorted.slice(0, MOST_ROWS).map((row) => this._row(row)));
      const foot = element("tr", "");
      foot.append(...this._cells(rest));
      foot.firstChild.textContent = "rest";
      at("rest").replaceChildren(foot);
      const { many } = this.map.geometry.words;
      const n = rows.length;
      at("count").textContent =
        `${count(n)} ${n === 1 ? "cluster" : "clusters"}, ` +
        `${count(this.map.forest.n - rest[`n_${many}`])} ${many}` +
        (n > MOST_ROWS ? `; the first ${MOST_ROWS} in this order are listed` : "");
    }

    sorted() {
      const { column, ascending } = this.sort;
      const rows = [...this.rows].sort((a, b) => compare(a[column], b[column]));
      return ascending ? rows : rows.reverse();
    }

    _showHeads() {
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
    }

    _row(row) {
      const tr = element("tr", "", { tabindex: "0", "data-cluster": row.cluster });
      tr.append(...this._cells(row));
      const swatch = element("span", "", { class: "swatch" });
      swatch.style.background = this.colourOf(row);
      tr.firstChild.prepend(swatch);
      return tr;
    }

    _cells(row) {
      return this.columns.map((name) => {
        const { show = String, isText } = COLUMNS[name];
        const value = row[name];
        const isNothing = value === undefined || Number.isNaN(value);
        return element("td", isNothing ? "" : show(value), { class: isText ? "text" : "" });
      });
    }

    // Mark the row of a cluster, if there is one; null for none.
    select(cluster) {
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

    _listen() {
      at("heads").addEventListener("click", (event) => {
        const column = event.target.dataset.column;
        if (!column) return;
        const isAgain = this.sort.column === column;
        // What is large is sought first, but in the order of the clusters.
        const ascending = isAgain ? !this.sort.ascending : column === "cluster_id";
        this.sort = { column, ascending };
        const selected = at("rows").querySelector('[aria-selected="true"]')?.dataset.cluster;
        this.show(this, this.colourOf);
        this.select(selected === undefined ? null : Number(selected));
        at("heads").querySelector(`[data-column="${column}"]`).focus();
      });
      const choose = (event) => {
        const row = event.target.closest("tr");
        if (row) this.onChoose(Number(row.dataset.cluster));
      };
      at("rows").addEventListener("click", choose);
      at("rows").addEventListener("keydown", (event) => {
        const row = event.target.closest("tr");
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(event);
        } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
          event.preventDefault();
          (event.key === "ArrowDown" ? row?.nextSibling : row?.previousSibling)?.focus();
        }
      });
    }
  };
})((globalThis.ari ??= {}));
