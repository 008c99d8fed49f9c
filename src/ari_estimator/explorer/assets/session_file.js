// A file of all that was done with a map: clusters, the region that is drawn, and what is shown.
(function (ari) {
  "use strict";

  const FORMAT = "ari_estimator explorer session";
  const VERSION = 1;

  // A number that differs between maps, whatever the name of their files.
  ari.fingerprint = function (map) {
    let hash = 0x811c9dc5;
    const bytes = new Uint8Array(map.stat.buffer, map.stat.byteOffset, map.stat.byteLength);
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
    return `${map.forest.n}-${(hash >>> 0).toString(16)}`;
  };

  // Ascending numbers as differences, and back.
  const toSteps = (values) => Array.from(values, (value, k) => (k ? value - values[k - 1] : value));
  function fromSteps(steps) {
    let sum = 0;
    return Int32Array.from(steps, (step) => (sum += step));
  }

  // Text of a file. state: address, region, and the atlas and the second map that were loaded, if any.
  ari.sessionFile = function (map, { address, region, atlas, second }) {
    return JSON.stringify({
      format: FORMAT,
      version: VERSION,
      map: ari.fingerprint(map),
      address,
      region: toSteps(region),
      atlas: atlas && {
        names: atlas.names, source: atlas.source, labels: Array.from(atlas.labels),
      },
      // JSON has neither NaN nor infinite numbers: they are text.
      second: second && {
        name: second.name, values: Array.from(second.values, (value) => (Number.isFinite(value) ? value : String(value))),
      },
    });
  };

  function secondOf({ name, values }, n) {
    const isMap =
      typeof name === "string" && Array.isArray(values) && values.length === n &&
      values.every((value) => Number.isFinite(value) || ["NaN", "Infinity", "-Infinity"].includes(value));
    if (!isMap) throw new Error("it is damaged.");
    return new ari.SecondMap(name, Float64Array.from(values, Number));
  }

  // State of the text of a file. An Error says what is wrong.
  ari.readSessionFile = function (text, map) {
    let read;
    try {
      read = JSON.parse(text);
    } catch {
      throw new Error("it is no session file.");
    }
    if (read?.format !== FORMAT) throw new Error("it is no session file.");
    if (read.version !== VERSION) {
      throw new Error(`it has version ${read.version}, and this page reads ${VERSION}.`);
    }
    if (read.map !== ari.fingerprint(map)) {
      throw new Error("it belongs to another map, or to another mask of this one.");
    }
    const { n } = map.forest;
    const isLabel = (k, below) => Number.isInteger(k) && k >= 0 && k < below;
    if (typeof read.address !== "string" || !Array.isArray(read.region)) {
      throw new Error("it is damaged.");
    }
    const region = fromSteps(read.region);
    if (!region.every((element, k) => isLabel(element, n) && (!k || element > region[k - 1]))) {
      throw new Error("it is damaged.");
    }
    let atlas = null;
    if (read.atlas) {
      const { names, labels, source } = read.atlas;
      const isAtlas =
        Array.isArray(names) && names.every((name) => typeof name === "string") &&
        Array.isArray(labels) && labels.length === n &&
        labels.every((label) => isLabel(label, names.length));
      if (!isAtlas) throw new Error("it is damaged.");
      atlas = new ari.Atlas(Int32Array.from(labels), names, String(source));
    }
    return { address: read.address, region, atlas, second: read.second ? secondOf(read.second, n) : null };
  };
})((globalThis.ari ??= {}));
