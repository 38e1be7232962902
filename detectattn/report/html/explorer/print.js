// On paper nothing slides: the first pictures stand side by side, as each side of the slider shows them.
((explorer) => {
  "use strict";

  const { make, drawBoxes, paintSide, nameSide, tellSide, NOTHING } = explorer;
  const PRINTED = 3;
  const WIDTH = 640;

  function makePanel(study, picture, side) {
    const scale = WIDTH / picture.width;
    const size = { width: WIDTH, height: picture.height * scale };
    const layer = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    layer.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    layer.setAttribute("aria-hidden", "true");
    drawBoxes(layer, picture.listSide(side), { scale, size, paint: paintSide(study, side), labels: true });
    const image = picture.inside ? [make("img", { src: picture.url, alt: "" })] : [];
    const caption = make("figcaption", {}, `${nameSide(study, side)}: ${tellSide(picture, side)}`);
    return make("figure", {}, make("span", { class: "explorer-panel" }, ...image, layer), caption);
  }

  /** Fill the element that only print shows. */
  function fillPrint(element, study, { a, b }) {
    const sides = [a, b].filter((side) => side !== NOTHING);
    const pictures = study.pictures.filter((picture) => picture.inside).slice(0, PRINTED);
    if (!pictures.length) {
      element.replaceChildren(make("p", {}, "No picture is held within this page; they lie beside it."));
      return;
    }
    element.replaceChildren(...pictures.map((picture) => make(
      "div", { class: "explorer-printed" },
      make("p", {}, picture.name),
      make("div", { class: "explorer-panels" }, ...sides.map((side) => makePanel(study, picture, side))),
    )));
  }

  Object.assign(explorer, { fillPrint });
})((globalThis.detectattnExplorer ??= {}));
