// A slice as a picture: anatomy, colours, outlines, the region that is drawn, crosshair, letters.
(function (ari) {
  "use strict";

  // Lines across a region run in one direction, black and white in turn.
  const HATCH = 4;
  // Coordinates and titles need pictures so many letters wide.
  const LEAST_WIDTH = 7;
  // Middles of letters, in sizes of letters: inside the upper edge, where there is no brain, and
  // below the lower edge.
  const [ABOVE, BELOW] = [0.4, 0.55];
  // Below this shade of grey the anatomy is none.
  const DARKEST = 8;

  function canvasOf(width, height, pixels) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    ari.contextOf(canvas).putImageData(new ImageData(pixels, width, height), 0, 0);
    return canvas;
  }

  // Edges between pixels where their value changes: lines in pixels, each as long as it can be.
  function edges(width, height, values) {
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
    const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : values[y * width + x]);
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
      this._drawn = new WeakMap();
    }

    // Set what is drawn. shades: of each element; table: colours of shades; labelOf: number of the
    // cluster of an element, 0 for none; chosen: number of one; marked: elements of an atlas region;
    // region: elements; hasOutlines: around all clusters.
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
    // title: written below, if there is one.
    draw(ink, plane, voxel, [left, top, width, height], how) {
      const { colours, hasCrosshair = true, size = 12, title = "" } = how;
      const { slices, shades } = this;
      const pixels = slices.pixels(plane, voxel);
      const { width: nx, height: ny, elements } = pixels;
      const frame = [left, top, width, height];
      ink.image(this._anatomy(pixels), frame, { isSmooth: true });
      ink.image(this._overlay(pixels), frame, { opacity: this.opacity });
      const [sx, sy] = [width / nx, height / ny];
      const placed = (lines) =>
        lines.map((line) => line.map((value, k) => (k % 2 ? top + value * sy : left + value * sx)));
      // valueOf: of an element; the value of a pixel without one is 0.
      const outline = (valueOf, ...styles) => {
        const values = elements.map((element) => (element < 0 ? 0 : valueOf(element)));
        const lines = placed(edges(nx, ny, values));
        for (const style of styles) ink.lines(lines, style);
      };
      if (this.hasOutlines) {
        const shownLabelOf = (element) => (shades[element] ? this.labelOf(element) : 0);
        outline(shownLabelOf, { colour: colours.ink, width: 0.8 });
      }
      if (this.marked?.length) {
        outline(
          (element) => this._isMarked[element],
          { colour: "#000", width: 1.6 }, { colour: "#fff", width: 1.6, dash: [4, 3] },
        );
      }
      if (this.chosen) {
        outline((element) => Number(this.labelOf(element) === this.chosen), {
          colour: ari.OUTLINE_COLOUR, width: 2,
        });
      }
      if (this.region.length) this._drawRegion(ink, pixels, placed, outline);
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
      if (title && width >= LEAST_WIDTH * size) this._title(ink, title, frame, colours, size);
    }

    _title(ink, title, [left, top, width, height], colours, size) {
      // Beside the letter in the middle.
      const most = Math.max(Math.floor((0.5 * width) / (0.6 * size)) - 2, 4);
      const short = title.length > most ? `${title.slice(0, most - 1)}…` : title;
      ink.text(short, left, top + height + BELOW * size, {
        size, colour: colours.ink, halo: colours.back, isBold: true,
      });
    }

    _letters(ink, plane, voxel, [left, top, width, height], colours, size) {
      const [west, east, north, south] = this.slices.sides(plane);
      const style = { size, colour: colours.ink, align: "center", isBold: true, halo: colours.back };
      const [x, y] = [left + width / 2, top + height / 2];
      ink.text(west, left - 0.2 * size, y, style);
      ink.text(east, left + width + 0.2 * size, y, style);
      ink.text(north, x, top + ABOVE * size, style);
      ink.text(south, x, top + height + BELOW * size, style);
      // In small pictures there is room for letters only.
      if (width < LEAST_WIDTH * size) return;
      const coordinate = this.slices.coordinate(plane, voxel);
      const isNarrow = width < 13 * size;
      ink.text(isNarrow ? coordinate.replace(" = ", " ").replace(" mm", "") : coordinate, left, top + ABOVE * size, {
        ...style, align: "left", isBold: false,
      });
    }

    // Grey, with nothing outside of the brain. It stays as long as the slice.
    _anatomy(slice) {
      if (this._drawn.has(slice)) return this._drawn.get(slice);
      const { width, height, indices, elements } = slice;
      const { background } = this.grid;
      const pixels = new Uint8ClampedArray(4 * indices.length);
      for (let k = 0; k < indices.length; k++) {
        const isTested = elements[k] >= 0;
        const grey = background ? background[indices[k]] : isTested ? 90 : 0;
        if (grey < DARKEST && !isTested) continue;
        pixels.fill(grey, 4 * k, 4 * k + 3);
        pixels[4 * k + 3] = 255;
      }
      const canvas = canvasOf(width, height, pixels);
      this._drawn.set(slice, canvas);
      return canvas;
    }

    _overlay({ width, height, elements }) {
      const { shades } = this;
      const colours = new Uint32Array(this.table.buffer);
      const pixels = new Uint32Array(elements.length);
      for (let k = 0; k < elements.length; k++) {
        if (elements[k] >= 0) pixels[k] = colours[shades[elements[k]]];
      }
      return canvasOf(width, height, new Uint8ClampedArray(pixels.buffer));
    }

    _drawRegion(ink, { width: nx, height: ny, elements }, placed, outline) {
      const isIn = (pixel) => elements[pixel] >= 0 && this._isInRegion[elements[pixel]];
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
      outline(
        (element) => this._isInRegion[element],
        { colour: "#000", width: 2.4 }, { colour: "#fff", width: 1.2 },
      );
    }
  };

  function flags(n, elements) {
    const isIn = new Uint8Array(n);
    for (const element of elements) isIn[element] = 1;
    return isIn;
  }
})((globalThis.ari ??= {}));
