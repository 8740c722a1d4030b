"""Writes torch-blocks.txt: what PyTorch computes for the tests of blocks.

Weights are fractions that are exact in both languages; see fractions() in BlocksTest.
"""
import math
import pathlib

import torch
import torch.nn.functional as F


def fractions(*shape, step=37, divisor=32):
    n = math.prod(shape)
    return (((torch.arange(n) * step) % 101 - 50).float() / divisor).reshape(shape)


lines = []


def case(name, values):
    lines.append(name + " " + " ".join(repr(v) for v in values.contiguous().flatten().tolist()))


WIDTH, HEADS, WIDE, VOCAB, POSITIONS = 16, 2, 32, 11, 8


def weights(shape, step):
    return fractions(*shape, step=step, divisor=256)


def linear(x, n_in, n_out, step):
    return F.linear(x, weights((n_out, n_in), step), weights((n_out,), step + 2))


def norm(x, step):
    return F.layer_norm(x, (WIDTH,), 1 + weights((WIDTH,), step), weights((WIDTH,), step + 2), 1e-5)


def heads(x):
    return x.unflatten(-1, (HEADS, -1)).transpose(-2, -3)


def attention(x, states, mask, step):
    q, k, v = (heads(linear(s, s.shape[-1], WIDTH, step + i)) for i, s in enumerate((x, states, states)))
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return linear(mixed.transpose(-2, -3).flatten(-2), WIDTH, WIDTH, step + 3)


def tower(ids, layers=2):
    """A text tower as CLIP's: causal, pre-norm, quick GELU."""
    n = len(ids)
    x = fractions(VOCAB, WIDTH, step=23)[ids] + fractions(POSITIONS, WIDTH, step=41)[:n]
    mask = torch.full((n, n), float("-inf")).triu(1)
    for layer in range(layers):
        step = 3 + 20 * layer
        normed = norm(x, step)
        x = x + attention(normed, normed, mask, step + 4)
        y = linear(norm(x, step + 8), WIDTH, WIDE, step + 10)
        x = x + linear(y * torch.sigmoid(1.702 * y), WIDE, WIDTH, step + 12)
    return x


case("tower", tower([1, 5, 10, 0, 7, 7]))

# two sequences of 3 queries, states of width 24 and of lengths 5 and 2
states = fractions(2, 5, 24, step=31)
visible = torch.arange(5)[None, None, None, :] < torch.tensor([5, 2])[:, None, None, None]
case("cross", attention(fractions(2, 3, WIDTH), states, visible, 5))

x = fractions(2, 4, 3, 5)  # [batch, channels, height, width]
conv = F.conv2d(x, weights((6, 4, 3, 3), 3), weights((6,), 5), stride=2, padding=1)
case("conv", conv)
case("groupnorm", F.group_norm(x, 2, 1 + weights((4,), 7), weights((4,), 9), 1e-6))
case("upsample", F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weights((4, 4, 3, 3), 11), weights((4,), 13), padding=1))
case("transposed.2", F.conv_transpose2d(x, weights((4, 3, 4, 4), 15), weights((3,), 17), stride=2, padding=1))
case("transposed.3", F.conv_transpose2d(x, weights((4, 3, 4, 4), 15), weights((3,), 17), stride=3))

pathlib.Path(__file__).with_name("torch-blocks.txt").write_text("\n".join(lines) + "\n")
