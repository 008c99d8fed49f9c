// Files that the page writes: tables, labels, TDPs, the region that is drawn, pictures, a session.
(function (ari) {
  "use strict";

  function save(name, parts, type) {
    const link = ari.element("a", "", { download: name });
    link.href = URL.createObjectURL(new Blob(parts, { type }));
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  ari.Downloads = class Downloads {
    constructor(map) {
      this.map = map;
    }

    _save(name, parts, type) {
      save(`${this.map.info.file_stem}_${name}`, parts, type);
    }

    _saveImage(name, values, description, labels) {
      for (const { ending, parts, type } of this.map.geometry.files(values, description, labels)) {
        this._save(name + ending, parts, type);
      }
    }

    // found: rows of clusters, the row of the rest, and labels.
    table({ rows, rest }) {
      this._save("clusters.csv", [ari.csv([...rows, rest], ari.tableColumns(this.map))], "text/csv");
    }

    labels({ rows, labels }) {
      const names = rows.map(({ cluster_id: id }) => ({
        name: `cluster ${id}`,
        rgb: ari.clusterColour(id),
      }));
      this._saveImage("labels", labels, "ari_estimator clusters", [{ name: "rest" }, ...names]);
    }

    tdps({ rows, labels }) {
      const tdps = this.map.geometry.newValues(labels.length);
      labels.forEach((label, i) => (tdps[i] = label ? rows[label - 1].tdp : 0));
      this._saveImage("tdp", tdps, "ari_estimator TDP of clusters");
    }

    region(elements) {
      const mask = new Int32Array(this.map.forest.n);
      for (const element of elements) mask[element] = 1;
      const labels = [{ name: "rest" }, { name: "region", rgb: [255, 255, 255] }];
      this._saveImage("region", mask, "ari_estimator region", labels);
    }

    regions(rows) {
      this._save("regions.csv", [ari.csv(rows, ari.regionColumns(this.map))], "text/csv");
    }

    async picture(figure) {
      this._save("picture.png", await figure.png(), "image/png");
    }

    svg(figure) {
      this._save("picture.svg", [figure.svg()], "image/svg+xml");
    }

    session(state) {
      this._save("session.json", [ari.sessionFile(this.map, state)], "application/json");
    }
  };
})((globalThis.ari ??= {}));
