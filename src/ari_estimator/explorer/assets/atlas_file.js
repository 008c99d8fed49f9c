// Atlases from files of the user: NIfTI for volumes, GIfTI for surfaces, and tables of names.
(function (ari) {
  "use strict";

  // Files are read as no more than this.
  const MOST_LABELS = 100_000;

  async function inflated(bytes, format) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Names by label, of a table: index and name with a header, as ari and nilearn have it, or lines
  // of a label and a name.
  ari.readNames = function (text) {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"));
    const separator = ["\t", ","].find((letter) => lines[0]?.includes(letter)) ?? /\s+/;
    const cells = lines.map((line) =>
      line.trim().split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1")),
    );
    const head = (cells[0] ?? []).map((cell) => cell.toLowerCase());
    let [index, name] = [head.indexOf("index"), head.indexOf("name")];
    const hasHead = index >= 0 && name >= 0;
    if (!hasHead) [index, name] = [0, 1];
    const names = new Map();
    for (const row of hasHead ? cells.slice(1) : cells) {
      const label = Number(row[index]);
      if (row[index] && Number.isInteger(label) && row[name]) names.set(label, row[name]);
    }
    if (!names.size) throw new Error("the table has no labels with names. It needs the columns index and name.");
    return names;
  };

  // A file that starts as NIfTI 1 and 2 do, unpacked; niivue says nothing of use about others.
  async function niftiOf(file) {
    let bytes = new Uint8Array(await file.arrayBuffer());
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) bytes = await inflated(bytes, "gzip");
    const size = bytes.length > 540 ? new DataView(bytes.buffer).getInt32(0, true) : 0;
    // 348 and 540, in the order of bytes of this machine or of others.
    if (![348, 540, 0x5c010000, 0x1c020000].includes(size)) {
      throw new Error(`${file.name} is no NIfTI file.`);
    }
    return new File([bytes], "atlas.nii");
  }

  // Labels of the elements of a volume.
  async function labelsOfVolume(file, grid) {
    const unpacked = await niftiOf(file);
    const image = await niivue.NVImage.loadFromFile({ file: unpacked, name: unpacked.name });
    const { dims, affine } = image?.hdr ?? {};
    const [nx, ny, nz] = dims?.slice(1, 4) ?? [];
    if (!(image?.img?.length >= nx * ny * nz)) throw new Error(`${file.name} is cut off.`);
    if (dims[0] > 3 && dims[4] > 1) throw new Error("it holds several images. An atlas is one image of labels.");
    const toVoxel = ari.inverse(affine.slice(0, 3));
    const { scl_slope: slope, scl_inter: shift } = image.hdr;
    const values = new Float64Array(grid.indices.length);
    grid.indices.forEach((index, element) => {
      const [x, y, z] = grid.xyz(grid.voxelAt(index));
      const [i, j, k] = toVoxel.map(([a, b, c, d]) => Math.round(a * x + b * y + c * z + d));
      const isInside = i >= 0 && j >= 0 && k >= 0 && i < nx && j < ny && k < nz;
      if (isInside) values[element] = image.img[i + nx * (j + ny * k)] * (slope || 1) + (shift || 0);
    });
    return { values, names: new Map() };
  }

  const ARRAYS = {
    NIFTI_TYPE_INT32: Int32Array, NIFTI_TYPE_FLOAT32: Float32Array, NIFTI_TYPE_UINT8: Uint8Array,
  };

  async function valuesOf(array) {
    const text = array.getElementsByTagName("Data")[0]?.textContent.trim() ?? "";
    const encoding = array.getAttribute("Encoding");
    if (encoding === "ASCII") return Float64Array.from(text.split(/\s+/), Number);
    if (!["Base64Binary", "GZipBase64Binary"].includes(encoding)) {
      throw new Error(`its data are encoded as ${encoding}.`);
    }
    let bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    if (encoding === "GZipBase64Binary") bytes = await inflated(bytes, "deflate");
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

  // Labels of the elements of a surface, from a file of each hemisphere.
  async function labelsOfSurface(files, mesh) {
    const values = new Float64Array(mesh.indices.length);
    const names = new Map();
    for (const file of files) {
      const document = new DOMParser().parseFromString(await file.text(), "application/xml");
      const [array] = document.getElementsByTagName("DataArray");
      if (document.querySelector("parsererror") || !array) throw new Error(`${file.name} is no GIfTI file.`);
      const structure = [...document.getElementsByTagName("MD")].find(
        (md) => md.querySelector("Name")?.textContent.trim() === "AnatomicalStructurePrimary",
      );
      const part = partOf(file, structure?.querySelector("Value")?.textContent.trim(), mesh);
      if (!part) throw new Error(`${file.name} does not say which hemisphere it is of. Name it lh... or rh...`);
      const ofVertex = await valuesOf(array);
      const n = part.stop - part.start;
      if (ofVertex.length !== n) {
        throw new Error(`${file.name} has ${ofVertex.length} vertices, and the ${part.name} hemisphere ${n}.`);
      }
      mesh.indices.forEach((vertex, element) => {
        if (vertex >= part.start && vertex < part.stop) values[element] = ofVertex[vertex - part.start];
      });
      for (const label of document.getElementsByTagName("Label")) {
        names.set(Number(label.getAttribute("Key")), label.textContent.trim());
      }
    }
    return { values, names };
  }

  // The atlas in some files. An Error says what is wrong.
  ari.readAtlas = async function (files, geometry) {
    const isTable = (file) => /\.(csv|tsv|txt)$/i.test(file.name);
    const tables = files.filter(isTable);
    const images = files.filter((file) => !isTable(file));
    const isSurface = geometry.words.format === "GIfTI";
    const wanted = isSurface ? "one label.gii file for each hemisphere" : "one NIfTI file of labels";
    const endings = isSurface ? /\.gii$/i : /\.nii(\.gz)?$/i;
    const isRight = images.length && images.every((file) => endings.test(file.name));
    if (!isRight || (!isSurface && images.length > 1) || tables.length > 1) {
      throw new Error(`this page takes ${wanted}, and a table of names (CSV, TSV) if you have one.`);
    }
    const { values, names } = isSurface
      ? await labelsOfSurface(images, geometry)
      : await labelsOfVolume(images[0], geometry);
    if (tables.length) {
      for (const [label, name] of ari.readNames(await tables[0].text())) names.set(label, name);
    }
    if (!values.every((value) => Number.isInteger(value) && value >= 0)) {
      const other = values.find((value) => !(Number.isInteger(value) && value >= 0));
      throw new Error(`labels are whole numbers from 0 up. It has ${ari.short(other)}.`);
    }
    const found = [...new Set(values)].filter((value) => value > 0).sort((a, b) => a - b);
    if (!found.length) throw new Error(`none of the tested ${geometry.words.many} has a label. Is it in the space of the map?`);
    if (found.length > MOST_LABELS) throw new Error(`it has ${found.length} labels.`);
    const place = new Map(found.map((label, k) => [label, k + 1]));
    const labels = Int32Array.from(values, (value) => place.get(value) ?? 0);
    const source = files.map((file) => file.name).join(", ");
    return new ari.Atlas(labels, ["", ...found.map((label) => names.get(label) || String(label))], source);
  };
})((globalThis.ari ??= {}));
