// The page: a conversation, what is typed and dropped, and settings.

import * as api from "./api.js";
import { MessageView } from "./view.js";

const $ = id => document.getElementById(id);
const SETTINGS = ["system", "temperature", "top_p", "max_tokens", "seed", "reasoning_effort", "theme"];

const conversation = [];
const views = new Map();
let attached = [];
let running = null;
let editing = null; // the message that is being changed, and what was being written before
let limits = { max_images: 64, max_body_bytes: 32 << 20, models: [] };

// ---- settings

function setting(name) {
  return localStorage.getItem("ocellus-" + name) ?? "";
}

function number(name) {
  const value = setting(name);
  return value === "" ? undefined : Number(value);
}

function applyTheme() {
  const theme = setting("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

for (const name of SETTINGS) {
  const field = $("set-" + name);
  field.value = setting(name);
  field.addEventListener("change", () => {
    if (!field.reportValidity()) return;
    if (field.value === "") localStorage.removeItem("ocellus-" + name);
    else localStorage.setItem("ocellus-" + name, field.value);
    applyTheme();
  });
}
$("set-key").value = api.key();
$("set-key").addEventListener("change", () => {
  api.setKey($("set-key").value.trim());
  load();
});
$("open-settings").addEventListener("click", () => $("settings").showModal());
$("settings").addEventListener("close", () => $("question").focus());
applyTheme();

// ---- the server

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

async function load() {
  try {
    const props = await api.props();
    limits = props.ocellus;
    const chosen = setting("model");
    $("model").replaceChildren(
      ...props.ocellus.models.filter(model => model.chat).map(model => {
        const option = new Option(model.id + (model.images ? "" : " (text only)"), model.id);
        option.selected = model.id === chosen;
        return option;
      }));
    say("");
  } catch (e) {
    if (e.status === 401) {
      say("This server asks for an API key: see Settings.", true);
      if (!$("settings").open) $("settings").showModal();
      $("set-key").focus();
    } else {
      say("The server does not answer: " + e.message, true);
    }
  }
}
$("model").addEventListener("change", () => localStorage.setItem("ocellus-model", $("model").value));

// ---- images

async function attach(files) {
  for (const file of files) {
    if (!file.type.startsWith("image/")) {
      say(file.name + " is no image.", true);
      continue;
    }
    if (attached.length >= limits.max_images) {
      say("A message may have at most " + limits.max_images + " images.", true);
      return;
    }
    try {
      attached.push({ name: file.name, url: await dataUrl(file) });
      say("");
    } catch (e) {
      say(file.name + " cannot be read: " + e.message, true);
    }
  }
  drawAttached();
}

function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

function drawAttached() {
  $("attached").replaceChildren(...attached.map((image, i) => {
    const picture = new Image();
    picture.src = image.url;
    picture.alt = image.name || "Image " + (i + 1);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", "Remove " + picture.alt);
    remove.addEventListener("click", () => {
      attached.splice(i, 1);
      drawAttached();
      $("question").focus();
    });
    const item = document.createElement("li");
    item.append(picture, remove);
    return item;
  }));
}

$("attach").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", async () => {
  await attach($("file").files);
  $("file").value = "";
  $("question").focus();
});
document.addEventListener("paste", event => {
  const files = [...(event.clipboardData?.files ?? [])];
  // office programs put a picture of the text beside the text, which is what is meant
  const text = event.clipboardData?.getData("text/plain");
  if (files.length && !text && !$("settings").open) {
    event.preventDefault();
    attach(files);
  }
});
let depth = 0;
const hasFiles = event => [...(event.dataTransfer?.types ?? [])].includes("Files");
document.addEventListener("dragenter", event => {
  if (hasFiles(event)) {
    depth++;
    $("drop").hidden = false;
  }
});
document.addEventListener("dragleave", () => {
  depth = Math.max(0, depth - 1);
  $("drop").hidden = depth === 0;
});
document.addEventListener("dragover", event => hasFiles(event) && event.preventDefault());
document.addEventListener("drop", event => {
  depth = 0;
  $("drop").hidden = true;
  if (hasFiles(event)) {
    event.preventDefault();
    attach(event.dataTransfer.files);
  }
});

// ---- the conversation

function add(message) {
  conversation.push(message);
  const view = new MessageView(message, actions);
  views.set(message, view);
  $("log").append(view.node);
  scroll();
  return view;
}

function cutFrom(index) {
  for (const message of conversation.splice(index)) {
    views.get(message).node.remove();
    views.delete(message);
  }
}

function actions(message) {
  const index = () => conversation.indexOf(message);
  if (message.role === "user") {
    return [["Edit", () => edit(message)]];
  }
  return [
    ["Regenerate", () => {
      if (running) return;
      cutFrom(index());
      answer();
    }],
    ["Copy", async () => {
      try {
        await navigator.clipboard.writeText(message.text);
        say("Copied.");
      } catch { // browsers have no clipboard where a page came over plain HTTP
        say("This browser lets the page copy nothing: select the text and copy it yourself.", true);
      }
    }],
  ];
}

function write(text, images) {
  $("question").value = text;
  attached = [...images];
  drawAttached();
  grow();
  $("question").focus();
}

function edit(message) {
  if (running) return;
  const draft = editing?.draft ?? { text: $("question").value, images: attached };
  editing = { message, draft };
  $("editing").hidden = false;
  write(message.text, message.images ?? []);
}

/** Everything stays as it was, also what was being written. */
function keep() {
  const { draft } = editing;
  endEditing();
  write(draft.text, draft.images);
}

