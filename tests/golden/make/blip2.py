"""Tiny BLIP-2 and InstructBLIP checkpoints, with OPT, Flan-T5 and Vicuna as language models, and what transformers makes of
them: greedy tokens and beam searches.

    python blip2.py --reference shared/reference --out tests/golden [--only NAME ...]

Tokenizers are those of the reference's tiny models, and for T5 a SentencePiece unigram model trained on the sentences below.
Needs torch, transformers 5.18, sentencepiece and Pillow 12.3, CPU, float32.
"""

import argparse
import io
import json
import pathlib
import shutil

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file

SENTENCES = """What is shown in the image? A photo of two dogs on a beach. How many cats are there? There are three cats.
Question: what color is the car? Answer: the car is red. Describe the image in detail. A small house stands beside a river.
Is there a person in the picture? Yes, there is a woman with an umbrella. Who wrote this? Nobody knows, but it is old.
What's on the table? A cup of tea, a plate and 12 grapes. Write a short caption: an airplane flies over the mountains.""".splitlines()
TEXTS = ["Question: what is shown here? Answer:", "Describe the image  in detail.", "How many cats?", ""]
IMAGES = ["odd_97x61.png", "shapes_64x64.png", "palette_100x100.png", "exact_32x32.png"]
VISION = dict(hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=3, image_size=28, patch_size=7,
              layer_norm_eps=1e-6, hidden_act="gelu", qkv_bias=True)
QFORMER = dict(hidden_size=32, encoder_hidden_size=48, intermediate_size=56, num_hidden_layers=3, num_attention_heads=2,
               cross_attention_frequency=2, vocab_size=204, max_position_embeddings=64, layer_norm_eps=1e-12)
OPT = dict(model_type="opt", hidden_size=40, word_embed_proj_dim=40, ffn_dim=72, num_hidden_layers=2, num_attention_heads=2,
           max_position_embeddings=96, vocab_size=484, bos_token_id=481, pad_token_id=480)
T5 = dict(model_type="t5", architectures=["T5ForConditionalGeneration"], d_model=40, d_kv=12, d_ff=56, num_layers=3,
          num_decoder_layers=2, num_heads=3, relative_attention_num_buckets=12, relative_attention_max_distance=20,
          feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0, pad_token_id=0,
          bos_token_id=1)
LLAMA = dict(model_type="llama", architectures=["LlamaForCausalLM"], hidden_size=40, intermediate_size=64, num_hidden_layers=2,
             num_attention_heads=2, num_key_value_heads=2, vocab_size=485, max_position_embeddings=512, rms_norm_eps=1e-6,
             bos_token_id=481, pad_token_id=483)

# what is asked of generate() besides max_new_tokens
BEAMS = [
    dict(num_beams=5),
    dict(num_beams=3, length_penalty=-1.0, early_stopping=True),
    dict(num_beams=4, length_penalty=2.0, early_stopping="never", repetition_penalty=1.5, min_new_tokens=4),
    dict(num_beams=2, no_repeat_ngram_size=2),
    dict(num_beams=1, repetition_penalty=1.7, no_repeat_ngram_size=3, min_new_tokens=9),
]

# name: class, language model, its configuration, changes of the others, dtype
MODELS = {
    "blip2-opt": ("Blip2", OPT, {}, {}, {}, torch.float16),
    # the layers of OPT-350M, an exact GELU, and names and keys that the first checkpoints lack
    "blip2-opt-postnorm": ("Blip2", dict(OPT, do_layer_norm_before=False, activation_function="gelu"), {},
                           dict(cross_attention_frequency=1, num_hidden_layers=2), dict(old=True), torch.bfloat16),
    "blip2-t5": ("Blip2", T5, dict(qkv_bias=False), {}, {}, torch.bfloat16),
    "instructblip-vicuna": ("InstructBlip", LLAMA, {}, {}, {}, torch.float16),
    # the first T5: no gate, one matrix for both ends, whose product is scaled
    "instructblip-t5": ("InstructBlip", dict(T5, feed_forward_proj="relu", tie_word_embeddings=True, num_layers=2),
                        dict(image_size=30), {}, dict(seed=2), torch.float16),
}


