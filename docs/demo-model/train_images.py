"""Trains the three embedded models that make images, on drawn scenes of one shape each.

    python train_images.py OUT vq        a VQ-VAE: 64 x 64 pixels to 8 x 8 codes of 512, and back
    python train_images.py OUT prior     a prior over these codes, told the colour and the shape
    python train_images.py OUT wgan      a generator and a critic of 32 x 32 pixels (WGAN-GP)

Each step writes a checkpoint in the layout that `ocellus convert` takes; `prior` adds itself to
the one of `vq`. Minutes on one core each. Needs torch, numpy, Pillow, safetensors, transformers.
"""
import argparse
import json
import math
import random
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

import scenes

SIDE = 64
CODES = 512
WIDTH = 16
CLASSES = [c + " " + s for c in scenes.COLORS for s in scenes.SHAPES]
FOOTNOTE = "drawn scenes of docs/demo-model/scenes.py, one shape each"


def make_image(seed, side=SIDE):
    """One shape on a plain background, and the number of its class."""
    rng = random.Random(seed)
    while True:
        name, ends = scenes.make_background(rng)
        scene = {"kind": "scene", "name": name, "ends": (ends[0], ends[0]), "shapes": [], "text": None,
                 "seed": rng.randrange(1 << 30), "aspect": 1.0}
        if scenes.add_shape(rng, scene, [4], 1, False) and scene["shapes"][0]["size"] == "large":
            break
    shape = scene["shapes"][0]
    side3 = 3 * side
    image = Image.new("RGB", (side3, side3), scene["ends"][0])
    points, _ = scenes.outline_points(shape)
    r = shape["radius"] * side3
    from PIL import ImageDraw
    ImageDraw.Draw(image).polygon(
        [(shape["x"] * side3 + x * r, shape["y"] * side3 + y * r) for x, y in points], fill=shape["rgb"])
    image = image.resize((side, side), Image.BOX)
    return np.asarray(image), CLASSES.index(shape["color"] + " " + shape["shape"])


def make_images(count, seed, side=SIDE):
    made = [make_image(seed * 1000003 + i, side) for i in range(count)]
    pixels = torch.from_numpy(np.stack([m[0] for m in made])).permute(0, 3, 1, 2)
    return pixels, torch.tensor([m[1] for m in made])


def to_float(pixels):
    return pixels.float() / 127.5 - 1


# --------------------------------------------------------------------------- VQ-VAE

