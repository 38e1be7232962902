// Draws plots as they come near, the rest when there is time, and all of them before the page is printed.
(() => {
  "use strict";

  const { specs, themes } = JSON.parse(document.getElementById("plots-data").textContent);
  const places = [...document.querySelectorAll("[data-plot]")];
  const drawn = new Map();
  let paper = false;

  const theme = () => (paper || !detectattn.isDark() ? "light" : "dark");

  /** The drawing is told in words, and what there is to choose below it is not part of the picture. */
  function describe(place) {
    const drawing = place.querySelector("svg");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", place.dataset.alt);
    place.removeAttribute("role");
    place.removeAttribute("aria-label");
    place.style.minHeight = "";
  }

  /** Draw a plot in the present theme; does nothing where it stands already. */
  async function draw(place) {
    const wanted = theme();
    const before = drawn.get(place);
    if (before?.theme === wanted) return before.done;
    const done = (before?.done ?? Promise.resolve(null)).then(async (old) => {
      if (drawn.get(place).theme !== wanted) return old;
      const view = await detectattnPlots.embed(place, specs[place.dataset.plot], themes[wanted]);
      describe(place);
      return view;
    });
    drawn.set(place, { theme: wanted, done });
    return done;
  }

  function drawNear() {
    const near = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          near.unobserve(target);
          draw(target);
        }
      },
      { rootMargin: "300px 0px" },
    );
    places.forEach((place) => near.observe(place));
  }

  const idle = (task) => (window.requestIdleCallback ? requestIdleCallback(task, { timeout: 3000 }) : setTimeout(task, 200));

  function drawRest() {
    const next = places.find((place) => !drawn.has(place));
    if (next) draw(next).then(() => idle(drawRest));
  }

  const redraw = () => drawn.forEach((_, place) => draw(place));

  function print(toPaper) {
    paper = toPaper;
    places.forEach(draw);
  }

  async function save(button) {
    const place = places.find((each) => each.dataset.plot === button.dataset.save);
    const view = await draw(place);
    const link = document.createElement("a");
    link.href = await view.background(getComputedStyle(document.body).backgroundColor).toImageURL("png", 2);
    link.download = `${button.dataset.save}.png`;
    link.click();
    view.background("transparent");
  }

  for (const hint of document.querySelectorAll(".hint")) hint.hidden = false;
  for (const button of document.querySelectorAll("[data-save]")) {
    button.hidden = false;
    button.addEventListener("click", () => save(button));
  }
  drawNear();
  addEventListener("load", () => idle(drawRest));
  document.addEventListener("themechange", redraw);
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
})();
