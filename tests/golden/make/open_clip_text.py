"""Writes tests/golden/dual/open_clip-{roberta,xlmr,bert,coca,coca-mean}, lit-clip-roberta and lit-siglip-xlmr: open_clip's
image encoder with text encoders of transformers, CoCa's two encoders, and VisionTextDualEncoderModel with RoBERTas.

    python open_clip_text.py GOLDEN_DIR OUT      (GOLDEN_DIR: a directory with images and models, such as tests/golden)

torch 2.13, transformers 5.18, open_clip 3.3; float32, one thread. open_clip's centre crop is taken as
transformers' (rounded down), as in the other golden data.
"""
import json, os, shutil, sys, tempfile

import torch
from dual import cast, floored_crop, folder, pictures, randomize
from open_clip.coca_model import CoCa
from open_clip.model import CustomTextCLIP
from open_clip.tokenizer import HFTokenizer
from open_clip.transform import image_transform
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from torchvision.transforms import CenterCrop, Compose
from transformers import (AutoTokenizer, BertConfig, BertTokenizerFast, CLIPImageProcessorPil, CLIPVisionConfig,
                          RobertaConfig, RobertaTokenizer, SiglipImageProcessorPil, SiglipVisionConfig,
                          VisionTextDualEncoderConfig, VisionTextDualEncoderModel, XLMRobertaConfig, XLMRobertaTokenizer)

torch.set_num_threads(1)
GOLDEN, OUT = sys.argv[1] + "/", sys.argv[2] + "/"
IMAGES = ["odd_97x61.png", "wide_1200x500.jpg", "gray_120x90.png"]
TEXTS = ["a photo of a cat", "a red bicycle near the ocean!", "Two children; it's 2024!", "", "word " * 90,
         "  two  spaces\t<s> odd </s> they'll", "a <mask> near <mask>", "\u00fcber 10 \u00c4pfel \u4f60\u597d \U0001f642!!"]
HARD = ["<mask>", " <mask>  <mask>a", "don't I'LL we'd", "12345 1st 3.14", "a\u00a0b\u3000c\u2028d", "a.b,c!?--", "\t\n", "\u0661\u0662 \u00bd \u2167",
        "e\u0301 \u0130stanbul \u1e9e", "</s></s>x<s>", "<unk> <UNK>", "\U0001f469\u200d\U0001f680 \U0001f1e9\U0001f1ea", "a _ b__c", "' s 's", "\u201ccurled\u201d \u2018quotes\u2019", "\ufb01ne \uff21\uff11\u3000\uff76\u02bcn", "a\u0007b\ufeffc", "\u0133s \u01c6"]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]
CORPUS = [open(__file__).read(), "a photo of a cat near the ocean; two children, it's a red bicycle. They'll be odd words " * 20]


def rounded(x):
    return [[float("%.7g" % v) for v in row] for row in x.tolist()]


def expected(name, images, texts, inputs, scale, **more):
    values = dict(images=IMAGES, texts=inputs, image=rounded(images), text=rounded(texts), scale=scale, **more)
    json.dump(values, open(OUT + name + "/expected.json", "w"))


def pixels(size):
    transform = image_transform(size, False, mean=[0.48, 0.46, 0.41], std=[0.27, 0.26, 0.28])
    transform = Compose([floored_crop(size) if isinstance(t, CenterCrop) else t for t in transform.transforms])
    return torch.stack([transform(p) for p in pictures()])


def roberta_tokenizer(d, strips=False):
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=360, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    model = json.loads(bpe.to_str())["model"]
    vocab = dict(model["vocab"], **{"<mask>": len(model["vocab"])})
    RobertaTokenizer(vocab=vocab, merges=[tuple(m) for m in model["merges"]]).save_pretrained(d)
    if strips:  # as the published one, whose mask takes the space in front
        words = json.load(open(d + "tokenizer.json"))
        words["added_tokens"][-1]["lstrip"] = True
        json.dump(words, open(d + "tokenizer.json", "w"), indent=1)
        config = json.load(open(d + "tokenizer_config.json"))
        config["mask_token"] = {"__type": "AddedToken", **words["added_tokens"][-1]}
        json.dump(config, open(d + "tokenizer_config.json", "w"), indent=1)


