"""Makes a tiny CLIP of the demo model's image tower and saves it as a Hugging Face folder.

    python train_clip.py --out clip

The model is a CLIPModel of transformers for 96 x 96 pixels.  The image tower is that of the embedded chat model, which knows
what lies under each patch: its first layers stay as they are, and only the last one, which gathers the patches into one vector,
is trained, with a text tower of two layers from nothing.  What the first layers make of the pictures is computed once, so
training takes minutes on one core.

Everything that a caption says is a conjunction of facts of the scene, so it is known for every pair of picture and caption in a
batch whether they belong together: a caption that is true of another picture too is never taken for a wrong one.
"""
import argparse
import json
import math
import multiprocessing
import os
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers, Regex
from transformers import CLIPConfig, CLIPModel

import scenes
from train import MEAN, STD, normalize, optimizer

SEED = 20260301
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
CONTEXT = 40
ANY = None

# --------------------------------------------------------------------------- facts


def number_facts():
    names = [("exists", c, s, z, p) for c in [ANY, *scenes.COLORS] for s in [ANY, *scenes.SHAPES]
             for z in (ANY, "small", "large") for p in [ANY, *range(9)]]
    names += [("count", k, n) for k in ["shape", *scenes.SHAPES, *scenes.COLORS] for n in range(4)]
    names += [("background", c) for c in [*scenes.COLORS, "gray"]]
    names += [("text", "number"), ("text", "word"), ("text", ANY), ("clutter",), ("empty",), ("scene",)]
    names += [("text color", c) for c in scenes.COLORS]
    names += [("says", str(n)) for n in range(100)] + [("says", w) for w in scenes.WORDS]
    return {name: i for i, name in enumerate(names)}


FACTS = number_facts()


def facts(scene):
    """What is true of a scene, as one byte for each fact."""
    out = np.zeros(len(FACTS), np.uint8)

    def true(*name):
        out[FACTS[name]] = 1

    if scene["kind"] == "clutter":
        true("clutter")
        return out
    true("scene")
    for s in scene["shapes"]:
        for c in (ANY, s["color"]):
            for x in (ANY, s["shape"]):
                for z in (ANY, s["size"]):
                    for p in (ANY, s["cell"]):
                        true("exists", c, x, z, p)
    for kind in ["shape", *scenes.SHAPES, *scenes.COLORS]:
        true("count", kind, sum(kind in ("shape", s["shape"], s["color"]) for s in scene["shapes"]))
    t = scene["text"]
    if t:
        true("text", t["kind"]), true("text", ANY), true("text color", t["color"])
        if ("says", t["text"]) in FACTS:
            true("says", t["text"])
    if not t and not scene["shapes"]:
        true("empty")
    if scene["name"]:
        true("background", scene["name"])
    return out


# --------------------------------------------------------------------------- captions

BEFORE = ["a photo of ", "a picture of ", "an image of ", "a drawing of ", "picture with ", "image with ", "there is ", "i see ",
          "a scene with ", "this is ", "show me ", "the image shows "]
SIZES = {"small": ["small", "small", "little", "tiny"], "large": ["large", "large", "big"]}
COUNTS = {0: ["no"], 1: ["one", "1", "a single"], 2: ["two", "two", "2"], 3: ["three", "three", "3"]}
EMPTY = ["an empty image", "nothing", "an empty picture", "no shapes", "a plain background", "a blank image"]
CLUTTER = ["an abstract image", "noise", "clutter", "scribbles", "no simple shapes", "something else", "a mess", "a mosaic"]


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def gray(rng, name):
    return "grey" if name == "gray" and rng.random() < 0.5 else name


def named(rng, s, color=True, shape=True, size=False, place=False):
    """Words for a shape, and the fact that they state."""
    noun = s["shape"] if shape else rng.choice(["shape", "shape", "object", "thing"])
    words = " ".join([rng.choice(SIZES[s["size"]])] * size + [s["color"]] * color + [noun])
    fact = ("exists", s["color"] if color else ANY, s["shape"] if shape else ANY, s["size"] if size else ANY, s["cell"] if place else ANY)
    return words, (" " + scenes.position(s["cell"])) if place else "", fact


