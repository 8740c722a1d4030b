"""Tiny checkpoints whose configurations differ from the published ones of their family, with a case each.

    python unusual.py --reference shared/reference --out tests/golden [MODEL ...]

Configurations, processors and tokenizers are those of the reference's tiny models with the changes below; every parameter
is random. What is compared is the conversion as well: ConversionTest makes GGUF files of `hf` and lets them answer.
Needs torch, torchvision, num2words, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import math
import pathlib
import re
import shutil

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

DELETE = object()
TOWER = dict(hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=3)
TEXT = dict(hidden_size=32, intermediate_size=48, num_attention_heads=2, num_key_value_heads=1)
SIGLIP = dict(model_type="siglip_vision_model", hidden_act="gelu", image_size=28, patch_size=7, vision_use_head=False, **TOWER)
MISTRAL3 = dict(architectures=["Mistral3ForConditionalGeneration"], model_type="mistral3", spatial_merge_size=2,
                multimodal_projector_bias=False, image_seq_length=DELETE, vision_feature_select_strategy=DELETE)

# name: base, image processor, images, changes of config.json, preprocessor_config.json and processor_config.json
MODELS = {
    # a tower without a class row, two of its layers joined, the exact GELU, pictures stretched by another filter
    "llava-siglip": ("llava-1.5", "Siglip", ["odd_97x61.png", "shapes_64x64.png"], dict(
        vision_feature_layer=[-3, -1], vision_feature_select_strategy="full", tie_word_embeddings=True, vision_config=SIGLIP,
        text_config=dict(TEXT, model_type="qwen2", architectures=["Qwen2ForCausalLM"], tie_word_embeddings=True)),
        dict(image_processor_type="SiglipImageProcessor", size=dict(height=28, width=28, shortest_edge=DELETE),
             do_center_crop=DELETE, crop_size=DELETE, resample=2),
        dict(num_additional_image_tokens=0, vision_feature_select_strategy="full", patch_size=7)),
    # the class row is kept, more than the square is made of a picture, and YaRN has other ends and another magnitude
    "llava-crop": ("llava-1.5", "CLIP", ["odd_97x61.png"], dict(
        vision_feature_select_strategy="full", text_config=dict(TEXT, rope_scaling=dict(
            rope_type="yarn", factor=8.0, original_max_position_embeddings=16, attention_factor=0.7, beta_fast=3.0, beta_slow=0.5)),
        vision_config=dict(TOWER, image_size=28, patch_size=7)),
        dict(size=dict(shortest_edge=36), crop_size=dict(height=28, width=28)),
        dict(vision_feature_select_strategy="full", patch_size=7)),
    # a norm behind the last block, GELU's tanh form
    "internvl-norm": ("internvl", "GotOcr2", ["exact_56x56.png"], dict(text_config=TEXT, vision_config=dict(
        TOWER, use_mean_pooling=False, hidden_act="gelu_pytorch_tanh")), {}, {}),
    # root mean square norms without norms of queries, and the reverse: InternViT-6B has both, the small one neither
    "internvl-rms": ("internvl", "GotOcr2", ["exact_56x56.png"], dict(image_seq_length=1, text_config=TEXT, vision_config=dict(
        TOWER, image_size=[28, 28], norm_type="rms_norm")), dict(size=dict(height=28, width=28)), dict(image_seq_length=1)),
    "internvl-normed": ("internvl", "GotOcr2", ["exact_56x56.png"], dict(image_seq_length=1, text_config=TEXT, vision_config=dict(
        TOWER, image_size=[28, 28], use_qk_norm=True)), dict(size=dict(height=28, width=28)), dict(image_seq_length=1)),
    # a checkpoint whose processor chooses frames of videos (videos.py)
    "internvl-frames": ("internvl", "GotOcr2", ["exact_56x56.png"], dict(
        image_seq_length=1, text_config=TEXT, vision_config=dict(TOWER, image_size=[28, 28])),
        dict(size=dict(height=28, width=28), image_mean=[0.5] * 3, image_std=[0.5] * 3), dict(image_seq_length=1)),
    "llava-onevision-video": ("llava-onevision", "LlavaOnevision", ["odd_97x61.png"], dict(
        image_grid_pinpoints=[[28, 28], [28, 56], [56, 28], [56, 56]], text_config=TEXT, vision_config=SIGLIP), dict(
            size=dict(height=28, width=28), image_grid_pinpoints=[[28, 28], [28, 56], [56, 28], [56, 56]]), {}),
    # windows of one token and more, and blocks without windows that are not every n-th
    "qwen2.5-vl-blocks": ("qwen2.5-vl", "Qwen2VL", ["exact_140x84.png"], dict(
        TEXT, rope_scaling=dict(mrope_section=[2, 3, 3]), vision_config=dict(
            depth=4, hidden_size=16, intermediate_size=24, num_heads=2, out_hidden_size=32, window_size=56,
            fullatt_block_indexes=[0, 2])), {}, {}),
    # pictures are not cut into tiles
    "idefics3-whole": ("idefics3", "Idefics3", ["odd_97x61.png"], dict(text_config=TEXT, vision_config=TOWER),
                       dict(do_image_splitting=False, resample=3), {}),
    # every second layer sees everything, and products are divided by another number than the root of the head's size
    "gemma3-windows": ("gemma3", "Gemma3", ["odd_97x61.png"], dict(vision_config=TOWER, text_config=dict(
        TEXT, head_dim=16, num_hidden_layers=4, query_pre_attn_scalar=40, sliding_window=8, sliding_window_pattern=DELETE,
        layer_types=["sliding_attention", "full_attention"] * 2)), dict(resample=3), {}),
    # another base of the positions, the layer before the last, another epsilon in the merger's norm
    "mistral3-merger": ("pixtral", "Pixtral", ["odd_97x61.png"], dict(
        MISTRAL3, vision_feature_layer=-2, text_config=dict(TEXT, head_dim=16, rms_norm_eps=1e-3),
        vision_config=dict(TOWER, head_dim=8, image_size=56, patch_size=7, rope_theta=500.0)),
        dict(size=dict(longest_edge=56), patch_size=7), dict(patch_size=7, spatial_merge_size=2)),
    # GLM-OCR: norms on queries and keys, biases, no table of positions; all of a head is turned, and tokens are squares of nine
    "glm-ocr": ("glm4v", "Glm46V", ["odd_97x61.png", "shapes_64x64.png"], dict(
        architectures=["GlmOcrForConditionalGeneration"], model_type="glm_ocr", text_config=dict(
            TEXT, model_type="glm_ocr_text", head_dim=16, attention_bias=False, partial_rotary_factor=1.0, rope_parameters=dict(
                mrope_section=[2, 3, 3], partial_rotary_factor=1.0)),
        vision_config=dict(model_type="glm_ocr_vision", depth=3, hidden_size=16, intermediate_size=24, num_heads=2,
                           out_hidden_size=32, attention_bias=True, patch_size=7, image_size=28, spatial_merge_size=3)),
        dict(patch_size=7, merge_size=3, image_processor_type="Glm46VImageProcessor", size=dict(
            shortest_edge=3528, longest_edge=14112)), {}),
    # images smaller than a token, a table of positions that is not the grid, GELU's tanh form, the class's limits from size
    "glm46v": ("glm46v", "Glm46V", ["odd_97x61.png"], dict(
        text_config=dict(TEXT, head_dim=16, rope_parameters=dict(mrope_section=[1, 1, 2])), vision_config=dict(
            depth=1, hidden_size=16, intermediate_size=40, num_heads=2, out_hidden_size=32, image_size=42, rms_norm_eps=1e-4)),
        dict(size=dict(shortest_edge=4704, longest_edge=12544)), {}),
    # other sections, two heads of keys, a head of its own, an activation that is not the usual one
    "paddleocr-vl": ("paddleocr_vl", "PaddleOCRVL", ["odd_97x61.png", "shapes_64x64.png"], dict(
        TEXT, num_attention_heads=4, num_key_value_heads=2, head_dim=12, rope_theta=1000.0, rope_scaling=dict(
            mrope_section=[1, 2, 3]), vision_config=dict(TOWER, image_size=56, hidden_act="gelu", layer_norm_eps=1e-4)),
        dict(min_pixels=2352, max_pixels=9408, image_mean=[0.4, 0.5, 0.6]), {}),
    # unequal sections, no alpha, a head of its own
    "hunyuan-vl": ("hunyuan_vl", "HunYuanVL", ["odd_97x61.png", "shapes_64x64.png"], dict(
        tie_word_embeddings=False, text_config=dict(TEXT, head_dim=16, num_attention_heads=4, tie_word_embeddings=False,
            rope_theta=500.0, rope_scaling=dict(xdrope_section=[1, 3, 2, 2], alpha=3.0)),
        vision_config=dict(TOWER, patch_size=8, max_image_size=40, out_hidden_size=32, text_hidden_size=32, spatial_merge_size=2,
                           hidden_act="gelu_pytorch_tanh", rms_norm_eps=1e-4)),
        dict(patch_size=8, min_pixels=1024, max_pixels=3840, resample=1), {}),
}


def merge(into, changes):
    for k, v in changes.items():
        if v is DELETE:
            into.pop(k, None)
        elif isinstance(v, dict) and isinstance(into.get(k), dict):
            merge(into[k], v)
        else:
            into[k] = {a: b for a, b in v.items() if b is not DELETE} if isinstance(v, dict) else v


def randomize(model, gemma):
    for name, p in model.named_parameters():
        noise = torch.randn_like(p)
        if name.endswith("bias"):
            value = noise * 0.2
        elif "lambda" in name:
            value = 0.6 + noise * 0.2
        elif p.ndim == 1 or "norm" in name or "ln_q" in name:
            value = (0 if gemma and ("language_model" in name or "mm_soft" in name) else 1) + noise * 0.2
        elif ("embed" in name or "cls" in name or "position" in name) and "patch" not in name:
            value = noise * (0.06 if gemma and "embed_tokens" in name else 0.3)
        else:
            value = noise * (3 if "language_model" in name else 1.5) / math.sqrt(p[0].numel())
        p.data.copy_(value.to(torch.bfloat16).float())


def make(args, name, seed):
    import transformers
    base, processor_class, images, *changes = MODELS[name]
    source, d = args.reference / "models" / base, args.out / "models" / name / "hf"
    shutil.rmtree(d.parent, ignore_errors=True)
    d.mkdir(parents=True)
    for f in (source / "hf").iterdir():
        if f.suffix != ".safetensors" and f.name not in ("vocab.json", "merges.txt", "model.safetensors.index.json"):
            (d / f.name).write_bytes(f.read_bytes())
    for file, change in zip(("config", "preprocessor_config", "processor_config"), changes):
        path = d / (file + ".json")
        if path.exists():
            content = json.loads(path.read_text())
            merge(content, change)
            path.write_text(json.dumps(content, indent=1) + "\n")
    config = (d / "config.json").read_text()
    model_class = getattr(transformers, json.loads(config)["architectures"][0])
    torch.manual_seed(seed)
    model = model_class._from_config(transformers.AutoConfig.from_pretrained(d), attn_implementation="eager").float().eval()
    randomize(model, base == "gemma3")
    model.to(torch.bfloat16).save_pretrained(d)
    (d / "config.json").write_text(config)
    (d / "generation_config.json").unlink(missing_ok=True)
    state = {re.sub(r"^vision_tower\.(?!vision_model)(?=embeddings|encoder|post|pre)", "vision_tower.vision_model.", k)
             if base in ("llava-1.5", "gemma3") else k: t for k, t in load_file(d / "model.safetensors").items()}
    save_file(state, d / "model.safetensors", {"format": "pt"})
    model = model_class.from_pretrained(d, dtype=torch.float32, attn_implementation="eager").eval()
    processor = transformers.AutoProcessor.from_pretrained(d)
    processor.image_processor = getattr(transformers, processor_class + "ImageProcessorPil").from_pretrained(d)
    return case(args, name, model, processor, processor_class, images, json.loads((source / "cases/two/case.json").read_text()))


def case(args, name, model, processor, processor_class, images, like):
    content = [dict(type="image", image=i) for i in images] + [dict(type="text", text="What is this?")]
    bare = [dict(role="user", content=[{k: v for k, v in c.items() if k == "type" or c["type"] == "text"} for c in content])]
    text = processor.apply_chat_template(bare, add_generation_prompt=True)
    pictures = [Image.open(args.reference / "images" / "rgb" / i) for i in images]
    nested = processor_class in ("Idefics3", "Gemma3")
    inputs = processor(text=[text], images=[pictures] if nested else pictures, return_tensors="pt",
                       add_special_tokens=like["add_special_tokens"])
    ids, image = inputs["input_ids"][0].tolist(), like["image_token_id"]
    call = {k: v for k, v in inputs.items() if k not in ("rows", "cols", "num_crops")}
    seen = {}
    language = getattr(model.model, "language_model", None) or model.model.text_model
    hook = language.register_forward_pre_hook(lambda module, a, k: seen.update(k), with_kwargs=True)
    model(**call, use_cache=False)
    hook.remove()
    model.generation_config.eos_token_id = None
    steps = model.generate(**call, max_new_tokens=12, eos_token_id=None, do_sample=False, output_logits=True,
                           return_dict_in_generate=True).logits
    best = [step[0].topk(2) for step in steps]
    margins = [round(float(b.values[0] - b.values[1]), 5) for b in best]
    if min(margins) < 2e-3:  # which another summation might turn round
        return False
    tensors = {"projector.out": seen["inputs_embeds"][0][torch.tensor([i == image for i in ids])]}
    described = dict(
        model=name, case="one", messages=[dict(role="user", content=content)], prompt=text, input_ids=ids, image_token_id=image,
        n_image_tokens=len(tensors["projector.out"]), greedy=[int(b.indices[0]) for b in best], greedy_margin=margins,
        image_processor_class=processor_class + "ImageProcessorPil")
    pixels = inputs["pixel_values"].float().numpy()
    if "image_sizes" in inputs:  # pictures of one size
        tensors.update(pixel_values=inputs["pixel_values"].float(), image_sizes=torch.as_tensor(inputs["image_sizes"]))
    else:
        settings = processor.image_processor
        shape = (3, 1) if pixels.ndim == 2 else (3, 1, 1)
        mean, std = (np.float32(v).reshape(shape) for v in (settings.image_mean, settings.image_std))
        by_channel = pixels.reshape(len(pixels), 3, -1) if pixels.ndim == 2 else pixels
        u8 = np.rint((by_channel * std + mean) * 255).clip(0, 255).astype(np.uint8)
        assert np.array_equal((u8.astype(np.float32) / np.float32(255) - mean) / std, by_channel)
        tensors["pixel_values.u8"] = torch.from_numpy(u8.reshape(pixels.shape).copy())
        described["pixel_values_u8"] = dict(mean=list(settings.image_mean), std=list(settings.image_std))
    directory = args.out / "models" / name / "cases" / "one"
    directory.mkdir(parents=True)
    save_file({k: t.contiguous().clone() for k, t in tensors.items()}, directory / "expected.safetensors")
    (directory / "case.json").write_text(json.dumps(described) + "\n")
    print(name, tuple(pixels.shape), "rows", tuple(tensors["projector.out"].shape), described["greedy"], min(margins))
    return True


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    parser.add_argument("models", nargs="*", default=list(MODELS))
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for name in args.models:
        any(make(args, name, seed) for seed in range(1, 20))


main()
