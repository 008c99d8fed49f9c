// What is drawn of a map: a shade for each element, and the legend of the scale.
(function (ari) {
  "use strict";

  // Below so large a part of all values a statistic is not drawn, and above one it has one colour.
  const [WEAKEST, STRONGEST] = [0.75, 0.999];
  // So many clusters have a colour of their own.
  const N_COLOURS = 8;

  const SCALES = {
    found: "statistic", clusters: "clusters", tdp: "tdp", free: "tdp", statistic: "statistic",
  };

  // Several times faster than Uint8Array.from.
  function shadesOf(values, shadeOf) {
    const shades = new Uint8Array(values.length);
    for (let i = 0; i < shades.length; i++) shades[i] = shadeOf(values[i], i);
    return shades;
  }

  ari.Overlays = class Overlays {
    static names = Object.keys(SCALES);

    constructor(map) {
      this.map = map;
      const strengths = Float64Array.from(map.drawn, Math.abs).filter(Number.isFinite).sort();
      const quantile = (part) => strengths[Math.floor(part * (strengths.length - 1))] ?? 0;
      const [weakest, strongest] = [quantile(WEAKEST), quantile(STRONGEST) || 1];
      // Values at the ends of the scales. Those of statistics are rounded, to be read off.
      const rounded = (value) => Number(value.toPrecision(2));
      const low = rounded(weakest);
      const high = Math.max(rounded(strongest), rounded(1.01 * low) || 1);
      this.defaults = { tdp: [0, 1], statistic: low < high ? [low, high] : [0, high] };
      this.windows = { ...this.defaults };
      this.colourMaps = { tdp: "viridis", statistic: "blue-orange" };
      // Elements of one sign only: 1, -1, or 0 for both.
      this.sign = 0;
    }

    // What says most of a map: sign and strength, or which cluster is which.
    get first() {
      return this.map.info.two_sided ? "found" : "clusters";
    }

    // Which colours an overlay has.
    scale(name) {
      return SCALES[name];
    }

    colours(name) {
      const scale = SCALES[name];
      return ari.coloursOf(scale, this.colourMaps[scale]);
    }

    // Whether the filter shows elements with a value.
    isShown(value) {
      return !this.sign || Math.sign(value) === this.sign;
    }

    // Shade of each element. found: rows of the clusters, and labels.
    shades(name, found) {
      const { stat } = this.map;
      const unfiltered = this._unfiltered(name, found);
      return this.sign
        ? shadesOf(unfiltered, (shade, i) => (this.isShown(stat[i]) ? shade : 0))
        : unfiltered;
    }

    _unfiltered(name, { rows, labels }) {
      const { map } = this;
      const isTwoSided = map.info.two_sided;
      const [least] = this.windows.statistic;
      if (name === "statistic") {
        return shadesOf(map.drawn, (value) => {
          const isDrawn = Math.abs(value) > least && (value > 0 || isTwoSided);
          return isDrawn ? ari.shade(this._fractionOfStatistic(value)) : 0;
        });
      }
      if (name === "found") {
        return shadesOf(labels, (label, i) =>
          label ? ari.shade(this._fractionOfStatistic(map.drawn[i])) : 0,
        );
      }
      if (name === "free") {
        return shadesOf(map.free, (tdp) => (tdp > 0 ? ari.shade(this._fractionOfTdp(tdp)) : 0));
      }
      const ofLabel = rows.map((row) => ari.shade(this._fractionOfRow(name, row)));
      return shadesOf(labels, (label) => (label ? ofLabel[label - 1] : 0));
    }

    _fractionOfTdp(tdp) {
      const [low, high] = this.windows.tdp;
      return (tdp - low) / (high - low);
    }

    // Negative values are in the lower half of the scale, with a gap between both.
    _fractionOfStatistic(value) {
      const [low, high] = this.windows.statistic;
      const part = Math.min(Math.max((Math.abs(value) - low) / (high - low), 0), 1);
      return 0.5 + (value < 0 ? -1 : 1) * (0.1 + 0.4 * part);
    }

    _fractionOfRow(name, row) {
      if (name === "clusters") return ari.fractionOfCluster(row.cluster_id);
      if (SCALES[name] === "statistic") return this._fractionOfStatistic(this.map.drawn[row.peak]);
      return this._fractionOfTdp(row.tdp);
    }

    // Colour of a row of the table, as CSS.
    rowColour(name, row) {
      return ari.cssColour(this.colours(name)(this._fractionOfRow(name, row)));
    }

    // title; ramps: each with the values at its ends, and its colour at fractions from one end to
    // the other; or chips: text and colour of each.
    legend(name, nClusters) {
      const scale = SCALES[name];
      const colours = this.colours(name);
      if (scale === "clusters") {
        const n = Math.min(nClusters, N_COLOURS);
        const chips = Array.from({ length: n }, (_, k) => ({
          text: String(k + 1),
          colour: ari.cssColour(ari.clusterColour(k + 1)),
        }));
        return { title: "cluster", chips };
      }
      const [low, high] = this.windows[scale];
      if (scale === "tdp") {
        return { title: "TDP, at least", ramps: [{ low, high, colourAt: colours }] };
      }
      const { info } = this.map;
      const negative = { low: -high, high: -low, colourAt: (part) => colours(0.4 * part) };
      const positive = { low, high, colourAt: (part) => colours(0.6 + 0.4 * part) };
      const isTwoSided = info.two_sided;
      return {
        title: info.drawn,
        ramps: [
          ...(isTwoSided && this.sign <= 0 ? [negative] : []),
          ...(this.sign >= 0 ? [positive] : []),
        ],
      };
    }
  };
})((globalThis.ari ??= {}));
