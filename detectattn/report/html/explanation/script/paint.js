// Maps over pictures, the same as detectattn/drawing/heat.py draws them: the picture dimmed, the map in inferno over it.
((looks) => {
  "use strict";

  const { clamp } = looks;
  // What is left of the picture's colour and light beneath a map.
  const COLOR_KEPT = 0.25, LIGHT_KEPT = 0.62;
  const MOST_OPAQUE = 0.82;
  // Sizes are those of a sheet's cell, so many pixels wide.
  const CELL_PX = 400;

  /** The part of a picture that a canvas shows; `scale` is pixels of the canvas per pixel of the picture. */
  const fit = (canvas, window) => ({ ...window, scale: canvas.width / window.width });

  function drawPicture(canvas, picture, window) {
    const context = canvas.getContext("2d");
    const factor = picture.decoded.naturalWidth / picture.width;
    const source = [window.left, window.top, window.width, window.height].map((value) => value * factor);
    context.globalCompositeOperation = "source-over";
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.decoded, ...source, 0, 0, canvas.width, canvas.height);
    return context;
  }

  function drawDimmed(canvas, picture, window) {
    const context = drawPicture(canvas, picture, window);
    const fill = (operation, style) => {
      context.globalCompositeOperation = operation;
      context.fillStyle = style;
      context.fillRect(0, 0, canvas.width, canvas.height);
    };
    fill("saturation", `rgb(128 128 128 / ${1 - COLOR_KEPT})`);
    fill("source-over", `rgb(0 0 0 / ${1 - LIGHT_KEPT})`);
    return context;
  }

  /** Where each pixel of a line of a canvas lies between cells of a map: the cell before it, and how far from it. */
  function placePixels(count, start, step, cells) {
    const before = new Int32Array(count), past = new Float32Array(count);
    for (let n = 0; n < count; n++) {
      const at = clamp((start + (n + 0.5) * step) * cells - 0.5, 0, cells - 1);
      before[n] = Math.min(Math.floor(at), Math.max(0, cells - 2));
      past[n] = cells > 1 ? at - before[n] : 0;
    }
    return { before, past };
  }

  /** Colour and opacity of a map at every pixel of a canvas. */
  function colorMap(map, canvas, picture, window, inferno) {
    const image = new ImageData(canvas.width, canvas.height);
    const along = placePixels(canvas.width, window.left / picture.width, window.width / picture.width / canvas.width, map.width);
    const down = placePixels(canvas.height, window.top / picture.height, window.height / picture.height / canvas.height, map.height);
    const right = map.width > 1 ? 1 : 0, below = map.height > 1 ? map.width : 0;
    for (let y = 0, to = 0; y < canvas.height; y++) {
      const line = down.before[y] * map.width, v = down.past[y];
      for (let x = 0; x < canvas.width; x++, to += 4) {
        const at = line + along.before[x], u = along.past[x];
        const upper = map.values[at] * (1 - u) + map.values[at + right] * u;
        const lower = map.values[at + below] * (1 - u) + map.values[at + below + right] * u;
        const value = upper * (1 - v) + lower * v, color = 3 * Math.round(value);
        image.data[to] = inferno[color];
        image.data[to + 1] = inferno[color + 1];
        image.data[to + 2] = inferno[color + 2];
        image.data[to + 3] = 255 * MOST_OPAQUE * Math.sqrt(value / 255);
      }
    }
    return image;
  }

  function drawHeat(canvas, picture, window, map, inferno) {
    const context = drawDimmed(canvas, picture, window);
    const layer = document.createElement("canvas");
    layer.width = canvas.width;
    layer.height = canvas.height;
    layer.getContext("2d").putImageData(colorMap(map, canvas, picture, window, inferno), 0, 0);
    context.drawImage(layer, 0, 0);
  }

  /** Sampling points: area by weight, colour by level, the heaviest on top. */
  function drawPoints(canvas, picture, window, { points, box, levels }) {
    const context = drawDimmed(canvas, picture, window);
    const { scale } = fit(canvas, window);
    const unit = canvas.width / CELL_PX;
    const side = Math.min(box[2] - box[0], box[3] - box[1]) * scale;
    const largest = clamp(0.09 * side, 1.6 * unit, 5 * unit);
    const most = points.reduce((p, { weight }) => Math.max(p, weight), 0);
    const circle = (point, radius, color) => {
      context.beginPath();
      context.arc((point.x - window.left) * scale, (point.y - window.top) * scale, radius, 0, 2 * Math.PI);
      context.fillStyle = color;
      context.fill();
    };
    for (const point of [...points].filter(({ weight }) => weight > 0).sort((p, q) => p.weight - q.weight)) {
      const [color, casing] = levels[point.level % levels.length];
      const radius = Math.max(0.6 * unit, largest * Math.sqrt(point.weight / most));
      circle(point, radius + Math.max(0.6 * unit, 0.2 * radius), casing);
      circle(point, radius, color);
    }
  }

  const casingOf = (color) =>
    `rgb(${[1, 3, 5].map((at) => Math.round(0.22 * parseInt(color.slice(at, at + 2), 16))).join(" ")})`;

  function drawBox(canvas, window, [x0, y0, x1, y1], color) {
    const context = canvas.getContext("2d");
    const { scale } = fit(canvas, window);
    const unit = Math.max(1, canvas.width / CELL_PX);
    context.lineJoin = "miter";
    for (const [width, style] of [[3.6 * unit, casingOf(color)], [2 * unit, color]]) {
      context.lineWidth = width;
      context.strokeStyle = style;
      context.strokeRect((x0 - window.left) * scale, (y0 - window.top) * scale, (x1 - x0) * scale, (y1 - y0) * scale);
    }
  }

  /** The place that is being told of. */
  function drawRing(canvas, window, { x, y }) {
    const context = canvas.getContext("2d");
    const { scale } = fit(canvas, window);
    const unit = Math.max(1, canvas.width / CELL_PX);
    for (const [width, style] of [[4.5 * unit, "#000000"], [2 * unit, "#ffffff"]]) {
      context.beginPath();
      context.arc((x - window.left) * scale, (y - window.top) * scale, 9 * unit, 0, 2 * Math.PI);
      context.lineWidth = width;
      context.strokeStyle = style;
      context.stroke();
    }
  }

  /** The scale of maps from nothing to the brightest, over a mid grey. */
  function drawScale(canvas, inferno) {
    const context = canvas.getContext("2d");
    for (let x = 0; x < canvas.width; x++) {
      const share = x / (canvas.width - 1), color = 3 * Math.round(255 * share);
      context.fillStyle = "rgb(79 79 79)";
      context.fillRect(x, 0, 1, canvas.height);
      context.fillStyle = `rgb(${inferno.slice(color, color + 3).join(" ")} / ${MOST_OPAQUE * Math.sqrt(share)})`;
      context.fillRect(x, 0, 1, canvas.height);
    }
  }

  Object.assign(looks, { drawPicture, drawHeat, drawPoints, drawBox, drawRing, drawScale });
})((globalThis.detectattnLooks ??= {}));
