// Rows of a table of clusters, with the columns of table_ in Python.
(function (ari) {
  "use strict";

  // The largest number below another one.
  ari.nextBelow = function (value) {
    if (value === -Infinity || Number.isNaN(value)) return value;
    if (value === 0) return -Number.MIN_VALUE;
    const floats = new Float64Array([value]);
    const bits = new BigInt64Array(floats.buffer);
    bits[0] += value > 0 ? -1n : 1n;
    return floats[0];
  };

  // A lower bound, rounded such that it stays one.
  ari.roundedDown = function (bound, digits) {
    const scale = 10 ** digits;
    return Math.floor(Number((bound * scale).toFixed(6))) / scale;
  };

  // Columns of a file of clusters of a map.
  ari.tableColumns = function ({ geometry, atlas }) {
    const { many, unit, where } = geometry.words;
    return [
      "cluster_id", "threshold", "direction", `n_${many}`, `size_${unit}`,
      "true_discoveries", "tdp", "peak_stat", ...where.map((name) => `peak_${name}`),
      ...(atlas ? ["peak_region"] : []),
    ];
  };

  // Rows of clusters of a map, that of the rest, and the number of its row for each element (0 for
  // the rest).
  ari.clusterRows = function (map, clusters) {
    const { forest, geometry, stat, evidence, info, atlas } = map;
    const { many, unit } = geometry.words;
    const describe = (peak) => {
      const row = { peak, peak_stat: stat[peak] };
      for (const [name, value] of Object.entries(geometry.locate(peak))) row[`peak_${name}`] = value;
      if (atlas) row.peak_region = atlas.nameAt(peak);
      return row;
    };
    const labels = forest.labels(clusters);
    const sizes = geometry.sizes(labels, clusters.length + 1);
    const rows = clusters.map((cluster, k) => {
      const n = forest.sizes[cluster];
      let weakest = Infinity;
      for (let i = forest.starts[cluster]; i <= cluster; i++) {
        weakest = Math.min(weakest, evidence[forest.elements[i]]);
      }
      const height = ari.nextBelow(weakest);
      let direction = info.direction;
      if (info.two_sided) direction = stat[forest.elements[cluster]] < 0 ? "negative" : "positive";
      return {
        cluster_id: k + 1,
        threshold: info.low_is_strong ? -height : height,
        direction,
        [`n_${many}`]: n,
        [`size_${unit}`]: sizes[k + 1],
        true_discoveries: forest.trueDiscoveries[cluster],
        tdp: forest.trueDiscoveries[cluster] / n,
        ...describe(map.peakOfCluster(cluster)),
        cluster,
      };
    });
    const nIn = clusters.reduce((sum, cluster) => sum + forest.sizes[cluster], 0);
    const rest = new Int32Array(forest.n - nIn);
    for (let element = 0, k = 0; element < forest.n; element++) {
      if (labels[element] === 0) rest[k++] = element;
    }
    const bound = forest.setBound(rest);
    const ofRest = {
      cluster_id: 0,
      threshold: NaN,
      direction: "rest",
      [`n_${many}`]: rest.length,
      [`size_${unit}`]: sizes[0],
      true_discoveries: bound,
      tdp: rest.length ? bound / rest.length : NaN,
    };
    if (rest.length) Object.assign(ofRest, describe(map.peakOf(rest)));
    return { rows, rest: ofRest, labels };
  };

  // A text that no spreadsheet computes, as _table_file.py in Python writes it.
  function asNoFormula(text) {
    const isNumber = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text);
    return /^'*[=+\-@\t\r\n]/.test(text) && !isNumber ? `'${text}` : text;
  }

  function cell(value) {
    if (value === undefined || Number.isNaN(value)) return "";
    if (value === Infinity) return "inf";
    if (value === -Infinity) return "-inf";
    const text = asNoFormula(String(value));
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  ari.csv = function (rows, columns) {
    const lines = [columns, ...rows.map((row) => columns.map((column) => row[column]))];
    return lines.map((line) => line.map(cell).join(",") + "\n").join("");
  };
})((globalThis.ari ??= {}));
