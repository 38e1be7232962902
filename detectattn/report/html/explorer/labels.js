// Where the names of boxes go: beside them, on the picture, never over one another, and never cut by the divide.
((explorer) => {
  "use strict";

  // Labels stop where they would hide more than this share of the picture: the lines say more than a wall of names.
  const LABELLED_SHARE = 0.08;
  const LABELS_AT_LEAST = 3;
  const PADDING_PX = 4;
  /** Between a label and the divide. */
  const GAP_PX = 3;
  /** So much of a box has to be seen for its label to be moved to it. */
  const SEEN_PX = 10;

  const context = document.createElement("canvas").getContext("2d");

  function measureText(text, textPx) {
    context.font = `600 ${textPx}px system-ui, sans-serif`;
    return Math.ceil(context.measureText(text).width) + 2 * PADDING_PX;
  }

  const overlaps = (p, q) => p.x < q.x + q.width && q.x < p.x + p.width && p.y < q.y + q.height && q.y < p.y + p.height;

  /** Above the box, inside it, below it; at its left edge, then at its right. */
  function* iterSpots(box, width, height) {
    const { x0, y0, x1, y1 } = box;
    for (const y of [y0 - height - 1, y0 + 1, y1 + 1, y1 - height - 1]) {
      yield { x: x0, y, width, height };
      yield { x: x1 - width, y, width, height };
    }
  }

  function findSpot(box, width, height, size, taken) {
    for (const spot of iterSpots(box, width, height)) {
      const x = Math.min(Math.max(spot.x, 0), size.width - width);
      const moved = { ...spot, x };
      const inside = x >= 0 && moved.y >= 0 && moved.y + height <= size.height;
      if (inside && !taken.some((other) => overlaps(moved, other))) return moved;
    }
    return null;
  }

  /**
   * Spots for labels, each with its text and box.
   * `boxes` are in pixels on the screen, the most telling first; each has `texts`, from the longest to the shortest.
   */
  function placeLabels(boxes, size, textPx) {
    const height = Math.round(textPx * 1.5);
    const limit = LABELLED_SHARE * size.width * size.height;
    const placed = [];
    let hidden = 0;
    for (const box of boxes) {
      for (const text of box.texts) {
        const width = measureText(text, textPx);
        if (hidden + width * height > limit && placed.length >= LABELS_AT_LEAST) continue;
        const spot = findSpot(box, width, height, size, placed);
        if (!spot) continue;
        placed.push({ ...spot, text, box });
        hidden += width * height;
        break;
      }
    }
    return placed;
  }

  /** How far a label has to be moved so as not to be cut where its side of the picture ends. */
  function findShift(spot, side, divide) {
    return side === "a" ? Math.min(0, divide - GAP_PX - spot.x - spot.width) : Math.max(0, divide + GAP_PX - spot.x);
  }

  /**
   * Move labels that the divide would cut to their side of it; hide those for which there is no room.
   * `labels` are elements with the `spot` that `placeLabels` gave them; `divide` is in pixels from the left.
   */
  function fitLabels(labels, side, divide, size) {
    const shifts = labels.map((label) => [label, findShift(label.spot, side, divide)]);
    const taken = shifts.filter(([, shift]) => shift === 0).map(([label]) => label.spot);
    for (const [label, shift] of shifts) {
      const moved = { ...label.spot, x: label.spot.x + shift };
      const { x0, x1 } = label.spot.box;
      const isSeen = side === "a" ? x0 + SEEN_PX < divide : x1 - SEEN_PX > divide;
      const fits = moved.x >= 0 && moved.x + moved.width <= size.width && !taken.some((other) => overlaps(moved, other));
      const isShown = shift === 0 || (isSeen && fits);
      label.style.display = isShown ? "" : "none";
      label.setAttribute("transform", `translate(${shift} 0)`);
      if (isShown && shift) taken.push(moved);
    }
  }

  Object.assign(explorer, { placeLabels, fitLabels, LABEL_PADDING_PX: PADDING_PX });
})((globalThis.detectattnExplorer ??= {}));