def about_shape(rng, s):
    size, place = rng.random() < 0.2, rng.random() < 0.2
    r = rng.random()
    words, where, fact = named(rng, s, color=not 0.62 < r < 0.8, shape=r < 0.8, size=size, place=place)
    if r > 0.8 and not size and not place and rng.random() < 0.6:
        words = rng.choice([s["color"], "something " + s["color"], s["color"] + " shapes"])
        return words, [fact]
    r = rng.random()
    words = article(words) if r < 0.75 else "the " + words if r < 0.8 else words if r < 0.95 or place else words + "s"
    return words + where, [fact]


def about_pair(rng, shapes):
    a, b = rng.sample(shapes, 2)
    size = rng.random() < 0.15
    parts = [named(rng, s, size=size, place=rng.random() < 0.1) for s in (a, b)]
    words = [article(w) + where for w, where, _ in parts]
    return rng.choice([" and ", " and ", " with ", ", ", " next to "]).join(words), [fact for _, _, fact in parts]


def about_count(rng, scene):
    kind = "shape" if rng.random() < 0.5 else rng.choice([s[k] for s in scene["shapes"] for k in ("shape", "color")] + scenes.SHAPES[:1])
    n = sum(kind in ("shape", s["shape"], s["color"]) for s in scene["shapes"])
    noun = rng.choice(["shape", "shape", "object"]) if kind == "shape" else kind if kind in scenes.SHAPES else kind + " shape"
    return f"{rng.choice(COUNTS[n])} {noun}{'' if n == 1 else 's'}", [("count", kind, n), ("scene",)]


def about_text(rng, t):
    r = rng.random()
    if r < 0.1:
        return rng.choice(["text", "some text", "letters and digits", "something written"]), [("text", ANY)]
    if r < 0.25 or ("says", t["text"]) not in FACTS:
        return rng.choice(["a {}", "the {}", "{}", "a {}"]).format(rng.choice(["number", "number", "digit"] if t["kind"] == "number" else ["word"])), \
            [("text", t["kind"])]
    if r < 0.35:
        return article(t["color"]) + " " + t["kind"], [("text", t["kind"]), ("text color", t["color"])]
    words = t["text"].lower()
    says = [("text", t["kind"]), ("says", t["text"])]
    kinds = ["the {} {}", "the {} {}", "a {} {}"] + (["the digit {1}", "a {1}"] if len(words) == 1 else [])
    if r < 0.45:
        return f"the {t['kind']} {words} in {t['color']}", says + [("text color", t["color"])]
    if r < 0.7 and not words[0].isalpha():
        return words, says
    return rng.choice(kinds).format(t["kind"], words), says


def about_all(rng, scene):
    parts = [named(rng, s, size=True, place=True) for s in scene["shapes"]]
    words = [article(w) + where for w, where, _ in parts]
    return "there is " + (words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]), \
        [fact for _, _, fact in parts] + [("count", "shape", len(parts))]


def caption(rng, scene):
    """A true caption and the facts that it states."""
    if scene["kind"] == "clutter":
        return rng.choice(CLUTTER), [("clutter",)]
    shapes, t = scene["shapes"], scene["text"]
    r = rng.random()
    if scene["name"] and r < 0.05:
        return article(gray(rng, scene["name"])) + " background", [("background", scene["name"])]
    if not shapes and not t:
        return rng.choice(EMPTY), [("empty",)]
    if t and (not shapes or rng.random() < 0.5):
        words, stated = about_text(rng, t)
    elif r < 0.25:
        words, stated = about_count(rng, scene)
    elif len(shapes) > 1 and r < 0.5:
        words, stated = about_pair(rng, shapes)
    elif r < 0.56:
        return about_all(rng, scene)
    else:
        words, stated = about_shape(rng, rng.choice(shapes))
    if scene["name"] and rng.random() < 0.07:
        words += f" on {article(gray(rng, scene['name']))} background"
        stated = stated + [("background", scene["name"])]
    if rng.random() < 0.2:
        words = rng.choice(BEFORE) + words
    return words, stated


