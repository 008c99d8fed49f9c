// Numbers and bounds as text.
(function (ari) {
  "use strict";

  // Many times faster than toLocaleString.
  const { format } = new Intl.NumberFormat("en-US");
  ari.count = (n) => format(n);
  // A value that a file holds as infinite is beyond what its numbers can say.
  ari.short = (value) =>
    Number.isFinite(value)
      ? String(Number(value.toPrecision(4)))
      : `off the scale${value < 0 ? " (negative)" : ""}`;

  // A coordinate of an array: a name, or a number.
  ari.coordinateText = (value) =>
    typeof value !== "number" || Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));

  // Structures of CIFTI, such as CORTEX_LEFT.
  ari.structureText = (name) => name.toLowerCase().replaceAll("_", " ");

  // Lower bounds stay lower bounds, and only a bound of 0 is 0.000 or 0.0 %.
  function digitsOf(tdp) {
    let digits = 3;
    while (tdp > 0 && ari.roundedDown(tdp, digits) === 0) digits++;
    return digits;
  }
  ari.proportion = function (tdp) {
    const digits = digitsOf(tdp);
    return ari.roundedDown(tdp, digits).toFixed(digits);
  };
  ari.percent = function (tdp) {
    const digits = digitsOf(tdp);
    return `${(ari.roundedDown(tdp, digits) * 100).toFixed(digits - 2)}\u00a0%`;
  };

  // What is said of the bound of a set; words: of a geometry.
  ari.boundText = function ({ n_tested: n, true_discoveries: bound }, { one, many }) {
    if (!n) return `No tested ${one} is in it.`;
    return `At least ${ari.count(bound)} of ${ari.count(n)} ${many} ${bound === 1 ? "is" : "are"} active: ${ari.percent(bound / n)}`;
  };
})((globalThis.ari ??= {}));
