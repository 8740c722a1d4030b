// Uses the page as a person would, in a real Chromium. Prints a line for each thing that was seen to
// work; the first that does not ends the run.
//   node page.mjs URL CHROMIUM IMAGE [FOLDER FOR SCREENSHOTS]

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [url, browserPath, imagePath, screenshots] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const image = readFileSync(imagePath);

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const outside = [];
const errors = [];

async function open(options = {}) {
  const context = await browser.newContext({ viewport: { width: 960, height: 800 }, ...options });
  const page = await context.newPage();
  page.on("request", request => {
    const own = request.url().startsWith(url) || /^(data|blob):/.test(request.url());
    if (!own) outside.push(request.url());
  });
  page.on("console", message => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", error => errors.push(String(error)));
  await page.goto(url);
  await page.waitForSelector("#model option", { state: "attached" });
  return page;
}

async function shot(page, name) {
  if (screenshots) await page.screenshot({ path: join(screenshots, name) });
}

/** The script is evaluated by the browser's debugger, which the page's policy is not for. */
async function accessible(page, what) {
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run());
  const serious = result.violations.filter(v => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(
    serious.map(v => v.id + ": " + v.nodes.map(node => node.html).join(" ")), [], what);
}

const answers = page => page.locator("article.assistant");
const idle = page => page.waitForFunction(() =>
  document.querySelector("#stop").hidden && !document.querySelector("article[aria-busy=true]"));

async function check(name, work) {
  await work();
  console.log("ok " + name);
}

const page = await open({ colorScheme: "light" });

await check("nothing is wrong for people who cannot see it", () => accessible(page, "empty"));

await check("an image is dropped, asked about with the keyboard, and answered", async () => {
  const data = await page.evaluateHandle(base64 => {
    const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "circle.png", { type: "image/png" }));
    return transfer;
  }, image.toString("base64"));
  await page.dispatchEvent("body", "dragenter", { dataTransfer: data });
  assert.equal(await page.isVisible("#drop"), true);
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await page.waitForSelector("#attached img");
  assert.equal(await page.isVisible("#drop"), false);
  await page.click("#open-settings");
  await page.fill("#set-temperature", "0");
  await page.keyboard.press("Escape");
  await page.focus("#question");
  await page.keyboard.type("What is this?");
  await page.keyboard.press("Enter");
  await page.waitForSelector("article.assistant .facts");
  await idle(page);
  assert.match(await answers(page).locator(".body").innerText(), /large red circle/);
});

await check("what the model saw is told", async () => {
  await page.click("details.seen summary");
  assert.match(await page.locator("details.seen").innerText(), /pixels, seen as .* 64 tokens/);
  assert.match(await page.locator("article.assistant .facts").innerText(), /64 of them images/);
  await accessible(page, "with an answer");
  await shot(page, "page-light.png");
});

await check("an answer is given again", async () => {
  await answers(page).getByRole("button", { name: "Regenerate" }).click();
  await page.waitForSelector("article.assistant .facts");
  await idle(page);
  assert.equal(await answers(page).count(), 1);
  assert.match(await page.locator("article.assistant .facts").innerText(), /known already/);
});

await check("a question is edited", async () => {
  await page.locator("article.user").getByRole("button", { name: "Edit" }).click();
  assert.equal(await page.inputValue("#question"), "What is this?");
  assert.equal(await page.locator("#attached img").count(), 1);
  assert.equal(await answers(page).count(), 1);
  await accessible(page, "editing");
  await page.fill("#question", "Which colour is it?");
  await page.click("#send");
  await page.waitForSelector("article.assistant .facts");
  await idle(page);
});

await check("an edit is given up, and what was being written is there again", async () => {
  await page.fill("#question", "A draft");
  await page.locator("article.user").getByRole("button", { name: "Edit" }).click();
  assert.equal(await page.inputValue("#question"), "Which colour is it?");
  await page.keyboard.press("Escape");
  assert.equal(await page.inputValue("#question"), "A draft");
  assert.equal(await page.locator("#attached img").count(), 0);
  assert.equal(await page.isVisible("#editing"), false);
  assert.equal(await answers(page).count(), 1);
  await page.fill("#question", "");
  await page.keyboard.press("ArrowUp");
  assert.equal(await page.inputValue("#question"), "Which colour is it?");
  await page.getByRole("button", { name: "Keep it as it was" }).click();
  assert.equal(await page.inputValue("#question"), "");
});

await check("several images are asked about together", async () => {
  const many = await open();
  const file = name => ({ name, mimeType: "image/png", buffer: image });
  await many.setInputFiles("#file", [file("a.png"), file("b.png")]);
  await many.waitForSelector("#attached li:nth-child(2)");
  await many.fill("#question", "What are these?");
  await many.keyboard.press("Enter");
  await many.waitForSelector("article.assistant .facts");
  await idle(many);
  assert.equal(await many.locator("article.user .images img").count(), 2);
  await many.click("details.seen summary");
  assert.match(await many.locator("details.seen").innerText(), /Image 2: /);
  await many.close();
});

await check("an image is pasted and removed", async () => {
  await page.evaluate(base64 => {
    const bytes = Uint8Array.from(atob(base64), c => c.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], "pasted.png", { type: "image/png" }));
    document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
  }, image.toString("base64"));
  await page.waitForSelector("#attached img");
  await page.getByRole("button", { name: "Remove pasted.png" }).click();
  assert.equal(await page.locator("#attached img").count(), 0);
});

