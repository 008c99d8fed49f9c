// Images from files of the user, of any kind that fits the map: values at its elements.
(function (ari) {
  "use strict";

  const [NIFTI, GIFTI] = [/\.nii(\.gz)?$/i, /\.gii$/i];

  // Files that a page takes, in words. what: such as "of labels".
  ari.filesWanted = function ({ cortex, volume }, what) {
    const kinds = [
      ...(volume ? [`one NIfTI file ${what}`] : []),
      ...(cortex ? [`one GIfTI file ${what} for each hemisphere`] : []),
      ...(cortex ? [`one CIFTI file ${what}`] : []),
    ];
    return kinds.join(", or ");
  };

  // Values of all elements of a geometry, and names of labels, if files have some. isNearest:
  // whether a volume may lie on another grid; absent: value where files have none; what: for
  // messages. An Error says what is wrong.
  ari.readImage = async function (files, geometry, { what, ...how }) {
    const { cortex, volume, nVertices, indices } = geometry;
    const areGifti = cortex && files.length && files.every(({ name }) => GIFTI.test(name));
    const isNifti = files.length === 1 && NIFTI.test(files[0].name);
    const wanted = `this page takes ${ari.filesWanted(geometry, what)}.`;
    const values = new Float64Array(indices.length).fill(how.absent);
    if (areGifti) {
      const read = await ari.valuesOfSurface(files, cortex, how);
      values.set(read.values);
      return { values, names: read.names };
    }
    if (!isNifti) throw new Error(wanted);
    const [{ name }] = files;
    const bytes = await ari.niftiBytes(files[0]);
    if (ari.isCifti(bytes)) return ari.valuesOfCifti(bytes, name, geometry, how);
    if (!volume) throw new Error(`it is a volume, and the map lies on a surface; ${wanted}`);
    values.set(await ari.valuesOfVolume(bytes, name, volume, how), nVertices);
    return { values, names: new Map() };
  };
})((globalThis.ari ??= {}));
