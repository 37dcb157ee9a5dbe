const SVG = "http://www.w3.org/2000/svg";
const SIDE = 400;
const EDGE = { left: 46, right: 12, top: 10, bottom: 42 };

/** The persistence diagram: death on the horizontal axis, birth on the vertical one. */
class Diagram {
  constructor(place, viewer) {
    this.viewer = viewer;
    this.dots = [];
    this.visible = [];
    this.svg = element("svg", { viewBox: `0 0 ${SIDE} ${SIDE}`, tabindex: 0, role: "listbox" });
    this.svg.setAttribute("aria-label", "Dots of the persistence diagram, the most persistent first");
    place.replaceChildren(this.svg);
    this.svg.addEventListener("pointermove", (event) => viewer.highlight(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => viewer.highlight(null));
    this.svg.addEventListener("click", (event) => viewer.select(this.nearest(event)));
    this.svg.addEventListener("keydown", (event) => this.press(event));
  }

  setImage(image, fates) {
    this.image = image;
    this.dots = image.dots.map(([dimension, birth, death, birthPixel, deathPixel, fate], number) => ({
      number, dimension, birth, death, birthPixel, deathPixel, fate, colour: fates[fate][0],
    }));
    this.hasNever = this.dots.some((dot) => dot.death === null);
    this.order = Object.keys(fates);
  }

  /** Shows the dots of these dimensions that are at least so persistent. */
  filter(dimensions, least) {
    this.visible = this.dots.filter(
      (dot) => dimensions.includes(dot.dimension) && persistenceOf(dot) >= least,
    );
    this.draw();
  }

  x(death) {
    const low = this.hasNever ? -0.14 : -0.02;
    const inside = SIDE - EDGE.left - EDGE.right;
    return EDGE.left + ((death ?? -0.1) - low) * (inside / (1.02 - low));
  }

  y(birth) {
    return SIDE - EDGE.bottom - (birth + 0.02) * ((SIDE - EDGE.top - EDGE.bottom) / 1.04);
  }

  draw() {
    this.mark = element("g", {});
    // Later fates lie above earlier ones.
    const sorted = [...this.visible].sort(
      (a, b) => this.order.indexOf(a.fate) - this.order.indexOf(b.fate),
    );
    this.svg.replaceChildren(...this.plane(), ...sorted.map((dot) => this.dot(dot)), this.mark);
  }

  plane() {
    const { threshold, keep, add } = this.image.rule;
    const [left, right, bottom, top] = [EDGE.left, SIDE - EDGE.right, SIDE - EDGE.bottom, EDGE.top];
    const parts = [
      element("rect", { x: left, y: top, width: right - left, height: bottom - top, fill: "#fff", stroke: "#8a8a8a" }),
      this.line(0, 0, 1, 1, { stroke: "#8a8a8a" }),
      this.line(threshold, threshold, threshold, 1.02, { stroke: "#000", "stroke-dasharray": "2 3" }),
      this.line(this.hasNever ? -0.14 : -0.02, threshold, threshold, threshold, { stroke: "#000", "stroke-dasharray": "2 3" }),
      ...this.limit(keep, "#e69f00", "keep"),
      ...(add === null ? [] : this.limit(add, "#0072b2", "add")),
      label("death", (left + right) / 2, SIDE - 8, "middle"),
      label("birth", 12, (top + bottom) / 2, "middle", `rotate(-90 12 ${(top + bottom) / 2})`),
    ];
    for (const tick of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      parts.push(label(String(tick), this.x(tick), bottom + 16, "middle"));
      parts.push(label(String(tick), left - 5, this.y(tick) + 4, "end"));
    }
    if (this.hasNever) parts.push(label("never", this.x(null), bottom + 16, "middle"));
    return parts;
  }

  /** The dots above this line are more persistent than a number. */
  limit(persistence, colour, name) {
    if (persistence <= 0 || persistence >= 1) return [];
    const style = { stroke: colour, "stroke-dasharray": "7 4", "stroke-width": 1.5 };
    return [
      this.line(0, persistence, 1 - persistence, 1, style),
      label(`${name} ${persistence}`, this.x(1 - persistence) - 4, EDGE.top + 13, "end"),
    ];
  }

  line(x1, y1, x2, y2, style) {
    return element("line", { x1: this.x(x1), y1: this.y(y1), x2: this.x(x2), y2: this.y(y2), ...style });
  }

  dot(dot) {
    const small = dot.fate === "hidden";
    const size = small ? 2.2 : 4.2;
    const shape = dotShape(dot, this.x(dot.death), this.y(dot.birth), size);
    shape.setAttribute("id", `dot-${dot.number}`);
    shape.setAttribute("role", "option");
    shape.setAttribute("aria-label", dotInWords(dot, this.image));
    shape.setAttribute("fill", dot.fate === "left" ? "#fff" : dot.colour);
    shape.setAttribute("stroke", dot.fate === "left" ? dot.colour : "#fff");
    shape.setAttribute("stroke-width", small ? 0 : 0.8);
    return shape;
  }

  /** A ring around a dot; none if it is null. */
  highlight(dot) {
    this.svg.querySelector("[aria-selected]")?.removeAttribute("aria-selected");
    this.svg.removeAttribute("aria-activedescendant");
    this.mark.replaceChildren();
    if (dot === null) return;
    const [x, y] = [this.x(dot.death), this.y(dot.birth)];
    for (const [stroke, width] of [["#fff", 5], ["#000", 2]]) {
      this.mark.append(element("circle", { cx: x, cy: y, r: 9, fill: "none", stroke, "stroke-width": width }));
    }
    const shape = this.svg.getElementById(`dot-${dot.number}`);
    shape?.setAttribute("aria-selected", "true");
    if (shape) this.svg.setAttribute("aria-activedescendant", shape.id);
  }

  nearest(event) {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      this.svg.getScreenCTM().inverse(),
    );
    return nearest(this.visible, 14, (dot) =>
      Math.hypot(this.x(dot.death) - place.x, this.y(dot.birth) - place.y),
    );
  }

