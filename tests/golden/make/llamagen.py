"""Writes tests/golden/generation/llamagen and lightning: class-conditional drawing, and a VQGAN as a training run leaves it.

    python llamagen.py REFERENCE_DIR OUT     (REFERENCE_DIR: golden data with images)

torch 2.13, transformers 5.18, Pillow 12; float32, one thread. Neither project is in a library. LlamaGen's transformer
(arXiv:2406.06525, autoregressive/models/gpt.py) is restated: LLaMA's blocks, rotary positions over rows and columns, a row for
the class whose rotation is zero, and guidance of the logits. Its VQ model has the layers of transformers' Janus class, under the
names of its authors. taming's names and its lookup are those of generation.py; the rest of the checkpoint is what PyTorch
Lightning 1.0 keeps: the class of a callback as a key, states of two optimizers, a metric as a number of numpy.
"""
import json, os, shutil, sys, types

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from transformers.models.janus.configuration_janus import JanusVQVAEConfig
from transformers.models.janus.modeling_janus import JanusVQVAE

torch.set_num_threads(1)
REFERENCE, OUT = sys.argv[1] + "/", sys.argv[2] + "/"
IMAGE = "odd_97x61.png"


def folder(name):
    d = OUT + name + "/hf/"
    shutil.rmtree(OUT + name, ignore_errors=True)
    os.makedirs(d)
    return d


def randomize(model, seed, gain):
    g = torch.Generator().manual_seed(seed)
    for n, p in model.named_parameters():
        x = torch.randn(p.shape, generator=g)
        if p.dim() == 1:
            x = x * 0.1 + (1 if n.endswith("weight") else 0)
        elif not n.endswith(("embeddings.weight", "embedding_table.weight", "embedding.weight")):
            x = x * gain * 1.3 / max(1, p[0].numel()) ** 0.5
        p.data.copy_(x.half().float())
    return model.eval()


def halves(tensors):
    return {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}