def xlmr_tokenizer(d):
    unigram = Tokenizer(models.Unigram())
    unigram.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    unigram.train_from_iterator([line for text in CORPUS for line in text.split("\n") if len(line) < 200] + ["a photo of a cat near the ocean", "two children, it's a red bicycle. They'll be odd words"] * 20, trainers.UnigramTrainer(vocab_size=300, special_tokens=[]))
    pieces = [(t, s) for t, s in json.loads(unigram.to_str())["model"]["vocab"] if t != "<unk>"]
    XLMRobertaTokenizer(vocab=[(t, 0.0) for t in SPECIAL] + pieces + [("<mask>", 0.0)]).save_pretrained(d)


def bert_tokenizer(d):
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(letters + ";'!") + ["##" + c for c in letters]
    words += "photo of cat red bicycle near the ocean two children it dog ##s ##ing un fine 123".split()
    with open(d + "vocab.txt", "w") as file:
        file.write("\n".join(words) + "\n")
    BertTokenizerFast(d + "vocab.txt", do_lower_case=True).save_pretrained(d)
    os.remove(d + "vocab.txt")


def open_clip(name, seed, tokenizer, config_class, sizes, text, vision, top, dtype, keeps_config, published):
    d = folder(name)
    tokenizer(d)
    words = AutoTokenizer.from_pretrained(d)
    named = tempfile.mkdtemp()
    config_class(vocab_size=max(words.get_vocab().values()) + 1, num_hidden_layers=2, **sizes).save_pretrained(named)
    text = dict(hf_model_name=published, hf_tokenizer_name=published, context_length=24, **text)
    config = dict(embed_dim=40, text_cfg=text, vision_cfg=vision, custom_text=True)
    config.update(top)
    built = json.loads(json.dumps(config))
    built.pop("custom_text")
    built["text_cfg"].update(hf_model_name=named, hf_model_pretrained=False)
    model = CustomTextCLIP(**built).eval()
    randomize(model, seed)
    save_file(cast(model, dtype), d + "open_clip_model.safetensors")
    if keeps_config:
        shutil.copy(named + "/config.json", d)
    preprocess = dict(mean=[0.48, 0.46, 0.41], std=[0.27, 0.26, 0.28])
    json.dump(dict(model_cfg=config, preprocess_cfg=preprocess), open(d + "open_clip_config.json", "w"), indent=1)
    with torch.no_grad():
        images = model.encode_image(pixels(vision["image_size"]))
        cut = HFTokenizer(d, context_length=24)
        texts = model.encode_text(cut(TEXTS))
    padding = words.pad_token_id
    tokens = [[t, [i for i in ids if i != padding]] for t, ids in zip(TEXTS + HARD, cut(TEXTS + HARD).tolist())]
    expected(name, images, texts, TEXTS, model.logit_scale.exp().item(), tokens=tokens)


def coca(name, seed, vision, text, dtype):
    """CLIP's tokenizer of the tiny models, whose token 0 is '!' and fills up, too."""
    d = folder(name)
    source = GOLDEN + "models/clip-rn50/hf/"
    for f in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(source + f, d)
    config = dict(
        embed_dim=40, custom_text=True,
        vision_cfg=dict(image_size=64, patch_size=16, width=48, head_width=16, layers=2, attentional_pool=True, output_tokens=True, **vision),
        text_cfg=dict(context_length=20, vocab_size=853, width=48, heads=3, layers=2, embed_cls=True, output_tokens=True, **text),
        multimodal_cfg=dict(context_length=20, vocab_size=853, width=48, heads=3, layers=1, attn_pooler_heads=4))
    built = json.loads(json.dumps(config))
    built.pop("custom_text")
    model = CoCa(**built).eval()
    randomize(model, seed)
    state = cast(model, dtype)
    if "pool_type" in vision:  # without the captions' decoder
        state = {k: t for k, t in state.items() if not k.startswith("text_decoder.")}
    save_file(state, d + "open_clip_model.safetensors")
    preprocess = dict(mean=[0.48, 0.46, 0.41], std=[0.27, 0.26, 0.28])
    json.dump(dict(model_cfg=config, preprocess_cfg=preprocess), open(d + "open_clip_config.json", "w"), indent=1)
    tokenizer = AutoTokenizer.from_pretrained(source)
    inputs = TEXTS[:5] + ["!", "wow! ! a cat !"]
    ids = torch.zeros(len(inputs), 20, dtype=torch.long)
    for i, t in enumerate(inputs):
        x = tokenizer(t).input_ids[:20]
        x[-1] = 852
        ids[i, :len(x)] = torch.tensor(x)
    print(name, ids[1].tolist(), ids[-2].tolist())
    with torch.no_grad():
        images = model.encode_image(pixels(64), normalize=False)
        texts = model.encode_text(ids, normalize=False)
    expected(name, images, texts, inputs, model.logit_scale.exp().item())


