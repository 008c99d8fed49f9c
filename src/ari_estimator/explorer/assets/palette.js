// Colours, all told apart by the colour-blind. Of 256 shades 0 is transparent, and 250 the outline
// of the chosen cluster. Those in between are the scale, with some room at its ends, since graphics
// cards blend a shade with the ones next to it.
(function (ari) {
  "use strict";

  // Colour maps: of TDPs, and of statistics, whose first half is for negative values.
  const MAPS = {
    tdp: {
      viridis: [
        [68, 1, 84], [72, 40, 120], [62, 74, 137], [49, 104, 142], [38, 130, 142],
        [31, 158, 137], [53, 183, 121], [110, 206, 88], [181, 222, 43], [253, 231, 37],
      ],
      cividis: [
        [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
        [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
      ],
      magma: [
        [20, 14, 54], [59, 15, 112], [100, 26, 128], [140, 41, 129], [183, 55, 121],
        [222, 73, 104], [247, 112, 92], [254, 159, 109], [254, 207, 146], [252, 253, 191],
      ],
    },
    statistic: {
      "blue-orange": [
        [200, 235, 255], [64, 160, 235], [10, 70, 160],
        [170, 66, 0], [240, 140, 10], [255, 240, 170],
      ],
      "cyan-red-yellow": [
        [90, 255, 255], [0, 150, 255], [0, 0, 200],
        [200, 0, 0], [255, 110, 0], [255, 255, 60],
      ],
      "blue-red": [
        [5, 48, 97], [33, 102, 172], [146, 197, 222],
        [244, 165, 130], [178, 24, 43], [103, 0, 31],
      ],
    },
  };
  MAPS.second = MAPS.statistic;
  // Of Okabe and Ito.
  const CLUSTERS = [
    [230, 159, 0], [86, 180, 233], [0, 158, 115], [240, 228, 66],
    [0, 114, 178], [213, 94, 0], [204, 121, 167], [187, 187, 187],
  ];
  const OUTLINE = [255, 45, 149];

  const [FIRST, LAST] = [8, 240];
  const BAND = (LAST - FIRST) / CLUSTERS.length;
  ari.OUTLINE_SHADE = 250;
  ari.OUTLINE_COLOUR = `rgb(${OUTLINE.join(" ")})`;

  // Colour at a fraction of a scale.
  function between(stops, fraction) {
    const at = Math.min(Math.max(fraction, 0), 1) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    return stops[k].map((value, c) => Math.round(value + (at - k) * (stops[k + 1][c] - value)));
  }

  const ofClusters = (fraction) => CLUSTERS[Math.min(Math.floor(fraction * CLUSTERS.length), 7)];

  // Names of the colour maps of a scale; none where colours tell clusters apart.
  ari.colourMapsOf = (scale) => Object.keys(MAPS[scale] ?? {});

  // Colours of a scale: a function of fractions.
  ari.coloursOf = function (scale, name) {
    const stops = MAPS[scale]?.[name];
    return stops ? (fraction) => between(stops, fraction) : ofClusters;
  };

  // Shade of a fraction of a scale.
  ari.shade = (fraction) =>
    FIRST + Math.round(Math.min(Math.max(fraction, 0), 1) * (LAST - FIRST));

  // Fraction of the scale of clusters that is the colour of one: the middle of its band.
  ari.fractionOfCluster = (number) =>
    (((number - 1) % CLUSTERS.length) + 0.5) * (BAND / (LAST - FIRST));

  ari.cssColour = (rgb) => `rgb(${rgb.join(" ")})`;

  // Colour of a cluster.
  ari.clusterColour = (number) => CLUSTERS[(number - 1) % CLUSTERS.length];

  // Red, green, blue and alpha of each shade.
  ari.tableOfShades = function (colours) {
    const table = new Uint8ClampedArray(4 * 256);
    for (let k = 1; k < 256; k++) {
      const rgb =
        k > (LAST + ari.OUTLINE_SHADE) / 2
          ? OUTLINE
          : colours(Math.min(Math.max((k - FIRST) / (LAST - FIRST), 0), 1));
      table.set([...rgb, 255], 4 * k);
    }
    return table;
  };

  // A colour map of niivue.
  ari.colourMap = function (table) {
    const channel = (c) => Array.from({ length: 256 }, (_, k) => table[4 * k + c]);
    const I = Array.from({ length: 256 }, (_, k) => k);
    return { R: channel(0), G: channel(1), B: channel(2), A: channel(3), I };
  };
})((globalThis.ari ??= {}));
