"""Writes variants.zip and variants.tsv: files in every layout that the formats allow, and what Pillow decodes.

Run with Pillow 12.3 and numpy:  python make_variants.py SOURCE.png
SOURCE.png is any colourful photo; tests/golden/images holds photo_640x427.jpg, which was used.

A row of variants.tsv: file, SHA-256 of (width, height as big-endian int32; RGB bytes). Files that
Pillow refuses are left out.
"""

import hashlib
import io
import itertools
import struct
import sys
import warnings
import zipfile
import zlib

import numpy as np
from PIL import Image, ImageOps

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)
photo = Image.open(sys.argv[1]).convert("RGB")
small = photo.resize((37, 26))
tiny = Image.fromarray(rng.integers(0, 256, (5, 9, 3)).astype("u1"))
files = {}


# --- metadata: where orientations stand, and how ---


def exif(orientation, endian="<", kind=3, count=1, value=None, before=b"", version=None, after=b""):
    head = (b"II" if endian == "<" else b"MM") + (version or struct.pack(endian + "H", 42))
    value = struct.pack(endian + "HH", orientation, 0) if value is None else value
    entries = before + struct.pack(endian + "HHI", 0x112, kind, count) + value.ljust(4, b"\0")[:4]
    directory = struct.pack(endian + "H", len(entries) // 12) + entries + struct.pack(endian + "I", 0)
    return head + struct.pack(endian + "I", 8) + directory + after


def far(kind, fmt, *values):
    return exif(0, kind=kind, value=struct.pack("<I", 26), after=struct.pack("<" + fmt, *values))


def xmp(orientation):
    return f'<x tiff:Orientation="{orientation}"/>'.encode()


def xmp_element(orientation):
    return f"<x><tiff:Orientation>{orientation}</tiff:Orientation></x>".encode()


def raw_profile(data, name="exif"):
    digits = data.hex()
    lines = [digits[i : i + 72] for i in range(0, len(digits), 72)]
    return ("\n%s\n%8d\n%s\n" % (name, len(data), "\n".join(lines))).encode()


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = saved(tiny, "PNG")
JPEG = saved(tiny, "JPEG")
LOSSLESS = saved(tiny, "WEBP", lossless=True)[12:]
NAME = b"Exif\0\0"
WITHOUT_TAG = exif(6).replace(b"\x12\x01", b"\x13\x01")
RAW = b"Raw profile type exif\0"
PACKET = b"XML:com.adobe.xmp\0"
XAP = b"http://ns.adobe.com/xap/1.0/\0"


def png(name, before, after=()):
    data, end = PNG.index(b"IDAT") - 4, PNG.index(b"IEND") - 4
    parts = [PNG[:data], *(chunk(*c) for c in before), PNG[data:end], *(chunk(*c) for c in after), PNG[end:]]
    files[name + ".png"] = b"".join(parts)


def webp(name, chunks, flags):
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes([flags, 0, 0, 0, 8, 0, 0, 4, 0, 0]) + LOSSLESS
    for kind, data in chunks:
        body += kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) & 1)
    files[name + ".webp"] = b"RIFF" + struct.pack("<I", len(body)) + body


def jpeg(name, segments, jfif=True):
    start = 2 if jfif else 4 + struct.unpack(">H", JPEG[4:6])[0]
    body = b"".join(bytes([0xFF, m]) + struct.pack(">H", len(s) + 2) + s for m, s in segments)
    files[name + ".jpg"] = JPEG[:2] + body + JPEG[start:]


