"""MiniCPM-V 2.6. Its code comes with the published checkpoints and is not in transformers, so it is restated here: the
cutting of pictures, the resampler and the text around pictures. The tower is the library's Idefics2 tower, which it is a
copy of; the attention of the resampler is torch's."""

import json
import math
import pathlib
import shutil
import tempfile

import numpy as np
import torch
from torch import nn
from PIL import Image
import transformers
from safetensors.torch import save_file
from transformers import AutoTokenizer
from transformers.models.idefics2.configuration_idefics2 import Idefics2VisionConfig
from transformers.models.idefics2.modeling_idefics2 import Idefics2VisionTransformer

import golden

# name: class and configuration of the text model, and the version of folders in the layout of the authors; without one, GGUF
MODELS = {
    "minicpm-v": ("Qwen2", dict(
        model_type="qwen2", architectures=["Qwen2ForCausalLM"], num_key_value_heads=1, tie_word_embeddings=True), None),
    "minicpm-v-4": ("Llama", dict(
        model_type="llama", architectures=["LlamaForCausalLM"], num_key_value_heads=2, head_dim=32, tie_word_embeddings=False,
        rope_scaling=dict(rope_type="longrope", long_factor=[1.0 + i / 4 for i in range(16)],
                          short_factor=[1.0 + i / 8 for i in range(16)], original_max_position_embeddings=32768)), 4.0),
    "minicpm-v-4.5": ("Qwen3", dict(
        model_type="qwen3", architectures=["Qwen3ForCausalLM"], num_key_value_heads=1, head_dim=48, tie_word_embeddings=False), 4.5),
}
HALF = [0.5, 0.5, 0.5]
SCALE, PATCH, MAX_SLICES, SIDE = 28, 7, 9, 8  # published: 448, 14, 9, 70
WIDTH, QUERIES, VISION = 128, 6, 32  # the resampler's heads are 128 wide
UNK = 489
TEMPLATE = ("{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
            "{{ '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' }}{% endif %}"
            "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
            "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def multiple(length, of):
    return max(round(length / of) * of, of)


def fitted(w, h, enlarge):
    if enlarge or w * h > SCALE * SCALE:
        r = w / h
        h = int(SCALE / math.sqrt(r))
        w = int(h * r)
    return multiple(w, PATCH), multiple(h, PATCH)


def grid_of(w, h):
    n = min(math.ceil(w * h / SCALE ** 2), MAX_SLICES)
    if n <= 1:
        return None
    grids = [(m, k // m) for k in (n - 1, n, n + 1) if 1 < k <= MAX_SLICES for m in range(1, k + 1) if k % m == 0]
    return min(grids, key=lambda g: abs(math.log(w / h) - math.log(g[0] / g[1])))  # the first of several


def cut(image):
    grid = grid_of(*image.size)
    tiles = [image.resize(fitted(*image.size, grid is None), Image.Resampling.BICUBIC)]
    if grid:
        nx, ny = grid
        w, h = fitted(multiple(image.width, nx) / nx, multiple(image.height, ny) / ny, True)
        whole = image.resize((w * nx, h * ny), Image.Resampling.BICUBIC)
        tiles += [whole.crop((x * w, y * h, x * w + w, y * h + h)) for y in range(ny) for x in range(nx)]
    return tiles, grid


def placeholder(index, grid):
    text = f"<image_id>{index}</image_id><image>" + "<unk>" * QUERIES + "</image>"
    if grid:
        text += "\n".join(("<slice>" + "<unk>" * QUERIES + "</slice>") * grid[0] for _ in range(grid[1]))
    return text


def sines(h, w):
    omega = np.arange(WIDTH // 4, dtype=np.float32)
    omega /= WIDTH / 4.0
    omega = 1.0 / 10000 ** omega
    y, x = np.meshgrid(np.arange(h, dtype=np.float32), np.arange(w, dtype=np.float32), indexing="ij")
    parts = [f(np.einsum("hw,d->hwd", axis, omega)) for axis in (x, y) for f in (np.sin, np.cos)]
    return torch.from_numpy(np.concatenate(parts, -1).reshape(h * w, WIDTH))


class Resampler(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Parameter(torch.zeros(QUERIES, WIDTH))
        self.kv_proj = nn.Linear(VISION, WIDTH, bias=False)
        self.attn = nn.MultiheadAttention(WIDTH, WIDTH // 128)
        self.ln_q, self.ln_kv, self.ln_post = (nn.LayerNorm(WIDTH, eps=1e-6) for _ in range(3))
        self.proj = nn.Parameter(torch.zeros(WIDTH, WIDTH))

    def forward(self, x, h, w):
        kv = self.ln_kv(self.kv_proj(x))
        out = self.attn(self.ln_q(self.query), kv + sines(h, w), kv)[0]
        return self.ln_post(out) @ self.proj


def mmproj(out, tower, resampler):
    """The names of llama.cpp's legacy MiniCPM-V script."""
    metadata = {
        "clip.has_text_encoder": False, "clip.has_minicpmv_projector": True, "clip.minicpmv_version": 3,
        "clip.minicpmv_query_num": QUERIES, "clip.use_gelu": True, "clip.vision.image_size": SCALE,
        "clip.vision.patch_size": PATCH, "clip.vision.embedding_length": VISION, "clip.vision.feed_forward_length": 48,
        "clip.vision.projection_dim": 0, "clip.vision.block_count": 2, "clip.vision.attention.head_count": 2,
        "clip.vision.attention.layer_norm_epsilon": 1e-6, "clip.vision.image_mean": HALF, "clip.vision.image_std": HALF,
    }
    tensors = {}
    for name, t in tower.items():
        for old, new in (("encoder.layers", "blk"), ("embeddings.", ""), ("embedding", "embd"), ("_proj", ""),
                         ("self_attn.", "attn_"), ("post_layernorm", "post_ln"), ("layer_norm", "ln"),
                         ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up")):
            name = name.replace(old, new)
        tensors["v." + name] = t
    for name, t in resampler.items():
        if name.startswith("attn.in_proj_"):
            for part, value in zip("qkv", t.chunk(3)):
                tensors[f"resampler.attn.{part}.{name.removeprefix('attn.in_proj_')}"] = value
        elif name == "proj":
            tensors["resampler.proj.weight"] = t.T
        else:
            tensors["resampler." + name.replace("_proj", "")] = t
    golden.mmproj(out, "resampler", metadata, tensors)


def tokenizer_files(source, d):
    tokenizer = json.loads((source / "tokenizer.json").read_text())
    config = json.loads((source / "tokenizer_config.json").read_text())
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "</image>", "<slice>", "</slice>", "<image_id>",
             "</image_id>", "<unk>"]
    tokens = {480 + i: dict(content=n, lstrip=False, normalized=False, rstrip=False, single_word=False, special=True)
              for i, n in enumerate(names)}
    tokenizer["added_tokens"] = [dict(id=i, **t) for i, t in tokens.items()]
    config = {k: v for k, v in config.items() if "token" not in k or k in ("eos_token", "pad_token")}
    config |= {"added_tokens_decoder": {str(i): t for i, t in tokens.items()}, "chat_template": TEMPLATE}
    (d / "tokenizer.json").write_text(json.dumps(tokenizer))
    (d / "tokenizer_config.json").write_text(json.dumps(config))
    for file in ("vocab.json", "merges.txt"):
        (d / file).write_text((source / file).read_text())


def files(args, name, text, tower, resampler, language):
    gguf = args.out / name / "gguf"
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        tokenizer_files(args.tokenizers / "llava-onevision" / "hf", d)
        tokenizer = AutoTokenizer.from_pretrained(d)
        state = {k: v for k, v in language.state_dict().items() if k != "lm_head.weight"}
        golden.convert(args, text, state, d, gguf / "text.gguf", "qwen2")
    mmproj(gguf / "mmproj.gguf", tower.state_dict(), resampler.state_dict())
    return tokenizer


def folder(args, name, text, version, tower, resampler, language):
    """The layout of the authors' folders, as far as llama.cpp's scripts and their processors tell it."""
    d = args.out / name / "hf"
    shutil.rmtree(d.parent, ignore_errors=True)
    d.mkdir(parents=True)
    tokenizer_files(args.tokenizers / "llava-onevision" / "hf", d)
    config = {k: v for k, v in text.items() if k not in ("model_type", "architectures")}
    config |= dict(
        architectures=["MiniCPMV"], model_type="minicpmv", version=version, query_num=QUERIES, image_size=SCALE,
        slice_config=dict(max_slice_nums=MAX_SLICES, patch_size=PATCH, scale_resolution=SCALE, model_type="minicpmv"),
        vision_config=dict(hidden_size=VISION, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
                           image_size=SIDE * PATCH, patch_size=PATCH, model_type="siglip_vision_model",
                           hidden_act="gelu_pytorch_tanh"), torch_dtype="bfloat16")
    (d / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (d / "preprocessor_config.json").write_text(json.dumps(dict(
        image_processor_type="MiniCPMVImageProcessor", processor_class="MiniCPMVProcessor", max_slice_nums=MAX_SLICES,
        scale_resolution=SCALE, patch_size=PATCH, use_image_id=True, image_feature_size=QUERIES, slice_mode=True, norm_mean=HALF,
        norm_std=HALF, version=version), indent=1) + "\n")
    parts = {"vpm.": tower, "resampler.": resampler, "llm.": language}
    save_file({p + k: t.to(torch.bfloat16).contiguous().clone() for p, m in parts.items() for k, t in m.state_dict().items()
               if not (k == "lm_head.weight" and text["tie_word_embeddings"])}, d / "model.safetensors")


def make(args, name):
    NAME, (kind, own, version) = name, MODELS[name]
    tower = Idefics2VisionTransformer(Idefics2VisionConfig(
        hidden_size=VISION, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=SIDE * PATCH,
        patch_size=PATCH, hidden_act="gelu_pytorch_tanh", attn_implementation="eager")).float().eval()
    resampler = Resampler().eval()
    text = dict(own, vocab_size=512, hidden_size=WIDTH, num_hidden_layers=1, num_attention_heads=4, intermediate_size=128,
                max_position_embeddings=32768, rms_norm_eps=1e-6, rope_theta=1000000.0, hidden_act="silu")
    known = {k: v for k, v in text.items() if k not in ("rope_scaling", "rope_theta")}
    known["rope_parameters"] = dict(text.get("rope_scaling", dict(rope_type="default")), rope_theta=text["rope_theta"])
    config = getattr(transformers, kind + "Config")(attn_implementation="eager", **known)
    language = getattr(transformers, kind + "ForCausalLM")(config).float().eval()
    for seed, module in enumerate((tower, resampler, language), 20):
        golden.randomize(module, seed)
    for name in ("q_proj", "v_proj", "o_proj"):  # or the next token were the last one again, whatever it sees
        getattr(language.model.layers[0].self_attn, name).weight.mul_(3)
    if version:
        for module in (tower, resampler, language):
            for p in module.parameters():
                p.data = p.data.to(torch.bfloat16).float()
        folder(args, NAME, text, version, tower, resampler, language)
        tokenizer = transformers.PreTrainedTokenizerFast.from_pretrained(args.out / NAME / "hf")
    else:
        tokenizer = files(args, NAME, text, tower, resampler, language)
    def encode(tile):
        pixels = torch.from_numpy((np.asarray(tile).astype(np.float32) / 255 - np.float32(0.5)) / np.float32(0.5))
        pixels = pixels.permute(2, 0, 1)
        h, w = tile.height // PATCH, tile.width // PATCH
        mask = torch.ones(1, h, w, dtype=torch.bool)
        hidden = tower(pixel_values=pixels[None], patch_attention_mask=mask).last_hidden_state
        return pixels.flatten(), resampler(hidden[0], h, w)

    for case, images, question in (("slices", ["odd_97x61.png"], "Describe the image."),
                                   ("two", ["exact_32x32.png", "gray_120x90.png"], "Compare the two images.")):
        pixels, rows, expanded = [], [], []
        for i, name in enumerate(images):
            tiles, grid = cut(golden.load_image(args.images / name))
            expanded.append(placeholder(i, grid))
            for tile in tiles:
                p, r = encode(tile)
                pixels.append(p)
                rows.append(r)
        content = "\n".join(["(<image>./</image>)"] * len(images) + [question])
        prompt = tokenizer.apply_chat_template([{"role": "user", "content": content}], tokenize=False,
                                               add_generation_prompt=True)
        chunks = prompt.split("(<image>./</image>)")
        full = "".join(a + b for a, b in zip(chunks, expanded + [""]))
        ids = tokenizer(full, add_special_tokens=False).input_ids
        rows = torch.cat(rows)
        embeds = language.model.embed_tokens(torch.tensor(ids))
        embeds[torch.tensor(ids) == UNK] = rows

        def step(done):
            more = language.model.embed_tokens(torch.tensor(done, dtype=torch.long))
            return language(inputs_embeds=torch.cat([embeds, more])[None]).logits[0, -1]

        answer, margins = golden.greedy(step)
        golden.write_case(args.out / NAME / "cases" / case, {
            "model": NAME, "case": case, "messages": golden.conversation(images, question), "images": images,
            "prompt": prompt, "input_ids": ids, "image_token_id": UNK, "n_image_tokens": len(rows), "greedy": answer,
            "greedy_margin": margins, "image_processor_class": "MiniCPMVImageProcessor, restated",
            "model_class": "MiniCPMV, restated"},
            {"pixel_values": torch.cat(pixels), "projector.out": rows, "logits.first": step([])}, None, HALF, HALF)
        print(NAME, case, full.encode()[:200], answer, margins, "rows", tuple(rows.shape))


def main():
    args = golden.arguments()
    for name in MODELS:
        if not (args.out / name / "cases").exists():
            make(args, name)


main()
