"""Cases with videos for tiny checkpoints that are there, and a table of the frames that video processors choose.

    python videos.py --reference shared/reference --out tests/golden [MODEL ...]
    python videos.py --frames ../../vlm/src/test/resources/dev/ocellus/vlm/model/tiling/frames.tsv

Frames are chosen, resized and normalized by the video processors of transformers themselves. Settings for videos are
written beside the checkpoint where MODELS has some; else those of its images count. Needs torch, torchvision,
transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file

import newer

QUESTION = dict(type="text", text="What happens?")


def clip(fps, name="long-clip"):
    return dict(type="video", video=name, fps=fps)


def picture(name):
    return dict(type="image", image=name)


# model: settings of the video processor (None: those of images), cases
MODELS = {
    "qwen3.5": (dict(size=dict(shortest_edge=2048, longest_edge=20000), patch_size=16, temporal_patch_size=2, merge_size=2, fps=3,
                     min_frames=2, max_frames=9, image_mean=[0.5] * 3, image_std=[0.5] * 3,
                     video_processor_type="Qwen3VLVideoProcessor"), {
        "video": [clip(4.0), QUESTION], "mixed": [picture("odd_97x61.png"), dict(type="text", text="Then:"), clip(24.0), QUESTION]}),
    "qwen3.5-moe": (dict(size=dict(shortest_edge=1024, longest_edge=40000), patch_size=16, temporal_patch_size=2, merge_size=2,
                         cap_pixels_per_frame=True, max_video_tokens=2, image_mean=[0.5] * 3, image_std=[0.5] * 3,
                         video_processor_type="Qwen3VLVideoProcessor"), {"video": [clip(4.0), QUESTION]}),
    "glm46v": (dict(size=dict(shortest_edge=3000, longest_edge=30000), video_processor_type="Glm46VVideoProcessor"), {
        "video": [clip(4.0), QUESTION], "short": [clip(24.0), QUESTION]}),
    "glm4v-moe": (dict(size=dict(shortest_edge=3000, longest_edge=20000), video_processor_type="Glm4vVideoProcessor"), {"video": [dict(type="text", text="Look: "), clip(4.0), QUESTION]}),
    "gemma4": (dict(num_frames=3, max_soft_tokens=70, patch_size=4, pooling_kernel_size=3, do_normalize=True,
                    image_mean=[0, 0, 0], image_std=[1, 1, 1], video_processor_type="Gemma4VideoProcessor"), {
        "video": [clip(0.2), QUESTION]}),
    "gemma4-moe": (dict(num_frames=2, max_soft_tokens=70, patch_size=4, pooling_kernel_size=3, do_normalize=False,
                        video_processor_type="Gemma4VideoProcessor"), {"video": [QUESTION, clip(4.0)]}),
    "gemma4-unified": (dict(num_frames=2, max_soft_tokens=70, patch_size=4, pooling_kernel_size=3,
                            video_processor_type="Gemma4UnifiedVideoProcessor"), {"video": [clip(4.0), QUESTION]}),
    "kimi_k25-groups": (None, {"video": [clip(4.0), QUESTION],
                               "mixed": [picture("shapes_64x64.png"), clip(7.0), QUESTION]}),
    "minicpmv4_6-4x": (dict(downsample_mode="4x", use_image_id=False, max_slice_nums=3, scale_resolution=40, patch_size=8,
                            max_num_frames=2, image_mean=[0.5] * 3, image_std=[0.5] * 3,
                            video_processor_type="MiniCPMV4_6VideoProcessor"), {"video": [clip(4.0), QUESTION]}),
    "minicpmv4_6-whole": (None, {"video": [clip(4.0), dict(type="text", text="Then:"), clip(3.6), QUESTION]}),
    "internvl-norm": (None, {"video": [clip(4.0, "short-clip"), QUESTION]}),
    "internvl-frames": (dict(do_sample_frames=True, fps=1.5, size=dict(height=28, width=28), image_mean=[0.5] * 3,
                             image_std=[0.5] * 3, video_processor_type="InternVLVideoProcessor"), {
        "video": [clip(4.0), QUESTION]}),
    "qwen2.5-vl-blocks": (dict(do_sample_frames=True, fps=20, min_frames=4, max_frames=8, cap_pixels_per_frame=True,
                               max_video_tokens=6, size=dict(shortest_edge=784, longest_edge=30000), patch_size=14,
                               temporal_patch_size=2, merge_size=2, video_processor_type="Qwen2VLVideoProcessor"), {
        "video": [clip(60.0), QUESTION],
        # all pairs at one position in time
        "more": [clip(30.0), QUESTION],
        "mixed": [picture("exact_56x56.png"), dict(type="text", text="Then:"), clip(60.0), clip(30.0), QUESTION]}),
    "llava-onevision-video": (dict(do_sample_frames=True, num_frames=5, size=dict(height=28, width=28), image_mean=[0.5] * 3,
                                   image_std=[0.5] * 3, video_processor_type="LlavaOnevisionVideoProcessor"), {
        "video": [clip(4.0), QUESTION], "mixed": [picture("odd_97x61.png"), dict(type="text", text="Then:"), clip(7.0), QUESTION]}),
}

# whose settings for videos stand inside of processor_config.json
NESTED = {"gemma4", "gemma4-moe", "gemma4-unified"}
BASES = {"qwen3.5": "qwen3_5", "qwen3.5-moe": "qwen3_5", "glm4v-moe": "glm46v", "kimi_k25-groups": "kimi_k25",
         "minicpmv4_6-4x": "minicpmv4_6", "minicpmv4_6-whole": "minicpmv4_6", "internvl-norm": "internvl",
         "gemma4-unified": "gemma4-moe", "internvl-frames": "internvl", "llava-onevision-video": "llava-onevision",
         "qwen2.5-vl-blocks": "qwen2.5-vl"}


def write_clip(args):
    """Fourteen frames of 60 x 44 pixels, in which a square moves over a slope."""
    for i in range(14):
        a = np.zeros((44, 60, 3), np.uint8)
        a[..., 0], a[..., 1], a[..., 2] = np.arange(60)[None] * 4, np.arange(44)[:, None] * 5, 17 * i
        a[4 + 2 * i:14 + 2 * i, 3 * i:13 + 3 * i] = (250, 18 * i, 240 - 17 * i)
        file = args.out / "clips" / "long-clip" / f"{i + 1}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(a).save(file, optimize=True)


def frames(args, name):
    files = sorted((args.out / "clips" / name).iterdir(), key=lambda f: int("".join(c for c in f.stem if c.isdigit())))
    return np.stack([np.array(Image.open(f).convert("RGB")) for f in files])


def video_in_template(d):
    """As the published template of LLaVA-OneVision has it, and the reference's tiny one does not."""
    path, text = d / "chat_template.json", "{# Render all text next #}"
    content = path.read_text()
    if "'video'" not in content:
        videos = ("{# Render all video then #}{% for content in message['content'] | selectattr('type', 'equalto', 'video') %}"
                  "{{ '<video>' }}{% endfor %}")
        path.write_text(content.replace(text, videos + text))


