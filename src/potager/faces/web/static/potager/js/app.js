// Starts what pages ask for by attributes. Every page works without any of this.
import * as charts from "./charts.js";
import * as copy from "./copy.js";
import * as keep from "./keep.js";
import * as lists from "./lists.js";
import * as menus from "./menus.js";
import * as palette from "./palette.js";
import * as panzoom from "./panzoom.js";
import * as polling from "./polling.js";
import * as themes from "./themes.js";
import * as toasts from "./toasts.js";

for (const part of [menus, palette, themes, lists, copy, keep, toasts, polling]) part.listen?.();

export function enhance(root) {
  for (const part of [copy, keep, panzoom, charts, polling, toasts, lists]) part.enhance?.(root);
}

enhance(document);
document.addEventListener("htmx:after:swap", (event) => enhance(event.detail?.ctx?.target ?? document));
document.addEventListener("htmx:config:request", (event) => {
  event.detail.ctx.request.headers["X-CSRFToken"] = document.body.dataset.csrf ?? "";
});
document.addEventListener("potager:replaced", (event) => enhance(event.target));
