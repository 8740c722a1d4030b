"""Writes gguf/ from model/: the text model (llama, gpt2 tokenizer) and the picture encoder
(clip, projector type mlp, in the tensor naming of llama.cpp's LLaVA converter), both in f16.

    python export_gguf.py [--quantize PATH/TO/llama-quantize]

With --quantize the smaller files are made too.
"""
import argparse
import json
import os
import subprocess

import gguf
import numpy as np
from safetensors.numpy import load_file

NAME = "tiny-shapes-vlm"


def common(w, description, f16):
    w.add_name(NAME)
    w.add_description(description)
    w.add_license("MIT")
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16 if f16 else gguf.LlamaFileType.ALL_F32)


def put(w, name, data, f16):
    w.add_tensor(name, data.astype(np.float16 if f16 and data.ndim >= 2 else np.float32))


def permute(weight, heads):
    """Hugging Face keeps the two halves of a rotary head apart, GGUF interleaves them."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def text_model(model, tensors, config, path, f16=True):
    t = config["text_config"]
    heads, kv = t["num_attention_heads"], t["num_key_value_heads"]
    w = gguf.GGUFWriter(path, "llama")
    common(w, "text model of a tiny vision-language model for coloured shapes, numbers and a few words", f16)
    w.add_context_length(t["max_position_embeddings"])
    w.add_embedding_length(t["hidden_size"])
    w.add_block_count(t["num_hidden_layers"])
    w.add_feed_forward_length(t["intermediate_size"])
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_rope_dimension_count(t["hidden_size"] // heads)
    w.add_rope_freq_base((t.get("rope_parameters") or {}).get("rope_theta", t.get("rope_theta") or 10000.0))
    w.add_layer_norm_rms_eps(t["rms_norm_eps"])
    w.add_vocab_size(t["vocab_size"])

    with open(os.path.join(model, "tokenizer.json"), encoding="utf-8") as f:
        tok = json.load(f)
    special = {a["id"] for a in tok["added_tokens"]}
    vocab = sorted(tok["model"]["vocab"].items(), key=lambda kv: kv[1])
    assert [i for _, i in vocab] == list(range(t["vocab_size"]))
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("gpt-2")
    w.add_token_list([s for s, _ in vocab])
    w.add_token_types([gguf.TokenType.CONTROL if i in special else gguf.TokenType.NORMAL for _, i in vocab])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in tok["model"]["merges"]])
    ids = dict(vocab)
    w.add_bos_token_id(ids["<s>"])
    w.add_eos_token_id(ids["<|im_end|>"])
    w.add_eot_token_id(ids["<|im_end|>"])
    w.add_pad_token_id(ids["</s>"])
    w.add_add_bos_token(False)
    with open(os.path.join(model, "chat_template.jinja"), encoding="utf-8") as f:
        w.add_chat_template(f.read())           # takes content as a string or as parts, so it places the pictures

    put(w, "token_embd.weight", tensors["embed_tokens.weight"], f16)
    put(w, "output_norm.weight", tensors["norm.weight"], f16)
    put(w, "output.weight", tensors["lm_head.weight"], f16)
    for i in range(t["num_hidden_layers"]):
        a, b = f"layers.{i}.", f"blk.{i}."
        put(w, b + "attn_norm.weight", tensors[a + "input_layernorm.weight"], f16)
        put(w, b + "attn_q.weight", permute(tensors[a + "self_attn.q_proj.weight"], heads), f16)
        put(w, b + "attn_k.weight", permute(tensors[a + "self_attn.k_proj.weight"], kv), f16)
        put(w, b + "attn_v.weight", tensors[a + "self_attn.v_proj.weight"], f16)
        put(w, b + "attn_output.weight", tensors[a + "self_attn.o_proj.weight"], f16)
        put(w, b + "ffn_norm.weight", tensors[a + "post_attention_layernorm.weight"], f16)
        for x in ("gate", "up", "down"):
            put(w, b + f"ffn_{x}.weight", tensors[a + f"mlp.{x}_proj.weight"], f16)
    finish(w)


def picture_encoder(model, tensors, config, path, f16=True):
    v = config["vision_config"]
    with open(os.path.join(model, "preprocessor_config.json")) as f:
        p = json.load(f)
    w = gguf.GGUFWriter(path, "clip")
    common(w, "image encoder for LLaVA", f16)
    w.add_bool("clip.has_text_encoder", False)
    w.add_bool("clip.has_vision_encoder", True)
    w.add_bool("clip.has_llava_projector", True)
    w.add_string("clip.projector_type", "mlp")
    w.add_uint32("clip.vision.image_size", v["image_size"])
    w.add_uint32("clip.vision.patch_size", v["patch_size"])
    w.add_uint32("clip.vision.embedding_length", v["hidden_size"])
    w.add_uint32("clip.vision.feed_forward_length", v["intermediate_size"])
    w.add_uint32("clip.vision.projection_dim", config["text_config"]["hidden_size"])
    w.add_uint32("clip.vision.attention.head_count", v["num_attention_heads"])
    w.add_float32("clip.vision.attention.layer_norm_epsilon", v["layer_norm_eps"])
    # the features are the output of this many layers, before the post layer norm
    layer = config["vision_feature_layer"]
    layer = layer if layer >= 0 else v["num_hidden_layers"] + 1 + layer
    w.add_uint32("clip.vision.block_count", layer)
    w.add_array("clip.vision.feature_layer", [layer])
    w.add_array("clip.vision.image_mean", p["image_mean"])
    w.add_array("clip.vision.image_std", p["image_std"])
    w.add_bool("clip.use_gelu", v["hidden_act"] == "gelu")
    w.add_string("clip.vision.image_aspect_ratio", "pad")    # LLaVA's key: to a square in the mean colour, as in training

    put(w, "mm.0.weight", tensors["multi_modal_projector.linear_1.weight"], f16)
    put(w, "mm.0.bias", tensors["multi_modal_projector.linear_1.bias"], f16)
    put(w, "mm.2.weight", tensors["multi_modal_projector.linear_2.weight"], f16)
    put(w, "mm.2.bias", tensors["multi_modal_projector.linear_2.bias"], f16)
    put(w, "v.class_embd", tensors["vision.embeddings.class_embedding"], f16)
    put(w, "v.patch_embd.weight", tensors["vision.embeddings.patch_embedding.weight"], True)
    put(w, "v.position_embd.weight", tensors["vision.embeddings.position_embedding.weight"], f16)
    for x in ("weight", "bias"):
        put(w, "v.pre_ln." + x, tensors["vision.pre_layrnorm." + x], f16)
        for i in range(layer):
            a, b = f"vision.encoder.layers.{i}.", f"v.blk.{i}."
            for theirs, ours in (("layer_norm1", "ln1"), ("layer_norm2", "ln2"), ("self_attn.q_proj", "attn_q"),
                                 ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.out_proj", "attn_out"),
                                 ("mlp.fc1", "ffn_down"), ("mlp.fc2", "ffn_up")):     # the old converter's names: fc1 is "down"
                put(w, b + ours + "." + x, tensors[a + theirs + "." + x], f16)
    finish(w)


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def short(name):
    """Tensor names of all transformers versions to one form."""
    name = name.removeprefix("model.")
    if name.startswith("vision_tower."):
        return "vision." + name.removeprefix("vision_tower.").removeprefix("vision_model.")
    name = name.removeprefix("language_model.")
    return name.removeprefix("model.")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--model", default="model")
    ap.add_argument("--out", default="gguf")
    ap.add_argument("--quantize", help="llama.cpp's llama-quantize")
    args = ap.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with open(os.path.join(args.model, "config.json")) as f:
        config = json.load(f)
    tensors = {short(k): v.astype(np.float32) for k, v in load_file(os.path.join(args.model, "model.safetensors")).items()}
    text = os.path.join(args.out, NAME + "-f16.gguf")
    mmproj = os.path.join(args.out, "mmproj-" + NAME + "-f16.gguf")
    text_model(args.model, tensors, config, text)
    picture_encoder(args.model, tensors, config, mmproj)
    if args.quantize:
        for q in ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M", "Q2_K"):
            subprocess.run([args.quantize, text, text.replace("f16", q), q], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for q in ("Q8_0", "Q4_0"):
            subprocess.run([args.quantize, mmproj, mmproj.replace("f16", q), q], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for f in sorted(os.listdir(args.out)):
        print(f"{os.path.getsize(os.path.join(args.out, f)):>9}  {f}")


if __name__ == "__main__":
    main()
