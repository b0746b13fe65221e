"""Answers of MRtrix3 (MIF), nibabel (AFNI, PAR/REC, MINC), minc-tools (MINC that nibabel cannot read) and dcm2niix (PAR
V3) for the table test of all formats.

    reference_images_b.py [FOLDER]

FOLDER: the larger collection of files, if there is one. Run from the repository's root, after make_images_b.py."""
import glob
import os
import re
import subprocess
import sys
import tempfile
import warnings

import nibabel
import nibabel.parrec
import numpy as np

from reference import image, write

warnings.simplefilter("ignore")
NIBABEL = f"nibabel {nibabel.__version__}"


def output(*command):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True).stdout


def beside(name, path):
    return os.path.join(os.path.dirname(name), os.path.basename(path)) if path else None


def mif(root, name):
    """By way of mrconvert to NIfTI, in the header's order of axes and as float64. Magnitude of complex by numpy."""
    path = os.path.join(root, name)
    version = re.search(r"mrconvert (\S+)", output("mrconvert", "--version"))[1]
    kind = output("mrinfo", path, "-datatype").strip().lower()
    with tempfile.TemporaryDirectory() as folder:
        target = f"{folder}/x.nii"
        rank = len(output("mrinfo", path, "-size").split())
        extra = [] if kind.startswith("cfloat") else ["-datatype", "float64"]
        output("mrconvert", "-config", "RealignTransform", "false", path, target, *extra, "-strides",
               ",".join(str(a + 1) for a in range(rank)))
        picture = nibabel.load(target)
        data, affine = np.asarray(picture.dataobj), picture.affine
    if kind.startswith("cfloat"):
        data = np.abs(data)
    kinds = {"bit": "uint8", "cfloat32": "float32", "cfloat64": "float64"}
    kind = re.sub("(le|be)$", "", kind)
    parts = [beside(name, name[:-4] + ".dat")] if name.endswith(".mih") else []
    return image(name, data, affine, kinds.get(kind, kind), f"MRtrix {version} (mrconvert)", parts=parts)


def afni(root, name):
    parts = [p for p in (name[:-4] + "BRIK", name[:-4] + "BRIK.gz") if os.path.exists(os.path.join(root, p))]
    picture = nibabel.load(os.path.join(root, name))
    factors = picture.header.get_data_scaling()
    varying = factors is not None and len(set(factors)) > 1
    kind = "float32" if varying else picture.header.get_data_dtype().name
    return image(name, np.asarray(picture.dataobj), picture.affine, kind, NIBABEL, parts=parts)


def parrec(root, name):
    rec = name[:-4] + (".REC" if os.path.exists(os.path.join(root, name[:-4] + ".REC")) else ".rec")
    picture = nibabel.parrec.load(os.path.join(root, name), strict_sort=True)
    slope, inter = picture.header.get_data_scaling()
    one = len(set(slope.ravel())) == 1 and len(set(inter.ravel())) == 1
    return image(name, np.asarray(picture.dataobj), picture.affine,
                 picture.header.get_data_dtype().name if one else "float32", NIBABEL, parts=[rec],
                 note="strict_sort=True")


def shuffled(root, name, straight):
    """nibabel takes the order of lines for that of the slices; this file's index says otherwise. So: its header with the
    lines sorted by their index, which gives the order that both mean."""
    lines = open(os.path.join(root, name)).read().splitlines(keepends=True)
    rows = [i for i, line in enumerate(lines) if re.match(r"\s+\d", line)]
    old = sorted((lines[i] for i in rows), key=lambda line: int(line.split()[6]))
    for i, line in zip(rows, old):
        lines[i] = line
    with tempfile.TemporaryDirectory() as folder:
        open(f"{folder}/x.PAR", "w").write("".join(lines))
        os.symlink(os.path.abspath(os.path.join(root, name[:-4] + ".REC")), f"{folder}/x.REC")
        answer = parrec(folder, "x.PAR")
        picture = nibabel.parrec.load(f"{folder}/x.PAR", strict_sort=True)
    return image(name, np.asarray(picture.dataobj), picture.affine, answer["type"], NIBABEL,
                 parts=[name[:-4] + ".REC"], note=straight)


