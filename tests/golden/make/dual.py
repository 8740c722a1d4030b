"""Writes tests/golden/dual: dual encoders that are not configured as usual, with what the reference computes of them.

    python dual.py REFERENCE_DIR OUT      (REFERENCE_DIR: golden data with tokenizers of tiny models, such as tests/golden)

torch 2.13, transformers 5.18, open_clip 3.3, timm 1.0.29, sentencepiece, Pillow 12; float32, one thread.
InternVL 1.0 is in no library: `internvl` restates its published code (modeling_internvl.py, modeling_qllama.py) as
functions of the tensors. open_clip's centre crop is taken as transformers' (rounded down), as in the other golden data.
"""
import json, math, os, shutil, sys, tempfile

import sentencepiece as spm
import timm
import torch
import torch.nn.functional as F
import torchvision.transforms.functional as TF
from open_clip.model import CLIP, CustomTextCLIP
from open_clip.tokenizer import canonicalize_text
from open_clip.transform import image_transform
from PIL import Image, ImageOps
from safetensors.torch import save_file
from timm.models.vision_transformer import VisionTransformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from torchvision.transforms import CenterCrop, Compose, Lambda
from transformers import (AutoTokenizer, CLIPImageProcessorPil, MetaClip2Config, MetaClip2Model, Siglip2Config,
                          Siglip2ImageProcessorPil, Siglip2Model, XLMRobertaTokenizer)

torch.set_num_threads(1)
REFERENCE, OUT = sys.argv[1] + "/", sys.argv[2] + "/"
CLIP_TOKENIZER = REFERENCE + "models/clip-rn50/hf/"
SIGLIP2_TOKENIZER = REFERENCE + "models/siglip2/hf/"
IMAGES = ["odd_97x61.png", "wide_1200x500.jpg", "gray_120x90.png"]
TEXTS = ["a photo of a cat", "a red bicycle near the ocean", "Two children; it's 2024!", "", "word " * 90]
MORE_TEXTS = TEXTS + ["\u00dcn\u00efcode \ufb01ne \uff11\uff12\uff13 \U0001f642", "  two  spaces\t<s> odd </s>"]


def pictures():
    return [ImageOps.exif_transpose(Image.open(REFERENCE + "images/" + n)).convert("RGB") for n in IMAGES]


def folder(name):
    d = OUT + name + "/hf/"
    os.makedirs(d, exist_ok=True)
    return d


def expected(name, images, texts, inputs, scale, **more):
    values = dict(images=IMAGES, texts=inputs, image=images.tolist(), text=texts.tolist(), scale=scale, **more)
    json.dump(values, open(OUT + name + "/expected.json", "w"))


def randomize(model, seed):
    g = torch.Generator().manual_seed(seed)
    for n, p in list(model.named_parameters()) + list(model.named_buffers()):
        if not p.is_floating_point() or "attn_mask" in n or n in ("logit_scale", "logit_bias"):
            continue
        x = torch.randn(p.shape, generator=g)
        if "running_var" in n:
            x = x.abs() * 0.5 + 0.5
        elif "running_mean" in n or n.endswith("bias"):
            x = x * 0.1
        elif any(k in n.lower() for k in ("ln_", ".bn", "norm", "layrnorm", "downsample.1")) and n.endswith("weight"):
            x = 1 + 0.2 * x
        elif "embedding" in n and "patch" not in n or "cls_emb" in n:
            x = x * 0.4
        elif n.endswith(".query"):
            pass
        elif p.dim() >= 2:
            x = x * (1.2 / p[0].numel() ** 0.5)
        else:
            x = x * 0.3
        p.data.copy_(x)


def cast(model, dtype):
    """The state as it is stored; the model computes with what is read back."""
    state = {k: (t.to(dtype) if t.is_floating_point() else t).contiguous().clone() for k, t in model.state_dict().items()}
    model.load_state_dict({k: t.float() if t.is_floating_point() else t for k, t in state.items()})
    return state


