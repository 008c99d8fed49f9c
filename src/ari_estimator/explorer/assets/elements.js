// Elements of the page. What they say is text, never HTML.
(function (ari) {
  "use strict";

  ari.at = (id) => document.getElementById(id);

  ari.element = function (tag, text, attributes = {}) {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
})((globalThis.ari ??= {}));
