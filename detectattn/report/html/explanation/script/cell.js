// One detection of one model: its drawing, its figures, and what lies under the pointer.
((looks) => {
  "use strict";

  const { make } = globalThis.detectattnExplorer;
  const {
    drawPicture, drawHeat, drawPoints, drawBox, drawRing, tellInside, tellWorth, tellValue, tellAt, tellView,
  } = looks;
  const MOST_SHARP = 2;
  const NEAR_PX = 14;

  const fitCanvas = (canvas, frame, window) => {
    const sharp = Math.min(MOST_SHARP, devicePixelRatio || 1);
    canvas.width = Math.max(1, Math.round(frame.clientWidth * sharp));
    canvas.height = Math.max(1, Math.round((canvas.width * window.height) / window.width));
  };

  /** The picture itself around an object. */
  class Plain {
    #scene;
    #frame;
    #canvas = make("canvas", { role: "img" });

    constructor(scene) {
      this.#scene = scene;
      this.#frame = make("div", { class: "looks-frame" }, this.#canvas);
      this.#canvas.setAttribute("aria-label", `${scene.name} as it is in the picture`);
      this.element = make("figure", { class: "looks-cell is-plain" }, this.#frame,
        make("figcaption", {}, make("span", { class: "looks-quiet" }, "the picture")));
    }

    paint(window) {
      if (!this.#frame.clientWidth) return;
      fitCanvas(this.#canvas, this.#frame, window);
      drawPicture(this.#canvas, this.#scene.picture, window);
      for (const box of this.#scene.boxes) drawBox(this.#canvas, window, box, "#e6e6e6");
    }

    show() {}
  }

  /** A model that does not find the object. */
  class Nothing {
    constructor({ name, model }) {
      this.element = make("div", { class: "looks-cell is-nothing" },
        make("p", {}, make("b", { class: "looks-model" }, model.name), ` does not find this ${name}.`));
    }

    paint() {}

    show() {}
  }

  class Cell {
    #scene;
    #detection;
    #view = null;
    #window = null;
    #spot = -1;
    #parts;

    /** `scene` holds the picture, the object's name, the model, and colours. */
    constructor(scene, detection) {
      this.#scene = scene;
      this.#detection = detection;
      const canvas = make("canvas", { role: "img" });
      const frame = make("div", { class: "looks-frame", role: "group", tabindex: 0 }, canvas);
      const figures = make("figcaption", {});
      const readout = make("p", { class: "looks-readout", "aria-live": "polite" });
      this.#parts = { canvas, frame, figures, readout };
      frame.setAttribute("aria-label", `${scene.name}, ${scene.model.name}`);
      this.element = make("figure", { class: "looks-cell" },
        make("p", { class: "looks-model" }, scene.model.name), frame, figures, readout);
      this.#listen();
    }

    #listen() {
      const { frame } = this.#parts;
      frame.addEventListener("pointermove", (event) => this.#point(event));
      frame.addEventListener("pointerdown", (event) => this.#point(event));
      frame.addEventListener("pointerleave", () => this.#tell(null));
      frame.addEventListener("focus", () => frame.matches(":focus-visible") && this.#step(0));
      frame.addEventListener("blur", () => this.#tell(null));
      frame.addEventListener("keydown", (event) => {
        if (event.key !== "." && event.key !== ",") return;
        event.preventDefault();
        this.#step(event.key === "." ? this.#spot + 1 : this.#spot - 1);
      });
    }

    /** Show a view of the detection; null where there is none. */
    show(view) {
      this.#view = view;
      this.#spot = -1;
      const { canvas, figures, readout } = this.#parts;
      canvas.setAttribute("aria-label", view ? tellView(view, this.#detection, this.#scene)
        : `${this.#scene.name}: no such map of this detection`);
      figures.replaceChildren(...this.#listFigures());
      readout.textContent = "";
    }

    #listFigures() {
      const { score } = this.#detection;
      const view = this.#view;
      const parts = [make("b", { title: "score" }, score.toFixed(2))];
      if (this.#scene.below) parts.push(make("span", { class: "looks-quiet" }, "below the threshold"));
      if (!view) return [...parts, make("span", {}, "no such map")];
      parts.push(make("span", {}, tellInside(view.inside)));
      if (view.faithful !== undefined && view.faithful !== null) {
        parts.push(make("span", {}, `faithfulness ${view.faithful.toFixed(2).replace("-", "−")} here`));
      } else if (view.worth && this.#detection.untold) {
        parts.push(make("span", { class: "looks-quiet" }, "hiding it tells nothing: it survives, or is lost at once"));
      }
      const worth = view.worth ? tellWorth(view.worth) : "part of the attention, not scored by itself";
      parts.push(make("span", { class: "looks-worth", "data-worth": view.worth ?? "part" }, worth));
      return parts;
    }

    paint(window) {
      const { canvas, frame } = this.#parts;
      this.#window = window;
      if (!frame.clientWidth) return;
      fitCanvas(canvas, frame, window);
      this.#draw();
    }

    #draw(spot = null) {
      const { canvas } = this.#parts;
      const { picture, model, inferno, levels } = this.#scene;
      const { box } = this.#detection;
      const [view, window] = [this.#view, this.#window];
      if (!window || !canvas.width) return;
      if (!view) drawPicture(canvas, picture, window);
      else if (view.points) drawPoints(canvas, picture, window, { points: view.points, box, levels });
      else drawHeat(canvas, picture, window, view.map, inferno);
      drawBox(canvas, window, box, model.color);
      if (spot) drawRing(canvas, window, spot);
    }

    /** Tell of a place and ring it, or of nothing. */
    #tell(text, spot = null) {
      const { readout } = this.#parts;
      const had = readout.dataset.ringed;
      readout.textContent = text ?? "";
      readout.dataset.ringed = spot ? "yes" : "";
      if (spot || had) this.#draw(spot);
    }

    #step(to) {
      const spots = this.#view?.spots ?? [];
      if (!spots.length) {
        this.#tell("It is nothing anywhere.");
        return;
      }
      this.#spot = (to + spots.length) % spots.length;
      const told = tellAt(this.#view, this.#detection, this.#scene.picture, spots[this.#spot]);
      this.#tell(`${this.#spot + 1} of ${spots.length}: ${told}`, spots[this.#spot]);
    }

    #point(event) {
      const { frame } = this.#parts;
      if (!this.#view || !this.#window) return;
      const { left, top, width } = frame.getBoundingClientRect();
      const scale = this.#window.width / width;
      const x = this.#window.left + (event.clientX - left) * scale, y = this.#window.top + (event.clientY - top) * scale;
      if (!this.#view.points) {
        this.#tell(tellValue(this.#view, this.#detection, this.#scene.picture, x, y));
        return;
      }
      const far = (point) => Math.hypot(point.x - x, point.y - y);
      const near = this.#view.spots.filter((point) => far(point) < NEAR_PX * scale).sort((p, q) => far(p) - far(q))[0];
      this.#tell(near ? tellAt(this.#view, this.#detection, this.#scene.picture, near) : null, near);
    }
  }

  Object.assign(looks, { Plain, Nothing, Cell });
})((globalThis.detectattnLooks ??= {}));
