// Where the elements of a CIFTI image lie: vertices of the cortex, then voxels. What is counted and
// measured equals what Space gives in Python, to the last digit.
(function (ari) {
  "use strict";

  // Arrays of a part, without the name of the part.
  function arraysOf(arrays, part) {
    const ofPart = Object.entries(arrays).filter(([name]) => name.startsWith(`${part}_`));
    return Object.fromEntries(ofPart.map(([name, array]) => [name.slice(part.length + 1), array]));
  }

  function joined(Type, ...arrays) {
    const all = new Type(arrays.reduce((sum, array) => sum + array.length, 0));
    let start = 0;
    for (const array of arrays) {
      all.set(array, start);
      start += array.length;
    }
    return all;
  }

  const EMPTY = { size: 0, indices: new Int32Array(0), elementAt: new Int32Array(0), ranks: new Int32Array(0) };

  // A place is the number of a vertex, or a voxel [i, j, k]. Indices count the vertices first, then
  // the voxels.
  ari.Grayordinates = class Grayordinates extends ari.Geometry {
    // info: cortex and volume, each as for a geometry of its own; structures of the parts of the
    // cortex, and voxel_structures: names. arrays: of both, with their names in front; number of
    // the structure of each voxel; columns: place of each element in files; models: XML of them.
    constructor(info, arrays) {
      super();
      this.cortex = info.cortex ? new ari.Mesh(info.cortex, arraysOf(arrays, "cortex")) : null;
      this.volume = info.volume ? new ari.Grid(info.volume, arraysOf(arrays, "volume")) : null;
      this.structures = info.structures;
      this.voxelStructures = info.voxel_structures;
      this._structureOfVoxel = arrays.voxel_structures;
      this._columns = arrays.columns;
      this._models = new TextDecoder().decode(arrays.models);
      const [cortex, volume] = [this.cortex ?? EMPTY, this.volume ?? EMPTY];
      this.nVertices = cortex.indices.length; // that are tested
      this.firstVoxel = cortex.size;
      this.size = cortex.size + volume.size;
      this.indices = joined(Int32Array, cortex.indices, volume.indices.map((index) => index + cortex.size));
      this.elementAt = joined(
        Int32Array, cortex.elementAt,
        volume.elementAt.map((element) => (element < 0 ? -1 : element + this.nVertices)),
      );
      this.ranks = joined(Int32Array, cortex.ranks, volume.ranks.map((rank) => rank + this.nVertices));
      this.spaceCode = this.volume?.spaceCode;
      this.words = {
        one: "grayordinate",
        many: "grayordinates",
        units: [...(this.cortex ? ["mm2"] : []), ...(this.volume ? ["mm3"] : [])],
        format: "CIFTI",
        where: ["structure", ...(this.cortex ? ["vertex"] : []), "x", "y", "z"],
      };
    }

    // Meshes to draw on, as a Mesh has them.
    get meshes() {
      return this.cortex?.meshes ?? {};
    }

    get mesh() {
      return this.cortex?.mesh;
    }

    choose(name) {
      this.cortex.choose(name);
    }

    isOnMesh(place) {
      return typeof place === "number";
    }

    _partOf(place) {
      return this.isOnMesh(place) ? this.cortex : this.volume;
    }

    placeOfElement(element) {
      const { cortex, volume, nVertices } = this;
      return element < nVertices ? cortex.placeOfElement(element) : volume.placeOfElement(element - nVertices);
    }

    // Element at a place, -1 if there is none.
    elementOf(place) {
      return this.elementAt[this.isOnMesh(place) ? place : this.firstVoxel + this.volume.indexOf(place)];
    }

    xyz(place) {
      return this._partOf(place).xyz(place);
    }

    // The tested voxel at a point in mm, or the vertex next to it, or any voxel; null if the point
    // is within the range of neither.
    placeAt(xyz) {
      const voxel = this.volume?.placeAt(xyz) ?? null;
      if (voxel && this.volume.elementOf(voxel) >= 0) return voxel;
      return this.cortex?.placeAt(xyz) ?? voxel;
    }

    get range() {
      const ranges = [this.cortex, this.volume].filter(Boolean).map((part) => part.range);
      return [0, 1, 2].map((k) => [
        Math.min(...ranges.map((range) => range[k][0])), Math.max(...ranges.map((range) => range[k][1])),
      ]);
    }

    step(place, direction) {
      return this._partOf(place).step(place, direction);
    }

    neighbours(index) {
      const { cortex, volume, firstVoxel } = this;
      if (index < firstVoxel) return cortex.neighbours(index);
      return volume.neighbours(index - firstVoxel).map((other) => other + firstVoxel);
    }

    // Vertices are left,12; voxels are their coordinates.
    textOf(place) {
      return this._partOf(place).textOf(place);
    }

    placeFrom(text) {
      return this.cortex?.placeFrom(text) ?? this.volume?.placeFrom(text) ?? null;
    }

    structureAt(place) {
      if (this.isOnMesh(place)) return this.structures[this.cortex.parts.indexOf(this.cortex.partOf(place))];
      const voxel = this.volume.elementOf(place);
      return voxel < 0 ? "" : this.voxelStructures[this._structureOfVoxel[voxel]];
    }

    _vertexOf(place) {
      return place - this.cortex.partOf(place).start;
    }

    describe(place) {
      const structure = this.structureAt(place);
      const lines = structure ? [["structure", ari.structureText(structure)]] : [];
      return this.isOnMesh(place) ? [...lines, ["vertex", String(this._vertexOf(place))]] : lines;
    }

    // Voxels have no number of a vertex.
    locate(element) {
      const place = this.placeOfElement(element);
      const [x, y, z] = this.xyz(place);
      const where = { structure: this.structureAt(place) };
      if (this.cortex) where.vertex = this.isOnMesh(place) ? this._vertexOf(place) : NaN;
      return { ...where, x, y, z };
    }

    // Area and volume of the elements of each label, by unit.
    sizes(labels, nLabels) {
      return {
        ...this.cortex?.sizes(labels.subarray(0, this.nVertices), nLabels),
        ...this.volume?.sizes(labels.subarray(this.nVertices), nLabels),
      };
    }

    // Elements that are at most a radius away from a point in mm, on the cortex and below.
    sphere(centre, radius) {
      const onCortex = this.cortex?.sphere(centre, radius) ?? [];
      const below = this.volume?.sphere(centre, radius) ?? [];
      return [...onCortex, ...below.map((element) => element + this.nVertices)];
    }

    // Elements on the cortex, and voxels, which are counted from the first voxel.
    split(elements) {
      const [onCortex, below] = [[], []];
      for (const element of elements) {
        if (element < this.nVertices) onCortex.push(element);
        else below.push(element - this.nVertices);
      }
      return { cortex: Int32Array.from(onCortex), volume: Int32Array.from(below) };
    }

    // Array for values of so many elements: programs read single precision.
    newValues(n) {
      return new Float32Array(n);
    }

    // A file of values: all grayordinates of the file of the map. labels: as for a Mesh.
    files(values, description, labels) {
      const bytes = ari.ciftiFile(values, {
        columns: this._columns, models: this._models, description, labels,
      });
      const ending = labels ? ".dlabel.nii" : ".dscalar.nii";
      return [{ ending, parts: [bytes], type: "application/octet-stream" }];
    }
  };
})((globalThis.ari ??= {}));