def sentencepiece(directory, rule="identity"):
    import sentencepiece as spm
    from transformers import T5Tokenizer
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=150, pad_id=0, eos_id=1,
                                   unk_id=2, bos_id=-1, normalization_rule_name=rule, model_type="unigram",
                                   hard_vocab_limit=False, minloglevel=2)
    if rule == "identity":  # no map of characters, which would be larger than the model
        pieces = spm.SentencePieceProcessor(model_proto=model.getvalue())
        vocabulary = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(len(pieces))]
        vocabulary += [(f"<extra_id_{i}>", 0.0) for i in range(5, -1, -1)]
        return T5Tokenizer(vocab=vocabulary, extra_ids=6)
    (directory / "spiece.model").write_bytes(model.getvalue())
    tokenizer = T5Tokenizer.from_pretrained(directory, extra_ids=6)
    (directory / "spiece.model").unlink()
    return tokenizer


def randomize(model, seed, dtype):
    generator = torch.Generator().manual_seed(seed)
    for name, p in sorted(model.named_parameters()):
        noise = torch.randn(p.shape, generator=generator)
        if p.ndim == 1 and name.endswith("weight"):
            value = 1 + 0.2 * noise
        elif p.ndim == 1:
            value = 0.2 * noise
        elif "embed" in name or "position" in name or "shared" in name or "relative" in name or "tokens" in name:
            value = noise * (0.8 if "relative" in name else 0.4)
        else:
            value = noise * (2.2 if "attn" in name or "Attention" in name else 1.3) / p[0].numel() ** 0.5
        p.data.copy_(value.to(dtype).float())


def build(args, name):
    import transformers as t
    kind, text, vision, qformer, more, dtype = MODELS[name]
    text = dict(text)
    out = args.out / "models" / name / "hf"
    shutil.rmtree(out.parent, ignore_errors=True)
    out.mkdir(parents=True)
    source = args.reference / "models" / ("blip-2" if text["model_type"] == "opt" else "instructblip") / "hf"
    if text["model_type"] == "t5":
        tokenizer = sentencepiece(out, args.rule)
        text["vocab_size"] = len(tokenizer) + 5
    else:
        tokenizer = t.AutoTokenizer.from_pretrained(source)
    config = getattr(t, kind + "Config")(
        vision_config=dict(VISION, **vision), qformer_config=dict(QFORMER, **qformer), text_config=text, num_query_tokens=6)
    if text["model_type"] == "t5":
        config.text_config.bos_token_id = 1
    config._attn_implementation = "eager"
    model = getattr(t, kind + "ForConditionalGeneration")(config).float().eval()
    randomize(model, 11 + more.get("seed", 0), dtype)
    import importlib
    pil = importlib.import_module("transformers.models.blip.image_processing_pil_blip").BlipImageProcessorPil
    side = model.config.vision_config.image_size
    images = pil(size=dict(height=side, width=side), do_convert_rgb=True)
    parts = [images, tokenizer]
    if kind == "InstructBlip":
        parts.append(t.AutoTokenizer.from_pretrained(args.reference / "models/instructblip/hf/qformer_tokenizer"))
    processor = getattr(t, kind + "Processor")(*parts, num_query_tokens=6)
    image_token = processor.tokenizer.convert_tokens_to_ids("<image>")
    model.config.image_token_index = model.config.image_token_id = image_token
    # an end that the searches reach: a token of what is generated without one
    number = first(name)
    picture = Image.open(args.out / "images" / IMAGES[number]).convert("RGB")
    inputs = processor(images=picture, text=TEXTS[number], return_tensors="pt")
    end = generate(model, inputs, 12, eos_token_id=None)[1][5 + more.get("seed", 0)]
    text["eos_token_id"] = model.config.text_config.eos_token_id = end
    model.language_model.generation_config.eos_token_id = end
    save(model, processor, out, kind, text, dtype, more)
    return model, processor, image_token


