// The arrays of a picture, as explanation/pack.py packed them.
((looks) => {
  "use strict";

  const POINT_STEP_PX = 0.1;
  const WEIGHT_STEPS = 65535;

  /** The bytes of a picture's pack. */
  async function inflate(text) {
    const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /** One of several maps of one size: differences along both axes, summed up modulo 256. */
  function readMap(bytes, offset, width, height, number = 0) {
    const values = new Uint8Array(width * height);
    const sums = new Uint8Array(width);
    let from = offset + number * width * height;
    for (let y = 0, to = 0; y < height; y++) {
      let run = 0;
      for (let x = 0; x < width; x++, from++, to++) {
        sums[x] += bytes[from];
        run = (run + sums[x]) & 255;
        values[to] = run;
      }
    }
    return { width, height, values };
  }

  /** `[{x, y, weight, level, head, layer}]`, places in pixels of the picture. */
  function readPoints(bytes, offset, count) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const weights = 8 * count, levels = 10 * count, heads = 11 * count, layers = 12 * count;
    return Array.from({ length: count }, (_, n) => ({
      x: view.getInt32(8 * n, true) * POINT_STEP_PX,
      y: view.getInt32(8 * n + 4, true) * POINT_STEP_PX,
      weight: view.getUint16(weights + 2 * n, true) / WEIGHT_STEPS,
      level: view.getUint8(levels + n),
      head: view.getUint8(heads + n),
      layer: view.getUint8(layers + n),
    }));
  }

  Object.assign(looks, { inflate, readMap, readPoints });
})((globalThis.detectattnLooks ??= {}));
