#!/bin/sh
# Asks about an image through each API. Needs curl and base64.
set -eu
url=${OCELLUS_URL:-http://127.0.0.1:8080}
image=$(base64 <docs/pictures/red-circle.png | tr -d '\n')

echo "== OpenAI: chat"
curl -fsS "$url/v1/chat/completions" -H 'Content-Type: application/json' -d @- <<EOF
{"model": "tiny-shapes-vlm", "temperature": 0, "messages": [{"role": "user", "content": [
  {"type": "image_url", "image_url": {"url": "data:image/png;base64,$image"}},
  {"type": "text", "text": "What is this?"}]}]}
EOF
echo
echo "== OpenAI: embedding of an image"
curl -fsS "$url/v1/embeddings" -H 'Content-Type: application/json' -d @- <<EOF
{"model": "tiny-shapes-clip", "input": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,$image"}}]}
EOF
echo
echo "== Anthropic"
curl -fsS "$url/v1/messages" -H 'Content-Type: application/json' -d @- <<EOF
{"model": "tiny-shapes-vlm", "max_tokens": 50, "temperature": 0, "messages": [{"role": "user", "content": [
  {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "$image"}},
  {"type": "text", "text": "What is this?"}]}]}
EOF
echo
echo "== Ollama"
curl -fsS "$url/api/chat" -d @- <<EOF
{"model": "tiny-shapes-vlm", "stream": false, "options": {"temperature": 0}, "messages": [
  {"role": "user", "content": "What is this?", "images": ["$image"]}]}
EOF
echo
