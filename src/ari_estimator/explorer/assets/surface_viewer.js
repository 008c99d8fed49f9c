// A surface: the hemispheres in 3D by niivue, each vertex with a colour of its own, and a ball where
// the crosshair is.
(function (ari) {
  "use strict";

  // From where one looks: azimuth and elevation in degrees, and which hemisphere is left out.
  const FROM_LEFT = [90, 0];
  const FROM_RIGHT = [270, 0];
  const VIEWS = {
    left: { label: "from the left", camera: FROM_LEFT },
    right: { label: "from the right", camera: FROM_RIGHT },
    "left-medial": { label: "left, medial", camera: FROM_RIGHT, alone: "left" },
    "right-medial": { label: "right, medial", camera: FROM_LEFT, alone: "right" },
    above: { label: "from above", camera: [0, 90] },
    below: { label: "from below", camera: [180, -90] },
    front: { label: "from the front", camera: [180, 0] },
    back: { label: "from the back", camera: [0, 0] },
  };

  // So much of the width or of the height of the picture is filled, before one zooms.
  const FILLED = 0.9;

  // Light from the viewer. It hardly darkens, so that colours can be read off.
  const LIGHT = `#version 300 es
precision highp int;
precision highp float;
uniform float opacity;
in vec4 vClr;
in vec3 vN;
out vec4 color;
void main() {
  float facing = max(dot(normalize(vN), vec3(0.0, 0.0, -1.0)), 0.0);
  color = vec4(vClr.rgb * (0.5 + 0.5 * facing), opacity);
}`;

  const [BALL_COLOUR, BALL_RADIUS] = [[255, 45, 149, 255], 1.8];
  // Number of the colours among what niivue's shaders take for each vertex.
  const COLOUR_ATTRIBUTE = 2;
  // A click moves the mouse by at most so many pixels; more turns the brain.
  const CLICK = 4;

  ari.SurfaceViewer = class SurfaceViewer {
    static views({ parts }) {
      const names = parts.map(({ name }) => name);
      return Object.fromEntries(
        Object.entries(VIEWS)
          .filter(([, { alone }]) => !alone || names.includes(alone))
          .map(([view, { label }]) => [view, label]),
      );
    }

    static hint = "Draw a line around vertices: those that are seen within it count.";

    // onView is called with a view that was chosen to show something.
    static async create({ frame, canvas = frame.querySelector("#gl"), geometry, onMove, onTurn, onView }) {
      const viewer = new this();
      viewer.frame = frame;
      frame.querySelector(":scope > #slices")?.setAttribute("hidden", "");
      viewer.mesh = geometry;
      viewer.opacity = 1;
      viewer.vertex = 0;
      viewer.view = "left";
      viewer.hemispheres = [];
      viewer.isMoving = false; // whether more is to be painted soon
      viewer._hasBall = true;
      viewer.onView = onView;
      const nv = new niivue.Niivue({
        ...ari.NIIVUE,
        show3Dcrosshair: false,
        crosshairWidth: 0,
        isOrientationTextVisible: false,
        isOrientCube: false,
      });
      viewer.nv = nv;
      await nv.attachToCanvas(canvas, false);
      canvas.tabIndex = -1;
      nv.setSliceType(niivue.SLICE_TYPE.RENDER);
      viewer.shader = nv.setCustomMeshShader(LIGHT, "ari");
      viewer.letters = new ari.SideLetters(canvas.parentElement);
      viewer.colours = new Uint8Array(4 * geometry.size).fill(255);
      viewer.ball = viewer._made(ari.ballAt([0, 0, 0], BALL_RADIUS), ari.BALL_SIDES, Uint8Array.from(BALL_COLOUR));
      viewer.chooseMesh();
      viewer.setView(viewer.view);
      nv.scene.onAzimuthElevationChange = () => {
        for (const { faces } of viewer.hemispheres) faces.showAll();
        viewer._showSides();
        onTurn();
      };
      viewer._listen(canvas, onMove);
      return viewer;
    }

    // niivue makes the whole mesh again for other colours, which takes long. So colours are in a
    // buffer of their own.
    _recolour(hemisphere) {
      const { gl } = this.nv;
      const { start, stop } = this.mesh.parts.find(({ name }) => name === hemisphere.name);
      const colours = this.colours.subarray(4 * start, 4 * stop);
      if (hemisphere.colourBuffer) {
        gl.bindBuffer(gl.ARRAY_BUFFER, hemisphere.colourBuffer);
        gl.bufferSubData(gl.ARRAY_BUFFER, 0, colours);
        return;
      }
      hemisphere.colourBuffer = gl.createBuffer();
      gl.bindVertexArray(hemisphere.vao);
      gl.bindBuffer(gl.ARRAY_BUFFER, hemisphere.colourBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, colours, gl.DYNAMIC_DRAW);
      gl.vertexAttribPointer(COLOUR_ATTRIBUTE, 4, gl.UNSIGNED_BYTE, true, 0, 0);
      gl.bindVertexArray(this.nv.unusedVAO);
    }

    _made(points, corners, colours) {
      const made = new niivue.NVMesh(
        Float32Array.from(points), Uint32Array.from(corners), "", colours, 1, true, this.nv.gl,
      );
      made.meshShaderIndex = this.shader;
      return made;
    }

    _listen(canvas, onMove) {
      let from = null;
      canvas.addEventListener("pointerdown", (event) => {
        from = [event.clientX, event.clientY];
        this.frame.focus({ preventScroll: true });
      });
      canvas.addEventListener("pointerup", (event) => {
        const { left, top } = canvas.getBoundingClientRect();
        const way = from && Math.hypot(event.clientX - from[0], event.clientY - from[1]);
        from = null;
        if (way === null || way > CLICK) return;
        const { vertex } = this._projection().at(...this._onCanvas([event.clientX - left, event.clientY - top]));
        if (vertex >= 0) onMove(vertex);
      });
    }

    _onCanvas(point) {
      return point.map((pixel) => pixel * this.nv.uiData.dpr);
    }

    // Draw the mesh that the geometry has chosen.
    chooseMesh() {
      const { mesh } = this;
      const { gl } = this.nv;
      for (const hemisphere of this.hemispheres) {
        gl.deleteBuffer(hemisphere.colourBuffer ?? null);
        hemisphere.unloadMesh(gl);
      }
      this.hemispheres = mesh.parts.map(({ name, start, stop, faces }) => {
        const corners = faces.map((vertex) => vertex - start);
        const points = mesh.points.subarray(3 * start, 3 * stop);
        const colours = this.colours.subarray(4 * start, 4 * stop);
        const hemisphere = Object.assign(this._made(points, corners, colours), { name });
        const neighbours = (vertex) => mesh.neighbours(vertex + start).map((other) => other - start);
        hemisphere.faces = new ari.MeshFaces(gl, hemisphere, neighbours);
        return hemisphere;
      });
      this._arrange();
      this._fit();
    }

    // Which hemispheres are drawn.
    _arrange() {
      const { alone } = VIEWS[this.view];
      this.drawn = this.mesh.parts.filter(({ name }) => !alone || name === alone);
      const hemispheres = this.hemispheres.filter(({ name }) => !alone || name === alone);
      this.nv.meshes = this._hasBall ? [...hemispheres, this.ball] : hemispheres;
      this.nv.updateGLVolume();
    }

    _matrix([azimuth, elevation] = this.camera) {
      const [matrix] = this.nv.calculateMvpMatrix(null, [0, 0, 0, 0], azimuth, elevation);
      return matrix;
    }

    _projection(parts = this.drawn, camera = this.camera) {
      const faces = concatenated(parts.map((part) => part.faces));
      const { width, height } = this.nv.canvas;
      return new ari.Projection(this.mesh.points, faces, this._matrix(camera), width, height);
    }

    // what: shades of the elements, table of their colours, and elements to outline: the chosen
    // cluster, a marked region of an atlas, and the region that the user draws.
    paint(what) {
      const { shades, table, outlined, marked, region } = what;
      const { mesh, colours } = this;
      const shadeOf = mesh.spread(shades);
      for (const vertex of mesh.rim(outlined).outside) shadeOf[vertex] = ari.OUTLINE_SHADE;
      for (let vertex = 0, at = 0; vertex < mesh.size; vertex++, at += 4) {
        const shade = shadeOf[vertex];
        const grey = mesh.background[vertex];
        const share = shade === ari.OUTLINE_SHADE ? 1 : shade ? this.opacity : 0;
        for (let c = 0; c < 3; c++) colours[at + c] = grey + share * (table[4 * shade + c] - grey);
      }
      if (what.hasOutlines) this._outline(what);
      for (const vertex of mesh.rim(marked).inside) colours.fill(255, 4 * vertex, 4 * vertex + 3);
      const { inside, outside } = mesh.rim(region);
      for (const vertex of inside) colours.fill(0, 4 * vertex, 4 * vertex + 3);
      for (const vertex of outside) colours.fill(255, 4 * vertex, 4 * vertex + 3);
      this._what = what;
      this.hemispheres.forEach((hemisphere) => this._recolour(hemisphere));
      const matrix = this._matrix();
      for (const { faces } of this.hemispheres) faces.showSeen(matrix, this.isMoving);
      this.nv.drawScene();
    }

    // Vertices at the rim of each cluster are as dark as ink.
    _outline({ labelOf, shades }) {
      const { mesh, colours } = this;
      const ink = ari.rgbaOf(this.palette.ink).map((part) => 255 * part);
      mesh.indices.forEach((vertex, element) => {
        const label = labelOf(element);
        if (!label || !shades[element]) return;
        const isAtRim = mesh.neighbours(vertex).some((other) => labelOf(mesh.elementOf(other)) !== label);
        if (isAtRim) colours.set(ink.slice(0, 3), 4 * vertex);
      });
    }

    // colours: ink and back.
    setColours(colours) {
      this.palette = colours;
      this.nv.opts.backColor = ari.rgbaOf(colours.back);
      this.nv.drawScene();
    }

    setOpacity(opacity) {
      this.opacity = opacity;
      if (this._what) this.paint({ ...this._what, opacity });
    }

    // mayTurn: whether the brain is turned if the place is hidden.
    moveTo(vertex, { mayTurn = true } = {}) {
      this.vertex = vertex;
      const isDrawn = this.drawn.includes(this.mesh.partOf(vertex));
      if (mayTurn && !(isDrawn && this._projection().isSeen(vertex))) this._find(vertex);
      this._placeBall();
    }

    // Whether the crosshair is on the surface.
    set hasBall(hasBall) {
      if (hasBall === this._hasBall) return;
      this._hasBall = hasBall;
      this._arrange();
      this.nv.drawScene();
    }

    _placeBall() {
      const centre = this.mesh.points.subarray(3 * this.vertex, 3 * this.vertex + 3);
      this.ball.pts = ari.ballAt(centre, BALL_RADIUS);
      this.ball.updateMesh(this.nv.gl);
      this.nv.drawScene();
    }

    // Choose the view in which a vertex is visible, and its part of the brain faces the viewer most.
    // A vertex deep in a sulcus may be visible in none.
    _find(vertex) {
      const outward = this.mesh.outward(vertex);
      const found = [];
      for (const view of Object.keys(SurfaceViewer.views(this.mesh))) {
        const { camera, alone } = VIEWS[view];
        if (alone && alone !== this.mesh.partOf(vertex).name) continue;
        const parts = this.mesh.parts.filter(({ name }) => !alone || name === alone);
        const toBeholder = this.direction([0, 0, 1], camera);
        const facing = outward.reduce((sum, value, k) => sum + value * toBeholder[k], 0);
        found.push({ view, facing, isSeen: this._projection(parts, camera).isSeen(vertex) });
      }
      found.sort((a, b) => b.isSeen - a.isSeen || b.facing - a.facing);
      this.setView(found[0].view);
      this.onView(found[0].view);
    }

    // Direction in mm for a direction on screen: right, up, or towards the viewer.
    direction(onScreen, camera = this.camera) {
      const m = this._matrix(camera);
      const rows = [0, 1, 2].map((r) => [m[r], m[4 + r], m[8 + r]]);
      // Depth grows away from the viewer; the picture is wider than high, or higher than wide.
      const [x, y, depth] = rows.map((row) => row.map((value) => value / Math.hypot(...row)));
      return x.map((_, k) => onScreen[0] * x[k] + onScreen[1] * y[k] - onScreen[2] * depth[k]);
    }

    enclosed(line) {
      const vertices = this._projection().enclosed(line.map((point) => this._onCanvas(point)));
      return vertices.map((vertex) => this.mesh.elementOf(vertex)).filter((element) => element >= 0);
    }

    setView(view) {
      this.view = view;
      this._arrange();
      this.camera = VIEWS[view].camera;
      this._fit();
    }

    // Zoom until the picture is filled.
    _fit() {
      const { scene, canvas } = this.nv;
      // In a frame that is not shown there is no picture to fill.
      if (!canvas.width || !canvas.height) return;
      this._showSides();
      scene.volScaleMultiplier = 1;
      const [width, height] = this._extents();
      scene.volScaleMultiplier = FILLED * Math.min(canvas.width / width, canvas.height / height);
      this.nv.drawScene();
    }

    // Width and height of what is drawn, in pixels of the canvas.
    _extents() {
      const { x, y, faces } = this._projection();
      return [x, y].map((values) => {
        let [low, high] = [Infinity, -Infinity];
        for (const vertex of faces) {
          low = Math.min(low, values[vertex]);
          high = Math.max(high, values[vertex]);
        }
        return high - low;
      });
    }

    get camera() {
      return [this.nv.scene.renderAzimuth, this.nv.scene.renderElevation];
    }

    set camera([azimuth, elevation]) {
      this.nv.setRenderAzimuthElevation(azimuth, elevation);
      this._showSides();
    }

    // Letter at each side of the picture.
    get sides() {
      return ari.sideLetters((onScreen) => this.direction(onScreen));
    }

    _showSides() {
      this.letters.show(this.sides);
    }

    // What is shown, for a figure: size in mm, and how to draw it, see VolumeViewer.
    parts(scale, isClear) {
      const { width, height: most } = this.nv.canvas;
      // What is empty above and below in a high frame is left out. niivue fits the shorter side.
      const height = most > width ? Math.min(most, Math.max(width, this._extents()[1] / FILLED)) : most;
      const draw = (ink, frame, { colours, size }) => {
        const back = ari.rgbaOf(colours.back, isClear ? 0 : 1);
        const picture = ari.glPicture(this.nv, frame[2] * scale, frame[3] * scale, back);
        ink.image(picture, frame, { isSmooth: true });
        const { label } = VIEWS[this.view];
        const style = { size, colour: colours.ink, halo: colours.back };
        // As much as there is room for beside the letter in the middle.
        const texts = [...(this._hasBall ? [`${label} · ${this._coordinates()}`] : []), label];
        const text = texts.find(({ length }) => 10 + (0.5 * length + 1) * size < frame[2] / 2);
        if (text) ink.text(text, frame[0] + 10, frame[1] + size, style);
        ari.drawSideLetters(ink, this.sides, frame, style);
      };
      return [{ size: [width, height], draw }];
    }

    _coordinates() {
      const [x, y, z] = this.mesh.xyz(this.vertex).map((value) => Number(value.toFixed(1)));
      return `crosshair at ${x}, ${y}, ${z} mm`;
    }
  };

  function concatenated(arrays) {
    const all = new Int32Array(arrays.reduce((sum, array) => sum + array.length, 0));
    let start = 0;
    for (const array of arrays) {
      all.set(array, start);
      start += array.length;
    }
    return all;
  }
})((globalThis.ari ??= {}));
