// A volume: slices on a canvas, and a rendering by niivue.
(function (ari) {
  "use strict";

  const RENDERING = "render";
  const VIEWS = {
    multiplanar: { label: "slices and 3D", panes: ["coronal", "sagittal", "axial", RENDERING] },
    slices: { label: "slices", panes: ["coronal", "sagittal", "axial"] },
    axial: { label: "axial", panes: ["axial"] },
    coronal: { label: "coronal", panes: ["coronal"] },
    sagittal: { label: "sagittal", panes: ["sagittal"] },
    render: { label: "3D", panes: [RENDERING] },
  };
  // Pixels around each pane, for letters. More of them are below: a brain may end where its grid
  // does, so the letter there stands below the slice.
  const [MARGIN, RAISED] = [9, 4];
  const [LEAST_LETTERS, LARGEST_LETTERS] = [11, 14];

  // A viewer draws a map, says where one clicks, and what a line encloses.
  ari.VolumeViewer = class VolumeViewer {
    static views() {
      return Object.fromEntries(Object.entries(VIEWS).map(([view, { label }]) => [view, label]));
    }

    static hint = "Draw a line around voxels of a slice.";

    // onMove is called with a place when the crosshair was moved in the picture, onTurn when the
    // rendering was turned, onProblem with what does not work.
    static async create({ frame, geometry: grid, onMove, onTurn, onProblem, hasRendering = true }) {
      const viewer = new this();
      viewer.grid = grid;
      viewer.frame = frame;
      viewer.canvas = frame.querySelector("#slices");
      viewer.slices = new ari.Slices(grid);
      viewer.picture = new ari.SlicePicture(viewer.slices);
      viewer.second = new ari.SlicePicture(viewer.slices);
      viewer.voxel = [0, 0, 0];
      viewer.view = "multiplanar";
      viewer.isDouble = false;
      if (!ari.contextOf(viewer.canvas)) throw new Error("it has no 2D canvas");
      viewer.rendering = null;
      try {
        const canvas = frame.querySelector("#gl");
        if (hasRendering) {
          viewer.rendering = await ari.Rendering.create({ canvas, grid, onMove, onTurn });
          canvas.tabIndex = -1;
        }
      } catch (error) {
        onProblem(`No 3D picture: ${error.message}`);
      }
      viewer._listen(onMove);
      new ResizeObserver(() => viewer._arrange()).observe(frame);
      viewer._arrange();
      return viewer;
    }

    _listen(onMove) {
      let isDown = null;
      const go = (event) => {
        const { left, top } = this.canvas.getBoundingClientRect();
        const voxel = this._voxelAt([event.clientX - left, event.clientY - top], isDown);
        if (voxel) onMove(voxel);
      };
      this.canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        const { left, top } = this.canvas.getBoundingClientRect();
        isDown = this._paneAt([event.clientX - left, event.clientY - top]);
        if (!isDown) return;
        this.canvas.setPointerCapture(event.pointerId);
        this.canvas.closest("[tabindex]").focus({ preventScroll: true });
        go(event);
      });
      this.canvas.addEventListener("pointermove", (event) => isDown && go(event));
      for (const end of ["pointerup", "pointercancel"]) {
        this.canvas.addEventListener(end, () => (isDown = null));
      }
      // From slice to slice.
      this.canvas.addEventListener(
        "wheel",
        (event) => {
          const pane = this._paneAt([event.offsetX, event.offsetY]);
          if (!pane || event.ctrlKey || !event.deltaY) return;
          event.preventDefault();
          const axis = this.slices.axisThrough(pane.plane);
          const sign = this.grid.axes.find(([other]) => other === axis)[1];
          const voxel = this.voxel.slice();
          voxel[axis] += event.deltaY < 0 ? sign : -sign;
          if (this.grid.isInside(voxel)) onMove(voxel);
        },
        { passive: false },
      );
    }

    get _names() {
      const { panes } = VIEWS[this.view];
      if (!this.isDouble && this.rendering) return panes;
      const slices = panes.filter((name) => name !== RENDERING);
      // Renderings are not doubled.
      return this.isDouble && !slices.length ? VIEWS.slices.panes : slices;
    }

    // Size of a pane in mm.
    _size(name) {
      if (name !== RENDERING) return this.slices.size(name);
      const [[, height], [width]] = [this.slices.size("coronal"), this.slices.size("sagittal")];
      return [width, height];
    }

    // Where the panes are.
    _arrange() {
      const { clientWidth: width, clientHeight: height } = this.frame;
      this.panes = this.isDouble ? this._pairs(width, height) : this._placed(this._names, width, height);
      const dpr = globalThis.devicePixelRatio || 1;
      this.canvas.width = Math.max(Math.round(width * dpr), 1);
      this.canvas.height = Math.max(Math.round(height * dpr), 1);
      const pane = this.panes.find(({ plane }) => plane === RENDERING);
      const box = this.frame.querySelector("#render");
      if (box) box.hidden = !pane;
      if (pane) {
        const { left, top, width: w, height: h } = pane.cell;
        Object.assign(box.style, {
          left: `${left}px`, top: `${top}px`, width: `${w}px`, height: `${h}px`,
        });
      }
      if (this.rendering) this.rendering.isShown = Boolean(pane);
      this.drawNow();
    }

    // Pictures as large as possible. columns: their number, if it matters.
    _placed(names, width, height, columns) {
      const sizes = names.map((name) => this._size(name));
      const { places, scale } = ari.arranged(sizes, width, height, MARGIN, columns);
      return names.map((plane, k) => ({ plane, scale, ...places[k], top: places[k].top - RAISED }));
    }

    // Each slice of both maps: one below the other or side by side, whatever is larger.
    _pairs(width, height) {
      const names = this._names;
      const rows = this._placed([...names, ...names], width, height, names.length);
      const columns = this._placed(names.flatMap((name) => [name, name]), width, height, 2);
      const [panes, isSecond] =
        rows[0].scale > columns[0].scale ? [rows, (k) => k >= names.length] : [columns, (k) => k % 2 === 1];
      return panes.map((pane, k) => ({ ...pane, isSecond: isSecond(k) }));
    }

    // The slice at a point, in pixels of the frame; undefined if there is none.
    _paneAt([x, y]) {
      return this.panes.find(
        ({ plane, left, top, width, height }) =>
          plane !== RENDERING && x >= left && y >= top && x < left + width && y < top + height,
      );
    }

    // Voxel at a point of a pane, or of the one there; null if there is none.
    _voxelAt(point, pane = this._paneAt(point)) {
      if (!pane) return null;
      return this._onPane(pane, point).map((index, axis) =>
        Math.min(Math.max(Math.round(index), 0), this.grid.shape[axis] - 1),
      );
    }

    // The same with fractions; what lies beside the pane is on its edge.
    _onPane({ plane, left, top, width, height }, [x, y]) {
      const within = (part) => Math.min(Math.max(part, 1e-6), 1 - 1e-6);
      const parts = [within((x - left) / width), within((y - top) / height)];
      return this.slices.voxelOf(plane, parts, this.voxel);
    }

    // Where a voxel is drawn on a slice of the view, in pixels of the frame; null if it is not.
    pixelOf(plane, voxel) {
      const pane = this.panes.find((other) => other.plane === plane);
      if (!pane) return null;
      const [x, y] = this.slices.partsOf(plane, voxel);
      return [pane.left + x * pane.width, pane.top + y * pane.height];
    }

    // While something moves, what takes long waits.
    set isMoving(isMoving) {
      if (this.rendering) this.rendering.isHeld = isMoving;
    }

    // what: see SlicePicture.set.
    paint(what) {
      this.picture.set(what);
      this.second.set({ ...what, ...what.second });
      this._isPainted = true;
      this.drawNow();
      const { shades, table, opacity } = what;
      this.rendering?.follow({ painted: { shades, table, opacity } });
    }

    // colours: ink and back.
    setColours(colours) {
      this.colours = colours;
      this.rendering?.follow({ back: ari.rgbaOf(colours.back) });
      this.draw();
    }

    draw() {
      if (this._isWaiting) return;
      this._isWaiting = true;
      requestAnimationFrame(() => this.drawNow());
    }

    drawNow() {
      this._isWaiting = false;
      if (!this._isPainted || !this.colours) return;
      const { canvas, colours } = this;
      const context = ari.contextOf(canvas);
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      const ink = new ari.CanvasInk(canvas, globalThis.devicePixelRatio || 1);
      const slices = this.panes.filter(({ plane, width }) => plane !== RENDERING && width > 0);
      const widest = Math.max(...slices.map(({ width }) => width));
      const size = Math.max(LEAST_LETTERS, Math.min(LARGEST_LETTERS, widest / 20));
      for (const { plane, isSecond, left, top, width, height } of slices) {
        this._drawSlice(ink, plane, isSecond, [left, top, width, height], { colours, size });
      }
    }

    // isSecond: of the second map; undefined where there is one map in sight.
    _drawSlice(ink, plane, isSecond, frame, how) {
      const picture = isSecond ? this.second : this.picture;
      const title = isSecond === undefined ? "" : picture.name;
      picture.draw(ink, plane, this.voxel, frame, { ...how, title });
    }

    moveTo(voxel) {
      this.voxel = voxel;
      this.rendering?.follow({ voxel });
      this.draw();
    }

    // Direction in mm for a direction on screen: right, up, or towards the viewer.
    direction(onScreen) {
      return onScreen;
    }

    // Elements that a line encloses, in pixels of the frame; null if it is on no slice.
    enclosed(line) {
      // It may begin beside the slice.
      const pane = line.map((point) => this._paneAt(point)).find(Boolean);
      if (!pane) return null;
      const voxels = line.map((point) => this._onPane(pane, point));
      return this.grid.enclosed(voxels, this.slices.axisThrough(pane.plane));
    }

    setOpacity(opacity) {
      for (const picture of [this.picture, this.second]) picture.set({ opacity });
      this.draw();
      const { shades, table } = this.picture;
      if (shades) this.rendering?.follow({ painted: { shades, table, opacity } });
    }

    setView(view) {
      this.view = view;
      this._arrange();
    }

    // Show each slice of both maps.
    setBeside(isBeside) {
      this.isDouble = isBeside;
      this._arrange();
    }

    // Where the rendering is seen from.
    get camera() {
      return this.rendering?.camera;
    }

    set camera(angles) {
      if (this.rendering) this.rendering.camera = angles;
    }

    // What is shown, for a figure: size in mm, and how to draw it. scale: pixels of a unit of ink;
    // isClear: without a background.
    parts(scale, isClear) {
      const { isDouble } = this;
      const panes = this._names.map((plane) => ({ plane, isSecond: isDouble ? false : undefined }));
      if (isDouble) panes.push(...panes.map((pane) => ({ ...pane, isSecond: true })));
      return panes.map(({ plane, isSecond }) => ({
        size: this._size(plane),
        // around: all the room that there is.
        draw: (ink, frame, { colours, size, around }) => {
          if (plane !== RENDERING) {
            this._drawSlice(ink, plane, isSecond, frame, { colours, size });
            return;
          }
          const [, , width, height] = around;
          const back = ari.rgbaOf(colours.back, isClear ? 0 : 1);
          ink.image(this.rendering.picture(width * scale, height * scale, back), around, { isSmooth: true });
        },
      }));
    }
  };
})((globalThis.ari ??= {}));
