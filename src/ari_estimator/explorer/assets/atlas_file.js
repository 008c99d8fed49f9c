// Atlases from files of the user: images of labels, and tables of names.
(function (ari) {
  "use strict";

  // Files are read as no more than this.
  const MOST_LABELS = 100_000;

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

  // The atlas in some files. An Error says what is wrong.
  ari.readAtlas = async function (files, geometry) {
    const isTable = (file) => /\.(csv|tsv|txt)$/i.test(file.name);
    const tables = files.filter(isTable);
    const images = files.filter((file) => !isTable(file));
    if (!images.length || tables.length > 1) {
      const wanted = ari.filesWanted(geometry, "of labels");
      throw new Error(`this page takes ${wanted}; and a table of names (CSV, TSV) if you have one.`);
    }
    // What it does not cover is in no region.
    const { values, names } = await ari.readImage(images, geometry, {
      isNearest: true, absent: 0, what: "of labels",
    });
    if (tables.length) {
      for (const [label, name] of ari.readNames(await tables[0].text())) names.set(label, name);
    }
    if (!values.every((value) => Number.isInteger(value) && value >= 0)) {
      const other = values.find((value) => !(Number.isInteger(value) && value >= 0));
      throw new Error(`labels are whole numbers from 0 up. It has ${ari.short(other)}.`);
    }
    const all = new Set();
    await ari.inTurns(values.length, (start, stop) => {
      for (let element = start; element < stop; element++) all.add(values[element]);
    });
    const found = [...all].filter((value) => value > 0).sort((a, b) => a - b);
    if (!found.length) throw new Error(`none of the tested ${geometry.words.many} has a label. Is it in the space of the map?`);
    if (found.length > MOST_LABELS) throw new Error(`it has ${found.length} labels.`);
    const place = new Map(found.map((label, k) => [label, k + 1]));
    const labels = new Int32Array(values.length);
    await ari.inTurns(values.length, (start, stop) => {
      for (let element = start; element < stop; element++) labels[element] = place.get(values[element]) ?? 0;
    });
    const source = files.map((file) => file.name).join(", ");
    return new ari.Atlas(labels, ["", ...found.map((label) => names.get(label) || String(label))], source);
  };
})((globalThis.ari ??= {}));
