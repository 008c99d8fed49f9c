// Values on surfaces from files of the user, GIfTI, one for each hemisphere.
(function (ari) {
  "use strict";

  const ARRAYS = {
    NIFTI_TYPE_INT32: Int32Array, NIFTI_TYPE_FLOAT32: Float32Array, NIFTI_TYPE_UINT8: Uint8Array,
    NIFTI_TYPE_FLOAT64: Float64Array, NIFTI_TYPE_INT16: Int16Array,
  };

  async function valuesOf(array) {
    const text = array.getElementsByTagName("Data")[0]?.textContent.trim() ?? "";
    const encoding = array.getAttribute("Encoding");
    if (encoding === "ASCII") return Float64Array.from(text.split(/\s+/), Number);
    if (!["Base64Binary", "GZipBase64Binary"].includes(encoding)) {
      throw new Error(`its data are encoded as ${encoding}.`);
    }
    let bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    if (encoding === "GZipBase64Binary") bytes = await ari.inflated(bytes, "deflate");
    const Type = ARRAYS[array.getAttribute("DataType")];
    if (!Type) throw new Error(`its data are ${array.getAttribute("DataType")}.`);
    if (array.getAttribute("Endian") === "BigEndian" && Type.BYTES_PER_ELEMENT > 1) {
      const width = Type.BYTES_PER_ELEMENT;
      for (let k = 0; k + width <= bytes.length; k += width) bytes.subarray(k, k + width).reverse();
    }
    return new Type(bytes.buffer);
  }

  // Name of the part of a mesh that a file is of.
  function partOf(file, structure, mesh) {
    const named = /(?:^|[._-])(?:lh|left|l)(?:[._-]|$)/i.test(file.name)
      ? "left"
      : /(?:^|[._-])(?:rh|right|r)(?:[._-]|$)/i.test(file.name) ? "right" : "";
    const name = { CortexLeft: "left", CortexRight: "right" }[structure] ?? named;
    const only = mesh.parts.length === 1 ? mesh.parts[0] : undefined;
    return mesh.parts.find((part) => part.name === name) ?? (name ? undefined : only);
  }

  async function read(file, mesh) {
    const document = new DOMParser().parseFromString(await file.text(), "application/xml");
    const [array, ...more] = document.getElementsByTagName("DataArray");
    if (document.querySelector("parsererror") || !array) throw new Error(`${file.name} is no GIfTI file.`);
    if (more.length) throw new Error(`${file.name} holds several maps. The page takes one map.`);
    const structure = [...document.getElementsByTagName("MD")].find(
      (md) => md.querySelector("Name")?.textContent.trim() === "AnatomicalStructurePrimary",
    );
    const part = partOf(file, structure?.querySelector("Value")?.textContent.trim(), mesh);
    if (!part) throw new Error(`${file.name} does not say which hemisphere it is of. Name it lh... or rh...`);
    const values = await valuesOf(array);
    const n = part.stop - part.start;
    if (values.length !== n) {
      throw new Error(`${file.name} has ${values.length} vertices, and the ${part.name} hemisphere ${n}.`);
    }
    const names = new Map();
    for (const label of document.getElementsByTagName("Label")) {
      names.set(Number(label.getAttribute("Key")), label.textContent.trim());
    }
    return { part, values, names };
  }

  // The table of a file says what a number is. Where another file calls one otherwise, it gets a
  // number that no file has. Returns the number that each one becomes.
  function renumbered(names, others) {
    const numbers = new Map();
    for (const [label, name] of names) {
      if (!others.has(label) || others.get(label) === name) continue;
      const same = [...others].find(([, other]) => other === name)?.[0];
      const free = 1 + Math.max(...others.keys(), ...names.keys(), ...numbers.values());
      numbers.set(label, label === 0 ? 0 : same ?? free);
    }
    return numbers;
  }

  // Values of files at the tested vertices of a mesh, and names of labels. absent: value where they
  // have none.
  ari.valuesOfSurface = async function (files, mesh, { absent }) {
    const values = new Float64Array(mesh.indices.length).fill(absent);
    const names = new Map();
    const seen = new Map();
    for (const file of files) {
      const { part, values: ofVertex, names: ofFile } = await read(file, mesh);
      if (seen.has(part)) throw new Error(`${file.name} is of the ${part.name} hemisphere, as ${seen.get(part)} is.`);
      seen.set(part, file.name);
      const numbers = renumbered(ofFile, names);
      mesh.indices.forEach((vertex, element) => {
        if (vertex < part.start || vertex >= part.stop) return;
        const value = ofVertex[vertex - part.start];
        values[element] = numbers.get(value) ?? value;
      });
      for (const [label, name] of ofFile) names.set(numbers.get(label) ?? label, name);
    }
    return { values, names };
  };
})((globalThis.ari ??= {}));
