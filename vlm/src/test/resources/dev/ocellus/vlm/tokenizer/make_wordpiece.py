"""Writes wordpiece-vocab.txt, wordpiece.jsonl and wordpiece-characters.tsv with the tokenizers library 0.23.2.

Each line of wordpiece.jsonl is [settings, text, ids, decoded]: what BERT's tokenizer makes of a text under
one of four settings. wordpiece-characters.tsv has for each 4096 code points and each setting the SHA-256 of
what the normalizer makes of every one of them between two letters, and of how it is cut from them.
"""

import hashlib
import json
import pathlib
import random

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SETTINGS = [
    dict(lowercase=True, strip_accents=None, handle_chinese_chars=True, clean_text=True),
    dict(lowercase=False, strip_accents=None, handle_chinese_chars=True, clean_text=True),
    dict(lowercase=True, strip_accents=False, handle_chinese_chars=False, clean_text=True),
    dict(lowercase=False, strip_accents=True, handle_chinese_chars=True, clean_text=False),
]

TEXTS = [
    "", " ", "\t\n", "a photography of", "A Photography Of", "What is shown here?", "don't, can't, won't",
    "It's the dog's bone; they've gone, we're here, I'm not", "a red bicycle near the ocean",
    "UPPER lower MiXeD", "caf\u00e9 CAFE\u0301 na\u00efve r\u00e9sum\u00e9", "\u0130stanbul I\u0307 \u0131",
    "\u039f\u0394\u039f\u03a3 \u03a3\u03a3 \u03c3\u03c2", "stra\u00dfe STRASSE \u1e9e", "\u4f60\u597d\u4e16\u754c hello\u4e16\u754c",
    "\u65e5\u672c\u8a9e\u3068\u30ab\u30bf\u30ab\u30ca", "\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8", "\u0627\u0644\u0639\u064e\u0631\u064e\u0628\u0650\u064a\u064e\u0651\u0629",
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0915\u094d\u0937", "\u0e44\u0e17\u0e22", "emoji \U0001f600\U0001f3fd\u200d\U0001f680 end",
    "zero\u200bwidth\u200djoin soft\u00adhyphen", "nbsp\u00a0em\u2003space\u3000wide", "line\u2028sep\u2029par\x85nel\x0bvt\x0cff",
    "nul\x00in \ufffd replacement \x7f del \x1b esc", "a" * 100, "a" * 101, "x" * 300 + " y", "\u00e9" * 100, "\u00e9" * 101,
    "[CLS] a photo [SEP]", "[cls] [sep] [Mask]", "[MASK]x[MASK]", "[[CLS]]", "##a ## # a##b", "a-b_c/d\\e", "1,234.56 7c 7/8",
    "$5 100% \u20ac9 \u00a35 \u00b1 \u00d7 \u2260", "\u201cquoted\u201d \u2018single\u2019 \u2014 dash \u2026", "\uff21\uff22\uff23 \uff01\uff1f",
    "\ufb01ne \ufb03 \u2126 \u212b \u00bd \u00b2", "a\u0300\u0301\u0302\u0303 b\u0327\u0301 \u1e69\u0307\u0323", "\U00020000\U0002a700\U0002b820\U0002b920 \uf900\u2f00",
    "\U0001d400\U0001d7d8 \U00010400\U00010428", "\u16a0\u16eb\u16ec \u166d \U000111c9", "\u1ab0a\u1ac0b \u08d4a\u08e2b", "a <loc> B <LOC>c",
    "a .b !c ?d ,e ' f n't 'm 's 've 're do not", "...!!!???", "\u3002\uff0c\u3001", "tab\tand\r\nnewline",
]


def random_texts():
    rng = random.Random(20)
    ranges = [(0x20, 0x7F), (0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE00),
              (0x1E00, 0x2070), (0x3000, 0x3100), (0x4E00, 0x4F00), (0xAC00, 0xAC80), (0xFE00, 0x10000), (0x10000, 0x12000), (0x1D100, 0x1D200)]
    for _ in range(150):
        parts = [rng.choice(ranges) for _ in range(rng.randint(1, 3))]
        yield "".join(chr(rng.randrange(*rng.choice(parts))) for _ in range(rng.randint(1, 24)))


def tokenizer(vocabulary, setting):
    t = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(**setting)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece(prefix="##")
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in SPECIAL])
    t.add_tokens([AddedToken("<Loc>", special=False, normalized=True)])
    return t


def vocabulary(texts):
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    low = [normalizers.BertNormalizer(lowercase=True).normalize_str(s) for s in texts]
    t.train_from_iterator(
        [s for s in texts + low if len(s) < 90], trainers.WordPieceTrainer(vocab_size=1500, min_frequency=1, special_tokens=SPECIAL, show_progress=False)
    )
    # ids of equal counts vary from run to run: order them
    words = [w for w in t.get_vocab() if w not in SPECIAL]
    return {w: i for i, w in enumerate(SPECIAL + sorted(words))}


def characters(out):
    cut = pre_tokenizers.BertPreTokenizer()
    for start in range(0, 0x110000, 4096):
        points = [chr(c) for c in range(start, start + 4096) if not 0xD800 <= c < 0xE000]
        sums = []
        for setting in SETTINGS:
            n = normalizers.BertNormalizer(**setting)
            text = "".join(n.normalize_str("A" + c + "b") + "\n" for c in points)
            sums.append(hashlib.sha256(text.encode()).hexdigest()[:16])
        text = "".join(" ".join(p for p, _ in cut.pre_tokenize_str("a" + c + "b")) + "\n" for c in points)
        sums.append(hashlib.sha256(text.encode()).hexdigest()[:16])
        out.write("\t".join(["%x" % start] + sums) + "\n")


def main():
    texts = TEXTS + list(random_texts())
    vocab = vocabulary(TEXTS[:40] + list(random_texts())[::3])
    with open(HERE / "wordpiece-vocab.txt", "w", encoding="utf-8", newline="\n") as f:
        f.writelines(w + "\n" for w in vocab)
    with open(HERE / "wordpiece.jsonl", "w", encoding="utf-8") as f:
        for i, setting in enumerate(SETTINGS):
            t = tokenizer(vocab, setting)
            for text in texts:
                ids = t.encode(text, add_special_tokens=False).ids
                f.write(json.dumps([i, text, ids, t.decode(ids, skip_special_tokens=i % 2 == 0)]) + "\n")
    with open(HERE / "wordpiece-characters.tsv", "w") as f:
        characters(f)


main()
