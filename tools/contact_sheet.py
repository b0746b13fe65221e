#!/usr/bin/python3
"""Draws docs/contact_sheet.png with `nora render`: contact_sheet.py NORA DATA OUT.png

DATA is a folder with the images that docs/CONTACT_SHEET.md names; what the repository has is taken from tests/data/demo.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw

DEMO = pathlib.Path(__file__).resolve().parent.parent / "tests/data/demo"
WIDTH, HEIGHT = 360, 300
COLUMNS = 4


def layer(number, path, **settings):
    return {"id": f"layer{number}", "source": {"path": str(path)}, **settings}


def slices(plane, **settings):
    return {"name": "picture", "kind": "slice", "plane": plane, **settings}


def volume(**settings):
    return {"name": "picture", "kind": "volume", **settings}


def panels(data):
    t1 = layer(0, DEMO / "sub-01/anat/sub-01_T1w.nii.gz")
    statistic = DEMO / "sub-01/func/sub-01_task-motor_stat-t_statmap.nii.gz"
    atlas = DEMO / "sub-01/anat/sub-01_atlas-AAL_dseg.nii.gz"
    ct = layer(0, data / "dicom/ct_lidc_0314")
    fa = layer(0, data / "nifti/dwi/FA.nii.gz", windowLow=0, windowHigh=0.9)
    v1 = data / "nifti/dwi/V1.nii.gz"
    no_table = {"lowMm": [-200, -256, -600], "highMm": [205, 60, -490]}
    hand = [-38, -22, 56]
    return [
        ("T1, axial", [t1], slices("axial"), [0, 0, 12]),
        ("T1, coronal, cubic", [{**t1, "interpolation": "cubic"}], slices("coronal"), [0, -20, 12]),
        ("T1, sagittal", [t1], slices("sagittal"), [3, 0, 12]),
        ("T1, volume", [{**t1, "transfer": {"preset": "mr-t1"}}], volume(azimuthDeg=35, elevationDeg=20, zoom=1.3), [0, 0, 0]),
        ("motor t map on T1", [t1, layer(1, statistic, colourMap="hot", symmetric=True, thresholdLow=4, windowLow=4,
                                         windowHigh=12)], slices("axial"), hand),
        ("the same, coronal", [t1, layer(1, statistic, colourMap="hot", symmetric=True, thresholdLow=4, windowLow=4,
                                         windowHigh=12)], slices("coronal"), hand),
        ("atlas outlines", [t1, layer(1, atlas, colourMap="labels", outlinePixels=1.5)], slices("axial"), [0, 0, 8]),
        ("atlas with slices", [t1, layer(1, atlas, colourMap="labels", inVolume=True)],
         volume(azimuthDeg=40, elevationDeg=25, zoom=1.4, slices=["coronal"],
                clipPlanes=[{"pointMm": [0, 20, 0], "normal": [0, 1, 0]}]), [0, 20, 0]),
        ("directions, by FA", [fa, layer(1, v1, vectors="direction", modulatedBy="layer0")], slices("axial"), None),
        ("sticks on FA", [fa, layer(1, v1, vectors="sticks", thresholdLow=0.5)], slices("coronal", zoom=3), None),
        ("CT, lung window", [{**ct, "windowLow": -1350, "windowHigh": 150}], slices("axial"), None),
        ("CT, slab maximum, 30 mm", [{**ct, "windowLow": -200, "windowHigh": 500}],
         slices("coronal", zoom=1.2, slabMm=30, slabMode="maximum"), None),
        ("CT, bone", [{**ct, "transfer": {"preset": "ct-bone"}}],
         volume(azimuthDeg=25, elevationDeg=25, zoom=1.8, crop=no_table), None),
        ("CT, angio, opened in front", [{**ct, "transfer": {"preset": "ct-angio"}}],
         volume(azimuthDeg=-15, elevationDeg=15, zoom=1.8, crop=no_table,
                clipPlanes=[{"pointMm": [0, -60, 0], "normal": [0, 1, 0]}]), None),
        ("CT, maximum, 60 mm of it", [{**ct, "windowLow": 0, "windowHigh": 600}],
         volume(azimuthDeg=20, elevationDeg=10, zoom=1.8, mode="maximum",
                crop={"lowMm": [-200, -180, -600], "highMm": [205, -120, -490]}), None),
        ("CT, isosurface at 200 HU", [{**ct, "isoValue": 200}],
         volume(azimuthDeg=-35, elevationDeg=25, zoom=1.8, mode="isosurface", crop=no_table), None),
    ]


def middle(nora, path):
    """The crosshair that the image would be opened with."""
    done = subprocess.run([nora, "render", path, "--print-scene"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["crosshairMm"]


def main():
    nora, data, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
    shown = panels(data)
    rows = (len(shown) + COLUMNS - 1) // COLUMNS
    sheet = Image.new("RGB", (WIDTH * COLUMNS, HEIGHT * rows))
    with tempfile.TemporaryDirectory() as folder:
        scene, picture = pathlib.Path(folder) / "scene.json", pathlib.Path(folder) / "picture.png"
        for number, (title, layers, view, crosshair) in enumerate(shown):
            crosshair = crosshair or middle(nora, layers[0]["source"]["path"])
            scene.write_text(json.dumps({"version": 1, "crosshairMm": crosshair, "layers": layers, "views": [view]}))
            subprocess.run([nora, "render", scene, "-o", picture, "--size", f"{WIDTH}x{HEIGHT}"], check=True)
            place = (number % COLUMNS * WIDTH, number // COLUMNS * HEIGHT)
            sheet.paste(Image.open(picture).convert("RGB"), place)
            ImageDraw.Draw(sheet).text((place[0] + 6, place[1] + 4), title, fill=(235, 235, 235))
    sheet.save(out, optimize=True)


if __name__ == "__main__":
    main()
