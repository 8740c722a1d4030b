"""Writes torch-operations.txt: what PyTorch computes for the tests of operations.

Values are fractions that are exact in both languages; see fractions() in OperationsTest.
"""
import pathlib

import torch
import torch.nn.functional as F


def fractions(*shape, step=37):
    n = 1
    for size in shape:
        n *= size
    return (((torch.arange(n) * step) % 101 - 50).float() / 32).reshape(shape)


lines = []


def case(name, values):
    lines.append(name + " " + " ".join(repr(v) for v in values.contiguous().flatten().tolist()))


x = fractions(2, 3, 4, 5)  # [batch, channels, height, width]
kernel = fractions(4, 3, 2, 3, step=29)
case("conv2d", F.conv2d(x, kernel, stride=(1, 2), padding=(1, 2)))
case("conv2d.dilated", F.conv2d(x, kernel, padding=1, dilation=(2, 1)))
case("conv2d.depthwise", F.conv2d(x, fractions(3, 1, 3, 2, step=29), padding=(1, 1), groups=3))
case("pool.max", F.max_pool2d(x, (2, 3), stride=(2, 1), padding=(1, 1)))
case("pool.average", F.avg_pool2d(x, (2, 3), stride=(2, 1), padding=(1, 1)))
case("groupnorm", F.group_norm(fractions(2, 6, 2, 3), 3, eps=1e-6))
case("upscale.nearest", F.interpolate(x[:1, :1], scale_factor=3, mode="nearest"))
for name, arguments in {
    "BILINEAR": dict(mode="bilinear"),
    "BILINEAR_ALIGN_CORNERS": dict(mode="bilinear", align_corners=True),
    "BILINEAR_ANTIALIAS": dict(mode="bilinear", antialias=True),
    "BICUBIC": dict(mode="bicubic"),
    "BICUBIC_ALIGN_CORNERS": dict(mode="bicubic", align_corners=True),
}.items():
    case("larger." + name, F.interpolate(x[:1, :1], size=(7, 11), **arguments))
    case("smaller." + name, F.interpolate(x[:1, :1], size=(2, 3), **arguments))

rows = fractions(3, 8)
case("silu", F.silu(rows))
case("gelu", F.gelu(rows))
case("gelu.tanh", F.gelu(rows, approximate="tanh"))
case("gelu.quick", rows * torch.sigmoid(1.702 * rows))
case("tanh", torch.tanh(rows))
case("leakyRelu", F.leaky_relu(rows, 0.2))
case("l2norm", F.normalize(rows, dim=-1))
case("softmax.mask", torch.softmax(0.5 * rows + torch.tensor([0.0] * 5 + [float("-inf")] * 3), -1))


def attention(nq, nk, mask, heads=2, kv_heads=1, width=16):
    q, k, v = fractions(1, heads, nq, width), fractions(1, kv_heads, nk, width, step=29), fractions(1, kv_heads, nk, width, step=31)
    return F.scaled_dot_product_attention(q, k.expand(-1, heads, -1, -1), v.expand(-1, heads, -1, -1), attn_mask=mask)


causal = torch.full((3, 5), float("-inf")).triu(3)
case("attention.causal", attention(3, 5, causal))

pathlib.Path(__file__).with_name("torch-operations.txt").write_text("\n".join(lines) + "\n")
