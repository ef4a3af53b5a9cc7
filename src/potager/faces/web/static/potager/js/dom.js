// Small helpers that several parts share.

/** All elements below (or at) root that match and were not yet taken under this name. */
export function fresh(root, selector, name) {
  const found = [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)];
  return found.filter((element) => {
    element.taken ??= new Set();
    return element.taken.has(name) ? false : element.taken.add(name);
  });
}

/** Whether a key press belongs to something that is being typed. */
export function typing(event) {
  const at = event.target;
  // A dialog that was just closed may hold the focus for another moment.
  return at instanceof HTMLElement && !at.closest("dialog:not([open])") && (at.isContentEditable || at.closest("input:not([type=checkbox], [type=radio]), textarea, select, [role=combobox]") !== null);
}

/** An element with text, attributes and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** Sends a form's worth of data with the token that proves where it came from. */
export function post(url, data = {}) {
  return fetch(url, {
    method: "POST",
    headers: { "X-CSRFToken": document.body.dataset.csrf ?? "", "HX-Request": "true" },
    body: new URLSearchParams(data),
    credentials: "same-origin",
  });
}

/** Waits until nobody has called for a while. */
export function settled(milliseconds, run) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...given), milliseconds);
  };
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
