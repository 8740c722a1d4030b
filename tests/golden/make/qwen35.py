"""Tiny checkpoints of Qwen3.5, dense and with experts, as published: converted by the tests.

    python qwen35.py --reference shared/reference --out tests/golden

The tokenizer, template and the rest of the configuration are the reference's. What they have that it has not: more value
heads to a key head than key heads or the other way round, layers of both kinds without an interval, a head that is not
tied. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import math
import pathlib
import shutil

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

LINEAR, FULL = "linear_attention", "full_attention"
MODELS = {
    "qwen3.5": dict(
        seed=11, tied=False,
        text=dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=2, head_dim=16, linear_num_key_heads=2,
                  linear_num_value_heads=6, linear_key_head_dim=16, linear_value_head_dim=16, num_hidden_layers=5,
                  intermediate_size=40, layer_types=[LINEAR, FULL, LINEAR, LINEAR, FULL],
                  rope_parameters=dict(mrope_interleaved=True, mrope_section=[2, 1, 1], partial_rotary_factor=0.5,
                                       rope_theta=50000.0, rope_type="default")),
        vision=dict(hidden_size=16, intermediate_size=24, num_heads=2, depth=3, num_position_embeddings=49)),
    "qwen3.5-moe": dict(
        seed=12, tied=True,
        text=dict(hidden_size=32, num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24, shared_expert_intermediate_size=32,
                  linear_num_value_heads=9, linear_num_key_heads=3, linear_conv_kernel_dim=3, num_hidden_layers=3,
                  full_attention_interval=3),
        vision=dict(hidden_size=16, intermediate_size=24, num_heads=2)),
}


def configure(args, name, m, d):
    source = args.reference / "models/qwen3_5/hf"
    d.mkdir(parents=True, exist_ok=True)
    for f in source.iterdir():
        if f.suffix != ".safetensors":
            shutil.copyfile(f, d / f.name)
    config = json.loads((source / "config.json").read_text())
    text, vision = config["text_config"], config["vision_config"]
    for key in ("layer_types", "full_attention_interval", "mlp_only_layers"):
        text.pop(key)
    text.update(m["text"])
    vision.update(m["vision"], out_hidden_size=text["hidden_size"])
    text["tie_word_embeddings"] = config["tie_word_embeddings"] = m["tied"]
    if "moe" in name:
        text.pop("intermediate_size")
        config.update(model_type="qwen3_5_moe", architectures=["Qwen3_5MoeForConditionalGeneration"])
        text["model_type"], vision["model_type"] = "qwen3_5_moe_text", "qwen3_5_moe"
    (d / "config.json").write_text(json.dumps(config, indent=1))
    return config


def random_value(name, p):
    noise = torch.randn(p.shape)
    if name.endswith("A_log"):
        return noise * 0.7
    if p.ndim == 1:
        whole = "linear_attn.norm" in name or "visual" in name and name.endswith("weight")
        return (1 if whole else 0) + noise * 0.2
    if "embed" in name and "patch" not in name:
        return noise * 0.5
    return noise * 1.5 / math.sqrt(p.shape[-1] if "experts." in name else p[0].numel())


def make(args, name, m):
    d = args.out / "models" / name / "hf"
    config = configure(args, name, m, d)
    torch.manual_seed(m["seed"])
    cls = getattr(transformers, config["architectures"][0])
    model = cls._from_config(transformers.AutoConfig.from_pretrained(d)).float().eval()
    for n, p in sorted(model.named_parameters()):
        p.data.copy_(random_value(n, p))
    state = {k: t.bfloat16().contiguous() for k, t in model.state_dict().items()
             if not (m["tied"] and k == "lm_head.weight")}
    state["mtp.norm.weight"] = torch.zeros(config["text_config"]["hidden_size"], dtype=torch.bfloat16)  # unused, as published
    save_file(state, d / "model.safetensors", {"format": "pt"})
    return cls.from_pretrained(d, attn_implementation="eager", dtype=torch.float32).eval(), config, d


def case(args, name, model, config, d, case_name, images, text):
    processor = transformers.AutoProcessor.from_pretrained(d)
    processor.image_processor = transformers.Qwen2VLImageProcessorPil.from_pretrained(d)
    messages = [{"role": "user", "content": [{"type": "image", "image": i} for i in images] + [{"type": "text", "text": text}]}]
    prompt = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    o = processor(images=[Image.open(args.out / "images" / i) for i in images], text=[prompt], return_tensors="pt")
    ids = o["input_ids"][0].tolist()
    seen = {}
    hook = model.model.language_model.register_forward_pre_hook(lambda _, a, k: seen.update(k), with_kwargs=True)
    model(**o, use_cache=False)
    hook.remove()
    rows = seen["inputs_embeds"][0][torch.tensor([i == config["image_token_id"] for i in ids])]
    g = model.generate(**o, max_new_tokens=12, eos_token_id=None, do_sample=False, output_logits=True, return_dict_in_generate=True)
    best = [step[0].topk(2) for step in g.logits]
    u8 = np.rint((o["pixel_values"].numpy() * 0.5 + 0.5) * 255).astype(np.uint8)
    directory = args.out / "models" / name / "cases" / case_name
    directory.mkdir(parents=True, exist_ok=True)
    save_file({"projector.out": rows.contiguous(), "pixel_values.u8": torch.from_numpy(u8), "logits.first": g.logits[0][0].contiguous()},
              directory / "expected.safetensors")
    (directory / "case.json").write_text(json.dumps(dict(
        model=name, case=case_name, messages=messages, images=images, prompt=prompt, input_ids=ids,
        image_token_id=config["image_token_id"], n_image_tokens=len(rows), greedy=[int(b.indices[0]) for b in best],
        greedy_margin=[round(float(b.values[0] - b.values[1]), 5) for b in best],
        image_processor_class="Qwen2VLImageProcessorPil",
        pixel_values_u8=dict(mean=[0.5] * 3, std=[0.5] * 3)), indent=1) + "\n")
    print(name, case_name, len(rows), [int(b.indices[0]) for b in best], min(float(b.values[0] - b.values[1]) for b in best))


def main():
    parser = argparse.ArgumentParser()
    for name in ("reference", "out"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for name, m in MODELS.items():
        model, config, d = make(args, name, m)
        case(args, name, model, config, d, "one", ["odd_97x61.png"], "What is this?")
        case(args, name, model, config, d, "two", ["exact_96x64.png", "odd_97x61.png"], "Compare these.")


main()
