"""Matrices packed as AutoAWQ and AutoGPTQ pack them, and what they stand for.

    python packed.py quantize/src/test/resources/packed

Needs torch and safetensors. Nothing is imported from the two projects: packing and its inverse are written out here.
"""

import pathlib
import sys

import torch
from safetensors.torch import save_file

AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]


def words(values, bits, order):
    """[rows, n] integers to [rows, n * bits / 32] words; place i of a word holds integer order[i]."""
    per = 32 // bits
    out = torch.zeros(values.shape[0], values.shape[1] // per, dtype=torch.int64)
    for i in range(per):
        out |= values[:, order[i]::per].long() << (bits * i)
    return torch.where(out >= 1 << 31, out - (1 << 32), out).to(torch.int32)


def make(kind, bits, n_in, n_out, groups, shuffled=False, version=1):
    q = torch.randint(0, 1 << bits, (n_in, n_out))
    z = torch.randint(1, 1 << bits, (groups, n_out))
    s = (torch.rand(groups, n_out) * 0.1 + 0.01).half()
    index = torch.arange(n_in) // (n_in // groups)
    if shuffled:
        index = index[torch.randperm(n_in)]
    expected = (s.float()[index] * (q - z[index])).T.contiguous()
    plain = list(range(32 // bits))
    if kind == "awq":
        parts = dict(qweight=words(q, bits, AWQ_ORDER), qzeros=words(z, bits, AWQ_ORDER))
    else:
        parts = dict(qweight=words(q.T.contiguous(), bits, plain).T.contiguous(),
                     qzeros=words(z - 1 if version == 1 else z, bits, plain), g_idx=index.to(torch.int32))
    return dict(parts, scales=s), expected


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(3)
    for name, arguments in {
        "awq": ("awq", 4, 24, 16, 3), "gptq2": ("gptq", 2, 32, 16, 2), "gptq4": ("gptq", 4, 32, 24, 4, True),
        "gptq8": ("gptq", 8, 16, 12, 2), "gptq4v2": ("gptq", 4, 16, 8, 1, False, 2),
    }.items():
        parts, expected = make(*arguments)
        save_file({f"model.layers.0.mlp.up_proj.{k}": v for k, v in parts.items()} | {"model.norm.weight": torch.ones(4)},
                  out / f"{name}.safetensors")
        save_file({"expected": expected}, out / f"{name}.expected.safetensors")


if __name__ == "__main__":
    main()
