"""Writes tests/golden/dual/internvl-c/captions.json: what InternVL-G writes about images, and how it matches them with texts.

    python internvl_g.py GOLDEN_DIR

torch 2.13, transformers 5.18, sentencepiece, Pillow 12; float32, one thread. The checkpoint is the one of dual.py. InternVL 1.0
is in no library: this restates `InternVLModel.generate` and the matching of `InternVLModel.forward` of its published code
(modeling_internvl.py, modeling_qllama.py) without caches; the searches are transformers' own.
"""
import json, math, sys

import sentencepiece as spm
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from safetensors.torch import load_file
from transformers import CLIPImageProcessorPil, GenerationConfig, GenerationMixin, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

torch.set_num_threads(1)
GOLDEN = sys.argv[1] + "/"
MODEL = GOLDEN + "dual/internvl-c/hf/"
IMAGES = ["odd_97x61.png", "wide_1200x500.jpg", "gray_120x90.png"]
TEXTS = ["a photo of a cat", "a red bicycle near the ocean", "", "word " * 90]
PROMPTS = ["English caption:", "a red bicycle, 2024"]
w = {k: v.float() for k, v in load_file(MODEL + "model.safetensors").items()}
config = json.load(open(MODEL + "config.json"))
sp = spm.SentencePieceProcessor(MODEL + "tokenizer.model")
V, T = config["vision_config"], config["qllama_config"]
NQ = config["num_query_token"]


def lin(x, name, bias=None):
    return F.linear(x, w[name + ".weight"], None if bias is None else w[bias])


def rms(x, name, eps=1e-6):
    return w[name + ".weight"] * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + eps))


def attend(q, k, v, heads, mask=None):
    cut = lambda t: t.reshape(t.shape[0], t.shape[1], heads, -1).transpose(1, 2)
    q, k, v = cut(q), cut(k), cut(v)
    a = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    a = a if mask is None else a + mask
    return (a.softmax(-1) @ v).transpose(1, 2).flatten(2)


def vit(pixels):
    e = "vision_model.embeddings."
    x = F.conv2d(pixels, w[e + "patch_embedding.weight"], w[e + "patch_embedding.bias"], stride=V["patch_size"]).flatten(2).transpose(1, 2)
    x = torch.cat([w[e + "class_embedding"].expand(len(x), 1, -1), x], 1) + w[e + "position_embedding"]
    for i in range(V["num_hidden_layers"]):
        b = f"vision_model.encoder.layers.{i}."
        q, k, v = lin(rms(x, b + "norm1"), b + "attn.qkv").chunk(3, -1)
        a = attend(rms(q, b + "attn.q_norm"), rms(k, b + "attn.k_norm"), v, V["num_attention_heads"])
        x = x + w[b + "ls1"] * lin(a, b + "attn.proj", b + "attn.proj.bias")
        h = F.gelu(lin(rms(x, b + "norm2"), b + "mlp.fc1", b + "mlp.fc1.bias"))
        x = x + w[b + "ls2"] * lin(h, b + "mlp.fc2", b + "mlp.fc2.bias")
    return x


def rope(x, heads):
    n, width = x.shape[1], x.shape[2] // heads
    angles = torch.outer(torch.arange(n).float(), 1.0 / (10000 ** (torch.arange(0, width, 2).float() / width)))
    angles = torch.cat([angles, angles], -1)
    y = x.reshape(len(x), n, heads, width)
    a, b = y.chunk(2, -1)
    return (y * angles.cos()[None, :, None] + torch.cat([-b, a], -1) * angles.sin()[None, :, None]).reshape(x.shape)


def qllama(x, mask, states):
    """The first NQ rows attend to the states."""
    heads = T["num_attention_heads"]
    for i in range(T["num_hidden_layers"]):
        b = f"qllama.model.layers.{i}."
        y = rms(x, b + "input_layernorm")
        project = lambda name: lin(y, b + f"self_attn.{name}_proj")
        x = x + lin(attend(rope(project("q"), heads), rope(project("k"), heads), project("v"), heads, mask), b + "self_attn.o_proj")
        if i % T["cross_attention_frequency"] == 0 and states is not None:
            c, s = b + "cross_attn.", rms(states, b + "cross_attn.norm2")
            found = attend(lin(rms(x[:, :NQ], c + "norm1"), c + "q_proj"), lin(s, c + "k_proj"), lin(s, c + "v_proj"), heads)
            x = torch.cat([x[:, :NQ] + lin(found, c + "o_proj"), x[:, NQ:]], 1)
        y = rms(x, b + "post_attention_layernorm")
        x = x + lin(F.silu(lin(y, b + "mlp.gate_proj")) * lin(y, b + "mlp.up_proj"), b + "mlp.down_proj")
    return rms(x, "qllama.model.norm")


