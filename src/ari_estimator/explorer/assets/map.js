// A map with all its clusters: what is known of it, before anything is asked.
(function (ari) {
  "use strict";

  const GEOMETRIES = { volume: ari.Grid, surface: ari.Mesh, cifti: ari.Grayordinates, array: ari.ArrayGrid };

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
      // Another map beside it: a SecondMap, or null. Users can load another one.
      this.second = arrays.second ? new ari.SecondMap(info.second_name, arrays.second) : null;
      this.forest = new ari.Forest({
        elements,
        sizes,
        categories,
        isCluster: arrays.is_cluster,
        trueDiscoveries: arrays.true_discoveries,
        kMax: info.k_max,
      });
      this.free = this.forest.thresholdFree();
      const { evidence } = this;
      this._strongest = new ari.Ranges(elements, (one, other) => this.stronger(one, other));
      this._weakest = new ari.Ranges(elements, (one, other) => (evidence[other] < evidence[one] ? other : one));
    }

    // Of two elements the one with more evidence; of equal ones the one with the lower rank.
    stronger(one, other) {
      const { peakEvidence: evidence, geometry: { ranks } } = this;
      if (evidence[other] > evidence[one]) return other;
      return evidence[other] === evidence[one] && ranks[other] < ranks[one] ? other : one;
    }

    // The strongest of some elements.
    peakOf(elements) {
      let best = elements[0];
      for (let k = 1; k < elements.length; k++) best = this.stronger(best, elements[k]);
      return best;
    }

    peakOfCluster(cluster) {
      return this._strongest.best(this.forest.starts[cluster], cluster + 1);
    }

    // The strongest element outside of some clusters, null if there is none.
    peakOfRest(partition) {
      return partition.restPeak(this._strongest);
    }

    // The least evidence in a cluster.
    leastEvidence(cluster) {
      return this.evidence[this._weakest.best(this.forest.starts[cluster], cluster + 1)];
    }

    // The peak of the whole map.
    get strongest() {
      return this._strongest.best(0, this.forest.n);
    }

    // Bound of any elements.
    bound(elements) {
      return { n_tested: elements.length, true_discoveries: this.forest.setBound(elements) };
    }
  };
})((globalThis.ari ??= {}));