await check("an answer is stopped with the keyboard", async () => {
  await page.route("**/v1/chat/completions", async route => {
    const body = JSON.parse(route.request().postData());
    body.grammar = "root ::= [a-z ]{3500}"; // goes on for long
    await route.continue({ postData: JSON.stringify(body) });
  });
  await page.fill("#question", "Go on.");
  await page.click("#send");
  await page.waitForFunction(() =>
    document.querySelector("article.assistant:last-child .body")?.innerText.length > 0);
  await page.keyboard.press("Escape");
  await idle(page);
  assert.match(await answers(page).last().innerText(), /Stopped\./);
  await page.unroute("**/v1/chat/completions");
});

await check("reasoning is folded, Markdown is rendered, and nothing in it runs", async () => {
  const text = "# Title\n\n**bold** `code` [good](https://example.org) [bad](javascript:alert(1)) " +
    "<img src=x onerror=alert(1)> ![p](http://evil.example/x.png)\n\n1. one\n2. two\n   - deep\n\n" +
    "| a | b |\n|---|---|\n| 1 | 2 |\n\n```js\n<script>alert(1)</script>\n```\n> quote\n";
  await page.route("**/v1/chat/completions", route => route.fulfill({
    contentType: "text/event-stream",
    body: [{ reasoning_content: "I think." }, { content: text }].map(delta =>
      "data: " + JSON.stringify({ choices: [{ index: 0, delta }] }) + "\n\n").join("") + "data: [DONE]\n\n",
  }));
  await page.fill("#question", "Show me.");
  await page.click("#send");
  await idle(page);
  const last = answers(page).last();
  assert.equal(await last.locator("details.reasoning").evaluate(node => node.open), false);
  assert.equal(await last.locator("strong").innerText(), "bold");
  assert.equal(await last.locator("ol > li").count(), 2);
  assert.equal(await last.locator("ol ul > li").count(), 1);
  assert.equal(await last.locator("td").count(), 2);
  assert.equal(await last.locator("pre code").innerText(), "<script>alert(1)</script>");
  assert.equal(await last.locator(".body img, .body script").count(), 0);
  const links = await last.locator("a").evaluateAll(all => all.map(a => a.protocol));
  assert.ok(links.every(protocol => /^https?:$/.test(protocol)), String(links));
  await accessible(page, "with Markdown");
  await page.unroute("**/v1/chat/completions");
});

await check("what a model does not take is told before it is sent, and a model is chosen", async () => {
  const other = await open();
  await other.route("**/props", async route => {
    const props = await (await route.fetch()).json();
    props.ocellus.models.unshift({ id: "blind", chat: true, images: false });
    props.ocellus.max_images = 2;
    await route.fulfill({ json: props });
  });
  await other.reload();
  await other.selectOption("#model", "blind");
  await other.setInputFiles("#file", { name: "circle.png", mimeType: "image/png", buffer: image });
  await other.waitForSelector("#attached img");
  await other.fill("#question", "What is this?");
  await other.keyboard.press("Enter");
  assert.match(await other.innerText("#status"), /blind sees no images/);
  assert.equal(await other.inputValue("#question"), "What is this?");
  await other.selectOption("#model", "tiny-shapes-vlm");
  await other.click("#send");
  await other.waitForSelector("article.assistant .facts");
  await idle(other);
  assert.match(await answers(other).last().innerText(), /^tiny-shapes-vlm/);
  await other.close();
});

await check("an answer whose end is missing is no answer, and can be had again", async () => {
  await page.route("**/v1/chat/completions", route => route.fulfill({
    contentType: "text/event-stream",
    body: 'data: {"choices": [{"index": 0, "delta": {"content": "The"}}]}\n\n',
  }));
  await page.fill("#question", "Go on.");
  await page.click("#send");
  await page.waitForSelector("article.assistant:last-child .error");
  assert.match(await answers(page).last().innerText(), /ended before the answer did/);
  await page.unroute("**/v1/chat/completions");
  await answers(page).last().getByRole("button", { name: "Regenerate" }).click();
  await page.waitForSelector("article.assistant:last-child .facts");
  await idle(page);
});

await check("an error of the server is told", async () => {
  await page.route("**/v1/chat/completions", route => route.fulfill({
    status: 429, contentType: "application/json", body: '{"error": {"message": "too many requests"}}',
  }));
  errors.length = 0;
  await page.fill("#question", "And now?");
  await page.click("#send");
  await page.waitForSelector("article.assistant:last-child .error");
  assert.match(await answers(page).last().innerText(), /too many requests/);
  await page.unroute("**/v1/chat/completions");
  errors.length = 0; // the browser tells of the status
});

await check("the page is as it should be in the dark, on a telephone, and with its settings open", async () => {
  const dark = await open({ colorScheme: "dark" });
  await dark.setInputFiles("#file", { name: "circle.png", mimeType: "image/png", buffer: image });
  await dark.fill("#question", "What is this?");
  await dark.click("#send");
  await dark.waitForSelector("article.assistant .facts");
  await idle(dark);
  await accessible(dark, "dark");
  await shot(dark, "page-dark.png");
  await dark.click("#open-settings");
  await accessible(dark, "settings");
  await dark.selectOption("#set-theme", "light");
  assert.equal(await dark.evaluate(() => document.documentElement.dataset.theme), "light");
  const phone = await open({ viewport: { width: 360, height: 640 } });
  await accessible(phone, "telephone");
  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth), 360);
});

await check("nothing came from elsewhere, and the browser complained of nothing", () => {
  assert.deepEqual(outside, []);
  assert.deepEqual(errors, []);
});

await browser.close();
