// Keeps what was typed, in this browser only, through errors and closed pages, until it was accepted.
import { fresh, settled } from "./dom.js";

const name = (key) => `potager:kept:${key}`;
const days = 14 * 86_400_000;
const secret = "input[type=password], input[type=hidden], input[type=file], [data-keep-not]";

export function listen() {
  for (const cleared of document.querySelectorAll("[data-kept-clear]")) remove(cleared.dataset.keptClear);
}

export function enhance(root) {
  for (const form of fresh(root, "form[data-keep]", "keep")) watch(form);
}

function controls(form) {
  return [...form.elements].filter((control) => control.name && !control.matches(secret) && control.type !== "submit" && control.type !== "button");
}

function watch(form) {
  const key = form.dataset.keep || location.pathname;
  const note = form.querySelector("[data-kept]");
  const before = read(key);
  const failed = form.querySelector(".form-errors, [aria-invalid=true]") !== null;
  if (before && !failed && fill(form, before.values) && note) {
    note.textContent = "Filled in with what you typed before. ";
    const drop = document.createElement("button");
    drop.type = "button";
    drop.className = "link";
    drop.textContent = "Start over";
    drop.addEventListener("click", () => { remove(key); form.reset(); note.textContent = ""; });
    note.append(drop);
  }
  const save = settled(300, () => {
    write(key, controls(form).map((control) => [control.name, control.value, /checkbox|radio/.test(control.type) ? control.checked : null]));
    if (note) note.textContent = "Kept in this browser";
  });
  form.addEventListener("input", save);
  form.addEventListener("change", save);
}

function fill(form, values) {
  let changed = false;
  for (const [key, value, checked] of values) {
    for (const control of controls(form)) {
      if (control.name !== key) continue;
      if (checked !== null) {
        if (control.value === value && control.checked !== checked) { control.checked = checked; changed = true; }
      } else if (control.value !== value) {
        control.value = value;
        changed = true;
      }
    }
  }
  return changed;
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(name(key)));
    return kept && Date.now() - kept.at < days ? kept : null;
  } catch {
    return null;
  }
}

function write(key, values) {
  try {
    localStorage.setItem(name(key), JSON.stringify({ at: Date.now(), values }));
  } catch {
    // The browser keeps nothing (private window, full): the form still works.
  }
}

function remove(key) {
  try {
    localStorage.removeItem(name(key));
  } catch {
    // see write
  }
}
