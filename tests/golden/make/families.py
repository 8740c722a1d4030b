"""Tiny models of seven families with one case each of a picture, and cases of video where the family takes it.

    python families.py --reference shared/reference --llama-cpp DIR --out tests/golden [MODEL:SEED ...]

The configurations and tokenizers are those of the reference's tiny models, made smaller still. Frames are resized by
torchvision, as the video processors of transformers do it.
Needs torch, torchvision, num2words, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

PRE = {"qwen3-vl-moe": "qwen2", "qwen2-vl": "qwen2", "qwen2.5-vl": "qwen2", "qwen3-vl": "qwen2", "smolvlm": "smollm", "gemma3": "gpt-2", "janus": "gpt-2"}
IMAGES = {"qwen3-vl-moe": "Qwen2VL", "qwen2-vl": "Qwen2VL", "qwen2.5-vl": "Qwen2VL", "qwen3-vl": "Qwen2VL", "smolvlm": "SmolVLM", "gemma3": "Gemma3", "janus": "Janus"}
OUT = {"smolvlm": "smolvlm2"}  # models/smolvlm is a checkpoint of the reference
LIKE = {"qwen3-vl-moe": "qwen3-vl"}  # whose configuration, tokenizer and prompts these have
CONVERT = """
import runpy, sys
pre, root = sys.argv.pop(1), sys.argv.pop(1)
sys.path[:0] = [root, root + "/gguf-py"]
import conversion.base as base
for name in dir(base):
    o = getattr(base, name)
    if isinstance(o, type) and "get_vocab_base_pre" in o.__dict__:
        o.get_vocab_base_pre = lambda self, tokenizer: pre
sys.argv[0] = root + "/convert_hf_to_gguf.py"
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def shrink(m, config):
    t, v = config.get("text_config", config), config["vision_config"]
    if m == "qwen3-vl-moe":
        config.update(model_type="qwen3_vl_moe", architectures=["Qwen3VLMoeForConditionalGeneration"])
        t.update(model_type="qwen3_vl_moe_text", num_experts=6, num_experts_per_tok=2, moe_intermediate_size=24,
                 decoder_sparse_step=1, mlp_only_layers=[], norm_topk_prob=True)
        v["model_type"] = "qwen3_vl_moe"
    t.update(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1)
    small = dict(hidden_size=16, intermediate_size=24, num_attention_heads=2, num_hidden_layers=2)
    if m == "qwen2-vl":
        v.update(depth=3, embed_dim=16, num_heads=2, hidden_size=32, mlp_ratio=2)
        t["rope_scaling"]["mrope_section"] = [2, 3, 3]
    elif m == "qwen2.5-vl":
        v.update(depth=3, hidden_size=16, intermediate_size=24, num_heads=2, out_hidden_size=32, fullatt_block_indexes=[1])
        t["rope_scaling"]["mrope_section"] = [2, 3, 3]
    elif m.startswith("qwen3-vl"):
        v.update(depth=2, hidden_size=16, intermediate_size=24, num_heads=2, out_hidden_size=32, num_position_embeddings=16,
                 deepstack_visual_indexes=[0])
        t["head_dim"], t["rope_scaling"]["mrope_section"] = 16, [3, 3, 2]
    elif m == "smolvlm":
        v.update(small)
    elif m == "gemma3":
        v.update(small)
        t.update(head_dim=16, query_pre_attn_scalar=16, num_hidden_layers=6)
    elif m == "janus":
        v.update(hidden_size=16, num_attention_heads=2, num_hidden_layers=2, projection_dim=32)
        t["num_key_value_heads"] = 2
        config["vq_config"].update(projection_dim=32, image_token_embed_dim=32)
    return config


def randomize(model, m):
    for name, p in model.named_parameters():
        noise = torch.randn_like(p)
        if name.endswith("bias"):
            value = noise * 0.2
        elif p.ndim == 1 or "norm" in name or "ln_q" in name:
            value = (0 if m == "gemma3" and "vision" not in name else 1) + noise * 0.2
        elif "embed" in name and p.ndim == 2:
            value = noise * 0.3
        else:
            value = noise * 1.5 / math.sqrt(p.shape[-1] if ".experts." in name else p[0].numel())
        p.data.copy_(value.to(torch.bfloat16).float())


