"""Judges the tiny CLIP on scenes it has never seen.

    python eval_clip.py --ocellus ../../ocellus          # the embedded model, or with --model a file, through the command line
    python eval_clip.py --model clip                     # a Hugging Face folder, in PyTorch

Every question is a choice: which of all captions of a kind is nearest to the picture?  It is answered right when that caption
is true.  The scenes come from scenes.py with seeds that training never uses.
"""
import argparse
import json
import os
import random
import subprocess
import tempfile

import numpy as np
from PIL import Image

import scenes
from train_clip import FACTS, always, article, facts

SEED = 424242


def held_out(count):
    rng = random.Random(SEED)
    out = []
    while len(out) < count:
        scene = scenes.make_scene(rng)
        if scene["kind"] == "scene":
            out.append(scene)
    return out


def questions():
    """Kinds: captions with their fact, and which scenes they are asked about."""
    objects, counts, digits = always()[:48], always()[48:52], always()[52:]
    single = lambda s: len(s["shapes"]) == 1 and not s["text"]
    shown = lambda s: s["shapes"]
    return {
        "colour and shape (48), one shape": (objects, single),
        "colour and shape (48), large": (objects, lambda s: single(s) and s["shapes"][0]["size"] == "large"),
        "colour and shape (48), any scene": (objects, shown),
        "colour (8)": ([(article(c) + " shape", [("exists", c, None, None, None)]) for c in scenes.COLORS], shown),
        "shape (6)": ([(article(x), [("exists", None, x, None, None)]) for x in scenes.SHAPES], shown),
        "number of shapes (4)": (counts, lambda s: not s["text"]),
        "digit (10)": (digits, lambda s: s["text"] and s["text"]["text"].isdigit() and len(s["text"]["text"]) == 1),
        "word (40)": ([("the word " + w.lower(), [("says", w)]) for w in scenes.WORDS],
                      lambda s: s["text"] and s["text"]["text"] in scenes.WORDS),
    }


def by_ocellus(command, model, images, texts):
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in (("images", images), ("texts", texts)):
            with open(os.path.join(folder, name), "w") as f:
                f.write("\n".join(lines) + "\n")
        out = os.path.join(folder, "v.npy")
        subprocess.run([*command.split(), "embed", "-q", *(["-m", model] if model else []), "--images", os.path.join(folder, "images"), "--texts", os.path.join(folder, "texts"), "-o", out], check=True)
        return np.load(out)


def by_torch(model, images, texts):
    import torch
    from transformers import CLIPModel
    from train import normalize
    from train_clip import Encoder, pooled
    torch.set_num_threads(1)
    m, encoder = CLIPModel.from_pretrained(model, dtype=torch.float32).eval(), Encoder(model)
    with torch.no_grad():
        pixels = [torch.from_numpy(np.array(scenes.preprocess(Image.open(f), "stretch"))) for f in images]
        a = torch.cat([pooled(m.get_image_features(pixel_values=normalize(torch.stack(pixels[i:i + 100])))) for i in range(0, len(pixels), 100)])
        b = pooled(m.get_text_features(input_ids=encoder.batch(texts)))
        v = torch.cat([a, b])
        return (v / v.norm(dim=-1, keepdim=True)).numpy()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--ocellus")
    ap.add_argument("--model")
    ap.add_argument("--count", type=int, default=2000)
    args = ap.parse_args()
    found = held_out(args.count)
    kinds = questions()
    texts = list(dict.fromkeys(words for captions, _ in kinds.values() for words, _ in captions))
    with tempfile.TemporaryDirectory() as folder:
        images = []
        for i, scene in enumerate(found):
            images.append(os.path.join(folder, f"{i}.png"))
            scenes.draw(scene)[0].save(images[-1])
        v = by_ocellus(args.ocellus, args.model, images, texts) if args.ocellus else by_torch(args.model, images, texts)
    scores = v[:len(images)] @ v[len(images):].T
    known = np.stack([facts(scene) for scene in found])
    out = {}
    for kind, (captions, asked) in kinds.items():
        columns = [texts.index(words) for words, _ in captions]
        true = np.stack([np.all([known[:, FACTS[f]] for f in stated], 0) for _, stated in captions], 1)
        rows = [i for i, scene in enumerate(found) if asked(scene) and true[i].any()]
        best = scores[rows][:, columns].argmax(1)
        right = int(true[rows, best].sum())
        out[kind] = [right, len(rows)]
        print(f"{kind}: {right}/{len(rows)} ({100 * right / len(rows):.1f} %)")
    # the other way round: for each colour and shape, is the best picture one that shows it?
    objects = always()[:48]
    right = sum(bool(known[scores[:, texts.index(words)].argmax(), FACTS[stated[0]]]) for words, stated in objects)
    print(f"search for each colour and shape, first result right: {right}/48")
    print(json.dumps(out))


if __name__ == "__main__":
    main()
