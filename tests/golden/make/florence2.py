"""A tiny Florence-2 checkpoint that differs from the published ones in what a configuration can say, what transformers makes
of it, and how its processor reads answers.

    python florence2.py --reference shared/reference --out tests/golden --tasks vlm/src/test/resources/dev/ocellus/vlm/grounding

The tokenizer is that of the reference's tiny model. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib
import random
import shutil

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file

SIZE = dict(height=44, width=60)
VISION = dict(model_type="florence_vision", embed_dim=[12, 20, 30], depths=[1, 2, 1], num_heads=[3, 2, 5], num_groups=[2, 4, 3],
              patch_size=[5, 3, 2], patch_stride=[3, 2, 1], patch_padding=[2, 1, 0], patch_prenorm=[False, True, True],
              window_size=5, mlp_ratio=1.5, qkv_bias=False, projection_dim=40, max_position_embeddings=12,
              max_temporal_embeddings=3, activation_function="gelu", drop_path_rate=0.0)
TEXT = dict(model_type="bart", vocab_size=580, d_model=40, encoder_layers=1, decoder_layers=2, encoder_attention_heads=4,
            decoder_attention_heads=2, encoder_ffn_dim=56, decoder_ffn_dim=72, max_position_embeddings=150,
            activation_function="gelu", scale_embedding=True, bos_token_id=480, eos_token_id=482, pad_token_id=481,
            decoder_start_token_id=482)
CASES = [("odd_97x61.png", "<OD>"), ("exif6_160x120.jpg", "<REGION_TO_DESCRIPTION><loc_3><loc_10><loc_40><loc_77>"),
         ("tall_300x900.png", "<CAPTION_TO_PHRASE_GROUNDING>two dogs  on a beach.")]
BEAMS = [dict(num_beams=3, forced_bos_token_id=480, forced_eos_token_id=482), dict(num_beams=3, no_repeat_ngram_size=3, early_stopping=True),
         dict(num_beams=2, length_penalty=2.0, min_new_tokens=4)]


def build(args):
    import transformers as t
    out = args.out / "models/florence2-odd/hf"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.mkdir(parents=True)
    source = args.reference / "models/florence2/hf"
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(source / name, out / name)
    config = t.Florence2Config(vision_config=dict(VISION), text_config=dict(TEXT), image_token_id=485, bos_token_id=480,
                               eos_token_id=482, pad_token_id=481)
    config._attn_implementation = "eager"
    model = t.Florence2ForConditionalGeneration(config).float().eval()
    generator = torch.Generator().manual_seed(41)
    for name, p in sorted([*model.named_parameters(), *model.named_buffers()]):
        noise = torch.randn(p.shape, generator=generator)
        if p.ndim == 1 and name.endswith("weight"):
            value = 1 + 0.2 * noise
        elif p.ndim == 1 or "embed" in name:
            value = 0.2 * noise
        else:
            value = (2.6 if "attn" in name else 1.6) * noise / p[0].numel() ** 0.5
        p.data.copy_(value.half().float())
    model.tie_weights()
    model.generation_config.forced_eos_token_id = None  # as of a checkpoint that is loaded
    saved = {k: v.half().contiguous().clone() for k, v in model.state_dict().items()
             if "coder.embed_tokens" not in k and k != "lm_head.weight"}
    save_file(saved, out / "model.safetensors", {"format": "pt"})
    (out / "config.json").write_text(json.dumps(dict(
        architectures=["Florence2ForConditionalGeneration"], model_type="florence2", image_token_id=485,
        is_encoder_decoder=True, tie_word_embeddings=True, text_config=TEXT, vision_config=VISION), indent=1))
    config = json.loads((source / "preprocessor_config.json").read_text())
    grid = 1 + sides(SIZE["width"]) * sides(SIZE["height"])
    config.update(size=SIZE, crop_size=SIZE, image_seq_length=grid)
    (out / "preprocessor_config.json").write_text(json.dumps(config, indent=1))
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    images = CLIPImageProcessorPil.from_pretrained(out)
    images.image_seq_length = grid
    tokenizer = t.AutoTokenizer.from_pretrained(out)
    tokenizer.image_token, tokenizer.image_token_id = "<image>", 485
    return model, t.Florence2Processor(images, tokenizer)


def sides(pixels):
    for kernel, stride, padding in zip(VISION["patch_size"], VISION["patch_stride"], VISION["patch_padding"]):
        pixels = (pixels + 2 * padding - kernel) // stride + 1
    return pixels


def case(args, model, processor, number):
    image, text = CASES[number]
    picture = ImageOps.exif_transpose(Image.open(args.out / "images" / image)).convert("RGB")
    inputs = processor(images=picture, text=text, return_tensors="pt")
    seen = {}
    model.model.vision_tower.register_forward_hook(lambda m, i, o: seen.__setitem__("vision.last_hidden", o.last_hidden_state))
    model.model.multi_modal_projector.register_forward_hook(lambda m, i, o: seen.__setitem__("projector.out", o[0]))
    model.model.language_model.encoder.register_forward_hook(
        lambda m, i, o: seen.__setitem__("encoder.last_hidden", o.last_hidden_state))

    def generate(n, **how):
        r = model.generate(**inputs, max_new_tokens=n, do_sample=False, return_dict_in_generate=True, output_logits=True,
                           output_scores=True, **how)
        return r, r.sequences[0, 1:].tolist()

    result, ids = generate(12, eos_token_id=None)
    logits = torch.stack(result.logits)[:, 0]
    top = logits.topk(2).values
    tensors = dict(seen, **{"logits.first": logits[0], "pixel_values": inputs.pixel_values})
    description = {
        "model": "florence2-odd", "case": f"case{number}", "images": [image],
        "messages": [{"role": "user", "content": [{"type": "image", "image": image}, {"type": "text", "text": text}]}],
        "prompt": text, "task_prompt": "the processor replaces the task by its sentence",
        "input_ids": inputs.input_ids[0].tolist(), "image_token_id": 485, "n_image_tokens": len(seen["projector.out"]),
        "greedy": ids, "greedy_margin": [round(float(a - b), 5) for a, b in top], "beams": []}
    for how in BEAMS:
        result, ids = generate(14, **how)
        description["beams"].append(dict(how, max_new_tokens=14, tokens=ids, score=result.sequences_scores[0].item()))
    out = args.out / "models/florence2-odd/cases" / f"case{number}"
    out.mkdir(parents=True)
    from safetensors.numpy import save_file as save_numpy
    save_numpy({k: np.ascontiguousarray(v.float().numpy()) for k, v in tensors.items()}, out / "expected.safetensors")
    (out / "case.json").write_text(json.dumps(description) + "\n")
    print(number, description["input_ids"], description["greedy"], min(description["greedy_margin"]),
          [b["tokens"] for b in description["beams"]])


def answers(args, processor):
    """What the processor reads from texts, one a line: task, answer, size of the image, result."""
    processor.post_processor.parse_task_config = {k: {} for k in (
        "od", "ocr", "phrase_grounding", "pure_text", "description_with_bboxes", "description_with_polygons", "polygons",
        "bboxes", "description_with_bboxes_or_polygons")}
    processor.post_processor.banned_grounding_tokens = {"it", "the image"}
    rng = random.Random(5)
    parts = ["car", "a dog\u00e9 ", "it", "the image", "<poly>", "</poly>", "<sep>", "<ground>", "<obj>", "\n", " ", "<od>", "</s>",
             "<s>", "<pad>", "<", "12", "\u3042", "\u2028", "<box>"]
    texts = ["</s><s>car<loc_1><loc_2><loc_300><loc_999>dog<loc_0><loc_0><loc_500><loc_500><loc_7><loc_8><loc_9><loc_10></s>", "",
             "</s><s>text here<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>more<loc_9></s>",
             "<poly><loc_1><loc_2><loc_3><loc_4><sep><loc_9><loc_8><loc_7></poly>",
             "cat<poly><loc_1><loc_2><loc_3><loc_4></poly><poly><loc_5><loc_6><loc_7><loc_8></poly>"]
    # what Python alone calls space, digits of other scripts, several labels in a row, polygons without their ends
    spaces = parts + ["\u00a0", "cup\u00a0", "\x1c", "\x85", "\u3000red box ", "\x1f\n", "<loc_\u0663>", "<loc_1234>", "</loc>", "<poly></poly>",
                      "<sep><sep>", "a<sep>b", "<loc_5", "loc_5>", "<LOC_5>", "<loc_>", "<loc_ 5>"]
    for known, n in ((parts, 60), (spaces, 30)):
        for _ in range(n):
            text = ""
            for _ in range(rng.randint(1, 12)):
                text += rng.choice(known) if rng.random() < (0.4 if known is parts else 0.6) else "".join(
                    f"<loc_{rng.randrange(1000)}>" for _ in range(rng.choice([1, 2, 3, 4, 4, 6, 8, 9])))
            texts.append(text)
    lines = []
    for i, text in enumerate(texts):
        for task in processor.tasks_answer_post_processing_type:
            size = [(640, 427), (97, 61), (1, 3), (5000, 3333)][(i + len(task)) % 4]
            if i > 12 and (i + len(task)) % 3:
                continue
            result = processor.post_process_generation(text, task=task, image_size=size)
            lines.append(json.dumps(dict(task=task, text=text, size=size, result=result)))
    args.tasks.mkdir(parents=True, exist_ok=True)
    (args.tasks / "florence2-answers.jsonl").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("reference", "out", "tasks"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    built, its = build(arguments)
    for i in range(len(CASES)):
        case(arguments, built, its, i)
    answers(arguments, its)
