// The colour bar on screen: colours with the numbers that they are for.
(function (ari) {
  "use strict";

  const { element } = ari;
  const N_STOPS = 16;

  function gradient(colourAt) {
    const stops = Array.from({ length: N_STOPS }, (_, k) => ari.cssColour(colourAt(k / (N_STOPS - 1))));
    return `linear-gradient(to right, ${stops.join(", ")})`;
  }

  // legend: see Overlays.legend.
  ari.showLegend = function (frame, { title, ramps = [], chips = [] }) {
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
    frame.replaceChildren(...parts);
    frame.setAttribute("aria-label", `Colours: ${title}${words.length ? `, ${words.join(" and ")}` : ""}`);
  };
})((globalThis.ari ??= {}));
