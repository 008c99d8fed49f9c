// GIfTI files: a map on the vertices of one hemisphere, or its labels with names and colours.
(function (ari) {
  "use strict";

  const TYPES = new Map([
    [Int32Array, "NIFTI_TYPE_INT32"],
    [Float32Array, "NIFTI_TYPE_FLOAT32"],
  ]);
  const STRUCTURES = { left: "CortexLeft", right: "CortexRight" };

  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  ari.escapedXml = (text) => String(text).replace(/[&<>"]/g, (letter) => ESCAPES[letter]);

  function base64(values) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const pieces = [];
    for (let i = 0; i < bytes.length; i += 8192) {
      pieces.push(String.fromCharCode(...bytes.subarray(i, i + 8192)));
    }
    return btoa(pieces.join(""));
  }

  const metaData = (entries) =>
    `<MetaData>${Object.entries(entries)
      .map(([name, value]) => `<MD><Name>${ari.escapedXml(name)}</Name><Value>${ari.escapedXml(value)}</Value></MD>`)
      .join("")}</MetaData>`;

  // Table of the names and colours of labels 0, 1, ..., as GIfTI and CIFTI have it.
  ari.labelTable = function (labels) {
    const rows = labels.map(({ name, rgb }, key) => {
      const colour = rgb ? [...rgb.map((c) => (c / 255).toFixed(4)), 1] : [0, 0, 0, 0];
      const [red, green, blue, alpha] = colour;
      return (
        `<Label Key="${key}" Red="${red}" Green="${green}" Blue="${blue}" Alpha="${alpha}">` +
        `${ari.escapedXml(name)}</Label>`
      );
    });
    return `<LabelTable>${rows.join("")}</LabelTable>`;
  };

  // Text of a file. values: Int32Array or Float32Array, by vertex; labels: of 0, 1, ..., if values
  // are labels.
  ari.giftiFile = function (values, { part, description, labels }) {
    const structure = STRUCTURES[part] ? { AnatomicalStructurePrimary: STRUCTURES[part] } : {};
    const intent = labels ? "NIFTI_INTENT_LABEL" : "NIFTI_INTENT_NONE";
    // A GIfTI file names its byte order. Typed arrays have the order of this machine.
    const isLittle = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
    return (
      `<?xml version="1.0" encoding="UTF-8"?>\n` +
      `<GIFTI Version="1.0" NumberOfDataArrays="1">${metaData(structure)}` +
      ari.labelTable(labels ?? []) +
      `<DataArray Intent="${intent}" DataType="${TYPES.get(values.constructor)}" ` +
      `ArrayIndexingOrder="RowMajorOrder" Dimensionality="1" Dim0="${values.length}" ` +
      `Encoding="Base64Binary" Endian="${isLittle ? "LittleEndian" : "BigEndian"}" ` +
      `ExternalFileName="" ExternalFileOffset="">` +
      metaData({ Name: description, ...structure }) +
      `<Data>${base64(values)}</Data></DataArray></GIFTI>\n`
    );
  };
})((globalThis.ari ??= {}));
