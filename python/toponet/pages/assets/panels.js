/** One picture with its overlays, which can be moved, zoomed and pointed at. */
class Panel {
  constructor(title, viewer) {
    this.title = title;
    this.viewer = viewer;
    this.element = document.createElement("figure");
    this.element.className = "panel";
    this.caption = document.createElement("figcaption");
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.element.append(this.caption, this.canvas);
    this.pointers = new Map();
    this.listen();
  }

  describe(words) {
    this.caption.textContent = words;
    this.canvas.setAttribute("aria-label", `${words}; arrow keys move, plus, minus and 0 zoom`);
  }

  /** The mask that overlays are about: the panel's own, or the one that is chosen. */
  get mask() {
    const { image, judged } = this.viewer;
    return image.masks.includes(this.title) ? this.title : judged;
  }

  draw() {
    const { image, view } = this.viewer;
    const width = this.canvas.clientWidth;
    if (!image || width === 0) return;
    const height = Math.round(width * Math.max(0.4, Math.min(1.4, image.height / image.width)));
    const ratio = devicePixelRatio;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const place = view.on(width, height);
    const context = this.canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.save();
    context.translate(place.left, place.top);
    context.scale(place.scale, place.scale);
    context.beginPath();
    context.rect(0, 0, image.width, image.height);
    context.clip();
    this.drawPixels(context, place.scale * ratio);
    context.restore();
    drawMarks(context, this, place);
  }

  /** What lies on the grid of the image's pixels. */
  drawPixels(context, devicePixels) {
    const { image, overlays, settings } = this.viewer;
    const fill = (picture) =>
      context.drawImage(picture, 0, 0, image.columns * image.shrink, image.rows * image.shrink);
    // Pixels stay pixels when they are large.
    context.imageSmoothingEnabled = devicePixels * image.shrink < 1.5;
    fill(image.base(this.title));
    if (overlays.has("changes")) fill(image.changes(settings.changeColours));
    if (overlays.has("wrong")) fill(image.wrong(this.mask));
    const stroke = (title, colour, dash) => {
      const path = image.outline(title);
      const unit = devicePixelRatio / devicePixels;
      for (const [style, width] of [["#ffffff", 3], [colour, 1.6]]) {
        context.strokeStyle = style;
        context.lineWidth = width * unit;
        context.setLineDash(style === colour ? dash.map((length) => length * unit) : []);
        context.stroke(path);
      }
    };
    if (overlays.has("truth")) stroke("truth", "#009e73", []);
    if (overlays.has("mask")) stroke(this.mask, "#0072b2", [5, 3]);
  }

  listen() {
    const canvas = this.canvas;
    canvas.addEventListener("pointerdown", (event) => this.grab(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.release(event));
    }
    canvas.addEventListener("pointerleave", () => this.viewer.point(null, null));
    canvas.addEventListener("dblclick", (event) => this.viewer.view.zoomBy(2, ...this.pixel(event)));
    canvas.addEventListener("keydown", (event) => this.press(event));
    canvas.addEventListener("wheel", (event) => this.turn(event), { passive: false });
  }

  /** The place (x, y) of an event in pixels of the image. */
  pixel(event) {
    const box = this.canvas.getBoundingClientRect();
    const { scale, left, top } = this.viewer.view.on(this.canvas.clientWidth, this.canvas.clientHeight);
    return [(event.clientX - box.left - left) / scale, (event.clientY - box.top - top) / scale];
  }

  get scale() {
    return this.viewer.view.on(this.canvas.clientWidth, this.canvas.clientHeight).scale;
  }

