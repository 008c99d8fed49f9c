// A pen: lines that are drawn on a layer over the brain, with a mouse, a finger or a stylus.
(function (ari) {
  "use strict";

  ari.Pen = class Pen {
    // layer: an svg element with a polyline, over the brain; onLine is called with the points of
    // a line, in pixels of the layer, when it has ended.
    constructor(layer, onLine) {
      this.layer = layer;
      this.line = layer.querySelector("polyline");
      this.points = null;
      layer.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        layer.setPointerCapture(event.pointerId);
        this.points = [];
        this._add(event);
      });
      layer.addEventListener("pointermove", (event) => this.points && this._add(event));
      layer.addEventListener("pointerup", () => {
        const { points } = this;
        this._end();
        if (points) onLine(points);
      });
      layer.addEventListener("pointercancel", () => this._end());
    }

    _add(event) {
      const { left, top } = this.layer.getBoundingClientRect();
      this.points.push([event.clientX - left, event.clientY - top]);
      this.line.setAttribute("points", this.points.map((point) => point.join(",")).join(" "));
    }

    _end() {
      this.points = null;
      this.line.setAttribute("points", "");
    }

    // While it is off, the brain below gets what the mouse does.
    set isOn(isOn) {
      this._end();
      this.layer.classList.toggle("on", isOn);
    }
  };
})((globalThis.ari ??= {}));
