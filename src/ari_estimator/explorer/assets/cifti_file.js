// CIFTI files of the user: maps and labels on vertices and voxels.
(function (ari) {
  "use strict";

  // Where a header of NIfTI-2 says things, and the code of an extension in XML.
  const [DATATYPE, DIMENSIONS, OFFSET, SLOPE] = [12, 16, 168, 176];
  const [HAS_EXTENSION, EXTENSION, CIFTI] = [540, 544, 32];
  const READERS = {
    2: [1, (view, at) => view.getUint8(at)],
    4: [2, (view, at, little) => view.getInt16(at, little)],
    8: [4, (view, at, little) => view.getInt32(at, little)],
    16: [4, (view, at, little) => view.getFloat32(at, little)],
    64: [8, (view, at, little) => view.getFloat64(at, little)],
    256: [1, (view, at) => view.getInt8(at)],
    512: [2, (view, at, little) => view.getUint16(at, little)],
    768: [4, (view, at, little) => view.getUint32(at, little)],
  };
  const SIDES = { CORTEX_LEFT: "left", CORTEX_RIGHT: "right" };
  // Voxels of one grid are no further apart, in voxels.
  const CLOSE = 0.1;

  const numbers = (element) => (element?.textContent.trim() ?? "").split(/\s+/).filter(Boolean).map(Number);

  // XML of a CIFTI file; "" if the bytes of a NIfTI file are none.
  function xmlOf(bytes, isLittle) {
    const view = new DataView(bytes.buffer);
    if (view.getInt32(0, isLittle) !== 540 || !view.getUint8(HAS_EXTENSION)) return "";
    const end = Number(view.getBigInt64(OFFSET, isLittle));
    for (let at = EXTENSION; at + 8 < Math.min(end, bytes.length); ) {
      const [size, code] = [0, 4].map((k) => view.getInt32(at + k, isLittle));
      if (code === CIFTI) {
        return new TextDecoder().decode(bytes.subarray(at + 8, at + size)).replace(/\0+$/, "").trim();
      }
      if (size < 16) return "";
      at += size;
    }
    return "";
  }

  ari.isCifti = (bytes) => [true, false].some((isLittle) => xmlOf(bytes, isLittle) !== "");

  function modelOf(element) {
    const attribute = (name) => element.getAttribute(name);
    return {
      structure: attribute("BrainStructure").replace("CIFTI_STRUCTURE_", ""),
      isSurface: attribute("ModelType") === "CIFTI_MODEL_TYPE_SURFACE",
      start: Number(attribute("IndexOffset")),
      n: Number(attribute("IndexCount")),
      nVertices: Number(attribute("SurfaceNumberOfVertices")),
      vertices: numbers(element.getElementsByTagName("VertexIndices")[0]),
      voxels: numbers(element.getElementsByTagName("VoxelIndicesIJK")[0]),
    };
  }

  // Shape and affine, in mm, of the grid of the voxels; null if there is none.
  function gridOf(document) {
    const [volume] = document.getElementsByTagName("Volume");
    const [transform] = document.getElementsByTagName("TransformationMatrixVoxelIndicesIJKtoXYZ");
    if (!volume || !transform) return null;
    const mm = 10 ** (Number(transform.getAttribute("MeterExponent")) + 3);
    const values = numbers(transform);
    const affine = [0, 1, 2].map((row) => values.slice(4 * row, 4 * row + 4).map((value) => value * mm));
    return { shape: volume.getAttribute("VolumeDimensions").split(",").map(Number), affine };
  }

  // models: of the grayordinates; grid of the voxels; values: by grayordinate; names: of labels.
  function read(bytes, name) {
    const isLittle = xmlOf(bytes, true) !== "";
    const document = new DOMParser().parseFromString(xmlOf(bytes, isLittle), "application/xml");
    const models = [...document.getElementsByTagName("BrainModel")].map(modelOf);
    if (document.querySelector("parsererror") || !models.length) {
      throw new Error(`${name} is damaged, or no dense CIFTI file (dscalar, dlabel).`);
    }
    const view = new DataView(bytes.buffer);
    const size = (k) => Number(view.getBigInt64(DIMENSIONS + 8 * k, isLittle));
    const [nMaps, n] = [size(5), size(6)];
    if (nMaps !== 1) throw new Error(`it holds ${nMaps} maps. The page takes one map.`);
    const [width, get] = READERS[view.getInt16(DATATYPE, isLittle)] ?? [];
    if (!get) throw new Error(`${name} holds numbers of a type that the page does not read.`);
    const dataAt = Number(view.getBigInt64(OFFSET, isLittle));
    const isWhole = models.every((model) => model.start + model.n <= n);
    if (!isWhole || bytes.length < dataAt + n * width) throw new Error(`${name} is cut off.`);
    const [slope, shift] = [0, 8].map((k) => view.getFloat64(SLOPE + k, isLittle));
    const values = Float64Array.from({ length: n }, (_, k) => {
      const value = get(view, dataAt + k * width, isLittle);
      return slope ? value * slope + shift : value;
    });
    const names = new Map();
    for (const label of document.getElementsByTagName("Label")) {
      names.set(Number(label.getAttribute("Key")), label.textContent.trim());
    }
    return { models, grid: gridOf(document), values, names };
  }

  // Place of each vertex of a hemisphere in a file, -1 for none.
  function columnsOfPart(part, models, name) {
    const columns = new Int32Array(part.stop - part.start).fill(-1);
    for (const { structure, isSurface, start, nVertices, vertices } of models) {
      if (!isSurface || SIDES[structure] !== part.name) continue;
      if (nVertices !== columns.length) {
        throw new Error(
          `${name} has a mesh of ${ari.count(nVertices)} vertices in the ${part.name} hemisphere, and the ` +
            `map one of ${ari.count(columns.length)}. Resample it to that mesh, as with ` +
            "wb_command -cifti-resample.",
        );
      }
      vertices.forEach((vertex, k) => (columns[vertex] = start + k));
    }
    return columns;
  }

  function columnsOfVoxels({ models, grid }) {
    const columns = new Map();
    const [nx, ny] = grid.shape;
    for (const { isSurface, start, voxels } of models) {
      if (isSurface) continue;
      for (let k = 0; 3 * k < voxels.length; k++) {
        const [i, j, l] = voxels.slice(3 * k, 3 * k + 3);
        columns.set(i + nx * (j + ny * l), start + k);
      }
    }
    return columns;
  }

  // Values of a file at the tested elements of a geometry, and names of labels. isNearest: whether
  // its voxels may lie on another grid; absent: value where it has none.
  ari.valuesOfCifti = function (bytes, name, { cortex, volume, nVertices, indices }, { isNearest, absent }) {
    const file = read(bytes, name);
    const values = new Float64Array(indices.length).fill(absent);
    for (const part of cortex?.parts ?? []) {
      const columns = columnsOfPart(part, file.models, name);
      cortex.indices.forEach((vertex, element) => {
        if (vertex < part.start || vertex >= part.stop) return;
        const column = columns[vertex - part.start];
        if (column >= 0) values[element] = file.values[column];
      });
    }
    if (volume && file.grid) {
      const columns = columnsOfVoxels(file);
      const { shape, affine } = file.grid;
      const toVoxel = ari.inverse(affine);
      volume.indices.forEach((index, element) => {
        const [x, y, z] = volume.xyz(volume.voxelAt(index));
        const at = toVoxel.map(([a, b, c, d]) => a * x + b * y + c * z + d);
        const voxel = at.map(Math.round);
        if (!isNearest && at.some((value, axis) => Math.abs(value - voxel[axis]) > CLOSE)) {
          throw new Error("its grid of voxels differs from the grid of the map. Resample it to the grid of the map.");
        }
        const isInside = voxel.every((value, axis) => value >= 0 && value < shape[axis]);
        const column = isInside ? columns.get(voxel[0] + shape[0] * (voxel[1] + shape[1] * voxel[2])) : undefined;
        if (column !== undefined) values[nVertices + element] = file.values[column];
      });
    }
    return { values, names: file.names };
  };
})((globalThis.ari ??= {}));
