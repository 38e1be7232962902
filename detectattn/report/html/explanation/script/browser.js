// Puts the browser of explained pictures together: what is chosen, and what follows from it.
((looks) => {
  "use strict";

  const { make, fillSelect, joinWords } = globalThis.detectattnExplorer;
  const {
    inflate, frameWindow, startChoice, listParts, fitChoice, makeView, isCross, POINTS, drawScale, tellBox,
    Plain, Nothing, Cell, Column,
  } = looks;
  const NO_INFLATE = "This browser is too old to unpack the maps. The sheets in the files beside this page show them.";

  /** The picture and its arrays, once. */
  function load(picture) {
    picture.loaded ??= Promise.all([
      inflate(picture.pack).then((bytes) => (picture.bytes = bytes)),
      Object.assign(picture, { decoded: Object.assign(new Image(), { src: picture.image }) }).decoded.decode(),
    ]);
    return picture.loaded;
  }

  class Browser {
    #root;
    #study;
    #columns;
    #choices;
    #place = 0;
    #shown = null;
    #rows = [];

    constructor(root, study) {
      this.#root = root;
      this.#study = study;
      this.#choices = study.models.map(startChoice);
      this.#columns = study.models.map((model, n) => new Column(model, this.#choices[n], (choice) => this.#choose(n, choice)));
      const spare = make("div", { class: "looks-head is-plain" });
      this.#part("heads").replaceChildren(spare, ...this.#columns.map(({ element }) => element));
      root.style.setProperty("--models", study.models.length);
      root.classList.toggle("is-wide", study.models.length > 3);
      fillSelect(this.#part("picture"), study.pictures.map(({ name }, n) => [n, name]), 0);
      drawScale(this.#part("scale"), study.inferno);
      this.#listen();
      this.#show(0);
    }

    #part(name) {
      return this.#root.querySelector(`[data-part="${name}"]`);
    }

    #listen() {
      this.#part("picture").addEventListener("change", (event) => this.#show(Number(event.target.value)));
      this.#part("before").addEventListener("click", () => this.#show(this.#place - 1));
      this.#part("after").addEventListener("click", () => this.#show(this.#place + 1));
      for (const radio of this.#root.querySelectorAll("[name=looks-window]")) {
        radio.addEventListener("change", () => this.#paint());
      }
      document.addEventListener("keydown", (event) => this.#press(event));
      new ResizeObserver(() => this.#paint()).observe(this.#part("rows"));
    }

    get #isWhole() {
      return this.#root.querySelector("[name=looks-window]:checked").value === "picture";
    }

    async #show(place) {
      const picture = this.#study.pictures[place];
      if (!picture) return;
      this.#place = place;
      this.#tell(picture);
      await load(picture);
      // Another one may have been asked for in the meantime.
      if (this.#study.pictures[this.#place] !== picture) return;
      this.#shown = picture;
      this.#fillRows(picture);
      this.#refresh();
      this.#root.dataset.state = "shown";
      const next = this.#study.pictures[place + 1];
      if (next) load(next);
    }

    #tell(picture) {
      const total = this.#study.pictures.length;
      const number = `${this.#place + 1} of ${total}`;
      this.#part("picture").value = String(this.#place);
      this.#part("number").textContent = number;
      this.#part("printed").textContent = `${picture.name} (${number})`;
      this.#part("before").disabled = this.#place === 0;
      this.#part("after").disabled = this.#place === total - 1;
      const sheet = this.#part("sheet");
      sheet.hidden = picture.sheet === null;
      if (picture.sheet !== null) sheet.href = picture.sheet;
      const below = joinWords(picture.below.map((model) => this.#study.models[model].name));
      const notes = picture.objects.length ? [] : ["No model finds anything in this picture."];
      if (below) notes.push(`No detection of ${below} passes the threshold here: these are the best ones below it.`);
      this.#part("note").textContent = notes.join(" ");
      this.#part("status").textContent = `${picture.name}, ${number}, ${picture.objects.length} objects`;
    }

    #fillRows(picture) {
      const { models, inferno, levels } = this.#study;
      this.#rows = picture.objects.map(({ name, found }) => {
        const boxes = found.filter(Boolean).map(({ box }) => box);
        const cells = models.map((model, n) => {
          const scene = { picture, name, model, inferno, levels, below: picture.below.includes(n) };
          return found[n] ? new Cell(scene, found[n]) : new Nothing(scene);
        });
        return { found, boxes, name, cells, plain: new Plain({ picture, name, boxes: boxes.slice(0, 1) }) };
      });
      this.#part("rows").replaceChildren(...this.#rows.map((row, n) => make(
        "section", { class: "looks-row", "aria-label": `Object ${n + 1}: ${row.name}` },
        make("h4", {}, `${n + 1}. ${row.name}`, make("span", { class: "looks-quiet" }, this.#tellRow(row, picture))),
        row.plain.element, ...row.cells.map(({ element }) => element),
      )));
    }

    #tellRow({ found, boxes }, picture) {
      const who = found.flatMap((detection, n) => (detection ? [this.#study.models[n].name] : []));
      const finders = found.length === 1 ? "" : who.length === found.length ? "found by all, " : `found by ${joinWords(who)} alone, `;
      return `${found.length === 2 ? finders.replace("all", "both") : finders}${boxes.length ? tellBox(boxes[0], picture) : ""}`;
    }

    #choose(model, choice) {
      this.#choices[model] = choice;
      this.#refresh();
    }

    /** Show what is chosen of every detection. */
    #refresh() {
      const picture = this.#shown;
      let levels = 0;
      this.#study.models.forEach((model, n) => {
        const known = listParts(picture, this.#rows.flatMap(({ found }) => found[n] ?? []));
        const choice = fitChoice(this.#choices[n], model, known);
        this.#columns[n].show(choice, known);
        if (isCross(choice) && choice.drawn === POINTS) levels = Math.max(levels, known.levels.length);
        for (const { found, cells } of this.#rows) {
          cells[n].show(found[n] ? makeView(picture, found[n], model, choice) : null);
        }
      });
      this.#tellLevels(levels);
      this.#paint();
    }

    #tellLevels(count) {
      const rank = (n) => (n === 0 ? " (finest)" : n === count - 1 ? " (coarsest)" : "");
      this.#part("levels").replaceChildren(...Array.from({ length: count }, (_, n) => make(
        "span", { class: "looks-level" },
        make("i", { style: `background:${this.#study.levels[n % this.#study.levels.length][0]}` }), `level ${n + 1}${rank(n)}`,
      )));
    }

    #paint() {
      const picture = this.#shown;
      if (!picture) return;
      const whole = { left: 0, top: 0, width: picture.width, height: picture.height };
      this.#root.style.setProperty("--ratio", `${picture.width / picture.height}`);
      for (const { boxes, cells, plain } of this.#rows) {
        const window = this.#isWhole || !boxes.length ? whole : frameWindow(boxes, picture);
        plain.paint(window);
        cells.forEach((cell) => cell.paint(window));
      }
    }

    #press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      const { target } = event;
      if (target.closest?.("input, select, textarea, summary, [contenteditable], .scroll, pre")) return;
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!step || !(this.#root.contains(target) || (target === document.body && this.#isInView()))) return;
      event.preventDefault();
      const cell = target.closest(".looks-cell");
      this.#show(this.#place + step);
      // What had the focus is gone with its picture; a button that leads nowhere cannot have it.
      if (!cell) return;
      const after = this.#part("after");
      (after.disabled ? this.#part("before") : after).focus({ preventScroll: true });
    }

    #isInView() {
      const { top, bottom } = this.#root.getBoundingClientRect();
      return top < innerHeight / 2 && bottom > innerHeight / 2;
    }
  }

  const root = document.getElementById("looks");
  const study = JSON.parse(document.getElementById("looks-data").textContent);
  if (study.pictures?.length) {
    root.hidden = false;
    if (typeof DecompressionStream === "undefined") root.replaceChildren(make("p", {}, NO_INFLATE));
    else new Browser(root, study);
  }
})((globalThis.detectattnLooks ??= {}));
