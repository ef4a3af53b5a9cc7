// Lists by keyboard: j and k move, enter opens, x picks, e edits; picked rows bring the bar of bulk actions.
import { fresh, typing } from "./dom.js";

const rowsOf = (list) => [...list.querySelectorAll("[data-href]")];
let last = null;

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event) || document.querySelector("dialog[open]")) return;
    const list = document.activeElement?.closest("[data-list]") ?? document.querySelector("[data-list]");
    if (!list) return;
    const rows = rowsOf(list);
    const here = rows.findIndex((row) => row.contains(document.activeElement));
    if (event.key === "j" || event.key === "k") {
      const next = here < 0 ? 0 : here + (event.key === "j" ? 1 : -1);
      stand(rows[Math.max(0, Math.min(rows.length - 1, next))], event);
    } else if (here >= 0 && event.key === "Enter" && document.activeElement === rows[here]) {
      event.preventDefault();
      const link = rows[here].querySelector("a.title, a[href]");
      if (link && (link.hasAttribute("hx-get") || !rows[here].dataset.href)) link.click();
      else location.assign(rows[here].dataset.href);
    } else if (here >= 0 && event.key === "x") {
      const box = rows[here].querySelector("input[type=checkbox]");
      if (box) { event.preventDefault(); box.click(); }
    } else if (here >= 0 && event.key === "e" && rows[here].dataset.edit) {
      event.preventDefault();
      location.assign(rows[here].dataset.edit);
    }
  });
  document.addEventListener("click", (event) => {
    const box = event.target;
    const list = box.closest?.("[data-list]");
    if (!list || box.type !== "checkbox") return;
    const boxes = [...list.querySelectorAll("tbody input[type=checkbox], li input[type=checkbox]")];
    if (event.shiftKey && last && boxes.includes(last)) {
      const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const between of boxes.slice(from, to + 1)) between.checked = box.checked;
    }
    last = box;
    count(list);
  });
}

export function enhance(root) {
  for (const list of fresh(root, "[data-list]", "list")) {
    for (const row of rowsOf(list)) if (!row.hasAttribute("tabindex")) row.tabIndex = -1;
    count(list);
  }
}

function stand(row, event) {
  if (!row) return;
  event.preventDefault();
  row.focus();
  row.scrollIntoView({ block: "nearest" });
}

function count(list) {
  const picked = list.querySelectorAll("input[type=checkbox]:checked");
  for (const row of rowsOf(list)) row.toggleAttribute("data-picked", row.querySelector("input[type=checkbox]:checked") !== null);
  const bar = (list.closest("form") ?? document).querySelector("[data-bulk]");
  if (!bar) return;
  bar.hidden = picked.length === 0;
  const number = bar.querySelector("[data-bulk-count]");
  if (number) number.textContent = picked.length;
}
