"""A LoRA adapter in PEFT's layout for a tiny checkpoint of tests/golden, and what the merged model answers.

    python lora.py --reference shared/reference --out tests/golden

PEFT itself is not needed: W + alpha / sqrt(rank) * B A is written out below, as its documentation has it. Needs torch,
transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import math
import pathlib
import re
import shutil

import torch
from safetensors.torch import save_file

from newer import case

NAME, BASE, FAMILY = "qwen2.5-vl-lora", "qwen2.5-vl-blocks", "qwen2.5-vl"
CONFIG = dict(peft_type="LORA", task_type="CAUSAL_LM", base_model_name_or_path=BASE, r=4, lora_alpha=6, use_rslora=True,
              rank_pattern={"self_attn.q_proj": 2}, alpha_pattern={r"visual\..*\.qkv": 9}, modules_to_save=["ln_q"],
              target_modules=["qkv", "proj", "down_proj", "q_proj", "v_proj", "gate_proj", "0"])
TARGETS = re.compile(r"(attn\.qkv|attn\.proj|patch_embed\.proj|mlp\.down_proj|mlp\.gate_proj|self_attn\.q_proj|self_attn\.v_proj"
                     r"|merger\.mlp\.0)$")


def setting(key, module, usual):
    return next((v for k, v in CONFIG[key].items() if re.match(rf"(.*\.)?({k})$", module)), usual)


def make(args, seed):
    import transformers
    torch.manual_seed(seed)
    source, target = args.out / "models" / BASE / "hf", args.out / "models" / NAME
    shutil.rmtree(target, ignore_errors=True)
    (target / "adapter").mkdir(parents=True)
    model = transformers.Qwen2_5_VLForConditionalGeneration.from_pretrained(
        source, dtype=torch.float32, attn_implementation="eager").eval()
    adapter = {}
    for name, module in model.named_modules():
        prefix = "base_model.model." + name
        if name.endswith("merger.ln_q"):
            module.weight.data = 1 + 0.3 * torch.randn_like(module.weight)
            adapter[prefix + ".weight"] = module.weight.data.clone()
        if not TARGETS.search(name):
            continue
        weight = module.weight.data
        rank = setting("rank_pattern", name, CONFIG["r"])
        scale = setting("alpha_pattern", name, CONFIG["lora_alpha"]) / math.sqrt(rank)
        a = torch.randn(rank, *weight.shape[1:]) * 0.3 / math.sqrt(weight[0].numel())
        b = torch.randn(weight.shape[0], rank) * 0.5
        adapter[prefix + ".lora_A.weight"] = a
        adapter[prefix + ".lora_B.weight"] = b.reshape(*b.shape, *[1] * (weight.ndim - 2))
        weight += scale * (b @ a.flatten(1)).reshape(weight.shape)
    save_file({k: t.contiguous() for k, t in adapter.items()}, target / "adapter" / "adapter_model.safetensors")
    (target / "adapter" / "adapter_config.json").write_text(json.dumps(CONFIG, indent=1) + "\n")
    processor = transformers.AutoProcessor.from_pretrained(source)
    processor.image_processor = transformers.Qwen2VLImageProcessorPil.from_pretrained(source)
    like = json.loads((args.reference / "models" / FAMILY / "cases/two/case.json").read_text())
    return case(args, NAME, 0, model, processor, ["shapes_64x64.png"], like)


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    any(make(args, seed) for seed in range(1, 20))


if __name__ == "__main__":
    main()
