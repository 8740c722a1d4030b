"""Writes resize-torch.tsv: SHA-256 of what torchvision makes of drawn noise, for ResizeTest.

Run with torch 2.13 and torchvision 0.28 on a CPU with AVX2:  python make_resize_torch.py > resize-torch.tsv
"""

import numpy as np
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as F
from PIL import Image

from make_resize_golden import SIZES, content_hash, noise

seed = 1
for (width, height), (to_width, to_height) in SIZES + [((640, 427), (4000, 300)), ((2000, 1500), (224, 224))]:
    for mode in ("LANCZOS", "BILINEAR", "BICUBIC"):
        seed += 1
        planes = torch.from_numpy(np.asarray(noise(width, height, seed)).transpose(2, 0, 1).copy())
        try:
            out = F.resize(planes, [to_height, to_width], interpolation=getattr(InterpolationMode, mode), antialias=True)
        except RuntimeError:  # a fault of PyTorch with results of one pixel's width
            continue
        image = Image.fromarray(out.numpy().transpose(1, 2, 0).copy(), "RGB")
        print(width, height, seed, mode, to_width, to_height, content_hash(image), sep="\t")
