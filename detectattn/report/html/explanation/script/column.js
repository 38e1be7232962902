// The head of a model's column: which of its maps is shown, or which part of its attention.
((looks) => {
  "use strict";

  const { make, fillSelect } = globalThis.detectattnExplorer;
  const { ALL, BASELINE, CROSS, POINTS, DENSITY, isCross, isHeads, numberOf, tellPart, tellWorth } = looks;
  const SVG = "http://www.w3.org/2000/svg";

  function makeMark(model) {
    const mark = document.createElementNS(SVG, "svg");
    const path = document.createElementNS(SVG, "path");
    mark.setAttribute("viewBox", "-10 -10 20 20");
    mark.setAttribute("class", "sign");
    mark.setAttribute("aria-hidden", "true");
    path.setAttribute("d", model.mark);
    path.setAttribute("fill", model.color);
    mark.append(path);
    return mark;
  }

  const DRAWINGS = [[POINTS, "points"], [DENSITY, "density"]];

  const numbered = (values, word) => [[ALL, `all ${word}s`], ...values.map((value) => [value, tellPart(word, value)])];

  class Column {
    #model;
    #choice;
    #parts;
    #known = { layers: [], heads: [], levels: [], modules: [] };
    #onChange;

    /** `onChange(choice)` is called with every choice of the reader. */
    constructor(model, choice, onChange) {
      this.#model = model;
      this.#choice = choice;
      this.#onChange = onChange;
      const pick = (key, label) => {
        const select = make("select", {
          "aria-label": `${label} of ${model.name}`, onchange: () => this.#change({ [key]: this.#read(key) }),
        });
        return select;
      };
      const what = pick("what", "Map");
      const [drawn, layer] = [pick("drawn", "Drawing"), pick("layer", "Layer")];
      const [head, level] = [pick("head", "Head"), pick("level", "Level")];
      const parts = make("div", { class: "looks-parts" }, drawn, layer, head, level);
      const meaning = make("p", { class: "looks-quiet" }), printed = make("p", { class: "looks-printed" });
      this.#parts = { what, layer, head, level, drawn, parts, meaning, printed };
      this.element = make("div", { class: "looks-head" },
        make("h3", {}, makeMark(model), model.name), what, parts, printed, meaning);
    }

    #read(key) {
      const { value } = this.#parts[key];
      return key === "what" || key === "drawn" ? value : Number(value);
    }

    #change(changed) {
      const parts = "what" in changed ? { layer: ALL, head: ALL, level: ALL } : {};
      this.#onChange({ ...this.#choice, ...parts, ...changed });
    }

    /** Show a choice, and what there is to choose from. */
    show(choice, known) {
      this.#choice = choice;
      this.#known = known;
      this.#fillMaps();
      const { what, layer, head, level, drawn, parts, meaning, printed } = this.#parts;
      const cross = isCross(choice), heads = isHeads(choice);
      parts.hidden = !cross && !heads;
      drawn.hidden = layer.hidden = level.hidden = !cross;
      fillSelect(drawn, DRAWINGS, choice.drawn);
      const count = heads ? known.modules[numberOf(choice.what)].count : 0;
      fillSelect(layer, numbered(known.layers, "layer"), choice.layer);
      fillSelect(head, numbered(heads ? Array.from({ length: count }, (_, n) => n) : known.heads, "head"), choice.head);
      fillSelect(level, numbered(known.levels, "level"), choice.level);
      meaning.textContent = this.#tellMeaning(choice);
      printed.textContent = what.selectedOptions[0]?.textContent ?? "";
    }

    #fillMaps() {
      const { what } = this.#parts;
      const option = ([value, text]) => make("option", { value }, text);
      const group = (label, options) => (options.length ? [make("optgroup", { label }, ...options.map(option))] : []);
      const maps = this.#model.methods.map((method, n) => [`map-${n}`, method]);
      const told = ([value, method]) => [value, `${method.title}: ${tellWorth(method.worth)}`];
      const plain = ([value, method]) => [value, method.title];
      const inside = this.#known.modules.map(({ module }, n) => [`heads-${n}`, `Self-attention, head by head: ${module}`]);
      if (this.#known.layers.length) inside.unshift([CROSS, "Cross-attention: sampling points by layer and head"]);
      what.replaceChildren(
        ...group("Maps", maps.filter(([, method]) => method.worth !== BASELINE).map(told)),
        ...group("Inside the attention", inside),
        ...group("Baselines, which know nothing of the model", maps.filter(([, method]) => method.worth === BASELINE).map(plain)),
      );
      what.value = this.#choice.what;
    }

    #tellMeaning(choice) {
      if (isCross(choice)) {
        return choice.drawn === POINTS ? "Places that the detection's query reads: size by weight, colour by level."
          : "Where those places lie, each as wide as it is read.";
      }
      if (isHeads(choice)) return "What the places inside the box attend to; each head on its own scale.";
      return this.#model.methods[numberOf(choice.what)]?.meaning ?? "";
    }
  }

  Object.assign(looks, { Column, makeMark });
})((globalThis.detectattnLooks ??= {}));
