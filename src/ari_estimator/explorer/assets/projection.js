// A mesh as it is seen on the screen: which vertex is at a point, and which are not hidden.
(function (ari) {
  "use strict";

  // A vertex is hidden if something is nearer by so much of the depth of the picture: vertices lie
  // in their own triangles, and numbers round.
  const CLOSE = 1e-3;
  // Pixels that a tile of the screen is wide and high.
  const TILE = 8;

  ari.Projection = class Projection {
    // points: x y z of each vertex; faces: corners of the triangles that are drawn; matrix: of 16
    // numbers, column by column, from mm to the cube that graphics cards draw.
    constructor(points, faces, matrix, width, height) {
      const n = points.length / 3;
      this.faces = faces;
      [this.x, this.y, this.depth] = [0, 1, 2].map(() => new Float32Array(n));
      const row = (r, x, y, z) =>
        matrix[r] * x + matrix[4 + r] * y + matrix[8 + r] * z + matrix[12 + r];
      for (let v = 0; v < n; v++) {
        const [x, y, z] = [points[3 * v], points[3 * v + 1], points[3 * v + 2]];
        this.x[v] = ((row(0, x, y, z) + 1) / 2) * width;
        this.y[v] = ((1 - row(1, x, y, z)) / 2) * height;
        this.depth[v] = row(2, x, y, z);
      }
    }

    // Shares of the corners of a triangle in a point on the screen; null if it is outside.
    _shares(i, x, y) {
      const [a, b, c] = [this.faces[i], this.faces[i + 1], this.faces[i + 2]];
      const { x: X, y: Y } = this;
      const area = (X[b] - X[a]) * (Y[c] - Y[a]) - (X[c] - X[a]) * (Y[b] - Y[a]);
      if (area === 0) return null;
      const ofB = ((x - X[a]) * (Y[c] - Y[a]) - (X[c] - X[a]) * (y - Y[a])) / area;
      const ofC = ((X[b] - X[a]) * (y - Y[a]) - (x - X[a]) * (Y[b] - Y[a])) / area;
      const ofA = 1 - ofB - ofC;
      return ofA < 0 || ofB < 0 || ofC < 0 ? null : [ofA, ofB, ofC];
    }

    // What is nearest at a point on the screen: its depth, and the closest corner (-1 if nothing).
    // triangles: where those begin in the faces that may be there; all by default.
    at(x, y, triangles = this._all) {
      let found = { vertex: -1, depth: Infinity };
      const { faces, x: X, y: Y } = this;
      for (const i of triangles) {
        const [a, b, c] = [faces[i], faces[i + 1], faces[i + 2]];
        if (x < X[a] && x < X[b] && x < X[c]) continue;
        if (x > X[a] && x > X[b] && x > X[c]) continue;
        if (y < Y[a] && y < Y[b] && y < Y[c]) continue;
        if (y > Y[a] && y > Y[b] && y > Y[c]) continue;
        const shares = this._shares(i, x, y);
        if (!shares) continue;
        const depth = shares.reduce((sum, share, k) => sum + share * this.depth[faces[i + k]], 0);
        if (depth >= found.depth) continue;
        found = { vertex: faces[i + shares.indexOf(Math.max(...shares))], depth };
      }
      return found;
    }

    get _all() {
      return Int32Array.from({ length: this.faces.length / 3 }, (_, k) => 3 * k);
    }

    isSeen(vertex, triangles) {
      const nearest = this.at(this.x[vertex], this.y[vertex], triangles).depth;
      return this.depth[vertex] <= nearest + CLOSE;
    }

    // Vertices that are seen within a closed line on the screen.
    enclosed(line) {
      const [left, top] = [0, 1].map((k) => Math.min(...line.map((point) => point[k])));
      const [right, bottom] = [0, 1].map((k) => Math.max(...line.map((point) => point[k])));
      const inside = [];
      for (const vertex of new Set(this.faces)) {
        const [x, y] = [this.x[vertex], this.y[vertex]];
        if (x < left || x > right || y < top || y > bottom) continue;
        if (ari.isInside(line, x, y)) inside.push(vertex);
      }
      const tiles = this._tiles(left, top, right, bottom);
      return inside.filter((v) => this.isSeen(v, tiles.get(tileOf(this.x[v], this.y[v])) ?? []));
    }

    // Triangles in each tile of a part of the screen: far fewer than all, to look through for each
    // vertex.
    _tiles(left, top, right, bottom) {
      const tiles = new Map();
      const { faces, x: X, y: Y } = this;
      for (let i = 0; i < faces.length; i += 3) {
        const [a, b, c] = [faces[i], faces[i + 1], faces[i + 2]];
        const fromX = Math.max(Math.min(X[a], X[b], X[c]), left);
        const toX = Math.min(Math.max(X[a], X[b], X[c]), right);
        const fromY = Math.max(Math.min(Y[a], Y[b], Y[c]), top);
        const toY = Math.min(Math.max(Y[a], Y[b], Y[c]), bottom);
        for (let x = Math.floor(fromX / TILE); x <= toX / TILE; x++) {
          for (let y = Math.floor(fromY / TILE); y <= toY / TILE; y++) {
            const tile = tileOf(x * TILE, y * TILE);
            if (!tiles.has(tile)) tiles.set(tile, []);
            tiles.get(tile).push(i);
          }
        }
      }
      return tiles;
    }
  };

  function tileOf(x, y) {
    return `${Math.floor(x / TILE)},${Math.floor(y / TILE)}`;
  }
})((globalThis.ari ??= {}));
