// An array of rows and columns, such as channels and times: a grid of one slice, without mm.
(function (ari) {
  "use strict";

  // Width of the picture for a height of 1.
  const ASPECT = 1.6;

  // A place is [row, column, 0].
  ari.ArrayGrid = class ArrayGrid extends ari.Grid {
    // info: shape, names of both axes (row, null for a curve, and column) and of all places along them (rows, columns),
    // coordinates: what tables tell of a place, with the name of the column, the title on screen, and values that
    // broadcast to the shape; and head: where the sensors of the rows are, or null.
    constructor(info, { mask }) {
      const [nRows, nColumns] = info.shape;
      const height = nColumns / (ASPECT * nRows);
      // The first row is on top.
      const affine = [[0, 1, 0, 0], [-height, 0, 0, 0], [0, 0, 1, 0]];
      super(
        { shape: [nRows, nColumns, 1], affine, space_code: 0, axes: [[1, 1], [0, -1], [2, 1]] },
        { mask },
      );
      this.info = info;
      this.head = info.head;
      this.words = {
        one: "element", many: "elements", units: [], format: "CSV",
        where: info.coordinates.map(({ name }) => name),
        heads: Object.fromEntries(info.coordinates.map(({ name, title }) => [`peak_${name}`, title])),
      };
      // The order of elements in Python: rows, and columns in each.
      this.ranks = this.ranks.map((_, element) => element);
    }

    // Whether places have coordinates in mm.
    get hasMm() {
      return false;
    }

    // Letters at the sides of the picture: there are none.
    sides() {
      return ["", "", "", ""];
    }

    coordinate(plane, place) {
      return this.describe(place).map((pair) => pair.join(" ")).join(", ");
    }

    // The value of a coordinate at a place.
    _at({ shape: [nRows, nColumns], values }, [row, column]) {
      return values[(nRows > 1 ? row * nColumns : 0) + (nColumns > 1 ? column : 0)];
    }

    describe(place) {
      return this.info.coordinates.map((one) => [one.title, ari.coordinateText(this._at(one, place))]);
    }

    locate(element) {
      const place = this.placeOfElement(element);
      return Object.fromEntries(this.info.coordinates.map((one) => [one.name, this._at(one, place)]));
    }

    textOf([row, column]) {
      return `${row},${column}`;
    }

    placeFrom(text) {
      const parts = text.split(",").map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
      const place = [...parts, 0];
      return parts.length === 2 && parts.every(Number.isInteger) && this.isInside(place) ? place : null;
    }

    sizes() {
      return {};
    }

    partitionSizes() {
      return {};
    }

    // Spheres need distances.
    sphere() {
      return [];
    }

    // A table with a row for each row of the array.
    files(values) {
      const { info } = this;
      const [nRows, nColumns] = info.shape;
      const whole = Array.from({ length: nRows }, () => Array(nColumns).fill(0));
      values.forEach((value, element) => {
        const [row, column] = this.placeOfElement(element);
        whole[row][column] = value;
      });
      const rows = whole.map((cells, row) => Object.fromEntries([[0, info.rows[row]], ...cells.map((cell, k) => [k + 1, cell])]));
      const heads = Object.fromEntries([[0, [info.row, info.column].filter(Boolean).join(" / ")], ...info.columns.map((name, k) => [k + 1, name])]);
      const columns = Array.from({ length: nColumns + 1 }, (_, k) => k);
      const text = ari.csv([heads, ...rows], columns);
      // Without the numbers of the columns.
      return [{ ending: ".csv", parts: [text.slice(text.indexOf("\n") + 1)], type: "text/csv" }];
    }
  };
})((globalThis.ari ??= {}));
