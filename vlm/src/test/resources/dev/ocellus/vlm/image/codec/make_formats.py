"""Writes formats/ and formats.tsv: small files of every kind, and the SHA-256 of what Pillow decodes.

Run with Pillow 12.3, numpy, and libjpeg-turbo's cjpeg on the PATH (for sampling factors that Pillow
does not write):  python make_formats.py SOURCE.png
SOURCE.png is any colourful photo; tests/golden/images holds photo_640x427.jpg, which was used.

A row of formats.tsv: file, SHA-256 of (width, height as big-endian int32; RGB bytes). A name with #N
is frame N of an animation, and then the third field is its duration in milliseconds.
"""

import hashlib
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageOps

OUT = "formats"
os.makedirs(OUT, exist_ok=True)
rng = np.random.default_rng(3)
photo = Image.open(sys.argv[1]).convert("RGB")
small = photo.resize((37, 26))
alpha = small.convert("RGBA")
alpha.putalpha(Image.fromarray(rng.integers(0, 256, size=(26, 37)).astype("u1")))


def path(name):
    return os.path.join(OUT, name)


def write(name, data):
    with open(path(name), "wb") as f:
        f.write(data)


def exif_block(orientation, endian):
    head = b"II*\0" if endian == "<" else b"MM\0*"
    return head + struct.pack(endian + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)


# --- PNG, written by hand so that every colour type, depth, filter and pass occurs ---

ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def paeth(left, up, corner):
    p = left + up - corner
    a, b, c = abs(p - left), abs(p - up), abs(p - corner)
    return left if a <= b and a <= c else up if b <= c else corner


