// What is shown of a detection: one of its maps, its sampling points or their density, or heads of its self-attention.
((looks) => {
  "use strict";

  const { readMap, readPoints, shareInside, findSpots, computeDensity, isInside } = looks;
  const ALL = -1;
  const BASELINE = "baseline";
  const CROSS = "cross";
  const POINTS = "points", DENSITY = "density";

  /** How a model's column begins. */
  const startChoice = (model) => ({ what: `map-${model.first}`, drawn: POINTS, layer: ALL, head: ALL, level: ALL });

  /** Layers and heads count from 0, as options and arrays do; levels from 1, as on sheets. */
  const tellPart = (key, number) => `${key} ${key === "level" ? number + 1 : number}`;

  const numberOf = (what) => Number(what.split("-")[1]);
  const isMap = ({ what }) => what.startsWith("map-");
  const isHeads = ({ what }) => what.startsWith("heads-");
  const isCross = ({ what }) => what === CROSS;

  /** What there is to choose from: layers, heads and levels of sampling points, modules with heads. */
  function listParts(picture, detections) {
    const first = detections.find((detection) => detection.points);
    const points = first ? readPoints(picture.bytes, ...first.points) : [];
    const values = (key) => [...new Set(points.map((point) => point[key]))].sort((p, q) => p - q);
    const heads = detections.find((detection) => detection.heads.length)?.heads ?? [];
    return {
      layers: values("layer"), heads: values("head"), levels: values("level"),
      modules: heads.map(([module, count]) => ({ module, count })),
    };
  }

  /** A choice that this picture can show; the model's first map instead of what it has not. */
  function fitChoice(choice, model, parts) {
    const known = isMap(choice) || (isCross(choice) && parts.layers.length) ||
      (isHeads(choice) && numberOf(choice.what) < parts.modules.length);
    const fitted = known ? { ...choice } : { ...choice, what: `map-${model.first}` };
    const heads = isHeads(fitted)
      ? Array.from({ length: parts.modules[numberOf(fitted.what)].count }, (_, n) => n) : parts.heads;
    if (!heads.includes(fitted.head)) fitted.head = ALL;
    if (!parts.layers.includes(fitted.layer)) fitted.layer = ALL;
    if (!parts.levels.includes(fitted.level)) fitted.level = ALL;
    return fitted;
  }

  function viewMap(picture, detection, model, place) {
    const found = detection.maps.find(([method]) => method === place);
    const { title, worth } = model.methods[place] ?? {};
    if (!found) return null;
    const [, offset, width, height, inside, faithful] = found;
    return { title, worth, inside, faithful, map: readMap(picture.bytes, offset, width, height) };
  }

  function viewHeads(picture, detection, place, head) {
    if (!detection.heads[place]) return null;
    const [module, count, offset, width, height] = detection.heads[place];
    const read = (number) => readMap(picture.bytes, offset, width, height, number);
    const which = head === ALL ? `mean of ${count} heads, each on its own scale` : `head ${head} of ${count}`;
    const map = head === ALL ? meanMap(Array.from({ length: count }, (_, number) => read(number))) : read(head);
    const title = `Self-attention of the box, ${module}, ${which}`;
    return { title, map, inside: shareInside(map, detection.box, picture) };
  }

  function meanMap(maps) {
    const [{ width, height }] = maps;
    const sums = new Float32Array(width * height);
    for (const { values } of maps) values.forEach((value, n) => (sums[n] += value));
    const most = sums.reduce((p, q) => Math.max(p, q), 0);
    return { width, height, values: sums.map((value) => (most ? (255 * value) / most : 0)) };
  }

  function viewCross(picture, detection, model, choice) {
    if (!detection.points) return null;
    const all = readPoints(picture.bytes, ...detection.points);
    const fits = (point) =>
      ["layer", "head", "level"].every((key) => choice[key] === ALL || point[key] === choice[key]);
    const points = all.filter(fits);
    const sum = (own) => own.reduce((total, { weight }) => total + weight, 0);
    const total = sum(points);
    const inside = total ? sum(points.filter(({ x, y }) => isInside(detection.box, x, y))) / total : null;
    const tell = (key) => (choice[key] === ALL ? `all ${key}s` : tellPart(key, choice[key]));
    const which = ["layer", "head", "level"].map(tell).join(", ");
    if (choice.drawn === DENSITY) {
      return { title: `Density of sampling points, ${which}`, inside, map: computeDensity(points, picture, model.input) };
    }
    return { title: `${points.length} sampling points, ${which}`, inside, points };
  }

  /** What a choice shows of a detection; null where the detection has no such thing. `spots` are its brightest places. */
  function makeView(picture, detection, model, choice) {
    const view = isCross(choice) ? viewCross(picture, detection, model, choice)
      : isHeads(choice) ? viewHeads(picture, detection, numberOf(choice.what), choice.head)
        : viewMap(picture, detection, model, numberOf(choice.what));
    if (!view) return null;
    const onPicture = ({ x, y }) => 0 <= x && x <= picture.width && 0 <= y && y <= picture.height;
    const spots = view.points
      ? view.points.filter((point) => point.weight > 0 && onPicture(point)).sort((p, q) => q.weight - p.weight)
      : findSpots(view.map, picture);
    return { ...view, spots };
  }

  Object.assign(looks, {
    ALL, BASELINE, CROSS, POINTS, DENSITY, startChoice, listParts, fitChoice, makeView, isCross, isHeads, numberOf, tellPart,
  });
})((globalThis.detectattnLooks ??= {}));
