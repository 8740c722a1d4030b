"""Writes vocab.gguf and vocab-cases.txt from a HuggingFace tokenizer folder.

    python make_vocab.py path/to/text.gguf path/to/hf-tokenizer

The GGUF file keeps only the tokenizer's metadata of a text model; the cases are what the tokenizers
package says about some texts: hexadecimal UTF-8, a tab, and token ids. Made from the demo model.
"""

import sys

import gguf
from tokenizers import Tokenizer

TEXTS = [
    "a", " ", "  ", "\n", "\t\n ", "Hello world", " Hello", "What is in the picture?",
    "A red circle is to the left of the blue square.", "it's we'll I'M don't", "x=3.14159; y = 2**10",
    "Größe, Übermut", "你好，世界", "Привет мир", "😀👍🏽", "e\u0301\u00e9", "\u00a0\u3000\u2003x",
    "    four spaces\n\n\nthree lines\r\n", "1234567890", "\u0000\u0001\u007f", "ﬁ ﷺ 𝔘𝔫𝔦𝔠𝔬𝔡𝔢",
    "UPPER lower MiXeD", "a" * 100, " " * 50, "!?" * 30, "<notspecial>",
]

source, tokenizer = sys.argv[1:]
reader = gguf.GGUFReader(source)
writer = gguf.GGUFWriter("vocab.gguf", reader.fields["general.architecture"].contents())
for name in ["model", "pre", "bos_token_id", "eos_token_id", "tokens", "token_type", "merges"]:
    key = "tokenizer.ggml." + name
    if key not in reader.fields:
        continue
    value = reader.fields[key].contents()
    if isinstance(value, str):
        writer.add_string(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    else:
        writer.add_array(key, value)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.close()

reference = Tokenizer.from_file(tokenizer + "/tokenizer.json")
with open("vocab-cases.txt", "w") as out:
    for text in TEXTS:
        ids = reference.encode(text, add_special_tokens=False).ids
        out.write(text.encode().hex() + "\t" + " ".join(map(str, ids)) + "\n")