def lit(name, seed, dtype, tokenizer, vision, text, processor):
    d = folder(name)
    tokenizer(d)
    words = AutoTokenizer.from_pretrained(d)
    text = text(vocab_size=len(words), hidden_size=36, num_hidden_layers=2, num_attention_heads=3, intermediate_size=64, max_position_embeddings=34, layer_norm_eps=1e-5, type_vocab_size=1)
    model = VisionTextDualEncoderModel(VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=24)).eval()
    randomize(model, seed)
    model.to(dtype).save_pretrained(d)
    model.to(torch.float32)
    processor.save_pretrained(d)
    inputs = TEXTS[:4] + TEXTS[5:]
    x = words(inputs, padding=True, truncation=True, max_length=32, return_tensors="pt")
    with torch.no_grad():
        texts = model.get_text_features(**x).pooler_output
        images = model.get_image_features(pixel_values=processor(images=pictures(), return_tensors="pt").pixel_values).pooler_output
    expected(name, images, texts, inputs, model.logit_scale.exp().item())


if __name__ == "__main__":
    tower = dict(image_size=56, patch_size=14, width=48, head_width=16, layers=2)
    roberta = dict(hidden_size=36, num_attention_heads=4, intermediate_size=80, max_position_embeddings=40, layer_norm_eps=1e-5, type_vocab_size=1)
    open_clip("open_clip-roberta", 21, lambda d: roberta_tokenizer(d, True), RobertaConfig, roberta, dict(hf_pooler_type="mean_pooler"), tower,
              dict(quick_gelu=True), torch.float16, True, "roberta-tiny")
    open_clip("open_clip-xlmr", 22, xlmr_tokenizer, XLMRobertaConfig,
              dict(hidden_size=64, num_attention_heads=1, intermediate_size=96, max_position_embeddings=50, layer_norm_eps=1e-5, type_vocab_size=1),
              dict(hf_pooler_type="cls_pooler", hf_proj_type="linear"), {**tower, "image_size": 42}, {}, torch.bfloat16, False, "FacebookAI/xlm-roberta-base")
    open_clip("open_clip-bert", 23, bert_tokenizer, BertConfig,
              dict(hidden_size=40, num_attention_heads=5, intermediate_size=72, max_position_embeddings=30, hidden_act="gelu_new"),
              dict(hf_pooler_type=None, hf_proj_type=None), tower, dict(init_logit_bias=-8.0), torch.float16, True, "bert-tiny")
    coca("open_clip-coca", 24, dict(attn_pooler_heads=4, attn_pooler_queries=6), {}, torch.float16)
    coca("open_clip-coca-mean", 25, dict(attn_pooler_heads=8, attn_pooler_queries=5, pool_type="avg"), dict(no_causal_mask=True), torch.bfloat16)
    sizes = dict(hidden_size=40, num_hidden_layers=2, num_attention_heads=5, intermediate_size=72, image_size=28, patch_size=7)
    lit("lit-clip-roberta", 26, torch.bfloat16, roberta_tokenizer, CLIPVisionConfig(**sizes, hidden_act="gelu"), RobertaConfig,
        CLIPImageProcessorPil(size=dict(shortest_edge=28), crop_size=dict(height=28, width=28)))
    lit("lit-siglip-xlmr", 27, torch.float16, xlmr_tokenizer, SiglipVisionConfig(**sizes), XLMRobertaConfig,
        SiglipImageProcessorPil(size=dict(height=28, width=28)))