def make_metadata():
    webp("exif", [(b"EXIF", NAME + exif(6))], 8)
    webp("exif_not_announced", [(b"EXIF", NAME + exif(6))], 0)
    webp("exif_twice", [(b"EXIF", NAME + exif(6)), (b"EXIF", exif(3))], 8)
    webp("exif_three_names", [(b"EXIF", NAME * 3 + exif(8, ">"))], 8)
    webp("xmp", [(b"XMP ", xmp(6))], 4)
    webp("xmp_not_announced", [(b"XMP ", xmp(6))], 0)
    webp("xmp_element", [(b"XMP ", xmp_element(7))], 4)
    webp("empty_exif_and_xmp", [(b"EXIF", NAME), (b"XMP ", xmp(6))], 12)
    webp("exif_without_tag_and_xmp", [(b"EXIF", WITHOUT_TAG), (b"XMP ", xmp(6))], 12)
    hexed = (NAME + exif(6)).hex()
    png("raw", [(b"tEXt", RAW + raw_profile(NAME + exif(6)))])
    png("raw_without_name", [(b"tEXt", RAW + raw_profile(exif(5, ">")))])
    png("raw_compressed", [(b"zTXt", RAW + b"\0" + zlib.compress(raw_profile(NAME + exif(6))))])
    png("raw_international", [(b"iTXt", RAW + b"\0\0\0\0" + raw_profile(NAME + exif(6)))])
    png("raw_both", [(b"iTXt", RAW + b"\1\0\0\0" + zlib.compress(raw_profile(NAME + exif(6))))])
    png("raw_app1", [(b"tEXt", b"Raw profile type APP1\0" + raw_profile(NAME + exif(6), "APP1"))])
    png("raw_after_pixels", [], [(b"tEXt", RAW + raw_profile(NAME + exif(6)))])
    png("raw_and_exif", [(b"eXIf", exif(3)), (b"tEXt", RAW + raw_profile(NAME + exif(6)))])
    png("raw_upper_case", [(b"tEXt", RAW + b"\nexif\n 3\n" + hexed.upper().encode())])
    png("raw_short_lines", [(b"tEXt", RAW + b"\nexif\n 3\n" + "\n".join(hexed).encode())])
    spaced = " ".join(hexed[i : i + 2] for i in range(0, len(hexed), 2))
    png("raw_spaces", [(b"tEXt", RAW + b"\nexif\n 3\n" + spaced.encode())])
    png("xmp", [(b"iTXt", PACKET + b"\0\0\0\0" + xmp(6))])
    png("xmp_compressed", [(b"iTXt", PACKET + b"\1\0\0\0" + zlib.compress(xmp_element(8)))])
    png("xmp_language", [(b"iTXt", PACKET + b"\1\0en\0key\0" + zlib.compress(xmp(8)))])
    png("xmp_not_utf8", [(b"iTXt", PACKET + b"\0\0\0\0\xff\xfe" + xmp(8))])
    png("xmp_unknown_compression", [(b"iTXt", PACKET + b"\1\1\0\0" + zlib.compress(xmp(8)))])
    png("xmp_in_text", [(b"tEXt", PACKET + xmp(6))])
    png("xmp_in_compressed_text", [(b"zTXt", PACKET + b"\0" + zlib.compress(xmp(6)))])
    png("xmp_twice", [(b"iTXt", PACKET + b"\0\0\0\0" + xmp(o)) for o in (6, 3)])
    png("xmp_after_pixels", [], [(b"iTXt", PACKET + b"\1\0\0\0" + zlib.compress(xmp(6)))])
    png("exif_in_text", [(b"tEXt", b"exif\0" + NAME + exif(6))])
    png("exif_three_names", [(b"eXIf", NAME * 3 + exif(6))])
    png("exif_twice", [(b"eXIf", exif(6)), (b"eXIf", exif(3))])
    png("exif_empty_and_xmp", [(b"eXIf", NAME), (b"tEXt", PACKET + xmp(6))])
    png("exif_without_tag_and_xmp", [(b"eXIf", WITHOUT_TAG), (b"tEXt", PACKET + xmp(6))])
    png("exif_without_tag_and_raw", [(b"eXIf", WITHOUT_TAG), (b"tEXt", RAW + raw_profile(exif(6)))])
    png("exif_9_and_xmp", [(b"eXIf", exif(9)), (b"tEXt", PACKET + xmp(6))])
    frames = [(b"acTL", struct.pack(">II", 2, 0)), (b"fcTL", struct.pack(">IIIIIHHBB", 0, 9, 5, 0, 0, 1, 10, 0, 0))]
    second = [(b"fcTL", struct.pack(">IIIIIHHBB", 1, 9, 5, 0, 0, 1, 10, 0, 0)), (b"fdAT", b"\0\0\0\2" + LOSSLESS)]
    png("exif_of_second_frame", frames, [*second, (b"eXIf", exif(6))])
    png("exif_of_first_frame", frames, [(b"eXIf", exif(6)), *second])
    jpeg("exif_empty_then_another", [(0xE1, NAME), (0xE1, NAME + exif(6))])
    jpeg("exif_twice", [(0xE1, NAME + exif(6)), (0xE1, NAME + exif(3))])
    jpeg("exif_in_two_segments", [(0xE1, NAME + exif(6)[:12]), (0xE1, NAME + exif(6)[12:])])
    jpeg("exif_three_names", [(0xE1, NAME * 3 + exif(6))])
    jpeg("exif_lower_case", [(0xE1, NAME.lower() + exif(6))])
    jpeg("exif_elsewhere", [(0xE2, NAME + exif(6))])
    jpeg("xmp", [(0xE1, XAP + xmp(6))])
    jpeg("xmp_twice", [(0xE1, XAP + xmp(6)), (0xE1, XAP + xmp(3))])
    jpeg("xmp_and_exif", [(0xE1, XAP + xmp(6)), (0xE1, NAME + exif(3))])
    jpeg("xmp_and_empty_exif", [(0xE1, XAP + xmp(6)), (0xE1, NAME)])
    jpeg("xmp_and_garbage", [(0xE1, NAME + b"garbage!!"), (0xE1, XAP + xmp(6))], jfif=False)


