"""PaliGemma (Gemma) and PaliGemma 2 (Gemma 2, with a window and capped logits)."""

import json
import pathlib
import tempfile

import torch
import transformers.models.paligemma.processing_paligemma as processing
from transformers import AutoTokenizer, PaliGemmaConfig, PaliGemmaForConditionalGeneration
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

import golden

HALF = [0.5, 0.5, 0.5]
VISION = dict(model_type="siglip_vision_model", hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
              intermediate_size=48, image_size=28, patch_size=7, hidden_act="gelu_pytorch_tanh", vision_use_head=False,
              projection_dim=32)
TEXT = dict(vocab_size=512, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=16,
            intermediate_size=64, max_position_embeddings=8192, rms_norm_eps=1e-6, rope_theta=10000.0,
            hidden_act="gelu_pytorch_tanh", hidden_activation="gelu_pytorch_tanh", tie_word_embeddings=True,
            bos_token_id=482, eos_token_id=481, pad_token_id=480)


def mmproj(out, state):
    """SigLIP under the names that llama.cpp's converters give it for Gemma 3, and the linear map as mm.model.fc."""
    metadata = {
        "clip.use_gelu": True, "clip.vision.image_size": VISION["image_size"],
        "clip.vision.patch_size": VISION["patch_size"], "clip.vision.embedding_length": VISION["hidden_size"],
        "clip.vision.feed_forward_length": VISION["intermediate_size"], "clip.vision.projection_dim": 32,
        "clip.vision.block_count": VISION["num_hidden_layers"],
        "clip.vision.attention.head_count": VISION["num_attention_heads"],
        "clip.vision.attention.layer_norm_epsilon": 1e-6, "clip.vision.image_mean": HALF, "clip.vision.image_std": HALF,
    }
    tensors = {}
    for name, t in state.items():
        name = name.removeprefix("model.")
        if name.startswith("multi_modal_projector.linear."):
            tensors[name.replace("multi_modal_projector.linear", "mm.model.fc")] = t
        elif name.startswith("vision_tower."):
            name = name.removeprefix("vision_tower.").removeprefix("vision_model.")
            for old, new in (("encoder.layers", "blk"), ("embeddings.", ""), ("embedding", "embd"), ("_proj", ""),
                             ("self_attn.", "attn_"), ("post_layernorm", "post_ln"), ("layer_norm", "ln"),
                             ("mlp.fc1", "ffn_up"), ("mlp.fc2", "ffn_down")):
                name = name.replace(old, new)
            tensors["v." + name] = t
    golden.mmproj(out, "paligemma", metadata, tensors)


def make(args, name, text, seed, tokenizer_dir):
    config = PaliGemmaConfig(vision_config=dict(VISION), text_config=dict(text), image_token_id=489, projection_dim=32,
                             hidden_size=32, vocab_size=512)
    config._attn_implementation = "eager"
    model = PaliGemmaForConditionalGeneration(config).float().eval()
    norms = {n for n, p in model.named_parameters() if "language_model" in n and n.endswith("norm.weight")}
    golden.randomize(model, seed, centred_at_zero=norms)  # Gemma adds 1 to them
    for layer in model.model.language_model.layers:  # or the next token were the last one again, whatever it sees
        for linear in (layer.self_attn.v_proj, layer.self_attn.o_proj, layer.mlp.up_proj, layer.mlp.down_proj):
            linear.weight.mul_(3)
        layer.self_attn.q_proj.weight.mul_(2)
    model.model.language_model.embed_tokens.weight.mul_(0.25)
    state = model.state_dict()
    gguf = args.out / name / "gguf"
    language = {n.removeprefix("model.language_model."): t for n, t in state.items() if "language_model" in n}
    golden.convert(args, text, {"model." + n: t for n, t in language.items()}, tokenizer_dir, gguf / "text.gguf", "gpt-2",
                   byte_pairs=True)
    mmproj(gguf / "mmproj.gguf", state)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    tokenizer.image_token, tokenizer.image_token_id = "<image>", 489
    processing.EXTRA_TOKENS = []  # places and segments, which are part of the published vocabulary
    images = SiglipImageProcessorPil(size=dict(height=28, width=28), image_mean=HALF, image_std=HALF, resample=3)
    images.image_seq_length = 16
    processor = processing.PaliGemmaProcessor(images, tokenizer)

    def projected(model, inputs):
        # the language model of transformers scales the embeddings of tokens only, llama.cpp's whatever comes in
        return model.get_image_features(inputs.pixel_values).pooler_output.flatten(0, 1) / 32 ** 0.5

    for case, pictures, question in (("one", ["odd_97x61.png"], "describe en"),
                                     ("two", ["shapes_64x64.png", "alpha_128x96.png"], "answer en which is red")):
        golden.run_case(args, name, case, model, processor, [pictures], question, projected, HALF, HALF,
                        prompt="<image>" * len(pictures) + question,
                        shown="<image>" * len(pictures) + "<bos>" + question + "\n")


def main():
    args = golden.arguments()
    with tempfile.TemporaryDirectory() as d:
        d = pathlib.Path(d)
        source = args.tokenizers / "gemma3" / "hf"
        tokenizer = json.loads((source / "tokenizer.json").read_text())
        config = json.loads((source / "tokenizer_config.json").read_text())
        image = dict(content="<image>", lstrip=False, normalized=False, rstrip=False, single_word=False, special=True)
        tokenizer["added_tokens"].append(dict(id=489, **image))
        config["added_tokens_decoder"]["489"] = image
        config = {k: v for k, v in config.items() if k not in ("chat_template", "image_token", "extra_special_tokens")}
        (d / "tokenizer.json").write_text(json.dumps(tokenizer))
        (d / "tokenizer_config.json").write_text(json.dumps(config))
        for file in ("vocab.json", "merges.txt", "special_tokens_map.json"):
            if (source / file).exists():
                (d / file).write_text((source / file).read_text())
        make(args, "paligemma", dict(model_type="gemma", architectures=["GemmaForCausalLM"], **TEXT), 3, d)
        make(args, "paligemma2", dict(model_type="gemma2", architectures=["Gemma2ForCausalLM"], query_pre_attn_scalar=16,
                                      sliding_window=4096, attn_logit_softcapping=50.0, final_logit_softcapping=30.0,
                                      **TEXT), 4, d)


main()
