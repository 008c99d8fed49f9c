// A grid with larger voxels over another one, for pictures in 3D: a picture shows no more, and takes
// a part of the time and the memory.
(function (ari) {
  "use strict";

  // Graphics without a graphics card turn so many voxels in less than a second.
  const MOST_VOXELS = 1_500_000;

  ari.CoarseGrid = class CoarseGrid {
    constructor(grid) {
      this.grid = grid;
      // Voxels of the grid along each side of a voxel of this one.
      this.step = 1;
      while (this._shape.reduce((size, n) => size * n) > MOST_VOXELS) this.step++;
      this.shape = this._shape;
      const shift = (this.step - 1) / 2;
      this.affine = grid.affine.map(([a, b, c, d]) => [
        a * this.step, b * this.step, c * this.step, d + shift * (a + b + c),
      ]);
      this.spaceCode = grid.spaceCode;
      this.size = this.shape.reduce((size, n) => size * n);
    }

    get _shape() {
      return this.grid.shape.map((n) => Math.ceil(n / this.step));
    }

    // Index of the voxel that an index of the grid is in.
    _indexOf(index) {
      const { step, shape: [nx, ny], grid: { shape: [fx, fy] } } = this;
      const [x, rest] = [index % fx, Math.floor(index / fx)];
      const [y, z] = [rest % fy, Math.floor(rest / fy)];
      return Math.floor(x / step) + nx * (Math.floor(y / step) + ny * Math.floor(z / step));
    }

    // Where a voxel of the grid is, as a fraction of this one along an axis; and back.
    fractionOf(index, axis) {
      return (index + 0.5) / (this.step * this.shape[axis]);
    }

    voxelAt(fraction, axis) {
      const index = Math.round(fraction * this.step * this.shape[axis] - 0.5);
      return Math.min(Math.max(index, 0), this.grid.shape[axis] - 1);
    }

    // Means of a volume of the grid, such as an anatomical image.
    means(volume) {
      if (this.step === 1) return volume;
      const { step, shape: [nx, ny], grid: { shape: [fx, fy, fz] } } = this;
      const [sums, counts] = [new Float32Array(this.size), new Uint16Array(this.size)];
      for (let z = 0, index = 0; z < fz; z++) {
        for (let y = 0; y < fy; y++) {
          const row = nx * (Math.floor(y / step) + ny * Math.floor(z / step));
          for (let x = 0; x < fx; x++, index++) {
            const at = row + Math.floor(x / step);
            sums[at] += volume[index];
            counts[at]++;
          }
        }
      }
      return new Uint8Array(sums.map((sum, at) => Math.round(sum / counts[at])));
    }

    // Shades of the elements. No element with a shade is lost: a coarse voxel takes the shade of one
    // of the shaded elements in it.
    shades(ofElements) {
      if (this.step === 1) return this.grid.spread(ofElements);
      const { indices } = this.grid;
      const shades = new Uint8Array(this.size);
      for (let element = 0; element < ofElements.length; element++) {
        if (ofElements[element]) shades[this._indexOf(indices[element])] = ofElements[element];
      }
      return shades;
    }
  };
})((globalThis.ari ??= {}));