def make_directories():
    pack = struct.pack
    kinds = {
        "big_endian": exif(6, ">"),
        "swapped_version": exif(6, "<", version=b"\0*"),
        "swapped_version_big_endian": exif(6, ">", version=b"*\0"),
        "long": exif(6, kind=4, value=pack("<I", 6)),
        "byte": exif(6, kind=1, value=b"\6"),
        "signed_byte": exif(6, kind=6, value=b"\6"),
        "undefined": exif(6, kind=7, value=b"\6"),
        "text": exif(6, kind=2, value=b"6\0", count=2),
        "signed_short": exif(6, kind=8),
        "signed_long": exif(6, kind=9, value=pack("<i", 6)),
        "float": exif(6, kind=11, value=pack("<f", 6)),
        "fraction": exif(6, kind=11, value=pack("<f", 6.5)),
        "unknown": exif(6, kind=99),
        "two": exif(6, count=2, value=pack("<HH", 6, 3)),
        "none": exif(6, count=0),
        "rational": far(5, "II", 12, 2),
        "signed_rational": far(10, "ii", 6, 1),
        "long8": far(16, "Q", 6),
        "double": far(12, "d", 6),
        "twice": exif(6, before=pack("<HHIHH", 0x112, 3, 1, 3, 0)),
        "behind_a_value_beyond_the_end": exif(6, before=pack("<HHII", 0x10F, 2, 50, 9999)),
        "behind_an_unknown_type": exif(6, before=pack("<HHII", 0x10F, 77, 50, 9999)),
        "behind_an_empty_value": exif(6, before=pack("<HHII", 0x10F, 2, 0, 9999)),
        "no_next": exif(6)[:-4],
        "cut": exif(6)[:-6],
        "only_header": exif(6)[:8],
        "too_many": exif(6)[:8] + pack("<H", 9) + exif(6)[10:],
    }
    for name, data in kinds.items():
        png("directory_" + name, [(b"eXIf", data), (b"tEXt", PACKET + xmp(3))])


# --- JPEG: components with the same id ---


def with_ids(data, ids):
    out = bytearray(data)
    at = 2
    while out[at + 1] != 0xDA:
        if out[at + 1] in (0xC0, 0xC2):
            for i in range(3):
                out[at + 10 + 3 * i] = ids[i]
        at += 2 + struct.unpack(">H", out[at + 2 : at + 4])[0]
    for i in range(3):
        out[at + 5 + 2 * i] = ids[i]
    return bytes(out)


def make_component_ids():
    for sampling, ids in itertools.product((0, 2), ((1, 1, 1), (0, 0, 0), (1, 2, 2), (1, 2, 1), (3, 4, 5), (82, 71, 66))):
        data = with_ids(saved(small, "JPEG", subsampling=sampling, quality=70), ids)
        files[f"ids_{'_'.join(map(str, ids))}_s{sampling}.jpg"] = data


# --- BMP ---


def bmp(name, header, rows, palette=b"", masks=b"", offset=None, file_header=True):
    at = 14 + len(header) + len(masks) + len(palette) if offset is None else offset
    head = b"BM" + struct.pack("<IHHI", at + len(rows), 0, 0, at) if file_header else b""
    files[name + (".bmp" if file_header else ".dib")] = head + header + masks + palette + rows


def info(bits, compression=0, colors=0, size=40, width=9, height=7, more=b""):
    fields = struct.pack("<IiiHHIIiiII", size, width, height, 1, bits, compression, 0, 0, 0, colors, 0)
    return (fields + more).ljust(size, b"\0")


