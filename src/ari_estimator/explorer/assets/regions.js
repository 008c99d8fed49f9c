// An atlas: a label of each element, and names of the labels; its regions with their bounds.
(function (ari) {
  "use strict";

  ari.Atlas = class Atlas {
    // labels: 0 for none, or the place of a name, by element; names: the first one is of none.
    constructor(labels, names, source = "") {
      this.labels = labels;
      this.names = names;
      this.source = source;
    }

    nameAt(element) {
      return this.names[this.labels[element]] ?? "";
    }

    // Elements of each region that has any, by label.
    members() {
      if (this._members) return this._members;
      const counts = new Int32Array(this.names.length);
      for (const label of this.labels) counts[label]++;
      this._members = Array.from(counts, (count, label) => new Int32Array(label ? count : 0));
      const next = new Int32Array(this.names.length);
      this.labels.forEach((label, element) => {
        if (label) this._members[label][next[label]++] = element;
      });
      return this._members;
    }

    // Labels of the regions whose names contain a text. If names equal the text, only their labels.
    find(text) {
      const wanted = text.trim().toLowerCase();
      const members = this.members();
      const labels = [...this.names.keys()].filter((label) => members[label].length);
      const same = labels.filter((label) => this.names[label].toLowerCase() === wanted);
      if (same.length) return same;
      return labels.filter((label) => this.names[label].toLowerCase().includes(wanted));
    }
  };

  // Columns of a file of regions of a map.
  ari.regionColumns = function ({ geometry }) {
    const { many, units, where } = geometry.words;
    return [
      "region", `n_${many}`, ...units.map((unit) => `size_${unit}`), "true_discoveries", "tdp", "peak_stat",
      ...where.map((name) => `peak_${name}`),
    ];
  };

  // Rows of the regions of an atlas, with the bounds of set_bound in Python. In turns: there may be
  // many regions, and large ones.
  ari.regionRows = async function (map, atlas) {
    const { geometry, forest, stat } = map;
    const { many } = geometry.words;
    const members = atlas.members();
    const sizes = geometry.sizes(atlas.labels, atlas.names.length);
    const rows = [];
    const describe = (elements, label) => {
      const bound = forest.setBound(elements);
      const peak = map.peakOf(elements);
      const row = {
        label,
        region: atlas.names[label],
        direction: map.info.two_sided ? "both" : map.info.direction,
        [`n_${many}`]: elements.length,
        ...ari.sizesOf(sizes, label),
        true_discoveries: bound,
        tdp: bound / elements.length,
        peak,
        peak_stat: stat[peak],
      };
      for (const [name, value] of Object.entries(geometry.locate(peak))) row[`peak_${name}`] = value;
      rows.push(row);
    };
    const take = (label) => members[label].length && describe(members[label], label);
    await ari.inTurns(members.length, take, 1);
    return rows;
  };
})((globalThis.ari ??= {}));
