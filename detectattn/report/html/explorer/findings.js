// What the data of the page says of each picture: boxes, who else finds them, and what became of them.
((explorer) => {
  "use strict";

  const OUTCOMES = ["unknown", "right", "wrong", "uncounted"];
  const NUMBERS_A_BOX = 9;
  const NUMBERS_AN_OBJECT = 7;

  /** What may stand on a side of the slider besides a model's place in the list. */
  const TRUTH = "truth";
  const NOTHING = "nothing";

  function* iterRows(flat, length) {
    for (let at = 0; at < flat.length; at += length) yield flat.slice(at, at + length);
  }

  function readBoxes(flat, model, sets, witnesses) {
    return Array.from(iterRows(flat, NUMBERS_A_BOX), ([classIndex, score, outcome, object, set, x0, y0, x1, y1]) => {
      const told = { finders: sets[set], outcome: OUTCOMES[outcome] };
      const mark = markBox(told, witnesses);
      return { ...told, model, classIndex, score: score / 1000, object, x0, y0, x1, y1, mark };
    });
  }

  function markBox(box, witnesses) {
    if (box.outcome === "wrong" || box.outcome === "uncounted") return box.outcome;
    if (witnesses < 2) return "found";
    if (box.finders.length === witnesses) return "all";
    return box.finders.length === 1 ? "one" : "some";
  }

  function markTruth(object, witnesses) {
    if (!object.counts) return "uncounted";
    if (object.finders.length === 0) return "none";
    if (witnesses < 2) return "found";
    return object.finders.length === witnesses ? "all" : "some";
  }

  function readTruth(flat, sets, witnesses) {
    return Array.from(iterRows(flat, NUMBERS_AN_OBJECT), ([classIndex, counts, set, x0, y0, x1, y1]) => {
      const told = { finders: sets[set], counts: counts === 1 };
      return { ...told, classIndex, score: null, x0, y0, x1, y1, mark: markTruth(told, witnesses) };
    });
  }

  /** A picture whose boxes are read when they are first asked for: thousands of pictures open at once. */
  class Picture {
    #raw;
    #sets;
    #findings = null;

    constructor(raw, place, inside, sets) {
      const [source, index, width, height, path, disagreement, , truth, overlays] = raw;
      this.#raw = raw;
      this.#sets = sets;
      this.place = place;
      this.name = index ? `${source} (${index})` : source;
      this.width = width;
      this.height = height;
      this.path = path;
      this.inside = inside !== undefined;
      this.url = inside ?? path;
      this.disagreement = disagreement;
      this.hasTruth = truth !== null;
      this.overlays = overlays.map(([model, title, url]) => ({ model, title, url }));
    }

    get #read() {
      if (!this.#findings) {
        const [flat, objects] = this.#raw.slice(6, 8);
        const witnesses = flat.filter(Boolean).length;
        const found = flat.map((numbers, model) => numbers && readBoxes(numbers, model, this.#sets, witnesses));
        const truth = objects && readTruth(objects, this.#sets, witnesses);
        this.#findings = { found, witnesses, truth };
      }
      return this.#findings;
    }

    /** Detections by model, best first; null where a model has no record of the picture. */
    get found() {
      return this.#read.found;
    }

    /** How many models have a record of the picture. */
    get witnesses() {
      return this.#read.witnesses;
    }

    /** Objects of the ground truth, or null. */
    get truth() {
      return this.#read.truth;
    }

    /** Objects that count and that a model does not find. */
    listMissed(model) {
      if (!this.truth || !this.found[model]) return [];
      return this.truth.filter((o) => o.counts && !o.finders.includes(model)).map((o) => ({ ...o, mark: "missed" }));
    }

    /** Everything that one side of the slider shows. */
    listSide(side) {
      if (side === NOTHING) return [];
      if (side === TRUTH) return this.truth ?? [];
      return [...(this.found[side] ?? []), ...this.listMissed(side)];
    }
  }

  function readStudy(data) {
    return {
      models: data.models,
      classes: data.classes,
      colors: data.colors,
      leftOut: data.leftOut,
      hasTruth: data.pictures.some((raw) => raw[7] !== null),
      pictures: data.pictures.map((raw, place) => new Picture(raw, place, data.inside[place], data.finders)),
    };
  }

  Object.assign(explorer, { TRUTH, NOTHING, readStudy });
})((globalThis.detectattnExplorer ??= {}));
