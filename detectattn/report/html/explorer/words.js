// What is in a picture, in words: beside the slider, under the pointer, and as a table for those who cannot see it.
((explorer) => {
  "use strict";

  const { make, plural, joinWords, isModel, colorOf, TRUTH, NOTHING } = explorer;

  const everyone = (count) => (count === 2 ? "both models find it" : "every model finds it");

  /** What a mark means, for a picture that so many models have a record of. */
  function tellMark(mark, witnesses) {
    const alone = witnesses < 2;
    return {
      all: alone ? "found" : everyone(witnesses),
      some: witnesses === 2 ? "one of the two finds it" : "some models find it",
      one: "only this model finds it",
      none: alone ? "not found" : "no model finds it",
      found: "found",
      wrong: "wrong",
      missed: "missed",
      uncounted: "does not count",
    }[mark];
  }

  function nameSide(study, side) {
    if (side === NOTHING) return "no boxes";
    return side === TRUTH ? "ground truth" : study.models[side].name;
  }

  /** How the boxes of a side are drawn: their colour, and what is written beside them, longest first. */
  function paintSide(study, side) {
    const model = isModel(side) ? study.models[side].color : null;
    const own = model ?? (side === TRUTH ? study.colors.truth : study.colors.uncounted);
    return {
      color: (box) => colorOf(box.mark, own, study.colors),
      texts: (box) => {
        const name = study.classes[box.classIndex];
        const short = name.length > 18 ? `${name.slice(0, 17)}…` : name;
        return box.score === null ? [short] : [`${short} ${box.score.toFixed(2)}`, short];
      },
    };
  }

  const countMark = (boxes, mark) => boxes.filter((box) => box.mark === mark).length;

  /** `12 right, 2 wrong, 1 missed` */
  function tellModel(picture, model) {
    const boxes = picture.found[model];
    if (!boxes) return "has no record of this picture";
    const alone = picture.witnesses > 1 ? countMark(boxes, "one") : 0;
    if (!picture.hasTruth) return plural(boxes.length, "box", "boxes") + (alone ? `, ${alone} found by it alone` : "");
    const right = boxes.filter((box) => box.outcome === "right").length;
    const only = alone ? ` (${alone} found by it alone)` : "";
    return `${right} right${only}, ${countMark(boxes, "wrong")} wrong, ${picture.listMissed(model).length} missed`;
  }

  function tellTruth(picture) {
    if (!picture.truth) return "does not cover this picture";
    const lost = countMark(picture.truth, "none");
    return plural(picture.truth.filter((o) => o.counts).length, "object") + (lost ? `, ${lost} found by none` : "");
  }

  function tellSide(picture, side) {
    if (side === NOTHING) return "the picture as it is";
    return side === TRUTH ? tellTruth(picture) : tellModel(picture, side);
  }

  /** What a pointer on a box is told. */
  function tellBox(study, picture, box) {
    const names = box.finders.map((model) => study.models[model].name);
    const score = box.score === null ? "" : ` ${box.score.toFixed(2)}`;
    const found = names.length ? `found by ${joinWords(names)}` : "found by no model";
    const verdict = { right: "right", wrong: "wrong", uncounted: "does not count" }[box.outcome];
    const missed = box.mark === "missed" ? "missed here" : box.score === null && !box.counts ? "does not count" : null;
    const others = box.score !== null && picture.witnesses < 2 ? null : found;
    return [study.classes[box.classIndex] + score, others, verdict ?? missed].filter(Boolean).join(" · ");
  }

  function tellPlace(box, picture) {
    const third = (value, size) => Math.min(2, Math.max(0, Math.floor((3 * value) / size)));
    const row = ["top", "middle", "bottom"][third((box.y0 + box.y1) / 2, picture.height)];
    const column = ["left", "centre", "right"][third((box.x0 + box.x1) / 2, picture.width)];
    const place = row === "middle" && column === "centre" ? "centre" : `${row} ${column}`;
    return `${place}, ${Math.round(box.x1 - box.x0)} × ${Math.round(box.y1 - box.y0)} px`;
  }

  /** One row an object: those that models find, then those that none finds. */
  function groupObjects(picture) {
    const objects = new Map();
    for (const box of picture.found.flatMap((boxes) => boxes ?? [])) {
      const key = box.object < 0 ? box : box.object;
      objects.set(key, [...(objects.get(key) ?? []), box]);
    }
    const surest = (boxes) => Math.max(...boxes.map((box) => box.score));
    return [...objects.values()].sort((p, q) => surest(q) - surest(p));
  }

  function cellOf(picture, boxes, model) {
    if (!picture.found[model]) return "no record";
    const box = boxes.find((candidate) => candidate.model === model);
    if (!box) return "not found";
    const verdict = { right: ", right", wrong: ", wrong", uncounted: ", does not count" }[box.outcome] ?? "";
    return box.score.toFixed(2) + verdict;
  }

  function listRows(study, picture) {
    const found = groupObjects(picture).map((boxes) => [
      study.classes[boxes[0].classIndex],
      tellPlace(boxes[0], picture),
      ...study.models.map((_, model) => cellOf(picture, boxes, model)),
    ]);
    const lost = (picture.truth ?? []).filter((object) => object.mark === "none").map((object) => [
      study.classes[object.classIndex],
      tellPlace(object, picture),
      ...study.models.map((_, model) => (picture.found[model] ? "missed" : "no record")),
    ]);
    return [...found, ...lost];
  }

  /** Every object of a picture with who finds it. */
  function makeTable(study, picture) {
    const head = ["object", "where", ...study.models.map((model) => model.name)];
    const rows = listRows(study, picture);
    if (!rows.length) return make("p", { class: "explorer-quiet" }, "Nothing is found in this picture.");
    return make(
      "table", {},
      make("caption", {}, `Objects in ${picture.name}, with the score of each model that finds them`),
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map(([name, ...cells]) =>
        make("tr", {}, make("th", { scope: "row" }, name), ...cells.map((text) => make("td", {}, text))))),
    );
  }

  /** What a screen reader says when another picture is shown. */
  function tellPicture(study, picture, sides) {
    const shown = sides.filter((side) => side !== NOTHING);
    return shown.map((side) => `${nameSide(study, side)}: ${tellSide(picture, side)}`).join("; ");
  }

  Object.assign(explorer, { tellMark, nameSide, tellSide, tellBox, tellPicture, paintSide, makeTable });
})((globalThis.detectattnExplorer ??= {}));