def make(args, m, seed, d):
    from transformers import AutoConfig, AutoModelForImageTextToText
    for f in (args.reference / "models" / LIKE.get(m, m) / "hf").iterdir():
        if f.is_file() and f.suffix != ".safetensors" and "index" not in f.name:
            shutil.copy(f, d)
    config = shrink(m, json.loads((d / "config.json").read_text()))
    (d / "config.json").write_text(json.dumps(config))
    if m == "smolvlm":
        p = json.loads((d / "preprocessor_config.json").read_text())
        p["video_sampling"] = dict(fps=1, max_frames=64, video_size=dict(longest_edge=56))
        (d / "preprocessor_config.json").write_text(json.dumps(p))
    torch.manual_seed(seed)
    model = AutoModelForImageTextToText.from_config(AutoConfig.from_pretrained(d), attn_implementation="eager").float().eval()
    randomize(model, m)
    model.save_pretrained(d)
    (d / "config.json").write_text(json.dumps(config))
    if m == "gemma3":  # the names of published checkpoints
        state = load_file(d / "model.safetensors")
        state = {k.replace("vision_tower.", "vision_tower.vision_model."): t for k, t in state.items()}
        save_file(state, d / "model.safetensors", {"format": "pt"})
    if m == "qwen3-vl-moe":  # published with rows and columns of the experts exchanged
        state = load_file(d / "model.safetensors")
        state = {k: t.transpose(1, 2).contiguous() if ".experts." in k else t for k, t in state.items()}
        save_file(state, d / "model.safetensors", {"format": "pt"})
    gguf = args.out / "models" / OUT.get(m, m) / "gguf"
    gguf.mkdir(parents=True, exist_ok=True)
    for name in ("text", "mmproj"):
        subprocess.run([sys.executable, "-c", CONVERT, PRE[m], str(args.llama_cpp), str(d), "--outtype", "f32", "--outfile",
                        str(gguf / (name + ".gguf"))] + (["--mmproj"] if name == "mmproj" else []), check=True)
    return model


def clip_files(args, name):
    d = args.out / "clips" / name
    return [d / f"frame-{n}.png" for n in range(8, 13)] if name == "square-clip" else [d / f"{n}.png" for n in range(8, 11)]


def write_clips(args):
    for name in ("square-clip", "short-clip"):
        for i, file in enumerate(clip_files(args, name)):
            a = np.zeros((56, 56, 3), np.uint8)
            a[..., 0], a[..., 1], a[..., 2] = np.arange(56)[None] * 4, np.arange(56)[:, None] * 3, 40 * i
            a[8 + 4 * i:28 + 4 * i, 6 * i:20 + 6 * i] = (250, 30 * i, 200 - 40 * i)
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(a).save(file, optimize=True)


def inputs(args, m, d, processor, content, sample, pan_and_scan):
    from transformers.video_utils import VideoMetadata
    videos = [c for c in content if c["type"] == "video"]
    if m.startswith("qwen3-vl") and videos:  # its reference's template has no videos
        mark = "<|vision_start|><|%s_pad|><|vision_end|>"
        text = "".join(c["text"] if c["type"] == "text" else mark % c["type"] for c in content)
        text = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    else:
        bare = [{k: v for k, v in c.items() if k == "type" or c["type"] == "text"} for c in content]
        text = processor.apply_chat_template([dict(role="user", content=bare)], add_generation_prompt=True)
    kw = dict(generation_mode="text") if m == "janus" else {}
    pictures = [Image.open(args.reference / "images" / "rgb" / (c["image"].rsplit(".")[0] + ".png"))
                if (args.reference / "images" / "rgb" / (c["image"].rsplit(".")[0] + ".png")).exists()
                else Image.open(args.reference / "images" / "rgb" / (c["image"] + ".png")) for c in content if c["type"] == "image"]
    if pictures:
        kw["images"] = [pictures] if m in ("smolvlm", "gemma3") else pictures
    for video in videos:
        frames = np.stack([np.array(Image.open(f)) for f in clip_files(args, video["video"])])
        n = len(frames)
        metadata = VideoMetadata(total_num_frames=n, fps=video["fps"], duration=n / video["fps"], frames_indices=list(range(n)))
        kw["videos"], kw["video_metadata"] = ([[frames]], [[metadata]]) if m == "smolvlm" else ([frames], [metadata])
        kw["do_sample_frames"] = sample is not None
        kw.update(sample or {})
    if pan_and_scan:
        kw["do_pan_and_scan"] = True
    add = json.loads((args.reference / "models" / LIKE.get(m, m) / "cases/two/case.json").read_text())["add_special_tokens"]
    if m != "janus":
        kw["add_special_tokens"] = add
    return text, processor(text=[text], return_tensors="pt", **kw)


