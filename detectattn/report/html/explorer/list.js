// The pictures that fit, a page of thumbnails at a time: thousands stay light.
((explorer) => {
  "use strict";

  const { make, formatCount, plural, countMistakes } = explorer;
  const AT_ONCE = 24;

  function tellFact(picture) {
    if (picture.disagreement !== null) return `disagreement ${picture.disagreement.toFixed(2)}`;
    return picture.truth ? plural(countMistakes(picture), "mistake") : "";
  }

  class List {
    #parts;
    #pictures = [];
    #page = -1;
    #onChoose;

    /** `onChoose` is called with the place of a picture among those listed. */
    constructor(root, onChoose) {
      const one = (name) => root.querySelector(`[data-part="${name}"]`);
      this.#parts = { list: one("list"), range: one("range"), before: one("page-before"), after: one("page-after") };
      this.#onChoose = onChoose;
      this.#parts.before.addEventListener("click", () => this.#turn(-1));
      this.#parts.after.addEventListener("click", () => this.#turn(1));
    }

    /** List these pictures, the first page of them. */
    fill(pictures) {
      this.#pictures = pictures;
      this.#page = -1;
      this.#parts.list.replaceChildren();
    }

    /** Mark a picture as the one that is shown, and turn to its page. */
    mark(place) {
      this.#show(Math.floor(place / AT_ONCE));
      for (const button of this.#parts.list.querySelectorAll("button")) {
        if (Number(button.dataset.place) === place) {
          button.setAttribute("aria-current", "true");
          this.#reveal(button);
        } else {
          button.removeAttribute("aria-current");
        }
      }
    }

    /** Scroll the list, and only the list, so that a picture is seen. */
    #reveal(button) {
      const { list } = this.#parts;
      const inner = button.getBoundingClientRect(), outer = list.getBoundingClientRect();
      if (inner.top < outer.top || inner.bottom > outer.bottom) list.scrollTop += inner.top - outer.top - 8;
      if (inner.left < outer.left || inner.right > outer.right) list.scrollLeft += inner.left - outer.left - 8;
    }

    #turn(step) {
      this.#onChoose((this.#page + step) * AT_ONCE);
    }

    #show(page) {
      if (page === this.#page) return;
      this.#page = page;
      const { list, range, before, after } = this.#parts;
      const start = page * AT_ONCE, end = Math.min(start + AT_ONCE, this.#pictures.length);
      list.replaceChildren(...this.#pictures.slice(start, end).map((picture, n) => this.#item(picture, start + n)));
      list.scrollTo(0, 0);
      range.textContent = `${formatCount(start + 1)}–${formatCount(end)} of ${formatCount(this.#pictures.length)}`;
      before.disabled = page === 0;
      after.disabled = end === this.#pictures.length;
    }

    #item(picture, place) {
      const title = make("span", { class: "explorer-name" }, picture.name);
      const button = make(
        "button",
        { type: "button", "data-place": place, title: picture.name, onclick: () => this.#onChoose(place) },
        this.#thumbnail(picture), title, make("span", { class: "explorer-fact" }, tellFact(picture)),
      );
      return make("li", {}, button);
    }

    #thumbnail(picture) {
      const holder = make("span", { class: "explorer-thumb" });
      if (picture.url === null) return holder;
      // The attribute that puts off loading must be there before the address is.
      const image = make("img", { alt: "", loading: "lazy", decoding: "async", onerror: () => image.remove() });
      image.src = picture.url;
      holder.append(image);
      return holder;
    }
  }

  Object.assign(explorer, { List });
})((globalThis.detectattnExplorer ??= {}));
