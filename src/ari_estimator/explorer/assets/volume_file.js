// Volumes from files of the user, NIfTI 1 and 2.
(function (ari) {
  "use strict";

  const GZIP = [0x1f, 0x8b];
  // Affines of one grid differ by no more than this part of a voxel.
  const CLOSE = 1e-2;

  ari.inflated = async function (bytes, format) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  };

  // Bytes of a file that starts as NIfTI 1 and 2 do, unpacked.
  ari.niftiBytes = async function (file) {
    let bytes = new Uint8Array(await file.arrayBuffer());
    if (GZIP.every((byte, k) => bytes[k] === byte)) bytes = await ari.inflated(bytes, "gzip");
    const size = bytes.length > 540 ? new DataView(bytes.buffer).getInt32(0, true) : 0;
    // 348 and 540, in the order of bytes of this machine or of others.
    if (![348, 540, 0x5c010000, 0x1c020000].includes(size)) {
      throw new Error(`${file.name} is no NIfTI file.`);
    }
    return bytes;
  };

  function check(image, name) {
    const { dims } = image?.hdr ?? {};
    const [nx, ny, nz] = dims?.slice(1, 4) ?? [];
    // niivue says nothing of use about others.
    if (!(image?.img?.length >= nx * ny * nz)) throw new Error(`${name} is cut off.`);
    if (dims[0] > 3 && dims[4] > 1) throw new Error("it holds several images. The page takes one image.");
    return [nx, ny, nz];
  }

  // Whether two grids are one: voxels at all corners are at the same places.
  function isSameGrid(shape, affine, grid) {
    const isSameShape = shape.every((n, axis) => n === grid.shape[axis]);
    const voxel = Math.cbrt(grid.voxelVolume);
    return isSameShape && [0, 1, 2, 3, 4, 5, 6, 7].every((corner) => {
      const ijk = shape.map((n, axis) => ((corner >> axis) & 1 ? n - 1 : 0));
      const there = grid.xyz(ijk);
      return there.every((value, row) => {
        const [a, b, c, d] = affine[row];
        return Math.abs(a * ijk[0] + b * ijk[1] + c * ijk[2] + d - value) < CLOSE * voxel;
      });
    });
  }

  const sizesOf = (shape, affine) => {
    const mm = [0, 1, 2].map((axis) => ari.short(Math.hypot(...[0, 1, 2].map((row) => affine[row][axis]))));
    return `${shape.join(" × ")} voxels of ${mm.join(" × ")} mm`;
  };

  // Values of a file at the tested voxels of a grid. isNearest: whether it may lie on another grid;
  // absent: value where it has none.
  ari.valuesOfVolume = async function (bytes, name, grid, { isNearest, absent }) {
    const file = new File([bytes], "image.nii");
    const image = await niivue.NVImage.loadFromFile({ file, name: file.name });
    const shape = check(image, name);
    const [nx, ny, nz] = shape;
    const affine = image.hdr.affine.slice(0, 3);
    if (!isNearest && !isSameGrid(shape, affine, grid)) {
      throw new Error(
        `it has ${sizesOf(shape, affine)}, and the map ${sizesOf(grid.shape, grid.affine)}, or it lies ` +
          "elsewhere. Resample it to the grid of the map, with nilearn.image.resample_to_img.",
      );
    }
    const toVoxel = ari.inverse(affine);
    const { scl_slope: slope, scl_inter: shift } = image.hdr;
    const values = new Float64Array(grid.indices.length).fill(absent);
    const read = (element) => {
      const [x, y, z] = grid.xyz(grid.voxelAt(grid.indices[element]));
      const [i, j, k] = toVoxel.map(([a, b, c, d]) => Math.round(a * x + b * y + c * z + d));
      const isInside = i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz;
      if (isInside) values[element] = image.img[i + nx * (j + ny * k)] * (slope || 1) + (shift || 0);
    };
    await ari.inTurns(values.length, (start, stop) => {
      for (let element = start; element < stop; element++) read(element);
    });
    return values;
  };
})((globalThis.ari ??= {}));
