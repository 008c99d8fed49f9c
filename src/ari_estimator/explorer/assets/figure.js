// A figure for a paper: what is shown, with title, colour bar and what the colours mean.
(function (ari) {
  "use strict";

  // Units are CSS pixels, 96 to the inch. A figure is as wide as two columns.
  const [WIDTH, MOST_HEIGHT] = [680, 470];
  const MM = 25.4 / 96;
  const DPI = 300;
  const SCALE = DPI / 96;
  const [PADDING, MARGIN] = [10, 12];
  const [TITLE, TEXT] = [15, 11];
  const BAR = { width: 130, height: 10, gap: 40 };
  const LEGEND = BAR.height + 3.4 * TEXT;

  ari.BACKGROUNDS = {
    white: { ink: "#111111", back: "#ffffff" },
    black: { ink: "#ffffff", back: "#000000" },
    transparent: { ink: "#111111", back: "#ffffff", isClear: true },
  };

  // Lines of words, each no longer than so many letters.
  function wrapped(text, most) {
    const lines = [""];
    for (const word of text.split(/\s+/)) {
      const line = `${lines.at(-1)} ${word}`.trim();
      if (line.length > most && lines.at(-1)) lines.push(word);
      else lines[lines.length - 1] = line;
    }
    return lines;
  }

  const lettersOf = (size) => Math.floor((WIDTH - 2 * PADDING) / (0.56 * size));

  ari.Figure = class Figure {
    // viewer: what is shown; legends: see Overlays.legend, a row each; captions: texts.
    constructor({ viewer, title, legends, captions, background }) {
      const { ink, back, isClear = false } = ari.BACKGROUNDS[background];
      this.colours = { ink, back };
      this.isClear = isClear;
      this.parts = viewer.parts(SCALE, isClear);
      this.legends = legends;
      this.title = title;
      this.titles = wrapped(title, lettersOf(1.1 * TITLE));
      this.captions = captions.flatMap((caption) => wrapped(caption, lettersOf(TEXT)));
      const sizes = this.parts.map(({ size }) => size);
      // As high as the pictures are where they fill the width, if that is not too much.
      const { scale, places } = ari.arranged(sizes, WIDTH, MOST_HEIGHT, MARGIN);
      const spare = Math.min(...places.map((place) => place.cell.height - place.height));
      const rows = new Set(places.map(({ cell }) => cell.top)).size;
      this.brain = scale > 0 ? MOST_HEIGHT - rows * Math.max(spare - 2 * MARGIN, 0) : MOST_HEIGHT;
      this.places = ari.arranged(sizes, WIDTH, this.brain, MARGIN).places;
      this.above = PADDING + this.titles.length * 1.3 * TITLE;
      this.below = 2 * PADDING + legends.length * LEGEND - TEXT + this.captions.length * 1.4 * TEXT;
      this.height = this.above + this.brain + this.below;
    }

    _draw(ink) {
      const { colours, isClear } = this;
      if (!isClear) ink.rect([0, 0, WIDTH, this.height], colours.back);
      const plain = { colour: colours.ink };
      this.titles.forEach((line, k) => {
        const y = PADDING + (k + 0.5) * 1.3 * TITLE;
        ink.text(line, PADDING, y, { ...plain, size: TITLE, isBold: true });
      });
      this.parts.forEach(({ draw }, k) => {
        const { cell, ...place } = this.places[k];
        const [frame, around] = [place, cell].map(({ left, top, width, height }) => [
          left, this.above + top, width, height,
        ]);
        draw(ink, frame, { colours, size: TEXT, around });
      });
      const y = this.above + this.brain + PADDING;
      this.legends.forEach((legend, k) => this._drawLegend(ink, legend, y + k * LEGEND, plain));
      const below = y + (this.legends.length - 1) * LEGEND;
      this.captions.forEach((line, k) => {
        ink.text(line, PADDING, below + BAR.height + (2.6 + 1.4 * k) * TEXT, { ...plain, size: TEXT });
      });
    }

    _drawLegend(ink, { title, ramps = [], chips = [] }, y, plain) {
      const middle = y + BAR.height / 2;
      const words = 0.58 * TEXT * title.length + 8;
      const size = ramps.length
        ? ramps.length * (BAR.width + BAR.gap) - BAR.gap
        : chips.length * 34;
      let x = Math.max((WIDTH - size - words) / 2, PADDING);
      ink.text(title, x, middle, { ...plain, size: TEXT, isBold: true });
      x += words;
      for (const { low, high, colourAt } of ramps) {
        const strip = document.createElement("canvas");
        [strip.width, strip.height] = [64, 1];
        const context = strip.getContext("2d");
        for (let k = 0; k < 64; k++) {
          context.fillStyle = ari.cssColour(colourAt(k / 63));
          context.fillRect(k, 0, 1, 1);
        }
        ink.image(strip, [x, y, BAR.width, BAR.height]);
        [low, (low + high) / 2, high].forEach((value, k) => {
          const at = x + (BAR.width * k) / 2;
          ink.lines([[at, y + BAR.height, at, y + BAR.height + 3]], { ...plain, width: 0.8 });
          const text = ari.short(value);
          ink.text(text, at, y + BAR.height + 4 + TEXT / 2, { ...plain, size: 0.9 * TEXT, align: "center" });
        });
        x += BAR.width + BAR.gap;
      }
      for (const { text, colour } of chips) {
        ink.rect([x, y, BAR.height, BAR.height], colour);
        ink.text(text, x + BAR.height + 4, middle, { ...plain, size: TEXT });
        x += 34;
      }
    }

    svg() {
      const ink = new ari.SvgInk();
      this._draw(ink);
      return ink.file(WIDTH, this.height, MM, this.title);
    }

    async png() {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [WIDTH, this.height].map((size) => Math.round(size * SCALE));
      this._draw(new ari.CanvasInk(canvas, SCALE));
      const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
      return ari.pngWithDpi(new Uint8Array(await blob.arrayBuffer()), DPI);
    }
  };
})((globalThis.ari ??= {}));
