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
  const FILLED = 0.94;

  // Light that comes from the beholder, and hardly darkens: colours are to be read off.
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
  // A click moves the mouse by so many pixels at the most; more turns the brain.
  const CLICK = 4;

  // An icosahedron.
  const GOLDEN = (1 + Math.sqrt(5)) / 2;
  const CORNERS = [-1, 1].flatMap((a) =>
    [-GOLDEN, GOLDEN].flatMap((b) => [[0, a, b], [a, b, 0], [b, 0, a]]),
  );
  const SIDES = sidesOf(CORNERS);

  // Triangles of corners that are 2 apart, seen counterclockwise from outside.
  function sidesOf(corners) {
    const isEdge = (a, b) => Math.abs(Math.hypot(...a.map((v, k) => v - b[k])) - 2) < 1e-6;
    const sides = [];
    corners.forEach((a, i) => {
      corners.forEach((b, j) => {
        corners.forEach((c, k) => {
          if (!(i < j && i < k) || !isEdge(a, b) || !isEdge(b, c) || !isEdge(c, a)) return;
          const [u, v] = [b, c].map((corner) => corner.map((value, axis) => value - a[axis]));
          const normal = [0, 1, 2].map((n) => u[(n + 1) % 3] * v[(n + 2) % 3] - u[(n + 2) % 3] * v[(n + 1) % 3]);
          if (normal.reduce((sum, value, axis) => sum + value * a[axis], 0) > 0) sides.push(i, j, k);
        });
      });
    });
    return sides;
  }

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
    static async create({ frame, geometry, onMove, onTurn, onView }) {
      const viewer = new SurfaceViewer();
      const canvas = frame.querySelector("#gl");
      viewer.frame = frame;
      frame.querySelector("#slices").hidden = true;
      viewer.mesh = geometry;
      viewer.opacity = 1;
      viewer.vertex = 0;
      viewer.view = "left";
      viewer.hemispheres = [];
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
      viewer.colours = new Uint8Array(4 * geometry.size).fill(255);
      viewer.ball = viewer._made(CORNERS.flat(), SIDES, Uint8Array.from(BALL_COLOUR));
      viewer.chooseMesh();
      viewer.setView(viewer.view);
      nv.scene.onAzimuthElevationChange = () => {
        viewer._showAllFaces();
        onTurn();
      };
      viewer._listen(canvas, onMove);
      return viewer;
    }

    // niivue makes the whole mesh again for other colours, which takes long: they alone are written.
    _recolour(hemisphere) {
      const { gl } = this.nv;
      const { start } = this.mesh.parts.find(({ name }) => name === hemisphere.name);
      const n = hemisphere.pts.length / 3;
      hemisphere.vertices ??= hemisphere.generatePosNormClr(
        hemisphere.pts, hemisphere.tris, hemisphere.rgba255,
      );
      // Position, direction and colour of a vertex follow each other; the colour is last.
      const words = new Uint32Array(hemisphere.vertices.buffer);
      const colours = new Uint32Array(this.colours.buffer, 4 * start, n);
      const each = words.length / n;
      for (let v = 0, at = each - 1; v < n; v++, at += each) words[at] = colours[v];
      gl.bindBuffer(gl.ARRAY_BUFFER, hemisphere.vertexBuffer);
      gl.bufferData(gl.ARRAY_BUFFER, hemisphere.vertices, gl.DYNAMIC_DRAW);
    }

    // Leave out the triangles that face away, which graphics cards leave out themselves, but only
    // after they have placed them: that takes half of the time of large meshes.
    _hideFaces() {
      if (this._isHidden) return;
      this._isHidden = true;
      const m = this._matrix();
      for (const hemisphere of this.hemispheres) {
        const { pts, tris } = hemisphere;
        const n = pts.length / 3;
        const [x, y] = [new Float32Array(n), new Float32Array(n)];
        for (let v = 0, at = 0; v < n; v++, at += 3) {
          x[v] = m[0] * pts[at] + m[4] * pts[at + 1] + m[8] * pts[at + 2];
          y[v] = m[1] * pts[at] + m[5] * pts[at + 1] + m[9] * pts[at + 2];
        }
        const kept = new Uint32Array(tris.length);
        let size = 0;
        for (let i = 0; i < tris.length; i += 3) {
          const [a, b, c] = [tris[i], tris[i + 1], tris[i + 2]];
          if ((x[b] - x[a]) * (y[c] - y[a]) - (x[c] - x[a]) * (y[b] - y[a]) < 0) continue;
          kept[size++] = a;
          kept[size++] = b;
          kept[size++] = c;
        }
        this._setFaces(hemisphere, kept.subarray(0, size));
      }
    }

    _showAllFaces() {
      if (!this._isHidden) return;
      this._isHidden = false;
      for (const hemisphere of this.hemispheres) this._setFaces(hemisphere, hemisphere.tris);
    }

    _setFaces(hemisphere, corners) {
      const { gl } = this.nv;
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, hemisphere.indexBuffer);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, corners, gl.DYNAMIC_DRAW);
      hemisphere.indexCount = corners.length;
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
      for (const hemisphere of this.hemispheres) hemisphere.unloadMesh(this.nv.gl);
      this._isHidden = false;
      this.hemispheres = mesh.parts.map(({ name, start, stop, faces }) => {
        const corners = faces.map((vertex) => vertex - start);
        const points = mesh.points.subarray(3 * start, 3 * stop);
        const colours = this.colours.subarray(4 * start, 4 * stop);
        return Object.assign(this._made(points, corners, colours), { name });
      });
      this._arrange();
      this._fit();
    }

    // Which hemispheres are drawn.
    _arrange() {
      const { alone } = VIEWS[this.view];
      this.drawn = this.mesh.parts.filter(({ name }) => !alone || name === alone);
      const hemispheres = this.hemispheres.filter(({ name }) => !alone || name === alone);
      this.nv.meshes = [...hemispheres, this.ball];
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

    // what: shades of the elements, table of their colours, elements that are outlined: those of
    // the chosen cluster, a marked region of an atlas, and the region that is drawn.
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
      this._hideFaces();
      this.nv.drawScene();
    }

    // Vertices at the rim of each cluster are as dark as ink.
    _outline({ labels, shades }) {
      const { mesh, colours } = this;
      const ink = ari.rgbaOf(this.palette.ink).map((part) => 255 * part);
      mesh.indices.forEach((vertex, element) => {
        const label = labels[element];
        if (!label || !shades[element]) return;
        const isAtRim = mesh.neighbours(vertex).some((other) => (labels[mesh.elementOf(other)] ?? 0) !== label);
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

    _placeBall() {
      const centre = this.mesh.points.subarray(3 * this.vertex, 3 * this.vertex + 3);
      const scale = BALL_RADIUS / Math.hypot(1, GOLDEN);
      this.ball.pts = Float32Array.from(CORNERS.flat(), (value, i) => centre[i % 3] + scale * value);
      this.ball.updateMesh(this.nv.gl);
      this.nv.drawScene();
    }

    // Look from where a vertex is seen, and its part of the brain faces the beholder most. Deep in
    // a sulcus it may be seen from nowhere.
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

    // In mm, of a direction to the right, up, or towards the beholder.
    direction(onScreen, camera = this.camera) {
      const m = this._matrix(camera);
      const rows = [0, 1, 2].map((r) => [m[r], m[4 + r], m[8 + r]]);
      // Depth grows away from the beholder; the picture is wider than high, or higher than wide.
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
      scene.volScaleMultiplier = 1;
      const { x, y, faces } = this._projection();
      const extent = (values) => {
        let [low, high] = [Infinity, -Infinity];
        for (const vertex of faces) {
          low = Math.min(low, values[vertex]);
          high = Math.max(high, values[vertex]);
        }
        return high - low;
      };
      scene.volScaleMultiplier =
        FILLED * Math.min(canvas.width / extent(x), canvas.height / extent(y));
      this.nv.drawScene();
    }

    get camera() {
      return [this.nv.scene.renderAzimuth, this.nv.scene.renderElevation];
    }

    set camera([azimuth, elevation]) {
      this.nv.setRenderAzimuthElevation(azimuth, elevation);
    }

    // What is shown, for a figure: size in mm, and how to draw it, see VolumeViewer.
    parts(scale, isClear) {
      const { width, height } = this.nv.canvas;
      const draw = (ink, frame, { colours, size }) => {
        const back = ari.rgbaOf(colours.back, isClear ? 0 : 1);
        const picture = ari.glPicture(this.nv, frame[2] * scale, frame[3] * scale, back);
        ink.image(picture, frame, { isSmooth: true });
        const { label } = VIEWS[this.view];
        const where = this._coordinates();
        const style = { size, colour: colours.ink, halo: colours.back };
        ink.text(`${label} · ${where}`, frame[0] + 10, frame[1] + size, style);
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
