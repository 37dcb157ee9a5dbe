/** What the marks on the panels mean, with their numbers. */
function overlayLegend(image, overlays, { mistakes, changeColours }) {
  const entries = [];
  if (overlays.has("mistakes")) {
    for (const [kind, [colour, marker, words]] of Object.entries(mistakes)) {
      const counts = image.masks.map((title) => image.mistakes[title][kind].length);
      entries.push([hollowIcon(marker, colour), `${words}: ${counts.join(" / ")}`]);
    }
    if (image.masks.length > 1) entries.push([null, `(${image.masks.join(" / ")})`]);
  }
  if (overlays.has("wrong")) {
    entries.push([squareIcon("#d55e00"), "structure that the mask misses"]);
    entries.push([squareIcon("#0072b2"), "structure that only the mask has"]);
  }
  if (overlays.has("truth")) entries.push([lineIcon("#009e73", ""), "outline of the truth"]);
  if (overlays.has("mask")) entries.push([lineIcon("#0072b2", "4 2"), "outline of the mask"]);
  if (overlays.has("changes")) {
    for (const { colour, actions } of changeColours) entries.push([squareIcon(colour), actions.join(", ")]);
  }
  if (overlays.has("critical")) entries.push([null, "▲ where a dot is born, ▼ where it dies"]);
  return entries.map(([icon, words]) => legendEntry(icon, words));
}

/** The colours of the dots, with their numbers. */
function fateLegend(dots, fates) {
  return Object.entries(fates).flatMap(([fate, [colour, words]]) => {
    const count = dots.filter((dot) => dot.fate === fate).length;
    if (!count) return [];
    const icon = element("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
    icon.append(element("circle", {
      cx: 8, cy: 8, r: 5, fill: fate === "left" ? "#fff" : colour, stroke: colour,
    }));
    return [legendEntry(icon, `${words.replace("{}", "dot")}: ${count}`)];
  });
}

function legendEntry(icon, words) {
  const entry = document.createElement("li");
  if (icon) entry.append(icon);
  entry.append(words);
  return entry;
}

function hollowIcon(marker, stroke) {
  const style = { fill: "none", stroke, "stroke-width": 2 };
  const shapes = {
    o: () => element("circle", { cx: 8, cy: 8, r: 5.5, ...style }),
    s: () => element("rect", { x: 3, y: 3, width: 10, height: 10, ...style }),
    D: () => element("path", { d: "M8 1.5 14.5 8 8 14.5 1.5 8Z", ...style }),
  };
  return icon(shapes[marker]());
}

function squareIcon(fill) {
  return icon(element("rect", { x: 2, y: 2, width: 12, height: 12, fill }));
}

function lineIcon(stroke, dashes) {
  return icon(element("line", {
    x1: 0, y1: 8, x2: 16, y2: 8, stroke, "stroke-width": 2.5, "stroke-dasharray": dashes,
  }));
}

function icon(shape) {
  const made = element("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" });
  made.append(shape);
  return made;
}
