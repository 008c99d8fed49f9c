// The brain: slices and a rendering by niivue, of an anatomical image and an image of shades.
(function (ari) {
  "use strict";

  // "Show the rendering, too, where there is room" has a number in niivue, as views have.
  const VIEWS = { multiplanar: 3, axial: 0, coronal: 1, sagittal: 2, render: 4 };

  ari.Viewer = class Viewer {
    // onMove is called with mm when the crosshair was moved in the picture.
    static async create({ canvas, grid, background, onMove }) {
      const viewer = new Viewer();
      viewer.grid = grid;
      const nv = new niivue.Niivue({
        backColor: [0, 0, 0, 1],
        crosshairColor: [1, 0.18, 0.58, 0.9],
        crosshairWidth: 0.7,
        crosshairWidthUnit: "mm",
        crosshairGap: 7,
        show3Dcrosshair: true,
        isColorbar: false,
        isOrientationTextVisible: true,
        dragAndDropEnabled: false,
        loadingText: "",
        logLevel: "error",
        isRadiologicalConvention: false,
        multiplanarShowRender: niivue.SHOW_RENDER.ALWAYS,
        isAntiAlias: false,
      });
      viewer.nv = nv;
      nv.onLocationChange = ({ mm }) => {
        if (!viewer._moving) onMove([mm[0], mm[1], mm[2]]);
      };
      await nv.attachToCanvas(canvas, false);
      for (const scale of ["tdp", "statistic", "clusters"]) {
        nv.addColormap(`ari-${scale}`, ari.colourMap(scale));
      }
      const image = async (name, volume, colormap) => {
        const buffer = ari.niftiFile(volume, grid);
        return niivue.NVImage.loadFromFile({
          file: new File([buffer], `${name}.nii`),
          name: `${name}.nii`,
          colormap,
          cal_min: 0,
          cal_max: 255,
          trustCalMinMax: true,
        });
      };
      nv.addVolume(await image("anatomy", background, "gray"));
      viewer.shades = new Uint8Array(grid.size);
      viewer.overlay = await image("overlay", viewer.shades, "ari-tdp");
      nv.addVolume(viewer.overlay);
      nv.setInterpolation(false);
      nv.opts.multiplanarForceRender = true;
      nv.setSliceType(VIEWS.multiplanar);
      nv.setRenderAzimuthElevation(120, 15);
      return viewer;
    }

    // shades: by place; ring: places of the outline of the chosen cluster.
    paint(shades, ring, scale) {
      const { overlay, nv } = this;
      overlay.img.set(shades);
      for (const place of ring) overlay.img[place] = ari.OUTLINE_SHADE;
      overlay.colormap = `ari-${scale}`;
      nv.updateGLVolume();
    }

    moveTo(xyz) {
      this._moving = true;
      this.nv.scene.crosshairPos = this.nv.mm2frac(xyz);
      this.nv.drawScene();
      this._moving = false;
    }

    setOpacity(opacity) {
      this.nv.setOpacity(1, opacity);
    }

    setView(view) {
      this.nv.setSliceType(VIEWS[view]);
    }

    // PNG of what is shown, as a Blob.
    picture() {
      this.nv.drawScene();
      return new Promise((resolve) => this.nv.canvas.toBlob(resolve, "image/png"));
    }
  };
})((globalThis.ari ??= {}));
