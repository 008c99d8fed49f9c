// An array: a heat map of its rows and columns and, for sensors, the head at the crosshair's column.
(function (ari) {
  "use strict";

  const [HEAT, HEAD] = ["axial", "head"];
  // Sensors are drawn so large, in widths of the head.
  const RADIUS = 0.028;
  // Clicks are on a sensor up to this distance, in widths of the head.
  const NEAR = 0.08;
  // Corners of polygons that look round.
  const CORNERS = 24;

  const circle = ([x, y], radius, n = CORNERS) => {
    const points = Array.from({ length: n + 1 }, (_, k) => {
      const angle = (2 * Math.PI * k) / n;
      return [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    });
    return points.flat();
  };

  ari.ArrayViewer = class ArrayViewer extends ari.VolumeViewer {
    static views({ head }) {
      return head ? { both: "heat map and head", heat: "heat map", head: "head" } : { heat: "heat map" };
    }

    static hint = "Draw a line around elements of the heat map.";

    static async create(options) {
      const viewer = await super.create({ ...options, hasRendering: false });
      viewer.setView(options.geometry.head ? "both" : "heat");
      return viewer;
    }

    get _names() {
      const names = { both: [HEAT, HEAD], heat: [HEAT], head: [HEAD] }[this.view] ?? [HEAT];
      return this.isDouble ? [HEAT] : names;
    }

    _size(name) {
      if (name === HEAT) return super._size(name);
      const [, height] = super._size(HEAT);
      return [height, height];
    }

    // Where a sensor is drawn, in pixels of the frame.
    _onHead([x, y], [left, top, width, height]) {
      return [left + (0.5 + 0.44 * x) * width, top + (0.5 - 0.44 * y) * height];
    }

    _drawSlice(ink, plane, isSecond, frame, how) {
      if (plane === HEAT) super._drawSlice(ink, plane, isSecond, frame, how);
      else this._drawHead(ink, frame, how);
    }

    _drawHead(ink, frame, { colours, size, hasCrosshair = true }) {
      const { grid, picture, voxel: [row, column] } = this;
      const [left, top, width, height] = frame;
      const middle = [left + width / 2, top + height / 2];
      const [x, y] = middle;
      const line = { colour: colours.ink, width: 1 };
      const nose = [x - 0.05 * width, top + 0.065 * height, x, top + 0.01 * height, x + 0.05 * width, top + 0.065 * height];
      ink.lines([circle(middle, 0.44 * width, 72), nose], line);
      grid.head.forEach((place, k) => {
        if (Math.max(...place.map(Math.abs)) > 1.5) return;
        const at = this._onHead(place, frame);
        const element = grid.elementOf([k, column, 0]);
        const radius = RADIUS * width;
        if (element >= 0) {
          const shade = picture.shades[element];
          const [red, green, blue, alpha] = picture.table.subarray(4 * shade, 4 * shade + 4);
          const part = (alpha / 255) * picture.opacity;
          const mixed = [red, green, blue].map((value) => Math.round(value * part + 128 * (1 - part)));
          ink.lines(this._disc(at, radius), { colour: `rgb(${mixed.join(",")})`, width: 2 });
        }
        const isHere = hasCrosshair && k === row;
        ink.lines([circle(at, radius)], isHere ? { colour: ari.OUTLINE_COLOUR, width: 2 } : { ...line, width: 0.6 });
        const label = element < 0 ? 0 : picture.labelOf(element);
        if (picture.chosen && label === picture.chosen) {
          ink.lines([circle(at, radius + 2)], { colour: ari.OUTLINE_COLOUR, width: 1.5 });
        }
      });
      const { info } = grid;
      ink.text(`${info.column} ${info.columns[column]}`, left, top + 0.4 * size, {
        size, colour: colours.ink, halo: colours.back, isBold: false,
      });
    }

    // Lines that fill a circle.
    _disc([x, y], radius) {
      const lines = [];
      for (let dy = -radius + 0.5; dy < radius; dy += 1) {
        const dx = Math.sqrt(radius * radius - dy * dy);
        lines.push([x - dx, y + dy, x + dx, y + dy]);
      }
      return lines;
    }

    // On the head, a click goes to the nearest sensor at the same column.
    _voxelAt(point, pane = this._paneAt(point)) {
      if (pane?.plane !== HEAD) return super._voxelAt(point, pane);
      const frame = [pane.left, pane.top, pane.width, pane.height];
      let best = [NEAR * pane.width, null];
      this.grid.head.forEach((place, k) => {
        const [x, y] = this._onHead(place, frame);
        const away = Math.hypot(x - point[0], y - point[1]);
        if (away < best[0]) best = [away, [k, this.voxel[1], 0]];
      });
      return best[1];
    }

    enclosed(line) {
      const pane = line.map((point) => this._paneAt(point)).find(Boolean);
      return pane?.plane === HEAT ? super.enclosed(line) : null;
    }
  };
})((globalThis.ari ??= {}));