def settings(d, name, video):
    if video is None:
        return
    if name in NESTED:
        path = d / "processor_config.json"
        content = json.loads(path.read_text())
        content["video_processor"] = video
    else:
        path, content = d / "video_preprocessor_config.json", video
    path.write_text(json.dumps(content, indent=1) + "\n")


def load_processor(d, name):
    import transformers
    if name not in NESTED:
        return transformers.AutoProcessor.from_pretrained(d)
    if name == "gemma4-unified":
        processor = newer.auto_processor(d)
    else:
        inside = json.loads((d / "processor_config.json").read_text())["image_processor"]
        processor = transformers.Gemma4Processor(
            feature_extractor=transformers.Gemma4AudioFeatureExtractor(), tokenizer=transformers.AutoTokenizer.from_pretrained(d),
            image_processor=transformers.Gemma4ImageProcessorPil(**inside), video_processor=transformers.Gemma4VideoProcessor(),
            chat_template=(d / "chat_template.jinja").read_text())
    processor.video_processor = type(processor.video_processor).from_pretrained(d)
    return processor


def model_of(d, name):
    import transformers
    architecture = json.loads((d / "config.json").read_text())["architectures"][0]
    model_class = getattr(transformers, architecture, None) or transformers.Kimi_K25ForConditionalGeneration
    return model_class.from_pretrained(d, dtype=torch.float32, attn_implementation="eager").eval()


def chunk_by_chunk(model):
    """The class cannot take chunks of more than one frame: it counts rows as if they were not merged over time."""
    from types import SimpleNamespace

    def get_video_features(pixel_values_videos, video_grid_thw=None, **unused):
        rows, at = [], 0
        for grid in video_grid_thw:
            n = int(grid.prod())
            out = model.vision_tower(pixel_values_videos[at:at + n], grid_thw=grid[None])
            rows.append(model.mm_projector(out.pooler_output).squeeze(1))
            at += n
        return SimpleNamespace(pooler_output=rows)

    model.get_video_features = get_video_features


