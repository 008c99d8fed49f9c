// A slice as a picture: anatomy, colours, outlines, the region that is drawn, crosshair, letters.
(function (ari) {
  "use strict";

  // Lines across a region run in one direction, black and white in turn.
  const HATCH = 4;
  // Below this shade of grey the anatomy is none.
  const DARKEST = 8;

  function canvasOf(width, height, pixels) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
    return canvas;
  }

  // Edges between pixels where the value of a function of pixels changes: lines in pixels, each
  // as long as it can be.
  function edges(width, height, valueAt) {
    const lines = [];
    const follow = (n, isEdge, lineOf) => {
      let start = -1;
      for (let k = 0; k <= n; k++) {
        const isHere = k < n && isEdge(k);
        if (isHere && start < 0) start = k;
        if (!isHere && start >= 0) {
          lines.push(lineOf(start, k));
          start = -1;
        }
      }
    };
    const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : valueAt(y * width + x));
    for (let y = 0; y <= height; y++) {
      follow(width, (x) => at(x, y - 1) !== at(x, y), (from, to) => [from, y, to, y]);
    }
    for (let x = 0; x <= width; x++) {
      follow(height, (y) => at(x - 1, y) !== at(x, y), (from, to) => [x, from, x, to]);
    }
    return lines;
  }

  ari.SlicePicture = class SlicePicture {
    constructor(slices) {
      this.slices = slices;
      this.grid = slices.grid;
    }

    // Set what is drawn. shades: of each element; table: colours of shades; labels: of clusters, by
    // element; chosen: label of one; marked: elements of an atlas region; region: elements;
    // hasOutlines: around all clusters.
    set(what) {
      Object.assign(this, what);
      if (what.region && what.region !== this._region) {
        this._region = what.region;
        this._isInRegion = flags(this.grid.indices.length, what.region);
      }
      if (what.marked && what.marked !== this._marked) {
        this._marked = what.marked;
        this._isMarked = flags(this.grid.indices.length, what.marked);
      }
    }

    // colours: ink and back of the picture.
    draw(ink, plane, voxel, [left, top, width, height], { colours, hasCrosshair = true, size = 12 }) {
      const { grid, slices } = this;
      const { elementAt } = grid;
      const pixels = slices.pixels(plane, voxel);
      const { width: nx, height: ny, indices } = pixels;
      const frame = [left, top, width, height];
      ink.image(this._anatomy(pixels), frame, { isSmooth: true });
      ink.image(this._overlay(pixels), frame, { opacity: this.opacity });
      const [sx, sy] = [width / nx, height / ny];
      const placed = (lines) =>
        lines.map((line) => line.map((value, k) => (k % 2 ? top + value * sy : left + value * sx)));
      const labelAt = (pixel) => this.labels[elementAt[indices[pixel]]] ?? 0;
      const isShownAt = (pixel) => this.shades[elementAt[indices[pixel]]] > 0;
      const outline = (valueAt, style) => ink.lines(placed(edges(nx, ny, valueAt)), style);
      if (this.hasOutlines) {
        outline((pixel) => (isShownAt(pixel) ? labelAt(pixel) : 0), { colour: colours.ink, width: 0.8 });
      }
      if (this.marked?.length) {
        const isMarkedAt = (pixel) => this._isMarked[elementAt[indices[pixel]]] ?? 0;
        outline(isMarkedAt, { colour: "#000", width: 1.6 });
        outline(isMarkedAt, { colour: "#fff", width: 1.6, dash: [4, 3] });
      }
      if (this.chosen) {
        outline((pixel) => Number(labelAt(pixel) === this.chosen), {
          colour: ari.OUTLINE_COLOUR, width: 2,
        });
      }
      if (this.region.length) this._drawRegion(ink, pixels, frame, placed, outline);
      if (hasCrosshair) {
        const [x, y] = slices.partsOf(plane, voxel);
        ink.clipped(frame, () => {
          const [cx, cy] = [left + x * width, top + y * height];
          const gap = Math.max(1.5 * Math.max(sx, sy), 4);
          const style = { colour: ari.OUTLINE_COLOUR, width: 1 };
          ink.lines(
            [
              [left, cy, cx - gap, cy], [cx + gap, cy, left + width, cy],
              [cx, top, cx, cy - gap], [cx, cy + gap, cx, top + height],
            ],
            style,
          );
        });
      }
      this._letters(ink, plane, voxel, frame, colours, size);
    }

    _letters(ink, plane, voxel, [left, top, width, height], colours, size) {
      const [west, east, north, south] = this.slices.sides(plane);
      const style = { size, colour: colours.ink, align: "center", isBold: true, halo: colours.back };
      const [x, y] = [left + width / 2, top + height / 2];
      ink.text(west, left - 0.2 * size, y, style);
      ink.text(east, left + width + 0.2 * size, y, style);
      ink.text(north, x, top + 0.1 * size, style);
      ink.text(south, x, top + height - 0.1 * size, style);
      const coordinate = this.slices.coordinate(plane, voxel);
      const isNarrow = width < 13 * size;
      ink.text(isNarrow ? coordinate.replace(" = ", " ").replace(" mm", "") : coordinate, left, top + 0.1 * size, {
        ...style, align: "left", isBold: false,
      });
    }

    // Grey, with nothing outside of the brain.
    _anatomy({ width, height, indices }) {
      const { background, elementAt } = this.grid;
      const pixels = new Uint8ClampedArray(4 * indices.length);
      for (let k = 0; k < indices.length; k++) {
        const index = indices[k];
        const isTested = elementAt[index] >= 0;
        const grey = background ? background[index] : isTested ? 90 : 0;
        if (grey < DARKEST && !isTested) continue;
        pixels.fill(grey, 4 * k, 4 * k + 3);
        pixels[4 * k + 3] = 255;
      }
      return canvasOf(width, height, pixels);
    }

    _overlay({ width, height, indices }) {
      const { elementAt } = this.grid;
      const { shades, table } = this;
      const pixels = new Uint8ClampedArray(4 * indices.length);
      for (let k = 0; k < indices.length; k++) {
        const element = elementAt[indices[k]];
        if (element < 0) continue;
        const from = 4 * shades[element];
        for (let c = 0; c < 4; c++) pixels[4 * k + c] = table[from + c];
      }
      return canvasOf(width, height, pixels);
    }

    _drawRegion(ink, { width: nx, height: ny, indices }, frame, placed, outline) {
      const { elementAt } = this.grid;
      const isIn = (pixel) => this._isInRegion[elementAt[indices[pixel]]] ?? 0;
      const [black, white] = [[], []];
      for (let y = 0; y < ny; y++) {
        for (let x = 0; x < nx; x++) {
          if (!isIn(y * nx + x)) continue;
          const phase = (x + y) % HATCH;
          if (phase < 2) (phase ? white : black).push([x, y + 1, x + 1, y]);
        }
      }
      ink.lines(placed(black), { colour: "#000", width: 1 });
      ink.lines(placed(white), { colour: "#fff", width: 1 });
      outline(isIn, { colour: "#000", width: 2.4 });
      outline(isIn, { colour: "#fff", width: 1.2 });
    }
  };

  function flags(n, elements) {
    const isIn = new Uint8Array(n);
    for (const element of elements) isIn[element] = 1;
    return isIn;
  }
})((globalThis.ari ??= {}));
