// Clusters that do not overlap, and the rest: which element is in which. Each cluster is a range of
// positions of the forest, so this takes no look at each element: a slider needs it for the elements
// that are seen, and files for all.
(function (ari) {
  "use strict";

  ari.Partition = class Partition {
    constructor(forest, clusters) {
      this.forest = forest;
      this.clusters = clusters;
      // By position 1, 2, ... in the order of the clusters, 0 for the rest.
      this.labelAt = new Int32Array(forest.n);
      clusters.forEach((cluster, k) => this.labelAt.fill(k + 1, forest.starts[cluster], cluster + 1));
      this.nRest = clusters.reduce((n, cluster) => n - forest.sizes[cluster], forest.n);
    }

    // Label of the cluster with an element; 0 if it is in the rest, or is no element.
    labelOf(element) {
      return this.labelAt[this.forest.positions[element]] ?? 0;
    }

    // Call with each element of a cluster, and the place of the cluster.
    visit(take) {
      const { starts, elements } = this.forest;
      this.clusters.forEach((cluster, k) => {
        for (let i = starts[cluster]; i <= cluster; i++) take(elements[i], k);
      });
    }

    // Labels of all elements.
    get labels() {
      if (!this._labels) {
        this._labels = new Int32Array(this.forest.n);
        this.visit((element, k) => (this._labels[element] = k + 1));
      }
      return this._labels;
    }

    // Lower bound on the true discoveries in the rest.
    restBound() {
      const { labelAt, nRest } = this;
      const { effective: { positions, categories }, kMax } = this.forest;
      // From as many thresholds on as there are elements, nothing is gained.
      const last = Math.min(kMax, nRest);
      let bound = 0;
      for (let k = 0, counted = 0; k < positions.length && categories[k] <= last; k++) {
        if (!labelAt[positions[k]]) bound = Math.max(bound, ++counted + 1 - categories[k]);
      }
      return bound;
    }

    // The best element of the rest, null if the rest is empty. ranges: of the positions.
    restPeak(ranges) {
      const { forest, clusters } = this;
      let best = null;
      const take = (start, stop) => {
        if (start === stop) return;
        const found = ranges.best(start, stop);
        best = best === null ? found : ranges.better(best, found);
      };
      let start = 0;
      for (const cluster of Int32Array.from(clusters).sort()) {
        take(start, forest.starts[cluster]);
        start = cluster + 1;
      }
      take(start, forest.n);
      return best;
    }
  };
})((globalThis.ari ??= {}));
