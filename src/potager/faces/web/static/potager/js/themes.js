// Changes the colors at once; the form's POST keeps them in the cookie the server renders from.
import { post } from "./dom.js";

export function listen() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-themes]");
    if (!form || !event.submitter) return;
    event.preventDefault();
    const theme = event.submitter.value;
    const root = document.documentElement;
    if (theme) root.dataset.theme = theme;
    else delete root.dataset.theme;
    for (const button of document.querySelectorAll("[data-themes] button")) button.setAttribute("aria-pressed", String(button.value === theme));
    document.dispatchEvent(new CustomEvent("potager:theme"));
    post(form.action, { theme, next: "/" }).catch(() => form.submit());
  });
}
