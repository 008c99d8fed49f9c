// Slices of a grid along the axes of the body: which voxel is at which pixel, and back. Left is on
// the left, and the nose on the right.
(function (ari) {
  "use strict";

  // Axes of the body (0: left to right, 1: back to front, 2: down to up) that run across and up a
  // slice, and through it; what is said of its sides (left, right, top, bottom), and of its place.
  const PLANES = {
    axial: { across: 0, up: 1, through: 2, sides: ["L", "R", "A", "P"], axis: "z" },
    coronal: { across: 0, up: 2, through: 1, sides: ["L", "R", "S", "I"], axis: "y" },
    sagittal: { across: 1, up: 2, through: 0, sides: ["P", "A", "S", "I"], axis: "x" },
  };
  // Voxels around the brain that are shown.
  const MARGIN = 3;

  ari.PLANES = Object.keys(PLANES);

  ari.Slices = class Slices {
    constructor(grid) {
      this.grid = grid;
      const strides = [1, grid.shape[0], grid.shape[0] * grid.shape[1]];
      // By axis of the body.
      this.axes = grid.axes.map(([axis, sign]) => ({
        axis,
        sign,
        n: grid.shape[axis],
        stride: strides[axis],
        mm: Math.hypot(...[0, 1, 2].map((row) => grid.affine[row][axis])),
      }));
      this.bounds = this._bounds();
      this._pixels = {};
    }

    // First and last place along each axis of the body that has something to show.
    _bounds() {
      const { grid, axes } = this;
      const bounds = axes.map(({ n }) => [n - 1, 0]);
      const take = (index) => {
        const voxel = grid.voxelAt(index);
        axes.forEach((axis, k) => {
          const at = this._turned(axis, voxel[axis.axis]);
          if (at < bounds[k][0]) bounds[k][0] = at;
          if (at > bounds[k][1]) bounds[k][1] = at;
        });
      };
      for (const index of grid.indices) take(index);
      if (grid.background) grid.background.forEach((grey, index) => grey > 8 && take(index));
      return bounds.map(([low, high], k) => [
        Math.max(low - MARGIN, 0),
        Math.min(high + MARGIN, axes[k].n - 1),
      ]);
    }

    _turned({ sign, n }, index) {
      return sign > 0 ? index : n - 1 - index;
    }

    // Size of a slice in mm: width, and height.
    size(plane) {
      return [PLANES[plane].across, PLANES[plane].up].map((k) => {
        const [low, high] = this.bounds[k];
        return (high - low + 1) * this.axes[k].mm;
      });
    }

    sides(plane) {
      return this.grid.sides?.(plane) ?? PLANES[plane].sides;
    }

    // Axis of the grid that runs through a slice.
    axisThrough(plane) {
      return this.axes[PLANES[plane].through].axis;
    }

    // What is said of where a slice lies.
    coordinate(plane, voxel) {
      if (this.grid.coordinate) return this.grid.coordinate(plane, voxel);
      const { axis, through } = PLANES[plane];
      return `${axis} = ${Number(this.grid.xyz(voxel)[through].toFixed(1))} mm`;
    }

    // Columns and rows of the slice through a voxel, and at each pixel, from the top left, the index
    // of the voxel and the element, -1 for none. The same object as long as the slice is the same.
    pixels(plane, voxel) {
      const at = voxel[this.axisThrough(plane)];
      if (this._pixels[plane]?.at !== at) this._pixels[plane] = { at, ...this._pixelsOf(plane, voxel) };
      return this._pixels[plane];
    }

    _pixelsOf(plane, voxel) {
      const { across, up, through } = PLANES[plane];
      const [u, v, w] = [across, up, through].map((k) => this.axes[k]);
      const [[left, right], [bottom, top]] = [this.bounds[across], this.bounds[up]];
      const [width, height] = [right - left + 1, top - bottom + 1];
      const indices = new Int32Array(width * height);
      const base = voxel[w.axis] * w.stride;
      let pixel = 0;
      for (let y = top; y >= bottom; y--) {
        const row = base + this._turned(v, y) * v.stride;
        for (let x = left; x <= right; x++) indices[pixel++] = row + this._turned(u, x) * u.stride;
      }
      const elements = indices.map((index) => this.grid.elementAt[index]);
      return { width, height, indices, elements };
    }

    // Where the centre of a voxel is, as parts of the width and the height of a slice.
    partsOf(plane, voxel) {
      const { across, up } = PLANES[plane];
      const [x, y] = [across, up].map((k) => {
        const [low, high] = this.bounds[k];
        const axis = this.axes[k];
        return (this._turned(axis, voxel[axis.axis]) - low + 0.5) / (high - low + 1);
      });
      return [x, 1 - y];
    }

    // Voxel, with fractions, at parts of the width and the height of the slice through a voxel.
    voxelOf(plane, [x, y], voxel) {
      const { across, up } = PLANES[plane];
      const found = voxel.slice();
      [[across, x], [up, 1 - y]].forEach(([k, part]) => {
        const [low, high] = this.bounds[k];
        const axis = this.axes[k];
        found[axis.axis] = this._turned(axis, low + part * (high - low + 1) - 0.5);
      });
      return found;
    }
  };

  // Places of pictures in a frame, as large as they can be: [{left, top, width, height}] in
  // pixels, and the pixels of a mm. sizes: of each, in mm; margin: around each, in pixels; given:
  // number of columns, if it matters.
  ari.arranged = function (sizes, width, height, margin, given = null) {
    const n = sizes.length;
    let best = null;
    for (let columns = 1; columns <= n; columns++) {
      const rows = Math.ceil(n / columns);
      if (given !== null && columns !== given) continue;
      if (columns > 1 && n - columns * (rows - 1) < columns && n !== 3) continue;
      const widths = Array.from({ length: columns }, (_, c) =>
        Math.max(...sizes.filter((_, i) => i % columns === c).map(([w]) => w)),
      );
      const heights = Array.from({ length: rows }, (_, r) =>
        Math.max(...sizes.slice(r * columns, (r + 1) * columns).map(([, h]) => h)),
      );
      const sum = (values) => values.reduce((a, b) => a + b, 0);
      const scale = Math.min(
        (width - 2 * margin * columns) / sum(widths),
        (height - 2 * margin * rows) / sum(heights),
      );
      if (!best || scale > best.scale) best = { columns, rows, widths, heights, scale };
    }
    const { columns, rows, widths, heights } = best;
    const scale = Math.max(best.scale, 0);
    // What is left is shared among all.
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    const spareX = (width - scale * sum(widths)) / columns;
    const spareY = (height - scale * sum(heights)) / rows;
    const places = sizes.map(([w, h], i) => {
      const [c, r] = [i % columns, Math.floor(i / columns)];
      const cell = {
        left: scale * sum(widths.slice(0, c)) + c * spareX,
        top: scale * sum(heights.slice(0, r)) + r * spareY,
        width: scale * widths[c] + spareX,
        height: scale * heights[r] + spareY,
      };
      return {
        left: cell.left + (cell.width - scale * w) / 2,
        top: cell.top + (cell.height - scale * h) / 2,
        width: scale * w,
        height: scale * h,
        cell,
      };
    });
    return { places, scale };
  };
})((globalThis.ari ??= {}));
