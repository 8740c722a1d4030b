"""Tiny BLIPs of the three classes, in HuggingFace's layout, with a few cases each.

    python blip.py --reference shared/reference --out tests/golden/models

The word pieces are those of the reference's tiny models. Widths, heads and sizes of images and texts differ where the
class allows it; the image does not fill its patches. Needs torch, transformers 5.18 and Pillow 12.3, CPU, float32.
"""

import argparse
import json
import pathlib
import shutil

import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file
from transformers import BlipConfig, BlipForConditionalGeneration, BlipForImageTextRetrieval, BlipForQuestionAnswering, BlipProcessor
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from golden import randomize, write_case

SIDE, PATCH = 60, 16
MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
MODELS = {
    "blip-caption": (BlipForConditionalGeneration, 48, 3, 32, 4, 7),
    "blip-vqa": (BlipForQuestionAnswering, 32, 2, 32, 4, 3),
    "blip-itm": (BlipForImageTextRetrieval, 48, 4, 32, 2, 5),
}
CASES = {
    "blip-caption": [("photo", "photo_640x427.jpg", None, 12), ("prompted", "odd_97x61.png", "A photo of the Ocean", 8), ("long", "gray_120x90.png", "a", 20)],
    "blip-vqa": [("odd", "odd_97x61.png", "What color is it?", 8), ("cut", "tall_300x900.png", "how many objects can you see " * 6, 6)],
    "blip-itm": [("exif", "exif6_160x120.jpg", "a red bicycle near the ocean", 0), ("empty", "alpha_128x96.png", "", 0)],
}

# what is asked of generate() besides max_new_tokens; a text that was begun counts as its beginning
BEAMS = [
    dict(num_beams=3),
    dict(num_beams=4, length_penalty=-1.0, early_stopping=True),
    dict(num_beams=5, length_penalty=2.0, early_stopping="never", repetition_penalty=1.5, min_new_tokens=4),
    dict(num_beams=2, no_repeat_ngram_size=2),
]

# tokens that occur often, in the place of the end that none of the searches comes to
ENDS = {"blip-caption": 122, "blip-vqa": 15}


def search(model, asked, beginning, end, n, how):
    model.config.text_config.sep_token_id = end
    ids = model.generate(**{k: v.clone() for k, v in asked.items()}, **how, max_new_tokens=n)[0, beginning:].tolist()
    model.config.text_config.sep_token_id = 3
    return dict(how, end=end, max_new_tokens=n, tokens=ids)


def config(vision, vision_heads, text, text_heads):
    return {
        "model_type": "blip", "image_text_hidden_size": 20, "projection_dim": 24,
        "text_config": {"model_type": "blip_text_model", "vocab_size": 210, "hidden_size": text, "intermediate_size": 48, "num_hidden_layers": 2,
                        "num_attention_heads": text_heads, "max_position_embeddings": 24, "bos_token_id": 203, "eos_token_id": 2, "pad_token_id": 0,
                        "sep_token_id": 3},
        "vision_config": {"model_type": "blip_vision_model", "hidden_size": vision, "intermediate_size": 40, "num_hidden_layers": 2,
                          "num_attention_heads": vision_heads, "image_size": SIDE, "patch_size": PATCH},
    }


