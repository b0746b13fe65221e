"""Answers of ITK (NRRD, MetaImage) and nibabel (MGH) for the table test of all formats.

    reference_images_a.py ITK_ANSWERS [FOLDER]

ITK_ANSWERS: the program of itk_answers.cpp. FOLDER: the larger collection of files, if there is one. Run from the
repository's root, after make_images_a.py."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import nibabel
import numpy as np

from reference import image, write

PARTS = {"dwi.nhdr": ["dwi.raw.gz"], "list.nhdr": [f"list_{z}.raw" for z in range(5)],
         "pattern.nhdr": [f"pattern_{z:02}.raw.gz" for z in range(8, -1, -2)], "skips.nhdr": ["skips.dat"],
         "from_end.nhdr": ["from_end.dat"], "front.mhd": ["front.raw"], "from_end.mhd": ["from_end.raw"],
         "packed.mhd": ["packed.zraw"], "list.mhd": [f"slice_{z}.raw" for z in range(5)],
         "pattern.mhd": [f"slice_{z}.raw" for z in range(5)], "single_tensor.nhdr": ["single_tensor.raw.gz"],
         "anat_meta.mhd": ["anat_meta.raw"]}
# ITK calls every axis that is no space a vector; these are time.
TIME = ("dwi.nhdr", "time_last.nrrd", "single_tensor.nhdr")
NUMPY = {"unsigned_char": "uint8", "char": "int8", "unsigned_short": "uint16", "short": "int16", "unsigned_int": "uint32",
         "int": "int32", "unsigned_long": "uint64", "long": "int64", "unsigned_long_long": "uint64",
         "long_long": "int64", "float": "float32", "double": "float64"}
# Files that this ITK reads only in part, or not at all: the answer is that of another file with the same voxels.
SAME = {"formats/meta/zlib_no_size.mha": "formats/meta/zlib.mha"}


# Where this ITK errs, the affine is set by hand, after the definition of the format.
MENDED = {
    "formats/nrrd/las_ascii.nrrd": ("ITK 5.2.1 flips x instead of y of a LAS space (mended in later ITK)",
                                    np.diag([1.0, -1, 1, 1]), "formats/nrrd/lps_gzip.nrrd"),
    "formats/nrrd/old_cells.nrrd": ("ITK takes axis mins and maxs for the origin and not for the spacing",
                                    np.array([[-2.0, 0, 0, 9], [0, -2, 0, -21], [0, 0, 3, 31.5], [0, 0, 0, 1]]), None)}


def itk(program, path, name):
    with tempfile.NamedTemporaryFile() as out:
        said = json.loads(subprocess.run([program, path, out.name], check=True, capture_output=True, text=True).stdout)
        dtype = NUMPY[said["component"]]
        data = np.fromfile(out.name, dtype)
    n = min(3, len(said["dims"]))
    data = data.reshape([said["components"]] + said["dims"], order="F")
    while data.ndim < 4:
        data = data[..., None]
    data = data.reshape(data.shape[:4] + (-1,), order="F")  # component, x, y, z, t
    data = np.moveaxis(data, 0, 4)
    affine = np.eye(4)
    for axis in range(n):
        affine[:n, axis] = np.array(said["directions"][axis][:n]) * said["spacing"][axis]
    affine[:n, 3] = said["origin"][:n]
    affine = np.diag([-1, -1, 1, 1]) @ affine
    note = ""
    if name in MENDED:
        note, matrix, other = MENDED[name]
        same = itk(program, os.path.join(path[:-len(name)], other), other)["affine"] if other else np.eye(4)
        affine = matrix @ same
    rgb = dtype == "uint8" and said["components"] in (3, 4) and not name.endswith(TIME)
    if name.endswith(TIME):
        data = np.swapaxes(data, 3, 4)
    if said["pixel"] == "complex":
        data = np.hypot(data[..., :1].astype(float), data[..., 1:])
    kind = ("rgb24" if said["components"] == 3 else "rgba32") if rgb else dtype
    return image(name, data, affine, kind, said["tool"], parts=parts_of(name), rgb=rgb, note=note)


def mgh(path, name):
    loaded = nibabel.load(path)
    header = loaded.header
    affine = loaded.affine
    note = ""
    if name.endswith(("no_ras.mgz", "tiny.mgh")):
        note = ("no good RAS flag: the affine is set by hand to what FreeSurfer's mghRead takes (setDirectionCosine, "
                "coronal); nibabel and MRtrix turn y and z the other way round")
        half = np.array(loaded.shape[:3]) / 2
        affine = np.array([[-1, 0, 0, half[0]], [0, 0, 1, -half[2]], [0, -1, 0, half[1]], [0, 0, 0, 1]])
    data = np.asanyarray(loaded.dataobj)
    return image(name, data, affine, data.dtype.newbyteorder("=").name, f"nibabel {nibabel.__version__}", note=note)


def parts_of(name):
    folder, base = os.path.split(name)
    return [folder + "/" + part for part in PARTS.get(base, ())]


def answers(program, root, folders):
    out = []
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(root, folder, "*"))):
            name = os.path.relpath(path, root)
            if path.endswith((".nrrd", ".nhdr", ".mha", ".mhd")):
                out.append(itk(program, os.path.join(root, SAME.get(name, name)), name))
            elif path.endswith((".mgh", ".mgz")) and "uint16" not in name:  # nibabel 5.0 does not know this type
                out.append(mgh(path, name))
    return out


if __name__ == "__main__":
    found = answers(sys.argv[1], "tests/data", ["formats/nrrd", "formats/meta", "formats/mgh"])
    write("tests/data/formats/images_a.json", found)
    if len(sys.argv) > 2:
        write("tests/data/formats/images_a_shared.json",
              answers(sys.argv[1], sys.argv[2], ["nifti/nrrd", "nifti/meta", "nifti/mgh"]))
