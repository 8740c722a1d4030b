"""Draws the pictures of this directory (needs Pillow): python docs/pictures/draw.py"""
import math
import os

from PIL import Image, ImageDraw, ImageFont

SIDE, SCALE = 320, 3                # pixels, and how much larger they are drawn for smooth edges


def save(name, draw_on, background="white"):
    image = Image.new("RGB", (SIDE * SCALE, SIDE * SCALE), background)
    draw_on(ImageDraw.Draw(image))
    image = image.resize((SIDE, SIDE), Image.LANCZOS)
    image.save(os.path.join(os.path.dirname(os.path.abspath(__file__)), name), optimize=True)


def polygon(points, x, y, radius):
    k = SIDE * SCALE
    return [((x + px * radius) * k, (y + py * radius) * k) for px, py in points]


CIRCLE = [(math.cos(math.tau * i / 200), math.sin(math.tau * i / 200)) for i in range(200)]
SQUARE = [(-.86, -.86), (.86, -.86), (.86, .86), (-.86, .86)]
STAR = [((1, .42)[i % 2] * math.sin(math.pi * i / 5), -(1, .42)[i % 2] * math.cos(math.pi * i / 5)) for i in range(10)]


def two_shapes(d):
    d.polygon(polygon(SQUARE, .26, .5, .22), fill=(0, 0, 255))
    d.polygon(polygon(STAR, .76, .5, .22), fill=(255, 255, 0), outline=(0, 0, 0))


save("red-circle.png", lambda d: d.polygon(polygon(CIRCLE, .5, .5, .3), fill=(255, 0, 0)))
save("square-and-star.png", two_shapes, background=(128, 128, 128))
save("seven.png", lambda d: d.text((SIDE * SCALE / 2, SIDE * SCALE / 2), "7", fill=(0, 0, 255),
                                   font=ImageFont.load_default(SIDE * SCALE * .6), anchor="mm"))
