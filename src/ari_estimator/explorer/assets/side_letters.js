// Letters at the sides of a surface that say how the body lies in the picture.
(function (ari) {
  "use strict";

  // Along each axis in mm: the side of negative values, and the side of positive values.
  const LETTERS = [["L", "R"], ["P", "A"], ["I", "S"]];
  // A direction needs so large a part along one axis. Oblique views have no letters.
  const LEAST = 0.8;
  // On screen: to the left, to the right, up and down.
  const SIDES = { left: [-1, 0, 0], right: [1, 0, 0], top: [0, 1, 0], bottom: [0, -1, 0] };
  // So far from the edge of a figure, in sizes of letters.
  const INSIDE = 0.9;

  // Letter of a direction in mm, "" for none.
  function letterOf(direction) {
    const axis = [0, 1, 2].find((k) => Math.abs(direction[k]) >= LEAST);
    return axis === undefined ? "" : LETTERS[axis][Number(direction[axis] > 0)];
  }

  // Letter at each side. directionOf: direction in mm of a direction on screen.
  ari.sideLetters = (directionOf) =>
    Object.fromEntries(Object.entries(SIDES).map(([side, onScreen]) => [side, letterOf(directionOf(onScreen))]));

  ari.SideLetters = class SideLetters {
    // box: around the picture.
    constructor(box) {
      this.marks = Object.keys(SIDES).map((side) =>
        ari.element("span", "", { class: `side side-${side}`, "aria-hidden": "true" }),
      );
      box.append(...this.marks);
    }

    show(letters) {
      Object.values(letters).forEach((letter, k) => (this.marks[k].textContent = letter));
    }
  };

  // The same in a figure.
  ari.drawSideLetters = function (ink, letters, [left, top, width, height], style) {
    const inside = INSIDE * style.size;
    const [x, y] = [left + width / 2, top + height / 2];
    const places = [
      [left + inside, y], [left + width - inside, y], [x, top + inside], [x, top + height - inside],
    ];
    Object.values(letters).forEach((letter, k) => {
      if (letter) ink.text(letter, ...places[k], { ...style, align: "center", isBold: true });
    });
  };
})((globalThis.ari ??= {}));
