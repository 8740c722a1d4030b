"""A tiny Llama 3.2 Vision (Mllama) checkpoint that differs from the published ones in its sizes, and what transformers makes
of it.

    python mllama.py --reference shared/reference --out tests/golden

The tokenizer is that of the reference's tiny model. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file

VISION = dict(model_type="mllama_vision_model", hidden_size=24, attention_heads=3, intermediate_size=40, num_hidden_layers=3,
              num_global_layers=1, image_size=40, patch_size=8, max_num_tiles=3, intermediate_layers_indices=[0, 2],
              supported_aspect_ratios=[[1, 1], [1, 2], [1, 3], [2, 1], [3, 1]], vision_output_dim=72, norm_eps=1e-5,
              hidden_act="gelu", num_channels=3)
TEXT = dict(model_type="mllama_text_model", vocab_size=488, hidden_size=32, intermediate_size=56, num_hidden_layers=4,
            num_attention_heads=4, num_key_value_heads=2, cross_attention_layers=[1, 2], rms_norm_eps=1e-6, rope_theta=10000.0,
            max_position_embeddings=512, tie_word_embeddings=False, bos_token_id=480, eos_token_id=[481, 485, 486],
            pad_token_id=482, hidden_act="silu")
CASES = [[[("tall_300x900.png", "What is this?")]],
         [[("odd_97x61.png", "And this?")], "A square.", [("wide_1200x500.jpg", ""), ("exact_32x32.png", "Compare them all.")]],
         [[(None, "Look at"), ("shapes_64x64.png", "and tell.")]],
         [[(None, "No image here.")]]]


def build(args):
    import transformers as t
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil
    out = args.out / "models/mllama-odd/hf"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.mkdir(parents=True)
    source = args.reference / "models/mllama/hf"
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        shutil.copyfile(source / name, out / name)
    config = t.MllamaConfig(vision_config=dict(VISION), text_config=dict(TEXT), image_token_index=488)
    config._attn_implementation = "eager"
    model = t.MllamaForConditionalGeneration(config).float().eval()
    generator = torch.Generator().manual_seed(7)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        if "gate" in name and p.numel() == 1:
            value = 0.7 + 0.3 * noise
        elif p.ndim == 1 and name.endswith("weight"):
            value = 1 + 0.2 * noise
        elif p.ndim == 1 or "position" in name or "tile" in name:
            value = 0.3 * noise
        else:
            value = (2.6 if "attn" in name else 0.4 if "projector" in name else 1.5) * noise / p[0].numel() ** 0.5
        p.data.copy_(value.half().float())
    rename = {"model.language_model.": "language_model.model.", "lm_head.": "language_model.lm_head.",
              "model.vision_model.": "vision_model.", "model.multi_modal_projector.": "multi_modal_projector."}
    saved = {}
    for k, v in model.state_dict().items():
        for old, new in rename.items():
            if k.startswith(old):
                k = new + k[len(old):]
                break
        saved[k] = v.half().contiguous().clone()
    save_file(saved, out / "model.safetensors", {"format": "pt"})
    (out / "config.json").write_text(json.dumps(dict(
        architectures=["MllamaForConditionalGeneration"], model_type="mllama", image_token_index=488, text_config=TEXT,
        vision_config=VISION), indent=1))
    settings = json.loads((source / "preprocessor_config.json").read_text())
    settings.update(max_image_tiles=3, size=dict(height=40, width=40))
    (out / "preprocessor_config.json").write_text(json.dumps(settings, indent=1))
    images = MllamaImageProcessorPil.from_pretrained(out)
    tokenizer = t.AutoTokenizer.from_pretrained(out)
    processor = t.MllamaProcessor(images, tokenizer, chat_template=(out / "chat_template.jinja").read_text())
    return model, processor


def case(args, model, processor, number):
    messages, names = [], []
    for turn in CASES[number]:
        if isinstance(turn, str):
            messages.append({"role": "assistant", "content": [{"type": "text", "text": turn}]})
            continue
        parts = []
        for image, text in turn:
            if image:
                parts.append({"type": "image", "image": image})
                names.append(image)
            if text:
                parts.append({"type": "text", "text": text})
        messages.append({"role": "user", "content": parts})
    prompt = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    pictures = [ImageOps.exif_transpose(Image.open(args.out / "images" / n)).convert("RGB") for n in names]
    inputs = processor(images=[pictures] if pictures else None, text=prompt, add_special_tokens=False, return_tensors="pt")
    r = model.generate(**inputs, max_new_tokens=12, do_sample=False, eos_token_id=None, return_dict_in_generate=True,
                       output_logits=True)
    logits = torch.stack(r.logits)[:, 0]
    top = logits.topk(2).values
    tensors = {"logits.first": logits[0]}
    if pictures:
        vision = model.model.vision_model(inputs.pixel_values, inputs.aspect_ratio_ids, inputs.aspect_ratio_mask)[0]
        states = model.model.multi_modal_projector(vision)
        count = inputs.aspect_ratio_mask[0].sum(-1, keepdim=True).float()
        tensors["pixel_values"] = inputs.pixel_values[0].flatten(0, 1)
        tensors["projector.out"] = torch.cat([states[0].flatten(1), count], 1)  # a row for each image, and its tiles
    description = {
        "model": "mllama-odd", "case": f"case{number}", "images": names, "messages": messages, "prompt": prompt,
        "input_ids": inputs.input_ids[0].tolist(), "image_token_id": 488, "n_image_tokens": len(names),
        "greedy": r.sequences[0, inputs.input_ids.shape[1]:].tolist(),
        "greedy_margin": [round(float(a - b), 5) for a, b in top]}
    if not names:  # no case of images
        (args.out / "models/mllama-odd/text.json").write_text(json.dumps(description) + "\n")
        return
    out = args.out / "models/mllama-odd/cases" / f"case{number}"
    out.mkdir(parents=True)
    from safetensors.numpy import save_file as save_numpy
    save_numpy({k: np.ascontiguousarray(v.float().numpy()) for k, v in tensors.items()}, out / "expected.safetensors")
    (out / "case.json").write_text(json.dumps(description) + "\n")
    print(number, description["input_ids"], description["greedy"], min(description["greedy_margin"]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    built, its = build(arguments)
    for i in range(len(CASES)):
        case(arguments, built, its, i)
