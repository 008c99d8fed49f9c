// Arrays of the page, packed by _packing.py: base64 of zlib of bytes. The first bytes of all numbers
// come first, then all second bytes, and so on.
(function (ari) {
  "use strict";

  const TYPES = {
    uint8: Uint8Array,
    int32: Int32Array,
    float32: Float32Array,
    float64: Float64Array,
  };

  function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
    return bytes;
  }

  async function inflate(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Typed array of {type, n, data}.
  ari.unpack = async function ({ type, n, data }) {
    const columns = await inflate(bytesOf(data));
    const Type = TYPES[type];
    const width = Type.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(n * width);
    for (let k = 0; k < width; k++) {
      for (let i = 0, from = k * n; i < n; i++) bytes[i * width + k] = columns[from + i];
    }
    return new Type(bytes.buffer);
  };

  ari.unpackAll = async function (packed) {
    const names = Object.keys(packed);
    const arrays = await Promise.all(names.map((name) => ari.unpack(packed[name])));
    return Object.fromEntries(names.map((name, i) => [name, arrays[i]]));
  };
})((globalThis.ari ??= {}));
