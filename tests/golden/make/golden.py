"""Writes a tiny model and its cases as tests/golden has them. Used by the scripts beside it, which are run by hand:

    python SCRIPT.py --tokenizers DIR --llama-cpp DIR --out tests/golden/models

--tokenizers: checkpoints with a small tokenizer (shared/reference/models has them); --llama-cpp: its source at v0.4.0,
whose converter writes the text model. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib
import runpy
import shutil
import sys
import tempfile

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.numpy import save_file

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
                   "chat_template.json", "tokenizer.model", "added_tokens.json")


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("tokenizers", "llama-cpp", "out"):
        parser.add_argument("--" + name, type=pathlib.Path, required=True)
    parser.add_argument("--checkpoint", type=pathlib.Path, help="only write GGUF files of this one")
    args = parser.parse_args()
    args.images = args.out.parent / "images"
    sys.path.insert(1, str(args.llama_cpp / "gguf-py"))
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    return args


def randomize(model, seed, centred_at_zero=()):
    """Every tensor random, so that a missing, swapped or transposed one shows; rounded to float16, as it is stored."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        if p.ndim == 1 and name.endswith("weight") or "lambda" in name:  # norms and layer scales
            value = (0 if name in centred_at_zero else 1) + 0.2 * noise
        elif p.ndim == 1:
            value = 0.2 * noise
        else:
            fan_in = p[0].numel() if p.ndim > 1 else 1
            table = "embed" in name or "position" in name or "cls_token" in name
            value = noise * (0.5 if table else 1 / fan_in ** 0.5)
        p.data.copy_(value.half().float())


def load_image(path):
    return ImageOps.exif_transpose(Image.open(path)).convert("RGB")


def convert(args, config, tensors, tokenizer_dir, out, pre, mmproj=False, preprocessor=None,
            byte_pairs=False):
    """A GGUF file by llama.cpp's converter, which does not know the hashes of tiny tokenizers."""
    from safetensors.torch import save_file as save_torch
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        for name in TOKENIZER_FILES:
            if (tokenizer_dir / name).exists():
                shutil.copyfile(tokenizer_dir / name, d / name)
        (d / "preprocessor_config.json").write_text(json.dumps(preprocessor or {}))
        (d / "config.json").write_text(json.dumps(config))
        save_torch({k: v.contiguous().clone() for k, v in tensors.items()}, d / "model.safetensors", {"format": "pt"})
        sys.path.insert(1, str(args.llama_cpp))
        from conversion import base, gemma, llama, qwen  # noqa: F401, so that their classes are known
        base.ModelBase.get_vocab_base_pre = lambda self, tokenizer: pre
        for c in all_subclasses(base.TextModel):
            c.get_vocab_base_pre = lambda self, tokenizer: pre
            if byte_pairs:  # where published models have a sentencepiece model
                c.set_vocab = c._set_vocab_gpt2
        out.parent.mkdir(parents=True, exist_ok=True)
        argv, sys.argv = sys.argv, ["convert", str(d), "--outfile", str(out), "--outtype", "f32", "--model-name", "tiny"]
        sys.argv += ["--mmproj"] if mmproj else []
        try:
            runpy.run_path(str(args.llama_cpp / "convert_hf_to_gguf.py"), run_name="__main__")
        except SystemExit as e:
            assert not e.code, e
        finally:
            sys.argv = argv


def all_subclasses(c):
    return {c} | {s for sub in c.__subclasses__() for s in all_subclasses(sub)}