def floored_crop(size):
    def crop(image):
        w, h = image.size
        return TF.crop(image, (h - size) // 2, (w - size) // 2, size, size)
    return Lambda(crop)


def open_clip(name, seed, vision, text, top, preprocess, dtype):
    config = dict(embed_dim=40, vision_cfg=vision, text_cfg=dict(context_length=20, vocab_size=853, width=48, heads=3, layers=2, **text), **top)
    custom = dict(json.loads(json.dumps(config)))
    model = (CustomTextCLIP if custom.pop("custom_text", False) else CLIP)(**custom).eval()
    randomize(model, seed)
    d = folder(name)
    save_file(cast(model, dtype), d + "open_clip_model.safetensors")
    for f in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(CLIP_TOKENIZER + f, d)
    json.dump(dict(model_cfg=config, preprocess_cfg=preprocess), open(d + "open_clip_config.json", "w"), indent=1)
    size = vision["image_size"]
    transform = image_transform(size, False, **preprocess)
    transform = Compose([floored_crop(size) if isinstance(t, CenterCrop) else t for t in transform.transforms])
    tokenizer = AutoTokenizer.from_pretrained(CLIP_TOKENIZER)
    ids = torch.zeros(len(TEXTS), 20, dtype=torch.long)
    for i, t in enumerate(TEXTS):
        x = tokenizer(t).input_ids[:20]
        x[-1] = 852
        ids[i, :len(x)] = torch.tensor(x)
    with torch.no_grad():
        images = model.encode_image(torch.stack([transform(p) for p in pictures()]))
        expected(name, images, model.encode_text(ids), TEXTS, model.logit_scale.exp().item())


def charsmap(file):
    """normalizer_spec.precompiled_charsmap of a SentencePiece model."""
    def varint(b, i):
        v = s = 0
        while True:
            x = b[i]
            i, v, s = i + 1, v | (x & 127) << s, s + 7
            if x < 128:
                return v, i
    def field(b, number):
        i = 0
        while i < len(b):
            tag, i = varint(b, i)
            if tag & 7 == 2:
                n, i = varint(b, i)
                if tag >> 3 == number:
                    return b[i:i + n]
                i += n
            elif tag & 7 == 0:
                _, i = varint(b, i)
            else:
                i += 4
        return b""
    return field(field(open(file, "rb").read(), 3), 2)


def metaclip2(name, seed):
    d = folder(name)
    cm = charsmap(REFERENCE + "models/siglip/hf/spiece.model")
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    trained.train_from_iterator(open(__file__), trainers.UnigramTrainer(vocab_size=300, special_tokens=[]))
    vocabulary = [(t, s) for t, s in json.loads(trained.to_str())["model"]["vocab"] if t != "<unk>"]
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = XLMRobertaTokenizer(vocab=special + vocabulary + [("<mask>", 0.0)], _spm_precompiled_charsmap=cm or None)
    tokenizer.save_pretrained(d)
    sizes = dict(num_hidden_layers=2, hidden_act="gelu")
    model = MetaClip2Model(MetaClip2Config(
        text_config=dict(vocab_size=len(tokenizer), hidden_size=48, intermediate_size=96, num_attention_heads=3, max_position_embeddings=20, eos_token_id=2, bos_token_id=0, pad_token_id=1, **sizes),
        vision_config=dict(hidden_size=48, intermediate_size=96, num_attention_heads=4, image_size=64, patch_size=16, **sizes),
        projection_dim=40)).eval()
    randomize(model, seed)
    model.to(torch.float16).save_pretrained(d)
    model = MetaClip2Model.from_pretrained(d, dtype=torch.float32).eval()
    processor = CLIPImageProcessorPil(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    processor.save_pretrained(d)
    x = tokenizer(MORE_TEXTS, padding="max_length", max_length=20, truncation=True, return_tensors="pt")
    with torch.no_grad():
        images = model.get_image_features(pixel_values=processor(pictures(), return_tensors="pt").pixel_values).pooler_output
        texts = model.get_text_features(input_ids=x.input_ids, attention_mask=x.attention_mask).pooler_output
    expected(name, images, texts, MORE_TEXTS, model.logit_scale.exp().item())


def naflex(name, seed):
    d = folder(name)
    for f in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SIGLIP2_TOKENIZER + f, d)
    tokenizer = AutoTokenizer.from_pretrained(d)
    model = Siglip2Model(Siglip2Config(
        text_config=dict(vocab_size=527, hidden_size=40, intermediate_size=72, num_hidden_layers=2, num_attention_heads=5, max_position_embeddings=30, projection_size=40),
        vision_config=dict(hidden_size=40, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4, num_patches=25, patch_size=14))).eval()
    randomize(model, seed)
    model.to(torch.bfloat16).save_pretrained(d)
    model = Siglip2Model.from_pretrained(d, dtype=torch.float32).eval()
    processor = Siglip2ImageProcessorPil(max_num_patches=30, patch_size=14)
    processor.save_pretrained(d)
    x = tokenizer(MORE_TEXTS, padding="max_length", max_length=30, truncation=True, return_tensors="pt")
    with torch.no_grad():
        p = processor(pictures(), return_tensors="pt")
        images = model.get_image_features(pixel_values=p.pixel_values, pixel_attention_mask=p.pixel_attention_mask, spatial_shapes=p.spatial_shapes).pooler_output
        texts = model.get_text_features(input_ids=x.input_ids).pooler_output
    expected(name, images, texts, MORE_TEXTS, model.logit_scale.exp().item())


def timm_siglip(name, seed):
    d = folder(name)
    for f in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(SIGLIP2_TOKENIZER + f, d)
    tokenizer = AutoTokenizer.from_pretrained(d)
    config = dict(
        embed_dim=48, init_logit_bias=-10, custom_text=True,
        vision_cfg=dict(image_size=64, timm_model_name="vit_base_patch32_siglip_256", timm_model_pretrained=False, timm_pool="map", timm_proj="none"),
        text_cfg=dict(context_length=24, vocab_size=527, hf_tokenizer_name="timm/tiny", tokenizer_kwargs=dict(clean="canonicalize"), width=48, heads=6, layers=2,
                      no_causal_mask=True, proj_bias=True, pool_type="last", norm_kwargs=dict(eps=1e-6), act_kwargs=dict(approximate="tanh")))
    # the sizes that timm has for this name are too large for a test
    create, timm.create_model = timm.create_model, lambda n, **k: VisionTransformer(
        img_size=64, patch_size=16, embed_dim=48, depth=2, num_heads=12, mlp_ratio=2, class_token=False, global_pool="map", num_classes=0, act_layer="gelu_tanh")
    model = CustomTextCLIP(**{k: v for k, v in json.loads(json.dumps(config)).items() if k != "custom_text"}).eval()
    timm.create_model = create
    randomize(model, seed)
    save_file(cast(model, torch.float16), d + "open_clip_model.safetensors")
    preprocess = dict(mean=[0.5] * 3, std=[0.5] * 3, interpolation="bicubic", resize_mode="squash")
    json.dump(dict(model_cfg=config, preprocess_cfg=preprocess), open(d + "open_clip_config.json", "w"), indent=1)
    transform = image_transform(64, False, **preprocess)
    inputs = ["a photo of a cat", "a red_bicycle near the OCEAN", "Two children; it's 2024!", "a  dog ", "word " * 40]
    x = tokenizer([canonicalize_text(t.strip()) for t in inputs], padding="max_length", max_length=24, truncation=True, return_tensors="pt").input_ids
    with torch.no_grad():
        images = model.encode_image(torch.stack([transform(p) for p in pictures()]))
        expected(name, images, model.encode_text(x), inputs, model.logit_scale.exp().item())


def internvl(name, seed, dtype=torch.bfloat16, vw=48, vh=3, vl=2, vf=96, tw=32, th=4, tl=3, tf=64, dim=24, heads=4, nq=6, img=56, p=14):
    d = folder(name)
    trained = tempfile.mkdtemp() + '/sp'
    TEXTS = MORE_TEXTS
    spm.SentencePieceTrainer.train(input=__file__,model_prefix=trained,vocab_size=500,model_type='bpe',byte_fallback=True,normalization_rule_name='identity',remove_extra_whitespaces=False,split_digits=True,unk_id=0,bos_id=1,eos_id=2,pad_id=-1,minloglevel=2)
    shutil.copy(trained+'.model',d+'tokenizer.model'); sp=spm.SentencePieceProcessor(trained+'.model')
    V=sp.vocab_size()
    g=torch.Generator().manual_seed(seed); r=lambda *s,k=1.2: torch.randn(*s,generator=g)*(k/math.sqrt(s[-1]) if len(s)>1 else 0.1)
    n=lambda *s: 1+0.2*torch.randn(*s,generator=g)
    w={}
    N=(img//p)**2
    w['vision_model.embeddings.class_embedding']=r(1,1,vw,k=4); w['vision_model.embeddings.patch_embedding.weight']=torch.randn(vw,3,p,p,generator=g)/p; w['vision_model.embeddings.patch_embedding.bias']=r(vw)
    w['vision_model.embeddings.position_embedding']=r(1,N+1,vw,k=3)
    for i in range(vl):
        b=f'vision_model.encoder.layers.{i}.'
        w[b+'norm1.weight']=n(vw);w[b+'norm2.weight']=n(vw);w[b+'attn.qkv.weight']=r(3*vw,vw);w[b+'attn.proj.weight']=r(vw,vw);w[b+'attn.proj.bias']=r(vw)
        w[b+'attn.q_norm.weight']=n(vw);w[b+'attn.k_norm.weight']=n(vw);w[b+'mlp.fc1.weight']=r(vf,vw);w[b+'mlp.fc1.bias']=r(vf);w[b+'mlp.fc2.weight']=r(vw,vf);w[b+'mlp.fc2.bias']=r(vw)
        w[b+'ls1']=0.5*n(vw);w[b+'ls2']=0.5*n(vw)
    w['qllama.model.embed_tokens.weight']=r(V,tw,k=4); w['qllama.model.norm.weight']=n(tw); w['qllama.lm_head.weight']=r(V,tw)
    for i in range(tl):
        b=f'qllama.model.layers.{i}.'
        for x in 'qkvo': w[b+f'self_attn.{x}_proj.weight']=r(tw,tw)
        w[b+'mlp.gate_proj.weight']=r(tf,tw);w[b+'mlp.up_proj.weight']=r(tf,tw);w[b+'mlp.down_proj.weight']=r(tw,tf)
        w[b+'input_layernorm.weight']=n(tw);w[b+'post_attention_layernorm.weight']=n(tw)
        if i%2==0:
            c=b+'cross_attn.'
            w[c+'q_proj.weight']=r(tw,tw);w[c+'o_proj.weight']=r(tw,tw);w[c+'k_proj.weight']=r(tw,vw);w[c+'v_proj.weight']=r(tw,vw);w[c+'norm1.weight']=n(tw);w[c+'norm2.weight']=n(vw)
    w['query_tokens']=r(1,nq,tw,k=4); w['text_projection']=r(tw,dim); w['logit_scale']=torch.tensor(2.5)
    for nm,dd in (('clip_projector',vw),('clip_projector2',tw)):
        for x in 'qkv':
            w[f'{nm}.norm1_{x}.weight']=n(dd);w[f'{nm}.norm1_{x}.bias']=r(dd);w[f'{nm}.cross_attn.{x}.weight']=r(dd,dd);w[f'{nm}.cross_attn.{x}_bias']=r(dd)
        w[f'{nm}.cross_attn.proj.weight']=r(dim,dd);w[f'{nm}.cross_attn.proj.bias']=r(dim)
    w['itm_head.weight']=r(2,tw);w['itm_head.bias']=r(2)
    w={k:v.to(dtype).contiguous() for k,v in w.items()}
    save_file(w,d+'model.safetensors'); w={k:v.float() for k,v in w.items()}
    json.dump(dict(architectures=['InternVLModel'],model_type='internvl',clip_embed_dim=dim,attn_pool_num_heads=heads,num_query_token=nq,torch_dtype='float16',
      vision_config=dict(model_type='intern_vit_6b',hidden_size=vw,intermediate_size=vf,num_attention_heads=vh,num_hidden_layers=vl,image_size=img,patch_size=p,hidden_act='gelu',layer_norm_eps=1e-6,qk_normalization=True,qkv_bias=False),
      qllama_config=dict(model_type='llama',hidden_size=tw,intermediate_size=tf,num_attention_heads=th,num_hidden_layers=tl,vocab_size=V,rms_norm_eps=1e-6,cross_attention_frequency=2,num_query_token=nq,max_position_embeddings=2048,hidden_act='silu')),open(d+'config.json','w'),indent=1)
    json.dump({"tokenizer_class":"LlamaTokenizer","add_bos_token":True,"add_eos_token":False,"bos_token":"<s>","eos_token":"</s>","unk_token":"<unk>"},open(d+'tokenizer_config.json','w'))
    ip=CLIPImageProcessorPil(size={'shortest_edge':img},crop_size={'height':img,'width':img},image_mean=[0.485,0.456,0.406],image_std=[0.229,0.224,0.225]); ip.save_pretrained(d)
    lin=lambda x,k,b=None: F.linear(x,w[k],None if b is None else w[b])
    rms=lambda x,k,eps=1e-6: w[k]*(x*torch.rsqrt(x.pow(2).mean(-1,keepdim=True)+eps))
    def att(q,k,v,h,mask=None):
        B=q.shape[0]; s=lambda t:t.reshape(B,t.shape[1],h,-1).transpose(1,2)
        q,k,v=s(q),s(k),s(v); a=q@k.transpose(-1,-2)/math.sqrt(q.shape[-1])
        if mask is not None: a=a+mask
        return (a.softmax(-1)@v).transpose(1,2).reshape(B,q.shape[2],-1)
    def vit(px):
        x=F.conv2d(px,w['vision_model.embeddings.patch_embedding.weight'],w['vision_model.embeddings.patch_embedding.bias'],stride=p).flatten(2).transpose(1,2)
        x=torch.cat([w['vision_model.embeddings.class_embedding'].expand(x.shape[0],1,-1),x],1)+w['vision_model.embeddings.position_embedding']
        for i in range(vl):
            b=f'vision_model.encoder.layers.{i}.'
            q,k,v=lin(rms(x,b+'norm1.weight'),b+'attn.qkv.weight').chunk(3,-1)
            x=x+w[b+'ls1']*lin(att(rms(q,b+'attn.q_norm.weight'),rms(k,b+'attn.k_norm.weight'),v,vh),b+'attn.proj.weight',b+'attn.proj.bias')
            x=x+w[b+'ls2']*lin(F.gelu(lin(rms(x,b+'norm2.weight'),b+'mlp.fc1.weight',b+'mlp.fc1.bias')),b+'mlp.fc2.weight',b+'mlp.fc2.bias')
        return x
    def pool(x,nm):
        ln=lambda t,c:F.layer_norm(t,(t.shape[-1],),w[f'{nm}.norm1_{c}.weight'],w[f'{nm}.norm1_{c}.bias'],1e-5)
        q=ln(x.mean(1,keepdim=True),'q')
        pr=lambda t,c:lin(t,f'{nm}.cross_attn.{c}.weight',f'{nm}.cross_attn.{c}_bias')
        return lin(att(pr(q,'q'),pr(ln(x,'k'),'k'),pr(ln(x,'v'),'v'),heads),f'{nm}.cross_attn.proj.weight',f'{nm}.cross_attn.proj.bias').squeeze(1)
    def rope(x,h):
        B,L,C=x.shape; dh=C//h; inv=1.0/(10000**(torch.arange(0,dh,2).float()/dh)); fr=torch.outer(torch.arange(L).float(),inv); e=torch.cat([fr,fr],-1)
        y=x.reshape(B,L,h,dh); y1,y2=y[...,:dh//2],y[...,dh//2:]
        return (y*e.cos()[None,:,None]+torch.cat([-y2,y1],-1)*e.sin()[None,:,None]).reshape(B,L,C)
    def qllama(x,mask,states):
        for i in range(tl):
            b=f'qllama.model.layers.{i}.'; y=rms(x,b+'input_layernorm.weight'); P=lambda t,c:lin(t,b+f'self_attn.{c}_proj.weight')
            x=x+P(att(rope(P(y,'q'),th),rope(P(y,'k'),th),P(y,'v'),th,mask),'o')
            if i%2==0 and states is not None:
                c=b+'cross_attn.'; q=lin(rms(x,c+'norm1.weight'),c+'q_proj.weight'); s=rms(states,c+'norm2.weight')
                x=x+lin(att(q,lin(s,c+'k_proj.weight'),lin(s,c+'v_proj.weight'),th),c+'o_proj.weight')
            y=rms(x,b+'post_attention_layernorm.weight'); x=x+lin(F.silu(lin(y,b+'mlp.gate_proj.weight'))*lin(y,b+'mlp.up_proj.weight'),b+'mlp.down_proj.weight')
        return rms(x,'qllama.model.norm.weight')
    ids=torch.zeros(len(TEXTS),80,dtype=torch.long)
    for j,s in enumerate(TEXTS):
        t=[1]+sp.encode('summarize:'+s)[:78]+[2]; ids[j,:len(t)]=torch.tensor(t)
    m=ids>0; mask=torch.zeros(len(TEXTS),1,80,80).masked_fill(~m[:,None,None,:],-1e30)+torch.full((80,80),-1e30).triu(1)
    h=qllama(F.embedding(ids,w['qllama.model.embed_tokens.weight']),mask,None)
    tx=h[torch.arange(len(TEXTS)),m.sum(1)-1]@w['text_projection']
    st=vit(ip(pictures(),return_tensors='pt').pixel_values); c=pool(st,'clip_projector')
    gg=pool(qllama(w['query_tokens'].expand(st.shape[0],-1,-1),None,st),'clip_projector2')
    G=gg/gg.norm(dim=1,keepdim=True)+c/c.norm(dim=1,keepdim=True)
    expected(name,c,tx,TEXTS,math.exp(w['logit_scale']),g=G.tolist())


if __name__ == "__main__":
    tower = dict(image_size=64, patch_size=16, width=64, head_width=16, layers=2)
    open_clip("open_clip-clipa", 1, {**tower, "pool_type": "avg", "final_ln_after_pool": True, "no_ln_pre": True}, dict(pool_type="last", no_causal_mask=True), {},
              dict(resize_mode="longest", fill_color=7, mean=[0.5, 0.4, 0.3], std=[0.2, 0.3, 0.4]), torch.float16)
    open_clip("open_clip-custom", 2, {**tower, "patch_size": 14, "image_size": 70, "ls_init_value": 0.1, "mlp_ratio": 2.5}, dict(pool_type="eos", eos_id=852, proj_bias=True, ls_init_value=0.1),
              dict(custom_text=True, init_logit_bias=-10.0), dict(interpolation="bilinear"), torch.bfloat16)
    open_clip("open_clip-resnet", 3, dict(image_size=96, layers=[2, 1, 1, 2], width=6, head_width=32, patch_size=None), {}, dict(quick_gelu=True), dict(resize_mode="squash"), torch.float16)
    metaclip2("metaclip2", 4)
    naflex("siglip2-naflex", 5)
    timm_siglip("open_clip-siglip2", 6)
    internvl("internvl-c", 7)
