// What is drawn of a map: a shade for each element, and the legend of the scale.
(function (ari) {
  "use strict";

  // Below so large a part of all values a statistic is not drawn, and above one it has one colour.
  const [WEAKEST, STRONGEST] = [0.75, 0.999];

  const SCALES = { tdp: "tdp", free: "tdp", clusters: "clusters", statistic: "statistic" };

  // Several times faster than Uint8Array.from.
  function shadesOf(values, shadeOf) {
    const shades = new Uint8Array(values.length);
    for (let i = 0; i < shades.length; i++) shades[i] = shadeOf(values[i]);
    return shades;
  }

  ari.Overlays = class Overlays {
    static names = Object.keys(SCALES);

    constructor(map) {
      this.map = map;
      const strengths = Float64Array.from(map.drawn, Math.abs).filter(Number.isFinite).sort();
      const quantile = (part) => strengths[Math.floor(part * (strengths.length - 1))];
      this.weakest = quantile(WEAKEST);
      this.strongest = quantile(STRONGEST) || 1;
    }

    // Which colours an overlay has.
    scale(name) {
      return SCALES[name];
    }

    // Shade of each element. found: rows of the clusters, and labels.
    shades(name, found) {
      if (name === "statistic") return this._ofStatistic();
      if (name === "free") {
        return shadesOf(this.map.free, (tdp) => (tdp > 0 ? ari.shade(tdp) : 0));
      }
      const ofLabel = found.rows.map((row) =>
        name === "tdp" ? ari.shade(row.tdp) : ari.shade(ari.fractionOfCluster(row.cluster_id)),
      );
      return shadesOf(found.labels, (label) => (label ? ofLabel[label - 1] : 0));
    }

    _ofStatistic() {
      const { weakest, strongest } = this;
      const isTwoSided = this.map.info.two_sided;
      return shadesOf(this.map.drawn, (value) => {
        const strength = Math.abs(value);
        if (!(strength > weakest) || (value < 0 && !isTwoSided)) return 0;
        const part = Math.min((strength - weakest) / (strongest - weakest || 1), 1);
        return ari.shade(0.5 + Math.sign(value) * (0.1 + 0.4 * part));
      });
    }

    // Colour of a row of the table.
    rowColour(name, row) {
      return name === "clusters"
        ? ari.cssColour("clusters", ari.fractionOfCluster(row.cluster_id))
        : ari.cssColour("tdp", row.tdp);
    }

    // What is at the ends of the scale, and its colours; null where colours tell clusters apart.
    legend(name) {
      if (name === "clusters") return null;
      if (this.scale(name) === "tdp") return { low: "TDP 0", high: "1", colours: ari.cssGradient("tdp") };
      const { drawn, two_sided: isTwoSided } = this.map.info;
      return {
        low: `${drawn} ${ari.short(isTwoSided ? -this.strongest : this.weakest)}`,
        high: ari.short(this.strongest),
        colours: ari.cssGradient("statistic", isTwoSided ? 0 : 0.6, 1),
      };
    }
  };
})((globalThis.ari ??= {}));
