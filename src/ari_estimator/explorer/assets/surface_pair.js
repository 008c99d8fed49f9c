// Two maps on a surface, side by side: the second one has a picture of its own, which turns with the
// first one and has the same crosshair. It is made when someone asks for it.
(function (ari) {
  "use strict";

  const { element } = ari;

  ari.SurfacePair = class SurfacePair extends ari.SurfaceViewer {
    static async create({ onTurn, ...how }) {
      let pair = null;
      const turned = () => {
        pair?._link(pair, pair.other);
        onTurn();
      };
      pair = await super.create({ ...how, onTurn: turned });
      pair._how = how;
      pair._turned = onTurn;
      return pair;
    }

    // One viewer looks from where another one does.
    _link(from, to) {
      if (!from || !to || this._isLinking) return;
      this._isLinking = true;
      to.camera = from.camera;
      this._isLinking = false;
    }

    async setBeside(isBeside) {
      // The zoom would be lost.
      if (isBeside === Boolean(this._isBeside)) return;
      this._isBeside = isBeside;
      if (isBeside) {
        this._making ??= this._makeOther();
        await this._making;
      }
      const isNow = this._isBeside;
      this.frame.classList.toggle("beside", isNow);
      for (const viewer of isNow ? [this, this.other] : [this]) {
        viewer.nv.resizeListener();
        viewer._fit();
      }
    }

    async _makeOther() {
      const canvas = element("canvas", "", { "aria-hidden": "true" });
      const box = element("div", "", { id: "other" });
      this._names = [element("span", "", { class: "map-name" }), element("span", "", { class: "map-name" })];
      box.append(canvas, this._names[1]);
      this.frame.append(box);
      this.nv.canvas.parentElement.append(this._names[0]);
      const turned = () => {
        this._link(this.other, this);
        this._turned();
      };
      const other = await ari.SurfaceViewer.create({ ...this._how, canvas, onTurn: turned });
      other.setView(this.view);
      other.setColours(this.palette);
      other.hasBall = this._hasBall;
      other.opacity = this.opacity;
      other.camera = this.camera;
      other.moveTo(this.vertex, { mayTurn: false });
      this.other = other;
    }

    paint(what) {
      super.paint(what);
      if (!this.other || !what.second) return;
      this.other.isMoving = this.isMoving;
      this.other.paint({ ...what, ...what.second });
      this._names[0].textContent = what.name;
      this._names[1].textContent = what.second.name;
    }

    setColours(colours) {
      super.setColours(colours);
      this.other?.setColours(colours);
    }

    setOpacity(opacity) {
      super.setOpacity(opacity);
      this.other?.setOpacity(opacity);
    }

    moveTo(vertex, how) {
      super.moveTo(vertex, how);
      this.other?.moveTo(vertex, { mayTurn: false });
    }

    chooseMesh() {
      super.chooseMesh();
      this.other?.chooseMesh();
    }

    setView(view) {
      super.setView(view);
      this.other?.setView(view);
    }

    set hasBall(hasBall) {
      super.hasBall = hasBall;
      if (this.other) this.other.hasBall = hasBall;
    }

    enclosed(line) {
      if (!this._isBeside) return super.enclosed(line);
      const [around, { left, top, right, bottom }] = [this.frame, this.other.nv.canvas].map((each) =>
        each.getBoundingClientRect(),
      );
      const inOther = line.map(([x, y]) => [x + around.left - left, y + around.top - top]);
      const [x, y] = inOther[0];
      const isThere = x >= 0 && y >= 0 && x < right - left && y < bottom - top;
      return isThere ? this.other.enclosed(inOther) : super.enclosed(line);
    }

    parts(scale, isClear) {
      const first = super.parts(scale, isClear);
      if (!this._isBeside) return first;
      const named = (parts, { textContent: name }) =>
        parts.map(({ size, draw }) => ({
          size,
          draw: (ink, frame, how) => {
            draw(ink, frame, how);
            const [left, top, , height] = frame;
            const style = { size: how.size, colour: how.colours.ink, halo: how.colours.back, isBold: true };
            ink.text(name, left + 10, top + height - how.size, style);
          },
        }));
      return [...named(first, this._names[0]), ...named(this.other.parts(scale, isClear), this._names[1])];
    }
  };
})((globalThis.ari ??= {}));
