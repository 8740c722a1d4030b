// Asks about an image with OpenAI's JavaScript client, and prints the answer as it comes.

import { readFileSync } from "node:fs";
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: (process.env.OCELLUS_URL ?? "http://127.0.0.1:8080") + "/v1",
  apiKey: "none",
});
const image = readFileSync("docs/pictures/red-circle.png").toString("base64");

const stream = await client.chat.completions.create({
  model: "tiny-shapes-vlm",
  temperature: 0,
  stream: true,
  messages: [
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: "data:image/png;base64," + image } },
        { type: "text", text: "What is this?" },
      ],
    },
  ],
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
process.stdout.write("\n");
