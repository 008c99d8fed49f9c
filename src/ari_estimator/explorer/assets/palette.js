// Colours, all told apart by the colour-blind: viridis for TDPs, orange and blue for the signs of a
// statistic, and those of Okabe and Ito for clusters. Of 256 shades 0 is transparent, and 250 the
// outline of the chosen cluster. Those in between are the scale, with some room at its ends, since
// graphics cards blend a shade with the ones next to it.
(function (ari) {
  "use strict";

  const TDP = [
    [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
    [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
  ];
  const STATISTIC = [
    [200, 235, 255], [64, 160, 235], [10, 70, 160], [170, 66, 0], [240, 140, 10], [255, 240, 170],
  ];
  const CLUSTERS = [
    [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66],
    [0, 114, 178], [213, 94, 0], [204, 121, 167], [187, 187, 187],
  ];
  const OUTLINE = [255, 45, 149];

  const [FIRST, LAST] = [8, 240];
  const BAND = (LAST - FIRST) / CLUSTERS.length;
  ari.OUTLINE_SHADE = 250;
  ari.STRIPE_SHADES = { black: 100, white: 250 };

  // Colour at a fraction of a scale.
  function between(stops, fraction) {
    const at = Math.min(Math.max(fraction, 0), 1) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    return stops[k].map((value, c) => Math.round(value + (at - k) * (stops[k + 1][c] - value)));
  }

  const scales = {
    tdp: (fraction) => between(TDP, fraction),
    statistic: (fraction) => between(STATISTIC, fraction),
    clusters: (fraction) => CLUSTERS[Math.min(Math.floor(fraction * CLUSTERS.length), 7)],
  };

  // Shade of a fraction of a scale.
  ari.shade = (fraction) =>
    FIRST + Math.round(Math.min(Math.max(fraction, 0), 1) * (LAST - FIRST));

  // Fraction of the scale of clusters that is the colour of one: the middle of its band.
  ari.fractionOfCluster = (number) =>
    (((number - 1) % CLUSTERS.length) + 0.5) * (BAND / (LAST - FIRST));

  ari.cssColour = (scale, fraction) => `rgb(${scales[scale](fraction).join(" ")})`;

  ari.cssGradient = (scale, from = 0, to = 1) => {
    const stops = Array.from({ length: 12 }, (_, k) =>
      ari.cssColour(scale, from + ((to - from) * k) / 11),
    );
    return `linear-gradient(to right, ${stops.join(", ")})`;
  };

  // Colour of a cluster.
  ari.clusterColour = (number) => CLUSTERS[(number - 1) % CLUSTERS.length];

  // A colour map of niivue for black and white.
  ari.stripesMap = function () {
    const of = (value) => Array.from({ length: 256 }, (_, k) => value(k));
    const { black, white } = ari.STRIPE_SHADES;
    const grey = of((k) => (k < (black + white) / 2 ? 0 : 255));
    return { R: grey, G: grey, B: grey, A: of((k) => (k < black / 2 ? 0 : 255)), I: of((k) => k) };
  };

  // A colour map of niivue.
  ari.colourMap = function (scale) {
    const rgb = Array.from({ length: 256 }, (_, k) => {
      if (k > (LAST + ari.OUTLINE_SHADE) / 2) return OUTLINE;
      return scales[scale](Math.min(Math.max((k - FIRST) / (LAST - FIRST), 0), 1));
    });
    const channel = (c) => rgb.map((colour) => colour[c]);
    return {
      R: channel(0),
      G: channel(1),
      B: channel(2),
      A: rgb.map((_, k) => (k ? 255 : 0)),
      I: rgb.map((_, k) => k),
    };
  };
})((globalThis.ari ??= {}));