def noise_rows(bits, width=9, height=7):
    stride = (width * bits + 31) // 32 * 4
    return rng.integers(0, 256, stride * height).astype("u1").tobytes()


def colors_of(n, entry=4):
    return b"".join(rng.integers(0, 256, 3).astype("u1").tobytes() + b"\0" * (entry - 3) for _ in range(n))


def make_bmp():
    for bits in (1, 4, 8):
        bmp(f"os2_{bits}", struct.pack("<IHHHH", 12, 9, 7, 1, bits), noise_rows(bits), colors_of(1 << bits, 3))
        for size in (40, 52, 56, 64, 108, 124):
            bmp(f"v{size}_{bits}", info(bits, size=size), noise_rows(bits), colors_of(1 << bits))
        bmp(f"top_down_{bits}", info(bits, height=-7), noise_rows(bits), colors_of(1 << bits))
        bmp(f"few_colors_{bits}", info(bits, colors=2), noise_rows(bits), colors_of(2))
        bmp(f"no_offset_{bits}", info(bits), noise_rows(bits), colors_of(1 << bits), offset=0)
        bmp(f"offset_before_palette_{bits}", info(bits), noise_rows(bits), colors_of(1 << bits), offset=54)
        bmp(f"dib_{bits}", info(bits), noise_rows(bits), colors_of(1 << bits), file_header=False)
    for bits in (16, 24, 32):
        for size, height in itertools.product((40, 52, 56, 64, 108, 124), (7, -7)):
            bmp(f"v{size}_{bits}_{height}", info(bits, size=size, height=height), noise_rows(bits))
        bmp(f"dib_{bits}", info(bits), noise_rows(bits), file_header=False)
        bmp(f"with_palette_{bits}", info(bits, colors=5), noise_rows(bits), colors_of(5))
        bmp(f"far_offset_{bits}", info(bits), b"\0" * 30 + noise_rows(bits), offset=84)
    bmp("os2_24", struct.pack("<IHHHH", 12, 9, 7, 1, 24), noise_rows(24))
    known = {16: [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)], 24: [(0xFF0000, 0xFF00, 0xFF)]}
    known[32] = [(0xFF0000, 0xFF00, 0xFF), (0xFF000000, 0xFF0000, 0xFF00), (0xFF000000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000), (0, 0, 0)]
    alphas = (0, 0xFF, 0xFF0000, 0xFF000000)
    for bits, masks in ((b, m) for b in known for m in known[b]):
        name = f"masks_{bits}_{'_'.join('%x' % m for m in masks)}"
        packed = struct.pack("<III", *masks)
        bmp(name + "_v40", info(bits, 3), noise_rows(bits), masks=packed)
        bmp(name + "_v52", info(bits, 3, size=52, more=packed), noise_rows(bits))
        for size, alpha in itertools.product((56, 108, 124), alphas):
            more = packed + struct.pack("<I", alpha)
            bmp(f"{name}_{alpha:x}_v{size}", info(bits, 3, size=size, more=more), noise_rows(bits))
    make_runs()


def make_runs():
    eight = {
        "plain": b"".join(bytes([5, y + 1, 3, y + 9, 0, 3, 1, 2, 3, 0, 0, 0]) for y in range(7)) + b"\0\1",
        "without_row_ends": b"\x0b\5\x0b\6" * 4,
        "row_too_long": b"\x14\5\0\0" * 7,
        "skips": b"\3\5\0\2\2\1\4\7\0\0" + b"\0\2\1\2\3\3\0\0" + b"\x0b\1" * 3 + b"\0\1",
        "literals": b"".join(b"\0\x0b" + bytes(range(y, y + 11)) + b"\0" for y in range(7)) + b"\0\1",
        "short_rows": b"\4\1\0\0" * 7 + b"\0\1",
    }
    four = {
        "plain": b"".join(bytes([5, 0x12 + y, 6, 0x34, 0, 0]) for y in range(7)) + b"\0\1",
        "literals": b"".join(b"\0\x04\x12\x34\7" + bytes([y * 17]) + b"\0\0" for y in range(7)) + b"\0\1",
        "odd_literals": b"".join(b"\0\x03\x12\x34\x08\x56\0\0" for y in range(7)) + b"\0\1",
        "odd_literals_of_five": b"".join(b"\0\x05\x12\x34\x56\0\6\x56\0\0" for y in range(9)) + b"\0\1",
        "skips": b"\3\x5a\0\2\2\1\4\x7b\0\0" + b"\x0b\x1c" * 5 + b"\0\1",
    }
    for bits, compression, kinds in ((8, 1, eight), (4, 2, four)):
        for name, runs in kinds.items():
            for height in (7, -7):
                header = info(bits, compression, width=11, height=height)
                bmp(f"runs{bits}_{name}_{height}", header, runs + b"\0" * 4, colors_of(1 << bits))
        odd = info(bits, compression, width=11)
        bmp(f"runs{bits}_odd_offset", odd, b"\0" + kinds["literals"], colors_of(1 << bits), offset=54 + (4 << bits) + 1)


