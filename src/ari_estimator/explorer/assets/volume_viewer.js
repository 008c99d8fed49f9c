// A volume: slices and a rendering by niivue, of an anatomical image, an image of shades, and an
// image of the region that is drawn.
(function (ari) {
  "use strict";

  // "Show the rendering, too, where there is room" has a number in niivue, as views have.
  const VIEWS = { multiplanar: 3, axial: 0, coronal: 1, sagittal: 2, render: 4 };
  const RENDERING = 4;
  // A region is hatched: black and white lines run across every slice, and what is below is seen
  // between them, whatever its colours.
  const STRIPES = [ari.STRIPE_SHADES.black, ari.STRIPE_SHADES.white, 0, 0];
  // Axis of the body that a slice lies across.
  const ACROSS = [2, 1, 0];

  // A viewer draws a map, says where one clicks, and what a line encloses.
  ari.VolumeViewer = class VolumeViewer {
    static views() {
      return {
        multiplanar: "slices and 3D",
        axial: "axial",
        coronal: "coronal",
        sagittal: "sagittal",
        render: "3D",
      };
    }

    static hint = "Draw a line around voxels of a slice.";

    // onMove is called with a place when the crosshair was moved in the picture, onTurn when the
    // rendering was turned.
    static async create({ canvas, geometry: grid, onMove, onTurn }) {
      const viewer = new VolumeViewer();
      viewer.grid = grid;
      const nv = new niivue.Niivue({
        ...ari.NIIVUE,
        crosshairColor: [1, 0.18, 0.58, 0.9],
        crosshairWidth: 0.7,
        crosshairWidthUnit: "mm",
        crosshairGap: 7,
        show3Dcrosshair: true,
        isOrientationTextVisible: true,
        isRadiologicalConvention: false,
        multiplanarShowRender: niivue.SHOW_RENDER.ALWAYS,
      });
      viewer.nv = nv;
      await nv.attachToCanvas(canvas, false);
      for (const scale of ["tdp", "statistic", "clusters"]) {
        nv.addColormap(`ari-${scale}`, ari.colourMap(scale));
      }
      nv.addColormap("ari-stripes", ari.stripesMap());
      const anatomy = grid.background ?? grid.spread(new Uint8Array(grid.indices.length).fill(70));
      nv.addVolume(await viewer._image("anatomy", anatomy, "gray"));
      viewer.overlay = await viewer._image("overlay", new Uint8Array(grid.size), "ari-tdp");
      nv.addVolume(viewer.overlay);
      nv.setInterpolation(false);
      nv.opts.multiplanarForceRender = true;
      nv.setSliceType(VIEWS.multiplanar);
      nv.setRenderAzimuthElevation(120, 15);
      nv.onLocationChange = () => {
        if (!viewer._moving) onMove(viewer._place);
      };
      nv.scene.onAzimuthElevationChange = onTurn;
      return viewer;
    }

    _image(name, volume, colormap) {
      return niivue.NVImage.loadFromFile({
        file: new File([ari.niftiFile(volume, this.grid)], `${name}.nii`),
        name: `${name}.nii`,
        colormap,
        cal_min: 0,
        cal_max: 255,
        trustCalMinMax: true,
      });
    }

    // niivue counts along the axes of the body, in fractions of the image: from there to voxels of
    // the file, with fractions.
    _voxelFrom(fractions) {
      const voxel = [0, 0, 0];
      this.overlay.permRAS.forEach((signed, k) => {
        const axis = Math.abs(signed) - 1;
        const index = fractions[k] * this.grid.shape[axis] - 0.5;
        voxel[axis] = signed > 0 ? index : this.grid.shape[axis] - 1 - index;
      });
      return voxel;
    }

    _fractionsOf(voxel) {
      return this.overlay.permRAS.map((signed) => {
        const axis = Math.abs(signed) - 1;
        const n = this.grid.shape[axis];
        return ((signed > 0 ? voxel[axis] : n - 1 - voxel[axis]) + 0.5) / n;
      });
    }

    get _place() {
      return this._voxelFrom(this.nv.scene.crosshairPos).map((index, axis) =>
        Math.min(Math.max(Math.round(index), 0), this.grid.shape[axis] - 1),
      );
    }

    // shades: of each element; outlined: elements of the chosen cluster; region: elements.
    paint({ shades, outlined, region, scale }) {
      const { overlay, grid } = this;
      overlay.img.set(grid.spread(shades));
      for (const index of grid.rim(outlined).outside) overlay.img[index] = ari.OUTLINE_SHADE;
      overlay.colormap = `ari-${scale}`;
      this._paintRegion(region);
      this.nv.updateGLVolume();
    }

    // Its image is made when there is something to draw.
    async _paintRegion(region) {
      if (region === this._regionShown || (!this._region && !region.length)) return;
      this._regionShown = region;
      this._region ??= this._image("region", new Uint8Array(this.grid.size), "ari-stripes").then(
        (image) => {
          this.nv.addVolume(image);
          return image;
        },
      );
      const { img } = await this._region;
      // Meanwhile another one may have been drawn.
      if (region !== this._regionShown) return;
      img.fill(0);
      for (const element of region) {
        const index = this.grid.indices[element];
        const [i, j, k] = this.grid.voxelAt(index);
        img[index] = STRIPES[(i + j + k) % STRIPES.length];
      }
      this.nv.updateGLVolume();
    }

    moveTo(voxel) {
      // Where it was clicked, it stays, and not in the centre of the voxel.
      if (this._place.every((index, axis) => index === voxel[axis])) return;
      this._moving = true;
      this.nv.scene.crosshairPos = this._fractionsOf(voxel);
      this.nv.drawScene();
      this._moving = false;
    }

    // In mm, of a direction to the right, up, or towards the beholder: those of the body.
    direction(onScreen) {
      return onScreen;
    }

    // Elements that a line encloses, in pixels of the canvas; null if it is on no slice.
    enclosed(line) {
      const { nv } = this;
      const onCanvas = line.map((point) => point.map((pixel) => pixel * nv.uiData.dpr));
      // It may begin beside the slice.
      const tile = onCanvas.map((point) => nv.tileIndex(...point)).find((index) => index >= 0);
      const kind = tile === undefined ? RENDERING : nv.screenSlices[tile].axCorSag;
      if (kind >= RENDERING) return null;
      // What lies beside it is drawn along its edge.
      const [left, top, width, height] = nv.screenSlices[tile].leftTopWidthHeight;
      const within = (value, low, size) => Math.min(Math.max(value, low + 0.01), low + size - 0.01);
      const voxels = onCanvas.map(([x, y]) => {
        const at = [within(x, left, width), within(y, top, height)];
        return this._voxelFrom(nv.screenXY2TextureFrac(...at, tile, false));
      });
      return this.grid.enclosed(voxels, Math.abs(this.overlay.permRAS[ACROSS[kind]]) - 1);
    }

    setOpacity(opacity) {
      this.nv.setOpacity(1, opacity);
    }

    setView(view) {
      this.nv.setSliceType(VIEWS[view]);
    }

    // Where the rendering is seen from.
    get camera() {
      return [this.nv.scene.renderAzimuth, this.nv.scene.renderElevation];
    }

    set camera([azimuth, elevation]) {
      this.nv.setRenderAzimuthElevation(azimuth, elevation);
    }

    // PNG of what is shown, as a Blob.
    picture() {
      this.nv.drawScene();
      return new Promise((resolve) => this.nv.canvas.toBlob(resolve, "image/png"));
    }
  };

  // What all pictures have in common.
  ari.NIIVUE = {
    backColor: [0, 0, 0, 1],
    isColorbar: false,
    dragAndDropEnabled: false,
    loadingText: "",
    logLevel: "error",
    isAntiAlias: false,
  };
})((globalThis.ari ??= {}));
