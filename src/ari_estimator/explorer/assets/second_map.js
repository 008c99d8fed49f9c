// A second map, to be seen beside the tested one: its values where that one is tested.
(function (ari) {
  "use strict";

  ari.SecondMap = class SecondMap {
    // values: by element, NaN for none.
    constructor(name, values) {
      this.name = name;
      this.values = values;
    }

    textAt(element) {
      const value = this.values[element];
      return Number.isNaN(value) ? "no value" : ari.short(value);
    }
  };

  // Names of files without their endings.
  const nameOf = (files) =>
    files.map(({ name }) => name.replace(/(\.(d?scalar|func|shape|nii|gii|gz))+$/i, "")).join(", ");

  // The second map in some files. An Error says what is wrong.
  ari.readSecondMap = async function (files, geometry) {
    const { values } = await ari.readImage(files, geometry, {
      isNearest: false, absent: NaN, what: "of one map",
    });
    if (!values.some(Number.isFinite)) {
      throw new Error(`it has no finite value at any of the tested ${geometry.words.many}. Is it in the space of the map?`);
    }
    return new ari.SecondMap(nameOf(files), values);
  };
})((globalThis.ari ??= {}));
