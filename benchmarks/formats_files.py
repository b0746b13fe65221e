#!/usr/bin/env python3
"""Makes one volume, surface and tractogram in many formats with independent writers, and times how nibabel reads them.

    formats_files.py make FOLDER     files and FOLDER/expected.json: {file: [bytes of content, mean]}
    formats_files.py time FOLDER     prints {file: milliseconds}, the median of five warm reads inside the interpreter
"""
import gzip
import json
import pathlib
import subprocess
import sys
import time
import zipfile

import nibabel as nib
import numpy as np

SIZE = 192
STREAMLINES, POINTS = 50_000, 60


def phantom():
    """A smooth head-like ball with noise, int16: compresses about as a T1 does."""
    axis = np.linspace(-1, 1, SIZE, dtype=np.float32)
    r = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2)
    noise = np.random.default_rng(1).integers(0, 24, (SIZE,) * 3)
    return np.where(r < 0.8, 900 - 500 * r + noise, noise / 8).astype(np.int16)


def write_images(folder, expected):
    voxels = phantom()
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, 3] = -SIZE / 2
    image = nib.Nifti1Image(voxels, affine)
    names = ["volume.nii", "volume_gz.nii.gz"]  # ITK takes NAME.nii for NAME.nii.gz
    for name in names:
        nib.save(image, folder / name)
    nib.save(nib.MGHImage(voxels.astype(np.int16), affine), folder / "volume.mgz")
    for name in ("volume.mif", "volume.mif.gz"):
        subprocess.run(["mrconvert", "-quiet", "-force", folder / "volume.nii", folder / name], check=True)
    stored = voxels.tobytes(order="F")
    nrrd = (f"NRRD0004\ntype: int16\ndimension: 3\nspace: right-anterior-superior\nsizes: {SIZE} {SIZE} {SIZE}\n"
            "space directions: (1,0,0) (0,1,0) (0,0,1)\nkinds: domain domain domain\nendian: little\n"
            "encoding: {0}\nspace origin: (-96,-96,-96)\n\n")
    (folder / "volume.nrrd").write_bytes(nrrd.replace("{0}", "raw").encode() + stored)
    (folder / "volume_gz.nrrd").write_bytes(nrrd.replace("{0}", "gzip").encode() + gzip.compress(stored, 6))
    meta = (f"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nCompressedData = False\n"
            f"TransformMatrix = -1 0 0 0 -1 0 0 0 1\nOffset = 96 96 -96\nElementSpacing = 1 1 1\n"
            f"DimSize = {SIZE} {SIZE} {SIZE}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n")
    (folder / "volume.mha").write_bytes(meta.encode() + stored)
    names += ["volume.mgz", "volume.mif", "volume.mif.gz", "volume.nrrd", "volume_gz.nrrd", "volume.mha"]
    for name in names:
        expected[name] = [len(stored), float(voxels.mean())]
    series = np.repeat(voxels[64:128, 64:128, 80:116, None], 300, axis=3)
    nib.save(nib.Nifti1Image(series, affine), folder / "series.nii.gz")
    expected["series.nii.gz"] = [series.nbytes, float(series.mean())]


def write_surface(folder, expected):
    """A sphere of 150 k vertices and 300 k triangles."""
    rows, columns = 300, 500
    theta = np.linspace(0.01, np.pi - 0.01, rows)[:, None]
    phi = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi], -1)
    points = (80 * points.reshape(-1, 3)).astype(np.float32)
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    triangles = np.concatenate([np.stack([a, b, a + columns], -1).reshape(-1, 3),
                                np.stack([b, b + columns, a + columns], -1).reshape(-1, 3)]).astype(np.int32)
    gii = nib.gifti.GiftiImage(darrays=[
        nib.gifti.GiftiDataArray(points, intent="NIFTI_INTENT_POINTSET", datatype="NIFTI_TYPE_FLOAT32"),
        nib.gifti.GiftiDataArray(triangles, intent="NIFTI_INTENT_TRIANGLE", datatype="NIFTI_TYPE_INT32")])
    nib.save(gii, folder / "surface.gii")
    nib.freesurfer.write_geometry(str(folder / "lh.surface"), points, triangles)
    for name in ("surface.gii", "lh.surface"):
        expected[name] = [points.nbytes + triangles.nbytes, len(points)]


def write_tracts(folder, expected):
    steps = np.random.default_rng(2).normal(size=(STREAMLINES, POINTS, 3)).astype(np.float32)
    points = np.cumsum(steps, axis=1) * 0.5
    streamlines = nib.streamlines.ArraySequence()
    streamlines._data = points.reshape(-1, 3)
    streamlines._offsets = np.arange(STREAMLINES) * POINTS
    streamlines._lengths = np.full(STREAMLINES, POINTS)
    tractogram = nib.streamlines.Tractogram(streamlines, affine_to_rasmm=np.eye(4))
    nib.streamlines.save(tractogram, str(folder / "tracts.tck"))
    nib.streamlines.save(tractogram, str(folder / "tracts.trk"))
    header = {"VOXEL_TO_RASMM": np.eye(4).tolist(), "DIMENSIONS": [10, 10, 10], "NB_STREAMLINES": STREAMLINES,
              "NB_VERTICES": STREAMLINES * POINTS}
    offsets = np.append(np.arange(STREAMLINES) * POINTS, STREAMLINES * POINTS).astype(np.uint64)
    with zipfile.ZipFile(folder / "tracts.trx", "w", zipfile.ZIP_STORED) as out:
        out.writestr("header.json", json.dumps(header))
        out.writestr("positions.3.float32", points.tobytes())
        out.writestr("offsets.uint64", offsets.tobytes())
    for name in ("tracts.tck", "tracts.trk", "tracts.trx"):
        expected[name] = [points.nbytes, STREAMLINES * POINTS]


def read(path):
    name = path.name
    if name.endswith((".tck", ".trk")):
        return nib.streamlines.load(str(path)).streamlines
    if name.endswith(".gii"):
        return [np.asarray(array.data) for array in nib.load(path).darrays]
    if name.startswith("lh."):
        return nib.freesurfer.read_geometry(str(path))
    if name.endswith((".nii", ".nii.gz", ".mgz")):
        return np.asanyarray(nib.load(path).dataobj)
    return None


def main():
    action, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if action == "make":
        folder.mkdir(parents=True, exist_ok=True)
        expected = {}
        write_images(folder, expected)
        write_surface(folder, expected)
        write_tracts(folder, expected)
        (folder / "expected.json").write_text(json.dumps(expected))
        return
    out = {}
    for name in json.loads((folder / "expected.json").read_text()):
        times = []
        for _ in range(6):
            start = time.perf_counter()
            if read(folder / name) is None:
                break
            times.append(1e3 * (time.perf_counter() - start))
        if times:
            out[name] = sorted(times[1:])[len(times) // 2 - 1]
    print(json.dumps(out))


main()
