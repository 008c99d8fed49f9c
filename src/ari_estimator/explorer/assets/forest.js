// All clusters of a map with their bounds: what TDPForest and CriticalVector are in Python, with
// the same numbers to the last digit. Nothing here knows of the page.
(function (ari) {
  "use strict";

  // Positions of clusters from the largest to the smallest, of equal ones the first first.
  function fromLargest(clusters, sizeOf, n) {
    const keys = new Float64Array(clusters.length);
    clusters.forEach((cluster, i) => (keys[i] = (n - sizeOf(cluster)) * (n + 1) + cluster));
    return Array.from(keys.sort(), (key) => key % (n + 1));
  }

  ari.Forest = class Forest {
    // elements: element at each position; sizes: of the cluster that ends at each position;
    // isCluster: whether a threshold forms it; trueDiscoveries: its bound. categories: by
    // element, from 1; kMax and above are without effect.
    constructor({ elements, sizes, isCluster, trueDiscoveries, categories, kMax }) {
      const n = elements.length;
      this.n = n;
      this.elements = elements;
      this.sizes = sizes;
      this.isCluster = isCluster;
      this.trueDiscoveries = trueDiscoveries;
      this.categories = categories;
      this.kMax = kMax;
      this.starts = new Int32Array(n);
      this.positions = new Int32Array(n);
      this.tdps = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        this.starts[i] = i + 1 - sizes[i];
        this.positions[elements[i]] = i;
        this.tdps[i] = isCluster[i] ? trueDiscoveries[i] / sizes[i] : -1;
      }
      this._link();
      this.effective = this._effective();
    }

    // Positions of the elements that count for some bound, and their categories, which ascend.
    _effective() {
      const { n, elements, categories: all, kMax } = this;
      const most = Math.min(kMax, n);
      const next = new Int32Array(most + 2);
      for (let i = 0; i < n; i++) if (all[i] <= most) next[all[i] + 1]++;
      for (let k = 1; k < next.length; k++) next[k] += next[k - 1];
      const positions = new Int32Array(next[most + 1]);
      const categories = new Int32Array(positions.length);
      for (let i = 0; i < n; i++) {
        const category = all[elements[i]];
        if (category > most) continue;
        categories[next[category]] = category;
        positions[next[category]++] = i;
      }
      return { positions, categories };
    }

    // Clusters are ranges, within each other or apart: the parent of one is the first after it
    // that it lies in.
    _link() {
      const { n, starts, tdps } = this;
      this.parents = new Int32Array(n).fill(-1);
      this.above = new Float64Array(n).fill(-1);
      const around = [];
      for (let i = n - 1; i >= 0; i--) {
        while (around.length && starts[around[around.length - 1]] > i) around.pop();
        if (around.length) {
          const parent = around[around.length - 1];
          this.parents[i] = parent;
          this.above[i] = Math.max(this.above[parent], tdps[parent]);
        }
        around.push(i);
      }
    }

    fromLargest(clusters) {
      return fromLargest(clusters, (cluster) => this.sizes[cluster], this.n);
    }

    // Largest clusters with at least a TDP.
    query(tdp) {
      const { n, tdps, above } = this;
      const found = [];
      for (let i = 0; i < n; i++) if (tdps[i] >= tdp && above[i] < tdp) found.push(i);
      return this.fromLargest(found);
    }

    members(cluster) {
      return this.range(cluster).slice().sort();
    }

    // The same in no order, and without a copy.
    range(cluster) {
      return this.elements.subarray(this.starts[cluster], cluster + 1);
    }

    // Largest cluster with an element and at least a TDP; null if there is none.
    clusterOf(element, tdp) {
      let found = null;
      for (let i = this.positions[element]; i >= 0; i = this.parents[i]) {
        if (this.tdps[i] >= tdp) found = i;
      }
      return found;
    }

    // Which clusters were left out, and which were taken in, to make some clusters of others.
    difference(from, to) {
      const [before, after] = [new Set(from), new Set(to)];
      return {
        out: from.filter((cluster) => !after.has(cluster)),
        in: to.filter((cluster) => !before.has(cluster)),
      };
    }

    // Clusters without some of them and with others; null if any of them is no cluster, or if two
    // of them overlap.
    exchange(clusters, { out, in: others }) {
      const kept = clusters.filter((cluster) => !out.includes(cluster));
      const all = kept.concat(others).sort((a, b) => a - b);
      const areClusters = others.every((cluster) => this.isCluster[cluster]);
      const areApart = all.every((cluster, i) => i === 0 || this.starts[cluster] > all[i - 1]);
      if (kept.length + out.length !== clusters.length || !areClusters || !areApart) return null;
      return this.fromLargest(all);
    }

    // Smallest cluster around one, or it itself, with at most a TDP; it if there is none.
    grow(cluster, tdp) {
      for (let i = cluster; i >= 0; i = this.parents[i]) {
        if (this.isCluster[i] && this.tdps[i] <= tdp) return i;
      }
      return cluster;
    }

    // Largest clusters within one that have at least a TDP.
    shrink(cluster, tdp) {
      const found = [];
      const start = this.starts[cluster];
      for (let i = cluster; i >= start; ) {
        if (this.tdps[i] >= tdp) {
          found.push(i);
          i = this.starts[i];
        }
        i--;
      }
      return this.fromLargest(found);
    }

    // Clusters after the TDP of one of them has changed by a step; the same ones if it cannot.
    change(clusters, cluster, step) {
      // In whole numbers with one division: as doubles, 0.4 + 0.2 is above 3 / 5.
      const [found, size, parts] = [this.trueDiscoveries[cluster], this.sizes[cluster], 1e6];
      const target = (found * parts + Math.round(step * parts) * size) / (size * parts);
      let changed = [];
      if (step > 0 && target <= 1) changed = this.shrink(cluster, target);
      else if (step < 0 && target >= 0) changed = [this.grow(cluster, target)];
      if (!changed.length) return this.fromLargest(clusters);
      const [first] = changed;
      const others = clusters.filter(
        (other) => other !== cluster && !(this.starts[first] <= other && other <= first),
      );
      return this.fromLargest(others.concat(changed));
    }

    // By element the highest TDP of all clusters with it.
    thresholdFree() {
      const highest = new Float64Array(this.n);
      for (let i = 0; i < this.n; i++) {
        highest[this.elements[i]] = Math.max(this.tdps[i], this.above[i]);
      }
      return highest;
    }

    // Lower bound on the true discoveries among any elements.
    setBound(elements) {
      // From as many thresholds on as there are elements, nothing is gained.
      const last = Math.min(this.kMax, elements.length);
      const counts = new Int32Array(last + 1);
      for (let k = 0; k < elements.length; k++) {
        const category = this.categories[elements[k]];
        if (category <= last) counts[category]++;
      }
      let bound = 0;
      for (let u = 1, counted = 0; u <= last; u++) {
        counted += counts[u];
        bound = Math.max(bound, 1 - u + counted);
      }
      return bound;
    }

    // Bounds of the k strongest of some elements, for every k.
    confidence(elements) {
      const categories = Int32Array.from(elements, (element) => this.categories[element]).sort();
      let bound = 0;
      return categories.map((category, k) => {
        if (category <= this.kMax) bound = Math.max(bound, k + 2 - category);
        return bound;
      });
    }
  };
})((globalThis.ari ??= {}));
