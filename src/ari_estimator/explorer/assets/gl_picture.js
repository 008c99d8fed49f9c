// What niivue draws, as a picture of any size.
(function (ari) {
  "use strict";

  // What all pictures have in common.
  ari.NIIVUE = {
    isColorbar: false,
    dragAndDropEnabled: false,
    loadingText: "",
    logLevel: "error",
    isAntiAlias: false,
  };

  // A canvas with what a niivue draws, in pixels; back: red, green, blue and opacity, from 0 to 1.
  ari.glPicture = function (nv, width, height, back) {
    const { canvas, gl, opts } = nv;
    const before = { width: canvas.width, height: canvas.height, back: opts.backColor };
    const draw = (size, colour) => {
      [canvas.width, canvas.height] = [size.width, size.height];
      gl.viewport(0, 0, canvas.width, canvas.height);
      opts.backColor = colour;
      nv.drawScene();
    };
    const copy = document.createElement("canvas");
    [copy.width, copy.height] = [Math.round(width), Math.round(height)];
    draw(copy, back);
    copy.getContext("2d").drawImage(canvas, 0, 0);
    draw(before, before.back);
    return copy;
  };

  // Red, green, blue and opacity of "rgb(r g b)" or "#rrggbb", as niivue has them.
  ari.rgbaOf = function (colour, opacity = 1) {
    const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour.trim());
    const rgb = hex ? hex.slice(1).map((part) => parseInt(part, 16)) : colour.match(/\d+/g).slice(0, 3);
    return [...rgb.map((value) => Number(value) / 255), opacity];
  };
})((globalThis.ari ??= {}));
