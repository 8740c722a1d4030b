"""Qwen-VL-Chat of 2023. Its code comes with the published checkpoints and is not in transformers, so it is restated here from
visual.py, modeling_qwen.py and tokenization_qwen.py; attention of the resampler is torch's MultiheadAttention. The checkpoint is
written as the published one is: shards of pytorch_model.bin, configuration and qwen.tiktoken.

    python qwen_vl.py --tiktoken FILE --out DIR [--raw]

FILE is any qwen.tiktoken; its first tokens are taken. DIR is tests/golden/models/NAME."""

import argparse
import base64
import json
import math
import pathlib
import unicodedata

import regex
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import golden

MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
PATTERN = regex.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
SYSTEM = "You are a helpful assistant."


def sines(dim, side):
    """get_2d_sincos_pos_embed of visual.py: columns first."""
    omega = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
    y, x = torch.meshgrid(torch.arange(side).double(), torch.arange(side).double(), indexing="ij")
    parts = []
    for axis in (x, y):
        angle = axis.reshape(-1, 1) * omega
        parts += [angle.sin(), angle.cos()]
    return torch.cat(parts, 1).float()


def resized(table, n):
    source, target = int(math.sqrt(len(table))), int(math.sqrt(n))
    if source == target:
        return table
    grid = table.float().reshape(1, source, source, -1).permute(0, 3, 1, 2)
    return F.interpolate(grid, size=(target, target), mode="bicubic", align_corners=False).permute(0, 2, 3, 1).flatten(0, 2)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c["heads"]
        w = c["width"]
        self.ln_1, self.ln_2 = nn.LayerNorm(w, eps=1e-6), nn.LayerNorm(w, eps=1e-6)
        self.attn = nn.Module()
        self.attn.in_proj, self.attn.out_proj = nn.Linear(w, 3 * w), nn.Linear(w, w)
        self.mlp = nn.Module()
        self.mlp.c_fc, self.mlp.c_proj = nn.Linear(w, int(w * c["mlp_ratio"])), nn.Linear(int(w * c["mlp_ratio"]), w)

    def forward(self, x):  # [n, rows, width]
        n, rows, w = x.shape
        qkv = self.attn.in_proj(self.ln_1(x)).reshape(n, rows, self.heads, 3 * w // self.heads).transpose(1, 2)
        q, k, v = qkv.split(w // self.heads, -1)
        weights = (q / math.sqrt(w // self.heads) @ k.transpose(-1, -2)).softmax(-1)
        x = x + self.attn.out_proj((weights @ v).transpose(1, 2).reshape(n, rows, w))
        return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x))))


