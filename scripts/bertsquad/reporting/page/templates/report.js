// Tables sort by a click on a heading and show the rows that hold what is typed. Without this script
// they are as complete, in one order.
const FILTERED_FROM = 9; // rows: fewer are seen at a glance
for (const table of document.querySelectorAll("table.sortable")) {
  sortable(table);
  if (table.tBodies[0].rows.length >= FILTERED_FROM) filtered(table);
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort by this column";
    const unit = head.querySelector(".unit-row");
    if (unit) unit.remove();
    button.append(...head.childNodes);
    head.append(button);
    if (unit) head.append(unit);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        return cell.dataset.order === undefined ? cell.textContent : Number(cell.dataset.order);
      };
      // "run-2" comes before "run-10".
      const compare = (a, b) =>
        typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true });
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => (down ? -1 : 1) * compare(key(a), key(b)));
      table.tBodies[0].append(...rows);
    });
  });
}

function filtered(table) {
  const rows = [...table.tBodies[0].rows];
  const label = document.createElement("label");
  label.className = "filter";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "all of these words";
  const count = document.createElement("span");
  count.setAttribute("aria-live", "polite");
  label.append("Rows that hold ", input, count);
  const scroll = table.closest(".scroll") ?? table;
  scroll.before(label);
  const show = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    count.textContent = words.length ? `${thousands(shown)} of ${thousands(rows.length)} rows` : "";
  };
  input.addEventListener("input", show);
}

function thousands(count) {
  return count.toLocaleString("en");
}

// What is wider than the screen says that it scrolls; what fits is no stop of the Tab key.
function measure() {
  for (const scroll of document.querySelectorAll(".scroll, .plot")) {
    const scrolls = scroll.scrollWidth > scroll.clientWidth + 1;
    scroll.classList.toggle("scrolls", scrolls);
    if (scrolls) scroll.tabIndex = 0;
    else scroll.removeAttribute("tabindex");
    let hint = scroll.previousElementSibling;
    if (!hint?.classList.contains("hint")) {
      if (!scrolls) continue;
      hint = document.createElement("p");
      hint.className = "hint";
      hint.textContent = "Wider than the screen: it scrolls sideways \u2192";
      scroll.before(hint);
    }
    hint.hidden = !scrolls;
  }
}
addEventListener("resize", measure);
document.addEventListener("toggle", measure, true); // what was folded had no width
measure();

// What is folded on the screen is printed all the same.
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not(.screen)")) details.open = true;
});
