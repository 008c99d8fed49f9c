// Which triangles of a hemisphere are drawn. Without a graphics card large meshes take long: most of
// the time is for placing vertices and triangles, not for colours.
(function (ari) {
  "use strict";

  // Meshes with more triangles are drawn with fewer while something moves.
  const MANY = 100_000;

  // One of a few vertices for each: itself, or a neighbour.
  function deputies(n, neighbours) {
    const deputy = new Int32Array(n).fill(-1);
    for (let v = 0; v < n; v++) {
      if (deputy[v] >= 0) continue;
      deputy[v] = v;
      for (const other of neighbours(v)) if (deputy[other] < 0) deputy[other] = v;
    }
    return deputy;
  }

  // Corners of the triangles that are wanted. wanted: a function of the corners of one.
  function filtered(corners, isWanted) {
    const kept = new Uint32Array(corners.length);
    let size = 0;
    for (let i = 0; i < corners.length; i += 3) {
      const [a, b, c] = [corners[i], corners[i + 1], corners[i + 2]];
      if (!isWanted(a, b, c)) continue;
      kept[size++] = a;
      kept[size++] = b;
      kept[size++] = c;
    }
    return kept.slice(0, size);
  }

  ari.MeshFaces = class MeshFaces {
    // hemisphere: a mesh of niivue; neighbours: of one of its vertices; isMany: whether it is drawn
    // with fewer triangles while something moves.
    constructor(gl, hemisphere, neighbours, isMany = hemisphere.tris.length > 3 * MANY) {
      this.gl = gl;
      this.hemisphere = hemisphere;
      this.neighbours = neighbours;
      this.isMany = isMany;
      this._seen = {};
    }

    // Show all triangles. The next picture searches again for the visible ones.
    showAll() {
      this._seen = {};
      this._show(this.hemisphere.tris);
    }

    // Without the triangles that face away, which graphics cards leave out themselves, but only
    // after they have placed them. matrix: of the camera; isMoving: whether more is to come.
    showSeen(matrix, isMoving = false) {
      const kind = isMoving && this.isMany ? "few" : "all";
      this._seen[kind] ??= this._facing(kind === "few" ? this._few : this.hemisphere.tris, matrix);
      this._show(this._seen[kind]);
    }

    // Triangles between deputies.
    get _few() {
      if (!this._fewCorners) {
        const { pts, tris } = this.hemisphere;
        const deputy = deputies(pts.length / 3, this.neighbours);
        this._fewCorners = filtered(tris.map((v) => deputy[v]), (a, b, c) => a !== b && b !== c && c !== a);
      }
      return this._fewCorners;
    }

    _facing(corners, m) {
      const { pts } = this.hemisphere;
      const n = pts.length / 3;
      const [x, y] = [new Float32Array(n), new Float32Array(n)];
      for (let v = 0, at = 0; v < n; v++, at += 3) {
        x[v] = m[0] * pts[at] + m[4] * pts[at + 1] + m[8] * pts[at + 2];
        y[v] = m[1] * pts[at] + m[5] * pts[at + 1] + m[9] * pts[at + 2];
      }
      return filtered(corners, (a, b, c) => (x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a]) >= 0);
    }

    _show(corners) {
      if (corners === this._shown) return;
      this._shown = corners;
      const { gl, hemisphere } = this;
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, hemisphere.indexBuffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, corners, gl.DYNAMIC_DRAW);
      hemisphere.indexCount = corners.length;
    }
  };
})((globalThis.ari ??= {}));
