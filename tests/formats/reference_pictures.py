"""Small pictures of many kinds, written and read by Pillow, for tests/image/picture_reader_test.cpp.

    /usr/bin/python3 tests/formats/reference_pictures.py tests/data/formats/documents

Pictures of more than eight bits are shown from their least to their greatest value.
"""
import json
import pathlib
import subprocess
import sys

import numpy as np
import PIL
from PIL import Image

WIDTH, HEIGHT = 41, 30


def shown(picture):
    """What the page should show: (height, width, 3) of 0..255."""
    if picture.mode in ("I;16", "I;16B", "I", "F"):
        values = np.array(picture, float)
        gray = (values - values.min()) / (values.max() - values.min()) * 255
        return np.repeat(gray[:, :, None], 3, axis=2)
    return np.array(picture.convert("RGB"), float)


def main():
    folder = pathlib.Path(sys.argv[1])
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    ramp = (x * 90 + y * 7).astype(np.uint16)
    colours = np.stack([x * 6, y * 8, (x * y) % 256], axis=2).astype(np.uint8)
    rgb = Image.fromarray(colours)
    gray = Image.fromarray((ramp // 16).astype(np.uint8))
    rgb.save(folder / "rgb_lzw.tif", compression="tiff_lzw")
    rgb.save(folder / "rgb_jpeg.tif", compression="jpeg", quality=95)
    rgb.quantize(64).save(folder / "palette.tif")
    Image.fromarray(ramp).save(folder / "gray16.tif")
    Image.fromarray(ramp.astype(">u2"), "I;16B").save(folder / "gray16_big.tif")
    Image.fromarray((ramp.astype(np.float32) - 1000) / 7).save(folder / "float.tif", compression="tiff_adobe_deflate")
    Image.fromarray(ramp > 2000).save(folder / "one_bit.tif", compression="group4")
    gray.save(folder / "pages.tif", save_all=True, append_images=[rgb, gray.rotate(180)])
    subprocess.run(["convert", folder / "gray16.tif", "-define", "tiff:tile-geometry=16x16", "-depth", "16",
                    folder / "tiled16.tif"], check=True)
    rgb.save(folder / "rgb.png")
    rgb.save(folder / "rgb.jpg", quality=90)
    rgb.save(folder / "rgb.gif")
    rgb.save(folder / "two_pages.pdf", save_all=True, append_images=[gray])
    answers = []
    for path in sorted(folder.glob("*.tif")):
        picture = Image.open(path)
        for page in range(picture.n_frames):
            picture.seek(page)
            pixels = shown(picture)
            picks = np.random.default_rng(page).integers(0, [WIDTH, HEIGHT], (12, 2)).tolist()
            answers.append({"file": path.name, "page": page, "pages": picture.n_frames, "tool": "Pillow " + PIL.__version__,
                            "width": picture.width, "height": picture.height,
                            "pixels": [[px, py, *pixels[py, px].tolist()] for px, py in picks]})
    with open(folder / "pictures.json", "w", encoding="utf-8") as out:
        json.dump(answers, out, indent=0)
        out.write("\n")


main()
