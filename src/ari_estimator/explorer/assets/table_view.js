// The table on screen, of clusters or of regions: sorted by its headers, a row chosen by a click or
// a key. It is a grid with one tab stop.
(function (ari) {
  "use strict";

  const { at, count, element, short } = ari;
  const MOST_ROWS = 500; // the file has all
  const MOST_COLUMNS = 11; // in letters of the usual size
  // Rows that are shown while something moves; the others follow, so many at a time.
  const FIRST_ROWS = 30;
  const MORE_ROWS = 60;
  const wholeNumber = (value) => count(Math.round(value));
  const millimetres = (value) => short(Number(value.toFixed(1)));
  // Four digits, zeros at the end too, so that a column is easy to compare.
  const statistic = (value) => {
    const size = Math.abs(value);
    return size >= 0.001 && size < 10000 ? value.toPrecision(4) : short(value);
  };
  const SIGNS = { positive: "+", negative: "−", both: "±" };

  // rank: narrow tables leave out the columns of the highest ranks.
  const COLUMNS = {
    cluster_id: { head: "cluster", rank: 1 },
    region: { head: "region", isText: true, isName: true, rank: 1 },
    direction: { head: "sign", rank: 1, show: (value) => SIGNS[value] ?? "" },
    n_voxels: { head: "voxels", show: count, rank: 2 },
    n_vertices: { head: "vertices", show: count, rank: 2 },
    n_elements: { head: "elements", show: count, rank: 2 },
    n_grayordinates: { head: "size", title: "grayordinates", show: count, rank: 2 },
    true_discoveries: { head: "true", title: "true discoveries, at least", show: count, rank: 1 },
    tdp: { head: "TDP", title: "true discovery proportion, at least", show: (value) => ari.proportion(value), rank: 1 },
    peak_stat: { head: "peak", show: statistic, rank: 1 },
    peak_region: { head: "region", title: "region of the peak", isText: true, isName: true, rank: 2 },
    peak_structure: { head: "structure", title: "structure of the peak", isText: true, isName: true, show: ari.structureText, rank: 2 },
    peak_x: { head: "x", show: millimetres, rank: 3 },
    peak_y: { head: "y", show: millimetres, rank: 3 },
    peak_z: { head: "z", show: millimetres, rank: 3 },
    peak_hemisphere: { head: "side", title: "hemisphere of the peak", isText: true, rank: 2 },
    peak_vertex: { head: "vertex", rank: 4 },
    size_mm3: { head: "mm³", show: wholeNumber, rank: 4 },
    size_mm2: { head: "mm²", show: wholeNumber, rank: 4 },
  };

  // isText: on the left; isName: as wide as there is room.
  function classOf({ rank, isText, isName }) {
    return [`rank-${rank}`, ...(isText ? ["text"] : []), ...(isName ? ["name"] : [])].join(" ");
  }

  // Numbers of clusters and names of regions are in their order first; of others, what is large.
  const FIRST = { clusters: "cluster_id", regions: "region" };

  const compare = (a, b) =>
    typeof a === "string" ? a.localeCompare(b) : a < b ? -1 : a > b ? 1 : 0;

  ari.TableView = class TableView {
    // onChoose is called with a row that was chosen.
    constructor(map, onChoose) {
      this.map = map;
      this.sorts = {
        clusters: { column: "cluster_id", ascending: true },
        regions: { column: "tdp", ascending: false },
      };
      this.kind = "clusters";
      this.onChoose = onChoose;
      this._listen();
    }

    get sort() {
      return this.sorts[this.kind];
    }

    // How a column is shown. Coordinates of arrays have the names of the user, which may be names of other columns.
    _columnOf(name) {
      const head = this.map.geometry.words.heads?.[name];
      return head === undefined ? COLUMNS[name] : { head, isText: true, rank: 2, show: ari.coordinateText };
    }

    // Columns on screen: the columns of the file, except those with one value in all rows.
    get columns() {
      const { map } = this;
      const inFile = this.kind === "clusters" ? ari.tableColumns(map) : ari.regionColumns(map);
      // An atlas says more of a place than a structure.
      const without = [...(map.info.two_sided ? [] : ["direction"]), ...(map.atlas ? ["peak_structure"] : [])];
      const known = Object.keys(COLUMNS);
      const names = [...known, ...inFile.filter((name) => name.startsWith("peak_") && !known.includes(name))];
      return names.filter((name) => inFile.includes(name) && !without.includes(name));
    }

    // Show rows, and the row of the rest if there is one. kind: clusters or regions; keyOf: key of a
    // row; colourOf: colour of a row, if it has one; isMoving: whether more is to come.
    show({ kind, rows, rest, keyOf, colourOf, isMoving = false }) {
      Object.assign(this, { kind, rows, rest, keyOf, colourOf });
      const columns = this.columns;
      at("table").classList.toggle("dense", columns.length > MOST_COLUMNS);
      this._showHeads(columns);
      const sorted = this.sorted().slice(0, isMoving ? FIRST_ROWS : MOST_ROWS);
      at("rows").replaceChildren(...sorted.slice(0, MORE_ROWS).map((row) => this._row(row, columns)));
      clearTimeout(this._timer);
      if (sorted.length > MORE_ROWS) this._later(sorted.slice(MORE_ROWS), columns);
      at("rest").replaceChildren();
      if (rest) {
        const foot = element("tr", "");
        foot.append(...this._cells(rest, columns));
        foot.firstChild.textContent = "rest";
        at("rest").append(foot);
      }
      this._setTabStop(at("rows").firstChild);
    }

    // Add rows when the page has done what else is to be done.
    _later(rows, columns) {
      this._timer = setTimeout(() => {
        at("rows").append(...rows.slice(0, MORE_ROWS).map((row) => this._row(row, columns)));
        this.select(this._selected);
        if (rows.length > MORE_ROWS) this._later(rows.slice(MORE_ROWS), columns);
      });
    }

    // What is said of how many rows are listed, "" if all are.
    get note() {
      return this.rows.length > MOST_ROWS ? `; the first ${MOST_ROWS} in this order are listed` : "";
    }

    sorted() {
      const { column, ascending } = this.sort;
      const rows = [...this.rows].sort((a, b) => compare(a[column], b[column]));
      return ascending ? rows : rows.reverse();
    }

    _showHeads(columns) {
      const heads = columns.map((name) => {
        const column = this._columnOf(name);
        const { head, title } = column;
        const isSorted = this.sort.column === name;
        const arrow = isSorted ? (this.sort.ascending ? " ▲" : " ▼") : "";
        const th = element("th", "", { scope: "col", class: classOf(column) });
        if (isSorted) th.setAttribute("aria-sort", this.sort.ascending ? "ascending" : "descending");
        const button = element("button", head + arrow, { type: "button", "data-column": name });
        if (title) {
          button.title = title;
          button.setAttribute("aria-label", title);
        }
        th.append(button);
        return th;
      });
      at("heads").replaceChildren(...heads);
    }

    _row(row, columns) {
      const tr = element("tr", "", { tabindex: "-1", "data-key": this.keyOf(row) });
      tr.append(...this._cells(row, columns));
      if (this.colourOf) {
        const swatch = element("span", "", { class: "swatch" });
        swatch.style.background = this.colourOf(row);
        tr.firstChild.prepend(swatch);
      }
      return tr;
    }

    _cells(row, columns) {
      return columns.map((name) => {
        const column = this._columnOf(name);
        const { show = String, isText } = column;
        const value = row[name];
        const isNothing = value === undefined || Number.isNaN(value);
        const text = isNothing ? "" : show(value);
        const td = element("td", text, { class: classOf(column) });
        if (isText) td.title = text;
        if (name === "direction" && text) {
          td.replaceChildren(element("span", text, { role: "img", "aria-label": value, title: value }));
        }
        return td;
      });
    }

    _setTabStop(row) {
      at("rows").querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
      row?.setAttribute("tabindex", "0");
    }

    // Mark the row with a key, if there is one, and bring it into sight; null for none.
    select(key, { isMoving = false } = {}) {
      this._selected = key;
      for (const row of at("rows").querySelectorAll('[aria-selected="true"]')) {
        if (row.dataset.key !== String(key)) row.removeAttribute("aria-selected");
      }
      if (key === null) return;
      const row = at("rows").querySelector(`[data-key="${key}"]`);
      if (!row || row.hasAttribute("aria-selected")) return;
      row.setAttribute("aria-selected", "true");
      this._setTabStop(row);
      // To know where it is takes longer than all else.
      if (!isMoving) this._scrollTo(row);
    }

    // Within the list alone: the page itself must not jump.
    _scrollTo(row) {
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
        // What is large is sought first, but names and numbers in their order.
        const ascending = isAgain ? !this.sort.ascending : column === FIRST[this.kind];
        this.sorts[this.kind] = { column, ascending };
        const selected = at("rows").querySelector('[aria-selected="true"]')?.dataset.key;
        this.show(this);
        this.select(selected ?? null);
        at("heads").querySelector(`[data-column="${column}"]`).focus();
      });
      const choose = (event) => {
        const key = event.target.closest("tr")?.dataset.key;
        const row = this.rows.find((other) => String(this.keyOf(other)) === key);
        if (row) this.onChoose(row);
      };
      at("rows").addEventListener("click", choose);
      at("rows").addEventListener("keydown", (event) => {
        const row = event.target.closest("tr");
        const { firstChild, lastChild } = at("rows");
        const next = {
          ArrowDown: row?.nextSibling, ArrowUp: row?.previousSibling, Home: firstChild, End: lastChild,
        };
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          choose(event);
        } else if (event.key in next) {
          event.preventDefault();
          if (!next[event.key]) return;
          this._setTabStop(next[event.key]);
          next[event.key].focus();
        }
      });
    }
  };
})((globalThis.ari ??= {}));