def always():
    """Captions that every batch is compared with: each colour with each shape, numbers of shapes, digits."""
    out = [(article(f"{c} {s}"), [("exists", c, s, ANY, ANY)]) for c in scenes.COLORS for s in scenes.SHAPES]
    out += [(f"{w} shape{'s' * (n != 1)}", [("count", "shape", n), ("scene",)]) for n, w in enumerate(scenes.NUMBER_WORDS)]
    out += [(f"the number {n}", [("says", str(n))]) for n in range(10)]
    return out


# --------------------------------------------------------------------------- pictures

def make_example(seed):
    """A scene and its picture; every second one has a single shape or a single text, which are what is asked for most."""
    rng = random.Random(seed)
    while True:
        scene = scenes.make_scene(rng)
        if seed % 3 or (scene["text"] is not None) + len(scene["shapes"]) == 1:
            break
    return scene, scenes.preprocess(scenes.draw(scene)[0], "stretch"), facts(scene)


def make_pictures(count, processes, seed):
    with multiprocessing.Pool(processes) as pool:
        made = pool.map(make_example, [seed * 1000 + i for i in range(count)], chunksize=500)
    return [m[0] for m in made], torch.from_numpy(np.stack([m[1] for m in made])), np.stack([m[2] for m in made])


# --------------------------------------------------------------------------- text

