// The command palette: every record and every operation, one key away.
import { make, settled, typing } from "./dom.js";

const dialog = () => document.querySelector("[data-palette]");
let found = [];
let at = 0;
let asked = 0;
let shownFor = null; // the words whose answers are on the screen

export function listen() {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") open(event);
    else if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event)) open(event);
  });
  document.addEventListener("click", (event) => {
    const opener = event.target.closest?.("[data-palette-open]");
    if (opener) open(event);
    else if (event.target === dialog()) dialog().close();
  });
  const box = dialog();
  if (!box) return;
  const input = box.querySelector("input");
  const ask = settled(90, () => search(input.value));
  input.addEventListener("input", ask);
  input.addEventListener("keydown", steer);
  box.querySelector("[role=listbox]").addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) go(Number(item.dataset.index), event.ctrlKey || event.metaKey);
  });
  box.querySelector("[role=listbox]").addEventListener("pointermove", (event) => {
    const item = event.target.closest("[role=option]");
    if (item && Number(item.dataset.index) !== at) choose(Number(item.dataset.index), false);
  });
}

function open(event) {
  const box = dialog();
  if (!box) return;
  event.preventDefault();
  if (box.open) return;
  box.showModal();
  const input = box.querySelector("input");
  input.value = document.querySelector(".find input")?.value ?? "";
  input.select();
  search(input.value);
}

async function search(text) {
  const turn = ++asked;
  const url = new URL(document.body.dataset.paletteUrl ?? "/palette", location.href);
  url.searchParams.set("q", text);
  let answer = [];
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" }, credentials: "same-origin" });
    if (response.ok) answer = await response.json();
  } catch {
    answer = []; // the network is away: enter still leads to the search page
  }
  if (turn !== asked) return;
  shownFor = text;
  show(Array.isArray(answer) ? answer : (answer.items ?? []));
}

function show(items) {
  found = items;
  const list = dialog().querySelector("[role=listbox]");
  const groups = new Map();
  for (const item of items) groups.set(item.group ?? "", [...(groups.get(item.group ?? "") ?? []), item]);
  found = [...groups.values()].flat();
  list.replaceChildren();
  let index = 0;
  for (const [title, members] of groups) {
    const id = `palette-group-${index}`;
    const group = make("div", { role: "group", "aria-labelledby": title ? id : null });
    if (title) group.append(make("div", { class: "palette-group", id, role: "presentation" }, title));
    for (const item of members) {
      const option = make("div", { class: "palette-item", role: "option", id: `palette-${index}`, "data-index": index, "aria-selected": "false" },
        make("span", { class: "name" }, item.title), make("span", { class: "hint" }, item.hint ?? ""));
      if (item.keys) option.append(make("kbd", {}, item.keys));
      group.append(option);
      index += 1;
    }
    list.append(group);
  }
  dialog().querySelector(".palette-none").hidden = found.length > 0;
  list.hidden = found.length === 0;
  choose(0);
}

function choose(index, scroll = true) {
  const options = dialog().querySelectorAll("[role=option]");
  options[at]?.setAttribute("aria-selected", "false");
  at = found.length ? (index + found.length) % found.length : 0;
  const option = options[at];
  option?.setAttribute("aria-selected", "true");
  if (scroll) option?.scrollIntoView({ block: "nearest" });
  const input = dialog().querySelector("input");
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
}

function steer(event) {
  const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + 8, found.length - 1), PageUp: Math.max(at - 8, 0) };
  if (event.key in moves) {
    event.preventDefault();
    choose(moves[event.key]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    const words = event.target.value;
    const aside = event.ctrlKey || event.metaKey;
    // Fast fingers: what is on the screen may still be the answer to fewer words.
    if (words === shownFor) go(at, aside);
    else search(words).then(() => go(at, aside));
  }
}

function go(index, aside) {
  const item = found[index];
  const fallback = new URL(document.body.dataset.searchUrl ?? "/search", location.href);
  fallback.searchParams.set("q", dialog().querySelector("input").value);
  const url = new URL(item?.url ?? fallback, location.href);
  if (url.origin !== location.origin) return;
  dialog().close();
  if (aside) window.open(url, "_blank", "noopener");
  else location.assign(url);
}
