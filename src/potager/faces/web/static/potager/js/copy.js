// Buttons that copy.
import { fresh } from "./dom.js";

export function listen() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-text]");
    if (!button) return;
    const words = button.querySelector("span") ?? button;
    const before = words.textContent;
    try {
      await navigator.clipboard.writeText(text(button));
      words.textContent = "Copied";
    } catch {
      words.textContent = "Select it and press ctrl C";
    }
    setTimeout(() => { words.textContent = before; }, 1600);
  });
}

export function enhance(root) {
  for (const button of fresh(root, "[data-copy], [data-copy-text]", "copy")) button.hidden = false;
}

function text(button) {
  if (button.dataset.copyText) return button.dataset.copyText;
  const source = button.dataset.copy ? document.querySelector(button.dataset.copy) : button.closest(".code")?.querySelector("code");
  return source?.value ?? source?.textContent ?? "";
}
