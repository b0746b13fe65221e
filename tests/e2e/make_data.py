#!/usr/bin/python3
"""Writes the images that the tests of the page open: phantoms whose every voxel is known."""
import gzip
import json
import pathlib
import sys

import nibabel
import numpy


def save(path, voxels, affine):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(voxels, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nibabel.save(image, path)


def grid(shape, affine):
    i, j, k = numpy.meshgrid(*[numpy.arange(n) for n in shape], indexing="ij")
    return [affine[r, 0] * i + affine[r, 1] * j + affine[r, 2] * k + affine[r, 3] for r in range(3)]


def head(shape, affine):
    """An ellipsoid of 380 to 420 with a ball of 1000 at the patient's left and one of 700 at the front."""
    x, y, z = grid(shape, affine)
    voxels = numpy.zeros(shape, numpy.float32)
    inside = (x / 50) ** 2 + (y / 62) ** 2 + (z / 45) ** 2 < 1
    voxels[inside] = (380 + (0.7 * x + 0.3 * y + 0.5 * z) % 40)[inside]  # no whole numbers: it is no label map
    voxels[(x + 30) ** 2 + y**2 + z**2 < 12**2] = 1000
    voxels[x**2 + (y - 40) ** 2 + z**2 < 9**2] = 700
    return voxels


def centred(spacing, shape):
    affine = numpy.diag([*spacing, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((numpy.array(shape) - 1) / 2)
    return affine


def truncated(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = nibabel.Nifti1Image(numpy.zeros((40, 40, 40), numpy.int16), numpy.eye(4)).to_bytes()
    path.write_bytes(gzip.compress(whole[:5000], mtime=0))


def main(folder):
    random = numpy.random.default_rng(1)
    shape = (60, 70, 50)
    # Stored from the patient's left to the right, as most scanners do not: a reader that ignores the affine mirrors it.
    save(folder / "sub-01/anat/sub-01_T1w.nii.gz", head(shape, centred((2, 2, 2), shape)), centred((2, 2, 2), shape))
    flipped = (50, 60, 70)  # z, -x, -y
    affine = numpy.zeros((4, 4))
    affine[2, 0], affine[0, 1], affine[1, 2], affine[3, 3] = 2, -2, -2, 1
    affine[:3, 3] = -affine[:3, :3] @ ((numpy.array(flipped) - 1) / 2)
    save(folder / "sub-01/anat/sub-01_flipped.nii.gz", head(flipped, affine), affine)

    noise = random.integers(0, 1000, (40, 44, 36)).astype(numpy.int16)
    save(folder / "sub-02/noise.nii", noise, centred((3, 3, 3), noise.shape))
    smooth = random.normal(0, 1, (31, 29, 27)).astype(numpy.float32)
    for axis in range(3):
        smooth = sum(numpy.roll(smooth, s, axis) for s in range(-3, 4)) / 7
    oblique = centred((2.5, 3, 4), smooth.shape)
    c, s = numpy.cos(0.25), numpy.sin(0.25)
    oblique = numpy.array([[c, -s, 0, 3], [s, c, 0, -4], [0, 0, 1, 5], [0, 0, 0, 1]]) @ oblique
    save(folder / "sub-02/smooth.nii", smooth * 100, oblique)

    times = numpy.stack([numpy.full((20, 22, 18), v, numpy.int16) for v in (100, 500, 900)], axis=3)
    times[0, 0, 0, :] = [0, 0, 1000]
    save(folder / "sub-02/series_bold.nii", times, centred((5, 5, 5), (20, 22, 18)))

    stat = numpy.zeros(shape, numpy.float32)
    x, y, z = grid(shape, centred((2, 2, 2), shape))
    stat[:] = numpy.maximum(0, 10 - numpy.sqrt((x - 20) ** 2 + y**2 + z**2) / 3)
    save(folder / "sub-01/func/sub-01_stat-t_statmap.nii.gz", stat, centred((2, 2, 2), shape))

    truncated(folder / "sub-03/truncated.nii.gz")
    save(folder / "sub-03/<img src=x onerror=\"document.title='pwned'\">.nii", noise[:10, :10, :10], numpy.eye(4))
    (folder / "sub-03/notes.txt").write_text("not an image\n")
    print(json.dumps({"ok": True}))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
