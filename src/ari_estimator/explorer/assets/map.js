// A map with all its clusters: what is known of it, before anything is asked.
(function (ari) {
  "use strict";

  const GEOMETRIES = { volume: ari.Grid, surface: ari.Mesh };

  // Larger is stronger.
  function evidenceOf(stat, info) {
    if (info.low_is_strong) return stat.map((value) => -value);
    return info.two_sided ? stat.map(Math.abs) : stat;
  }

  // What is drawn of a statistic: p-values as -log10 p.
  function drawnOf(stat, info) {
    if (!info.as_p) return stat;
    const [offset, factor] = info.as_p;
    return stat.map((value) => -Math.log10(Math.max(offset + factor * value, 1e-300)));
  }

  ari.StatMap = class StatMap {
    constructor(info, arrays) {
      const { stat, regions, elements, sizes, categories } = arrays;
      this.info = info;
      this.geometry = new GEOMETRIES[info.geometry.kind](info.geometry, arrays);
      this.stat = stat;
      this.evidence = evidenceOf(stat, info);
      // A peak is finite where there are finite values.
      this.peakEvidence = this.evidence.map((value) => (value === Infinity ? -Infinity : value));
      this.drawn = drawnOf(stat, info);
      // Names of places: an Atlas, or null. Users can load another one.
      this.atlas = regions ? new ari.Atlas(regions, info.region_names) : null;
      this.forest = new ari.Forest({
        elements,
        sizes,
        categories,
        isCluster: arrays.is_cluster,
        trueDiscoveries: arrays.true_discoveries,
        kMax: info.k_max,
      });
      this.free = this.forest.thresholdFree();
    }

    // Of some elements the one with the most evidence; of equal ones the lowest rank.
    peakOf(elements) {
      const { peakEvidence: evidence, geometry: { ranks } } = this;
      let best = elements[0];
      for (const element of elements) {
        const more = evidence[element] - evidence[best];
        const isTied = evidence[element] === evidence[best];
        if (more > 0 || (isTied && ranks[element] < ranks[best])) best = element;
      }
      return best;
    }

    peakOfCluster(cluster) {
      return this.peakOf(this.forest.elements.subarray(this.forest.starts[cluster], cluster + 1));
    }

    // The peak of the whole map.
    get strongest() {
      return this.peakOf(this.forest.elements);
    }

    // Bound of any elements.
    bound(elements) {
      return { n_tested: elements.length, true_discoveries: this.forest.setBound(elements) };
    }
  };
})((globalThis.ari ??= {}));
