const OVERLAYS = [
  ["mistakes", "mistakes", (image) => image.has_truth],
  ["wrong", "wrong pixels", (image) => image.has_truth],
  ["truth", "outline of the truth", (image) => image.has_truth],
  ["mask", "outline of the mask", () => true],
  ["changes", "what persistence changed", (image) => image.has_changes],
  ["critical", "places of all dots", (image) => image.dots.length > 0],
];

/** One image: its panels, what lies on them, and its diagram. */
class Viewer {
  constructor(root, settings) {
    this.root = root;
    this.settings = settings;
    this.image = null;
    this.view = new View();
    this.panels = [];
    this.hiddenPanels = new Set();
    this.wanted = new Set(["mistakes"]);
    this.overlays = new Set();
    this.selected = null;
    this.pointed = null;
    this.diagram = new Diagram(this.part("diagram-place"), this);
    this.view.addEventListener("change", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.part("panels"));
    this.part("zoom-in").addEventListener("click", () => this.view.zoomBy(1.5));
    this.part("zoom-out").addEventListener("click", () => this.view.zoomBy(1 / 1.5));
    this.part("zoom-reset").addEventListener("click", () => this.view.reset());
    for (const id of ["show-components", "show-holes", "least-persistence"]) {
      this.part(id).addEventListener("input", () => this.filterDots());
    }
  }

  part(id) {
    return document.getElementById(id);
  }

  /** Shows an image by its number. */
  async show(number) {
    this.number = number;
    this.root.hidden = false;
    this.part("image-name").textContent = this.settings.names[number];
    const packed = this.part(`picture-${number}`);
    if (!packed) {
      this.clear("The report has no picture of this image: it holds as many as a page has room for.");
      return;
    }
    try {
      const image = await UnpackedImage.of(JSON.parse(packed.textContent), this.settings.bits);
      if (this.number === number) this.setImage(image); // Unless another one was chosen meanwhile.
    } catch (error) {
      this.clear(`This picture can't be shown: ${error.message}`);
    }
  }

  clear(words) {
    this.image = null;
    this.note(words);
    for (const id of ["panels", "legend", "panel-choices", "overlay-choices"]) {
      this.part(id).hidden = true;
    }
    this.part("diagram").hidden = true;
  }

  note(words) {
    this.part("picture-note").textContent = words;
    this.part("picture-note").hidden = !words;
  }

  setImage(image) {
    this.image = image;
    this.selected = this.pointed = null;
    this.judged = image.masks.includes(this.judged) ? this.judged : image.masks.at(-1);
    this.note(
      image.shrink > 1
        ? `The picture is shrunk by ${image.shrink}, so that the report stays small; mistakes and dots are those of the whole image of ${image.height} × ${image.width} pixels.`
        : "",
    );
    for (const id of ["panels", "legend", "panel-choices", "overlay-choices"]) {
      this.part(id).hidden = false;
    }
    this.panels = image.panels.map((title) => new Panel(title, this));
    this.offerPanels();
    this.offerOverlays();
    this.setDiagram();
    this.view.setSize(image.width, image.height);
  }

  offerPanels() {
    const boxes = this.panels.map(({ title }) =>
      checkbox(title, !this.hiddenPanels.has(title), (on) => {
        this.hiddenPanels[on ? "delete" : "add"](title);
        this.placePanels();
      }),
    );
    fill(this.part("panel-choices"), boxes);
    this.placePanels();
  }

  placePanels() {
    const shown = this.panels.filter(({ title }) => !this.hiddenPanels.has(title));
    this.part("panels").replaceChildren(...shown.map((panel) => panel.element));
    this.draw();
  }

  offerOverlays() {
    const offered = OVERLAYS.filter(([, , isThere]) => isThere(this.image));
    const boxes = offered.map(([key, words]) =>
      checkbox(words, this.wanted.has(key), (on) => {
        this.wanted[on ? "add" : "delete"](key);
        this.chooseOverlays(offered);
      }),
    );
    if (this.image.masks.length > 1) boxes.push(this.maskChoice());
    fill(this.part("overlay-choices"), boxes);
    this.chooseOverlays(offered);
  }

