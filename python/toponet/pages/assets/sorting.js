/** Lets the headings of a table sort its rows. Empty cells come last whatever the order. */
function makeSortable(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const headings = [...table.tHead.rows].at(-1).cells;

  function sortBy(column) {
    const heading = headings[column];
    const first = heading.querySelector("button").dataset.first;
    const second = first === "ascending" ? "descending" : "ascending";
    const order = heading.getAttribute("aria-sort") === first ? second : first;
    for (const other of headings) other.setAttribute("aria-sort", "none");
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const rows = original.map((row) => [row.cells[column].dataset.value, row]);
    rows.sort(([a], [b]) => compareCells(a, b, sign));
    body.append(...rows.map(([, row]) => row));
  }

  [...headings].forEach((heading, column) =>
    heading.querySelector("button").addEventListener("click", () => sortBy(column)),
  );
}

function compareCells(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const difference = Number(a) - Number(b);
  if (!Number.isNaN(difference)) return sign * difference;
  return sign * a.localeCompare(b, "en", { numeric: true });
}
