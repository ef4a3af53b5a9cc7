// Says what was done, with a way back.
import { fresh, make, post } from "./dom.js";

export function listen() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button[data-toast]");
    if (button) toast(button.dataset.toast, { undo: button.dataset.undoUrl });
  });
  document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, { undo: event.detail.undo }));
}

export function enhance(root) {
  for (const said of fresh(root, "[data-toast]:not(button)", "toast")) {
    toast(said.dataset.toast, { undo: said.dataset.undoUrl });
  }
}

export function toast(text, { undo = null } = {}) {
  const place = document.querySelector("[data-toasts]");
  if (!place || !text) return;
  const close = make("button", { type: "button", "aria-label": "Close" }, "×");
  const box = make("div", { class: "toast" }, make("p", {}, text));
  const away = () => box.remove();
  if (undo) {
    const back = make("button", { type: "button" }, "Undo");
    back.addEventListener("click", async () => {
      back.disabled = true;
      try {
        const answer = await post(undo);
        if (!answer.ok) throw new Error(String(answer.status));
        location.reload();
      } catch {
        box.firstChild.textContent = "That could not be undone. Open the record and look at its history.";
        back.remove();
      }
    });
    box.append(back);
  }
  close.addEventListener("click", away);
  box.append(close);
  place.append(box);
  // It stays while somebody reads or aims at it.
  let timer = setTimeout(away, undo ? 10_000 : 6_000);
  for (const hold of ["pointerenter", "focusin"]) box.addEventListener(hold, () => clearTimeout(timer));
  for (const release of ["pointerleave", "focusout"]) box.addEventListener(release, () => { timer = setTimeout(away, 4_000); });
}
