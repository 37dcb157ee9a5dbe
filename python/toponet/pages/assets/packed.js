/** What the page holds of one image, unpacked for drawing. Places are [row, column]. */
class UnpackedImage {
  constructor(packed, layout, bits, pictures) {
    Object.assign(this, packed);
    this.layout = layout;
    this.bytes = bits;
    this.pictures = pictures;
    this.columns = Math.ceil(this.width / this.shrink);
    this.rows = Math.ceil(this.height / this.shrink);
    this.made = new Map();
  }

  static async of(packed, layout) {
    const [bits, image, likelihood] = await Promise.all([
      inflated(packed.bits),
      packed.image && loaded(packed.image),
      packed.likelihood && loaded(packed.likelihood),
    ]);
    return new UnpackedImage(packed, layout, bits, { image, likelihood });
  }

  /** The test of a pixel's byte for the truth, or for a mask by its title. */
  test(name) {
    const bit = name === "truth" ? this.layout.truth : this.layout.masks + this.masks.indexOf(name);
    return (byte) => (byte >> bit) & 1;
  }

  /** Titles of what has a panel, in their order. */
  get panels() {
    return [
      ...(this.image ? ["image"] : []),
      ...(this.has_truth ? ["truth"] : []),
      ...(this.likelihood ? ["likelihood"] : []),
      ...this.masks,
    ];
  }

  /** What a panel shows below its overlays. */
  base(title) {
    if (this.pictures[title]) return this.pictures[title];
    const structure = this.test(title);
    return this.coloured(`base ${title}`, (byte) => {
      if (!this.counts(byte)) return [179, 179, 179, 255];
      return structure(byte) ? [38, 38, 38, 255] : [255, 255, 255, 255];
    });
  }

  /** Pixels that a mask misses, and those that it invents. */
  wrong(title) {
    const truth = this.test("truth");
    const mask = this.test(title);
    return this.coloured(`wrong ${title}`, (byte) => {
      if (!this.counts(byte) || truth(byte) === mask(byte)) return null;
      return truth(byte) ? [213, 94, 0, 215] : [0, 114, 178, 215];
    });
  }

  /** Pixels that persistence changed. */
  changes(colours) {
    return this.coloured("changes", (byte) => {
      const change = (byte >> this.layout.change) & 7;
      return change ? [...rgb(colours[change - 1].colour), 235] : null;
    });
  }

  counts(byte) {
    return (byte >> this.layout.counts) & 1;
  }

  coloured(key, colourOf) {
    if (!this.made.has(key)) {
      const canvas = document.createElement("canvas");
      canvas.width = this.columns;
      canvas.height = this.rows;
      const pixels = new ImageData(this.columns, this.rows);
      const colours = []; // There are few different bytes, and many pixels.
      this.bytes.forEach((byte, k) => {
        if (colours[byte] === undefined) colours[byte] = colourOf(byte);
        if (colours[byte] !== null) pixels.data.set(colours[byte], 4 * k);
      });
      canvas.getContext("2d").putImageData(pixels, 0, 0);
      this.made.set(key, canvas);
    }
    return this.made.get(key);
  }

  /** The line between structure and background, as a path in pixels. */
  outline(title) {
    const key = `outline ${title}`;
    if (!this.made.has(key)) {
      this.made.set(key, outlineOf(this.bytes, this.rows, this.columns, this.shrink, this.test(title)));
    }
    return this.made.get(key);
  }
}

/** Straight edges are drawn as one line, else a large mask would have a million of them. */
function outlineOf(bytes, rows, columns, size, structure) {
  const path = new Path2D();
  const at = (row, column) => structure(bytes[row * columns + column]);
  const trace = (lines, length, isEdge, draw) => {
    for (let line = 1; line < lines; line++) {
      for (let k = 0, start = -1; k <= length; k++) {
        const edge = k < length && isEdge(line, k);
        if (edge && start < 0) start = k;
        if (!edge && start >= 0) {
          draw(line * size, start * size, k * size);
          start = -1;
        }
      }
    }
  };
  trace(rows, columns, (row, k) => at(row, k) !== at(row - 1, k), (y, from, to) => {
    path.moveTo(from, y);
    path.lineTo(to, y);
  });
  trace(columns, rows, (column, k) => at(k, column) !== at(k, column - 1), (x, from, to) => {
    path.moveTo(x, from);
    path.lineTo(x, to);
  });
  return path;
}

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

function rgb(colour) {
  return [1, 3, 5].map((k) => parseInt(colour.slice(k, k + 2), 16));
}
