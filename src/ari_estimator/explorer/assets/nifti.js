// NIfTI-1 files: a header of 348 bytes, four bytes that say that there is no extension, the voxels.
(function (ari) {
  "use strict";

  // Codes and bits of the standard, nifti1.h.
  const TYPES = new Map([
    [Uint8Array, [2, 8]],
    [Int32Array, [8, 32]],
    [Float32Array, [16, 32]],
    [Float64Array, [64, 64]],
  ]);
  const DATA_AT = 352;

  // Bytes of a file, as an ArrayBuffer. volume: typed array in NIfTI's order; spaceCode: what the
  // coordinates are in (1 scanner, 2 aligned, 3 Talairach, 4 MNI).
  ari.niftiFile = function (volume, { shape, affine, spaceCode = 2, description = "" }) {
    const [code, bits] = TYPES.get(volume.constructor);
    const buffer = new ArrayBuffer(DATA_AT + volume.byteLength);
    const header = new DataView(buffer);
    const short = (at, value) => header.setInt16(at, value, true);
    const float = (at, value) => header.setFloat32(at, value, true);
    header.setInt32(0, 348, true); // sizeof_hdr
    [3, ...shape, 1, 1, 1, 1].forEach((value, k) => short(40 + 2 * k, value)); // dim
    short(70, code); // datatype
    short(72, bits); // bitpix
    float(76, 1); // pixdim: its first number belongs to the quaternion
    for (let axis = 0; axis < 3; axis++) {
      float(80 + 4 * axis, Math.hypot(...[0, 1, 2].map((row) => affine[row][axis])));
    }
    float(108, DATA_AT); // vox_offset
    float(112, 1); // scl_slope
    header.setUint8(123, 2); // xyzt_units: mm
    Array.from(description.slice(0, 79), (letter, k) =>
      header.setUint8(148 + k, letter.charCodeAt(0) & 127),
    );
    // The affine is the sform; without a quaternion there is no second one that differs.
    short(252, 0); // qform_code
    short(254, spaceCode); // sform_code
    for (let row = 0; row < 3; row++) {
      affine[row].forEach((value, k) => float(280 + 16 * row + 4 * k, value));
    }
    [0x6e, 0x2b, 0x31, 0].forEach((value, k) => header.setUint8(344 + k, value)); // "n+1"
    new volume.constructor(buffer, DATA_AT).set(volume);
    return buffer;
  };
})((globalThis.ari ??= {}));