def make(args, name):
    import transformers
    from transformers.video_utils import VideoMetadata
    video, cases = MODELS[name]
    d = args.out / "models" / name / "hf"
    settings(d, name, video)
    if name == "llava-onevision-video":
        video_in_template(d)
    model, processor = model_of(d, name), load_processor(d, name)
    pil = type(processor.image_processor).__name__.replace("Fast", "") + "Pil"
    if hasattr(transformers, pil):
        processor.image_processor = getattr(transformers, pil).from_pretrained(d)
    if name.startswith("kimi"):
        chunk_by_chunk(model.model)
    like = json.loads((args.reference / "models" / BASES.get(name, name) / "cases/two/case.json").read_text())
    for case_name, content in cases.items():
        bare = [dict(role="user", content=[{k: v for k, v in c.items() if k == "type" or c["type"] == "text"} for c in content])]
        if name.startswith("kimi"):  # whose template here has images only
            for part in bare[0]["content"]:
                if part["type"] == "video":
                    part.update(type="text", text=processor.video_token)
        text = processor.apply_chat_template(bare, add_generation_prompt=True)
        kw, videos = {}, [c for c in content if c["type"] == "video"]
        pictures = [ImageOps.exif_transpose(Image.open(args.out / "images" / c["image"])).convert("RGB")
                    for c in content if c["type"] == "image"]
        if pictures:
            kw["images"] = pictures
        kw["videos"] = [frames(args, c["video"]) for c in videos]
        kw["video_metadata"] = [VideoMetadata(total_num_frames=len(f), fps=c["fps"], duration=len(f) / c["fps"],
                                              frames_indices=list(range(len(f)))) for f, c in zip(kw["videos"], videos)]
        inputs = processor(text=[text], return_tensors="pt", add_special_tokens=like["add_special_tokens"], **kw)
        case(args, name, case_name, model, processor, content, text, inputs, like["image_token_id"])


def case(args, name, case_name, model, processor, content, text, inputs, image):
    ids = inputs["input_ids"][0].tolist()
    video = getattr(model.config, "video_token_id", getattr(model.config, "video_token_index", None))
    visual = {image, image if video is None else video}
    call = {k: v.float() if torch.is_tensor(v) and v.is_floating_point() else v
            for k, v in inputs.items() if k not in ("video_metadata", "num_chunks_per_video")}
    seen = {}
    hook = model.model.language_model.register_forward_pre_hook(lambda m, a, k: seen.update(k), with_kwargs=True)
    model(**call, use_cache=False)
    hook.remove()
    model.generation_config.eos_token_id = None
    steps = model.generate(**call, max_new_tokens=12, eos_token_id=None, do_sample=False, output_logits=True,
                           return_dict_in_generate=True).logits
    best = [step[0].topk(2) for step in steps]
    margins = [round(float(b.values[0] - b.values[1]), 5) for b in best]
    rows = seen["inputs_embeds"][0][torch.tensor([i in visual for i in ids])]
    tensors = {"projector.out": rows}
    for key in ("target_sizes", "image_grid_thw", "video_grid_thw"):
        if key in inputs:
            tensors[key] = torch.as_tensor(inputs[key]).to(torch.int64)
    sizes = [torch.as_tensor(inputs[k]) for k in ("target_sizes", "target_sizes_videos") if k in inputs]
    if sizes:
        tensors["target_sizes"] = torch.cat(sizes).to(torch.int64)
    described = dict(
        model=name, case=case_name, messages=[dict(role="user", content=content)], prompt=text,
        input_ids=[image if i in visual else i for i in ids], image_token_id=image, n_image_tokens=len(rows),
        greedy=[int(b.indices[0]) for b in best], greedy_margin=margins,
        image_processor_class=type(processor.image_processor).__name__,
        video_processor_class=type(processor.video_processor).__name__)
    pixels = inputs["pixel_values_videos" if "pixel_values_videos" in inputs else "pixel_values"].float()
    if pixels.ndim == 4 and name in NESTED:
        pixels = pixels.flatten(0, 1)
    store(pixels, inputs.get("pixel_values") if "pixel_values_videos" in inputs else None, processor.video_processor, tensors, described)
    if name == "gemma4-unified":
        del described["greedy"], described["greedy_margin"]
    directory = args.out / "models" / name / "cases" / case_name
    directory.mkdir(parents=True, exist_ok=True)
    save_file({k: t.contiguous().clone() for k, t in tensors.items()}, directory / "expected.safetensors")
    (directory / "case.json").write_text(json.dumps(described) + "\n")
    print(name, case_name, tuple(pixels.shape), "rows", len(rows), described.get("greedy"), min(margins))


