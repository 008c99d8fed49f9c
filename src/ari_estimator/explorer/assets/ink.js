// What pictures are drawn with: the same lines, texts and images on a canvas and in an SVG file.
(function (ari) {
  "use strict";

  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
  const ANCHORS = { left: "start", center: "middle", right: "end" };

  // What draws on a canvas. By the processor: without a graphics card, pretending to be one takes
  // longer, and these pictures are small.
  ari.contextOf = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

  ari.CanvasInk = class CanvasInk {
    // scale: pixels of the canvas for a unit.
    constructor(canvas, scale) {
      this.context = ari.contextOf(canvas);
      if (!this.context) throw new Error("it has no 2D canvas");
      this.context.setTransform(scale, 0, 0, scale, 0, 0);
    }

    rect([x, y, width, height], fill) {
      this.context.fillStyle = fill;
      this.context.fillRect(x, y, width, height);
    }

    // source: a canvas or another image.
    image(source, [x, y, width, height], { isSmooth = false, opacity = 1 } = {}) {
      const { context } = this;
      context.imageSmoothingEnabled = isSmooth;
      context.imageSmoothingQuality = "high";
      context.globalAlpha = opacity;
      context.drawImage(source, x, y, width, height);
      context.globalAlpha = 1;
    }

    // lines: points x y x y of each; dash: lengths.
    lines(lines, { colour, width, dash = [] }) {
      const { context } = this;
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.setLineDash(dash);
      context.lineCap = dash.length ? "butt" : "square";
      context.beginPath();
      for (const [x, y, ...others] of lines) {
        context.moveTo(x, y);
        for (let k = 0; k < others.length; k += 2) context.lineTo(others[k], others[k + 1]);
      }
      context.stroke();
      context.setLineDash([]);
    }

    text(text, x, y, { size, colour, align = "left", isBold = false, halo = "" }) {
      const { context } = this;
      context.font = `${isBold ? "600 " : ""}${size}px ${FONT}`;
      context.textAlign = align;
      context.textBaseline = "middle";
      if (halo) {
        context.lineJoin = "round";
        context.strokeStyle = halo;
        context.lineWidth = 3;
        context.strokeText(text, x, y);
      }
      context.fillStyle = colour;
      context.fillText(text, x, y);
    }

    clipped([x, y, width, height], draw) {
      const { context } = this;
      context.save();
      context.beginPath();
      context.rect(x, y, width, height);
      context.clip();
      draw();
      context.restore();
    }
  };

  const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  // XML has no control characters, not even as references.
  const escaped = (text) =>
    String(text)
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "")
      .replace(/[&<>"]/g, (letter) => ESCAPES[letter]);
  const short = (value) => Number(value.toFixed(2));

  ari.SvgInk = class SvgInk {
    constructor() {
      this.parts = [];
      this.nClips = 0;
    }

    rect([x, y, width, height], fill) {
      this.parts.push(
        `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${fill}"/>`,
      );
    }

    image(source, [x, y, width, height], { isSmooth = false, opacity = 1 } = {}) {
      const rendering = isSmooth ? "auto" : "pixelated";
      this.parts.push(
        `<image x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" ` +
          `opacity="${opacity}" preserveAspectRatio="none" style="image-rendering:${rendering}" ` +
          `href="${source.toDataURL("image/png")}"/>`,
      );
    }

    lines(lines, { colour, width, dash = [] }) {
      if (!lines.length) return;
      const path = lines
        .map(([x, y, ...others]) => {
          let line = `M${short(x)} ${short(y)}`;
          for (let k = 0; k < others.length; k += 2) line += `L${short(others[k])} ${short(others[k + 1])}`;
          return line;
        })
        .join("");
      this.parts.push(
        `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${short(width)}"` +
          `${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ' stroke-linecap="square"'}/>`,
      );
    }

    text(text, x, y, { size, colour, align = "left", isBold = false, halo = "" }) {
      const stroke = halo ? ` stroke="${halo}" stroke-width="3" paint-order="stroke" stroke-linejoin="round"` : "";
      this.parts.push(
        `<text x="${short(x)}" y="${short(y)}" font-size="${short(size)}" fill="${colour}" ` +
          `text-anchor="${ANCHORS[align]}" dominant-baseline="central"` +
          `${isBold ? ' font-weight="600"' : ""}${stroke}>${escaped(text)}</text>`,
      );
    }

    clipped([x, y, width, height], draw) {
      const id = `clip${this.nClips++}`;
      this.parts.push(
        `<clipPath id="${id}"><rect x="${short(x)}" y="${short(y)}" width="${short(width)}" ` +
          `height="${short(height)}"/></clipPath><g clip-path="url(#${id})">`,
      );
      draw();
      this.parts.push("</g>");
    }

    // Text of a file; mm: of a unit.
    file(width, height, mm, description) {
      return (
        `<?xml version="1.0" encoding="UTF-8"?>\n` +
        `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width * mm)}mm" ` +
        `height="${short(height * mm)}mm" viewBox="0 0 ${short(width)} ${short(height)}" ` +
        `font-family="${escaped(FONT)}"><title>${escaped(description)}</title>` +
        `${this.parts.join("")}</svg>\n`
      );
    }
  };
})((globalThis.ari ??= {}));