def case(args, m, model, d, name, content, sample=None, pan_and_scan=False):
    import transformers
    processor = transformers.AutoProcessor.from_pretrained(d)
    config = json.loads((d / "preprocessor_config.json").read_text())
    processor.image_processor = getattr(transformers, IMAGES[m] + "ImageProcessorPil").from_pretrained(d)
    text, o = inputs(args, m, d, processor, content, sample, pan_and_scan)
    ids = o["input_ids"][0].tolist()
    image = json.loads((args.reference / "models" / LIKE.get(m, m) / "cases/two/case.json").read_text())["image_token_id"]
    visual = (image, 493) if m.startswith("qwen") else (image,)
    call = {k: v for k, v in o.items() if k not in ("rows", "cols", "num_crops", "video_metadata")}
    seen = {}
    language = getattr(model.model, "language_model", None) or model.model.text_model
    hook = language.register_forward_pre_hook(lambda module, a, k: seen.update(k), with_kwargs=True)
    model(**call, use_cache=False)
    hook.remove()
    tensors = {"projector.out": seen["inputs_embeds"][0][torch.tensor([i in visual for i in ids])]}
    for i, rows in enumerate(seen.get("deepstack_visual_embeds") or []):
        tensors[f"deepstack.{i}"] = rows
    model.generation_config.eos_token_id = None
    more = dict(generation_mode="text") if m == "janus" else {}
    g = model.generate(**call, max_new_tokens=12, eos_token_id=None, do_sample=False, output_logits=True,
                       return_dict_in_generate=True, **more)
    best = [step[0].topk(2) for step in g.logits]
    pixels = torch.cat([o[k] for k in ("pixel_values", "pixel_values_videos") if k in o]).float().numpy()
    videos = any(c["type"] == "video" for c in content)
    mean, std = np.float32(config["image_mean"]), np.float32(config["image_std"])
    by_channel = pixels.reshape(len(pixels), 3, -1) if pixels.ndim == 2 else pixels
    shape = (3, 1) if pixels.ndim == 2 else (3, 1, 1)
    u8 = np.rint((by_channel * std.reshape(shape) + mean.reshape(shape)) * 255).clip(0, 255).astype(np.uint8)
    if videos and any(c["type"] == "image" for c in content):  # which are not normalized in one way
        tensors["pixel_values"] = torch.from_numpy(pixels.copy())
    else:
        tensors["pixel_values.u8"] = torch.from_numpy(u8.reshape(pixels.shape).copy())
    directory = args.out / "models" / OUT.get(m, m) / "cases" / name
    directory.mkdir(parents=True, exist_ok=True)
    save_file({k: t.contiguous() for k, t in tensors.items()}, directory / "expected.safetensors")
    (directory / "case.json").write_text(json.dumps(dict(
        model=m, case=name, messages=[dict(role="user", content=content)], prompt=text,
        input_ids=[image if i in visual else i for i in ids], image_token_id=image,
        n_image_tokens=len(tensors["projector.out"]), greedy=[int(b.indices[0]) for b in best],
        greedy_margin=[round(float(b.values[0] - b.values[1]), 5) for b in best],
        image_processor_class=IMAGES[m] + "ImageProcessorPil",
        pixel_values_u8=dict(mean=mean.tolist(), std=std.tolist(), **(
            dict(formula="(u8 - mean * 255) / (std * 255)") if videos else {})), **(dict(pan_and_scan=True) if pan_and_scan else {}))))


def main():
    parser = argparse.ArgumentParser()
    for name in ("reference", "llama-cpp", "out"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("models", nargs="*",
                        default=["qwen2-vl:1", "qwen2.5-vl:3", "qwen3-vl:1", "smolvlm:2", "qwen3-vl-moe:5", "gemma3:1", "janus:1"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    write_clips(args)
    for model_and_seed in args.models:
        m, _, seed = model_and_seed.partition(":")
        with tempfile.TemporaryDirectory() as d:
            d = pathlib.Path(d)
            model = make(args, m, int(seed), d)
            picture = dict(type="image", image="exact_168x112.png" if m == "qwen2.5-vl" else "odd_97x61.png")
            question = dict(type="text", text="What happens?")
            case(args, m, model, d, "one", [picture, dict(type="text", text="What is this?")])

            def clip(fps):
                return dict(type="video", video="square-clip" if m.startswith("qwen3-vl") or m == "smolvlm" else "short-clip", fps=fps)

            if m.startswith("qwen") and m != "qwen3-vl-moe":
                mixed = [dict(type="image", image="exact_56x56.png"), dict(type="text", text="First."), clip(3.0), question]
                case(args, m, model, d, "mixed", mixed, dict(fps=2) if m == "qwen3-vl" else None)
                if m == "qwen3-vl":
                    case(args, m, model, d, "sampled", [clip(4.0), question], dict(fps=2))
                else:
                    case(args, m, model, d, "fast", [clip(5.0), question])
            if m == "gemma3":
                long = [dict(type="image", image="wide_1200x500.jpg"), dict(type="text", text="First."), picture,
                        dict(type="text", text="Between."), dict(type="image", image="photo_640x427.jpg"), question]
                case(args, m, model, d, "pan-and-scan", long, pan_and_scan=True)
            if m == "smolvlm":
                sample = dict(num_frames=64, fps=1)
                case(args, m, model, d, "video", [clip(2.0), question], sample)
                case(args, m, model, d, "slow", [dict(type="text", text="Look:"), clip(0.5), question], sample)


main()
