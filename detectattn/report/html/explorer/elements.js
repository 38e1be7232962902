// Making elements. Text goes in as text alone.
((explorer) => {
  "use strict";

  /** An element with attributes, properties that start with `on` as listeners, and children or text. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) element.setAttribute(key, String(value));
    }
    element.append(...children);
    return element;
  }

  /** Fill a select with `[value, text]`; keeps what was chosen where it is still to be had. */
  function fillSelect(select, options, chosen) {
    const old = select.options.length === options.length && options.every(([value, text], n) => {
      const option = select.options[n];
      return option.value === String(value) && option.textContent === text;
    });
    if (!old) select.replaceChildren(...options.map(([value, text]) => make("option", { value }, text)));
    select.value = String(chosen);
  }

  const formatCount = (count) => count.toLocaleString("en");
  const plural = (count, noun, nouns = `${noun}s`) => `${formatCount(count)} ${count === 1 ? noun : nouns}`;

  /** `a`, `a and b`, `a, b and c`. */
  function joinWords(words) {
    return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
  }

  Object.assign(explorer, { make, fillSelect, formatCount, plural, joinWords });
})((globalThis.detectattnExplorer ??= {}));