  /** The dot that is born or dies nearest to a pixel (x, y). */
  nearestPlace([x, y], within) {
    const distance = (pixel) => {
      if (pixel < 0) return Infinity;
      const [row, column] = [Math.floor(pixel / this.image.width), pixel % this.image.width];
      return Math.hypot(column + 0.5 - x, row + 0.5 - y);
    };
    return nearest(this.visible, within, (dot) =>
      Math.min(distance(dot.birthPixel), distance(dot.deathPixel)),
    );
  }

  press(event) {
    const viewer = this.viewer;
    const last = this.visible.length - 1;
    const now = this.visible.indexOf(viewer.selected);
    const go = (k) => viewer.select(this.visible[Math.max(0, Math.min(last, k))] ?? null);
    const actions = {
      ArrowRight: () => go(now + 1),
      ArrowDown: () => go(now + 1),
      ArrowLeft: () => go(now - 1),
      ArrowUp: () => go(now - 1),
      Home: () => go(0),
      End: () => go(last),
      Enter: () => viewer.zoomTo(viewer.selected),
      Escape: () => viewer.select(null),
    };
    if (!(event.key in actions)) return;
    event.preventDefault();
    actions[event.key]();
  }
}

/** The nearest of some dots; of equally near ones the most persistent, which comes first. */
function nearest(dots, within, distance) {
  let [best, least] = [null, within];
  for (const dot of dots) {
    const far = distance(dot);
    if (far < least) [best, least] = [dot, far];
  }
  return best;
}

/** What never dies is taken to die at 0. */
function persistenceOf(dot) {
  return dot.birth - Math.max(0, dot.death ?? 0);
}

const FATES_IN_WORDS = { hidden: "stays hidden", shown: "stays", left: "left as it is" };

function dotInWords(dot, image) {
  const place = (pixel, otherwise) =>
    pixel < 0 ? otherwise : `row ${Math.floor(pixel / image.width)}, column ${pixel % image.width}`;
  const death = dot.death === null
    ? "never dies"
    : `death ${dot.death.toFixed(3)} (${place(dot.deathPixel, "no pixel")})`;
  return (
    `${dot.dimension ? "Hole" : "Component"}, ${FATES_IN_WORDS[dot.fate] ?? dot.fate}: ` +
    `persistence ${persistenceOf(dot).toFixed(3)}, birth ${dot.birth.toFixed(3)} ` +
    `(${place(dot.birthPixel, "with the frame")}), ${death}`
  );
}

/** A circle for a component, a square for a hole. */
function dotShape(dot, x, y, size) {
  return dot.dimension
    ? element("rect", { x: x - 0.9 * size, y: y - 0.9 * size, width: 1.8 * size, height: 1.8 * size })
    : element("circle", { cx: x, cy: y, r: size });
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function label(text, x, y, anchor, transform = "") {
  const made = element("text", { x, y, "text-anchor": anchor, transform });
  made.textContent = text;
  return made;
}
