"""Writes the renderings of conversations by transformers, for ChatFormatReferenceTest.

python make_golden.py TEMPLATES OUT    (transformers 5.18, jinja2 3.1.6)

TEMPLATES: a directory of *.jinja. OUT: templates-by-name are not copied; one JSON line for each
template and conversation: {"template", "conversation", "given": text or null, "others": [texts]}.
"given" is what apply_chat_template makes of the conversation as it is, or null where that raises
an error or leaves out text that another form of the contents would show. "others" are then the
renderings that show all text that can be shown, with strings as lists and lists as strings, and
what the developer says said by the system.
"""
import copy, datetime, gzip, itertools, json, pathlib, re, sys
import transformers.utils.chat_template_utils as ctu

class Clock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2025, 7, 26, 12, 34, 56)

ctu.datetime = Clock

def text(t): return {"type": "text", "text": t}
IMG = {"type": "image", "url": "a.png"}
def m(role, content, **more): return {"role": role, "content": content, **more}
TOOLS = [{"type": "function", "function": {"name": "get_weather", "description": "Weather of a city.", "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": "Which city"}, "days": {"type": "number", "default": 1.0, "minimum": 0.0}}, "required": ["city"]}}}]
def call(i="call00001", **args): return [{"id": i, "type": "function", "function": {"name": "get_weather", "arguments": args or {"city": "Rome", "days": 2.0}}}]
RESULT = {"tool_call_id": "call00001", "name": "get_weather"}

C = {
 "user": [m("user", "wordone")],
 "turns": [m("user", "wordone"), m("assistant", "wordtwo"), m("user", "wordthree")],
 "system": [m("system", "wordsys"), m("user", "wordone")],
 "system-turns": [m("system", "wordsys"), m("user", "wordone"), m("assistant", "wordtwo"), m("user", "wordthree"), m("assistant", "wordfour"), m("user", "wordfive")],
 "spaces": [m("system", "  wordsys\n"), m("user", "\n wordone  wordmore \n\n"), m("assistant", " wordtwo\n"), m("user", "wordthree ")],
 "user-list": [m("user", [text("wordone")])],
 "user-two-parts": [m("user", [text("wordone"), text("wordmore")])],
 "system-list": [m("system", [text("wordsys")]), m("user", "wordone")],
 "all-lists": [m("system", [text("wordsys")]), m("user", [text("wordone")]), m("assistant", [text("wordtwo")]), m("user", [text("wordthree")])],
 "mixed": [m("system", "wordsys"), m("user", [text("wordone")]), m("assistant", "wordtwo"), m("user", "wordthree")],
 "mixed-assistant-list": [m("user", "wordone"), m("assistant", [text("wordtwo"), text("wordmore")]), m("user", [text("wordthree")])],
 "image": [m("user", [IMG, text("wordone")])],
 "image-behind": [m("user", [text("wordone"), IMG])],
 "images": [m("user", [text("wordone"), IMG, text("wordmore"), IMG])],
 "image-alone": [m("user", [IMG])],
 "image-turns": [m("system", "wordsys"), m("user", [IMG, text("wordone")]), m("assistant", "wordtwo"), m("user", "wordthree")],
 "images-in-turns": [m("user", [IMG, text("wordone")]), m("assistant", "wordtwo"), m("user", [text("wordthree"), IMG]), m("assistant", [text("wordfour")]), m("user", "wordfive")],
 "image-later": [m("system", "wordsys"), m("user", "wordone"), m("assistant", "wordtwo"), m("user", [IMG, text("wordthree")])],
 "image-all-lists": [m("system", [text("wordsys")]), m("user", [IMG, text("wordone")]), m("assistant", [text("wordtwo")]), m("user", [text("wordthree")])],
 "developer": [m("developer", "wordsys"), m("user", "wordone")],
 "developer-turns": [m("developer", "wordsys"), m("user", "wordone"), m("assistant", "wordtwo"), m("user", "wordthree")],
 "developer-list": [m("developer", [text("wordsys")]), m("user", [text("wordone")])],
 "developer-image": [m("developer", "wordsys"), m("user", [IMG, text("wordone")])],
 "empty-system": [m("system", ""), m("user", "wordone")],
 "empty-user": [m("user", "")],
 "empty-assistant": [m("user", "wordone"), m("assistant", ""), m("user", "wordthree")],
 "empty-list": [m("system", "wordsys"), m("user", []), m("assistant", "wordtwo"), m("user", "wordthree")],
 "empty-part": [m("user", [text(""), IMG, text("wordone")])],
 "null-assistant": [m("user", "wordone"), m("assistant", None), m("user", "wordthree")],
 "tools": [{"tools": TOOLS}, m("user", "wordone")],
 "tools-system": [{"tools": TOOLS}, m("system", "wordsys"), m("user", "wordone")],
 "tools-list": [{"tools": TOOLS}, m("user", [text("wordone")])],
 "call": [{"tools": TOOLS}, m("user", "wordone"), m("assistant", "", tool_calls=call()), m("tool", "wordres", **RESULT)],
 "call-text": [{"tools": TOOLS}, m("user", "wordone"), m("assistant", "wordtwo", tool_calls=call()), m("tool", "wordres", **RESULT), m("assistant", "wordfour"), m("user", "wordfive")],
 "call-null": [{"tools": TOOLS}, m("user", "wordone"), m("assistant", None, tool_calls=call()), m("tool", "wordres", **RESULT)],
 "call-absent": [{"tools": TOOLS}, m("user", "wordone"), {"role": "assistant", "tool_calls": call()}, m("tool", "wordres", **RESULT)],
 "call-lists": [{"tools": TOOLS}, m("user", [text("wordone")]), m("assistant", [text("wordtwo")], tool_calls=call()), m("tool", [text("wordres")], **RESULT)],
 "call-image": [{"tools": TOOLS}, m("user", [IMG, text("wordone")]), m("assistant", "", tool_calls=call()), m("tool", "wordres", **RESULT)],
 "call-numbers": [{"tools": TOOLS}, m("user", "wordone"), m("assistant", "", tool_calls=call(city="x", days=1.0, big=12345678901234567890, small=1e-7, zero=-0.0, list=[1, 2.50], none=None, yes=True)), m("tool", "{\"wordres\": 1.0}", **RESULT)],
 "reasoning": [m("user", "wordone"), m("assistant", "wordtwo", reasoning_content="wordthought"), m("user", "wordthree")],
 "reasoning-list": [m("user", [text("wordone")]), m("assistant", [text("wordtwo")], reasoning_content="wordthought"), m("user", [text("wordthree")])],
 "reasoning-call": [{"tools": TOOLS}, m("user", "wordone"), m("assistant", "", reasoning_content="wordthought", tool_calls=call()), m("tool", "wordres", **RESULT)],
}