def save(model, processor, out, kind, text, dtype, more):
    model.config.architectures = [kind + "ForConditionalGeneration"]
    config = json.loads(model.config.to_json_string(use_diff=False))
    config["text_config"] = dict(text)  # as published ones: what is usual is left out
    for section in ("vision_config", "qformer_config"):
        config[section] = {k: config[section][k] for k in [*(VISION if section[0] == "v" else QFORMER), "model_type"]}
    config = {k: config[k] for k in ("architectures", "image_token_index", "model_type", "num_query_tokens", "text_config",
                                     "qformer_config", "vision_config", "use_decoder_only_language_model")}
    processor.tokenizer.save_pretrained(out)
    processor.image_processor.save_pretrained(out)
    if kind == "InstructBlip":
        processor.qformer_tokenizer.save_pretrained(out / "qformer_tokenizer")
    (out / "processor_config.json").write_text(json.dumps({"num_query_tokens": 6, "processor_class": kind + "Processor"}))
    tensors = {k: v.to(dtype).contiguous().clone() for k, v in model.state_dict().items() if not k.endswith("position_ids")}
    if text["model_type"] == "opt" or text.get("tie_word_embeddings"):
        tensors.pop("language_model.lm_head.weight", None)
    if text["model_type"] == "t5":
        tensors = {k: v for k, v in tensors.items() if "coder.embed_tokens" not in k}
        if not text["tie_word_embeddings"]:
            tensors["language_model.lm_head.weight"] = model.language_model.lm_head.weight.data.to(dtype).clone()
    if more.get("old"):
        config.pop("image_token_index")
        (out / "processor_config.json").unlink()
    (out / "config.json").write_text(json.dumps(config, indent=1))
    save_file(tensors, out / "model.safetensors", {"format": "pt"})


def generate(model, inputs, n, **how):
    result = model.generate(**inputs, max_new_tokens=n, do_sample=False, return_dict_in_generate=True, output_scores=True,
                            output_logits=True, **how)
    skip = 1 if model.language_model.config.is_encoder_decoder else inputs.input_ids.shape[1]
    return result, result.sequences[0, skip:].tolist()


def first(name):
    return len(name) % len(TEXTS)


def case(args, name, model, processor, image_token, number):
    text, image = TEXTS[number], IMAGES[number]
    file = args.out / "images" / image
    picture = ImageOps.exif_transpose(Image.open(file)).convert("RGB")
    inputs = processor(images=picture, text=text, return_tensors="pt")
    seen = {}
    model.vision_model.register_forward_hook(lambda m, i, o: seen.__setitem__("vision.last_hidden", o.last_hidden_state))
    model.qformer.register_forward_hook(lambda m, i, o: seen.__setitem__("qformer.last_hidden", o.last_hidden_state))
    model.language_projection.register_forward_hook(lambda m, i, o: seen.__setitem__("projector.out", o[0]))
    result, ids = generate(model, inputs, 12, eos_token_id=None)
    tensors = dict(seen)
    top = torch.stack(result.logits)[:, 0].topk(2).values
    tensors["logits.steps"] = torch.stack(result.logits)[:, 0]
    tensors["pixel_values"] = inputs.pixel_values
    tensors = {k: np.ascontiguousarray(v.float().numpy()) for k, v in tensors.items()}
    description = {
        "model": name, "case": f"case{number}", "images": [image], "prompt": text, "input_ids": inputs.input_ids[0].tolist(),
        "qformer_input_ids": inputs.qformer_input_ids[0].tolist() if "qformer_input_ids" in inputs else None,
        "image_token_id": image_token, "n_image_tokens": 6, "greedy": ids,
        "greedy_margin": [round(float(a - b), 5) for a, b in top], "beams": []}
    for how in BEAMS:
        for n in (8, 16):
            if n < how.get("min_new_tokens", 0):
                continue
            result, ids = generate(model, inputs, n, **how)
            score = result.sequences_scores[0].item() if how["num_beams"] > 1 else None
            description["beams"].append(dict(how, max_new_tokens=n, tokens=ids, score=score))
    out = args.out / "models" / name / "cases" / f"case{number}"
    out.mkdir(parents=True)
    from safetensors.numpy import save_file as save_numpy
    save_numpy(tensors, out / "expected.safetensors")
    (out / "case.json").write_text(json.dumps(description) + "\n")
    print(name, number, description["greedy"], [(b["num_beams"], b["tokens"]) for b in description["beams"]])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in ("reference", "out"):
        parser.add_argument("--" + option, type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(MODELS))
    parser.add_argument("--rule", default="identity")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    for each in arguments.only:
        built = build(arguments, each)
        for i in range(2):
            case(arguments, each, *built, (i + first(each)) % len(TEXTS))