class Residual(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(width, inner, 3, padding=1), nn.Conv2d(inner, width, 1)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class VqVae(nn.Module):
    """arXiv:1711.00937: strided convolutions, residual blocks, the nearest of a table of vectors."""

    def __init__(self, widths=(24, 40, 48), inner=24, blocks=2, codes=CODES, width=WIDTH):
        super().__init__()
        last = widths[-1]
        ins = (3,) + tuple(widths[:-1])
        self.encoder = nn.ModuleDict({
            "down": nn.ModuleList(nn.Conv2d(i, o, 4, 2, 1) for i, o in zip(ins, widths)),
            "mid": nn.Conv2d(last, last, 3, padding=1),
            "res": nn.ModuleList(Residual(last, inner) for _ in range(blocks)),
            "out": nn.Conv2d(last, width, 1)})
        outs = tuple(widths[-2::-1]) + (3,)
        self.decoder = nn.ModuleDict({
            "in": nn.Conv2d(width, last, 3, padding=1),
            "res": nn.ModuleList(Residual(last, inner) for _ in range(blocks)),
            "up": nn.ModuleList(nn.ConvTranspose2d(i, o, 4, 2, 1) for i, o in zip(widths[::-1], outs))})
        self.codebook = nn.Embedding(codes, width)
        self.register_buffer("used", torch.zeros(codes), persistent=False)
        self.register_buffer("sums", torch.zeros(codes, width), persistent=False)

    def encode(self, x):
        for conv in self.encoder["down"]:
            x = F.relu(conv(x))
        x = self.encoder["mid"](x)
        for block in self.encoder["res"]:
            x = block(x)
        return self.encoder["out"](F.relu(x))

    def codes(self, z):
        flat = z.permute(0, 2, 3, 1).reshape(-1, z.shape[1])
        w = self.codebook.weight
        return ((w * w).sum(1) - 2 * flat @ w.T).argmin(1).reshape(z.shape[0], z.shape[2], z.shape[3]), flat

    def decode(self, q):
        x = self.decoder["in"](q)
        for block in self.decoder["res"]:
            x = block(x)
        x = F.relu(x)
        for i, conv in enumerate(self.decoder["up"]):
            x = conv(x)
            if i + 1 < len(self.decoder["up"]):
                x = F.relu(x)
        return x

    def forward(self, x):
        z = self.encode(x)
        codes, flat = self.codes(z)
        if self.training:
            self.follow(codes.flatten(), flat.detach())
        q = self.codebook(codes).permute(0, 3, 1, 2).detach()
        return self.decode(z + (q - z).detach()), F.mse_loss(z, q), codes

    @torch.no_grad()
    def follow(self, codes, flat, decay=0.97):
        """The table follows the means of what is near it; what nobody is near moves to an input."""
        n = torch.bincount(codes, minlength=len(self.used)).float()
        sums = torch.zeros_like(self.sums).index_add_(0, codes, flat)
        self.used.mul_(decay).add_(n, alpha=1 - decay)
        self.sums.mul_(decay).add_(sums, alpha=1 - decay)
        self.codebook.weight.copy_(self.sums / self.used.clamp(min=1e-5).unsqueeze(1))
        dead = (self.used < 0.02).nonzero().flatten()
        if len(dead):
            pick = flat[torch.randint(len(flat), (len(dead),))]
            self.codebook.weight[dead] = pick
            self.sums[dead], self.used[dead] = pick * 0.1, 0.1


def vq_config():
    return {"model_type": "vqvae", "architectures": ["VqVae"], "image_size": SIDE, "num_embeddings": CODES,
            "embed_dim": WIDTH, "training_data": FOOTNOTE}


def schedule(step, steps, peak):
    return peak * min(1, (step + 1) / 50) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def batches(pixels, size, seed):
    g = torch.Generator().manual_seed(seed)
    while True:
        yield torch.randint(len(pixels), (size,), generator=g)


def train_vq(out, steps, count):
    torch.manual_seed(1)
    pixels, _ = make_images(count, 1)
    model, start = VqVae(), time.time()
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-4)
    for step, index in zip(range(steps), batches(pixels, 32, 2)):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step, steps, 2e-3)
        x = to_float(pixels[index])
        y, commitment, codes = model(x)
        loss = F.mse_loss(y, x) + 0.3 * F.l1_loss(y, x) + 0.25 * commitment
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step + 1 == steps:
            print(f"vq {step} mse {F.mse_loss(y, x).item():.5f} codes {len(codes.unique())} {time.time() - start:.0f} s", flush=True)
            torch.save(model.state_dict(), out / "vq.pt")


# --------------------------------------------------------------------------- prior

