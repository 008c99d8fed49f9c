// Lines that are drawn around something, in two dimensions.
(function (ari) {
  "use strict";

  // Call a function at points of a closed line that are at most a step apart.
  ari.alongLine = function (line, step, visit) {
    line.forEach((from, k) => {
      const to = line[(k + 1) % line.length];
      const n = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / step));
      for (let i = 0; i < n; i++) {
        visit([from[0] + ((to[0] - from[0]) * i) / n, from[1] + ((to[1] - from[1]) * i) / n]);
      }
    });
  };

  // Whether a point lies in a closed line: by how often the line passes on one side of it.
  ari.isInside = function (line, x, y) {
    let inside = false;
    for (let i = 0, j = line.length - 1; i < line.length; j = i++) {
      const [[xi, yi], [xj, yj]] = [line[i], line[j]];
      if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
    }
    return inside;
  };

  // Call a function with all pairs of integers that lie in a closed line.
  ari.insideLine = function (line, visit) {
    const bounds = [0, 1].map((axis) => {
      const values = line.map((point) => point[axis]);
      return [Math.ceil(Math.min(...values)), Math.floor(Math.max(...values))];
    });
    for (let x = bounds[0][0]; x <= bounds[0][1]; x++) {
      for (let y = bounds[1][0]; y <= bounds[1][1]; y++) {
        if (ari.isInside(line, x, y)) visit(x, y);
      }
    }
  };
})((globalThis.ari ??= {}));
