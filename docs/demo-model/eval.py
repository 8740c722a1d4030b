"""Judges the model by its answers on scenes it has never seen.

    python eval.py                                              # model/, 500 questions
    python eval.py --ocellus PATH/TO/ocellus                    # and the embedded model, through the command line
    python eval.py --gguf gguf --cli PATH/TO/llama-mtmd-cli     # and the GGUF files, 100 of them
    python eval.py --samples                                    # also writes samples/

An answer counts when it equals the expected sentence, character by character.  The
held-out scenes come from the generator of scenes.py with seeds that training never uses;
each question starts a conversation of its own.  Results are written to eval.json.
"""
import argparse
import collections
import json
import os
import random
import subprocess
import tempfile
import time

import numpy as np
import torch
from PIL import Image
from transformers import AutoTokenizer, LlavaForConditionalGeneration

import scenes
from train import END, EOS, IMAGE_TOKENS, normalize

SEED = 987654321
PLAN = {"describe": 80, "color": 40, "shape": 30, "count": 45, "exists": 45, "verify": 20, "where": 40, "relation": 50, "size": 25,
        "number": 45, "word": 40, "background": 20, "chat": 10, "no picture": 10}


def held_out(seed=SEED, plan=PLAN):
    """The held-out questions: dictionaries of kind, picture (or None), question, answer."""
    rng = random.Random(seed)
    out = []
    for kind, count in plan.items():
        while count:
            if kind == "no picture":
                made = scenes.ask_blind(rng)
                if made[0] != kind:
                    continue
                out.append({"kind": kind, "picture": None, "question": made[1], "answer": made[2], "scene": None})
                count -= 1
                continue
            scene = scenes.make_scene(rng)
            t = scene["text"]
            if kind in ("number", "word"):
                if not t or t["kind"] != kind:
                    continue
                made = scenes.ask(rng, scene, "read")
            else:
                made = scenes.ask(rng, scene, kind)
            if not made or (scene["kind"] == "clutter" and kind not in ("describe", "chat")):
                continue
            sub = kind
            if kind == "describe":
                sub = ("describe (clutter)" if scene["kind"] == "clutter" else "describe (empty)" if not t and not scene["shapes"] else
                       "describe (with text)" if t else f"describe ({len(scene['shapes'])} shape{'s' * (len(scene['shapes']) > 1)})")
            elif kind == "word":
                sub = "word (listed)" if t["text"] in scenes.WORDS else "word (random letters)"
            out.append({"kind": kind, "sub": sub, "picture": scenes.draw(scene)[0], "question": made[1], "answer": made[2], "scene": scene})
            count -= 1
    return out


class Torch:
    def __init__(self, path):
        self.tok = AutoTokenizer.from_pretrained(path)
        self.model = LlavaForConditionalGeneration.from_pretrained(path, dtype=torch.float32).eval()

    @torch.no_grad()
    def answer(self, picture, question):
        content = ("<image>" * IMAGE_TOKENS if picture is not None else "") + question
        prompt = f"<|im_start|>user\n{content}<|im_end|>\n<|im_start|>assistant\n"
        ids = self.tok(prompt, return_tensors="pt", add_special_tokens=False)["input_ids"]
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if picture is not None:
            inputs["pixel_values"] = normalize(torch.from_numpy(np.array(scenes.preprocess(picture)))[None])
        out = self.model.generate(**inputs, max_new_tokens=64, do_sample=False, eos_token_id=END, pad_token_id=EOS)
        return self.tok.decode(out[0, ids.shape[1]:], skip_special_tokens=True).strip()


def cli_answer(cli, model, mmproj, png, question, extra=()):
    done = subprocess.run([cli, "-m", model, "--mmproj", mmproj, "--image", png, "-p", question, "--temp", "0", "-n", "64", "-t", "2",
                           "--no-warmup", *extra], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=120)
    return done.stdout.decode("utf-8", "replace").strip()


def ocellus_answers(ocellus, questions, extra=()):
    """Every question in a process of its own, with the defaults of one-shot chat and no sampling."""
    with tempfile.TemporaryDirectory() as folder:
        for i, q in enumerate(questions):
            image = []
            if q["picture"] is not None:
                png = os.path.join(folder, f"{i}.png")
                q["picture"].save(png)
                image = ["--image", png]
            done = subprocess.run([ocellus, "chat", "--quiet", "-p", q["question"], *image, "--temp", "0", "-n", "64", "-t", "2", *extra],
                                  stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=120, check=True)
            yield done.stdout.decode("utf-8").strip()


