"""InternViT-6B as InternVL 1.5 to 3 have it: RMS norms, queries and keys normed across all heads, no q, k, v biases."""

import torch
from transformers import AutoTokenizer, InternVLConfig, InternVLForConditionalGeneration, InternVLProcessor
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

import golden

NAME = "internvl-6b"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
TEXT = dict(model_type="qwen2", architectures=["Qwen2ForCausalLM"], vocab_size=512, hidden_size=32, num_hidden_layers=2,
            num_attention_heads=2, num_key_value_heads=1, intermediate_size=64, max_position_embeddings=32768,
            rms_norm_eps=1e-6, rope_theta=1000000.0, hidden_act="silu", tie_word_embeddings=False)


def chat_names(state):
    """The names of the published InternVLChat checkpoints."""
    out = {}
    for name, t in state.items():
        if name.startswith("model.language_model."):
            out[name.replace("model.language_model.", "language_model.model.")] = t
        elif name == "lm_head.weight":
            out["language_model.lm_head.weight"] = t
        elif name.startswith("model.multi_modal_projector."):
            part = name.removeprefix("model.multi_modal_projector.")
            for new, old in (("0", "layer_norm"), ("1", "linear_1"), ("3", "linear_2")):
                part = part.replace(old, new)
            out["mlp1." + part] = t
        else:
            part = name.removeprefix("model.vision_tower.")
            for new, old in (("embeddings.class_embedding", "embeddings.cls_token"),
                             ("embeddings.position_embedding", "embeddings.position_embeddings"),
                             ("embeddings.patch_embedding", "embeddings.patch_embeddings.projection"),
                             ("encoder.layers.", "encoder.layer."), ("attn.proj.", "attention.projection_layer."),
                             ("attn.", "attention."), ("norm1", "layernorm_before"), ("norm2", "layernorm_after"),
                             ("ls1", "lambda_1"), ("ls2", "lambda_2")):
                part = part.replace(old, new)
            if ".q_proj." in part:
                part = part.replace("q_proj", "qkv")
                t = torch.cat([t, state[name.replace("q_proj", "k_proj")], state[name.replace("q_proj", "v_proj")]])
            elif ".k_proj." in part or ".v_proj." in part:
                continue
            out["vision_model." + part] = t
    return out


def main():
    args = golden.arguments()
    tokenizer_dir = args.tokenizers / "internvl" / "hf"
    vision = dict(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=48, image_size=[28, 28],
                  patch_size=[7, 7], norm_type="rms_norm", use_qk_norm=True, attention_bias=False, hidden_act="gelu",
                  layer_norm_eps=1e-6, use_mean_pooling=True, hidden_dropout_prob=0.0)
    config = InternVLConfig(vision_config=vision, text_config=TEXT, image_token_id=485, image_seq_length=4,
                            downsample_ratio=0.5, tie_word_embeddings=False)
    config._attn_implementation = "eager"
    model = InternVLForConditionalGeneration(config).float().eval()
    golden.randomize(model, 6)
    chat = chat_names(model.state_dict())
    chat_config = dict(architectures=["InternVLChatModel"], model_type="internvl_chat", downsample_ratio=0.5,
                       force_image_size=28, llm_config=TEXT, max_dynamic_patch=12, min_dynamic_patch=1, ps_version="v2",
                       select_layer=-1, template="internvl2_5", use_thumbnail=True,
                       vision_config=dict(architectures=["InternVisionModel"], model_type="intern_vit_6b",
                                          norm_type="rms_norm", qk_normalization=True, qkv_bias=False, hidden_act="gelu",
                                          hidden_size=32, image_size=28, intermediate_size=48, layer_norm_eps=1e-6,
                                          num_attention_heads=2, num_channels=3, num_hidden_layers=4, patch_size=7))
    gguf = args.out / NAME / "gguf"
    golden.convert(args, chat_config, chat, tokenizer_dir, gguf / "text.gguf", "qwen2")
    golden.convert(args, chat_config, chat, tokenizer_dir, gguf / "mmproj.gguf", "qwen2", mmproj=True,
                   preprocessor=dict(image_mean=MEAN, image_std=STD))
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_dir)
    images = GotOcr2ImageProcessorPil(size=dict(height=28, width=28), crop_to_patches=True, min_patches=1,
                                      max_patches=12, image_mean=MEAN, image_std=STD)
    InternVLProcessor.check_argument_for_proper_class = lambda self, name, argument: None  # no video processor
    processor = InternVLProcessor(images, tokenizer, None, image_seq_length=4, chat_template=tokenizer.chat_template)

    def projected(model, inputs):
        return model.get_image_features(pixel_values=inputs.pixel_values).pooler_output.flatten(0, 1)

    for name, pictures, text in (("tiles", ["odd_97x61.png"], "Describe the image."),
                                 ("two", ["shapes_64x64.png", "exact_56x56.png"], "Compare the two images.")):
        golden.run_case(args, NAME, name, model, processor, pictures, text, projected, MEAN, STD)


main()
