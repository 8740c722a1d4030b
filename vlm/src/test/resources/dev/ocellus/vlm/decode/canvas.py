"""Positions of MiniCPM-V 4.7 for prompts with images of many shapes, as transformers 5.18 computes them.

    python canvas.py > canvas.jsonl

A prompt is a list: the id of a token, or [columns, lines] of an image's or a slice's embeddings. Tokens are 1 <image>, 2
</image>, 3 <slice>, 4 </slice>, 5 the line end, others text. The result is [time, line, column] of every token and embedding, and the
position of what comes next. Lengths are drawn from a fixed seed.
"""

import json
import random
import types

import torch
from transformers.models.minicpmv4_7.modeling_minicpmv4_7 import MiniCPMV4_7Model as Model

LINE_END = 5


def prompt(draw):
    out = [100 + i for i in range(draw.randint(0, 4))] or [99]
    for _ in range(draw.randint(1, 3)):
        out += [1, [draw.randint(1, 5), draw.randint(1, 5)]]
        if draw.random() < 0.9:
            out.append(2)
        if draw.random() < 0.7:
            columns, lines = draw.randint(1, 3), draw.randint(1, 3)
            size = [draw.randint(1, 4), draw.randint(1, 4)]
            for y in range(lines):
                if y:
                    out.append(LINE_END)
                for _ in range(columns):
                    out += [3, size, 4]
        out += [LINE_END] * draw.choice([0, 0, 1, 2]) + [200 + i for i in range(draw.randint(0, 3))]
    return out + [250]  # an answer begins behind text


def positions(entries):
    ids, types_, grids = [], [], []
    for e in entries:
        n = 1 if isinstance(e, int) else e[0] * e[1]
        ids += [e if isinstance(e, int) else 0] * n
        types_ += [int(not isinstance(e, int))] * n
        if not isinstance(e, int):
            grids.append([4 * e[1], 4 * e[0]])
    config = types.SimpleNamespace(image_start_id=1, image_end_id=2, slice_start_id=3, slice_end_id=4, newline_id=LINE_END,
                                   downsample_mode="16x")
    model = types.SimpleNamespace(config=config, _frame_end_idx=Model._frame_end_idx)
    for name in ("_group_visual_frames", "get_vision_position_ids"):
        setattr(model, name, types.MethodType(getattr(Model, name), model))
    found, delta = Model.get_rope_index(model, torch.tensor([ids]), torch.tensor([types_]), torch.tensor(grids))
    return found[:, 0].T.tolist(), int(delta[0, 0]) + len(ids)


draw = random.Random(47)
for _ in range(60):
    entries = prompt(draw)
    found, following = positions(entries)
    print(json.dumps(dict(prompt=entries, positions=found, next=following), separators=(",", ":")))