def train_tokenizer(out, merges):
    """CLIP's byte pair encoding.  Words that are drawn are left out of its corpus, so they are spelled letter by letter."""
    rng = random.Random(SEED)
    corpus = [scenes.describe(scenes.make_scene(random.Random(1))).lower(), *EMPTY, *CLUTTER, *BEFORE] * 40
    while len(corpus) < 30000:
        scene = scenes.make_scene(rng)
        words = caption(rng, scene)[0]
        if scene["text"]:
            words = words.replace(scene["text"]["text"].lower(), "")
        corpus.append(words)
    tok = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token=EOS))
    tok.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"), behavior="removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tok.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=10 ** 4, min_frequency=4, show_progress=False, end_of_word_suffix="</w>"))
    learned = [" ".join(m) if isinstance(m, list) else m for m in json.loads(tok.to_str())["model"]["merges"]][:merges]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in learned] + [BOS, EOS]
    vocab = {t: i for i, t in enumerate(tokens)}
    with open(os.path.join(out, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump(vocab, f, ensure_ascii=False)
    with open(os.path.join(out, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n" + "\n".join(learned) + "\n")
    with open(os.path.join(out, "tokenizer_config.json"), "w") as f:
        json.dump({"tokenizer_class": "CLIPTokenizer", "bos_token": BOS, "eos_token": EOS, "pad_token": EOS, "unk_token": EOS,
                   "model_max_length": CONTEXT}, f, indent=1)
    return vocab


class Encoder:
    """Captions to ids with the tokenizer of transformers; the same texts come again and again."""

    def __init__(self, folder):
        from transformers import CLIPTokenizer
        self.tok, self.cache = CLIPTokenizer.from_pretrained(folder), {}

    def batch(self, texts):
        missing = [t for t in dict.fromkeys(texts) if t not in self.cache]
        if missing:
            for t, ids in zip(missing, self.tok(missing, truncation=True, max_length=CONTEXT)["input_ids"]):
                self.cache[t] = ids
        rows = [self.cache[t] for t in texts]
        width = max(map(len, rows))
        eos = rows[0][-1]
        return torch.tensor([r + [eos] * (width - len(r)) for r in rows])


# --------------------------------------------------------------------------- model

TOWER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../vlm/src/main/resources/dev/ocellus/vlm/demo/mmproj-tiny-shapes-vlm.gguf")
WIDTH, LAYERS, DIMENSION = 192, 4, 96


def make_model(vocab, tower):
    torch.manual_seed(SEED)
    config = CLIPConfig(
        text_config=dict(vocab_size=len(vocab), hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4,
                         max_position_embeddings=CONTEXT, projection_dim=DIMENSION, hidden_act="quick_gelu",
                         bos_token_id=vocab[BOS], eos_token_id=vocab[EOS], pad_token_id=vocab[EOS]),
        vision_config=dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS, num_attention_heads=6,
                           projection_dim=DIMENSION, image_size=scenes.IMAGE_SIZE, patch_size=scenes.PATCH_SIZE, hidden_act="quick_gelu"),
        projection_dim=DIMENSION, logit_scale_init_value=float(np.log(10)))
    model = CLIPModel(config)
    model.set_attn_implementation("eager")
    load_tower(model.vision_model, tower)
    return model


def load_tower(vision, path):
    """The weights of the mmproj; its writer exchanged the names of the two layers of each MLP."""
    import gguf
    from gguf.quants import dequantize
    found = {t.name: torch.from_numpy(dequantize(t.data, t.tensor_type).astype(np.float32).copy()) for t in gguf.GGUFReader(path).tensors}
    names = {"embeddings.class_embedding": "v.class_embd", "embeddings.patch_embedding.weight": "v.patch_embd.weight",
             "embeddings.position_embedding.weight": "v.position_embd.weight"}
    for x in ("weight", "bias"):
        names["pre_layrnorm." + x] = "v.pre_ln." + x
        for i in range(LAYERS):
            for theirs, ours in (("layer_norm1", "ln1"), ("layer_norm2", "ln2"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
                                 ("self_attn.v_proj", "attn_v"), ("self_attn.out_proj", "attn_out"), ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up")):
                names[f"encoder.layers.{i}.{theirs}.{x}"] = f"v.blk.{i}.{ours}.{x}"
    state = vision.state_dict()
    for name, ours in names.items():
        state[name] = found[ours].reshape(state[name].shape)
    vision.load_state_dict(state)


def patches(model, pixels):
    """What the layers that stay make of pictures, as half floats: (pictures, 65, width)."""
    out = []
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        for part in pixels.split(128):
            states = model.vision_model.pre_layrnorm(model.vision_model.embeddings(normalize(part)))
            for layer in model.vision_model.encoder.layers[:-1]:
                states = layer(states, None)
                states = states[0] if isinstance(states, tuple) else states
            out.append(states.half())
    return torch.cat(out)


def gather(model, states):
    """The last layer for the class token alone, and the projection: the same numbers as the whole model gives."""
    layer, attention = model.vision_model.encoder.layers[-1], model.vision_model.encoder.layers[-1].self_attn
    normed, n = layer.layer_norm1(states), len(states)

    def split(x):
        return x.view(n, x.shape[1], attention.num_heads, -1).transpose(1, 2)

    q, k, v = split(attention.q_proj(normed[:, :1])), split(attention.k_proj(normed)), split(attention.v_proj(normed))
    weights = (q @ k.transpose(2, 3) * attention.scale).softmax(-1)
    x = states[:, 0] + attention.out_proj((weights @ v).transpose(1, 2).reshape(n, -1))
    x = x + layer.mlp(layer.layer_norm2(x))
    return F.normalize(model.visual_projection(model.vision_model.post_layernorm(x)).float(), dim=-1)


def contrast(logits, true):
    """Each true pair against all wrong ones of its row; true pairs do not compete with each other."""
    wrong = logits.masked_fill(true, -1e9).logsumexp(1, keepdim=True)
    losses = F.softplus(wrong - logits)
    weight = true.float() / true.sum(1, keepdim=True).clamp(min=1)
    return (losses * weight).sum() / true.any(1).sum().clamp(min=1)


def pooled(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def save(model, out):
    model.save_pretrained(out)
    with open(os.path.join(out, "preprocessor_config.json"), "w") as f:
        json.dump({"image_processor_type": "CLIPImageProcessor", "do_resize": True, "size": {"height": scenes.IMAGE_SIZE, "width": scenes.IMAGE_SIZE},
                   "resample": 3, "do_center_crop": False, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
                   "do_convert_rgb": True, "image_mean": MEAN, "image_std": STD}, f, indent=1)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", default="clip")
    ap.add_argument("--tower", default=TOWER)
    ap.add_argument("--pictures", type=int, default=40000)
    ap.add_argument("--steps", type=int, default=3000, help="of 192 pictures")
    ap.add_argument("--minutes", type=float, help="end after so many, whatever --steps says; the rate falls with the time then")
    ap.add_argument("--captions", type=int, default=1, help="for each picture and step")
    ap.add_argument("--merges", type=int, default=160)
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--seed", type=int, default=SEED)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    os.makedirs(args.out, exist_ok=True)
    begin = time.time()

    def say(*a):
        print(f"[{time.time() - begin:7.1f}s]", *a, flush=True)

    vocab = train_tokenizer(args.out, args.merges)
    encoder = Encoder(args.out)
    model = make_model(vocab, args.tower)
    say("tokens:", len(vocab), "parameters:", sum(p.numel() for p in model.parameters()))
    all_scenes, pictures, known = make_pictures(args.pictures, args.threads, args.seed)
    say("pictures:", tuple(pictures.shape))
    states = patches(model, pictures)
    say("patches:", tuple(states.shape))
    model.vision_model.embeddings.requires_grad_(False)
    model.vision_model.pre_layrnorm.requires_grad_(False)
    model.vision_model.encoder.layers[:-1].requires_grad_(False)
    opt = optimizer(model.named_parameters(), args.lr)
    gen, rng = torch.Generator().manual_seed(args.seed), random.Random(args.seed + 1)
    fixed = always()
    batch, at, order = 192, 0, torch.randperm(args.pictures, generator=gen)
    ready = time.time()
    for step in range(args.steps):
        share = (time.time() - ready) / (60 * args.minutes) if args.minutes else step / args.steps
        if share > 1:
            break
        if at + batch > args.pictures:
            order, at = torch.randperm(args.pictures, generator=gen), 0
        pick = order[at:at + batch]
        at += batch
        made = fixed + [caption(rng, all_scenes[k]) for k in pick.tolist() for _ in range(args.captions)]
        made = list({words: (words, stated) for words, stated in made}.values())
        true = np.ones((batch, len(made)), bool)
        for j, (_, stated) in enumerate(made):
            for fact in stated:
                true[:, j] &= known[pick.numpy(), FACTS[fact]] > 0
        true = torch.from_numpy(true)
        for group in opt.param_groups:
            group["lr"] = args.lr * min((step + 1) / 100, 0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            images = gather(model, states[pick].float())
            texts = F.normalize(pooled(model.get_text_features(input_ids=encoder.batch([w for w, _ in made]))).float(), dim=-1)
        logits = model.logit_scale.exp() * images @ texts.T
        loss = contrast(logits, true) + contrast(logits.T, true.T)
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=float(np.log(100)))
        if step % 100 == 0:
            some = true[:, :48].any(1)
            hit = true.gather(1, logits.argmax(1, keepdim=True)).float().mean().item()
            named_right = true[:, :48].gather(1, logits[:, :48].argmax(1, keepdim=True))[some].float().mean().item()
            say(f"step {step} loss {loss.item():.3f} top-1 {hit:.3f} colour and shape {named_right:.3f} scale {model.logit_scale.exp().item():.1f}")
        if step and step % 300 == 0:
            save(model, args.out)
    save(model, args.out)
    say("saved after", step + 1, "steps")


if __name__ == "__main__":
    main()