def filtered(row, above, step):
    kind = int(rng.integers(0, 5))
    out = bytearray([kind])
    for i, value in enumerate(row):
        left = row[i - step] if i >= step else 0
        corner = above[i - step] if i >= step else 0
        up = above[i]
        guess = [0, left, up, (left + up) // 2, paeth(left, up, corner)][kind]
        out.append((value - guess) & 255)
    return bytes(out)


def packed(values, depth):
    if depth == 16:
        return values.astype(">u2").tobytes()
    if depth == 8:
        return values.astype("u1").tobytes()
    bits = "".join(format(v, f"0{depth}b") for v in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def png(name, size, color, depth, interlaced=0, palette=None, before=b"", after=b""):
    width, height = size
    bands = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    samples = rng.integers(0, 1 << depth, size=(height, width, bands))
    if color == 0 and depth == 16:
        samples //= 200  # so that not everything is clipped
    step = max(1, bands * depth // 8)
    raw = b""
    for x, y, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        part = samples[y::dy, x::dx]
        if part.size == 0:
            continue
        above = None
        for line in part:
            row = packed(line.reshape(-1), depth)
            raw += filtered(row, above or bytes(len(row)), step)
            above = row
    data = zlib.compress(raw)
    cut = max(1, len(data) // 3)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before
    if palette is not None:
        out += chunk(b"PLTE", palette) + chunk(b"tRNS", bytes(range(min(len(palette) // 3, 200))))
    for i in range(0, len(data), cut):
        out += chunk(b"IDAT", data[i : i + cut])
    write(name + ".png", out + after + chunk(b"IEND", b""))


def make_png():
    colors = bytes(rng.integers(0, 256, size=768).tolist())
    kinds = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4), (3, 8)]
    for color, depth in kinds + [(4, 8), (4, 16), (6, 8), (6, 16)]:
        for interlaced in (0, 1):
            palette = colors[: 3 << depth] if color == 3 else None
            name = f"type{color}_{depth}bit" + "_adam7" * interlaced
            png(name, (19, 13), color, depth, interlaced, palette)
    for w, h in [(1, 1), (3, 9), (9, 1)]:
        png(f"tiny_{w}x{h}_adam7", (w, h), 2, 8, 1)
    png("short_palette", (20, 20), 3, 8, 0, colors[:30])
    png("gamma", (9, 5), 0, 8, before=chunk(b"gAMA", struct.pack(">I", 100000)))
    for o in range(10):
        png(f"exif{o}", (9, 5), 2, 8, before=chunk(b"eXIf", exif_block(o, "<>"[o % 2])))
    png("exif_after_pixels", (9, 5), 2, 8, after=chunk(b"eXIf", exif_block(6, "<")))
    packet = b'XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="8"/>'
    png("xmp_orientation", (9, 5), 2, 8, before=chunk(b"iTXt", packet))


# --- JPEG ---

SAMPLINGS = ["1x1", "1x2", "1x4", "4x1", "4x2", "3x1", "2x2,2x1,1x2", "2x2,1x2,1x2", "2x1,1x1,2x1", "1x1,2x2,2x2"]


def make_jpeg(profile):
    for w, h in [(64, 48), (33, 17), (1, 1), (7, 50), (50, 7), (2, 3), (17, 15)]:
        im = photo.resize((w, h))
        for sampling in (0, 1, 2):
            for progressive in (False, True):
                name = f"s{sampling}_{w}x{h}" + "_progressive" * progressive
                im.save(path(name + ".jpg"), quality=70, subsampling=sampling, progressive=progressive)
        if w not in (64, 33, 1, 7):
            continue
        im.save(path("source.ppm"))
        for sampling in SAMPLINGS:
            name = path(f"factors_{sampling.replace(',', '_')}_{w}x{h}.jpg")
            command = ["cjpeg", "-quality", "70", "-sample", sampling, "-outfile", name, path("source.ppm")]
            subprocess.run(command, check=True)
        os.remove(path("source.ppm"))
        im.convert("L").save(path(f"gray_{w}x{h}.jpg"), quality=70)
        im.save(path(f"rgb_{w}x{h}.jpg"), quality=70, keep_rgb=True)
        im.save(path(f"restarts_{w}x{h}.jpg"), quality=70, restart_marker_blocks=2)
        for sampling in (0, 2):
            im.convert("CMYK").save(path(f"cmyk_s{sampling}_{w}x{h}.jpg"), quality=70, subsampling=sampling)
        data = bytearray(open(path(f"cmyk_s0_{w}x{h}.jpg"), "rb").read())
        marker = data.find(b"Adobe")
        data[marker + 11] = 2  # the same numbers, now read as YCCK
        write(f"ycck_{w}x{h}.jpg", data)
        data[marker : marker + 5] = b"Other"
        write(f"cmyk_no_adobe_{w}x{h}.jpg", data)
    for o in range(10):
        small.save(path(f"exif{o}.jpg"), exif=exif_block(o, "<>"[o % 2]), quality=60)
    small.save(path("lab_profile.jpg"), icc_profile=profile, quality=60)
    small.convert("L").save(path("lab_profile_gray.jpg"), icc_profile=profile, quality=60)


# --- GIF, BMP, TIFF, WebP ---


def make_gif():
    frames = [photo.resize((30, 22)).rotate(i * 20) for i in range(4)]
    for mode in "1LP":
        small.convert(mode).save(path(f"mode_{mode}.gif"))
    alpha.save(path("mode_RGBA.gif"))
    small.quantize(4).save(path("four_colors.gif"))
    for disposal in range(4):
        for mode in "LPTN":
            images = []
            for i in range(4):
                if mode == "L":
                    image = frames[i].convert("L")
                elif mode == "P":
                    image = frames[i].quantize(16)
                elif mode == "T":
                    image = Image.new("RGBA", (30, 22), (0, 0, 0, 0))
                    image.paste(frames[i].convert("RGBA").crop((0, 0, 12, 9)), (i * 5, i * 4))
                else:
                    image = Image.new("RGB", (30, 22), (i * 40, 255 - i * 50, 90)) if i else frames[0]
                images.append(image)
            durations = [10 * i + 20 for i in range(4)]
            name = path(f"animation_{mode}_disposal{disposal}.gif")
            images[0].save(name, save_all=True, append_images=images[1:], duration=durations, disposal=disposal)


def bmp(name, header, rows, palette=b"", masks=b""):
    offset = 14 + len(header) + len(masks) + len(palette)
    write(name + ".bmp", b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + header + masks + palette + rows)


def bmp_info(width, height, bits, compression, length):
    return struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, length, 0, 0, 0, 0)


def make_bmp():
    for mode in ("1", "L", "P", "RGB"):
        small.convert(mode).save(path(f"mode_{mode}.bmp"))
    alpha.save(path("mode_RGBA.bmp"))
    small.quantize(16).save(path("sixteen_colors.bmp"))
    words = rng.integers(0, 32768, size=(7, 9)).astype("<u2")
    rows = b"".join(r.tobytes().ljust(20, b"\0") for r in words)
    bmp("bits555", bmp_info(9, 7, 16, 0, len(rows)), rows)
    bmp("bits565", bmp_info(9, 7, 16, 3, len(rows)), rows, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F))
    rows = rng.integers(0, 2**32, size=(7, 9)).astype("<u4").tobytes()
    bmp("bits32", bmp_info(9, 7, 32, 0, len(rows)), rows)
    bmp("bits32_top_down", bmp_info(9, -7, 32, 0, len(rows)), rows)
    rows = rng.integers(0, 256, size=7 * 28).astype("u1").tobytes()
    bmp("os2", struct.pack("<IHHHH", 12, 9, 7, 1, 24), rows)
    rle = b"".join(bytes([5, y + 1, 3, y + 9, 0, 3, 1, 2, 3, 0, 0, 0]) for y in range(6)) + b"\0\1"
    palette = b"".join(bytes([i, 255 - i, i // 2, 0]) for i in range(256))
    bmp("rle8", bmp_info(11, 6, 8, 1, len(rle)), rle, palette)


def tiff(name, samples, photometric, bits=16, sample_format=1):
    height, width = samples.shape[:2]
    bands = 1 if samples.ndim == 2 else samples.shape[2]
    data = samples.tobytes()
    entries = [(256, [width]), (257, [height]), (258, [bits] * bands), (259, [1]), (262, [photometric])]
    entries += [(273, [400]), (277, [bands]), (278, [height]), (279, [len(data)]), (339, [sample_format] * bands)]
    directory = struct.pack("<H", len(entries))
    extra = b""
    extra_at = 8 + 2 + 12 * len(entries) + 4
    for tag, values in entries:
        value = struct.pack(f"<{len(values)}H", *values)
        if len(value) > 4:
            extra += value
            value = struct.pack("<I", extra_at + len(extra) - len(value))
        directory += struct.pack("<HHI", tag, 3, len(values)) + value.ljust(4, b"\0")
    write(name + ".tiff", (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4) + extra).ljust(400, b"\0") + data)


def make_tiff(profile):
    for mode in ("1", "L", "P", "RGB"):
        small.convert(mode).save(path(f"mode_{mode}.tiff"))
    alpha.save(path("mode_RGBA.tiff"))
    for compression in ("tiff_lzw", "packbits", "tiff_adobe_deflate", "jpeg"):
        small.save(path(f"{compression}.tiff"), compression=compression)
    small.convert("L").save(path("jpeg_gray.tiff"), compression="jpeg")
    for compression in ("group3", "group4", "tiff_ccitt"):
        small.convert("1").save(path(f"{compression}.tiff"), compression=compression)
    small.quantize(16).save(path("sixteen_colors.tiff"))
    small.convert("CMYK").save(path("cmyk.tiff"))
    small.convert("CMYK").save(path("cmyk_lzw.tiff"), compression="tiff_lzw")
    small.convert("YCbCr").save(path("ycbcr_jpeg.tiff"), compression="jpeg")
    small.convert("LA").save(path("mode_LA.tiff"))
    small.convert("L").save(path("min_is_white.tiff"), tiffinfo={262: 0})
    small.save(path("lab_profile.tiff"), icc_profile=profile)
    gray = np.asarray(small.convert("L")).astype(int)
    tiff("gray16", (gray * 3).astype("<u2"), 1)
    tiff("gray16_signed", (gray * 3 - 100).astype("<i2"), 1, 16, 2)
    tiff("gray32", (gray * 3).astype("<u4"), 1, 32, 1)
    tiff("gray32_signed", (gray * 300 - 20000).astype("<i4"), 1, 32, 2)
    tiff("gray_float", (gray * 1.7 - 30.6).astype("<f4"), 1, 32, 3)
    color = (np.asarray(small).astype(int) * 257 + 33).clip(0, 65535).astype("<u2")
    tiff("rgb16", color, 2)
    tiff("cmyk16", np.concatenate([color, color[:, :, :1]], 2), 5)
    for o in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = o
        photo.resize((9, 5)).save(path(f"exif{o}.tiff"), exif=exif)


def make_webp(profile):
    for quality in (5, 30, 80, 95):
        small.save(path(f"lossy{quality}.webp"), quality=quality)
    photo.resize((150, 101)).save(path("lossy_large.webp"), quality=60, method=6)
    photo.resize((1, 1)).save(path("lossy_1x1.webp"), quality=60)
    photo.resize((16, 33)).save(path("lossy_16x33.webp"), quality=40)
    alpha.save(path("lossy_alpha.webp"), quality=80)
    small.save(path("lossless.webp"), lossless=True)
    alpha.save(path("lossless_alpha.webp"), lossless=True, exact=True)
    small.quantize(8).convert("RGB").save(path("lossless_palette.webp"), lossless=True)
    small.save(path("lab_profile.webp"), lossless=True, icc_profile=profile)
    frames = [photo.resize((30, 22)).rotate(i * 20) for i in range(3)]
    for lossless in (False, True):
        name = path("animation_" + ("lossless" if lossless else "lossy") + ".webp")
        frames[0].save(name, save_all=True, append_images=frames[1:], lossless=lossless, duration=50)
    for o in range(1, 9):
        photo.resize((9, 5)).save(path(f"exif{o}.webp"), exif=exif_block(o, "<"), lossless=True)


def content_hash(image):
    return hashlib.sha256(struct.pack(">ii", *image.size) + image.tobytes()).hexdigest()


def rows():
    for name in sorted(os.listdir(OUT)):
        image = Image.open(path(name))
        yield name, content_hash(ImageOps.exif_transpose(image).convert("RGB"))
        if name.endswith(".gif"):
            for i in range(image.n_frames):
                image.seek(i)
                yield f"{name}#{i}", content_hash(image.convert("RGB")), image.info.get("duration", 0)


lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
make_png()
make_jpeg(lab)
make_gif()
make_bmp()
make_tiff(lab)
make_webp(lab)
with open("formats.tsv", "w") as f:
    for row in rows():
        print(*row, sep="\t", file=f)