function endEditing() {
  editing = null;
  $("editing").hidden = true;
}
$("keep").addEventListener("click", keep);

function scroll() {
  $("log").scrollTop = $("log").scrollHeight;
}

function atEnd() {
  return $("log").scrollHeight - $("log").scrollTop - $("log").clientHeight < 80;
}

function request() {
  const said = message => message.role === "user" || message.text;
  const messages = conversation.filter(said).map(message => {
    if (!message.images?.length) return { role: message.role, content: message.text };
    return {
      role: message.role,
      content: [
        ...message.images.map(image => ({ type: "image_url", image_url: { url: image.url } })),
        { type: "text", text: message.text },
      ],
    };
  });
  if (setting("system")) messages.unshift({ role: "system", content: setting("system") });
  const all = { model: $("model").value || undefined, messages };
  for (const name of ["temperature", "top_p", "max_tokens", "seed"]) all[name] = number(name);
  if (setting("reasoning_effort")) all.reasoning_effort = setting("reasoning_effort");
  return all;
}

/** Why a conversation cannot be sent, as far as that is known here; the server would say it late. */
function refusal(messages) {
  const images = messages.reduce((n, message) => n + (message.images?.length ?? 0), 0);
  const model = limits.models.find(each => each.id === $("model").value);
  if (images && model && !model.images) return model.id + " sees no images: choose another model.";
  if (images > limits.max_images) return "A conversation may have at most " + limits.max_images + " images.";
  const length = messages.reduce((n, message) =>
    n + message.text.length + (message.images ?? []).reduce((m, image) => m + image.url.length, 0), 0);
  if (length > limits.max_body_bytes * 0.95) {
    return "The conversation is longer than the " + (limits.max_body_bytes >> 20) + " MiB that the server takes: "
      + "send smaller images or begin anew.";
  }
  return "";
}

async function answer() {
  const asked = request();
  const message = { role: "assistant", text: "", model: $("model").value, busy: true, calls: [] };
  const view = add(message);
  running = new AbortController();
  $("send").hidden = true;
  $("stop").hidden = false;
  say("Answering …");
  try {
    for await (const chunk of api.chat(asked, running.signal)) {
      const follow = atEnd();
      take(message, chunk);
      view.changed();
      if (follow) requestAnimationFrame(scroll);
    }
    say("");
  } catch (e) {
    if (e.name === "AbortError") {
      message.stopped = true;
      if (conversation.includes(message)) say("Stopped.");
    } else {
      message.error = e.message;
      say(e.status === 401 ? "This server asks for an API key: see Settings." : "The answer failed.", true);
    }
  } finally {
    running = null;
    message.busy = false;
    $("send").hidden = false;
    $("stop").hidden = true;
    const follow = atEnd();
    view.draw();
    if (follow) scroll();
    // who has gone somewhere else with the keyboard stays there
    if ([document.body, $("stop"), null].includes(document.activeElement)) $("question").focus();
  }
}

function take(message, chunk) {
  const choice = chunk.choices?.[0];
  if (choice) {
    message.text += choice.delta.content ?? "";
    if (choice.delta.reasoning_content) {
      message.reasoning = (message.reasoning ?? "") + choice.delta.reasoning_content;
    }
    for (const call of choice.delta.tool_calls ?? []) message.calls.push(call.function);
  }
  if (chunk.ocellus?.images) message.seen = chunk.ocellus.images;
  if (chunk.timings) message.timings = chunk.timings;
  if (chunk.usage) message.facts = facts(chunk.usage, message.timings);
}

function facts(usage, timings) {
  const cached = usage.prompt_tokens_details.cached_tokens;
  const images = usage.prompt_tokens_details.image_tokens;
  return [
    usage.prompt_tokens + " tokens read" +
      (images ? ", " + images + " of them images" : "") + (cached ? ", " + cached + " known already" : ""),
    usage.completion_tokens + " written",
    timings ? timings.predicted_per_second.toFixed(1) + " tokens/s" : "",
  ].filter(Boolean).join(" · ");
}

$("composer").addEventListener("submit", event => {
  event.preventDefault();
  const text = $("question").value.trim();
  if (running || (!text && !attached.length)) return;
  const message = { role: "user", text, images: attached };
  const before = editing ? conversation.slice(0, conversation.indexOf(editing.message)) : conversation;
  const problem = refusal([...before, message]);
  if (problem) {
    say(problem, true);
    return;
  }
  cutFrom(before.length);
  endEditing();
  add(message);
  attached = [];
  $("question").value = "";
  drawAttached();
  grow();
  answer();
});
$("stop").addEventListener("click", () => running?.abort());
$("new").addEventListener("click", () => {
  running?.abort();
  endEditing();
  cutFrom(0);
  say("");
  $("question").focus();
});

function grow() {
  const field = $("question");
  field.style.height = "auto";
  field.style.height = field.scrollHeight + 2 + "px";
}
$("question").addEventListener("input", grow);
$("question").addEventListener("keydown", event => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("composer").requestSubmit();
  }
  if (event.key === "ArrowUp" && !$("question").value && !attached.length) {
    const last = conversation.findLast(message => message.role === "user");
    if (last && !running) {
      event.preventDefault();
      edit(last);
    }
  }
});
document.addEventListener("keydown", event => {
  if (event.key !== "Escape" || $("settings").open) return;
  if (running) running.abort();
  else if (editing) keep();
});

load();
$("question").focus();
