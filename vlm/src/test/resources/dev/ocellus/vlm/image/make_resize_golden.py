"""Writes resize-golden.tsv: SHA-256 of what Pillow makes of drawn noise, for ResizeTest.

Run with Pillow 12.3 and numpy:  python make_resize_golden.py > resize-golden.tsv
"""

import hashlib
import random
import struct

import numpy as np
from PIL import Image

FILTERS = ["NEAREST", "LANCZOS", "BILINEAR", "BICUBIC", "BOX", "HAMMING"]


def noise(width, height, seed):
    """Same bytes as TestImages.noise in Java."""
    v = np.arange(width * height * 3, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(seed)
    v ^= v >> np.uint32(15)
    v *= np.uint32(0x85EBCA77)
    v ^= v >> np.uint32(13)
    return Image.fromarray((v & np.uint32(255)).astype(np.uint8).reshape(height, width, 3), "RGB")


def content_hash(image):
    return hashlib.sha256(struct.pack(">ii", *image.size) + image.tobytes()).hexdigest()


SIZES = [  # source, result
    ((64, 48), (64, 48)),
    ((64, 48), (32, 24)),
    ((64, 48), (64, 20)),
    ((64, 48), (20, 48)),
    ((64, 48), (128, 96)),
    ((97, 61), (33, 29)),
    ((97, 61), (224, 141)),
    ((97, 61), (1, 1)),
    ((97, 61), (1, 61)),
    ((1, 1), (7, 5)),
    ((1, 1), (1, 1)),
    ((1, 50), (1, 3)),
    ((50, 1), (3, 1)),
    ((2, 3), (100, 77)),
    ((640, 427), (336, 224)),
    ((640, 427), (83, 56)),
    ((333, 500), (56, 84)),
    ((1500, 7), (56, 56)),
    ((7, 699), (20, 30)),
    ((7, 700), (20, 30)),
    ((7, 701), (20, 30)),  # over 100 times as tall as wide: the vertical pass comes first
    ((7, 701), (3, 700)),
    ((7, 701), (3, 701)),
    ((3, 1000), (3, 10)),
    ((3, 1000), (8, 1200)),
    ((1000, 3), (10, 3)),
]


def rows():
    seed = 1
    for (w, h), out in SIZES:
        for name in FILTERS:
            seed += 1
            yield w, h, seed, name, (0.0, 0.0, float(w), float(h)), out
    draw = random.Random(20)
    for i in range(240):
        w, h = draw.randint(1, 160), draw.randint(1, 160)
        if i % 20 == 0:
            w, h = 1 + w % 3, 300 + h
        out = draw.randint(1, 170), draw.randint(1, 170)
        left, top = draw.uniform(0, w * 0.7), draw.uniform(0, h * 0.7)
        right, bottom = draw.uniform(left + 0.2, w), draw.uniform(top + 0.2, h)
        if i % 3 == 0:  # whole pixels, sometimes only a crop
            left, top = int(left), int(top)
            right, bottom = max(left + 1, int(right)), max(top + 1, int(bottom))
            if i % 6 == 0:
                out = right - left, bottom - top
        # Numbers that float32 holds, so that both sides read the same.
        box = tuple(float(np.float32(min(v, m))) for v, m in zip((left, top, right, bottom), (w, h, w, h)))
        yield w, h, 1000 + i, FILTERS[i % 6], box, out


if __name__ == "__main__":
    for w, h, seed, name, box, out in rows():
        result = noise(w, h, seed).resize(out, Image.Resampling[name], box)
        fields = [w, h, seed, name, *(repr(v) for v in box), *out, content_hash(result)]
        print("\t".join(map(str, fields)))