# --- TIFF ---

LZW_CLEAR, LZW_END = 256, 257


def lzw(data, old=False):
    bits, codes = [], []

    def emit(code, width):
        codes.append((code, width))

    table, width = {bytes([i]): i for i in range(256)}, 9
    emit(LZW_CLEAR, 9)
    last, following = b"", 258
    for value in data:
        longer = last + bytes([value])
        if longer in table:
            last = longer
            continue
        emit(table[last], width)
        table[longer] = following
        following += 1
        if following == (1 << width) + old and width < 12:
            width += 1
        if following >= 4094:
            emit(LZW_CLEAR, width)
            table, width, following = {bytes([i]): i for i in range(256)}, 9, 258
        last = bytes([value])
    if last:
        emit(table[last], width)
        following += 1
        if following == (1 << width) + old and width < 12:
            width += 1
    emit(LZW_END, width)
    for code, width in codes:
        text = format(code, f"0{width}b")
        bits.append(text[::-1] if old else text)
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    step = -1 if old else 1
    return bytes(int(text[i : i + 8][::step], 2) for i in range(0, len(text), 8))


def pack_bits(data):
    out, at = b"", 0
    while at < len(data):
        run = 1
        while at + run < len(data) and run < 128 and data[at + run] == data[at]:
            run += 1
        if run > 1:
            out += bytes([257 - run, data[at]])
        else:
            while at + run < len(data) and run < 128 and data[at + run] != data[at + run - 1]:
                run += 1
            out += bytes([run - 1]) + data[at : at + run]
        at += run
    return out


COMPRESS = {1: bytes, 5: lzw, 8: zlib.compress, 32946: zlib.compress, 32773: pack_bits, "old": lambda d: lzw(d, True)}
REVERSED = bytes(int(format(i, "08b")[::-1], 2) for i in range(256))


def packed(samples, bits, endian):
    """Rows of samples as bytes; each row begins with a byte."""
    if bits >= 8 and bits != 12:
        return samples.astype(samples.dtype.newbyteorder(endian)).tobytes()
    out = b""
    for row in samples.reshape(samples.shape[0], -1):
        text = "".join(format(v, f"0{bits}b") for v in row)
        text += "0" * (-len(text) % 8)
        out += bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))
    return out


def predicted(block, predictor, endian):
    if predictor == 2:
        out = block.copy()
        out[:, 1:] = block[:, 1:] - block[:, :-1]
        return out
    if predictor == 3:
        rows = block.astype(block.dtype.newbyteorder(">")).view("u1").reshape(block.shape[0], -1, block.dtype.itemsize)
        apart = rows.transpose(0, 2, 1).reshape(block.shape[0], -1)
        out = apart.copy()
        step = block.shape[2]
        out[:, step:] = apart[:, step:] - apart[:, :-step]
        return out
    return block


