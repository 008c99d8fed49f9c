// Where the elements lie: voxels of a grid, in the order of numpy (the last index runs fastest),
// and images as NIfTI has them (the first index runs fastest).
(function (ari) {
  "use strict";

  function inverse(affine) {
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
  }

  ari.Grid = class Grid {
    // shape, affine; mask: a byte for each voxel, in numpy's order.
    constructor({ shape, affine, mask }) {
      this.shape = shape;
      this.affine = affine;
      this._toVoxel = inverse(affine);
      this.size = shape[0] * shape[1] * shape[2];
      this.elementAt = new Int32Array(this.size).fill(-1); // by place in NIfTI's order
      this.places = new Int32Array(mask.reduce((n, inside) => n + inside, 0));
      const [nx, ny, nz] = shape;
      let element = 0;
      for (let i = 0, from = 0; i < nx; i++) {
        for (let j = 0; j < ny; j++) {
          for (let k = 0; k < nz; k++, from++) {
            if (!mask[from]) continue;
            const place = i + nx * (j + ny * k);
            this.places[element] = place;
            this.elementAt[place] = element++;
          }
        }
      }
    }

    placeOf([i, j, k]) {
      return i + this.shape[0] * (j + this.shape[1] * k);
    }

    voxelAt(place) {
      const [nx, ny] = this.shape;
      return [place % nx, Math.floor(place / nx) % ny, Math.floor(place / (nx * ny))];
    }

    voxelOf(element) {
      return this.voxelAt(this.places[element]);
    }

    isInside(voxel) {
      return voxel.every((index, axis) => index >= 0 && index < this.shape[axis]);
    }

    // The nearest voxel of the grid to a point in mm.
    nearest(xyz) {
      return this._toVoxel.map(([a, b, c, d], axis) => {
        const index = Math.round(a * xyz[0] + b * xyz[1] + c * xyz[2] + d);
        return Math.min(Math.max(index, 0), this.shape[axis] - 1);
      });
    }

    // Centre of a voxel in mm.
    xyz([i, j, k]) {
      return [0, 1, 2].map((row) => {
        const [a, b, c, d] = this.affine[row];
        return a * i + b * j + c * k + d;
      });
    }

    get voxelVolume() {
      const [[a, b, c], [d, e, f], [g, h, i]] = this.affine;
      return Math.abs(a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g));
    }

    // Elements whose centre is at most a radius away from a point in mm.
    sphere(centre, radius) {
      // No voxel of it is further from that of the centre than this, along each axis.
      const around = this.nearest(centre);
      const reach = this._toVoxel.map((row) => Math.ceil(radius * Math.hypot(...row.slice(0, 3))) + 1);
      const [from, to] = [-1, 1].map((side) =>
        around.map((index, axis) =>
          Math.min(Math.max(index + side * reach[axis], 0), this.shape[axis] - 1),
        ),
      );
      const found = [];
      for (let i = from[0]; i <= to[0]; i++) {
        for (let j = from[1]; j <= to[1]; j++) {
          for (let k = from[2]; k <= to[2]; k++) {
            const element = this.elementAt[this.placeOf([i, j, k])];
            if (element < 0) continue;
            const [x, y, z] = this.xyz([i, j, k]);
            const [dx, dy, dz] = [x - centre[0], y - centre[1], z - centre[2]];
            if (dx * dx + dy * dy + dz * dz <= radius * radius) found.push(element);
          }
        }
      }
      return found;
    }

    // Values of the elements on the whole grid, in NIfTI's order, 0 elsewhere.
    volume(values) {
      const volume = new values.constructor(this.size);
      for (let element = 0; element < values.length; element++) {
        volume[this.places[element]] = values[element];
      }
      return volume;
    }

    // Places next to a set of elements, and not in it.
    ring(elements) {
      const [NEITHER, INSIDE, AROUND] = [0, 1, 2];
      const marks = new Uint8Array(this.size).fill(NEITHER);
      for (const element of elements) marks[this.places[element]] = INSIDE;
      const strides = [1, this.shape[0], this.shape[0] * this.shape[1]];
      const ring = [];
      for (const element of elements) {
        const place = this.places[element];
        const voxel = this.voxelAt(place);
        for (let axis = 0; axis < 3; axis++) {
          for (const step of [-1, 1]) {
            const index = voxel[axis] + step;
            if (index < 0 || index >= this.shape[axis]) continue;
            const next = place + step * strides[axis];
            if (marks[next] !== NEITHER) continue;
            marks[next] = AROUND;
            ring.push(next);
          }
        }
      }
      return ring;
    }
  };
})((globalThis.ari ??= {}));
