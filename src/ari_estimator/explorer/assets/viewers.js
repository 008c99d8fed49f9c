// Which viewer draws which kind of image.
(function (ari) {
  "use strict";

  const VIEWERS = {
    volume: ari.VolumeViewer, surface: ari.SurfacePair, cifti: ari.CiftiViewer, array: ari.ArrayViewer,
  };

  ari.viewerOf = (map) => VIEWERS[map.info.geometry.kind];
})((globalThis.ari ??= {}));