def tiff(name, samples, photometric, bits, endian="<", big=False, compression=1, predictor=1, planar=1, tile=None, rows=None,
         extra=(), sample_format=1, reverse=False, more=()):
    height, width, bands = samples.shape
    blocks = []
    for plane in range(bands) if planar == 2 else [slice(None)]:
        part = samples[:, :, plane].reshape(height, width, -1)
        if tile:
            down, across = -height % tile[1], -width % tile[0]
            part = np.pad(part, ((0, down), (0, across), (0, 0)), mode="edge")
            pieces = [part[y : y + tile[1], x : x + tile[0]] for y in range(0, part.shape[0], tile[1]) for x in range(0, part.shape[1], tile[0])]
        else:
            pieces = [part[y : y + (rows or height)] for y in range(0, height, rows or height)]
        for piece in pieces:
            piece = predicted(piece, predictor, endian)
            data = COMPRESS[compression](packed(piece, 8 if predictor == 3 else bits, endian))
            blocks.append(data.translate(REVERSED) if reverse else data)
    start = 16 if big else 8
    offsets = [start + sum(map(len, blocks[:i])) for i in range(len(blocks))]
    tags = [(256, "I", [width]), (257, "I", [height]), (258, "H", [bits] * bands), (259, "H", [5 if compression == "old" else compression])]
    tags += [(262, "H", [photometric]), (277, "H", [bands]), (284, "H", [planar])]
    tags += [(324 if tile else 273, "I", offsets), (325 if tile else 279, "I", list(map(len, blocks)))]
    tags += [(322, "I", [tile[0]]), (323, "I", [tile[1]])] if tile else [(278, "I", [rows or height])]
    tags += [(338, "H", list(extra))] if extra else []
    tags += [(339, "H", [sample_format] * bands)] if sample_format != 1 else []
    tags += [(317, "H", [predictor])] if predictor != 1 else []
    tags += [(266, "H", [2])] if reverse else []
    write_tiff(name, sorted(tags + list(more)), blocks, endian, big)


def write_tiff(name, tags, blocks, endian, big):
    body = b"".join(blocks)
    body += b"\0" * (len(body) & 1)
    at = (16 if big else 8) + len(body)
    room = 8 if big else 4
    directory_size = (8 if big else 2) + len(tags) * (20 if big else 12) + room
    values, directory = b"", struct.pack(endian + ("Q" if big else "H"), len(tags))
    for tag, kind, numbers in tags:
        data = struct.pack(endian + f"{len(numbers)}{kind}", *numbers)
        directory += struct.pack(endian + ("HHQ" if big else "HHI"), tag, {"H": 3, "I": 4, "f": 11}[kind], len(numbers))
        if len(data) > room:
            directory += struct.pack(endian + ("Q" if big else "I"), at + directory_size + len(values))
            values += data + b"\0" * (len(data) & 1)
        else:
            directory += data.ljust(room, b"\0")
    directory += struct.pack(endian + ("Q" if big else "I"), 0)
    mark = b"II" if endian == "<" else b"MM"
    head = mark + (struct.pack(endian + "HHHQ", 43, 8, 0, at) if big else struct.pack(endian + "HI", 42, at))
    files[name + ".tif"] = head + body + directory + values


def samples_of(bits, bands, width=23, height=11, kind="u"):
    if kind == "f":
        return (rng.normal(100, 90, (height, width, bands))).astype("f4")
    size = {12: 2, 16: 2, 32: 4}.get(bits, 1)
    values = rng.integers(0, 1 << bits, (height, width, bands))
    if bits >= 12 and bands == 1:
        values = values >> (bits - 9)
    values = values - (1 << 7 if kind == "i" else 0)
    values[:, 3:6] = values[:, 3:4]
    return values.astype(f"{kind}{size}")


def color_map(bits):
    return [(320, "H", rng.integers(0, 65536, 3 << bits).tolist())]