def make_prior():
    from transformers import ImageGPTConfig, ImageGPTModel

    config = ImageGPTConfig(vocab_size=CODES + len(CLASSES), n_positions=(SIDE // 8) ** 2, n_embd=72, n_layer=4, n_head=3,
                            activation_function="quick_gelu", resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    prior = nn.Module()
    prior.transformer = ImageGPTModel(config)
    prior.lm_head = nn.Linear(config.n_embd, CODES, bias=False)
    return prior, config


def train_prior(out, steps, count):
    torch.manual_seed(3)
    model = VqVae().eval()
    model.load_state_dict(torch.load(out / "vq.pt"))
    pixels, classes = make_images(count, 1)
    with torch.no_grad():
        codes = torch.cat([model.codes(model.encode(to_float(p)))[0].flatten(1) for p in pixels.split(64)])
    prior, config = make_prior()
    optimizer, start = torch.optim.AdamW(prior.parameters(), 3e-3, weight_decay=0.05), time.time()
    for step, index in zip(range(steps), batches(codes, 32, 4)):
        for group in optimizer.param_groups:
            group["lr"] = schedule(step, steps, 3e-3)
        ids = torch.cat([CODES + classes[index].unsqueeze(1), codes[index]], 1)
        logits = prior.lm_head(prior.transformer(ids[:, :-1], use_cache=False).last_hidden_state)
        loss = F.cross_entropy(logits.flatten(0, 1), codes[index].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(prior.parameters(), 1.0)
        optimizer.step()
        if step % 100 == 0 or step + 1 == steps:
            print(f"prior {step} nats a code {loss.item():.3f} {time.time() - start:.0f} s", flush=True)
            save_vq(out, model, prior, config)


def half(tensors):
    return {k: v.detach().half().contiguous() for k, v in tensors.items()}


def save_vq(out, model, prior=None, config=None):
    folder, tensors, words = out / "tiny-shapes-vq", dict(model.state_dict()), vq_config()
    folder.mkdir(exist_ok=True)
    if prior is not None:
        tensors.update({"prior." + k: v for k, v in prior.state_dict().items() if not k.endswith(".attn.bias")})
        words["prior"] = {"n_embd": config.n_embd, "n_head": config.n_head, "n_layer": config.n_layer,
                          "activation_function": config.activation_function,
                          "layer_norm_epsilon": config.layer_norm_epsilon, "classes": CLASSES}
    save_file(half(tensors), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(words, indent=1) + "\n")


# --------------------------------------------------------------------------- WGAN-GP

class Generator(nn.Module):
    """DCGAN's (arXiv:1511.06434), for 32 x 32 pixels."""

    def __init__(self, nz=32, ngf=16):
        super().__init__()
        w = [nz, 4 * ngf, 2 * ngf, ngf, 3]
        layers = []
        for i in range(4):
            layers.append(nn.ConvTranspose2d(w[i], w[i + 1], 4, 1 if i == 0 else 2, 0 if i == 0 else 1, bias=i == 3))
            layers += [nn.BatchNorm2d(w[i + 1]), nn.ReLU()] if i < 3 else [nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z):
        return self.main(z)


class Critic(nn.Module):
    """No norms, as its gradient at each image is penalized (arXiv:1704.00028)."""

    def __init__(self, ndf=16):
        super().__init__()
        w = [3, ndf, 2 * ndf, 4 * ndf]
        layers = []
        for i in range(3):
            layers += [nn.Conv2d(w[i], w[i + 1], 4, 2, 1), nn.LeakyReLU(0.2)]
        layers.append(nn.Conv2d(w[3], 1, 4, 1, 0))
        self.main = nn.Sequential(*layers)

    def forward(self, x):
        return self.main(x).flatten()


def train_wgan(out, steps, count):
    torch.manual_seed(5)
    pixels, _ = make_images(count, 1, 32)
    g, c, start = Generator(), Critic(), time.time()
    og = torch.optim.Adam(g.parameters(), 4e-4, betas=(0.0, 0.9))
    oc = torch.optim.Adam(c.parameters(), 4e-4, betas=(0.0, 0.9))
    index = batches(pixels, 16, 6)
    for step in range(steps):
        for _ in range(2):
            real = to_float(pixels[next(index)])
            with torch.no_grad():
                fake = g(torch.randn(len(real), 32, 1, 1))
            mix = torch.rand(len(real), 1, 1, 1)
            between = (mix * real + (1 - mix) * fake).requires_grad_(True)
            gradient = torch.autograd.grad(c(between).sum(), between, create_graph=True)[0]
            penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
            w1 = c(real).mean() - c(fake).mean()
            oc.zero_grad()
            (-w1 + 10 * penalty).backward()
            oc.step()
        og.zero_grad()
        (-c(g(torch.randn(16, 32, 1, 1))).mean()).backward()
        og.step()
        if step % 100 == 0 or step + 1 == steps:
            print(f"wgan {step} W1 {w1.item():.3f} penalty {penalty.item():.3f} {time.time() - start:.0f} s", flush=True)
            save_gan(out, "tiny-shapes-gan", g, {"role": "generator"})
            save_gan(out, "tiny-shapes-critic", c, {"role": "critic"})


def save_gan(out, name, model, words):
    folder = out / name
    folder.mkdir(exist_ok=True)
    tensors = {k: v for k, v in model.state_dict().items() if "num_batches" not in k}
    save_file(half(tensors), folder / "model.safetensors")
    words = {"model_type": "dcgan", "image_size": 32, "training_data": FOOTNOTE, **words}
    (folder / "config.json").write_text(json.dumps(words, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("what", choices=["vq", "prior", "wgan"])
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--images", type=int, default=4000)
    a = parser.parse_args()
    torch.set_num_threads(1)
    a.out.mkdir(parents=True, exist_ok=True)
    {"vq": lambda: train_vq(a.out, a.steps or 1400, a.images),
     "prior": lambda: train_prior(a.out, a.steps or 2000, a.images),
     "wgan": lambda: train_wgan(a.out, a.steps or 1200, a.images)}[a.what]()


if __name__ == "__main__":
    main()
