// The colour bar on screen: colours with the numbers that they are for.
(function (ari) {
  "use strict";

  const { element } = ari;
  const N_STOPS = 16;

  function gradient(colourAt) {
    const stops = Array.from({ length: N_STOPS }, (_, k) => ari.cssColour(colourAt(k / (N_STOPS - 1))));
    return `linear-gradient(to right, ${stops.join(", ")})`;
  }

  // legends: see Overlays.legend, one after the other.
  ari.showLegend = function (frame, legends) {
    const shown = legends.map(partsOf);
    // Each with its title in one piece, where they do not fit beside each other.
    const groups = shown.map(({ parts }, k) => {
      const group = element("div", "", { class: legends[k].ramps ? "scale ramps" : "scale" });
      group.append(...parts);
      return group;
    });
    frame.replaceChildren(...groups);
    frame.setAttribute("aria-label", `Colours: ${shown.map(({ words }) => words).join("; ")}`);
  };

  function partsOf({ title, ramps = [], chips = [] }) {
    const parts = [element("strong", title)];
    const words = [];
    for (const { low, high, colourAt } of ramps) {
      const ramp = element("div", "", { class: "ramp" });
      const bar = element("span", "");
      bar.style.background = gradient(colourAt);
      const numbers = element("div", "");
      const values = [low, (low + high) / 2, high].map(ari.short);
      numbers.append(...values.map((value) => element("span", value)));
      ramp.append(bar, numbers);
      parts.push(ramp);
      words.push(`from ${values[0]} to ${values[2]}`);
    }
    for (const { text, colour } of chips) {
      const chip = element("span", text);
      const swatch = element("span", "", { class: "swatch" });
      swatch.style.background = colour;
      chip.prepend(swatch);
      parts.push(chip);
    }
    if (chips.length) words.push("a colour for each, in turn");
    return { parts, words: `${title}${words.length ? `, ${words.join(" and ")}` : ""}` };
  }
})((globalThis.ari ??= {}));
