// CIFTI files: a header as of NIfTI-2, an extension in XML that says what rows and columns are, and
// the values.
(function (ari) {
  "use strict";

  // Codes of the standards, nifti2.h and CIFTI-2: type and bits of values; intent, and its name.
  const TYPES = new Map([
    [Int32Array, [8, 32]],
    [Float32Array, [16, 32]],
  ]);
  const INTENTS = { labels: [3007, "ConnDenseLabel"], scalars: [3006, "ConnDenseScalar"] };
  const HEADER = 540;
  const [EXTENSION, CIFTI] = [544, 32];
  const SIGNATURE = [0x6e, 0x2b, 0x32, 0, 0x0d, 0x0a, 0x1a, 0x0a]; // "n+2" and line ends

  // XML of the rows: one map, with a name, and labels if it has some.
  function rowsOf(name, labels) {
    const what = labels ? "LABELS" : "SCALARS";
    return (
      `<MatrixIndicesMap AppliesToMatrixDimension="0" IndicesMapToDataType="CIFTI_INDEX_TYPE_${what}">` +
      `<NamedMap><MapName>${ari.escapedXml(name)}</MapName>${labels ? ari.labelTable(labels) : ""}` +
      "</NamedMap></MatrixIndicesMap>"
    );
  }

  function headerOf({ constructor }, n, dataAt, isOfLabels) {
    const header = new DataView(new ArrayBuffer(HEADER));
    const [code, bits] = TYPES.get(constructor);
    const [intent, intentName] = INTENTS[isOfLabels ? "labels" : "scalars"];
    header.setInt32(0, HEADER, true); // sizeof_hdr
    SIGNATURE.forEach((byte, k) => header.setUint8(4 + k, byte));
    header.setInt16(12, code, true); // datatype
    header.setInt16(14, bits, true); // bitpix
    [6, 1, 1, 1, 1, 1, n, 1].forEach((size, k) => header.setBigInt64(16 + 8 * k, BigInt(size), true));
    for (let k = 0; k < 8; k++) header.setFloat64(104 + 8 * k, 1, true); // pixdim
    header.setBigInt64(168, BigInt(dataAt), true); // vox_offset
    header.setFloat64(176, 1, true); // scl_slope
    header.setInt32(504, intent, true);
    Array.from(intentName, (letter, k) => header.setUint8(508 + k, letter.charCodeAt(0)));
    return header;
  }

  // Bytes of a file. values: Int32Array or Float32Array, by element; columns: place of each element
  // among all grayordinates; models: XML of these; labels: as for giftiFile.
  ari.ciftiFile = function (values, { columns, models, description, labels }) {
    const n = ari.sizeOfModels(models);
    const text = new TextEncoder().encode(
      `<?xml version="1.0" encoding="UTF-8"?><CIFTI Version="2"><Matrix>` +
        `${rowsOf(description, labels)}${models}</Matrix></CIFTI>`,
    );
    // Extensions have a multiple of 16 bytes.
    const size = Math.ceil((text.length + 8) / 16) * 16;
    const dataAt = EXTENSION + size;
    const bytes = new Uint8Array(dataAt + n * values.BYTES_PER_ELEMENT);
    const view = new DataView(bytes.buffer);
    bytes.set(new Uint8Array(headerOf(values, n, dataAt, Boolean(labels)).buffer));
    view.setUint8(HEADER, 1); // there is an extension
    view.setInt32(EXTENSION, size, true);
    view.setInt32(EXTENSION + 4, CIFTI, true);
    bytes.set(text, EXTENSION + 8);
    const all = new values.constructor(n);
    columns.forEach((column, element) => (all[column] = values[element]));
    bytes.set(new Uint8Array(all.buffer), dataAt);
    return bytes;
  };

  // Number of grayordinates that XML tells of.
  ari.sizeOfModels = function (models) {
    const sizes = [...models.matchAll(/<BrainModel\b[^>]*\bIndexCount="(\d+)"/g)].map(([, size]) => Number(size));
    return sizes.reduce((sum, size) => sum + size, 0);
  };
})((globalThis.ari ??= {}));
