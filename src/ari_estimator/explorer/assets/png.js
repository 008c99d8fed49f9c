// PNG files that say how large their pixels are.
(function (ari) {
  "use strict";

  const SIGNATURE = 8; // bytes
  const INCH = 0.0254; // m

  const CRCS = Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    return c;
  });

  function crc(bytes) {
    let c = 0xffffffff;
    for (const byte of bytes) c = CRCS[(c ^ byte) & 255] ^ (c >>> 8);
    return (c ^ 0xffffffff) >>> 0;
  }

  // Chunk pHYs of the standard.
  function sizeOfPixels(dpi) {
    const chunk = new DataView(new ArrayBuffer(21));
    chunk.setUint32(0, 9);
    [..."pHYs"].forEach((letter, k) => chunk.setUint8(4 + k, letter.charCodeAt(0)));
    const perMetre = Math.round(dpi / INCH);
    chunk.setUint32(8, perMetre);
    chunk.setUint32(12, perMetre);
    chunk.setUint8(16, 1); // of a metre
    chunk.setUint32(17, crc(new Uint8Array(chunk.buffer, 4, 13)));
    return new Uint8Array(chunk.buffer);
  }

  // Bytes of a PNG file with its resolution in dots per inch, from a file without it.
  ari.pngWithDpi = function (bytes, dpi) {
    const header = SIGNATURE + 25;
    return [bytes.subarray(0, header), sizeOfPixels(dpi), bytes.subarray(header)];
  };
})((globalThis.ari ??= {}));
