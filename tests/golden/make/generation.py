"""Writes tests/golden/generation: models that make images, in unusual configurations, with what PyTorch computes.

    python generation.py REFERENCE_DIR OUT     (REFERENCE_DIR: golden data with images and models/janus/hf's tokenizer)

torch 2.13, transformers 5.18, Pillow 12; float32, one thread; weights are rounded to their stored type first.
taming-transformers is in no library: its layers are those of transformers' Janus class, its names (levels of the decoder
counted from the largest maps) and its lookup (entries as they are) are restated. The VQ-VAE is docs/demo-model/train_images.py's.
DCGAN's modules are those of PyTorch's example.
"""
import json, os, shutil, sys

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import save_file
from torch import nn
from transformers import (ChameleonVQVAEConfig, ImageGPTConfig, ImageGPTForCausalImageModeling, ImageGPTImageProcessorPil,
                          JanusConfig, JanusForConditionalGeneration)
from transformers.models.chameleon.modeling_chameleon import ChameleonVQVAE
from transformers.models.janus.configuration_janus import JanusVQVAEConfig
from transformers.models.janus.modeling_janus import JanusVQVAE

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/demo-model"))
torch.set_num_threads(1)
REFERENCE, OUT = sys.argv[1] + "/", sys.argv[2] + "/"
IMAGE = "odd_97x61.png"


def folder(name):
    d = OUT + name + "/hf/"
    shutil.rmtree(OUT + name, ignore_errors=True)
    os.makedirs(d)
    return d


def randomize(model, seed, dtype, gain=1.0):
    g = torch.Generator().manual_seed(seed)
    for n, p in list(model.named_parameters()) + list(model.named_buffers()):
        if not p.is_floating_point() or "inv_freq" in n:
            continue
        x = torch.randn(p.shape, generator=g)
        if "running_var" in n:
            x = x.abs() * 0.5 + 0.5
        elif p.dim() == 1:
            x = x * 0.1 + (1 if n.endswith("weight") else 0)
        else:
            fan = p[0].numel() if p.dim() > 1 else 1
            x = x * gain / max(1, fan) ** 0.5 * 1.3
        if "embedding.weight" in n or "codebook" in n:
            x = torch.randn(p.shape, generator=g)
        p.data.copy_(x.to(dtype).float())
    return model.eval()


def save(d, tensors, config, dtype):
    save_file({k: v.detach().to(dtype).contiguous() for k, v in tensors.items() if v.is_floating_point()}, d + "model.safetensors")
    json.dump(config, open(d + "config.json", "w"), indent=1)


def expected(name, values, **words):
    save_file({k: torch.as_tensor(v).contiguous() for k, v in values.items()}, OUT + name + "/expected.safetensors")
    json.dump(dict(image=IMAGE, **words), open(OUT + name + "/expected.json", "w"), indent=1)


def picture(width, height, filter=Image.BICUBIC):
    image = ImageOps.exif_transpose(Image.open(REFERENCE + "images/" + IMAGE)).convert("RGB").resize((width, height), filter)
    return torch.from_numpy(np.asarray(image).astype(np.float32)).permute(2, 0, 1)[None] / 127.5 - 1


def margin(latents, table):
    flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1]).double()
    best = torch.cdist(flat, table.double()).square().sort(1).values
    return (best[:, 1] - best[:, 0]).min().item()


@torch.no_grad()
def taming():
    config = JanusVQVAEConfig(base_channels=32, channel_multiplier=[1, 1], num_res_blocks=1, latent_channels=16, embed_dim=6,
                              num_embeddings=48, num_patches=4)
    model = randomize(JanusVQVAE(config), 11, torch.float16)
    x = picture(24, 16)
    latents = model.quant_conv(model.encoder(x))
    codes = model.quantize(latents)[2]
    rows = model.quantize.embedding(codes).view(1, 8, 12, 6).permute(0, 3, 1, 2)
    decoded = model.decoder(model.post_quant_conv(rows))
    print("taming margin", margin(latents, model.quantize.embedding.weight), len(set(codes.tolist())))
    tensors = {}
    for k, v in model.state_dict().items():
        parts = k.split(".")
        if parts[:2] == ["decoder", "up"]:
            parts[2] = str(1 - int(parts[2]))
        tensors[".".join(parts)] = v
    d = folder("taming")
    words = {"target": "taming.models.vqgan.VQModel", "params": {"embed_dim": 6, "n_embed": 48, "ddconfig": {
        "double_z": False, "z_channels": 16, "resolution": 16, "in_channels": 3, "out_ch": 3, "ch": 32, "ch_mult": [1, 1],
        "num_res_blocks": 1, "attn_resolutions": [8], "dropout": 0.0}}}
    save(d, tensors, words, torch.float16)
    expected("taming", {"latents": latents, "codes": codes.int().view(1, -1), "decoded": decoded}, width=24, height=16)


