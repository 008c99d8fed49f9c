// The best element of any range of positions of the forest, without a look at each of them. A
// cluster is a range, and what some clusters leave is a few.
(function (ari) {
  "use strict";

  // So many positions have one best element in the tree.
  const BLOCK = 64;

  ari.Ranges = class Ranges {
    // elements: by position; better: the better of two elements.
    constructor(elements, better) {
      this.elements = elements;
      this.better = better;
      const n = Math.max(Math.ceil(elements.length / BLOCK), 1);
      this.nBlocks = n;
      // A binary tree: two nodes are below each, and blocks are at the bottom.
      this.tree = new Int32Array(2 * n);
      for (let block = 0; block < n; block++) {
        const start = block * BLOCK;
        this.tree[n + block] = this._scan(start, Math.min(start + BLOCK, elements.length));
      }
      for (let node = n - 1; node > 0; node--) {
        this.tree[node] = better(this.tree[2 * node], this.tree[2 * node + 1]);
      }
    }

    _scan(start, stop) {
      let best = this.elements[start];
      for (let i = start + 1; i < stop; i++) best = this.better(best, this.elements[i]);
      return best;
    }

    // The best element from a position on, and before another one that is behind it.
    best(start, stop) {
      const [first, last] = [Math.ceil(start / BLOCK), Math.floor(stop / BLOCK)];
      if (first >= last) return this._scan(start, stop);
      let best = this.elements[start];
      const take = (element) => (best = this.better(best, element));
      if (start < first * BLOCK) take(this._scan(start, first * BLOCK));
      if (last * BLOCK < stop) take(this._scan(last * BLOCK, stop));
      let [low, high] = [this.nBlocks + first, this.nBlocks + last];
      for (; low < high; low >>= 1, high >>= 1) {
        if (low & 1) take(this.tree[low++]);
        if (high & 1) take(this.tree[--high]);
      }
      return best;
    }
  };
})((globalThis.ari ??= {}));
