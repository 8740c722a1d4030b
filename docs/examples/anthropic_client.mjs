// Asks about an image with Anthropic's JavaScript client, and prints the answer as it comes.

import { readFileSync } from "node:fs";
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic({
  baseURL: process.env.OCELLUS_URL ?? "http://127.0.0.1:8080",
  apiKey: "none",
});
const image = readFileSync("docs/pictures/red-circle.png").toString("base64");

const stream = client.messages.stream({
  model: "tiny-shapes-vlm",
  max_tokens: 100,
  temperature: 0,
  messages: [
    {
      role: "user",
      content: [
        { type: "image", source: { type: "base64", media_type: "image/png", data: image } },
        { type: "text", text: "What is this?" },
      ],
    },
  ],
});
stream.on("text", text => process.stdout.write(text));
await stream.finalMessage();
process.stdout.write("\n");
