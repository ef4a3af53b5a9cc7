// Long work: asks how far it is until the answer says it is over.
import { fresh } from "./dom.js";

export function enhance(root) {
  for (const element of fresh(root, "[data-poll-url]", "poll")) later(element);
}

function later(element, failures = 0) {
  const seconds = Number(element.dataset.pollEvery ?? 2) * Math.min(8, 2 ** failures);
  setTimeout(() => ask(element, failures), seconds * 1000);
}

async function ask(element, failures) {
  if (!element.isConnected) return;
  if (document.hidden) {
    document.addEventListener("visibilitychange", () => ask(element, failures), { once: true });
    return;
  }
  try {
    const answer = await fetch(element.dataset.pollUrl, { credentials: "same-origin", headers: { "HX-Request": "true", Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const next = new DOMParser().parseFromString(await answer.text(), "text/html").body.firstElementChild;
    if (!next) throw new Error("empty");
    if (next.dataset.pollDone !== undefined && next.dataset.pollReload !== undefined) {
      location.reload();
      return;
    }
    const held = element.contains(document.activeElement) ? document.activeElement.textContent : null;
    element.replaceWith(document.adoptNode(next));
    globalThis.htmx?.process?.(next);
    if (held) [...next.querySelectorAll("button, a")].find((control) => control.textContent === held)?.focus();
    next.dispatchEvent(new CustomEvent("potager:replaced", { bubbles: true }));
  } catch {
    if (failures < 6) later(element, failures + 1);
  }
}
