// Anthropic's own JavaScript client against a server. Prints a line for each thing that was seen to
// work; the first that does not ends the run.
//   OCELLUS_URL=… node anthropic.mjs IMAGE

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";

const ANSWER = "There is a large red circle in the center.";
const client = new Anthropic({ baseURL: process.env.OCELLUS_URL, apiKey: "none", maxRetries: 0 });
const image = readFileSync(process.argv[2]).toString("base64");
const question = {
  model: "tiny-shapes-vlm",
  max_tokens: 100,
  temperature: 0,
  messages: [{
    role: "user",
    content: [
      { type: "image", source: { type: "base64", media_type: "image/png", data: image } },
      { type: "text", text: "What is this?" },
    ],
  }],
};
const paint = {
  name: "paint",
  description: "Paints a circle.",
  input_schema: {
    type: "object",
    properties: { colour: { enum: ["red", "green"] } },
    required: ["colour"],
  },
};
const toPaint = {
  model: "tiny-with-tools",
  max_tokens: 200,
  temperature: 0,
  tools: [paint],
  tool_choice: { type: "any" },
  messages: [{ role: "user", content: "Paint a circle." }],
};
const read = usage => usage.input_tokens + (usage.cache_read_input_tokens ?? 0);

async function check(name, work) {
  await work();
  console.log("ok " + name);
}

await check("an answer about an image", async () => {
  const message = await client.messages.create(question);
  assert.equal(message.content[0].text, ANSWER);
  assert.equal(message.stop_reason, "end_turn");
  assert.equal(message.stop_sequence, null);
  assert.equal(read(message.usage), 84);
  assert.equal(message.usage.output_tokens, 10);
});

await check("a stream of events", async () => {
  const types = [];
  let begun;
  for await (const event of await client.messages.create({ ...question, stream: true })) {
    if (types.at(-1) !== event.type) types.push(event.type);
    if (event.type === "message_start") begun = event.message.usage;
  }
  assert.deepEqual(types, [
    "message_start", "content_block_start", "content_block_delta", "content_block_stop",
    "message_delta", "message_stop",
  ]);
  assert.equal(read(begun), 84);
});

await check("a stream with its helper", async () => {
  let text = "";
  const stream = client.messages.stream(question).on("text", more => (text += more));
  const message = await stream.finalMessage();
  assert.equal(text, ANSWER);
  assert.equal(message.content[0].text, ANSWER);
  assert.equal(message.usage.output_tokens, 10);
});

await check("the stop sequence that ended an answer", async () => {
  for (const stream of [false, true]) {
    const asked = { ...question, stop_sequences: ["blue", " circle", "square"] };
    const message = stream
      ? await client.messages.stream(asked).finalMessage()
      : await client.messages.create(asked);
    assert.equal(message.content[0].text, "There is a large red");
    assert.equal(message.stop_reason, "stop_sequence");
    assert.equal(message.stop_sequence, " circle");
  }
});

await check("tokens are cut at max_tokens", async () => {
  const message = await client.messages.create({ ...question, max_tokens: 3 });
  assert.equal(message.stop_reason, "max_tokens");
  assert.equal(message.usage.output_tokens, 3);
});

await check("a call, its result, and an answer", async () => {
  const message = await client.messages.create(toPaint);
  assert.equal(message.stop_reason, "tool_use");
  const use = message.content.at(-1);
  assert.equal(use.name, "paint");
  assert.ok(["red", "green"].includes(use.input.colour));
  const after = await client.messages.create({
    ...toPaint,
    tool_choice: { type: "none" },
    max_tokens: 5,
    messages: [
      ...toPaint.messages,
      { role: "assistant", content: message.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: use.id, content: "done" }] },
    ],
  });
  assert.equal(after.role, "assistant");
  assert.ok(after.usage.output_tokens > 0);
});

await check("a call in a stream", async () => {
  const message = await client.messages.stream(toPaint).finalMessage();
  const use = message.content.at(-1);
  assert.equal(use.type, "tool_use");
  assert.ok(["red", "green"].includes(use.input.colour));
});

await check("tokens are counted", async () => {
  const { model, messages } = question;
  assert.deepEqual(await client.messages.countTokens({ model, messages }), { input_tokens: 84 });
});

await check("models are listed", async () => {
  const names = [];
  for await (const model of client.models.list()) names.push(model.id);
  assert.ok(names.includes("tiny-shapes-vlm"), names.join());
  const one = await client.models.retrieve("tiny-shapes-vlm");
  assert.equal(one.type, "model");
  assert.ok(one.display_name);
});

await check("errors are those its users expect", async () => {
  await assert.rejects(client.messages.create({ ...question, model: "none" }), Anthropic.NotFoundError);
  await assert.rejects(client.messages.create({ ...question, temperature: -1 }), error =>
    error instanceof Anthropic.BadRequestError && error.error.error.type === "invalid_request_error");
});

await check("a stream that is given up", async () => {
  const stream = await client.messages.create({ ...question, stream: true });
  for await (const event of stream) if (event.type === "content_block_delta") break;
  assert.ok(stream.controller.signal.aborted);
});