def key(source, messages):
    """Where a template knows reasoning by another name only, it is given by those."""
    if "reasoning_content" not in source:
        for x in messages:
            if "reasoning_content" in x:
                x["reasoning"] = x["thinking"] = x["reasoning_content"]
    return messages

def render(source, messages, tools):
    try:
        out, _ = ctu.render_jinja_template(conversations=[copy.deepcopy(messages)], tools=copy.deepcopy(tools), chat_template=source, add_generation_prompt=True, bos_token="<s>", eos_token="</s>")
        return out[0]
    except Exception as e:
        return None

def as_string(content):
    return "".join("<WRITTEN>" if p["type"] == "image" else p["text"] for p in content)

def flipped(x, how):
    x = dict(x)
    c = x.get("content")
    if how == "list" and isinstance(c, str): x["content"] = [text(c)]
    if how == "string" and isinstance(c, list): x["content"] = as_string(c)
    if how == "filled" and c is None: x["content"] = ""
    return x

def variants(messages):
    """Every choice of forms, one for each role, or for messages with images of a role apart."""
    groups = sorted({(x["role"], any(p["type"] == "image" for p in x["content"]) if isinstance(x.get("content"), list) else False) for x in messages})
    fill = any(x.get("content") is None for x in messages)
    for hows in itertools.product(*[["given", "string", "list"] for _ in groups]):
        pick = dict(zip(groups, hows))
        out = []
        for x in messages:
            g = (x["role"], any(p["type"] == "image" for p in x["content"]) if isinstance(x.get("content"), list) else False)
            out.append(flipped(x, pick[g]))
        yield out
        if any(x["role"] == "developer" for x in out):
            yield [{**x, "role": "system"} if x["role"] == "developer" else x for x in out]
        if fill:
            yield [flipped(x, "filled") for x in out]

WORDS = ["wordone", "wordtwo", "wordthree", "wordfour", "wordfive", "wordsys", "wordmore", "wordres"]

def words(s): return {w for w in WORDS if w in (s or "")} | ({"image"} if "<WRITTEN>" in (s or "") else set())

def places(source, messages, tools):
    """Whether the template writes anything where the images are."""
    without = [{**x, "content": [p for p in x["content"] if p["type"] != "image"]} if isinstance(x.get("content"), list) else x for x in messages]
    out = render(source, messages, tools)
    return out is not None and not printed(out) and out != render(source, without, tools)

def expected(source, messages, tools):
    n = sum(isinstance(x.get("content"), list) and sum(p["type"] == "image" for p in x["content"]) for x in messages)
    given = render(source, messages, tools)
    best, others = set(), []
    for v in variants(messages):
        for w in (v, strings(v)):
            out = render(source, w, tools)
            if out is None or (n and printed(out)): continue
            shown = words(out) | ({"image"} if n and places(source, w, tools) else set())
            if len(shown) > len(best): best, others = shown, []
            if shown == best and out not in others: others.append(out)
    fine = given is not None and words(given) | ({"image"} if n and places(source, messages, tools) else set()) == best and not (n and printed(given))
    return (given if fine else None), ([] if fine else others)

def printed(out): return "'type': 'image'" in out or '"type": "image"' in out

def strings(messages):
    """Arguments as a string, for templates that do not take an object."""
    out = copy.deepcopy(messages)
    for x in out:
        for c in x.get("tool_calls", []):
            c["function"]["arguments"] = json.dumps(c["function"]["arguments"], separators=(",", ":"), ensure_ascii=False)
    return out

def main(directory, out):
    lines, fine, bad = [], 0, 0
    for f in sorted(pathlib.Path(directory).glob("*.jinja")):
        source = f.read_text()
        for name, conversation in C.items():
            tools = conversation[0]["tools"] if "tools" in conversation[0] else None
            messages = key(source, copy.deepcopy(conversation[1:] if tools else conversation))
            given, others = expected(source, messages, tools)
            fine += given is not None; bad += given is None
            lines.append(json.dumps({"template": f.name, "conversation": name, "given": given, "others": others}, ensure_ascii=False))
    with gzip.GzipFile(out + "/chat-renderings.jsonl.gz", "wb", 9, mtime=0) as z: z.write(("\n".join(lines) + "\n").encode())
    pathlib.Path(out + "/chat-conversations.json").write_text(json.dumps(C, ensure_ascii=False, indent=1) + "\n")
    print(len(lines), fine, bad)

if __name__ == "__main__":
    main(*sys.argv[1:])
