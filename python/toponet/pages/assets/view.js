/** Which part of the image is seen. All panels share one view, so that they keep in step. */
class View extends EventTarget {
  constructor() {
    super();
    this.setSize(1, 1);
  }

  /** Of the image, in pixels; all of it is seen then. */
  setSize(width, height) {
    this.width = width;
    this.height = height;
    this.reset();
  }

  reset() {
    this.set(this.width / 2, this.height / 2, 1);
  }

  set(x, y, zoom) {
    this.zoom = Math.max(1, Math.min(64, zoom));
    const within = (value, length) => {
      const half = length / 2 / this.zoom;
      return Math.max(half, Math.min(length - half, value));
    };
    this.x = within(x, this.width);
    this.y = within(y, this.height);
    this.dispatchEvent(new Event("change"));
  }

  moveBy(dx, dy) {
    this.set(this.x + dx, this.y + dy, this.zoom);
  }

  /** The pixel (x, y) stays where it is on the screen. */
  zoomBy(factor, x = this.x, y = this.y) {
    const zoom = Math.max(1, Math.min(64, this.zoom * factor));
    const share = this.zoom / zoom;
    this.set(x + (this.x - x) * share, y + (this.y - y) * share, zoom);
  }

  /** From pixels of the image to those of a canvas of this size: scale, and the place of (0, 0). */
  on(width, height) {
    const scale = Math.min(width / this.width, height / this.height) * this.zoom;
    return { scale, left: width / 2 - this.x * scale, top: height / 2 - this.y * scale };
  }
}