class Visual(nn.Module):
    def __init__(self, c):
        super().__init__()
        w, out, q = c["width"], c["output_dim"], c.get("n_queries", 256)
        self.conv1 = nn.Conv2d(3, w, c["patch_size"], c["patch_size"], bias=False)
        self.positional_embedding = nn.Parameter(torch.zeros(256, w))
        self.ln_pre, self.ln_post = nn.LayerNorm(w, eps=1e-6), nn.LayerNorm(out, eps=1e-6)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        pool = self.attn_pool = nn.Module()
        pool.pos_embed = nn.Parameter(sines(out, int(math.sqrt(q))))
        pool.query = nn.Parameter(torch.zeros(q, out))
        pool.kv_proj = nn.Linear(w, out, bias=False) if w != out else nn.Identity()
        pool.attn = nn.MultiheadAttention(out, out // 128)
        pool.ln_q, pool.ln_kv = nn.LayerNorm(out, eps=1e-6), nn.LayerNorm(out, eps=1e-6)
        self.proj = nn.Parameter(torch.zeros(out, out))

    def forward(self, pixels):
        x = self.conv1(pixels).flatten(2).transpose(1, 2)
        x = self.ln_pre(x + resized(self.positional_embedding, x.shape[1]))
        for block in self.transformer.resblocks:
            x = block(x)
        pool = self.attn_pool
        kv = pool.ln_kv(pool.kv_proj(x)).transpose(0, 1)
        q = (pool.ln_q(pool.query) + pool.pos_embed).unsqueeze(1).expand(-1, len(x), -1)
        keys = kv + resized(pool.pos_embed, kv.shape[0]).unsqueeze(1)
        return x, self.ln_post(pool.attn(q, keys, kv)[0].transpose(0, 1)) @ self.proj


class RmsNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        w, ff = c["hidden_size"], c["intermediate_size"] // 2
        self.heads = c["num_attention_heads"]
        self.base = c["rotary_emb_base"]
        self.ln_1, self.ln_2 = RmsNorm(w), RmsNorm(w)
        self.attn = nn.Module()
        self.attn.c_attn, self.attn.c_proj = nn.Linear(w, 3 * w), nn.Linear(w, w, bias=False)
        self.mlp = nn.Module()
        self.mlp.w1, self.mlp.w2 = nn.Linear(w, ff, bias=False), nn.Linear(w, ff, bias=False)
        self.mlp.c_proj = nn.Linear(ff, w, bias=False)

    def rotated(self, x):
        d = x.shape[-1]
        angle = torch.outer(torch.arange(x.shape[1]).float(), 1.0 / self.base ** (torch.arange(0, d, 2).float() / d))
        cos, sin = (torch.cat((f, f), -1) for f in (angle.cos(), angle.sin()))
        half = torch.cat((-x[..., d // 2:], x[..., :d // 2]), -1)
        return x * cos + half * sin

    def forward(self, x):  # [rows, width]
        rows, w = x.shape
        q, k, v = (t.reshape(rows, self.heads, -1).transpose(0, 1) for t in self.attn.c_attn(self.ln_1(x)).split(w, -1))
        q, k = self.rotated(q), self.rotated(k)
        scores = q @ k.transpose(-1, -2) / math.sqrt(w // self.heads)
        scores = scores + torch.full((rows, rows), float("-inf")).triu(1)
        x = x + self.attn.c_proj((scores.softmax(-1) @ v).transpose(0, 1).reshape(rows, w))
        y = self.ln_2(x)
        return x + self.mlp.c_proj(self.mlp.w1(y) * F.silu(self.mlp.w2(y)))


class QwenVl(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.transformer = nn.Module()
        self.transformer.wte = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.transformer.h = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.transformer.ln_f = RmsNorm(c["hidden_size"])
        self.transformer.visual = Visual(c["visual"])
        self.lm_head = nn.Linear(c["hidden_size"], c["vocab_size"], bias=False)
        self.start = c["visual"]["image_start_id"]

    def forward(self, ids, pictures):
        x = self.transformer.wte(torch.tensor(ids))
        starts = [i for i, t in enumerate(ids) if t == self.start]
        for at, rows in zip(starts, pictures, strict=True):
            x[at + 1:at + 1 + len(rows)] = rows
        for layer in self.transformer.h:
            x = layer(x)
        return self.lm_head(self.transformer.ln_f(x[-1]))


class Tokenizer:
    def __init__(self, ranks, extras, span):
        self.ranks, self.span = ranks, span
        names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + [f"<|extra_{i}|>" for i in range(extras)]
        names += ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"]
        self.special = {n: len(ranks) + i for i, n in enumerate(names)}

    def __len__(self):
        return len(self.ranks) + len(self.special)

    def word(self, data):
        parts = [bytes([b]) for b in data]
        while len(parts) > 1:
            pairs = [self.ranks.get(a + b, 1 << 30) for a, b in zip(parts, parts[1:])]
            best = min(range(len(pairs)), key=pairs.__getitem__)
            if pairs[best] == 1 << 30:
                break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        return [self.ranks[p] for p in parts]

    def encode(self, text):
        ids, inside = [], False
        for piece in regex.split("(" + "|".join(regex.escape(s) for s in self.special) + ")", unicodedata.normalize("NFC", text)):
            if inside and piece != "</img>":  # the bytes of the name, filled up
                name = [self.ranks[bytes([b])] for b in piece.encode()]
                ids += name[:self.span] + [self.special["<imgpad>"]] * (self.span - len(name))
            elif piece in self.special:
                ids.append(self.special[piece])
            else:
                ids += [t for word in PATTERN.findall(piece) for t in self.word(word.encode())]
            inside = piece == "<img>"
        return ids


def prompt(messages, raw):
    text = "" if raw or messages[0]["role"] == "system" else f"<|im_start|>system\n{SYSTEM}<|im_end|>\n"
    for message in messages:
        n, body = 0, ""
        for part in message["content"]:
            if part["type"] == "image":
                n += 1
                body += f"<img>{part['image']}</img>" if raw else f"Picture {n}: <img>{part['image']}</img>\n"
            else:
                body += part["text"]
        text += body if raw else f"<|im_start|>{message['role']}\n{body}<|im_end|>\n"
    return text if raw else text + "<|im_start|>assistant\n"


def text(s):
    return {"type": "text", "text": s}


def image(name):
    return {"type": "image", "image": name}


def configuration(args, n_ranks):
    visual = {"heads": args.heads, "image_size": args.image_size, "image_start_id": n_ranks + 3 + args.extras + 6,
              "layers": 2, "mlp_ratio": args.mlp_ratio, "output_dim": args.hidden, "patch_size": 14, "width": args.width}
    if args.queries != 256:
        visual["n_queries"] = args.queries
    vocab = -(-(n_ranks + 12 + args.extras) // 8) * 8
    return {"architectures": ["QWenLMHeadModel"], "model_type": "qwen", "hidden_size": args.hidden,
            "intermediate_size": args.intermediate, "kv_channels": args.hidden // args.text_heads, "layer_norm_epsilon": 1e-6,
            "max_position_embeddings": 8192, "no_bias": True, "num_attention_heads": args.text_heads, "num_hidden_layers": 2,
            "rotary_emb_base": args.base, "rotary_pct": 1.0, "scale_attn_weights": True, "seq_length": 2048,
            "tie_word_embeddings": False, "tokenizer_type": "QWenTokenizer", "torch_dtype": "bfloat16", "use_dynamic_ntk": True,
            "use_logn_attn": True, "vocab_size": vocab, "visual": visual}


def save(model, config, out, dtype):
    out.mkdir(parents=True, exist_ok=True)
    state = {k: v.to(dtype) for k, v in model.state_dict().items()}
    names = list(state)
    shards = {f"pytorch_model-0000{i + 1}-of-00002.bin": names[i::2] for i in range(2)}
    for file, part in shards.items():
        torch.save({k: state[k].clone() for k in part}, out / file)
    index = {"metadata": {}, "weight_map": {k: file for file, part in shards.items() for k in part}}
    (out / "pytorch_model.bin.index.json").write_text(json.dumps(index) + "\n")
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tiktoken", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    p.add_argument("--images", type=pathlib.Path, default=pathlib.Path(__file__).parent.parent / "images")
    p.add_argument("--raw", action="store_true")
    for name, value in (("ranks", 320), ("extras", 3), ("hidden", 128), ("text-heads", 2), ("intermediate", 144), ("width", 24),
                        ("heads", 3), ("image-size", 70), ("queries", 9), ("seed", 5), ("base", 10000)):
        p.add_argument("--" + name, type=int, default=value)
    p.add_argument("--mlp-ratio", type=float, default=2.3)
    p.add_argument("--dtype", default="bfloat16")
    args = p.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    lines = args.tiktoken.read_text().splitlines()[:args.ranks]
    ranks = {base64.b64decode(line.split()[0]): int(line.split()[1]) for line in lines}
    config = configuration(args, len(ranks))
    tokenizer = Tokenizer(ranks, args.extras, args.queries)
    model = QwenVl(config).eval()
    pos = model.transformer.visual.attn_pool.pos_embed.clone()
    dtype = getattr(torch, args.dtype)
    golden.randomize(model, args.seed)
    model.transformer.visual.attn_pool.pos_embed.copy_(pos)
    for name, t in model.named_parameters():
        if ".c_attn.weight" in name:
            t.mul_(3)
        t.copy_(t.to(dtype).float())
    save(model, config, args.out / "hf", dtype)
    (args.out / "hf/qwen.tiktoken").write_text("\n".join(lines) + "\n")
    (args.out / "hf/generation_config.json").write_text(json.dumps({"chat_format": "raw" if args.raw else "chatml", "eos_token_id": len(ranks)}) + "\n")
    (args.out / "hf/tokenizer_config.json").write_text(json.dumps({"model_max_length": 8192, "tokenizer_class": "QWenTokenizer"}) + "\n")
    cases = {"one": [{"role": "user", "content": [image("odd_97x61.png"), text("What is shown here?")]}]}
    if not args.raw:
        cases["turns"] = [{"role": "system", "content": [text("Answer briefly.")]},
                          {"role": "user", "content": [image("photo_640x427.jpg"), image("shapes_64x64.png"), text("Compare <ref>them</ref>.")]},
                          {"role": "assistant", "content": [text("One is larger.")]},
                          {"role": "user", "content": [image("wide_1200x500.jpg"), text("And this?\nIs it in <box>(1,2),(300,999)</box>?")]}]
    for name, messages in cases.items():
        case(args, config, tokenizer, model, name, messages)


def case(args, config, tokenizer, model, name, messages):
    names = [part["image"] for m in messages for part in m["content"] if part["type"] == "image"]
    side = config["visual"]["image_size"]
    u8 = torch.stack([torch.tensor(list(golden.load_image(args.images / n).resize((side, side), Image.BICUBIC).tobytes()), dtype=torch.float32)
                      .reshape(side, side, 3).permute(2, 0, 1) for n in names])
    pixels = (u8 / 255 - torch.tensor(MEAN).reshape(3, 1, 1)) / torch.tensor(STD).reshape(3, 1, 1)
    hidden, rows = model.transformer.visual(pixels)
    shown = prompt(messages, args.raw)
    ids = tokenizer.encode(shown)
    greedy, margins = golden.greedy(lambda more: model(ids + more, rows))
    description = {"model": args.out.name, "case": name, "messages": messages, "images": names, "prompt": shown, "input_ids": ids,
                   "image_start_id": model.start, "image_end_id": model.start + 1, "n_queries": args.queries,
                   "greedy": greedy, "greedy_margin": margins, "model_class": "restatement of the published code"}
    golden.write_case(args.out / "cases" / name, description,
                      {"vision.last_hidden": hidden, "projector.out": rows.flatten(0, 1), "logits.first": model(ids, rows)}, pixels, MEAN, STD)
    print(args.out.name, name, greedy, margins)


if __name__ == "__main__":
    main()