def table(rows, key):
    right, total = collections.Counter(), collections.Counter()
    for r in rows:
        total[r[key]] += 1
        right[r[key]] += r["right"]
    return {k: {"right": right[k], "of": total[k], "accuracy": round(right[k] / total[k], 3)} for k in total}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--model", default="model")
    ap.add_argument("--out", default="eval.json")
    ap.add_argument("--ocellus", help="the ocellus command: its embedded model answers all questions too")
    ap.add_argument("--gguf")
    ap.add_argument("--cli")
    ap.add_argument("--count", type=int, default=100, help="questions for each GGUF pair")
    ap.add_argument("--pairs", nargs="*", default=["f16:f16", "Q8_0:f16", "Q8_0:Q8_0", "Q6_K:Q8_0", "Q5_K_M:Q8_0", "Q4_K_M:Q8_0", "Q4_0:Q8_0", "Q3_K_M:Q8_0", "Q2_K:Q8_0", "Q8_0:Q4_0"],
                    help="text type:mmproj type")
    ap.add_argument("--samples", action="store_true")
    ap.add_argument("--limit", type=int, help="only the first questions of each kind")
    args = ap.parse_args()
    torch.set_num_threads(2)
    plan = {k: min(v, args.limit) for k, v in PLAN.items()} if args.limit else PLAN
    questions = held_out(plan=plan)
    judge = Torch(args.model)
    begin = time.time()
    for q in questions:
        q["got"] = judge.answer(q["picture"], q["question"])
        q["right"] = q["got"] == q["answer"]
    rows = [{"sub": q["kind"], **q} for q in questions]
    result = {"seed": SEED, "questions": len(rows), "right": sum(r["right"] for r in rows),
              "accuracy": round(sum(r["right"] for r in rows) / len(rows), 4), "seconds": round(time.time() - begin),
              "by_kind": table(rows, "kind"), "by_detail": table([r for r in rows if r["kind"] in ("describe", "word")], "sub"),
              "wrong": [{k: r[k] for k in ("kind", "question", "answer", "got")} for r in rows if not r["right"]]}
    print(json.dumps({k: v for k, v in result.items() if k != "wrong"}, indent=1))
    for r in result["wrong"]:
        print(r)

    if args.ocellus:
        begin = time.time()
        got = list(ocellus_answers(args.ocellus, questions))
        result["ocellus"] = {"right": sum(g == q["answer"] for g, q in zip(got, questions)), "of": len(got),
                             "same_as_torch": sum(g == q["got"] for g, q in zip(got, questions)), "seconds": round(time.time() - begin)}
        print("ocellus", result["ocellus"])

    if args.gguf and args.cli:
        with_picture = [q for q in questions if q["picture"] is not None]
        pick = random.Random(SEED).sample(with_picture, min(args.count, len(with_picture)))
        result["gguf"] = {"questions": len(pick), "torch_right": sum(q["right"] for q in pick), "pairs": {}}
        with tempfile.TemporaryDirectory() as folder:
            for i, q in enumerate(pick):
                q["png"] = os.path.join(folder, f"{i}.png")
                q["picture"].save(q["png"])
            name = next(f for f in os.listdir(args.gguf) if f.endswith("-f16.gguf") and not f.startswith("mmproj"))
            for pair in args.pairs:
                a, b = pair.split(":")
                text, mmproj = os.path.join(args.gguf, name.replace("f16", a)), os.path.join(args.gguf, "mmproj-" + name.replace("f16", b))
                begin = time.time()
                got = [cli_answer(args.cli, text, mmproj, q["png"], q["question"]) for q in pick]
                right, same = sum(g == q["answer"] for g, q in zip(got, pick)), sum(g == q["got"] for g, q in zip(got, pick))
                result["gguf"]["pairs"][pair] = {"right": right, "same_as_torch": same, "of": len(pick),
                                                 "bytes": os.path.getsize(text) + os.path.getsize(mmproj), "seconds": round(time.time() - begin)}
                print(pair, result["gguf"]["pairs"][pair], flush=True)
    with open(args.out, "w") as f:
        json.dump(result, f, indent=1)

    if args.samples:
        os.makedirs("samples", exist_ok=True)
        rng, made = random.Random(SEED + 1), []
        wanted = ["describe", "describe", "describe", "color", "count", "exists", "where", "relation", "number", "word", "size", "background"]
        for i, kind in enumerate(wanted):
            q = held_out(rng.randrange(1 << 40), {kind: 1})[0]
            file = f"{i + 1:02d}-{kind}.png"
            q["picture"].save(os.path.join("samples", file))
            got = judge.answer(q["picture"], q["question"])
            made.append({"picture": file, "question": q["question"], "expected": q["answer"], "answer": got})
        with open(os.path.join("samples", "samples.json"), "w") as f:
            json.dump(made, f, indent=1)


if __name__ == "__main__":
    main()
