// Pan and zoom of an inline SVG by its viewBox, and folding of a tree's branches.
import { fresh, make } from "./dom.js";

export function enhance(root) {
  for (const box of fresh(root, "[data-panzoom]", "panzoom")) new Tree(box);
}

class Tree {
  constructor(box) {
    this.svg = box.querySelector("svg");
    if (!this.svg) return;
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.home = [x, y, width, height];
    this.view = [...this.home];
    this.fingers = new Map();
    this.moved = false;
    if (!box.querySelector(".tree-tools")) box.prepend(this.tools());
    this.svg.setAttribute("tabindex", this.svg.getAttribute("tabindex") ?? "0");
    this.svg.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) this.svg.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    this.svg.addEventListener("click", (event) => this.click(event), true);
    this.svg.addEventListener("dragstart", (event) => event.preventDefault());
    box.addEventListener("keydown", (event) => this.key(event));
    this.hideFolded();
    this.readable();
  }

  /** A tree too small to read starts at its root, at its own size, instead of whole. */
  readable() {
    const { box, unit } = this.frame();
    if (!box.width || unit < 1.3) return;
    const [x, y, , height] = this.home;
    this.view = [x, y + Math.max(0, (height - box.height) / 2), box.width, box.height];
    this.show();
  }

  tools() {
    const press = (text, label, run) => {
      const button = make("button", { type: "button", class: "button-quiet", "aria-label": label }, text);
      button.addEventListener("click", run);
      return button;
    };
    return make("div", { class: "tree-tools" },
      press("+", "Zoom in", () => this.zoom(0.8)), press("−", "Zoom out", () => this.zoom(1.25)), press("All", "Show all of it", () => this.fit()));
  }

  show() { this.svg.setAttribute("viewBox", this.view.map((number) => number.toFixed(2)).join(" ")); }

  /** How many units one pixel is, and where the picture starts, as the SVG is fitted into its box. */
  frame() {
    const box = this.svg.getBoundingClientRect();
    const unit = Math.max(this.view[2] / box.width, this.view[3] / box.height);
    return { box, unit, left: this.view[0] - (box.width * unit - this.view[2]) / 2, top: this.view[1] - (box.height * unit - this.view[3]) / 2 };
  }

  zoom(by, at = null) {
    const { box, unit, left, top } = this.frame();
    const point = at ? [left + (at[0] - box.left) * unit, top + (at[1] - box.top) * unit] : [this.view[0] + this.view[2] / 2, this.view[1] + this.view[3] / 2];
    const scale = this.view[2] / this.home[2];
    const factor = Math.min(Math.max(by, 0.1 / scale), 4 / scale);
    this.view = [point[0] - (point[0] - this.view[0]) * factor, point[1] - (point[1] - this.view[1]) * factor, this.view[2] * factor, this.view[3] * factor];
    this.show();
  }

  pan(x, y) {
    const { unit } = this.frame();
    this.view[0] -= x * unit;
    this.view[1] -= y * unit;
    this.show();
  }

  fit() {
    this.view = [...this.home];
    this.show();
  }

  wheel(event) {
    // A plain wheel scrolls the page until the tree has the focus or ctrl is held, so that nobody is caught in it.
    if (!event.ctrlKey && !this.svg.matches(":focus, :focus-within")) return;
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-50, Math.min(50, event.deltaY)) / 200), [event.clientX, event.clientY]);
  }

  down(event) {
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved = false;
  }

  move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const now = [event.clientX, event.clientY];
    if (this.fingers.size === 1) {
      if (!this.moved && Math.hypot(now[0] - before[0], now[1] - before[1]) < 4) return;
      if (!this.moved) this.svg.setPointerCapture(event.pointerId);
      this.moved = true;
      this.pan(now[0] - before[0], now[1] - before[1]);
    } else if (this.fingers.size === 2) {
      this.moved = true;
      const other = [...this.fingers].find(([id]) => id !== event.pointerId)[1];
      const far = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) || 1;
      this.zoom(far(before, other) / far(now, other), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
    }
    this.fingers.set(event.pointerId, now);
  }

  click(event) {
    if (this.moved) {
      event.preventDefault();
      event.stopPropagation();
      this.moved = false;
      return;
    }
    const toggle = event.target.closest("[data-toggle]");
    if (toggle) {
      event.preventDefault();
      this.fold(toggle);
    }
  }

  key(event) {
    const toggle = event.target.closest("[data-toggle]");
    if (toggle && (event.key === "Enter" || event.key === " ")) this.fold(toggle);
    else if (event.key === "+" || event.key === "=") this.zoom(0.8);
    else if (event.key === "-" || event.key === "−") this.zoom(1.25);
    else if (event.key === "0") this.fit();
    else if (event.target === this.svg && event.key.startsWith("Arrow")) this.pan(...{ ArrowLeft: [48, 0], ArrowRight: [-48, 0], ArrowUp: [0, 48], ArrowDown: [0, -48] }[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  fold(toggle) {
    toggle.setAttribute("aria-expanded", String(toggle.getAttribute("aria-expanded") === "false"));
    this.hideFolded();
  }

  /** Hides every node that stands under a folded one, with the edges that lead to it. */
  hideFolded() {
    const nodes = [...this.svg.querySelectorAll("[data-node]")];
    const byId = new Map(nodes.map((node) => [node.dataset.node, node]));
    const folded = (node) => node.querySelector(":scope > [data-toggle][aria-expanded=false]") !== null;
    const hidden = (node, seen = new Set()) => {
      const parent = byId.get(node.dataset.parent);
      if (!parent || seen.has(parent)) return false;
      return folded(parent) || hidden(parent, seen.add(parent));
    };
    const away = new Set(nodes.filter((node) => hidden(node)).map((node) => node.dataset.node));
    for (const node of nodes) node.toggleAttribute("hidden", away.has(node.dataset.node));
    for (const edge of this.svg.querySelectorAll("[data-edge]")) edge.toggleAttribute("hidden", away.has(edge.dataset.edge));
  }
}
