// What one does with a map: clusters that are shown, and all earlier and undone ones.
(function (ari) {
  "use strict";

  ari.Session = class Session {
    constructor(forest, tdp) {
      this.forest = forest;
      this._first = { tdp, clusters: forest.query(tdp) };
      this._now = this._first;
      this._done = [];
      this._undone = [];
    }

    get tdp() {
      return this._now.tdp;
    }

    get clusters() {
      return this._now.clusters;
    }

    get canUndo() {
      return this._done.length > 0;
    }

    get canRedo() {
      return this._undone.length > 0;
    }

    _go(next) {
      this._done.push(this._now);
      this._undone = [];
      this._now = next;
    }

    // Clusters of a TDP. While a slider is dragged (more: true) all is one step.
    ask(tdp, { more = false } = {}) {
      const next = { tdp, clusters: this.forest.query(tdp) };
      if (more) this._now = next;
      else this._go(next);
    }

    // Grow (step < 0) or shrink (step > 0) one cluster; whether it has changed.
    change(cluster, step) {
      const clusters = this.forest.change(this.clusters, cluster, step);
      if (clusters.length === this.clusters.length && clusters.every((c, i) => c === this.clusters[i]))
        return false;
      this._go({ tdp: this.tdp, clusters });
      return true;
    }

    undo() {
      if (!this.canUndo) return;
      this._undone.push(this._now);
      this._now = this._done.pop();
    }

    redo() {
      if (!this.canRedo) return;
      this._done.push(this._now);
      this._now = this._undone.pop();
    }

    // As it was at the start; this too can be undone.
    reset() {
      this._go(this._first);
    }
  };
})((globalThis.ari ??= {}));
