// Messages as a person sees them.

import { render } from "./markdown.js";

function make(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

/** One message of the log, drawn again whenever it changes, at most once a frame. */
export class MessageView {
  #message;
  #actions;
  #pending = false;

  constructor(message, actions) {
    this.#message = message;
    this.#actions = actions;
    this.node = make("article", { className: message.role });
    this.draw();
  }

  changed() {
    if (this.#pending) return;
    this.#pending = true;
    requestAnimationFrame(() => {
      this.#pending = false;
      this.draw();
    });
  }

  draw() {
    const message = this.#message;
    const open = this.node.querySelector("details.reasoning")?.open ?? false;
    const parts = [make("h2", {}, message.role === "user" ? "You" : message.model || "Answer")];
    if (message.images?.length) parts.push(pictures(message.images));
    if (message.reasoning) parts.push(reasoning(message, open));
    const body = make("div", { className: "body" });
    if (message.role === "user") body.append(message.text);
    else body.append(render(message.text));
    parts.push(body);
    for (const call of message.calls ?? []) {
      parts.push(make("pre", { tabIndex: 0 }, make("code", {}, call.name + "(" + call.arguments + ")")));
    }
    if (message.error) parts.push(make("p", { className: "error" }, message.error));
    if (message.stopped) parts.push(make("p", { className: "facts" }, "Stopped."));
    if (message.seen?.length) parts.push(seen(message.seen));
    if (message.facts) parts.push(make("p", { className: "facts" }, message.facts));
    parts.push(this.#buttons());
    this.node.setAttribute("aria-busy", String(!!message.busy));
    this.node.replaceChildren(...parts);
  }

  #buttons() {
    const bar = make("div", { className: "actions", hidden: !!this.#message.busy });
    for (const [label, action] of this.#actions(this.#message)) {
      const button = make("button", { type: "button" }, label);
      button.addEventListener("click", action);
      bar.append(button);
    }
    return bar;
  }
}

function pictures(images) {
  const list = make("ul", { className: "images" });
  images.forEach((image, i) =>
    list.append(make("li", {}, make("img", { src: image.url, alt: image.name || "Image " + (i + 1) }))));
  return list;
}

function reasoning(message, open) {
  const details = make("details", { className: "reasoning" });
  details.open = open;
  const thinks = message.busy && !message.text;
  details.append(
    make("summary", {}, thinks ? "Thinking …" : "Reasoning"),
    make("div", { className: "thought" }, message.reasoning));
  return details;
}

/** What the model saw of the images: sizes, tiles, tokens. */
function seen(images) {
  const list = make("ul");
  images.forEach((image, i) => {
    const tiles = image.tile_sizes.map(([w, h]) => w + "×" + h);
    const kinds = [...new Set(tiles)].map(size => {
      const n = tiles.filter(tile => tile === size).length;
      return n > 1 ? n + " of " + size : size;
    });
    list.append(make("li", {},
      "Image " + (i + 1) + ": " + image.size.join("×") + " pixels, seen as " + kinds.join(" and ") +
      ", " + image.tokens + " tokens"));
  });
  return make("details", { className: "seen" }, make("summary", {}, "What the model saw"), list);
}