def mmproj(out, projector, metadata, tensors):
    """An mmproj file; all float32, so that no kernel rounds to float16."""
    import gguf
    writer = gguf.GGUFWriter(out, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_string("clip.projector_type", projector)
    for key, value in metadata.items():
        {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string,
         list: writer.add_array}[type(value)](key, value)
    for name, t in tensors.items():
        array = t.detach().numpy()
        writer.add_tensor(name, np.ascontiguousarray(array.astype(np.float32)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_case(directory, description, tensors, pixels, mean, std):
    """case.json and expected.safetensors; pixels are stored as bytes where that loses nothing."""
    directory.mkdir(parents=True, exist_ok=True)
    tensors = {k: np.ascontiguousarray(v.detach().numpy() if torch.is_tensor(v) else v) for k, v in tensors.items()}
    if pixels is not None:
        pixels = pixels.numpy()
        mean_ = np.array(mean, np.float32).reshape(3, 1, 1)
        std_ = np.array(std, np.float32).reshape(3, 1, 1)
        u8 = np.clip(np.rint((pixels * std_ + mean_) * 255), 0, 255).astype(np.uint8)
        back = (u8.astype(np.float32) / np.float32(255) - mean_) / std_
        tensors["pixel_values.u8"] = u8
        description["pixel_values_u8"] = {"mean": mean, "std": std, "max_abs_error": float(np.abs(back - pixels).max())}
        assert description["pixel_values_u8"]["max_abs_error"] == 0, description["pixel_values_u8"]
    save_file(tensors, directory / "expected.safetensors")
    (directory / "expected.safetensors").chmod(0o644)
    description["tensors"] = {k: list(v.shape) for k, v in tensors.items()}
    (directory / "case.json").write_text(json.dumps(description, indent=1) + "\n")


def greedy(step, n=12):
    """step(ids so far) gives the logits of the next one; returns ids and margins of best over second."""
    ids, margins = [], []
    for _ in range(n):
        logits = step(ids)
        top = logits.topk(2).values
        ids.append(int(logits.argmax()))
        margins.append(round(float(top[0] - top[1]), 5))
    return ids, margins


def conversation(images, text):
    return [{"role": "user", "content": [{"type": "image", "image": i} for i in images] + [{"type": "text", "text": text}]}]


def run_case(args, model_name, name, model, processor, images, text, projected, mean, std, prompt=None, messages=None,
             pixels=None, shown=None):
    """A case of a model of transformers: prompt, ids, rows at the picture's places, 12 greedy tokens."""
    nested = any(isinstance(i, list) for i in images)
    names = images[0] if nested else images
    pictures = [load_image(args.images / i) for i in names]
    messages = messages or conversation(names, text)
    if prompt is None:
        prompt = processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    inputs = processor(images=[pictures] if nested else pictures, text=prompt, return_tensors="pt")
    inputs.pop("labels", None)
    rows = projected(model, inputs)
    image_token = model.config.image_token_id if hasattr(model.config, "image_token_id") else model.config.image_token_index

    def step(ids):
        if not ids:
            return model(**inputs).logits[0, -1]
        out = model.generate(**inputs, max_new_tokens=len(ids) + 1, min_new_tokens=len(ids) + 1, do_sample=False,
                             output_logits=True, return_dict_in_generate=True, eos_token_id=None)
        assert out.sequences[0, inputs.input_ids.shape[1]:][:len(ids)].tolist() == ids
        return out.logits[-1][0]

    ids, margins = greedy(step)
    input_ids = inputs.input_ids[0].tolist()
    assert rows.shape[0] == input_ids.count(image_token), (rows.shape, input_ids.count(image_token))
    description = {
        "model": model_name, "case": name, "messages": messages, "images": names, "prompt": shown or prompt,
        "input_ids": input_ids, "image_token_id": image_token, "n_image_tokens": rows.shape[0],
        "greedy": ids, "greedy_margin": margins,
        "image_processor_class": type(processor.image_processor).__name__,
        "model_class": type(model).__name__,
        "versions": {"torch": torch.__version__, "transformers": __import__("transformers").__version__},
    }
    values = pixels(inputs) if pixels else inputs.pixel_values
    write_case(args.out / model_name / "cases" / name, description,
               {"projector.out": rows.float(), "logits.first": step([])}, values, mean, std)
    print(model_name, name, prompt.encode(), ids, margins, "rows", tuple(rows.shape))
