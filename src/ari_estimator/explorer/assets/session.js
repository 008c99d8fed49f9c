// What one does with a map: clusters that are shown, a region that is drawn, and all earlier and
// undone ones.
(function (ari) {
  "use strict";

  const areEqual = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);

  ari.Session = class Session {
    constructor(forest, tdp) {
      this.forest = forest;
      // asked: the clusters of the TDP, before any was grown or shrunk. region: elements, in
      // ascending order. States share them, none changes them.
      const asked = forest.query(tdp);
      this._first = { tdp, asked, clusters: asked, region: new Int32Array(0) };
      this._now = this._first;
      this._done = [];
      this._undone = [];
    }

    get tdp() {
      return this._now.tdp;
    }

    get asked() {
      return this._now.asked;
    }

    get clusters() {
      return this._now.clusters;
    }

    get region() {
      return this._now.region;
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
      const asked = this.forest.query(tdp);
      const next = { ...this._now, tdp, asked, clusters: asked };
      if (more) this._now = next;
      else this._go(next);
    }

    // Grow (step < 0) or shrink (step > 0) one cluster; whether it has changed.
    change(cluster, step) {
      return this.show(this.forest.change(this.clusters, cluster, step));
    }

    // Show other clusters of the TDP; whether they are others.
    show(clusters) {
      if (areEqual(clusters, this.clusters)) return false;
      this._go({ ...this._now, clusters });
      return true;
    }

    // Whether clusters were grown or shrunk since the TDP was asked for.
    get isChanged() {
      return !areEqual(this.clusters, this.asked);
    }

    // Add elements to the region, or take them out of it; whether it has changed.
    draw(elements, { isTakenOut = false } = {}) {
      const region = new Set(this.region);
      for (const element of elements) isTakenOut ? region.delete(element) : region.add(element);
      const next = Int32Array.from(region).sort();
      if (areEqual(next, this.region)) return false;
      this._go({ ...this._now, region: next });
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
      if (this._now !== this._first) this._go(this._first);
    }
  };
})((globalThis.ari ??= {}));