  grab(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    this.moved = 0;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    const view = this.viewer.view;
    if (!before) {
      this.viewer.point(this.pixel(event), 12 / this.scale);
      return;
    }
    const [dx, dy] = [event.clientX - before.clientX, event.clientY - before.clientY];
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers.values()].filter((each) => each.pointerId !== event.pointerId);
      const span = (each) => Math.hypot(each.clientX - other.clientX, each.clientY - other.clientY);
      view.zoomBy(span(event) / Math.max(1, span(before)), ...this.pixel(other));
    } else {
      view.moveBy(-dx / this.scale, -dy / this.scale);
    }
    this.pointers.set(event.pointerId, event);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    const still = event.type === "pointerup" && this.moved < 4;
    if (still) this.viewer.hold(this.pixel(event), 12 / this.scale);
  }

  press(event) {
    const view = this.viewer.view;
    const step = 40 / this.scale;
    const actions = {
      ArrowLeft: () => view.moveBy(-step, 0),
      ArrowRight: () => view.moveBy(step, 0),
      ArrowUp: () => view.moveBy(0, -step),
      ArrowDown: () => view.moveBy(0, step),
      "+": () => view.zoomBy(1.5),
      "=": () => view.zoomBy(1.5),
      "-": () => view.zoomBy(1 / 1.5),
      0: () => view.reset(),
      Escape: () => this.viewer.select(null),
    };
    if (!(event.key in actions) || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  }

  /** The wheel scrolls the page, unless the panel was clicked before. */
  turn(event) {
    if (document.activeElement !== this.canvas && !event.ctrlKey) return;
    event.preventDefault();
    this.viewer.view.zoomBy(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...this.pixel(event));
  }
}

/** Mistakes and places of dots. They have the same size on the screen at every zoom. */
function drawMarks(context, panel, place) {
  const { image, overlays, settings, diagram, marked } = panel.viewer;
  const onScreen = (row, column) => [
    place.left + (column + 0.5) * place.scale,
    place.top + (row + 0.5) * place.scale,
  ];
  if (overlays.has("mistakes")) {
    const mistakes = image.mistakes[panel.mask];
    const count = Object.values(mistakes).reduce((sum, places) => sum + places.length, 0);
    const radius = Math.max(4, Math.min(9, 60 / Math.sqrt(count)));
    for (const [kind, [colour, marker]] of Object.entries(settings.mistakes)) {
      for (const [row, column] of mistakes[kind]) {
        ring(context, ...onScreen(row, column), radius, marker, colour);
      }
    }
  }
  const critical = (dot, size) => {
    for (const [pixel, upwards] of [[dot.birthPixel, true], [dot.deathPixel, false]]) {
      if (pixel < 0) continue;
      const [x, y] = onScreen(Math.floor(pixel / image.width), pixel % image.width);
      triangle(context, x, y, size, upwards, dot.colour);
    }
  };
  if (overlays.has("critical")) for (const dot of diagram.visible) critical(dot, 4);
  if (marked) {
    connection(context, marked, image, onScreen);
    critical(marked, 9);
  }
}

function connection(context, dot, image, onScreen) {
  if (dot.birthPixel < 0 || dot.deathPixel < 0) return;
  const ends = [dot.birthPixel, dot.deathPixel].map((pixel) =>
    onScreen(Math.floor(pixel / image.width), pixel % image.width),
  );
  for (const [colour, width] of [["#ffffff", 4], ["#000000", 1.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(...ends[0]);
    context.lineTo(...ends[1]);
    context.stroke();
  }
}

/** A hollow mark with a white rim, which sets it off from every background. */
function ring(context, x, y, radius, marker, colour) {
  for (const [style, width] of [["#ffffff", 4], [colour, 2]]) {
    context.strokeStyle = style;
    context.lineWidth = width;
    context.beginPath();
    if (marker === "o") context.arc(x, y, radius, 0, 2 * Math.PI);
    if (marker === "s") context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
    if (marker === "D") {
      const r = radius * 1.3;
      context.moveTo(x, y - r);
      context.lineTo(x + r, y);
      context.lineTo(x, y + r);
      context.lineTo(x - r, y);
      context.closePath();
    }
    context.stroke();
  }
}

/** Upwards where a feature is born, downwards where it dies. */
function triangle(context, x, y, size, upwards, colour) {
  const sign = upwards ? -1 : 1;
  context.beginPath();
  context.moveTo(x, y + sign * size);
  context.lineTo(x + size, y - sign * size * 0.8);
  context.lineTo(x - size, y - sign * size * 0.8);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = "#ffffff";
  context.lineWidth = Math.max(1, size / 5);
  context.stroke();
}
