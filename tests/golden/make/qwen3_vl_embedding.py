"""Tiny checkpoints as Qwen3-VL-Embedding's, and the vectors that the published usage code makes with them.

    python qwen3_vl_embedding.py --reference shared/reference --out tests/golden

Prompts, pooling and normalizing are restated from src/models/qwen3_vl_embedding.py of QwenLM/Qwen3-VL-Embedding: the
instruction is the system message and ends with punctuation, images stand before the text, nothing is NULL, images have
4 to 1800 tokens, padding is on the right and the last token's state speaks. The batch is computed with padding on the
left, too. Tokenizer and configuration are those of the reference's tiny Qwen3-VL. One checkpoint has a head of its own
and a tokenizer that ends texts. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib
import shutil
import unicodedata

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors.torch import save_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import AutoTokenizer, Qwen3VLConfig, Qwen3VLModel
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from golden import randomize

INPUTS = [
    dict(text="two dogs on a beach"),
    dict(text="What is shown?  ", instruction="Retrieve images that match the text"),
    dict(text="\u00e9t\u00e9 \U0001f600", instruction="  Find the answer!\u3000"),
    dict(),
    dict(image="odd_97x61.png"),
    dict(image="photo_640x427.jpg", text="a red bicycle", instruction="Describe \u201cit\u201d"),
    dict(image="tall_300x900.png", text="x " * 40),
]
DEFAULT = "Represent the user's input."
# head, end token, seed, changes of the text model
MODELS = {"qwen3-vl-embedding": (False, False, 5, dict(num_key_value_heads=2)), "qwen3-vl-embedding-end": (True, True, 8, dict(num_key_value_heads=1))}


def conversation(item):
    instruction = item.get("instruction", "").strip()
    if instruction and not unicodedata.category(instruction[-1]).startswith("P"):
        instruction += "."
    content = [{"type": "image"}] if "image" in item else []
    content += [{"type": "text", "text": item["text"]}] if item.get("text") else []
    return [{"role": "system", "content": [{"type": "text", "text": instruction or DEFAULT}]},
            {"role": "user", "content": content or [{"type": "text", "text": "NULL"}]}]


def build(args, name):
    head, end, seed, changes = MODELS[name]
    source = args.reference / "models/qwen3-vl/hf"
    out = args.out / "embedding" / name / "hf"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.mkdir(parents=True)
    described = json.loads((source / "config.json").read_text())
    described["text_config"].update(num_hidden_layers=2, intermediate_size=80, num_attention_heads=2, **changes)
    described["vision_config"].update(depth=2, deepstack_visual_indexes=[0], intermediate_size=56)
    described["tie_word_embeddings"] = described["text_config"]["tie_word_embeddings"] = not head
    for file in source.iterdir():
        if file.suffix != ".safetensors" and file.name != "config.json":
            shutil.copyfile(file, out / file.name)
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    if end:
        tokenizer.post_processor = TemplateProcessing(single="$A <|endoftext|>", special_tokens=[("<|endoftext|>", tokenizer.token_to_id("<|endoftext|>"))])
        tokenizer.save(str(out / "tokenizer.json"))
    model = Qwen3VLModel(Qwen3VLConfig(**{k: v for k, v in described.items() if k != "model_type"})).eval()
    randomize(model, seed)
    for key, p in model.named_parameters():
        p.data = p.data.bfloat16().float()
    described["architectures"] = ["Qwen3VLForConditionalGeneration"]
    (out / "config.json").write_text(json.dumps(described, indent=1) + "\n")
    tensors = {"model." + k: v.bfloat16().contiguous().clone() for k, v in model.state_dict().items()}
    if head:
        tensors["lm_head.weight"] = torch.randn(tensors["model.language_model.embed_tokens.weight"].shape).bfloat16()
    save_file(tensors, out / "model.safetensors", {"format": "pt"})
    (out / "model.safetensors").chmod(0o644)
    loaded = Qwen3VLModel.from_pretrained(out, dtype=torch.float32, attn_implementation="eager").eval()
    return loaded, AutoTokenizer.from_pretrained(out), out


def inputs(args, tokenizer, config, item, sizes):
    text = tokenizer.apply_chat_template(conversation(item), add_generation_prompt=True, tokenize=False)
    pixels = grid = None
    if "image" in item:
        image = ImageOps.exif_transpose(Image.open(args.out / "images" / item["image"])).convert("RGB")
        processed = Qwen2VLImageProcessorPil(**sizes)(image, return_tensors="pt")
        pixels, grid = processed["pixel_values"], processed["image_grid_thw"]
        count = int(grid.prod()) // sizes["merge_size"] ** 2
        text = text.replace("<|image_pad|>", "<|image_pad|>" * count)
    return tokenizer(text)["input_ids"], pixels, grid


def pooled(model, batch, side, pad):
    n = max(len(ids) for ids, _, _ in batch)
    rows, masks = [], []
    for ids, _, _ in batch:
        fill = [pad] * (n - len(ids))
        rows.append(ids + fill if side == "right" else fill + ids)
        masks.append([1] * len(ids) + [0] * len(fill) if side == "right" else [0] * len(fill) + [1] * len(ids))
    mask = torch.tensor(masks)
    ids = torch.tensor(rows)
    pixels = [p for _, p, _ in batch if p is not None]
    grids = [g for _, _, g in batch if g is not None]
    states = model(input_ids=ids, attention_mask=mask, mm_token_type_ids=(ids == model.config.image_token_id).int(),
                   pixel_values=torch.cat(pixels) if pixels else None, image_grid_thw=torch.cat(grids) if grids else None).last_hidden_state
    last = n - mask.flip(dims=[1]).argmax(dim=1) - 1
    return states[torch.arange(len(rows)), last]


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for name in MODELS:
        model, tokenizer, out = build(args, name)
        limits = json.loads((out / "preprocessor_config.json").read_text())
        side = limits["patch_size"] * limits["merge_size"]
        largest = min(limits["size"]["longest_edge"], 1800 * side * side)
        sizes = dict(size=dict(shortest_edge=4 * side * side, longest_edge=largest), patch_size=limits["patch_size"], merge_size=limits["merge_size"],
                     temporal_patch_size=limits["temporal_patch_size"], image_mean=limits["image_mean"], image_std=limits["image_std"])
        batch = [inputs(args, tokenizer, model.config, item, sizes) for item in INPUTS]
        right = pooled(model, batch, "right", tokenizer.pad_token_id or 0)
        left = pooled(model, batch, "left", tokenizer.pad_token_id or 0)
        alone = torch.cat([pooled(model, [one], "right", 0) for one in batch])
        print(name, "right - alone", float((right - alone).abs().max()), "left - alone", float((left - alone).abs().max()), "rms", float(alone.square().mean().sqrt()))
        cases = [dict(item, input_ids=one[0], state=[round(v, 7) for v in state.tolist()], vector=[round(v, 8) for v in F.normalize(state, dim=-1).tolist()])
                 for item, one, state in zip(INPUTS, batch, alone)]
        (out.parent / "expected.json").write_text(json.dumps(cases) + "\n")


main()
