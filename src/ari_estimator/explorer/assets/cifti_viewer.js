// A CIFTI image: its cortex as a surface, and its voxels on slices beside it. One of both may be
// missing.
(function (ari) {
  "use strict";

  // Voxels alone, where there is a cortex, too.
  const SLICES = "slices";

  const viewsOfVolume = ({ cortex, volume }) => {
    if (!cortex) return ari.VolumeViewer.views();
    return volume ? { [SLICES]: "slices" } : {};
  };

  // A viewer as VolumeViewer and SurfaceViewer are.
  ari.CiftiViewer = class CiftiViewer {
    static views(geometry) {
      const ofCortex = geometry.cortex ? ari.SurfaceViewer.views(geometry.cortex) : {};
      return { ...ofCortex, ...viewsOfVolume(geometry) };
    }

    static hint = "Draw a line around vertices that are seen, or around voxels of a slice.";

    static async create({ frame, geometry, onMove, ...others }) {
      const viewer = new CiftiViewer();
      viewer.frame = frame;
      viewer.geometry = geometry;
      const { cortex, volume } = geometry;
      const how = { ...others, onMove };
      if (cortex && volume) viewer._makeRoomForSlices();
      if (volume) {
        const box = viewer.side ?? frame;
        viewer.volume = await ari.VolumeViewer.create({
          ...how, frame: box, geometry: volume, hasRendering: !cortex,
        });
        if (cortex) viewer.volume.setView(SLICES);
      }
      if (cortex) {
        viewer.cortex = await ari.SurfacePair.create({ ...how, frame, geometry: cortex });
      }
      return viewer;
    }

    // A box for the slices, beside the cortex.
    _makeRoomForSlices() {
      this.side = ari.element("div", "", { id: "side" });
      this.side.append(this.frame.querySelector("#slices"));
      this.frame.append(this.side);
      this.frame.classList.add("split");
    }

    set isMoving(isMoving) {
      for (const viewer of this._viewers) viewer.isMoving = isMoving;
    }

    get _viewers() {
      return [this.cortex, this.volume].filter(Boolean);
    }

    // what: see SlicePicture.set.
    paint(what) {
      const { nVertices } = this.geometry;
      const lists = ["outlined", "marked", "region"];
      const split = lists.map((name) => this.geometry.split(what[name]));
      const partOf = (part, from, to) => ({
        ...what,
        shades: what.shades.subarray(from, to),
        labelOf: (element) => (element < 0 ? 0 : what.labelOf(element + from)),
        ...Object.fromEntries(lists.map((name, k) => [name, split[k][part]])),
        second: what.second && { ...what.second, shades: what.second.shades.subarray(from, to) },
      });
      this.cortex?.paint(partOf("cortex", 0, nVertices));
      this.volume?.paint(partOf("volume", nVertices));
    }

    setColours(colours) {
      for (const viewer of this._viewers) viewer.setColours(colours);
    }

    setOpacity(opacity) {
      for (const viewer of this._viewers) viewer.setOpacity(opacity);
    }

    // The crosshair of the slices moves to the voxel next to the crosshair of the cortex.
    moveTo(place, how) {
      const isOnMesh = this.geometry.isOnMesh(place);
      this._isOnMesh = isOnMesh;
      if (this.cortex) this.cortex.hasBall = isOnMesh;
      if (isOnMesh) this.cortex.moveTo(place, how);
      this.volume?.moveTo(isOnMesh ? this.geometry.volume.nearest(this.geometry.xyz(place)) : place);
    }

    direction(onScreen) {
      return (this._isOnMesh ? this.cortex : this.volume).direction(onScreen);
    }

    chooseMesh() {
      this.cortex.chooseMesh();
    }

    enclosed(line) {
      if (this.volume) {
        const { left, top } = this.volume.canvas.getBoundingClientRect();
        const around = this.frame.getBoundingClientRect();
        const shift = [left - around.left, top - around.top];
        const voxels = this.volume.enclosed(line.map((point) => point.map((value, k) => value - shift[k])));
        if (voxels) return voxels.map((element) => element + this.geometry.nVertices);
      }
      return this.cortex && !this.isOfSlices ? this.cortex.enclosed(line) : null;
    }

    // Whether the cortex is not in sight.
    get isOfSlices() {
      return this.frame.classList.contains("slices-only");
    }

    setView(view) {
      if (!this.cortex) {
        this.volume.setView(view);
        return;
      }
      this.frame.classList.toggle("slices-only", view === SLICES);
      if (view !== SLICES) this.cortex.setView(view);
    }

    async setBeside(isBeside) {
      this.volume?.setBeside(isBeside);
      await this.cortex?.setBeside(isBeside);
    }

    get camera() {
      return (this.cortex ?? this.volume).camera;
    }

    set camera(angles) {
      (this.cortex ?? this.volume).camera = angles;
    }

    // What is shown, for a figure, see VolumeViewer.
    parts(scale, isClear) {
      const ofCortex = this.cortex && !this.isOfSlices ? this.cortex.parts(scale, isClear) : [];
      // The picture of the cortex has no size in mm: it is as wide as a brain is long.
      const inMm = ofCortex.map(({ size: [width, height], draw }) => ({ size: [190, (190 * height) / width], draw }));
      return [...inMm, ...(this.volume?.parts(scale, isClear) ?? [])];
    }
  };
})((globalThis.ari ??= {}));
