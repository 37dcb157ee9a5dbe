/** Brings the page to life: charts, the table of images, and the viewer below it. */
function startPage() {
  const settings = JSON.parse(document.getElementById("page-data").textContent);
  const charts = document.getElementById("charts");
  charts.hidden = settings.charts.length === 0;
  if (!charts.hidden) makeCharts(charts.querySelector(".charts"), settings.charts);
  document.getElementById("images").hidden = settings.names.length === 0;
  const meanings = document.getElementById("meanings");
  meanings.hidden = meanings.querySelector("dt") === null;
  if (settings.names.length) linkTable(document.getElementById("image-table"), settings);
}

/** A row shows its image; keys and buttons go through the rows in the order that they have. */
function linkTable(table, settings) {
  const viewer = new Viewer(document.getElementById("viewer"), settings);
  const body = table.tBodies[0];
  makeSortable(table);

  function choose(row) {
    body.querySelector("[aria-current]")?.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    scrollToRow(table, row);
    viewer.show(Number(row.dataset.image));
    updateButtons();
  }

  const current = () => body.querySelector("[aria-current]");
  const before = () => current()?.previousElementSibling;
  const after = () => current()?.nextElementSibling;
  const [previous, next] = ["previous", "next"].map((id) => document.getElementById(id));
  function updateButtons() {
    previous.disabled = !before();
    next.disabled = !after();
  }

  previous.addEventListener("click", () => choose(before()));
  next.addEventListener("click", () => choose(after()));
  table.tHead.addEventListener("click", updateButtons);
  body.addEventListener("click", (event) => choose(event.target.closest("tr")));
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("tr");
    const other = { ArrowUp: row.previousElementSibling, ArrowDown: row.nextElementSibling }[event.key];
    if (!other) return;
    event.preventDefault();
    other.querySelector("button").focus({ preventScroll: true });
    choose(other);
  });
  choose(body.rows[0]);
}

/** Scrolls the table in its box, and leaves the page where it is. */
function scrollToRow(table, row) {
  const box = table.closest(".rows");
  const top = row.offsetTop - table.tHead.offsetHeight;
  const bottom = row.offsetTop + row.offsetHeight - box.clientHeight;
  box.scrollTop = Math.max(bottom, Math.min(top, box.scrollTop));
}

startPage();
