// Where the elements lie: voxels of a grid, in the order of numpy (the last index runs fastest),
// and images as NIfTI has them (the first index runs fastest).
(function (ari) {
  "use strict";

  // From mm to voxels: rows of the inverse of an affine.
  ari.inverse = function (affine) {
    const [[a, b, c], [d, e, f], [g, h, i]] = affine;
    const [A, B, C] = [e * i - f * h, f * g - d * i, d * h - e * g];
    const det = a * A + b * B + c * C;
    const rows = [
      [A, c * h - b * i, b * f - c * e],
      [B, a * i - c * g, c * d - a * f],
      [C, b * g - a * h, a * e - b * d],
    ].map((row) => row.map((value) => value / det));
    const shift = [0, 1, 2].map((k) => affine[k][3]);
    return rows.map((row) => [...row, -row.reduce((sum, v, k) => sum + v * shift[k], 0)]);
  };

  // A place is a voxel, [i, j, k].
  ari.Grid = class Grid extends ari.Geometry {
    // What sets are counted and measured in, and how tables say where an element is.
    words = { one: "voxel", many: "voxels", units: ["mm3"], format: "NIfTI", where: ["x", "y", "z"] };

    // info: shape, affine, space_code, and axes: for x, y and z which axis of the grid runs along,
    // and whether up (1) or down (-1); arrays: mask, a byte for each voxel in numpy's order, and
    // background, in NIfTI's order, if there is one.
    constructor({ shape, affine, space_code: spaceCode, axes }, { mask, background }) {
      super();
      this.spaceCode = spaceCode;
      this.background = background;
      this.shape = shape;
      this.affine = affine;
      this.axes = axes;
      this._toVoxel = ari.inverse(affine);
      this.size = shape[0] * shape[1] * shape[2];
      this.elementAt = new Int32Array(this.size).fill(-1); // by place in NIfTI's order
      this.indices = new Int32Array(mask.reduce((n, inside) => n + inside, 0));
      const [nx, ny, nz] = shape;
      let element = 0;
      for (let i = 0, from = 0; i < nx; i++) {
        for (let j = 0; j < ny; j++) {
          for (let k = 0; k < nz; k++, from++) {
            if (!mask[from]) continue;
            const place = i + nx * (j + ny * k);
            this.indices[element] = place;
            this.elementAt[place] = element++;
          }
        }
      }
      this.ranks = this._ranks(axes);
    }

    get cortex() {
      return null;
    }

    get volume() {
      return this;
    }

    get nVertices() {
      return 0;
    }

    // By element its place in the order of Space.turned in Python: along x, then y, then z.
    _ranks(axes) {
      const strides = [1, this.shape[0], this.shape[0] * this.shape[1]];
      const runs = axes.map(([axis, sign]) => {
        const places = Array.from({ length: this.shape[axis] }, (_, i) => i * strides[axis]);
        return sign > 0 ? places : places.reverse();
      });
      const ranks = new Int32Array(this.indices.length);
      let rank = 0;
      for (const x of runs[0]) {
        for (const y of runs[1]) {
          for (const z of runs[2]) {
            const element = this.elementAt[x + y + z];
            if (element >= 0) ranks[element] = rank++;
          }
        }
      }
      return ranks;
    }

    indexOf([i, j, k]) {
      return i + this.shape[0] * (j + this.shape[1] * k);
    }

    voxelAt(place) {
      const [nx, ny] = this.shape;
      return [place % nx, Math.floor(place / nx) % ny, Math.floor(place / (nx * ny))];
    }

    placeOfElement(element) {
      return this.voxelAt(this.indices[element]);
    }

    // Element at a place, -1 if there is none.
    elementOf(voxel) {
      return this.elementAt[this.indexOf(voxel)];
    }

    isInside(voxel) {
      return voxel.every((index, axis) => index >= 0 && index < this.shape[axis]);
    }

    _rounded(xyz) {
      return this._toVoxel.map(([a, b, c, d]) =>
        Math.round(a * xyz[0] + b * xyz[1] + c * xyz[2] + d),
      );
    }

    // The nearest voxel of the grid to a point in mm.
    nearest(xyz) {
      return this._rounded(xyz).map((index, axis) =>
        Math.min(Math.max(index, 0), this.shape[axis] - 1),
      );
    }

    // The voxel with a point in mm; null if it is not on the grid.
    placeAt(xyz) {
      const voxel = this._rounded(xyz);
      return this.isInside(voxel) ? voxel : null;
    }

    // Lowest and highest coordinate of the grid in mm, along x, y and z.
    get range() {
      const corners = [0, 1, 2, 3, 4, 5, 6, 7].map((k) =>
        this.xyz(this.shape.map((n, axis) => ((k >> axis) & 1 ? n - 1 : 0))),
      );
      return [0, 1, 2].map((k) => [Math.min, Math.max].map((f) => f(...corners.map((c) => c[k]))));
    }

    // Centre of a voxel in mm.
    xyz([i, j, k]) {
      return [0, 1, 2].map((row) => {
        const [a, b, c, d] = this.affine[row];
        return a * i + b * j + c * k + d;
      });
    }

    // To the next voxel along the axis of the grid that is closest to a direction in mm; null at
    // the end.
    step(voxel, direction) {
      const along = this._toVoxel.map((row) => row.slice(0, 3).reduce((sum, v, k) => sum + v * direction[k], 0));
      const axis = along.reduce((best, v, i) => (Math.abs(v) > Math.abs(along[best]) ? i : best), 0);
      const next = voxel.slice();
      next[axis] += Math.sign(along[axis]);
      return this.isInside(next) ? next : null;
    }

    // As text, and back; null if it is none.
    textOf(voxel) {
      return this.xyz(voxel)
        .map((value) => Number(value.toFixed(3)))
        .join(",");
    }

    placeFrom(text) {
      const xyz = text.split(",").map((part) => (part ? Number(part) : NaN));
      return xyz.length === 3 && xyz.every(Number.isFinite) ? this.placeAt(xyz) : null;
    }

    // What is said of a place besides its coordinates.
    describe() {
      return [];
    }

    // What a table says of where an element is.
    locate(element) {
      const [x, y, z] = this.xyz(this.placeOfElement(element));
      return { x, y, z };
    }

    // Volume of the elements of each label in mm3, by unit.
    sizes(labels, nLabels) {
      const counts = new Float64Array(nLabels);
      for (const label of labels) counts[label]++;
      return { mm3: counts.map((count) => count * this.voxelVolume) };
    }

    // The same as for any geometry, without a look at each element.
    partitionSizes({ forest, clusters, nRest }) {
      const counts = [nRest, ...clusters.map((cluster) => forest.sizes[cluster])];
      return { mm3: counts.map((count) => count * this.voxelVolume) };
    }

    get voxelVolume() {
      const [[a, b, c], [d, e, f], [g, h, i]] = this.affine;
      return Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g));
    }

    // Elements whose centre is at most a radius away from a point in mm.
    sphere(centre, radius) {
      // Along each axis, no voxel of the sphere is further from the central voxel than this.
      const around = this.nearest(centre);
      const reach = this._toVoxel.map((row) => Math.ceil(radius * Math.hypot(...row.slice(0, 3))) + 1);
      const [from, to] = [-1, 1].map((side) =>
        around.map((index, axis) =>
          Math.min(Math.max(index + side * reach[axis], 0), this.shape[axis] - 1),
        ),
      );
      const most = ari.squaredReach(radius);
      const found = [];
      for (let i = from[0]; i <= to[0]; i++) {
        for (let j = from[1]; j <= to[1]; j++) {
          for (let k = from[2]; k <= to[2]; k++) {
            const element = this.elementAt[this.indexOf([i, j, k])];
            if (element < 0) continue;
            const [x, y, z] = this.xyz([i, j, k]);
            const [dx, dy, dz] = [x - centre[0], y - centre[1], z - centre[2]];
            if (dx * dx + dy * dy + dz * dz <= most) found.push(element);
          }
        }
      }
      return found;
    }

    // Indices of the voxels that share a face with one.
    neighbours(index) {
      const strides = [1, this.shape[0], this.shape[0] * this.shape[1]];
      const found = [];
      this.voxelAt(index).forEach((at, axis) => {
        if (at > 0) found.push(index - strides[axis]);
        if (at < this.shape[axis] - 1) found.push(index + strides[axis]);
      });
      return found;
    }

    // Elements of a slice that a line around them encloses, or touches. line: points in voxels,
    // with fractions; axis: the one across the slice.
    enclosed(line, axis) {
      const [u, v] = [0, 1, 2].filter((other) => other !== axis);
      const at = Math.round(line[0][axis]);
      const flat = line.map((point) => [point[u], point[v]]);
      const found = new Set();
      const take = (i, j) => {
        const voxel = [0, 0, 0];
        [voxel[u], voxel[v], voxel[axis]] = [i, j, at];
        const element = this.isInside(voxel) ? this.elementOf(voxel) : -1;
        if (element >= 0) found.add(element);
      };
      ari.alongLine(flat, 0.25, ([x, y]) => take(Math.round(x), Math.round(y)));
      ari.insideLine(flat, take);
      return [...found];
    }

    // Array for values of so many elements, as files hold them.
    newValues(n) {
      return new Float64Array(n);
    }

    // Files of values: one image.
    files(values, description) {
      const bytes = ari.niftiFile(this.spread(values), { ...this, description });
      return [{ ending: ".nii", parts: [bytes], type: "application/octet-stream" }];
    }
  };
})((globalThis.ari ??= {}));
