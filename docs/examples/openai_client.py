"""Asks about an image with OpenAI's Python client, and prints the answer as it comes."""

import base64
import os
import pathlib

from openai import OpenAI

client = OpenAI(base_url=os.environ.get("OCELLUS_URL", "http://127.0.0.1:8080") + "/v1", api_key="none")
image = base64.b64encode(pathlib.Path("docs/pictures/red-circle.png").read_bytes()).decode()

stream = client.chat.completions.create(
    model="tiny-shapes-vlm",
    temperature=0,
    stream=True,
    messages=[
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64," + image}},
                {"type": "text", "text": "What is this?"},
            ],
        }
    ],
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
