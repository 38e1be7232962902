// Where things are: windows around objects, values of maps, brightest places, density of points.
((looks) => {
  "use strict";

  // The window around an object: so many times its box, and no less than this share of the picture; as on sheets.
  const AROUND = 3, LEAST_SHARE = 0.45;
  // A point is read by bilinear interpolation, a triangle of one cell to either side, whose standard deviation this is.
  const SIGMA_CELLS = 6 ** -0.5;
  const FINEST_STRIDE_PX = 8;
  const DENSITY_PX = 160;
  const TOP_QUANTILE = 0.997;
  const SPOTS = 6;

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  /** A window of the picture's proportions around boxes, inside the picture. */
  function frameWindow(boxes, { width, height }) {
    const x0 = Math.min(...boxes.map((box) => box[0])), y0 = Math.min(...boxes.map((box) => box[1]));
    const x1 = Math.max(...boxes.map((box) => box[2])), y1 = Math.max(...boxes.map((box) => box[3]));
    const share = Math.min(1, Math.max(LEAST_SHARE, (AROUND * (x1 - x0)) / width, (AROUND * (y1 - y0)) / height));
    const size = { width: share * width, height: share * height };
    return {
      left: clamp((x0 + x1 - size.width) / 2, 0, width - size.width),
      top: clamp((y0 + y1 - size.height) / 2, 0, height - size.height),
      ...size,
    };
  }

  const isInside = ([x0, y0, x1, y1], x, y) => x0 <= x && x <= x1 && y0 <= y && y <= y1;

  /** The value of a map, 0 to 255, at a place of the picture, interpolated bilinearly. */
  function sample(map, x, y, picture) {
    const u = clamp((x / picture.width) * map.width - 0.5, 0, map.width - 1);
    const v = clamp((y / picture.height) * map.height - 0.5, 0, map.height - 1);
    const left = Math.floor(u), top = Math.floor(v);
    const right = Math.min(left + 1, map.width - 1), below = Math.min(top + 1, map.height - 1);
    const at = (column, row) => map.values[row * map.width + column];
    const upper = at(left, top) * (1 - u + left) + at(right, top) * (u - left);
    const lower = at(left, below) * (1 - u + left) + at(right, below) * (u - left);
    return upper * (1 - v + top) + lower * (v - top);
  }

  const eachCell = (map, picture, visit) => {
    for (let row = 0, n = 0; row < map.height; row++) {
      for (let column = 0; column < map.width; column++, n++) {
        const x = ((column + 0.5) * picture.width) / map.width, y = ((row + 0.5) * picture.height) / map.height;
        visit(map.values[n], x, y);
      }
    }
  };

  /** Share of a map's mass inside a box; null for a map that is nothing anywhere. */
  function shareInside(map, box, picture) {
    let inside = 0, all = 0;
    eachCell(map, picture, (value, x, y) => {
      all += value;
      if (isInside(box, x, y)) inside += value;
    });
    return all ? inside / all : null;
  }

  /** A map's brightest places, apart from one another: `[{x, y, value}]`, the brightest first. */
  function findSpots(map, picture) {
    const cells = [];
    eachCell(map, picture, (value, x, y) => value > 12 && cells.push({ x, y, value }));
    cells.sort((p, q) => q.value - p.value);
    const apart = 0.06 * Math.max(picture.width, picture.height);
    const spots = [];
    for (const cell of cells) {
      if (spots.length === SPOTS) break;
      if (spots.every((spot) => Math.hypot(spot.x - cell.x, spot.y - cell.y) > apart)) spots.push(cell);
    }
    return spots;
  }

  /** The value that is drawn brightest: nearly the largest. */
  function findTop(values) {
    const sorted = Float32Array.from(values).sort();
    const most = sorted.at(-1) ?? 0;
    return Math.max(sorted[Math.floor(TOP_QUANTILE * (sorted.length - 1))] ?? 0, 0.5 * most);
  }

  /** Values of any range as a map of 0 to 255. */
  function toMap(values, width, height) {
    const top = findTop(values);
    const share = (value) => (top > 0 ? 255 * Math.min(1, value / top) : 0);
    return { width, height, values: Float32Array.from(values, share) };
  }

  /** Where points lie, each spread as the bilinear kernel spreads that reads it. */
  function computeDensity(points, picture, input) {
    const scale = Math.min(1, DENSITY_PX / Math.max(picture.width, picture.height));
    const width = Math.max(1, Math.round(picture.width * scale)), height = Math.max(1, Math.round(picture.height * scale));
    const values = new Float32Array(width * height);
    for (const point of points) {
      const cell = FINEST_STRIDE_PX * 2 ** point.level * SIGMA_CELLS;
      const sigmaX = Math.max(0.3, (cell * width) / input[0]), sigmaY = Math.max(0.3, (cell * height) / input[1]);
      splat(values, width, height, {
        x: (point.x / picture.width) * width - 0.5, y: (point.y / picture.height) * height - 0.5,
        weight: point.weight / (sigmaX * sigmaY), sigmaX, sigmaY,
      });
    }
    return toMap(values, width, height);
  }

  function splat(values, width, height, { x, y, weight, sigmaX, sigmaY }) {
    const reachX = Math.ceil(3 * sigmaX), reachY = Math.ceil(3 * sigmaY);
    const last = { x: Math.min(width - 1, Math.round(x) + reachX), y: Math.min(height - 1, Math.round(y) + reachY) };
    for (let row = Math.max(0, Math.round(y) - reachY); row <= last.y; row++) {
      const along = Math.exp(-(((row - y) / sigmaY) ** 2) / 2) * weight;
      for (let column = Math.max(0, Math.round(x) - reachX); column <= last.x; column++) {
        values[row * width + column] += along * Math.exp(-(((column - x) / sigmaX) ** 2) / 2);
      }
    }
  }

  Object.assign(looks, { clamp, frameWindow, isInside, sample, shareInside, findSpots, computeDensity });
})((globalThis.detectattnLooks ??= {}));