LAYOUTS = [
    {}, {"endian": ">"}, {"big": True}, {"rows": 4}, {"tile": (16, 16)}, {"planar": 2}, {"planar": 2, "rows": 3}, {"planar": 2, "tile": (16, 16)},
    {"reverse": True}, {"compression": 5}, {"compression": 5, "predictor": 2}, {"compression": 5, "predictor": 2, "endian": ">"},
    {"compression": 8, "predictor": 2, "planar": 2}, {"compression": 8}, {"compression": 32946, "tile": (16, 16)}, {"compression": 32773},
    {"compression": 32773, "reverse": True}, {"compression": 5, "reverse": True, "rows": 2}, {"compression": 8, "endian": ">", "tile": (32, 16), "predictor": 2},
    {"compression": "old"},
]
MODES = [
    ("white0", 0, 1, 1, ()), ("black0", 1, 1, 1, ()), ("white0_2", 0, 2, 1, ()), ("gray2", 1, 2, 1, ()), ("white0_4", 0, 4, 1, ()), ("gray4", 1, 4, 1, ()),
    ("white0_8", 0, 8, 1, ()), ("gray8", 1, 8, 1, ()), ("gray12", 1, 12, 1, ()), ("gray16", 1, 16, 1, ()), ("white0_16", 0, 16, 1, ()),
    ("gray32", 1, 32, 1, ()), ("gray_alpha", 1, 8, 2, (2,)), ("rgb8", 2, 8, 3, ()), ("rgba_unsaid", 2, 8, 4, ()), ("rgbx", 2, 8, 4, (0,)),
    ("rgb_associated", 2, 8, 4, (1,)), ("rgba", 2, 8, 4, (2,)), ("rgb_corel", 2, 8, 4, (999,)), ("rgbxx", 2, 8, 5, (0, 0)), ("rgbax", 2, 8, 5, (2, 0)),
    ("rgb_associated_x", 2, 8, 5, (1, 0)), ("rgb_associated_xx", 2, 8, 6, (1, 0, 0)), ("rgb16", 2, 16, 3, ()), ("rgb16_associated", 2, 16, 4, (1,)),
    ("rgba16", 2, 16, 4, (2,)), ("rgbx16", 2, 16, 4, (0,)), ("palette1", 3, 1, 1, ()), ("palette2", 3, 2, 1, ()), ("palette4", 3, 4, 1, ()),
    ("palette8", 3, 8, 1, ()), ("palette_alpha", 3, 8, 2, (2,)), ("palette_x", 3, 8, 2, (0,)), ("cmyk", 5, 8, 4, ()), ("cmykx", 5, 8, 5, (0,)),
    ("cmyk16", 5, 16, 4, ()), ("luma", 6, 8, 1, ()),
]


def pillow_is_wrong(bits, bands, extra, planar=1, compression=1, **_):
    """Whether Pillow reads uncompressed planes as 8-bit ones, or not as many as there are."""
    return planar == 2 and compression == 1 and (bands == 1 or bits != 8 or bands == 4 and not extra)


def make_tiff():
    for number, (name, photometric, bits, bands, extra) in enumerate(MODES):
        for i, layout in enumerate(LAYOUTS):
            if i > 9 and (i + number) % 4:
                continue
            more = color_map(bits) if photometric == 3 else ()
            samples = samples_of(bits, bands)
            if 1 in extra:
                # Colours are not above their alpha, but for some pixels of broken writers.
                samples[1:, :, :3] = np.minimum(samples[1:, :, :3], samples[1:, :, 3:4])
            if layout.get("predictor") and bits not in (8, 16, 32) or pillow_is_wrong(bits, bands, extra, **layout):
                continue
            tiff(f"{name}_{i}", samples, photometric, bits, extra=extra, more=more, **layout)
    for i, layout in enumerate(LAYOUTS):
        # Pillow swaps the bytes of compressed big-endian numbers once too often.
        swapped = layout.get("endian") == ">" and layout.get("compression", 1) != 1
        if "reverse" in layout or swapped or pillow_is_wrong(16, 1, (), **layout):
            continue
        tiff(f"signed16_{i}", samples_of(16, 1, kind="i"), 1, 16, sample_format=2, **layout)
        tiff(f"signed32_{i}", samples_of(32, 1, kind="i"), 1, 32, sample_format=2, **layout)
        if layout.get("predictor", 3) == 3:
            tiff(f"float_{i}", samples_of(32, 1, kind="f"), 1, 32, sample_format=3, **layout)
    tiff("float_predicted", samples_of(32, 1, kind="f"), 1, 32, compression=8, predictor=3, sample_format=3)
    for i, orientation in enumerate((1, 2, 3, 4, 5, 6, 7, 8, 9)):
        tiff(f"orientation{orientation}", samples_of(8, 3), 2, 8, compression=(1, 5)[i % 2], more=[(274, "H", [orientation])])
    make_ycc()


def make_ycc():
    for across, down, compression in itertools.product((1, 2, 4), (1, 2, 4), (5, 8)):
        width, height = 23, 11
        cells = -(-width // across) * -(-height // down)
        data = rng.integers(0, 256, cells * (across * down + 2)).astype("u1").tobytes()
        block = COMPRESS[compression](data)
        tags = [(256, "I", [width]), (257, "I", [height]), (258, "H", [8] * 3), (259, "H", [compression]), (262, "H", [6]), (273, "I", [8])]
        tags += [(277, "H", [3]), (278, "I", [height]), (279, "I", [len(block)]), (284, "H", [1]), (530, "H", [across, down])]
        write_tiff(f"ycc_{across}x{down}_{compression}", tags, [block], "<", False)


# --- GIF ---


def gif_lzw(indices, bits):
    """Codes of one length: the table is cleared before they grow."""
    width, codes = bits + 1, []
    for i, index in enumerate(indices):
        if i % max(1, (1 << bits) - 2) == 0:
            codes.append(1 << bits)
        codes.append(index)
    codes.append((1 << bits) + 1)
    text = "".join(format(c, f"0{width}b")[::-1] for c in codes)
    text += "0" * (-len(text) % 8)
    data = bytes(int(text[i : i + 8][::-1], 2) for i in range(0, len(text), 8))
    return bytes([bits]) + b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255)) + b"\0"


