"""Writes golden.safetensors with torch and the safetensors package: python make_golden.py"""

from pathlib import Path

import torch
from safetensors.torch import save_file

x = torch.tensor([[1.0, -2.0, 0.5], [3.25, 0.0, 1e-3]])
save_file(
    {
        "f32": x,
        "f16": x.to(torch.float16),
        "bf16": x.to(torch.bfloat16),
        "f64": x.to(torch.float64),
        "i64": torch.tensor([1, -(2**62)]),
        "i32": torch.tensor([-7], dtype=torch.int32),
        "i16": torch.tensor([-300, 300], dtype=torch.int16),
        "i8": torch.tensor([-128, 127], dtype=torch.int8),
        "u8": torch.tensor([0, 255], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(4.5),
        "empty": torch.zeros(0, 3),
    },
    Path(__file__).with_name("golden.safetensors"),
    metadata={"format": "pt"},
)
