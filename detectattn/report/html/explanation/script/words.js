// What a map shows, in words: under the pointer, and for those who cannot see it.
((looks) => {
  "use strict";

  const { isInside, sample, tellPart } = looks;
  const SIGNS = {
    "says more than the box": "✓", "no more than the box": "=", "no better than random": "✕", "not decided": "?",
  };

  const percent = (share) => `${Math.round(100 * share)}%`;
  const tellWorth = (worth) => `${SIGNS[worth] ?? ""} ${worth}`.trim();
  const tellSpot = (x, y) => `x ${Math.round(x)}, y ${Math.round(y)} px`;

  /** Where a place is beside a box: inside, or how many of its sizes away. */
  function tellDistance([x0, y0, x1, y1], x, y) {
    if (isInside([x0, y0, x1, y1], x, y)) return "inside the box";
    const across = Math.max(x0 - x, x - x1, 0) / Math.max(1, x1 - x0), down = Math.max(y0 - y, y - y1, 0) / Math.max(1, y1 - y0);
    return `${Math.max(across, down).toPrecision(2)} box sizes outside`;
  }

  const tellInside = (inside) => (inside === null || inside === undefined ? "no map" : `${percent(inside)} inside the box`);

  /** What a map is at a place. */
  function tellValue(view, detection, picture, x, y) {
    const share = sample(view.map, x, y, picture) / 255;
    return `${tellSpot(x, y)}: ${percent(share)} of the brightest, ${tellDistance(detection.box, x, y)}`;
  }

  function tellPoint(detection, point) {
    const weight = (100 * point.weight).toPrecision(2);
    const which = ["layer", "head", "level"].map((key) => tellPart(key, point[key])).join(", ");
    return `${tellSpot(point.x, point.y)}: ${weight}% of its head, ${which}, ${tellDistance(detection.box, point.x, point.y)}`;
  }

  const tellAt = (view, detection, picture, spot) =>
    view.points ? tellPoint(detection, spot) : tellValue(view, detection, picture, spot.x, spot.y);

  function tellBox([x0, y0, x1, y1], picture) {
    const third = (value, size) => Math.min(2, Math.max(0, Math.floor((3 * value) / size)));
    const row = ["top", "middle", "bottom"][third((y0 + y1) / 2, picture.height)];
    const column = ["left", "centre", "right"][third((x0 + x1) / 2, picture.width)];
    return `${row} ${column}, ${Math.round(x1 - x0)} × ${Math.round(y1 - y0)} px`;
  }

  /** The whole of a drawing in a sentence or three. */
  function tellView(view, detection, { name, model, picture }) {
    const where = tellBox(detection.box, picture);
    const [spot] = view.spots;
    const brightest = spot
      ? `${view.points ? "Heaviest point" : "Brightest place"}: ${tellAt(view, detection, picture, spot)}.`
      : "It is nothing anywhere.";
    return `${view.title}. ${name} of ${model.name}, score ${detection.score.toFixed(2)}, ${where}; ` +
      `${tellInside(view.inside)}. ${brightest}`;
  }

  Object.assign(looks, { percent, tellWorth, tellInside, tellValue, tellAt, tellBox, tellView });
})((globalThis.detectattnLooks ??= {}));