  chooseOverlays(offered) {
    this.overlays = new Set(offered.map(([key]) => key).filter((key) => this.wanted.has(key)));
    this.describe();
    this.draw();
  }

  /** The panels of masks have their own; all others show the mistakes of this one. */
  maskChoice() {
    const choice = document.createElement("select");
    choice.append(...this.image.masks.map((title) => new Option(title, title)));
    choice.value = this.judged;
    choice.addEventListener("change", () => {
      this.judged = choice.value;
      this.draw();
    });
    const made = document.createElement("label");
    made.append("other pictures show those of ", choice);
    return made;
  }

  describe() {
    for (const panel of this.panels) {
      const mistakes = this.image.masks.includes(panel.title) && this.image.mistakes[panel.title];
      const count = mistakes ? Object.values(mistakes).flat().length : 0;
      panel.describe(mistakes ? `${panel.title}: ${count} mistake${count === 1 ? "" : "s"}` : panel.title);
    }
    this.part("legend").replaceChildren(...overlayLegend(this.image, this.overlays, this.settings));
  }

  setDiagram() {
    const { dots, dots_in_all: all } = this.image;
    this.part("diagram").hidden = dots.length === 0;
    this.diagram.setImage(this.image, this.settings.fates);
    this.part("fates").replaceChildren(...fateLegend(this.diagram.dots, this.settings.fates));
    this.part("dots-left-out").textContent =
      dots.length < all ? `${dots.length} of ${all} dots are here, the most persistent ones.` : "";
    this.filterDots();
  }

  filterDots() {
    const least = this.part("least-persistence").valueAsNumber;
    this.part("least-shown").textContent = least.toFixed(2);
    const dimensions = ["show-components", "show-holes"].flatMap((id, d) => (this.part(id).checked ? [d] : []));
    this.diagram.filter(dimensions, least);
    this.select(this.diagram.visible.includes(this.selected) ? this.selected : null);
  }

  /** The dot that is marked, in the diagram and in its place. */
  get marked() {
    return this.pointed ?? this.selected;
  }

  /** As long as the pointer is there. */
  highlight(dot) {
    if (dot === this.pointed) return;
    this.pointed = dot;
    this.mark();
  }

  /** Until another one is selected. */
  select(dot) {
    this.selected = dot;
    this.pointed = null;
    this.mark();
  }

  mark() {
    this.diagram.highlight(this.marked);
    this.part("dot-words").textContent = this.marked
      ? dotInWords(this.marked, this.image)
      : "No dot is marked.";
    this.draw();
  }

  /** What the pointer is on, in pixels of the image; null = it left. */
  point(place, within) {
    const inside = place && place[0] >= 0 && place[1] >= 0 && place[0] < this.image.width && place[1] < this.image.height;
    this.part("pointer").textContent = inside
      ? `row ${Math.floor(place[1])}, column ${Math.floor(place[0])}`
      : "";
    this.highlight(inside ? this.diagram.nearestPlace(place, within) : null);
  }

  hold(place, within) {
    this.select(this.diagram.nearestPlace(place, within));
  }

  zoomTo(dot) {
    const pixel = dot && (dot.deathPixel < 0 ? dot.birthPixel : dot.deathPixel);
    if (dot === null || pixel < 0) return;
    const { width } = this.image;
    this.view.set((pixel % width) + 0.5, Math.floor(pixel / width) + 0.5, Math.max(4, this.view.zoom));
  }

  /** Once for each frame of the screen, however much has changed. */
  draw() {
    if (this.drawing) return;
    this.drawing = requestAnimationFrame(() => {
      this.drawing = null;
      if (!this.image) return;
      for (const panel of this.panels) panel.draw();
      this.part("zoom-out").disabled = this.part("zoom-reset").disabled = this.view.zoom <= 1;
    });
  }
}

function checkbox(words, checked, change) {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = checked;
  box.addEventListener("change", () => change(box.checked));
  label.append(box, ` ${words}`);
  return label;
}

/** What stands in a fieldset below its legend. */
function fill(fieldset, children) {
  fieldset.replaceChildren(fieldset.querySelector("legend"), ...children);
}