def gif(name, bits, palette_bits=8, flags=0, screen=(9, 5), area=(0, 0, 9, 5), largest=None, before=b"", palette=True, version=b"GIF89a"):
    count = area[2] * area[3]
    indices = rng.integers(0, largest or 1 << min(bits, palette_bits), count).tolist()
    head = version + struct.pack("<HHBBB", *screen, (0x80 if palette else 0) | palette_bits - 1, 1, 0)
    colors = colors_of(1 << palette_bits, 3) if palette else b""
    files[name + ".gif"] = head + colors + before + b"," + struct.pack("<HHHHB", *area, flags) + gif_lzw(indices, bits) + b";"


def make_gif():
    for bits in range(2, 12):
        gif(f"codes{bits}", bits)
        gif(f"codes{bits}_interlaced", bits, flags=0x40)
    gif("large_indices", 11, largest=1500)
    gif("small_palette", 8, palette_bits=2, largest=256)
    gif("no_palette", 8, palette=False)
    gif("frame_inside", 8, screen=(20, 20), area=(5, 6, 9, 5))
    gif("frame_outside", 8, screen=(6, 3), area=(2, 1, 9, 5))
    gif("no_screen", 8, screen=(0, 0))
    for disposal, see_through in itertools.product(range(4), (0, 1)):
        control = b"!\xf9\4" + struct.pack("<BHB", disposal << 2 | see_through, 5, 3) + b"\0"
        gif(f"control_{disposal}_{see_through}", 8, screen=(20, 20), area=(5, 6, 9, 5), before=control)
    gif("comment", 8, before=b"!\xfe\5hello\0")
    gif("garbage_between_blocks", 8, before=b"\0\0\1\0")


# --- PNG and WebP as Pillow writes them ---


def make_others():
    alpha = small.convert("RGBA")
    alpha.putalpha(Image.fromarray(rng.integers(0, 256, (26, 37)).astype("u1")))
    for mode in ("1", "L", "LA", "P", "I;16", "RGB", "RGBA"):
        image = small.convert("L").convert("I").convert("I;16") if mode == "I;16" else alpha.convert(mode)
        files[f"written_{mode.replace(';', '')}.png"] = saved(image, "PNG")
    files["transparent_rgb.png"] = saved(small, "PNG", transparency=small.getpixel((3, 3)))
    files["transparent_gray.png"] = saved(small.convert("L"), "PNG", transparency=77)
    files["transparent_index.png"] = saved(small.quantize(20), "PNG", transparency=3)
    for quality, method in itertools.product((0, 20, 60, 100), (0, 4, 6)):
        files[f"lossy_{quality}_{method}.webp"] = saved(small, "WEBP", quality=quality, method=method)
        files[f"lossy_alpha_{quality}_{method}.webp"] = saved(alpha, "WEBP", quality=quality, method=method, alpha_quality=quality)
        files[f"lossless_{quality}_{method}.webp"] = saved(alpha, "WEBP", lossless=True, exact=True, quality=quality, method=method)
    frames = [alpha.rotate(i * 30) for i in range(3)]
    for lossless in (False, True):
        files[f"animation_alpha_{int(lossless)}.webp"] = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=lossless)


make_metadata()
make_directories()
make_component_ids()
make_bmp()
make_tiff()
make_gif()
make_others()
refused = []
with zipfile.ZipFile("variants.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive, open("variants.tsv", "w") as table:
    for name in sorted(files):
        try:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(files[name]))).convert("RGB")
        except Exception as e:
            refused.append(f"{name}: {e}")
            continue
        archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED, 9)
        digest = hashlib.sha256(struct.pack(">ii", *image.size) + image.tobytes()).hexdigest()
        print(name, digest, sep="\t", file=table)
print(f"{len(files) - len(refused)} files; {len(refused)} that Pillow refuses:", *refused, sep="\n")
