// The ball that marks the crosshair on a surface: an icosahedron.
(function (ari) {
  "use strict";

  const GOLDEN = (1 + Math.sqrt(5)) / 2;
  const CORNERS = [-1, 1].flatMap((a) =>
    [-GOLDEN, GOLDEN].flatMap((b) => [[0, a, b], [a, b, 0], [b, 0, a]]),
  );

  // Triangles of corners that are 2 apart, seen counterclockwise from outside.
  function sidesOf(corners) {
    const isEdge = (a, b) => Math.abs(Math.hypot(...a.map((v, k) => v - b[k])) - 2) < 1e-6;
    const sides = [];
    corners.forEach((a, i) => {
      corners.forEach((b, j) => {
        corners.forEach((c, k) => {
          if (!(i < j && i < k) || !isEdge(a, b) || !isEdge(b, c) || !isEdge(c, a)) return;
          const [u, v] = [b, c].map((corner) => corner.map((value, axis) => value - a[axis]));
          const normal = [0, 1, 2].map((n) => u[(n + 1) % 3] * v[(n + 2) % 3] - u[(n + 2) % 3] * v[(n + 1) % 3]);
          if (normal.reduce((sum, value, axis) => sum + value * a[axis], 0) > 0) sides.push(i, j, k);
        });
      });
    });
    return sides;
  }

  ari.BALL_SIDES = sidesOf(CORNERS);

  // Corners of a ball: x y z of each.
  ari.ballAt = function (centre, radius) {
    const scale = radius / Math.hypot(1, GOLDEN);
    return Float32Array.from(CORNERS.flat(), (value, i) => centre[i % 3] + scale * value);
  };
})((globalThis.ari ??= {}));
