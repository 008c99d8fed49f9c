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

  // Columns of the sizes of a label. sizes: of all labels, by unit.
  ari.sizesOf = (sizes, label) =>
    Object.fromEntries(Object.entries(sizes).map(([unit, all]) => [`size_${unit}`, all[label]]));

  // Columns of a file of clusters of a map.
  ari.tableColumns = function ({ geometry, atlas }) {
    const { many, units, where } = geometry.words;
    return [
      "cluster_id", "tdp_threshold", "threshold", "direction", `n_${many}`, ...units.map((unit) => `size_${unit}`),
      "true_discoveries", "tdp", "peak_stat", ...where.map((name) => `peak_${name}`),
      ...(atlas ? ["peak_region"] : []),
    ];
  };

  // Rows of the clusters of a map, the row of the rest, and the partition of the elements. The work
  // grows with the clusters, not with the elements: a slider asks for it as it moves. Clusters that
  // were grown or shrunk since the TDP was asked for have no such threshold.
  ari.clusterRows = function (map, { clusters, tdp, asked }) {
    const { forest, geometry, stat, info, atlas } = map;
    const { many } = geometry.words;
    const describe = (peak) => {
      const row = { peak, peak_stat: stat[peak] };
      for (const [name, value] of Object.entries(geometry.locate(peak))) row[`peak_${name}`] = value;
      if (atlas) row.peak_region = atlas.nameAt(peak);
      return row;
    };
    const areAsked = new Set(asked);
    const partition = new ari.Partition(forest, clusters);
    const sizes = geometry.partitionSizes(partition);
    const rows = clusters.map((cluster, k) => {
      const n = forest.sizes[cluster];
      const height = ari.nextBelow(map.leastEvidence(cluster));
      let direction = info.direction;
      if (info.two_sided) direction = stat[forest.elements[cluster]] < 0 ? "negative" : "positive";
      return {
        cluster_id: k + 1,
        tdp_threshold: areAsked.has(cluster) ? tdp : NaN,
        threshold: info.low_is_strong ? -height : height,
        direction,
        [`n_${many}`]: n,
        ...ari.sizesOf(sizes, k + 1),
        true_discoveries: forest.trueDiscoveries[cluster],
        tdp: forest.trueDiscoveries[cluster] / n,
        ...describe(map.peakOfCluster(cluster)),
        cluster,
      };
    });
    const { nRest } = partition;
    const bound = partition.restBound();
    const ofRest = {
      cluster_id: 0,
      tdp_threshold: NaN,
      threshold: NaN,
      direction: "rest",
      [`n_${many}`]: nRest,
      ...ari.sizesOf(sizes, 0),
      true_discoveries: bound,
      tdp: nRest ? bound / nRest : NaN,
    };
    const peak = map.peakOfRest(partition);
    if (peak !== null) Object.assign(ofRest, describe(peak));
    return {
      rows,
      rest: ofRest,
      partition,
      get labels() {
        return partition.labels;
      },
    };
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
