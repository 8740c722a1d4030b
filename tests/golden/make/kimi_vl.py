"""A tiny Kimi-VL as it is published for remote code (moonshotai/Kimi-VL-A3B-Instruct), with cases.

    python kimi_vl.py --reference shared/reference --out tests/golden

transformers has no class of it. Tower, projector and text model are those of its Kimi K2.5, whose tower has the same layers
for single images, saved under the names of Kimi-VL; the image processor is restated here. --reference gives the tokenizer.
Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import base64
import json
import math
import pathlib
import shutil
import tempfile

import numpy
import torch
import transformers
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file

import newer

NAME = "kimi-vl"
CASES = [["odd_97x61.png"], ["tall_300x900.png", "shapes_64x64.png"]]
LIMIT, PATCH, MERGE = 60, 14, 2
TEMPLATE = (
    "{%- for message in messages -%}{{ '<|im_' + message['role'] + '|>' + message['role'] + '<|im_middle|>' }}"
    "{%- if message['content'] is string -%}{{ message['content'] }}{%- else -%}{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}<|media_start|>image<|media_content|><|media_pad|><|media_end|>"
    "{%- else -%}{{ part['text'] }}{%- endif -%}{%- endfor -%}{%- endif -%}{{ '<|im_end|>' }}{%- endfor -%}"
    "{%- if add_generation_prompt -%}<|im_assistant|>assistant<|im_middle|>{%- endif -%}")
TEXT = dict(
    # so many layers tell libllama that queries have no narrow state
    model_type="deepseek_v3", vocab_size=512, hidden_size=32, intermediate_size=40, moe_intermediate_size=8, num_hidden_layers=27,
    num_attention_heads=2, num_key_value_heads=2, q_lora_rank=None, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8,
    v_head_dim=8, n_routed_experts=4, n_shared_experts=2, num_experts_per_tok=2, n_group=1, topk_group=1, norm_topk_prob=True,
    routed_scaling_factor=2.446, scoring_func="sigmoid", topk_method="noaux_tc", first_k_dense_replace=1, moe_layer_freq=1,
    hidden_act="silu", max_position_embeddings=4096, rms_norm_eps=1e-5, rope_theta=8e5, rope_scaling=None, attention_bias=False,
    tie_word_embeddings=False, bos_token_id=480, eos_token_id=483, pad_token_id=482)
TOWER = dict(patch_size=PATCH, num_attention_heads=2, num_hidden_layers=3, hidden_size=32, intermediate_size=50,
             init_pos_emb_height=7, init_pos_emb_width=7, merge_kernel_size=[MERGE, MERGE])
PROCESSOR = dict(image_processor_type="KimiVLImageProcessor", processor_class="KimiVLProcessor", in_token_limit=LIMIT,
                 patch_size=PATCH, num_pooled_tokens=1024, image_mean=[0.5] * 3, image_std=[0.5] * 3, pad_input=True)
RENAMED = [("language_model.model.blocks.", "language_model.model.layers."), ("model.mm_projector.", "multi_modal_projector."),
           ("mm_projector.", "multi_modal_projector."), ("projector.proj.0.", "projector.linear_1."),
           ("projector.proj.2.", "projector.linear_2."), ("vision_tower.encoder.patch_embed.", "vision_tower.patch_embed.")]


def patches(image):
    """As KimiVLImageProcessor: made smaller where there are too many patches, padded to whole tokens with black."""
    w, h = image.size
    n = (w // PATCH) * (h // PATCH)
    if n > LIMIT:
        scale = math.sqrt(LIMIT / n)
        image = image.resize((int(w * scale), int(h * scale)), Image.Resampling.BICUBIC)
    w, h = image.size
    side = PATCH * MERGE
    padded = Image.new("RGB", (w + (side - w % side) % side, h + (side - h % side) % side))
    padded.paste(image, (0, 0))
    x = torch.from_numpy(numpy.asarray(padded).copy()).permute(2, 0, 1).float() / 255
    x = (x - 0.5) / 0.5
    lines, columns = x.shape[1] // PATCH, x.shape[2] // PATCH
    x = x.reshape(3, lines, PATCH, columns, PATCH).permute(1, 3, 0, 2, 4).reshape(-1, 3, PATCH, PATCH)
    return x.contiguous(), [1, lines, columns]


def k25(seed, directory):
    """The model under the names of Kimi K2.5."""
    vision = dict(
        model_type="kimi_k25_vision", patch_size=PATCH, num_attention_heads=TOWER["num_attention_heads"],
        num_hidden_layers=TOWER["num_hidden_layers"], hidden_size=TOWER["hidden_size"],
        intermediate_size=TOWER["intermediate_size"], pos_emb_height=TOWER["init_pos_emb_height"],
        pos_emb_width=TOWER["init_pos_emb_width"], pos_emb_time=4, merge_kernel_size=[MERGE, MERGE],
        hidden_act="gelu_pytorch_tanh")
    config = transformers.AutoConfig.for_model(
        "kimi_k25", text_config=TEXT, vision_config=vision, image_token_id=491, projection_hidden_size=TOWER["hidden_size"],
        tie_word_embeddings=False)
    torch.manual_seed(seed)
    kind = transformers.Kimi_K25ForConditionalGeneration
    model = kind._from_config(config, attn_implementation="eager").float().eval()
    newer.randomize(model, torch.bfloat16)
    query = {k: v.clone() for k, v in model.state_dict().items() if k.endswith("self_attn.q_proj.weight") and "language" in k}
    model.save_pretrained(directory)  # which takes these for parts of a matrix of the tower
    tensors = {k: v for k, v in load_file(pathlib.Path(directory) / "model.safetensors").items() if "self_wqkv" not in k}
    tensors.update({"language_model.model.blocks." + k.split(".layers.")[1]: v for k, v in query.items()})
    save_file({k: v.bfloat16().contiguous() for k, v in tensors.items()}, pathlib.Path(directory) / "model.safetensors")
    return model


def renamed(name):
    for old, new in RENAMED:
        if name.startswith(old) or (old.startswith("projector.") and old in name):
            name = name.replace(old, new, 1)
    return name


def ranks(tokenizer, path):
    """The vocabulary as it is published: tokens in base 64 and their ranks."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {chr(b): b for b in plain}
    letters.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in plain)})
    vocab = json.loads(tokenizer.read_text())["model"]["vocab"]
    lines = [f"{base64.b64encode(bytes(letters[c] for c in token)).decode()} {rank}" for token, rank in vocab.items()]
    path.write_text("\n".join(sorted(lines, key=lambda line: int(line.split()[1]))) + "\n")


