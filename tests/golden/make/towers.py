"""Checkpoints whose image encoders have the published sizes and random weights, beside a tiny text model, for benchmarks.

    python towers.py --reference shared/reference --out DIR [FAMILY ...]
    ocellus convert DIR/FAMILY -o DIR/FAMILY.gguf --outtype f32 --mmproj-outtype f16     makes FAMILY.gguf and mmproj-FAMILY.gguf
    scripts/bench.sh bench.ImageBench --mmproj DIR/mmproj-FAMILY.gguf -t 2 -r 5
    scripts/bench.sh bench.SideBySide --mmproj DIR/mmproj-FAMILY.gguf -m DIR/FAMILY.gguf --image F --peer llama-mtmd-cli -t 2

Configurations are those of the reference's tiny models with the encoders of the published ones; a checkpoint takes up to
2.4 GB. Needs torch and transformers 5.18.
"""

import argparse
import json
import pathlib
import shutil

import torch

from newer import merge

SO400M = dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16)

# family: changes of config.json, and of preprocessor_config.json or processor_config.json
FAMILIES = {
    "qwen3_5": (dict(vision_config=dict(
        depth=24, hidden_size=1024, intermediate_size=4096, num_heads=16, num_position_embeddings=2304)),
        dict(size=dict(shortest_edge=65536, longest_edge=16777216))),
    "gemma4": (dict(vision_config=dict(
        hidden_size=768, intermediate_size=3072, num_hidden_layers=16, num_attention_heads=12, num_key_value_heads=12, head_dim=64,
        patch_size=16, position_embedding_size=10240)), dict(image_processor=dict(patch_size=16, max_soft_tokens=280))),
    "glm4v": (dict(vision_config=dict(
        depth=24, hidden_size=1536, intermediate_size=13696, num_heads=12, image_size=336)),
        dict(size=dict(shortest_edge=12544, longest_edge=9633792))),
    "lfm2_vl": (dict(encoder_patch_size=16, tile_size=512, max_image_tokens=256, min_image_tokens=64, max_tiles=10,
                     max_num_patches=1024, projector_hidden_size=2560, vision_config=dict(SO400M, num_patches=256)),
                dict(tile_size=512, max_image_tokens=256, min_image_tokens=64, max_tiles=10, max_num_patches=1024)),
    "minicpmv4_6": (dict(image_size=448, insert_layer_id=6, vision_config=dict(
        SO400M, image_size=980, patch_size=14, insert_layer_id=6)), dict(patch_size=14, scale_resolution=448, max_slice_nums=9)),
    "kimi_k25": (dict(projection_hidden_size=1152, vision_config=dict(
        SO400M, vt_hidden_size=1152, vt_intermediate_size=4304, vt_num_hidden_layers=27, vt_num_attention_heads=16, mm_hidden_size=1152,
        init_pos_emb_height=64, init_pos_emb_width=64, pos_emb_height=64, pos_emb_width=64)),
        dict(max_patches=16384, media_proc_cfg=dict(in_patch_limit=16384))),
    "llama4": (dict(vision_config=dict(
        hidden_size=1408, intermediate_size=5632, num_hidden_layers=34, num_attention_heads=16, image_size=336, patch_size=14,
        projector_input_dim=4096, projector_output_dim=4096, vision_output_dim=4096)),
        dict(max_patches=16, size=dict(height=336, width=336), patch_size=14)),
    "paddleocr_vl": (dict(vision_config=dict(SO400M, image_size=384)), dict(min_pixels=147384, max_pixels=2822400)),
    "hunyuan_vl": (dict(vision_config=dict(SO400M, max_image_size=2048, min_image_size=512)),
                   dict(min_pixels=262144, max_pixels=4194304)),
    "deepseek_ocr2": (dict(vision_config=dict(
        sam_config=dict(hidden_size=768, output_channels=256, num_hidden_layers=12, num_attention_heads=12, image_size=1024,
                        patch_size=16, mlp_dim=3072, mlp_ratio=4.0, global_attn_indexes=[2, 5, 8, 11], downsample_channels=[512, 896]),
        encoder_config=dict(hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
                            num_key_value_heads=2))),
        dict(size=dict(height=1024, width=1024), tile_size=768, max_patches=6)),
    "granite4_vision": (dict(image_grid_pinpoints=[[384, 768], [768, 384], [768, 768]],
                             qformer_config=dict(hidden_size=1152, encoder_hidden_size=1152, num_attention_heads=18,
                                                 intermediate_size=3072),
                             vision_config=dict(SO400M, image_size=384, patch_size=16)),
                        dict(image_grid_pinpoints=[[384, 768], [768, 384], [768, 768]], size=dict(height=384, width=384),
                             crop_size=dict(height=384, width=384))),
}
# text models whose recurrent states have the published sizes, and nothing else has: for bench.CheckpointBench
STATES = {
    "qwen3.5-4b": dict(num_hidden_layers=32, linear_num_value_heads=32, linear_num_key_heads=16),
    "qwen3.6-27b": dict(num_hidden_layers=64, linear_num_value_heads=48, linear_num_key_heads=16),
    "qwen3.6-35b-a3b": dict(num_hidden_layers=40, linear_num_value_heads=32, linear_num_key_heads=16),
}
for n, sizes in STATES.items():
    layers = sizes["num_hidden_layers"]
    FAMILIES[n] = (dict(text_config=dict(
        sizes, linear_key_head_dim=128, linear_value_head_dim=128, linear_conv_kernel_dim=4,
        layer_types=["full_attention" if i % 4 == 3 else "linear_attention" for i in range(layers)])), {})
CLASSES = {"kimi_k25": "Kimi_K25ForConditionalGeneration"}


def make(args, family):
    import transformers
    config_change, processor_change = FAMILIES[family]
    d = args.out / family
    shutil.rmtree(d, ignore_errors=True)
    d.mkdir(parents=True)
    base = "qwen3_5" if family in STATES else family
    for f in (args.reference / "models" / base / "hf").iterdir():
        if f.suffix != ".safetensors" and f.name != "model.safetensors.index.json":
            (d / f.name).write_bytes(f.read_bytes())
    for name, change in (("config", config_change), ("preprocessor_config", processor_change),
                         ("processor_config", processor_change)):
        path = d / (name + ".json")
        if path.exists():
            content = json.loads(path.read_text())
            keys = change if name == "config" else {k: v for k, v in change.items() if k in content}
            merge(content, keys)
            path.write_text(json.dumps(content, indent=1) + "\n")
    config = (d / "config.json").read_text()
    name = json.loads(config)["architectures"][0]
    model_class = getattr(transformers, name, None) or getattr(transformers, CLASSES[base])
    torch.manual_seed(1)
    with torch.device("cpu"):
        model = model_class._from_config(transformers.AutoConfig.from_pretrained(d), dtype=torch.bfloat16)
    model.save_pretrained(d)
    (d / "config.json").write_text(config)
    (d / "generation_config.json").unlink(missing_ok=True)
    print(family, round(sum(p.numel() for p in model.parameters()) / 1e6), "M parameters")


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    parser.add_argument("families", nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for family in args.families or list(FAMILIES):
        make(args, family)


if __name__ == "__main__":
    main()
