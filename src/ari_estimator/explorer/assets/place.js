// What is said of a place: its values, and the cluster that it is in.
(function (ari) {
  "use strict";

  const { count, short } = ari;
  const UNITS = { mm3: "mm³", mm2: "mm²" };

  const directionOf = (value) => (value < 0 ? "negative" : value > 0 ? "positive" : "neither");

  // Terms and values. row: of the cluster there, undefined if there is none.
  ari.linesOfPlace = function (map, place, row) {
    const { geometry, info, atlas, stat, free, second } = map;
    const { one, many, units } = geometry.words;
    const lines = [...geometry.describe(place)];
    const here = geometry.elementOf(place);
    if (here < 0) return [...lines, [one, "not tested"]];
    lines.push([info.stat_name, short(stat[here])]);
    if (second) lines.push([second.name, second.textAt(here)]);
    if (info.two_sided) lines.push(["direction", directionOf(stat[here])]);
    if (atlas) lines.push(["region", atlas.nameAt(here) || "none"]);
    lines.push(["threshold-free TDP", ari.proportion(Math.max(free[here], 0))]);
    if (!row) return [...lines, ["cluster", "none"]];
    const peak = geometry.placeOfElement(map.peakOfCluster(row.cluster));
    return [
      ...lines,
      ["cluster", count(row.cluster_id) + (info.two_sided ? `, ${row.direction}` : "")],
      [many, count(row[`n_${many}`])],
      ...units
        .filter((unit) => row[`size_${unit}`] > 0)
        .map((unit) => [UNITS[unit], count(Math.round(row[`size_${unit}`]))]),
      ["true discoveries, at least", count(row.true_discoveries)],
      ["TDP, at least", ari.proportion(row.tdp)],
      ["peak", short(row.peak_stat)],
      ...geometry.describe(peak).map(([term, text]) => [term === "structure" ? "peak in" : `${term} of the peak`, text]),
      ...(geometry.hasMm ? [["peak at (mm)", geometry.xyz(peak).map((value) => Number(value.toFixed(1))).join(", ")]] : []),
    ];
  };
})((globalThis.ari ??= {}));