def picture(width, height):
    image = ImageOps.exif_transpose(Image.open(REFERENCE + "images/" + IMAGE)).convert("RGB").resize((width, height), Image.BICUBIC)
    return torch.from_numpy(np.asarray(image).astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


def expected(name, values, **words):
    save_file({k: torch.as_tensor(v).contiguous() for k, v in values.items()}, OUT + name + "/expected.safetensors")
    json.dump(dict(image=IMAGE, **words), open(OUT + name + "/expected.json", "w"), indent=1)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Attention(nn.Module):
    def __init__(self, width, heads, kv_heads):
        super().__init__()
        self.head, self.heads, self.kv_heads = width // heads, heads, kv_heads
        self.wqkv = nn.Linear(width, (heads + 2 * kv_heads) * self.head, bias=False)
        self.wo = nn.Linear(width, width, bias=False)

    def forward(self, x, rotation):
        b, n, width = x.shape
        q, k, v = self.wqkv(x).split([width, self.kv_heads * self.head, self.kv_heads * self.head], -1)
        q, k, v = (t.view(b, n, -1, self.head) for t in (q, k, v))
        q, k, v = (t.transpose(1, 2) for t in (turned(q, rotation), turned(k, rotation), v))
        k, v = (t.repeat_interleave(self.heads // self.kv_heads, 1) for t in (k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.wo(mixed.transpose(1, 2).reshape(b, n, width))


def turned(x, rotation):
    """Neighbours are a complex number; its turn is one too, and zero for the class."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2).contiguous())
    return torch.view_as_real(pairs * rotation[None, :, None]).flatten(3)


def rotations(side, head):
    quarter = head // 4
    speed = 1.0 / 10000 ** (torch.arange(0, head // 2, 2)[:quarter].float() / (head // 2))
    angle = torch.outer(torch.arange(side), speed)
    grid = torch.cat([angle[:, None].expand(-1, side, -1), angle[None].expand(side, -1, -1)], -1).flatten(0, 1)
    return torch.cat([torch.zeros(1, head // 2, dtype=torch.complex64), torch.complex(grid.cos(), grid.sin())])


class FeedForward(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.w1, self.w3 = nn.Linear(width, inner, bias=False), nn.Linear(width, inner, bias=False)
        self.w2 = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class Block(nn.Module):
    def __init__(self, width, heads, kv_heads, inner):
        super().__init__()
        self.attention, self.feed_forward = Attention(width, heads, kv_heads), FeedForward(width, inner)
        self.attention_norm, self.ffn_norm = Norm(width), Norm(width)

    def forward(self, x, rotation):
        x = x + self.attention(self.attention_norm(x), rotation)
        return x + self.feed_forward(self.ffn_norm(x))


class Classes(nn.Module):
    def __init__(self, count, width):
        super().__init__()
        self.embedding_table = nn.Embedding(count + 1, width)


class Transformer(nn.Module):
    def __init__(self, width, heads, kv_heads, inner, layers, codes, classes, side):
        super().__init__()
        self.cls_embedding, self.tok_embeddings = Classes(classes, width), nn.Embedding(codes, width)
        self.layers = nn.ModuleList(Block(width, heads, kv_heads, inner) for _ in range(layers))
        self.norm, self.output = Norm(width), nn.Linear(width, codes, bias=False)
        self.rotation, self.classes, self.places = rotations(side, width // heads), classes, side * side

    def forward(self, start, codes):
        """Logits behind the class and each code."""
        x = torch.cat([self.cls_embedding.embedding_table(start)[:, None], self.tok_embeddings(codes)], 1)
        for layer in self.layers:
            x = layer(x, self.rotation[:x.shape[1]])
        return self.output(self.norm(x))

    def draw(self, number, guidance):
        start = torch.tensor([number, self.classes])
        codes, rows, least = torch.zeros(2, 0, dtype=torch.long), [], 1e9
        for _ in range(self.places):
            seen, unseen = self(start, codes)[:, -1]
            logits = unseen + (seen - unseen) * guidance
            top = logits.topk(2).values
            least = min(least, (top[0] - top[1]).item())
            rows.append(logits)
            codes = torch.cat([codes, logits.argmax().expand(2)[:, None]], 1)
        return codes[0], torch.stack(rows), least


def vq(seed, codes, patches):
    config = JanusVQVAEConfig(base_channels=32, channel_multiplier=[1, 1], num_res_blocks=1, latent_channels=16, embed_dim=8,
                              num_embeddings=codes, num_patches=patches)
    return randomize(JanusVQVAE(config), seed, 1.0)


def llamagen_name(name):
    parts = name.split(".")
    if parts[0] in ("encoder", "decoder"):
        if parts[1] in ("down", "up"):
            parts[1] = "conv_blocks"
            parts[3] = {"block": "res"}.get(parts[3], parts[3])
        elif parts[1] == "mid":
            parts[2] = {"block_1": "0", "attn_1": "1", "block_2": "2"}[parts[2]]
    return ".".join(parts)


@torch.no_grad()
def llamagen(name, seed, side, config, **sizes):
    codes, classes = 40, 5
    model = vq(seed, codes, side)
    transformer = randomize(Transformer(codes=codes, classes=classes, side=side, layers=2, **sizes), seed + 1, 2.0)
    d = folder(name)
    torch.save({"model": halves({llamagen_name(k): v for k, v in model.state_dict().items()})}, d + "vq_ds2_c2i.pt")
    torch.save({"model": halves(transformer.state_dict()), "steps": 7}, d + "c2i_T_%d.pt" % (2 * side))
    if config:
        json.dump(config, open(d + "config.json", "w"))
    latents = model.quant_conv(model.encoder(picture(2 * side, 2 * side)))
    flat = F.normalize(latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]), dim=-1)
    values = {"latents": latents, "codes": torch.cdist(flat, F.normalize(model.quantize.embedding.weight, dim=-1)).argmin(1).int()}
    for guidance in (1.0, 2.5):
        drawn, rows, least = transformer.draw(3, guidance)
        print(name, guidance, "margin", least, drawn.tolist())
        key = "guided" if guidance > 1 else "plain"
        values |= {key + ".codes": drawn.int(), key + ".decoded": model.decode(drawn[None])}
    for key, number in (("class", 2), ("none", classes)):
        logits = transformer(torch.tensor([number]), drawn[None, :-1])[0]
        values["terms." + key] = logits.double().log_softmax(-1).gather(1, drawn[:, None])[:, 0].float()
    expected(name, values, guidance=2.5, number=3, scored=2, size=2 * side)


@torch.no_grad()
def lightning():
    config = JanusVQVAEConfig(base_channels=32, channel_multiplier=[1, 1], num_res_blocks=1, latent_channels=8, embed_dim=6,
                              num_embeddings=24, num_patches=4)
    model = randomize(JanusVQVAE(config), 61, 1.0)
    x = picture(16, 12)
    latents = model.quant_conv(model.encoder(x))
    codes = model.quantize(latents)[2]
    rows = model.quantize.embedding(codes).view(1, 6, 8, 6).permute(0, 3, 1, 2)
    tensors = {}
    for k, v in model.state_dict().items():
        parts = k.split(".")
        if parts[:2] == ["decoder", "up"]:
            parts[2] = str(1 - int(parts[2]))
        tensors[".".join(parts)] = v
    tensors["loss.discriminator.main.0.weight"] = torch.randn(2, 3, 4, 4)
    callbacks = types.ModuleType("pytorch_lightning.callbacks.model_checkpoint")
    callbacks.ModelCheckpoint = type("ModelCheckpoint", (), {"__module__": callbacks.__name__})
    for module in ("pytorch_lightning", "pytorch_lightning.callbacks"):
        sys.modules[module] = types.ModuleType(module)
    sys.modules[callbacks.__name__] = callbacks
    d = folder("lightning")
    states = [{"state": {0: {"step": 5, "exp_avg": torch.ones(3)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}]
    torch.save({"epoch": 4, "global_step": 100, "pytorch-lightning_version": "1.0.8",
                "callbacks": {callbacks.ModelCheckpoint: {"best_model_score": np.float64(0.5), "best_model_path": "x.ckpt"}},
                "optimizer_states": states, "lr_schedulers": [], "state_dict": halves(tensors)}, d + "last.ckpt")
    open(d + "config.yaml", "w").write("""model:
  base_learning_rate: 4.5e-06
  target: taming.models.vqgan.VQModel
  params:
    embed_dim: 6
    n_embed: 24
    ddconfig: &widths
      double_z: false
      z_channels: 8
      resolution: 16   # pixels
      in_channels: 3
      out_ch: 3
      ch: 32
      ch_mult: [1, 1]
      num_res_blocks: 1
      attn_resolutions: [8]
      dropout: 0.0
    lossconfig:
      target: taming.modules.losses.vqperceptual.VQLPIPSWithDiscriminator
""")
    expected("lightning", {"latents": latents, "codes": codes.int().view(1, -1),
                           "decoded": model.decoder(model.post_quant_conv(rows))}, width=16, height=12)


llamagen("llamagen", 51, 4, {"model_type": "llamagen", "n_head": 2, "n_kv_head": 1, "image_size": 8}, width=24, heads=2, kv_heads=1, inner=40)
llamagen("llamagen-published", 53, 3, None, width=64, heads=1, kv_heads=1, inner=36)
lightning()
