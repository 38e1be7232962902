// The large picture: one side of the slider shows one model's boxes, the other side another's.
((explorer) => {
  "use strict";

  const {
    drawBoxes, drawTruthOver, drawSwatch, fitLabels, colorOf, paintSide, tellBox, tellMark, nameSide, make, isModel,
    TRUTH,
  } = explorer;
  const SWATCH_COLOR = "#e6e6e6";
  const POINT_AT = "Point at a box to see who finds it.";
  const MARKS = ["one", "none", "some", "found", "all", "wrong", "missed", "uncounted"];

  class Stage {
    #view;
    #parts;
    #size = { width: 0, height: 0 };

    constructor(root, view) {
      this.#view = view;
      const one = (name) => root.querySelector(`[data-part="${name}"]`);
      this.#parts = Object.fromEntries(
        ["frame", "image", "map-a", "map-b", "layer-a", "layer-b", "layer-truth", "slider", "note", "readout", "legend"]
          .map((name) => [name, one(name)]),
      );
      this.#listen();
    }

    #listen() {
      const { frame, image, slider } = this.#parts;
      slider.addEventListener("input", () => this.#split(Number(slider.value)));
      image.addEventListener("error", () => this.#tellMissing());
      image.addEventListener("load", () => this.#frameIs("shown"));
      frame.addEventListener("pointerdown", (event) => this.#grab(event));
      frame.addEventListener("pointermove", (event) => this.#move(event));
      frame.addEventListener("pointerleave", () => this.#readOut(null));
      new ResizeObserver(() => this.#redraw()).observe(frame);
    }

    get #picture() {
      return this.#view.picture;
    }

    /** Show the picture of the view. */
    show() {
      const { frame, image, note } = this.#parts;
      const picture = this.#picture;
      frame.style.setProperty("--width", picture.width);
      frame.style.setProperty("--height", picture.height);
      this.#frameIs("waiting");
      note.textContent = "";
      image.alt = `${picture.name}, as the models saw it`;
      if (picture.url === null) this.#tellMissing();
      else image.src = picture.url;
      this.#readOut(null);
      this.refresh();
    }

    /** Draw anew what the view asks for. */
    refresh() {
      this.#redraw();
      this.#showMaps();
      this.#showLegend();
      this.#split(Number(this.#parts.slider.value));
    }

    #frameIs(state) {
      this.#parts.frame.dataset.state = state;
    }

    #tellMissing() {
      const { image, note } = this.#parts;
      image.removeAttribute("src");
      this.#frameIs("missing");
      note.textContent = this.#picture.path === null
        ? "No copy of this picture was kept. These are its boxes."
        : `The picture is not beside this page, at ${this.#picture.path}. These are its boxes.`;
    }

    #split(percent) {
      const { frame, slider } = this.#parts;
      const { study, a, b } = this.#view;
      frame.style.setProperty("--split", `${percent}%`);
      const shares = `${percent}% ${nameSide(study, a)}, ${100 - percent}% ${nameSide(study, b)}`;
      slider.setAttribute("aria-valuetext", shares);
      this.#fitLabels();
    }

    #fitLabels() {
      const divide = (Number(this.#parts.slider.value) / 100) * this.#size.width;
      for (const side of ["a", "b"]) {
        const labels = [...this.#parts[`layer-${side}`].querySelectorAll(".explorer-label")];
        fitLabels(labels, side, divide, this.#size);
      }
    }

    get #scale() {
      return this.#size.width / this.#picture.width;
    }

    #redraw() {
      const { frame } = this.#parts;
      this.#size = { width: frame.clientWidth, height: frame.clientHeight };
      if (!this.#picture || !this.#size.width) return;
      const { a, b, labels, truth, study } = this.#view;
      const drawn = { scale: this.#scale, size: this.#size };
      for (const [part, side] of [["layer-a", a], ["layer-b", b]]) {
        drawBoxes(this.#parts[part], this.#picture.listSide(side), { ...drawn, paint: paintSide(study, side), labels });
      }
      const objects = truth ? (this.#picture.truth ?? []) : [];
      drawTruthOver(this.#parts["layer-truth"], objects, { ...drawn, color: study.colors.truth });
      this.#fitLabels();
    }

    #showMaps() {
      for (const side of ["a", "b"]) {
        const image = this.#parts[`map-${side}`];
        const overlay = this.#picture.overlays[this.#view.maps[side]];
        image.hidden = !overlay;
        if (overlay) image.src = overlay.url;
        image.alt = overlay?.title ?? "";
      }
    }

    #showLegend() {
      const { study, a, b, truth } = this.#view;
      const { legend } = this.#parts;
      const used = new Set([a, b].flatMap((side) => this.#picture.listSide(side).map((box) => box.mark)));
      const truthAlone = [a, b].includes(TRUTH);
      const entries = MARKS.filter((mark) => used.has(mark)).map((mark) => {
        const own = mark === "none" || (truthAlone && !isModel(a) && !isModel(b)) ? study.colors.truth : SWATCH_COLOR;
        return [drawSwatch(mark, colorOf(mark, own, study.colors)), tellMark(mark, this.#picture.witnesses)];
      });
      if (truth && this.#picture.truth) entries.push([drawSwatch("truth", study.colors.truth), "ground truth"]);
      legend.replaceChildren(...entries.map(([swatch, text]) => make("li", {}, swatch, text)));
    }

    #shareAt(event) {
      const { left, width } = this.#parts.frame.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - left) / width));
    }

    #grab(event) {
      if (event.button !== 0) return;
      this.#parts.frame.setPointerCapture(event.pointerId);
      this.#drag(event);
      this.#readOut(event);
    }

    #move(event) {
      if (this.#parts.frame.hasPointerCapture(event.pointerId)) this.#drag(event);
      else this.#readOut(event);
    }

    #drag(event) {
      const { slider } = this.#parts;
      slider.value = String(Math.round(100 * this.#shareAt(event)));
      this.#split(Number(slider.value));
    }

    /** Say what lies under the pointer: the smallest box there. */
    #readOut(event) {
      const { readout, frame, slider } = this.#parts;
      readout.textContent = POINT_AT;
      readout.dataset.state = "idle";
      if (!event) return;
      const side = 100 * this.#shareAt(event) < Number(slider.value) ? this.#view.a : this.#view.b;
      const { left, top } = frame.getBoundingClientRect();
      const x = (event.clientX - left) / this.#scale, y = (event.clientY - top) / this.#scale;
      const area = (box) => (box.x1 - box.x0) * (box.y1 - box.y0);
      const [box] = this.#picture.listSide(side)
        .filter((found) => found.x0 <= x && x <= found.x1 && found.y0 <= y && y <= found.y1)
        .sort((p, q) => area(p) - area(q));
      if (!box) return;
      readout.textContent = tellBox(this.#view.study, this.#picture, box);
      readout.dataset.state = "telling";
    }
  }

  Object.assign(explorer, { Stage });
})((globalThis.detectattnExplorer ??= {}));