def minc_axes(names):
    """The file's dimensions in nora's order: the fastest spatial one first, then time, then vectors."""
    spatial = [n for n in names if n.endswith("space")][::-1]
    return spatial, [names.index(n) for n in spatial + [m for m in ("time", "vector_dimension") if m in names]]


def minc(root, name):
    path = os.path.join(root, name)
    picture = nibabel.load(path)
    names = list(picture.dataobj.minc_file._dim_names)
    spatial, order = minc_axes(names)
    data = np.asarray(picture.dataobj).transpose(order)
    affine = picture.affine[:, [len(spatial) - 1 - a for a in range(3)] + [3]]
    varying = picture.dataobj.minc_file._image_max.shape != () and np.issubdtype(picture.get_data_dtype(), np.integer)
    low = np.asarray(picture.dataobj.minc_file._get_array(picture.dataobj.minc_file._image_min)) if varying else 0
    high = np.asarray(picture.dataobj.minc_file._get_array(picture.dataobj.minc_file._image_max)) if varying else 0
    one = not varying or (np.ptp(low) == 0 and np.ptp(high) == 0)
    kind = picture.get_data_dtype().newbyteorder("=").name
    return image(name, data, affine, kind if one else "float32", NIBABEL)


def colour(root, name, like):
    """Three bytes a voxel, which nibabel refuses: the bytes by mincextract, the place from its grey sister."""
    raw = subprocess.run(["mincextract", "-byte", "-unsigned", "-nonormalize", os.path.join(root, name)], check=True,
                         capture_output=True).stdout
    model = nibabel.load(os.path.join(root, like))
    shape = tuple(model.shape)
    data = np.frombuffer(raw, "u1").reshape(shape + (3,)).transpose(2, 1, 0, 3)[:, :, :, None, :]
    affine = model.affine[:, [2, 1, 0, 3]]
    version = re.search(r"program: (\S+)", output("mincinfo", "-version"))[1]
    return image(name, data, affine, "rgb24", f"minc-tools {version} (mincextract)", rgb=True)


def v3(root, name, like):
    """Philips' V3, which nibabel refuses: the numbers are those of a V4.2 file that lists the same slices."""
    picture = nibabel.parrec.load(os.path.join(root, like), strict_sort=True)
    return image(name, np.asarray(picture.dataobj), picture.affine, "uint16", f"{NIBABEL} (of {os.path.basename(like)})",
                 parts=[name[:-4] + ".REC"])


def answers(root, folder):
    out = []
    names = [os.path.relpath(p, root) for p in sorted(glob.glob(os.path.join(root, folder, "**", "*"), recursive=True))]
    for name in names:
        base = os.path.basename(name)
        if base.endswith((".mif", ".mif.gz", ".mih")):
            out.append(mif(root, name))
        elif base.endswith(".HEAD"):
            out.append(afni(root, name))
        elif base == "v3.PAR":
            out.append(v3(root, name, beside(name, "v42.PAR")))
        elif base == "shuffled.PAR":
            out.append(shuffled(root, name, "lines in another order than the slices"))
        elif base.endswith(".PAR"):
            out.append(parrec(root, name))
        elif base == "colour_1.mnc":
            out.append(colour(root, name, beside(name, "ubyte_1.mnc")))
        elif base.endswith((".mnc", ".mnc.gz")):
            out.append(minc(root, name))
    return out


if __name__ == "__main__":
    everything = [a for f in ("mif", "afni", "parrec", "minc") for a in answers("tests/data", f"formats/{f}")]
    write("tests/data/formats/images_b.json", everything)
    if len(sys.argv) > 1:
        write("tests/data/formats/images_b_shared.json", answers(sys.argv[1], "nifti"))