@torch.no_grad()
def chameleon():
    config = ChameleonVQVAEConfig(base_channels=32, channel_multiplier=[1, 2], num_res_blocks=2, latent_channels=8, embed_dim=5,
                                  num_embeddings=40, resolution=16, attn_resolutions=[16], attn_type="vanilla")
    model = randomize(ChameleonVQVAE(config), 12, torch.bfloat16)
    x = picture(16, 16)
    latents = model.quant_conv(model.encoder(x))
    codes = model.quantize(latents)[2]
    print("chameleon margin", margin(latents, model.quantize.embedding.weight), len(set(codes.tolist())))
    d = folder("chameleon")
    words = {"model_type": "chameleon_vqgan", "architectures": ["ChameleonVQVAE"], "resolution": 16, "embed_dim": 5, "num_embeddings": 40}
    save(d, model.state_dict(), words, torch.bfloat16)
    expected("chameleon", {"latents": latents, "codes": codes.int().view(1, -1)}, width=16, height=16)


@torch.no_grad()
def vqvae():
    from train_images import VqVae
    model = randomize(VqVae(widths=(8, 12), inner=6, blocks=1, codes=24, width=5), 13, torch.float32)
    x = picture(12, 20)
    latents = model.encode(x)
    codes, _ = model.codes(latents)
    decoded = model.decode(model.codebook(codes).permute(0, 3, 1, 2))
    print("vqvae margin", margin(latents, model.codebook.weight), len(set(codes.flatten().tolist())))
    tensors = {k: v for k, v in model.state_dict().items() if k not in ("used", "sums")}
    save(folder("vqvae"), tensors, {"model_type": "vqvae", "image_size": 12, "num_embeddings": 24, "embed_dim": 5}, torch.float32)
    expected("vqvae", {"latents": latents, "codes": codes.int().view(1, -1), "decoded": decoded}, width=12, height=20)


@torch.no_grad()
def imagegpt(name, seed, **more):
    config = ImageGPTConfig(vocab_size=21, n_positions=30, n_embd=24, n_layer=2, **more)
    model = randomize(ImageGPTForCausalImageModeling(config), seed, torch.float32, gain=2.0)
    model.tie_weights()
    clusters = np.random.default_rng(seed).uniform(-1, 1, (20, 3)).round(4)
    processor = ImageGPTImageProcessorPil(clusters=clusters, size={"height": 5, "width": 6})
    image = ImageOps.exif_transpose(Image.open(REFERENCE + "images/" + IMAGE)).convert("RGB")
    ids = torch.as_tensor(np.array(processor(images=[image])["input_ids"])).long()
    inputs = torch.cat([torch.full((1, 1), 20), ids[:, :-1]], 1)
    logits = model(inputs).logits[0]
    terms = logits.double().log_softmax(-1).gather(1, ids[0][:, None])[:, 0]
    given, least = 10, 1e9
    drawn = ids[0, :given].tolist()
    while len(drawn) < 30:
        row = model(torch.tensor([[20] + drawn])).logits[0, -1, :20]
        top = row.topk(2).values
        least = min(least, (top[0] - top[1]).item())
        drawn.append(row.argmax().item())
    print(name, "margin", least, drawn)
    d = folder(name)
    model.save_pretrained(d)
    processor.save_pretrained(d)
    expected(name, {"ids": ids.int(), "logits": logits, "terms": terms.float(), "drawn": torch.tensor(drawn).int()}, given=given)


