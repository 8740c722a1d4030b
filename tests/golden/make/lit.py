"""Writes tests/golden/dual/lit-*: VisionTextDualEncoderModel of transformers, a ViT or CLIP's image encoder with a BERT.

    python lit.py GOLDEN_DIR OUT      (GOLDEN_DIR: a directory with images, such as tests/golden)

torch 2.13, transformers 5.18, Pillow 12; float32, one thread. The second checkpoint is stored in BF16.
"""
import json, os, sys

import torch
from PIL import Image, ImageOps
from transformers import (BertConfig, BertTokenizerFast, CLIPImageProcessorPil, CLIPVisionConfig, ViTConfig,
                          ViTImageProcessorPil, VisionTextDualEncoderConfig, VisionTextDualEncoderModel)

torch.set_num_threads(1)
GOLDEN, OUT = sys.argv[1:3]
TEXTS = ["a photo of a cat", "a red bicycle near the ocean", "Two children; it's 2024!", "a dog", "",
         "\u00dcn\u00efcode \ufb01ne \uff11\uff12\uff13"]
IMAGES = ["odd_97x61.png", "wide_1200x500.jpg", "gray_120x90.png"]
images = [ImageOps.exif_transpose(Image.open(GOLDEN + "/images/" + n)).convert("RGB") for n in IMAGES]
def rnd(m, seed):
    g = torch.Generator().manual_seed(seed)
    for n, p in m.named_parameters():
        if n == "logit_scale": p.data.fill_(2.9); continue
        x = torch.randn(p.shape, generator=g)
        if "norm" in n.lower() and n.endswith("weight"): x = 1 + 0.2 * x
        elif n.endswith("bias"): x = x * 0.1
        elif "embedding" in n and "patch" not in n: x = x * 0.4
        elif p.dim() >= 2: x = x * (1.2 / (p[0].numel() ** 0.5))
        else: x = x * 0.3
        p.data.copy_(x)

def make(name, vision, text, processor, seed, dim, dtype=torch.float32):
    out = OUT + "/" + name
    hf = out + "/hf"
    os.makedirs(hf, exist_ok=True)
    m = VisionTextDualEncoderModel(
        VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=dim)).eval()
    rnd(m, seed)
    m.to(dtype).save_pretrained(hf)
    m.to(torch.float32)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(letters + ";'!") + ["##" + c for c in letters]
    words += "photo of cat red bicycle near the ocean two children it dog ##s ##ing un fine 123".split()
    with open(hf + "/vocab.txt", "w") as file:
        file.write("\n".join(words) + "\n")
    tokenizer = BertTokenizerFast(hf + "/vocab.txt", do_lower_case=True)
    tokenizer.save_pretrained(hf)
    os.remove(hf + "/vocab.txt")
    processor.save_pretrained(hf)
    t = tokenizer(TEXTS, padding=True, return_tensors="pt")
    pixels = processor(images=images, return_tensors="pt").pixel_values
    with torch.no_grad():
        texts = m.get_text_features(**t).pooler_output
        pictures = m.get_image_features(pixel_values=pixels).pooler_output
    json.dump(dict(images=IMAGES, texts=TEXTS, image=rounded(pictures), text=rounded(texts),
                   scale=m.logit_scale.exp().item()), open(out + "/expected.json", "w"))


def rounded(x):
    return [[float("%.7g" % v) for v in row] for row in x.tolist()]


V = dict(hidden_size=40, num_hidden_layers=2, num_attention_heads=5, intermediate_size=72, image_size=28, patch_size=7)
T = dict(vocab_size=120, hidden_size=36, num_hidden_layers=3, num_attention_heads=3, intermediate_size=64,
         max_position_embeddings=40)
make("lit-vit-bert", ViTConfig(**V), BertConfig(**T), ViTImageProcessorPil(size=dict(height=28, width=28)), 11, 24)
make("lit-clip-bert", CLIPVisionConfig(**V, hidden_act="gelu"),
     BertConfig(**dict(T, num_attention_heads=2, hidden_act="gelu_new")),
     CLIPImageProcessorPil(size=dict(shortest_edge=28), crop_size=dict(height=28, width=28)), 12, 20, torch.bfloat16)