def store(videos, images, settings, tensors, described):
    """As bytes where there are no images and that loses nothing."""
    if images is not None and videos.ndim == 5:  # tiles and frames
        tensors["pixel_values"] = torch.cat([images.float().flatten(0, 1), videos.flatten(0, 1)])
        return
    if images is not None:
        tensors["pixel_values"] = torch.cat([images.float(), videos], dim=-1 if "target_sizes" in tensors else 0)
        return
    mean, std = torch.tensor(settings.image_mean), torch.tensor(settings.image_std)
    if not settings.do_normalize:
        tensors["pixel_values"] = videos
        return
    if videos.ndim == 2:  # patches with the channel outermost
        by_channel = videos.reshape(len(videos), 3, -1)
        m, s = mean[:, None], std[:, None]
    elif videos.ndim == 4:
        by_channel, (m, s) = videos, (v[:, None, None] for v in (mean, std))
    else:
        by_channel, m, s = videos, mean[0], std[0]
        assert len(set(settings.image_mean)) == 1
    u8 = ((by_channel * s + m) * 255).round().clamp(0, 255)
    if torch.equal((u8 - m * 255) / (s * 255), by_channel):
        tensors["pixel_values.u8"] = u8.to(torch.uint8).reshape(videos.shape)
        described["pixel_values_u8"] = dict(image_mean=list(settings.image_mean), image_std=list(settings.image_std),
                                            formula="(u8 - mean * 255) / (std * 255)")
    else:
        tensors["pixel_values"] = videos


def write_frames(path):
    """Processor, frames, rate and the chosen indices, for many lengths."""
    import transformers
    from transformers.models.kimi_k25.video_processing_kimi_k25 import Kimi_K25VideoProcessor
    from transformers.video_utils import VideoMetadata
    choosers = {
        "qwen3vl": transformers.Qwen3VLVideoProcessor(), "glm4v": transformers.Glm4vVideoProcessor(),
        "glm46v": transformers.Glm46VVideoProcessor(), "minicpmv4_6": transformers.MiniCPMV4_6VideoProcessor(),
        "gemma4": transformers.Gemma4VideoProcessor(), "kimi_k25": Kimi_K25VideoProcessor(),
        "smolvlm": transformers.SmolVLMVideoProcessor(num_frames=64, fps=1),
        "qwen2vl-8": transformers.Qwen2VLVideoProcessor(num_frames=8), "qwen2vl-5": transformers.Qwen2VLVideoProcessor(num_frames=5),
        "qwen2vl-2fps": transformers.Qwen2VLVideoProcessor(fps=2),
        "qwen2vl-1.3fps": transformers.Qwen2VLVideoProcessor(fps=1.3, min_frames=3, max_frames=49),
        "internvl-8": transformers.InternVLVideoProcessor(num_frames=8),
        "internvl-27-whole": transformers.InternVLVideoProcessor(num_frames=27, initial_shift=False),
        "internvl-2fps": transformers.InternVLVideoProcessor(fps=2),
        "internvl-0.7fps-1.5": transformers.InternVLVideoProcessor(fps=0.7, initial_shift=1.5),
        "onevision-32": transformers.LlavaOnevisionVideoProcessor(num_frames=32),
        "onevision-1.5fps": transformers.LlavaOnevisionVideoProcessor(fps=1.5)}
    lines = []
    for name, chooser in choosers.items():
        for n in (1, 2, 3, 5, 14, 30, 64, 77, 150, 299, 301, 1000):
            for fps in (0.1, 0.5, 1, 1.7, 2, 3, 7.5, 10, 23.976, 29.97, 60):
                metadata = VideoMetadata(total_num_frames=n, fps=fps, duration=n / fps, frames_indices=list(range(n)))
                try:
                    kw = dict(num_frames=chooser.num_frames, fps=chooser.fps) if name.startswith(("smolvlm", "internvl")) else {}
                    indices = np.asarray(chooser.sample_frames(metadata, **kw)).tolist()
                except (ValueError, ZeroDivisionError, RuntimeError):
                    continue
                if indices and indices[-1] < n:
                    lines.append("\t".join([name, str(n), repr(float(fps)), " ".join(map(str, indices))]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    print(len(lines), "lines")


def main():
    parser = argparse.ArgumentParser()
    for option in ("reference", "out", "frames"):
        parser.add_argument("--" + option, type=pathlib.Path)
    parser.add_argument("models", nargs="*")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    if args.frames:
        write_frames(args.frames)
        return
    write_clip(args)
    for name in args.models or list(MODELS):
        make(args, name)


if __name__ == "__main__":
    main()
