// Long work in turns, so that the page answers between them.
(function (ari) {
  "use strict";

  const TURN = 12; // ms
  // So many steps are done before one looks at the clock.
  const STEPS = 10_000;

  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()();

  // A promise of the next turn. Timers would wait longer.
  const nextTurn = () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(null);
    });

  // Work on n things. work: of some of them, from one on and before another one.
  ari.inTurns = async function (n, work, steps = STEPS) {
    let end = performance.now() + TURN;
    for (let start = 0; start < n; start += steps) {
      if (performance.now() > end) {
        await nextTurn();
        end = performance.now() + TURN;
      }
      work(start, Math.min(start + steps, n));
    }
  };
})((globalThis.ari ??= {}));
