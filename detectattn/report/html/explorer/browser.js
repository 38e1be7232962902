// Puts the picture browser together: what is chosen, and what follows from it.
((explorer) => {
  "use strict";

  const {
    readStudy, listFilters, listOrders, selectPictures, fillSelect, fillPrint, formatCount, plural, isModel,
    nameSide, tellSide, tellPicture, makeTable, Stage, List, TRUTH, NOTHING,
  } = explorer;

  const ANY_CLASS = "";

  /** The two that are set against each other at first. */
  function chooseSides(study) {
    if (study.models.length > 1) return { a: 0, b: 1 };
    return { a: 0, b: study.hasTruth ? TRUTH : NOTHING };
  }

  class Browser {
    #root;
    #view;
    #stage;
    #list;
    #pictures = [];
    #place = 0;

    constructor(root, study) {
      this.#root = root;
      this.#view = {
        study, ...chooseSides(study), picture: null, labels: true, truth: false, maps: { a: -1, b: -1 },
        filter: "all", classIndex: null, text: "", order: "place",
      };
      this.#stage = new Stage(root, this.#view);
      this.#list = new List(root, (place) => this.#choose(place));
      this.#fillControls();
      this.#listen();
      this.#search();
      fillPrint(this.#part("print"), study, this.#view);
    }

    #part(name) {
      return this.#root.querySelector(`[data-part="${name}"]`);
    }

    #fillControls() {
      const { study, a, b, order } = this.#view;
      const sides = study.models.map((model, n) => [n, model.name]);
      if (study.hasTruth) sides.push([TRUTH, "ground truth"]);
      sides.push([NOTHING, "no boxes"]);
      fillSelect(this.#part("a"), sides, a);
      fillSelect(this.#part("b"), sides, b);
      const classes = study.classes.map((name, n) => [n, name]).sort((p, q) => p[1].localeCompare(q[1]));
      fillSelect(this.#part("class"), [[ANY_CLASS, "any class"], ...classes], ANY_CLASS);
      fillSelect(this.#part("order"), listOrders(study), order);
      this.#part("truth-toggle").hidden = !study.hasTruth;
      this.#part("truth-key").hidden = !study.hasTruth;
      this.#fillFilters();
      this.#part("left-out").textContent = this.#tellLeftOut();
    }

    #tellLeftOut() {
      const { study } = this.#view;
      const kept = study.pictures.filter((picture) => picture.path !== null).length;
      const which = study.models.length > 1 ? "the most disputed ones" : "the first ones";
      const notes = [];
      if (study.leftOut) notes.push(`${plural(study.leftOut, "picture")} more took part; these are ${which}.`);
      if (kept && kept < study.pictures.length) {
        notes.push(`Copies were kept of ${plural(kept, "picture")}; of the others the boxes are shown.`);
      }
      return notes.join(" ");
    }

    #fillFilters() {
      const filters = listFilters(this.#view);
      if (!filters.some(([name]) => name === this.#view.filter)) this.#view.filter = "all";
      fillSelect(this.#part("filter"), filters, this.#view.filter);
    }

    #listen() {
      const onSide = (side) => (event) => {
        const { value } = event.target;
        this.#view[side] = value === TRUTH || value === NOTHING ? value : Number(value);
        this.#view.maps[side] = -1;
        this.#fillFilters();
        this.#search(this.#view.picture);
      };
      this.#part("a").addEventListener("change", onSide("a"));
      this.#part("b").addEventListener("change", onSide("b"));
      this.#onChange("filter", (value) => (this.#view.filter = value));
      this.#onChange("class", (value) => (this.#view.classIndex = value === ANY_CLASS ? null : Number(value)));
      this.#onChange("order", (value) => (this.#view.order = value));
      this.#part("text").addEventListener("input", (event) => {
        this.#view.text = event.target.value;
        this.#search();
      });
      for (const name of ["truth", "labels"]) {
        this.#part(name).addEventListener("change", (event) => this.#toggle(name, event.target.checked));
      }
      for (const side of ["a", "b"]) {
        this.#part(`maps-${side}`).addEventListener("change", (event) => {
          this.#view.maps[side] = Number(event.target.value);
          this.#stage.refresh();
        });
      }
      this.#part("before").addEventListener("click", () => this.#choose(this.#place - 1));
      this.#part("after").addEventListener("click", () => this.#choose(this.#place + 1));
      this.#part("reset").addEventListener("click", () => this.#reset());
      this.#part("stage").addEventListener("pointerdown", () => this.#part("stage").focus({ preventScroll: true }));
      document.addEventListener("keydown", (event) => this.#press(event));
    }

    #onChange(name, keep) {
      this.#part(name).addEventListener("change", (event) => {
        keep(event.target.value);
        this.#search();
      });
    }

    #toggle(name, on) {
      if (name === "truth" && !this.#view.study.hasTruth) return;
      this.#view[name] = on;
      this.#part(name).checked = on;
      if (this.#view.picture) this.#stage.refresh();
    }

    #reset() {
      Object.assign(this.#view, { filter: "all", classIndex: null, text: "" });
      this.#part("filter").value = "all";
      this.#part("class").value = ANY_CLASS;
      this.#part("text").value = "";
      this.#search();
      this.#part("filter").focus();
    }

    /** List what fits; show `kept` where it is among that, else the first. */
    #search(kept = null) {
      const { study } = this.#view;
      this.#pictures = selectPictures(this.#view);
      const [fitting, total] = [this.#pictures.length, study.pictures.length];
      this.#part("count").textContent = fitting === total
        ? plural(total, "picture") : `${formatCount(fitting)} of ${plural(total, "picture")}`;
      this.#root.classList.toggle("is-empty", fitting === 0);
      this.#list.fill(this.#pictures);
      if (fitting) this.#choose(Math.max(0, this.#pictures.indexOf(kept)));
    }

    #choose(place) {
      const picture = this.#pictures[place];
      if (!picture) return;
      this.#place = place;
      this.#view.picture = picture;
      this.#view.maps = { a: -1, b: -1 };
      this.#tell(picture);
      this.#fillMaps(picture);
      this.#stage.show();
      this.#list.mark(place);
      this.#fetchAhead(place + 1);
    }

    #tell(picture) {
      const { study, a, b } = this.#view;
      const number = `${formatCount(this.#place + 1)} of ${formatCount(this.#pictures.length)}`;
      this.#part("name").textContent = picture.name;
      this.#part("number").textContent = number;
      this.#part("facts").textContent = [
        `${picture.width} × ${picture.height} px`,
        picture.disagreement === null ? null : `disagreement ${picture.disagreement.toFixed(2)}`,
      ].filter(Boolean).join(" · ");
      this.#tellOf("a", a, picture);
      this.#tellOf("b", b, picture);
      this.#part("table").replaceChildren(makeTable(study, picture));
      this.#part("status").textContent = `${picture.name}, ${number}. ${tellPicture(study, picture, [a, b])}`;
      this.#part("before").disabled = this.#place === 0;
      this.#part("after").disabled = this.#place === this.#pictures.length - 1;
    }

    #tellOf(name, side, picture) {
      const { study } = this.#view;
      const mark = this.#part(`mark-${name}`);
      const model = isModel(side) ? study.models[side] : null;
      const color = model ? model.color : side === TRUTH ? study.colors.truth : "none";
      mark.querySelector("path").setAttribute("fill", color);
      mark.querySelector("path").setAttribute("d", model?.mark ?? "M-7,-7H7V7H-7Z");
      this.#part(`conf-${name}`).textContent = model && model.conf !== null ? `score ≥ ${model.conf.toFixed(2)}` : "";
      this.#part(`tally-${name}`).textContent = tellSide(picture, side);
      this.#part("slider").setAttribute(
        "aria-label", `${nameSide(study, this.#view.a)} at the left, ${nameSide(study, this.#view.b)} at the right`,
      );
    }

    #fillMaps(picture) {
      for (const side of ["a", "b"]) {
        const options = picture.overlays
          .map((overlay, n) => [n, overlay.title, overlay.model])
          .filter(([, , model]) => model === this.#view[side])
          .map(([n, title]) => [n, title]);
        this.#part(`maps-${side}-toggle`).hidden = options.length === 0;
        fillSelect(this.#part(`maps-${side}`), [[-1, "none"], ...options], -1);
      }
    }

    #fetchAhead(place) {
      const next = this.#pictures[place];
      if (next?.url && !next.inside) new Image().src = next.url;
    }

    #press(event) {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      const { target } = event;
      if (target.closest?.("input, select, textarea, summary, [contenteditable]") && !this.#isToggle(target)) return;
      const within = this.#root.contains(target);
      // Letters act only where the focus is, so that they never get in the way of what is typed or spoken elsewhere.
      const steps = { ArrowLeft: -1, ArrowRight: 1 };
      if (event.key in steps && (within || (target === document.body && this.#isInView()))) {
        event.preventDefault();
        this.#choose(this.#place + steps[event.key]);
      } else if (within && event.key === "g") {
        this.#toggle("truth", !this.#view.truth);
      } else if (within && event.key === "l") {
        this.#toggle("labels", !this.#view.labels);
      }
    }

    #isToggle(target) {
      return target.matches("input[type=checkbox]") && this.#root.contains(target);
    }

    #isInView() {
      const { top, bottom } = this.#part("frame").getBoundingClientRect();
      const middle = (top + bottom) / 2;
      return middle > 0 && middle < innerHeight;
    }
  }

  const root = document.getElementById("explorer");
  const data = document.getElementById("explorer-data");
  if (root && data) {
    const study = readStudy(JSON.parse(data.textContent));
    if (study.pictures.length) new Browser(root, study);
    root.hidden = study.pictures.length === 0;
  }
})((globalThis.detectattnExplorer ??= {}));
