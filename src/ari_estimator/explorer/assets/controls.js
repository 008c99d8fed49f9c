// Wires: what buttons, boxes, lists and keys do with the page.
(function (ari) {
  "use strict";

  const { at } = ari;

  // Which way on the screen, or in the body, a key moves the crosshair.
  const DIRECTIONS = {
    ArrowLeft: [-1, 0, 0], ArrowRight: [1, 0, 0], ArrowDown: [0, -1, 0],
    ArrowUp: [0, 1, 0], PageDown: [0, 0, -1], PageUp: [0, 0, 1],
  };
  const TOOL_KEYS = { d: "pen", e: "eraser" };

  ari.listen = function (page) {
    const on = (id, event, action) => at(id).addEventListener(event, action);
    let isDragged = false;
    on("tdp-slider", "input", () => {
      page.setTdp(at("tdp-slider").valueAsNumber, { more: isDragged, isMoving: true });
      isDragged = true;
    });
    on("tdp-slider", "change", () => {
      isDragged = false;
      page.show();
    });
    on("tdp", "change", () => page.setTdp(at("tdp").valueAsNumber));
    for (const what of ["undo", "redo", "reset"]) on(what, "click", () => page.history(what));
    on("grow", "click", () => page.change(-1));
    on("shrink", "click", () => page.change(1));
    on("step", "change", () => {
      const step = at("step").valueAsNumber;
      if (step > 0 && step <= 1) page.step = step;
      page.showControls();
    });
    for (const axis of "xyz") {
      on(axis, "change", () => page.moveToXyz([..."xyz"].map((name) => at(name).valueAsNumber)));
    }
    on("radius", "input", () => page.setRadius(at("radius").valueAsNumber));
    on("radius", "change", () => page.showControls());
    on("overlay", "change", () => page.setOverlay(at("overlay").value));
    on("free", "click", () => page.toggleFree());
    on("second", "click", () => page.second.toggle());
    on("beside", "click", () => page.second.setBeside(!page.second.isBeside));
    on("sign", "change", () => page.setSign(Number(at("sign").value)));
    on("outlines", "change", () => page.setOutlines(at("outlines").checked));
    on("colours", "change", () => page.setColourMap(at("colours").value));
    for (const id of ["window-low", "window-high"]) {
      on(id, "change", () =>
        page.setWindow([at("window-low").valueAsNumber, at("window-high").valueAsNumber]),
      );
    }
    on("window-reset", "click", () => page.setWindow(null));
    on("show-clusters", "click", () => page.setTable("clusters"));
    on("show-regions", "click", () => page.setTable("regions"));
    on("go", "submit", (event) => {
      event.preventDefault();
      page.goTo(at("place").value);
    });
    on("opacity", "input", () => page.setOpacity(at("opacity").valueAsNumber));
    on("views", "change", () => page.setView(at("views").value));
    on("meshes", "change", () => page.setMesh(at("meshes").value));
    on("theme", "click", () => {
      page.setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
      page.writeAddress();
    });
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => {
      if (!page.theme) page.setTheme(null);
    });
    for (const tool of Object.values(TOOL_KEYS)) {
      on(tool, "click", () => page.takeTool(page.tool === tool ? null : tool));
    }
    on("add-sphere", "click", () => page.changeRegion(page.inSphere));
    on("add-cluster", "click", () => page.changeRegion(page.map.forest.members(page.clusterHere)));
    on("clear", "click", () => page.changeRegion(page.session.region, { isTakenOut: true }));
    on("save-region", "click", () => page.downloads.region(page.session.region));
    on("add-region", "click", () => {
      const { atlas } = page.map;
      page.changeRegion(atlas.members()[atlas.labels[page.elementHere]]);
    });
    on("save-table", "click", () => {
      if (page.tableKind === "clusters") page.downloads.table(page.found);
      else page.downloads.regions(page.regionRows);
    });
    on("save-labels", "click", () => page.downloads.labels(page.found));
    on("save-tdp", "click", () => page.downloads.tdps(page.found));
    on("save-picture", "click", () => page.downloads.picture(page.figure()));
    on("save-svg", "click", () => page.downloads.svg(page.figure()));
    on("save-session", "click", () => page.saveSession());
    on("open-session", "change", () => opened("open-session", ([file]) => page.openSession(file)));
    on("open-atlas", "change", () => opened("open-atlas", (files) => page.openAtlas(files)));
    on("open-second", "change", () => opened("open-second", (files) => page.second.open(files)));
    for (const id of ["help-button", "help-close"]) on(id, "click", () => toggleHelp());
    closeOutside(["display", "files"]);
    // Before niivue, which has keys of its own and gets none.
    at("stage").addEventListener("keydown", (event) => keyOnBrain(page, event), true);
    document.addEventListener("keydown", (event) => keyOnPage(page, event));
    window.addEventListener("hashchange", () => {
      page.readAddress();
      page.apply();
    });
  };

  // Files that were chosen; the same ones can be chosen again. `ari.opened` is the promise of the
  // last ones.
  function opened(id, action) {
    const files = [...at(id).files];
    at(id).value = "";
    if (files.length) ari.opened = action(files);
  }

  function toggleHelp() {
    const isShown = at("help").hidden;
    at("help").hidden = !isShown;
    at("help-button").setAttribute("aria-expanded", isShown);
    at(isShown ? "help-close" : "help-button").focus();
  }

  // Close what was opened over the page when something else is clicked.
  function closeOutside(ids) {
    document.addEventListener("pointerdown", (event) => {
      for (const id of ids) if (!at(id).contains(event.target)) at(id).open = false;
    });
  }

  // Escape closes the last thing that was opened.
  function closeOpen() {
    if (!at("help").hidden) {
      toggleHelp();
      return true;
    }
    const open = ["display", "files"].find((id) => at(id).open);
    if (!open) return false;
    at(open).open = false;
    at(open).querySelector("summary").focus();
    return true;
  }

  function keyOnBrain(page, event) {
    event.stopPropagation();
    if (!(event.key in DIRECTIONS)) {
      keyOnPage(page, event);
      return;
    }
    event.preventDefault();
    page.moveBy(DIRECTIONS[event.key]);
  }

  function keyOnPage(page, event) {
    const key = event.key.toLowerCase();
    // In a box the browser undoes what was typed, and letters are chosen in lists.
    if (key === "escape" && closeOpen()) return;
    if (event.altKey || ["number", "text", "select-one"].includes(event.target.type)) return;
    if (!event.ctrlKey && !event.metaKey) {
      if (key === "escape" && page.tool) page.takeTool(null);
      else if (key === "?") toggleHelp();
      else if (TOOL_KEYS[key] && !at(TOOL_KEYS[key]).disabled) at(TOOL_KEYS[key]).click();
      return;
    }
    const what = key === "y" || (key === "z" && event.shiftKey) ? "redo" : key === "z" ? "undo" : "";
    if (!what) return;
    event.preventDefault();
    if (!at(what).disabled) page.history(what);
  }
})((globalThis.ari ??= {}));
