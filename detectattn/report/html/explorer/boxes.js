// Boxes as SVG. The line never says by colour alone what became of an object: its width tells how many find it, a
// filled corner that it is wrong, dashes that it is missed, dots that it does not count, brackets that it is the truth.
((explorer) => {
  "use strict";

  const SVG = "http://www.w3.org/2000/svg";
  /** Room for half a line between a box and the edge of the picture. */
  const EDGE_PX = 2;
  const BRACKET_PX = 2;

  /** `priority`: later ones are drawn over earlier ones, and get their labels first. */
  const LOOKS = {
    uncounted: { width: 1.25, opacity: 0.8, dash: [1.5, 3], priority: 0, color: "uncounted" },
    all: { width: 1.25, opacity: 0.85, priority: 1 },
    some: { width: 2, opacity: 1, priority: 2 },
    found: { width: 2, opacity: 1, priority: 2 },
    missed: { width: 2.5, opacity: 1, dash: [8, 5], priority: 3, color: "wrong" },
    wrong: { width: 2.5, opacity: 1, corner: true, priority: 4, color: "wrong" },
    none: { width: 3.5, opacity: 1, priority: 5 },
    one: { width: 3.5, opacity: 1, priority: 5 },
  };

  function svg(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
  }

  const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

  /** The dark shade that edges a line of this colour, so that it shows on any ground. */
  const casingOf = (color) => `rgb(${channels(color).map((c) => Math.round(c * 0.22)).join(" ")})`;

  /** Black or white, whichever reads better (WCAG 2.2, contrast ratio). */
  function textOn(color) {
    const [r, g, b] = channels(color).map((c) => {
      const share = c / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
  }

  /** Lines that leave a third of a small box free, where that can be. */
  function fitLine(width, side) {
    const casing = Math.max(0.75, 0.35 * width);
    return side >= 3 * (width + 2 * casing) ? { width, casing } : { width: 1, casing: 0.75 };
  }

  function drawFrame(box, look, color) {
    const { width, casing } = fitLine(look.width, Math.min(box.x1 - box.x0, box.y1 - box.y0));
    const group = svg("g", { opacity: look.opacity, fill: "none" });
    const frame = {
      x: box.x0, y: box.y0, width: Math.max(1, box.x1 - box.x0), height: Math.max(1, box.y1 - box.y0),
      "stroke-linejoin": "miter", ...(look.dash ? { "stroke-dasharray": look.dash.join(" ") } : {}),
    };
    group.append(svg("rect", { ...frame, stroke: casingOf(color), "stroke-width": width + 2 * casing }));
    group.append(svg("rect", { ...frame, stroke: color, "stroke-width": width }));
    if (look.corner) group.append(drawCorner(box, color));
    return group;
  }

  function drawCorner(box, color) {
    const side = Math.max(4, Math.min(14, 0.4 * Math.min(box.x1 - box.x0, box.y1 - box.y0)));
    const points = `${box.x1 - side},${box.y0} ${box.x1},${box.y0} ${box.x1},${box.y0 + side}`;
    return svg("polygon", { points, fill: color, stroke: casingOf(color), "stroke-width": 0.75 });
  }

  /** Corners alone, a little outside: the ground truth when it is shown together with the models' boxes. */
  function drawBrackets(box, color) {
    const [x0, y0, x1, y1] = [box.x0 - BRACKET_PX, box.y0 - BRACKET_PX, box.x1 + BRACKET_PX, box.y1 + BRACKET_PX];
    const arm = Math.max(3, Math.min(16, 0.28 * Math.min(x1 - x0, y1 - y0)));
    const d =
      `M${x0},${y0 + arm}V${y0}H${x0 + arm} M${x1 - arm},${y0}H${x1}V${y0 + arm} ` +
      `M${x1},${y1 - arm}V${y1}H${x1 - arm} M${x0 + arm},${y1}H${x0}V${y1 - arm}`;
    const group = svg("g", { fill: "none" });
    group.append(svg("path", { d, stroke: casingOf(color), "stroke-width": 4 }));
    group.append(svg("path", { d, stroke: color, "stroke-width": 2 }));
    return group;
  }

  function drawLabel(spot, color, textPx) {
    const group = svg("g", { class: "explorer-label" });
    group.spot = spot;
    const ground = { x: spot.x, y: spot.y, width: spot.width, height: spot.height };
    group.append(svg("rect", { ...ground, fill: color, stroke: casingOf(color), "stroke-width": 0.75, rx: 1.5 }));
    const text = svg("text", {
      x: spot.x + explorer.LABEL_PADDING_PX, y: spot.y + spot.height / 2, fill: textOn(color),
      "font-size": textPx, "dominant-baseline": "central",
    });
    text.textContent = spot.text;
    group.append(text);
    return group;
  }

  /** The most telling first; of equals the surest or, where no score is known, the largest. */
  function compareForLabels(p, q) {
    const weight = (box) => box.score ?? (box.x1 - box.x0) * (box.y1 - box.y0);
    return LOOKS[q.mark].priority - LOOKS[p.mark].priority || weight(q) - weight(p);
  }

  /** The part of a box that lies on a picture of this size, its lines within the picture; or null. */
  function clip(box, scale, size) {
    const { width, height } = size;
    const [x0, y0, x1, y1] = [box.x0, box.y0, box.x1, box.y1].map((value) => value * scale);
    if (x0 >= width || y0 >= height || x1 <= 0 || y1 <= 0) return null;
    const right = Math.min(width - EDGE_PX, x1), bottom = Math.min(height - EDGE_PX, y1);
    const left = Math.min(Math.max(EDGE_PX, x0), right), top = Math.min(Math.max(EDGE_PX, y0), bottom);
    return { ...box, x0: left, y0: top, x1: right, y1: bottom };
  }

  const textSize = (size) => Math.min(13, Math.max(10, Math.round(size.width / 72)));

  /**
   * Draw boxes into an SVG element of `size` pixels.
   * `scale` is pixels on the screen per pixel of the picture; `paint` gives the colour of a box and its texts.
   */
  function drawBoxes(layer, boxes, { scale, size, paint, labels }) {
    const shown = boxes.map((box) => clip(box, scale, size)).filter(Boolean);
    const upward = [...shown].sort((p, q) => LOOKS[p.mark].priority - LOOKS[q.mark].priority);
    layer.replaceChildren(...upward.map((box) => drawFrame(box, LOOKS[box.mark], paint.color(box))));
    if (!labels) return;
    const named = shown.filter((box) => box.mark !== "uncounted").sort(compareForLabels);
    const textPx = textSize(size);
    for (const spot of explorer.placeLabels(named.map((box) => ({ ...box, texts: paint.texts(box) })), size, textPx)) {
      layer.append(drawLabel(spot, paint.color(spot.box), textPx));
    }
  }

  function drawTruthOver(layer, objects, { scale, size, color }) {
    const shown = objects.map((object) => clip(object, scale, size)).filter(Boolean);
    layer.replaceChildren(...shown.map((object) => drawBrackets(object, color)));
  }

  /** A small box as a mark draws it, for a legend. */
  function drawSwatch(mark, color) {
    const swatch = svg("svg", { class: "explorer-swatch", width: 38, height: 26, "aria-hidden": "true" });
    const box = { x0: 5, y0: 4, x1: 33, y1: 22 }, inner = { x0: 8, y0: 7, x1: 30, y1: 19 };
    swatch.append(mark === "truth" ? drawBrackets(inner, color) : drawFrame(box, LOOKS[mark], color));
    return swatch;
  }

  const colorOf = (mark, own, colors) => (LOOKS[mark].color ? colors[LOOKS[mark].color] : own);

  Object.assign(explorer, { drawBoxes, drawTruthOver, drawSwatch, colorOf });
})((globalThis.detectattnExplorer ??= {}));
