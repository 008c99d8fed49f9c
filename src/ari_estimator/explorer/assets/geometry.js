// Where elements lie, whatever they are. Each kind of image has a geometry of its own, which knows
// places, all that the crosshair can be at; what is drawn has an index for each of them, size in
// all, and elements have some of these (indices).
(function (ari) {
  "use strict";

  const [NEITHER, INSIDE, AROUND] = [0, 1, 2];

  // Files have places in single precision, to about this many mm. As in Python.
  const ROUNDING = 1e-5;

  // The square of the largest distance that counts as at most a radius: elements at the radius are
  // all within reach, or rounding would choose among them.
  ari.squaredReach = (radius) => (radius + ROUNDING * Math.max(radius, 1)) ** 2;

  ari.Geometry = class Geometry {
    // A geometry has a cortex (Mesh), or a volume (Grid), or both; elements of the cortex are first,
    // nVertices of them.

    // Whether a place is a vertex of a mesh.
    isOnMesh() {
      return this.cortex !== null;
    }

    // Whether places have coordinates in mm.
    get hasMm() {
      return true;
    }

    // Sizes of the rest and of the clusters of a partition, by unit.
    partitionSizes(partition) {
      return this.sizes(partition.labels, partition.clusters.length + 1);
    }

    // Values of the elements by index, 0 where there is no element.
    spread(values) {
      const all = new values.constructor(this.size);
      for (let element = 0; element < values.length; element++) {
        all[this.indices[element]] = values[element];
      }
      return all;
    }

    // Indices on both sides of the rim of a set of elements: inside, and outside.
    rim(elements) {
      if (!elements.length) return { inside: [], outside: [] };
      const marks = new Uint8Array(this.size).fill(NEITHER);
      for (const element of elements) marks[this.indices[element]] = INSIDE;
      const rim = { inside: [], outside: [] };
      for (const element of elements) {
        const index = this.indices[element];
        let isAtRim = false;
        for (const other of this.neighbours(index)) {
          if (marks[other] === INSIDE) continue;
          isAtRim = true;
          if (marks[other] === AROUND) continue;
          marks[other] = AROUND;
          rim.outside.push(other);
        }
        if (isAtRim) rim.inside.push(index);
      }
      return rim;
    }
  };
})((globalThis.ari ??= {}));
