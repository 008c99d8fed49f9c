// A volume in 3D by niivue: an anatomical image, and an image of shades. It is slow without a
// graphics card, so it follows when nothing has changed for a while: the last state wins.
(function (ari) {
  "use strict";

  const SETTLED = 120; // ms

  ari.Rendering = class Rendering {
    // onMove is called with a voxel when one was clicked, onTurn when the brain was turned.
    static async create({ canvas, grid, onMove, onTurn }) {
      const rendering = new Rendering();
      rendering.grid = new ari.CoarseGrid(grid);
      const nv = new niivue.Niivue({
        ...ari.NIIVUE,
        crosshairColor: [1, 0.18, 0.58, 0.9],
        crosshairWidth: 0.7,
        crosshairWidthUnit: "mm",
        crosshairGap: 7,
        show3Dcrosshair: true,
        isOrientationTextVisible: false,
      });
      rendering.nv = nv;
      await nv.attachToCanvas(canvas, false);
      nv.addColormap("ari", ari.colourMap(ari.tableOfShades(ari.coloursOf("tdp", "viridis"))));
      const anatomy = grid.background
        ? rendering.grid.means(grid.background)
        : rendering.grid.shades(new Uint8Array(grid.indices.length).fill(70));
      nv.addVolume(await rendering._image("anatomy", anatomy, "gray"));
      rendering.overlay = await rendering._image("overlay", new Uint8Array(rendering.grid.size), "ari");
      nv.addVolume(rendering.overlay);
      nv.setInterpolation(true);
      nv.setSliceType(niivue.SLICE_TYPE.RENDER);
      nv.setRenderAzimuthElevation(120, 15);
      nv.onLocationChange = () => {
        if (!rendering._moving) onMove(rendering._voxel);
      };
      nv.scene.onAzimuthElevationChange = onTurn;
      return rendering;
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
    // the file.
    get _voxel() {
      const voxel = [0, 0, 0];
      this.overlay.permRAS.forEach((signed, k) => {
        const axis = Math.abs(signed) - 1;
        const fraction = this.nv.scene.crosshairPos[k];
        voxel[axis] = this.grid.voxelAt(signed > 0 ? fraction : 1 - fraction, axis);
      });
      return voxel;
    }

    _fractionsOf(voxel) {
      return this.overlay.permRAS.map((signed) => {
        const axis = Math.abs(signed) - 1;
        const fraction = this.grid.fractionOf(voxel[axis], axis);
        return signed > 0 ? fraction : 1 - fraction;
      });
    }

    set isShown(isShown) {
      this._isShown = isShown;
      if (isShown) this._later();
    }

    // Draw something, in a while. changes: painted (as for slices), voxel, back.
    follow(changes) {
      this._changes = { ...this._changes, ...changes };
      if (this._isShown) this._later();
    }

    // While a slider is dragged nothing is drawn.
    set isHeld(isHeld) {
      this._isHeld = isHeld;
      if (isHeld) clearTimeout(this._timer);
      else if (this._changes && this._isShown) this._later();
    }

    _later() {
      clearTimeout(this._timer);
      if (!this._isHeld) this._timer = setTimeout(() => this.settle(), SETTLED);
    }

    // Draw what is to be drawn now.
    settle() {
      clearTimeout(this._timer);
      if (!this._changes) return;
      const { nv, overlay, grid, _changes: { painted, voxel, back } } = this;
      this._changes = null;
      this._moving = true;
      if (back) nv.opts.backColor = back;
      if (voxel) nv.scene.crosshairPos = this._fractionsOf(voxel);
      if (painted) {
        overlay.img.set(grid.shades(painted.shades));
        nv.addColormap("ari", ari.colourMap(painted.table));
        overlay.opacity = painted.opacity;
        overlay.colormap = "ari";
        nv.updateGLVolume();
      } else {
        nv.drawScene();
      }
      this._moving = false;
    }

    get camera() {
      return [this.nv.scene.renderAzimuth, this.nv.scene.renderElevation];
    }

    set camera([azimuth, elevation]) {
      this.nv.setRenderAzimuthElevation(azimuth, elevation);
    }

    picture(width, height, back) {
      this.settle();
      return ari.glPicture(this.nv, width, height, back);
    }
  };
})((globalThis.ari ??= {}));