def embed(ids):
    return F.embedding(ids, w["qllama.model.embed_tokens.weight"])


def behind_queries(ids):
    return torch.cat([w["query_tokens"].expand(len(ids), -1, -1), embed(ids)], 1)


def logits(ids, states):
    """Of a text behind the queries: these attend to each other, the text to them and, causally, to itself."""
    x = behind_queries(ids)
    mask = torch.full((x.shape[1], x.shape[1]), -1e30).triu(1)
    mask[:NQ, :NQ] = 0
    return lin(qllama(x, mask, states.expand(len(ids), -1, -1)), "qllama.lm_head")[:, NQ:]


class Captioner(PreTrainedModel, GenerationMixin):
    def __init__(self, states):
        super().__init__(PreTrainedConfig(vocab_size=T["vocab_size"], is_encoder_decoder=False))
        self.generation_config = GenerationConfig(bos_token_id=1, eos_token_id=2, pad_token_id=0)
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.states = states

    def forward(self, input_ids=None, attention_mask=None, **other):
        return CausalLMOutputWithPast(logits=logits(input_ids, self.states))

    def prepare_inputs_for_generation(self, input_ids, attention_mask=None, **other):
        return dict(input_ids=input_ids)


def captions(states):
    out = []
    for prompt in PROMPTS:
        ids = torch.tensor([[1] + sp.encode(prompt)])
        generate = lambda **how: Captioner(states).generate(ids, attention_mask=torch.ones_like(ids), use_cache=False, do_sample=False, **how)[0, ids.shape[1]:].tolist()
        greedy, margins, now = [], [], ids
        for _ in range(12):
            last = logits(now, states)[0, -1]
            top = last.topk(2).values
            margins.append((top[0] - top[1]).item())
            greedy.append(last.argmax().item())
            now = torch.cat([now, last.argmax()[None, None]], 1)
        assert greedy == generate(max_new_tokens=12, min_new_tokens=12)
        beams = generate(max_new_tokens=12, min_new_tokens=8, num_beams=5)
        out.append(dict(prompt=prompt, ids=ids[0].tolist(), logits=logits(ids, states)[0, -1].tolist(), greedy=greedy, margin=min(margins),
                        text=sp.decode(greedy), beams=beams))
        print(min(margins), greedy, beams)
    return out


def pool(x, name):
    norm = lambda t, c: F.layer_norm(t, t.shape[-1:], w[f"{name}.norm1_{c}.weight"], w[f"{name}.norm1_{c}.bias"], 1e-5)
    project = lambda t, c: lin(norm(t, c), f"{name}.cross_attn.{c}", f"{name}.cross_attn.{c}_bias")
    found = attend(project(x.mean(1, keepdim=True), "q"), project(x, "k"), project(x, "v"), config["attn_pool_num_heads"])
    return lin(found, f"{name}.cross_attn.proj", f"{name}.cross_attn.proj.bias").squeeze(1)


def matches(states):
    vector = F.normalize(pool(states, "clip_projector"), dim=-1) + F.normalize(pool(qllama(w["query_tokens"], None, states), "clip_projector2"), dim=-1)
    out = []
    for text in TEXTS:
        ids = torch.tensor([[1] + sp.encode(text)[:78] + [2]])
        itm = lin(qllama(behind_queries(ids), None, states)[:, :NQ], "itm_head", "itm_head.bias").mean(1)[0]
        ids = torch.tensor([[1] + sp.encode("summarize:" + text)[:78] + [2]])
        alone = qllama(embed(ids), torch.full((ids.shape[1],) * 2, -1e30).triu(1), None)[:, -1] @ w["text_projection"]
        out.append(dict(text=text, itm=itm.tolist(), itc=F.cosine_similarity(vector, alone).item()))
    return out


if __name__ == "__main__":
    cases = []
    processor = CLIPImageProcessorPil.from_pretrained(MODEL)
    for name in IMAGES:
        image = ImageOps.exif_transpose(Image.open(GOLDEN + "images/" + name)).convert("RGB")
        with torch.no_grad():
            states = vit(processor(image, return_tensors="pt").pixel_values)
            cases.append(dict(image=name, captions=captions(states), matches=matches(states)))
    json.dump(cases, open(GOLDEN + "dual/internvl-c/captions.json", "w"))
