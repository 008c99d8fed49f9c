// What is shown, as the part of an address after "#", and back.
(function (ari) {
  "use strict";

  // Positions of clusters, as differences of ascending ones: few digits each.
  function positionsTo(text) {
    const steps = text === "" ? [] : text.split(".");
    if (!steps.every((step) => /^[0-9a-z]{1,8}$/.test(step))) return null;
    let position = -1;
    return steps.map((step) => (position += parseInt(step, 36) + 1));
  }

  function positionsFrom(positions) {
    let before = -1;
    return [...positions]
      .sort((a, b) => a - b)
      .map((position) => {
        const step = position - before - 1;
        before = position;
        return step.toString(36);
      })
      .join(".");
  }

  // state: text and numbers by name; clusters: {out, in}, the changes to the clusters of the TDP.
  ari.addressOf = function ({ clusters, ...state }) {
    const address = new URLSearchParams(
      Object.entries(state).filter(([, value]) => value !== null && value !== undefined),
    );
    if (clusters) {
      address.set("out", positionsFrom(clusters.out));
      address.set("in", positionsFrom(clusters.in));
    }
    return `#${address.toString().replaceAll("%2C", ",")}`;
  };

  // State of an address, and what of it is wrong (names). A check takes the text of a name, and
  // returns a value, or null if it is none.
  ari.readAddress = function (hash, checks) {
    const address = new URLSearchParams(hash.slice(1));
    const [state, wrong] = [{}, []];
    for (const [name, check] of Object.entries(checks)) {
      if (!address.has(name)) continue;
      const value = check(address.get(name));
      if (value === null) wrong.push(name);
      else state[name] = value;
    }
    if (address.has("out") || address.has("in")) {
      const [out, taken] = ["out", "in"].map((name) => positionsTo(address.get(name) ?? ""));
      if (out && taken) state.clusters = { out, in: taken };
      else wrong.push("clusters");
    }
    return { state, wrong };
  };

  ari.checkNumber = (low, high) => (text) => {
    const value = text.trim() === "" ? NaN : Number(text);
    return value >= low && value <= high ? value : null;
  };

  // Two numbers, the smaller one first.
  ari.checkRange = (least, most) => (text) => {
    const range = text.split(",").map(ari.checkNumber(least, most));
    const isRight = range.length === 2 && !range.includes(null) && range[0] < range[1];
    return isRight && Number.isFinite(range[1]) ? range : null;
  };

  ari.checkChoice = (choices) => (text) => (choices.includes(text) ? text : null);
})((globalThis.ari ??= {}));