def folder(args, saved):
    source, d = args.reference / "models/kimi_k25/hf", args.out / "models" / NAME / "hf"
    shutil.rmtree(d.parent, ignore_errors=True)
    d.mkdir(parents=True)
    for f in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        if (source / f).exists():
            (saved / f).write_text((source / f).read_text().replace("<|media_begin|>", "<|media_start|>"))
    (d / "tokenizer_config.json").write_bytes((saved / "tokenizer_config.json").read_bytes())
    ranks(saved / "tokenizer.json", d / "tiktoken.model")
    (d / "chat_template.jinja").write_text(TEMPLATE)
    config = dict(architectures=["KimiVLForConditionalGeneration"], model_type="kimi_vl", media_placeholder_token_id=491,
                  ignore_index=-100, text_config=TEXT, vision_config=dict(model_type="moonvit", **TOWER), torch_dtype="bfloat16",
                  bos_token_id=480, eos_token_id=483, pad_token_id=482)
    (d / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (d / "preprocessor_config.json").write_text(json.dumps(PROCESSOR, indent=1) + "\n")
    tensors = {renamed(k): v.contiguous() for k, v in load_file(saved / "model.safetensors").items()}
    save_file(tensors, d / "model.safetensors", metadata=dict(format="pt"))
    (saved / "chat_template.jinja").write_text(TEMPLATE)
    return transformers.AutoTokenizer.from_pretrained(saved)


def case(args, number, images, model, tokenizer):
    pictures = [ImageOps.exif_transpose(Image.open(args.out / "images" / i)).convert("RGB") for i in images]
    content = [dict(type="image", image=i) for i in images] + [dict(type="text", text="What is this?")]
    text = tokenizer.apply_chat_template([dict(role="user", content=content)], tokenize=False, add_generation_prompt=True)
    made = [patches(p) for p in pictures]
    parts, ids = text.split("<|media_pad|>"), []
    for i, part in enumerate(parts):
        ids += tokenizer(part, add_special_tokens=False)["input_ids"]
        if i < len(made):
            grid = made[i][1]
            ids += [491] * (grid[1] // MERGE * (grid[2] // MERGE))
    pixels = torch.cat([x for x, _ in made])
    call = dict(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long), pixel_values=pixels,
                image_grid_thw=torch.tensor([g for _, g in made]))
    seen = {}
    hook = model.model.language_model.register_forward_pre_hook(lambda m, a, kw: seen.update(kw), with_kwargs=True)
    model(**call, use_cache=False)
    hook.remove()
    model.generation_config.eos_token_id = None
    steps = model.generate(**call, max_new_tokens=12, eos_token_id=None, do_sample=False, output_logits=True,
                           return_dict_in_generate=True).logits
    best = [step[0].topk(2) for step in steps]
    margins = [round(float(b.values[0] - b.values[1]), 5) for b in best]
    found = [int(b.indices[0]) for b in best]
    print(NAME, number, "rows", ids.count(491), found, min(margins))
    if min(margins) < 2e-3 or len(set(found)) < 6:
        return False
    tensors = {"projector.out": seen["inputs_embeds"][0][torch.tensor([i == 491 for i in ids])],
               "image_grid_thw": call["image_grid_thw"]}
    described = dict(
        model=NAME, case=str(number), messages=[dict(role="user", content=content)], prompt=text, input_ids=ids,
        image_token_id=491, n_image_tokens=ids.count(491), greedy=found, greedy_margin=margins,
        image_processor_class="KimiVLImageProcessor, restated")
    u8 = ((pixels * 0.5 + 0.5) * 255).round().clamp(0, 255)
    assert torch.equal((u8 / 255 - 0.5) / 0.5, pixels)
    tensors["pixel_values.u8"] = u8.to(torch.uint8)
    described["pixel_values_u8"] = dict(image_mean=[0.5] * 3, image_std=[0.5] * 3)
    directory = args.out / "models" / NAME / "cases" / f"case{number}"
    directory.mkdir(parents=True)
    save_file({k: t.contiguous().clone() for k, t in tensors.items()}, directory / "expected.safetensors")
    (directory / "case.json").write_text(json.dumps(described) + "\n")
    return True


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for seed in range(1, 20):
        with tempfile.TemporaryDirectory() as saved:
            model = k25(seed, saved)
            tokenizer = folder(args, pathlib.Path(saved))
        if all([case(args, i, images, model, tokenizer) for i, images in enumerate(CASES)]):
            return


if __name__ == "__main__":
    main()
