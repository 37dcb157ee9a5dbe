/** Curves by epoch, drawn by uPlot. Their cursors keep in step. */
function makeCharts(place, charts) {
  const plots = [];
  for (const chart of charts) {
    const box = document.createElement("div");
    box.className = "chart";
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", chartInWords(chart));
    place.append(box);
    const size = () => ({ width: Math.max(box.clientWidth - 8, 200), height: 200 });
    const plot = new uPlot(chartOptions(chart, size()), chartData(chart), box);
    new ResizeObserver(() => plot.setSize(size())).observe(box);
    box.addEventListener("keydown", (event) => moveCursors(event, plot, plots));
    plots.push(plot);
  }
}

function chartData(chart) {
  return [chart.epochs, ...chart.curves.map((curve) => curve.values)];
}

function chartInWords(chart) {
  const ends = chart.curves.map(
    (curve) => `${curve.label} from ${fourDigits(curve.values[0])} to ${fourDigits(curve.values.at(-1))}`,
  );
  return `${chart.title}, epochs ${chart.epochs[0]} to ${chart.epochs.at(-1)}: ${ends.join("; ")}`;
}

function chartOptions(chart, size) {
  const right = chart.curves.some((curve) => curve.right);
  const grid = { stroke: "#e4e4e4", width: 1 };
  // As many digits as tell neighbouring ticks apart.
  const values = (u, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(5))));
  const onlyOne = chart.epochs.length === 1; // A single epoch has no width of its own.
  return {
    ...size,
    title: chart.title,
    cursor: { sync: { key: "epochs" } },
    scales: { x: { time: false, ...(onlyOne && { range: (u, low) => [low - 1, low + 1] }) } },
    axes: [
      { grid, label: "epoch", labelSize: 18, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
      { grid, values, size: 58 },
      ...(right ? [{ side: 1, scale: "right", values, grid: { show: false }, size: 58 }] : []),
    ],
    series: [
      { label: "epoch" },
      ...chart.curves.map((curve) => ({
        label: curve.label,
        stroke: curve.colour,
        width: 2,
        dash: curve.dash.length ? curve.dash : undefined,
        scale: curve.right ? "right" : "y",
        points: { show: chart.epochs.length <= 40, size: 5 },
        value: (u, value) => fourDigits(value),
      })),
    ],
    hooks: { draw: chart.marked === null ? [] : [(plot) => markEpoch(plot, chart)] },
  };
}

/** A dotted line before an epoch. */
function markEpoch(plot, chart) {
  const x = Math.round(plot.valToPos(chart.marked - 0.5, "x", true));
  const { left, top, width, height } = plot.bbox;
  if (x < left || x > left + width) return;
  const context = plot.ctx;
  context.save();
  context.strokeStyle = context.fillStyle = "#595959";
  context.setLineDash([3, 3]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, top + height);
  context.stroke();
  context.font = `${11 * devicePixelRatio}px sans-serif`;
  const toTheRight = x < left + width / 2;
  context.textAlign = toTheRight ? "left" : "right";
  context.fillText(chart.mark, x + (toTheRight ? 5 : -5), top + 12 * devicePixelRatio);
  context.restore();
}

/** To the epoch beside the one that the cursor of a plot is on. */
function moveCursors(event, plot, plots) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const epochs = plot.data[0];
  const now = plot.cursor.idx ?? (step > 0 ? -1 : epochs.length);
  const epoch = epochs[Math.max(0, Math.min(epochs.length - 1, now + step))];
  for (const each of plots) {
    const top = each.bbox.height / devicePixelRatio / 2;
    each.setCursor({ left: each.valToPos(epoch, "x"), top });
  }
}

function fourDigits(value) {
  if (value === null || value === undefined) return "–";
  if (Math.abs(value) >= 1000) return value.toFixed(0);
  return Math.abs(value) < 1 ? value.toFixed(4) : value.toPrecision(4);
}
