// The server's own API, as any other client uses it.

const KEY = "ocellus-key";

export function key() {
  return sessionStorage.getItem(KEY) ?? "";
}

export function setKey(value) {
  if (value) sessionStorage.setItem(KEY, value);
  else sessionStorage.removeItem(KEY);
}

function headers() {
  const all = { "Content-Type": "application/json" };
  if (key()) all.Authorization = "Bearer " + key();
  return all;
}

async function failure(response) {
  let message = response.status + " " + response.statusText;
  try {
    const body = await response.json();
    message = body.error?.message ?? body.error ?? message;
  } catch { /* no JSON: the status says it */ }
  const error = new Error(message);
  error.status = response.status;
  return error;
}

/** What the server is and has. */
export async function props() {
  const response = await fetch("props", { headers: headers() });
  if (!response.ok) throw await failure(response);
  return response.json();
}

/** Asks for an answer; tells of each piece, and ends with the last one. */
export async function* chat(request, signal) {
  const response = await fetch("v1/chat/completions", {
    method: "POST",
    headers: headers(),
    body: JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } }),
    signal,
  });
  if (!response.ok) throw await failure(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let complete = false;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      if (!complete) throw new Error("The connection ended before the answer did.");
      return;
    }
    rest += value;
    let end;
    while ((end = rest.indexOf("\n\n")) >= 0) {
      const event = rest.slice(0, end);
      rest = rest.slice(end + 2);
      for (const line of event.split("\n")) {
        if (!line.startsWith("data: ")) continue;
        if (line === "data: [DONE]") {
          complete = true;
          continue;
        }
        const data = JSON.parse(line.slice(6));
        if (data.error) throw new Error(data.error.message);
        yield data;
      }
    }
  }
}
