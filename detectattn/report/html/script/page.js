// What makes the page easier to use; without it, everything can still be read.
(() => {
  "use strict";

  /** The number that a cell begins with; below all others where it has none. */
  function readNumber(text) {
    const found = /[−-]?\d[\d,]*\.?\d*/.exec(text);
    return found ? Number(found[0].replaceAll(",", "").replace("−", "-")) : -Infinity;
  }

  function sortRows(table, column, isNumber, descending) {
    const body = table.tBodies[0];
    const read = (row) => row.cells[column].textContent.trim();
    const compare = isNumber
      ? (a, b) => readNumber(read(a)) - readNumber(read(b))
      : (a, b) => read(a).localeCompare(read(b), undefined, { numeric: true });
    const rows = [...body.rows].sort((a, b) => (descending ? compare(b, a) : compare(a, b)));
    body.append(...rows);
  }

  function makeSortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      if (head.tagName !== "TH") return;
      const isNumber = head.classList.contains("number");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.setAttribute("aria-label", `Sort by ${head.textContent}`);
      head.append(button);
      head.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const descending = before ? before === "ascending" : isNumber;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sortRows(table, column, isNumber, descending);
      });
    });
  }

  document.querySelectorAll("table[data-sortable]").forEach(makeSortable);

  // Only what scrolls needs to be reached by keyboard.
  const fit = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const isWider = target.scrollWidth > target.clientWidth + 1;
      target.classList.toggle("wider", isWider);
      if (isWider) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  document.querySelectorAll(".scroll, .command pre").forEach((region) => fit.observe(region));

  /** To the clipboard; where that is denied, marked so that a key copies it. */
  async function copy(button) {
    const source = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(source.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      button.textContent = "Marked: press Ctrl+C";
    }
    setTimeout(() => (button.textContent = "Copy"), 2500);
  }

  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", () => copy(button));
  }

  const links = new Map([...document.querySelectorAll(".bar a")].map((link) => [link.hash.slice(1), link]));
  const here = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        links.forEach((link) => link.removeAttribute("aria-current"));
        links.get(target.id)?.setAttribute("aria-current", "true");
      }
    },
    { rootMargin: "-20% 0px -75% 0px" },
  );
  document.querySelectorAll("main > section").forEach((section) => here.observe(section));

  // Paper cannot be clicked.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("main details:not([open])")];
    folded.forEach((details) => (details.open = true));
  });
  addEventListener("afterprint", () => folded.forEach((details) => (details.open = false)));
})();