def checkpoint(args, name, directory):
    cls, *sizes, seed = MODELS[name]
    described = config(*sizes) | {"architectures": [cls.__name__], "torch_dtype": "float16"}
    torch.manual_seed(seed)
    model = cls(BlipConfig(text_config=described["text_config"], vision_config=described["vision_config"], image_text_hidden_size=20))
    model.set_attn_implementation("eager") if hasattr(model, "set_attn_implementation") else None
    model = model.eval()
    randomize(model, seed)
    for key, p in model.named_parameters():
        if "attention.self.query" in key:
            p.data.mul_(2)  # so that texts depend on what they attend to
    if name == "blip-caption":
        model.text_decoder.cls.predictions.bias.data[3] = 1.5  # one that shows
    directory.mkdir(parents=True, exist_ok=True)
    state = {k: v.half().contiguous().clone() for k, v in model.state_dict().items() if "position_ids" not in k and ".decoder." not in k.replace("text_decoder", "")}
    save_file(state, directory / "model.safetensors", {"format": "pt"})
    (directory / "model.safetensors").chmod(0o644)
    (directory / "config.json").write_text(json.dumps(described, indent=1) + "\n")
    source = args.reference / "models" / name / "hf"
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / file, directory / file)
    processor = json.loads((source / "preprocessor_config.json").read_text()) | {"size": {"height": SIDE, "width": SIDE}}
    (directory / "preprocessor_config.json").write_text(json.dumps(processor, indent=1) + "\n")
    return cls.from_pretrained(directory, dtype=torch.float32, attn_implementation="eager").eval(), BlipProcessor.from_pretrained(directory).tokenizer


def margins(logits):
    top = logits.topk(2).values
    return float((top[:, 0] - top[:, 1]).min())


def run(args, name, case, model, tokenizer):
    label, image_name, text, n = case
    image = ImageOps.exif_transpose(Image.open(args.out.parent / "images" / image_name)).convert("RGB")
    pixels = torch.from_numpy(BlipImageProcessorPil(size={"height": SIDE, "width": SIDE})(image, return_tensors="np")["pixel_values"])
    vision = model.vision_model(pixel_values=pixels)
    expected = {"vision.last_hidden": vision.last_hidden_state}
    case = {"model": name, "case": label, "images": [image_name], "text": text}
    ids = None
    if text is not None:
        ids = tokenizer(text, truncation=True, max_length=24, return_tensors="pt").input_ids
        case["input_ids"] = ids[0].tolist()
    states = vision.last_hidden_state
    if name == "blip-caption":
        out = model.generate(pixel_values=pixels, input_ids=None if ids is None else ids.clone(), max_new_tokens=n)
        beginning = 1 if ids is None else ids.shape[1] - 1
    elif name == "blip-vqa":
        states = model.text_encoder(input_ids=ids, encoder_hidden_states=states, return_dict=True).last_hidden_state
        expected["question.hidden"] = states
        out = model.generate(input_ids=ids, pixel_values=pixels, max_new_tokens=n)
        beginning = 1
    else:
        score = model(input_ids=ids, pixel_values=pixels).itm_score
        expected |= {"itm_score": score, "itm_probs": score.softmax(-1), "itc_score": model(input_ids=ids, pixel_values=pixels, use_itm_head=False).itm_score}
        print(name, label, expected["itm_probs"].tolist(), expected["itc_score"].tolist())
    if n:
        logits = model.text_decoder(input_ids=out, encoder_hidden_states=states).logits[0]
        expected["decoder.logits"] = logits
        exact = model.double().text_decoder(input_ids=out, encoder_hidden_states=states.double()).logits[0]
        model.float()
        case["float32_vs_float64"] = float((exact - logits.double()).abs().max())
        case["min_margin"] = margins(logits[beginning - 1 : -1])
        case["caption_ids" if name == "blip-caption" else "answer_ids"] = out[0].tolist()
        asked = dict(pixel_values=pixels, input_ids=ids) if ids is not None else dict(pixel_values=pixels)
        case["beams"] = [search(model, asked, beginning, end, m, how) for how in BEAMS for end in (3, ENDS[name]) for m in (6, 17) if beginning + m <= 24]
        print(name, label, out[0].tolist(), case["min_margin"], case["float32_vs_float64"], case["beams"])
        assert case["min_margin"] > 1e-3
    write_case(args.out / name / "cases" / label, case, expected, pixels, MEAN, STD)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--reference", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for name in MODELS:
        model, tokenizer = checkpoint(args, name, args.out / name / "hf")
        for case in CASES[name]:
            run(args, name, case, model, tokenizer)


main()
