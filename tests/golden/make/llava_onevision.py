"""LLaVA-OneVision with canvases of up to 16 tiles and no more than 3 tiles' worth of rows, so that grids are made smaller."""

import json

import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, LlavaOnevisionProcessor
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil

import golden

NAME = "llava-onevision"
HALF = [0.5, 0.5, 0.5]


def mmproj(out, config, preprocessor, state):
    """The names of llama.cpp's legacy LLaVA script."""
    vision = config["vision_config"]
    n_layer = vision["num_hidden_layers"] + 1 + config.get("vision_feature_layer", -1)
    metadata = {
        "clip.has_text_encoder": False, "clip.has_llava_projector": True, "clip.use_gelu": False,
        "clip.vision.image_size": vision["image_size"], "clip.vision.patch_size": vision["patch_size"],
        "clip.vision.embedding_length": vision["hidden_size"], "clip.vision.feed_forward_length": vision["intermediate_size"],
        "clip.vision.projection_dim": 0, "clip.vision.attention.head_count": vision["num_attention_heads"],
        "clip.vision.attention.layer_norm_epsilon": vision.get("layer_norm_eps", 1e-6),
        "clip.vision.block_count": n_layer, "clip.vision.feature_layer": [n_layer],
        "clip.vision.image_grid_pinpoints": [side for size in config["image_grid_pinpoints"] for side in size],
        "clip.vision.image_aspect_ratio": config["vision_aspect_ratio"],
        "clip.vision.mm_patch_merge_type": "spatial_unpad",
        "clip.vision.image_mean": preprocessor["image_mean"], "clip.vision.image_std": preprocessor["image_std"],
    }
    tensors = {}
    for name, t in state.items():
        name = name.removeprefix("model.")
        if name == "image_newline":
            tensors["model.image_newline"] = t
        elif name.startswith("multi_modal_projector."):
            tensors[name.replace("multi_modal_projector.linear_1", "mm.0").replace("multi_modal_projector.linear_2", "mm.2")] = t
        elif name.startswith("vision_tower.") and "post_layernorm" not in name and ".head." not in name:
            name = name.removeprefix("vision_tower.").removeprefix("vision_model.")
            for old, new in (("encoder.layers", "blk"), ("embeddings.", ""), ("embedding", "embd"), ("_proj", ""),
                             ("self_attn.", "attn_"), ("layer_norm", "ln"), ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up")):
                name = name.replace(old, new)
            tensors["v." + name] = t
    golden.mmproj(out, "mlp", metadata, {k: t.float() for k, t in tensors.items()})


def from_checkpoint(args, directory):
    """GGUF files of an existing checkpoint, into its directory under --out."""
    config = json.loads((directory / "config.json").read_text())
    state = load_file(directory / "model.safetensors")
    gguf = args.out / NAME / "gguf"
    language = {k.removeprefix("language_model."): v for k, v in state.items() if k.startswith("language_model.")}
    golden.convert(args, config["text_config"], language, directory, gguf / "text.gguf", "qwen2")
    mmproj(gguf / "mmproj.gguf", config, json.loads((directory / "preprocessor_config.json").read_text()), state)


def main():
    args = golden.arguments()
    tokenizer_dir = args.tokenizers / NAME / "hf"
    if args.checkpoint:
        return from_checkpoint(args, args.checkpoint)
    pinpoints = [[28 * h, 28 * w] for h in range(1, 5) for w in range(1, 5)]
    config = dict(
        architectures=["LlavaOnevisionForConditionalGeneration"], model_type="llava_onevision", image_token_index=483,
        video_token_index=484, image_grid_pinpoints=pinpoints, vision_aspect_ratio="anyres_max_3", vision_feature_layer=-1,
        vision_feature_select_strategy="full", tie_word_embeddings=False,
        vision_config=dict(model_type="siglip_vision_model", hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
                           intermediate_size=48, image_size=28, patch_size=7, hidden_act="gelu_pytorch_tanh",
                           vision_use_head=False),
        text_config=dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"], vocab_size=512, hidden_size=32,
                         num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, intermediate_size=64,
                         max_position_embeddings=32768, rms_norm_eps=1e-6, rope_theta=1000000.0, hidden_act="silu",
                         tie_word_embeddings=False))
    hf = LlavaOnevisionConfig(**json.loads(json.dumps(config)))
    hf._attn_implementation = "eager"
    model = LlavaOnevisionForConditionalGeneration(hf).float().eval()
    golden.randomize(model, 9)
    state = model.state_dict()
    gguf = args.out / NAME / "gguf"
    language = {k.removeprefix("model.language_model."): v for k, v in state.items() if "language_model." in k}
    language = {"model." + k: v for k, v in language.items()} | {"lm_head.weight": state["lm_head.weight"]}
    golden.convert(args, config["text_config"], language, tokenizer_dir, gguf / "text.gguf", "qwen2")
    mmproj(gguf / "mmproj.gguf", config, dict(image_mean=HALF, image_std=HALF), state)
    images = LlavaOnevisionImageProcessorPil(size=dict(height=28, width=28), image_grid_pinpoints=pinpoints,
                                             image_mean=HALF, image_std=HALF)
    template = json.loads((tokenizer_dir / "chat_template.json").read_text())["chat_template"]
    LlavaOnevisionProcessor.check_argument_for_proper_class = lambda self, name, argument: None  # no video processor
    processor = LlavaOnevisionProcessor(images, AutoTokenizer.from_pretrained(tokenizer_dir), None, num_image_tokens=16,
                                        vision_feature_select_strategy="full", chat_template=template,
                                        vision_aspect_ratio="anyres_max_3")

    def projected(model, inputs):
        return torch.cat(model.get_image_features(**{k: inputs[k] for k in ("pixel_values", "image_sizes", "batch_num_images")}).pooler_output)

    def tiles(inputs):
        """Without the zeros that fill up pictures of fewer tiles."""
        values = inputs.pixel_values.flatten(0, 1)
        return values[values.abs().amax(dim=(1, 2, 3)) > 0]

    for name, pictures, question in (("smaller", ["odd_97x61.png"], "Describe the image."),
                                     ("two", ["shapes_64x64.png", "exact_112x56.png"], "Compare the two images.")):
        golden.run_case(args, NAME, name, model, processor, pictures, question, projected, HALF, HALF, pixels=tiles)


main()