@torch.no_grad()
def janus():
    source = REFERENCE + "models/janus/hf/"
    words = json.load(open(source + "config.json"))
    words["text_config"].update(hidden_size=48, num_attention_heads=4, num_key_value_heads=2, intermediate_size=80, num_hidden_layers=2,
                                tie_word_embeddings=True)
    words["tie_word_embeddings"] = True
    words["vision_config"].update(hidden_size=32, num_attention_heads=2, num_hidden_layers=1, image_size=24, patch_size=8,
                                  num_image_tokens=9, projection_dim=48)
    words["vq_config"].update(channel_multiplier=[1, 1], embed_dim=7, latent_channels=12, num_embeddings=40, num_patches=3,
                              image_token_embed_dim=48, projection_dim=48, num_hidden_layers=3, hidden_act="gelu")
    model = JanusForConditionalGeneration(JanusConfig(**words))
    randomize(model, 14, torch.bfloat16, gain=1.5)
    model.tie_weights()
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(source)
    text = "two dogs near a lake"
    ids = tokenizer("<|User|>: " + text + "\n\n<|Assistant|>:<begin_of_image>", return_tensors="pt")["input_ids"]
    begin, pad = tokenizer.convert_tokens_to_ids("<begin_of_image>"), tokenizer.pad_token_id
    keep = (ids == tokenizer.bos_token_id) | (ids == begin)
    table, inner, values = model.get_input_embeddings(), model.model, {}
    for guidance in (1.0, 3.0):
        pair = torch.cat([ids, torch.where(keep, ids, torch.full_like(ids, pad))])
        x, codes, rows, least = table(pair), [], [], 1e9
        for _ in range(9):
            hidden = inner.language_model(inputs_embeds=x, use_cache=False).last_hidden_state[:, -1]
            both = inner.generation_head(hidden).log_softmax(-1)
            guided = both[1:] + guidance * (both[:1] - both[1:])
            top = guided[0].topk(2).values
            least = min(least, (top[0] - top[1]).item())
            codes.append(guided.argmax(-1))
            rows.append(guided[0])
            x = torch.cat([x, model.prepare_embeddings_for_image_generation(codes[-1].expand(2)[:, None])], 1)
        codes = torch.stack(codes, 1)
        print("janus", guidance, "margin", least, codes.tolist())
        key = "guided" if guidance > 1 else "plain"
        values |= {key + ".codes": codes.int(), key + ".logits": torch.stack(rows), key + ".decoded": inner.vqmodel.decode(codes)}
    d = folder("janus")
    tensors = {k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save(d, tensors, words, torch.bfloat16)
    for f in os.listdir(source):
        if f.endswith(".json") and f not in ("config.json",):
            shutil.copy(source + f, d + f)
    processor = json.load(open(d + "preprocessor_config.json"))
    processor["size"] = {"height": 6, "width": 6}
    json.dump(processor, open(d + "preprocessor_config.json", "w"))
    expected("janus", values, text=text, guidance=3.0, input_ids=ids[0].tolist())


def example_generator(nz, ngf, nc):
    layers = []
    widths = [nz, ngf * 8, ngf * 4, ngf * 2, ngf, nc]
    for i in range(5):
        layers.append(nn.ConvTranspose2d(widths[i], widths[i + 1], 4, 1 if i == 0 else 2, 0 if i == 0 else 1, bias=False))
        layers += [nn.BatchNorm2d(widths[i + 1]), nn.ReLU(True)] if i < 4 else [nn.Tanh()]
    return nn.Sequential(*layers)


def example_critic(ndf, nc):
    layers = [nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
    for i in range(3):
        n = ndf * 2 ** i
        layers += [nn.Conv2d(n, 2 * n, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * n), nn.LeakyReLU(0.2, inplace=True)]
    layers += [nn.Conv2d(ndf * 8, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers)


class Main(nn.Module):
    def __init__(self, main):
        super().__init__()
        self.main = main


@torch.no_grad()
def gan():
    g = torch.Generator().manual_seed(3)
    generator = randomize(Main(example_generator(7, 2, 3)), 21, torch.float32, gain=2.0)
    z = torch.randn(3, 7, 1, 1, generator=g)
    d = folder("dcgan-generator")                    # as PyTorch's example saves it
    torch.save(generator.state_dict(), d + "netG_epoch_24.pth")
    json.dump({"model_type": "dcgan"}, open(d + "config.json", "w"))
    expected("dcgan-generator", {"z": z[:, :, 0, 0], "images": generator.main(z)})

    critic = randomize(Main(example_critic(2, 3)), 22, torch.float32, gain=2.0)
    d = folder("dcgan-critic")
    torch.save(critic.state_dict(), d + "netD_epoch_24.pth")
    json.dump({"model_type": "dcgan"}, open(d + "config.json", "w"))
    expected("dcgan-critic", {"score": critic.main(picture(64, 64)).flatten()})

    layers = [nn.Conv2d(3, 6, 3, 1, 1), nn.LeakyReLU(0.1), nn.Conv2d(6, 5, 4, 2, 1), nn.LeakyReLU(0.1), nn.Conv2d(5, 1, 6, 1, 0)]
    wgan = randomize(Main(nn.Sequential(*layers)), 23, torch.float32)
    d = folder("wgan-critic")
    words = {"model_type": "dcgan", "role": "critic", "negative_slope": 0.1, "strides": [1, 2, 1], "paddings": [1, 1, 0]}
    save(d, wgan.state_dict(), words, torch.float32)
    expected("wgan-critic", {"score": wgan.main(picture(12, 12)).flatten()})

    layers = [nn.ConvTranspose2d(4, 6, 3, 1, 0), nn.BatchNorm2d(6), nn.LeakyReLU(0.3), nn.ConvTranspose2d(6, 1, 4, 3, 1), nn.Sigmoid()]
    gray = randomize(Main(nn.Sequential(*layers)), 24, torch.float32, gain=2.0)
    z = torch.randn(2, 4, 1, 1, generator=g)
    d = folder("gray-generator")
    words = {"model_type": "dcgan", "role": "generator", "hidden_act": "leaky_relu", "negative_slope": 0.3, "output_act": "sigmoid",
             "strides": [1, 3], "paddings": [0, 1], "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}
    save(d, gray.state_dict(), words, torch.float32)
    expected("gray-generator", {"z": z[:, :, 0, 0], "images": gray.main(z)})


taming()
chameleon()
vqvae()
imagegpt("imagegpt-tied", 31, n_head=3, n_inner=40, activation_function="gelu_new", tie_word_embeddings=True, scale_attn_by_inverse_layer_idx=True)
imagegpt("imagegpt", 32, n_head=4, activation_function="gelu", scale_attn_weights=False, tie_word_embeddings=False)
janus()
gan()
