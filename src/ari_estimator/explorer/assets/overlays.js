// What is drawn of a map: a shade for each element, and the legend of the scale.
(function (ari) {
  "use strict";

  // Below so large a part of all values a statistic is not drawn, and above one it has one colour.
  const [WEAKEST, STRONGEST] = [0.75, 0.999];
  // So many clusters have a colour of their own.
  const N_COLOURS = 8;

  const SCALES = {
    found: "statistic", clusters: "clusters", tdp: "tdp", free: "tdp", statistic: "statistic",
    second: "second",
  };
  const FIRST_MAPS = { tdp: "viridis", statistic: "blue-orange", second: "blue-orange" };

  // The value that sorted values have at a place. It moves them, but does not sort all.
  function nth(values, place) {
    for (let [low, high] = [0, values.length - 1]; low < high; ) {
      const pivot = values[(low + high) >> 1];
      let [i, j] = [low, high];
      while (i <= j) {
        while (values[i] < pivot) i++;
        while (values[j] > pivot) j--;
        if (i > j) break;
        [values[i], values[j]] = [values[j], values[i]];
        i++;
        j--;
      }
      if (place <= j) high = j;
      else if (place >= i) low = i;
      else break;
    }
    return values[place];
  }

  // Values at the ends of a scale of statistics, rounded, to be read off.
  function windowOf(values) {
    const strengths = new Float64Array(values.length);
    let n = 0;
    for (const value of values) if (Number.isFinite(value)) strengths[n++] = Math.abs(value);
    const finite = strengths.subarray(0, n);
    const quantile = (part) => (n ? nth(finite, Math.floor(part * (n - 1))) : 0);
    const [weakest, strongest] = [quantile(WEAKEST), quantile(STRONGEST) || 1];
    const rounded = (value) => Number(value.toPrecision(2));
    const low = rounded(weakest);
    const high = Math.max(rounded(strongest), rounded(1.01 * low) || 1);
    return low < high ? [low, high] : [0, high];
  }

  // Several times faster than Uint8Array.from.
  function shadesOf(values, shadeOf) {
    const shades = new Uint8Array(values.length);
    for (let i = 0; i < shades.length; i++) shades[i] = shadeOf(values[i], i);
    return shades;
  }

  ari.Overlays = class Overlays {
    // Scales with windows and colour maps.
    static scales = Object.keys(FIRST_MAPS);

    constructor(map) {
      this.map = map;
      // Values at the ends of the scales.
      this.defaults = { tdp: [0, 1], statistic: windowOf(map.drawn), second: [0, 1] };
      this.windows = { ...this.defaults };
      this.colourMaps = { ...FIRST_MAPS };
      this.followSecond();
      // Elements of one sign only: 1, -1, or 0 for both.
      this.sign = 0;
      this._kept = {};
    }

    // Names of what can be drawn.
    get names() {
      return Object.keys(SCALES).filter((name) => name !== "second" || this.map.second);
    }

    // After another second map.
    followSecond() {
      const { second } = this.map;
      if (!second) return;
      this.defaults.second = this.windows.second = windowOf(second.values);
      this._hasNegative = second.values.some((value) => value < 0);
    }

    static firstMapOf(scale) {
      return FIRST_MAPS[scale];
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

    // Shade of each element. found: rows of the clusters, and which element is in which.
    shades(name, { rows, partition }) {
      const { stat } = this.map;
      if (!["found", "clusters", "tdp"].includes(name)) return this._ofMap(name);
      const shades = new Uint8Array(stat.length);
      if (name === "found") {
        const ofMap = this._ofMap(name);
        partition.visit((element) => (shades[element] = ofMap[element]));
        return shades;
      }
      const ofCluster = rows.map((row) => ari.shade(this._fractionOfRow(name, row)));
      partition.visit((element, k) => {
        if (this.isShown(stat[element])) shades[element] = ofCluster[k];
      });
      return shades;
    }

    // Shades that do not depend on clusters. They are kept: a slider asks for them as it moves.
    _ofMap(name) {
      const values = this._valuesOf(name);
      const key = [this.sign, ...this.windows[SCALES[name]]].join(" ");
      const kept = this._kept[name];
      if (kept?.key === key && kept.values === values) return kept.shades;
      const shades = this._shadesOf(name, values);
      this._kept[name] = { key, values, shades };
      return shades;
    }

    _valuesOf(name) {
      const { second, free, drawn } = this.map;
      return { second: second?.values, free }[name] ?? drawn;
    }

    _shadesOf(name, values) {
      const { stat, info } = this.map;
      const [least] = this.windows[SCALES[name]];
      const shadeOf = {
        found: (value) => ari.shade(this._fractionOfStatistic(value)),
        statistic: (value) =>
          Math.abs(value) > least && (value > 0 || info.two_sided)
            ? ari.shade(this._fractionOfStatistic(value)) : 0,
        second: (value) =>
          Math.abs(value) > least ? ari.shade(this._fractionOfStatistic(value, "second")) : 0,
        free: (tdp) => (tdp > 0 ? ari.shade(this._fractionOfTdp(tdp)) : 0),
      }[name];
      // The filter is one of the tested map.
      if (!this.sign || name === "second") return shadesOf(values, shadeOf);
      return shadesOf(values, (value, i) => (this.isShown(stat[i]) ? shadeOf(value) : 0));
    }

    _fractionOfTdp(tdp) {
      const [low, high] = this.windows.tdp;
      return (tdp - low) / (high - low);
    }

    // Negative values are in the lower half of the scale, with a gap between both.
    _fractionOfStatistic(value, scale = "statistic") {
      const [low, high] = this.windows[scale];
      const part = Math.min(Math.max((Math.abs(value) - low) / (high - low), 0), 1);
      return 0.5 + (value < 0 ? -1 : 1) * (0.1 + 0.4 * part);
    }

    _fractionOfRow(name, row) {
      if (name === "clusters") return ari.fractionOfCluster(row.cluster_id);
      if (name === "second") return this._fractionOfStatistic(this.map.second.values[row.peak], "second");
      if (SCALES[name] === "statistic") return this._fractionOfStatistic(this.map.drawn[row.peak]);
      return this._fractionOfTdp(row.tdp);
    }

    // Colour of a row of the table, as CSS.
    rowColour(name, row) {
      if (name === "second" && Number.isNaN(this.map.second.values[row.peak])) return "transparent";
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
      const { info, second } = this.map;
      const negative = { low: -high, high: -low, colourAt: (part) => colours(0.4 * part) };
      const positive = { low, high, colourAt: (part) => colours(0.6 + 0.4 * part) };
      if (name === "second") {
        return { title: second.name, ramps: [...(this._hasNegative ? [negative] : []), positive] };
      }
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
