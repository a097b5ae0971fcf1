"use strict";
// Sorts and filters the list of captures. The page shows all of it without this script, and nothing is loaded.
(() => {
  const AT_ONCE = 500;  // a browser lays out ten thousand rows in seconds
  const table = document.getElementById("list");
  if (!table) return;
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const form = document.getElementById("filter"), shown = document.getElementById("shown");
  const [words, status, cause, all] = ["words", "status", "cause", "all"].map((id) => document.getElementById(id));
  let rows = [...body.rows].map((row) => ({row, text: row.textContent.toLowerCase()}));

  const fits = ({row, text}, wanted) => wanted.every((word) => text.includes(word))
    && (!status.value || row.dataset.status === status.value)
    && (!cause.value || row.dataset.cause.split(" ").includes(cause.value));

  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of rows) {
      const found = fits(item, wanted);
      item.row.hidden = !found || (!all.checked && count >= AT_ONCE);
      count += found;
    }
    const cut = !all.checked && count > AT_ONCE;
    all.parentElement.hidden = !cut && !all.checked;
    shown.value = `${count} of ${rows.length} captures` + (cut ? `, the first ${AT_ONCE} shown` : "");
  };

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    return cell.dataset.sort === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.sort || -1);
  };
  const compare = new Intl.Collator("en", {numeric: true}).compare;
  const sort = (column) => {
    const down = heads[column].getAttribute("aria-sort") === "ascending";
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = rows.map((item) => [keyOf(item.row, column), item]);
    keyed.sort(([a], [b]) => (typeof a === "number" ? a - b : compare(a, b)) * (down ? -1 : 1));
    rows = keyed.map(([, item]) => item);
    filter();
    body.append(...rows.map((item) => item.row));
  };

  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column));
    head.replaceChildren(button);
  });
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
