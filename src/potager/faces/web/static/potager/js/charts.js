// Pictures become interactive charts where that helps; the picture stays where anything fails.
import { fresh, calm } from "./dom.js";

let loading = null;
let configs = null;
const shown = new Map();

export function enhance(root) {
  const figures = fresh(root, "figure.chart[data-spec]", "chart");
  if (!figures.length || navigator.connection?.saveData) return;
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      watcher.unobserve(entry.target);
      draw(entry.target);
    }
  }, { rootMargin: "200px" });
  figures.forEach((figure) => watcher.observe(figure));
}

document.addEventListener("potager:theme", () => { for (const figure of shown.keys()) draw(figure); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const figure of shown.keys()) draw(figure); });

const dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

function script(url) {
  return new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = url;
    element.async = false;
    element.onload = done;
    element.onerror = () => failed(new Error(`cannot load ${url}`));
    document.head.append(element);
  });
}

function vega() {
  const base = new URL("../vendor/", import.meta.url);
  loading ??= (async () => {
    await Promise.all(["vega.min.js", "vega-lite.min.js", "vega-embed.min.js"].map((name) => script(new URL(name, base))));
    const [{ expressionInterpreter }, themes] = await Promise.all([
      import(new URL("vega-interpreter.js", base)), fetch(new URL("../chart-theme.json", import.meta.url)).then((answer) => answer.json()),
    ]);
    configs = themes;
    return expressionInterpreter;
  })();
  return loading;
}

async function draw(figure) {
  const view = figure.querySelector(".chart-view");
  try {
    figure.classList.add("is-loading");
    const [expr, answer] = await Promise.all([vega(), fetch(measured(figure.dataset.spec, view.clientWidth), { credentials: "same-origin", headers: { Accept: "application/json" } })]);
    if (!answer.ok) throw new Error(`the chart's address answered ${answer.status}`);
    const spec = await answer.json();
    const stage = document.createElement("div");
    stage.className = "chart-stage";
    const image = view.querySelector("img");
    spec.description ??= image?.alt || "Chart"; // Vega names its own element by it
    await document.fonts?.ready;
    view.append(stage);
    fitted(spec, view.clientWidth);
    const { view: live } = await globalThis.vegaEmbed(stage, spec, {
      ast: true, expr, actions: false, renderer: "canvas", defaultStyle: false, theme: null, hover: !calm(),
      config: configs[dark() ? "dark" : "light"], tooltip: { disableDefaultStyle: true, theme: "potager" },
      // Only data of this house may be loaded.
      loader: { http: { credentials: "same-origin" } },
    });
    shown.get(figure)?.finalize();
    shown.set(figure, live);
    for (const old of view.querySelectorAll(".chart-stage")) if (old !== stage) old.remove();
    // On paper stands the picture again, in the colors of paper.
    if (image && figure.dataset.light) {
      image.closest("picture")?.querySelector("source")?.remove();
      image.loading = "eager";
      image.src = figure.dataset.light;
    }
    figure.classList.add("is-live");
  } catch (error) {
    view.querySelector(".chart-stage:last-child:not(:only-child)")?.remove();
    console.warn("The picture stays:", error);
  } finally {
    figure.classList.remove("is-loading");
  }
}

/** The address says how much room there is, so that the picture can be laid out for it. */
function measured(address, width) {
  const url = new URL(address, location.href);
  url.searchParams.set("width", String(Math.round(width)));
  return url;
}

/** A single view fills its column; one that brings its own layout, or is made of several views, keeps it. */
function fitted(spec, width) {
  if (spec.autosize) return;
  if (spec.mark || spec.layer) {
    spec.width = "container";
    spec.autosize = { type: "fit", contains: "padding", resize: true };
  } else if (typeof spec.width === "number" && spec.width > width) {
    spec.width = width - 60;
  }
}
