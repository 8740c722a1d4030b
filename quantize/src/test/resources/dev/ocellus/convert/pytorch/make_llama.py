"""Writes the llama of CheckpointBuilder, whose elements are their indices, as PyTorch saves it. Run by hand: python make_llama.py"""

import collections
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
LAYER = "model.layers.0."
SHAPES = {
    "model.embed_tokens.weight": (16, 8), "lm_head.weight": (16, 8), "model.norm.weight": (8,),
    LAYER + "input_layernorm.weight": (8,), LAYER + "post_attention_layernorm.weight": (8,),
    LAYER + "self_attn.q_proj.weight": (8, 8), LAYER + "self_attn.k_proj.weight": (4, 8), LAYER + "self_attn.v_proj.weight": (4, 8),
    LAYER + "self_attn.o_proj.weight": (8, 8), LAYER + "mlp.gate_proj.weight": (12, 8), LAYER + "mlp.up_proj.weight": (12, 8),
    LAYER + "mlp.down_proj.weight": (8, 12),
}


def main():
    state = collections.OrderedDict()
    for name, shape in SHAPES.items():
        count = torch.Size(shape).numel()
        state[name] = torch.arange(count, dtype=torch.float32).reshape(shape)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]  # the same storage
    for name in (LAYER + "self_attn.q_proj.weight", LAYER + "mlp.down_proj.weight"):
        state[name] = state[name].t().contiguous().t()  # columns first
    state[LAYER + "self_attn.rotary_emb.inv_freq"] = torch.ones(2)  # a buffer of older versions
    torch.save(state, HERE / "llama.bin")
    torch.save({"model": {"module." + k: v for k, v in state.items()}, "epoch": 1}, HERE / "llama-legacy.pth", _use_new_zipfile_serialization=False)
    names = sorted(state)  # conversion keeps the order of files
    for i in range(2):
        torch.save({k: state[k] for k in names[7 * i:7 * i + 7]}, HERE / f"llama-{i + 1}.bin")
    query = "base_model.model.model.layers.0.self_attn.q_proj."
    torch.save({query + "lora_A.weight": torch.ones(2, 8), query + "lora_B.weight": torch.ones(8, 2)}, HERE / "adapter.bin")


main()
