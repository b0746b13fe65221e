"""Diffusion directions in world space as MRtrix has them, for tests/image/sidecars_test.cpp.

    /usr/bin/python3 tests/formats/reference_gradients.py FOLDER tests/data/formats/sidecars

FOLDER holds dwi_philips_2mm.nii.gz and small_64D.nii; the b-values and directions are those in the second folder. The
other grids are made here: right-handed ones, which FSL mirrors, too.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import nibabel
import numpy as np


def grid(angles, swap, sizes):
    a, b, c = angles
    x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = (x @ y @ z)[:, swap] @ np.diag(sizes)
    affine[:3, 3] = [-10, 5, 20]
    return affine


def main():
    images, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    version = subprocess.run(["mrinfo", "-version"], capture_output=True, text=True).stdout.split()[2]
    answers = []
    with tempfile.TemporaryDirectory() as folder:
        cases = [("six", "right-handed", grid((.3, -.2, .5), [0, 1, 2], [2, 2.5, 3])),
                 ("six", "right-handed, other order", grid((.3, -.2, .5), [1, 2, 0], [2, 2.5, 3])),
                 ("six", "left-handed", grid((.3, -.2, .5), [0, 1, 2], [2, -2.5, 3])),
                 ("dwi_philips_2mm", "dcm2niix", images / "dwi_philips_2mm.nii.gz"),
                 ("small_64D", "columns", images / "small_64D.nii")]
        for name, note, image in cases:
            if not isinstance(image, pathlib.Path):
                affine, image = image, pathlib.Path(folder) / "grid.nii"
                nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 6, 6), np.int16), affine), image)
            shown = subprocess.run(["mrinfo", "-quiet", image, "-fslgrad", out / (name + ".bvec"), out / (name + ".bval"),
                                    "-dwgrad"], capture_output=True, text=True, check=True).stdout
            rows = [[float(word) for word in line.split()] for line in shown.splitlines()]
            answers.append({"name": name, "note": note, "tool": "mrinfo " + version,
                            "affine": nibabel.load(image).affine.tolist(), "timePoints": len(rows),
                            "rows": [[v if np.isfinite(v) else None for v in row] for row in rows]})
    with open(out / "gradients.json", "w", encoding="utf-8") as file:
        json.dump(answers, file, indent=0)
        file.write("\n")


main()
