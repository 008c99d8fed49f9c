// Where the elements lie: vertices of the meshes of the hemispheres, one after the other. What is
// counted and measured equals what SurfacePart and Space give in Python, to the last digit.
(function (ari) {
  "use strict";

  // Hemispheres are drawn so far apart, in mm.
  const GAP = 8;

  // A place is the number of a vertex, counted over all parts. It is also the index.
  ari.Mesh = class Mesh extends ari.Geometry {
    words = {
      one: "vertex",
      many: "vertices",
      units: ["mm2"],
      format: "GIfTI",
      where: ["hemisphere", "vertex", "x", "y", "z"],
    };

    // info: parts, each with name, n_vertices, and where its faces begin and end; arrays: mask,
    // points (all x, all y, all z), faces (numbers of vertices of their part), background, and
    // shown: where vertices are drawn, if not where they lie; areas: of the vertices in mm2, if they
    // do not follow from the faces.
    constructor({ parts }, { mask, points, faces, background, shown, areas }) {
      super();
      const n = mask.length;
      this.size = n;
      this.background = background;
      this.axes = axesOf(points, n);
      this.parts = [];
      for (const { name, n_vertices: nVertices, faces: [from, to] } of parts) {
        const start = this.parts.length ? this.parts.at(-1).stop : 0;
        const corners = faces.slice(from, to).map((vertex) => vertex + start);
        this.parts.push({ name, start, stop: start + nVertices, faces: corners });
      }
      this.indices = new Int32Array(mask.reduce((sum, inside) => sum + inside, 0));
      this.elementAt = new Int32Array(n).fill(-1);
      for (let vertex = 0, element = 0; vertex < n; vertex++) {
        if (!mask[vertex]) continue;
        this.indices[element] = vertex;
        this.elementAt[vertex] = element++;
      }
      this.ranks = this.indices.map((_, element) => element); // vertices are numbered
      this._link();
      this.areas = areas || new Float64Array(n);
      if (!areas) for (const part of this.parts) this._measure(part);
      // Meshes to draw on, by name.
      this.meshes = { map: this._apart(this.axes) };
      if (shown) this.meshes = { given: this._apart(axesOf(shown, n)), ...this.meshes };
      this.choose(Object.keys(this.meshes)[0]);
    }

    get cortex() {
      return this;
    }

    get volume() {
      return null;
    }

    get nVertices() {
      return this.indices.length;
    }

    // Draw on another mesh.
    choose(name) {
      this.mesh = name;
      this.points = this.meshes[name];
    }

    // Neighbours of each vertex: the list from ends[v] to ends[v + 1] belongs to vertex v. Some
    // are in it twice.
    _link() {
      const ends = new Int32Array(this.size + 1);
      const pairs = (visit) => {
        for (const { faces } of this.parts) {
          for (let i = 0; i < faces.length; i += 3) {
            for (let k = 0; k < 3; k++) {
              const [a, b] = [faces[i + k], faces[i + ((k + 1) % 3)]];
              visit(a, b);
              visit(b, a);
            }
          }
        }
      };
      pairs((a) => ends[a + 1]++);
      for (let v = 0; v < this.size; v++) ends[v + 1] += ends[v];
      const next = ends.slice();
      const others = new Int32Array(ends[this.size]);
      pairs((a, b) => (others[next[a]++] = b));
      this._ends = ends;
      this._others = others;
    }

    // Vertices that share an edge with one.
    neighbours(vertex) {
      return this._others.subarray(this._ends[vertex], this._ends[vertex + 1]);
    }

    // Area of each vertex: a third of each of its triangles. The last digit depends on the order of
    // the sum, so it is the order of Python: all first corners, then second ones, then third ones.
    _measure({ start, stop, faces }) {
      const [x, y, z] = this.axes;
      const thirds = new Float64Array(faces.length / 3);
      for (let i = 0; i < thirds.length; i++) {
        const [a, b, c] = [faces[3 * i], faces[3 * i + 1], faces[3 * i + 2]];
        const [x1, y1, z1] = [x[b] - x[a], y[b] - y[a], z[b] - z[a]];
        const [x2, y2, z2] = [x[c] - x[a], y[c] - y[a], z[c] - z[a]];
        const [u, v, w] = [y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2];
        thirds[i] = Math.sqrt(u * u + v * v + w * w) / 6;
      }
      for (let corner = 0; corner < 3; corner++) {
        const sums = new Float64Array(stop - start);
        thirds.forEach((third, i) => (sums[faces[3 * i + corner] - start] += third));
        sums.forEach((sum, i) => (this.areas[start + i] += sum));
      }
    }

    // Points to draw, x y z of each vertex, with a gap between the parts.
    _apart([x, y, z]) {
      const points = new Float32Array(3 * this.size);
      let edge = -Infinity;
      for (const { start, stop } of this.parts) {
        const least = x.slice(start, stop).reduce((least, value) => Math.min(least, value), Infinity);
        const shift = Number.isFinite(edge) ? Math.max(0, edge + GAP - least) : 0;
        for (let v = start; v < stop; v++) {
          points.set([x[v] + shift, y[v], z[v]], 3 * v);
          edge = Math.max(edge, x[v] + shift);
        }
      }
      return points;
    }

    partOf(vertex) {
      return this.parts.find(({ stop }) => vertex < stop);
    }

    placeOfElement(element) {
      return this.indices[element];
    }

    elementOf(vertex) {
      return this.elementAt[vertex];
    }

    xyz(vertex) {
      return this.axes.map((axis) => axis[vertex]);
    }

    // The vertex that is nearest to a point in mm.
    nearest(xyz) {
      let [best, least] = [0, Infinity];
      for (let v = 0; v < this.size; v++) {
        const distance = this._squaredDistance(v, xyz);
        if (distance < least) [best, least] = [v, distance];
      }
      return best;
    }

    // The nearest vertex to a point in mm; null if the point is not within the range of the mesh.
    placeAt(xyz) {
      const isInside = this.range.every(([low, high], k) => xyz[k] >= low && xyz[k] <= high);
      return isInside ? this.nearest(xyz) : null;
    }

    // Lowest and highest coordinate in mm, along x, y and z.
    get range() {
      return this.axes.map((axis) =>
        axis.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]),
      );
    }

    _squaredDistance(vertex, [x0, y0, z0]) {
      const [x, y, z] = this.axes;
      const [dx, dy, dz] = [x[vertex] - x0, y[vertex] - y0, z[vertex] - z0];
      return dx * dx + dy * dy + dz * dz;
    }

    // To the neighbour that lies most in a direction, as it is drawn; null if none does.
    step(vertex, direction) {
      const at = (v) => this.points.subarray(3 * v, 3 * v + 3);
      const from = at(vertex);
      let [best, most] = [null, 0.3];
      for (const other of this.neighbours(vertex)) {
        const way = Array.from(at(other), (value, k) => value - from[k]);
        const along = way.reduce((sum, v, k) => sum + v * direction[k], 0) / (Math.hypot(...way) || 1);
        if (along > most) [best, most] = [other, along];
      }
      return best;
    }

    // Direction out of the drawn mesh at a vertex: the mean direction of its triangles.
    outward(vertex) {
      const { faces } = this.partOf(vertex);
      const sum = [0, 0, 0];
      for (let i = 0; i < faces.length; i += 3) {
        const corners = faces.subarray(i, i + 3);
        if (!corners.includes(vertex)) continue;
        const [a, b, c] = Array.from(corners, (v) => this.points.subarray(3 * v, 3 * v + 3));
        for (let k = 0; k < 3; k++) {
          const [p, q] = [(k + 1) % 3, (k + 2) % 3];
          sum[k] += (b[p] - a[p]) * (c[q] - a[q]) - (b[q] - a[q]) * (c[p] - a[p]);
        }
      }
      return sum;
    }

    textOf(vertex) {
      const { name, start } = this.partOf(vertex);
      return `${name},${vertex - start}`;
    }

    placeFrom(text) {
      const [, name, number] = /^([^,]+),(\d+)$/.exec(text) ?? [];
      const part = this.parts.find((other) => other.name === name);
      const vertex = part ? part.start + Number(number) : NaN;
      return vertex < part?.stop ? vertex : null;
    }

    describe(vertex) {
      const { name, start } = this.partOf(vertex);
      return [["vertex", `${name} ${vertex - start}`]];
    }

    locate(element) {
      const vertex = this.indices[element];
      const { name, start } = this.partOf(vertex);
      const [x, y, z] = this.xyz(vertex);
      return { hemisphere: name, vertex: vertex - start, x, y, z };
    }

    // Area of the elements of each label in mm2, by unit.
    sizes(labels, nLabels) {
      const sizes = new Float64Array(nLabels);
      let element = 0;
      for (const { stop } of this.parts) {
        // Part by part, as Python adds.
        const ofPart = new Float64Array(nLabels);
        for (; this.indices[element] < stop; element++) {
          ofPart[labels[element]] += this.areas[this.indices[element]];
        }
        ofPart.forEach((size, label) => (sizes[label] += size));
      }
      return { mm2: sizes };
    }

    // Elements that are at most a radius away from a point in mm, in space.
    sphere(centre, radius) {
      const most = ari.squaredReach(radius);
      const found = [];
      this.indices.forEach((vertex, element) => {
        if (this._squaredDistance(vertex, centre) <= most) found.push(element);
      });
      return found;
    }

    // Array for values of so many elements: the standard of GIfTI has single precision only.
    newValues(n) {
      return new Float32Array(n);
    }

    // Files of values: one for each part. labels: name and colour of each value, if they are
    // labels.
    files(values, description, labels) {
      const all = this.spread(values);
      return this.parts.map(({ name, start, stop }) => {
        const text = ari.giftiFile(all.slice(start, stop), { part: name, description, labels });
        const ending = labels ? "label.gii" : "func.gii";
        return { ending: `_${name}.${ending}`, parts: [text], type: "application/xml" };
      });
    }
  };

  function axesOf(points, n) {
    return [0, 1, 2].map((axis) => points.subarray(axis * n, (axis + 1) * n));
  }
})((globalThis.ari ??= {}));
