#!/usr/bin/python3
"""NIfTI and Analyze 7.5 against nibabel.

    reference_nifti.py make FOLDER   writes the small files of tests/data/formats/{nifti,analyze}
    reference_nifti.py               writes tests/data/formats/nifti.json
    reference_nifti.py FOLDER        writes tests/data/formats/nifti_shared.json for the larger collection
"""
import glob
import gzip
import os
import sys
import warnings

import nibabel
import numpy as np
from nibabel import analyze, nifti1, nifti2, spm2analyze, spm99analyze

import reference

warnings.simplefilter("ignore")
HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "data"))
TOOL = f"nibabel {nibabel.__version__}"
VECTORS = {1006, 1007, 2003, 2004}
TENSOR = 1005
SHAPE = (7, 6, 5)
OBLIQUE = np.array([[-1.9, 0.3, 0.1, 12.5], [0.25, 2.1, -0.4, -30.25], [0.2, 0.45, 3.1, 7.125], [0, 0, 0, 1.0]])


# ---- small files

def smooth(shape, dtype):
    grids = np.meshgrid(*[np.linspace(0, 1, n) for n in shape], indexing="ij")
    values = sum((i + 1) * g for i, g in enumerate(grids)) * 100 - 40
    return values.astype(dtype)


def write(path, content):
    path = os.path.join(DATA, "formats", path)
    with open(path, "wb") as out:
        out.write(gzip.compress(content, 9, mtime=0) if path.endswith(".gz") else content)


def make_analyze(name, kind, array, order, **fields):
    """Header and voxels byte by byte, so that fields that nibabel would not write can be set."""
    header = kind(endianness=order)
    if array.dtype.names:  # planes, a slice and a channel each
        header["datatype"], header["bitpix"] = 128, 24
        data = np.stack([array[c] for c in array.dtype.names], axis=2).tobytes(order="F")
    else:
        header.set_data_dtype(array.dtype.newbyteorder(order))
        data = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    header.set_data_shape(array.shape)
    header["pixdim"][1:4] = (1.5, 2, 2.5)
    for key, value in fields.items():
        header[key] = value
    gz = ".gz" if name.endswith(".gz") else ""
    stem = name[:-len(gz)] if gz else name
    write(f"analyze/{stem}.hdr{gz}", header.binaryblock)
    write(f"analyze/{stem}.img{gz}", data)


def make_all_analyze():
    plain, spm99, spm2 = analyze.AnalyzeHeader, spm99analyze.Spm99AnalyzeHeader, spm2analyze.Spm2AnalyzeHeader
    for order, suffix in (("<", "le"), (">", "be")):
        for dtype in ("u1", "i2", "i4", "f4", "f8", "c8"):
            make_analyze(f"{np.dtype(dtype).name}_{suffix}", plain, smooth(SHAPE, dtype), order)
    rgb = np.zeros((12, 9, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    rgb["R"], rgb["G"], rgb["B"] = smooth((12, 9, 4), "i2") // 4 + 20, smooth((12, 9, 4), "i2")[::-1] // 3 + 30, 77
    make_analyze("rgb_planes", plain, rgb, "<")
    make_analyze("spm99_origin_scale", spm99, smooth(SHAPE, "i2"), ">", origin=(3, 4, 2, 0, 0), scl_slope=0.25)
    make_analyze("spm2_scale_inter", spm2, smooth(SHAPE, "i2"), "<", scl_slope=-0.5, scl_inter=12)
    make_analyze("spm99_wild_origin", spm99, smooth(SHAPE, "i2"), "<", origin=(300, 4, 2, 0, 0))
    make_analyze("series.gz", plain, smooth((5, 4, 3, 4), "i2"), "<")


def make_nifti(name, array, order="<", version=1, pair=False, extensions=(), **fields):
    kinds = {(1, False): nifti1.Nifti1Header, (1, True): nifti1.Nifti1PairHeader,
             (2, False): nifti2.Nifti2Header, (2, True): nifti2.Nifti2PairHeader}
    header = kinds[version, pair](endianness=order)
    header.set_data_dtype(array.dtype.newbyteorder(order))
    header.set_data_shape(array.shape)
    header["scl_slope"] = 1
    header["pixdim"][1:4] = (1.5, 2, 2.5)
    header["sform_code"] = 1
    header["srow_x"], header["srow_y"], header["srow_z"] = OBLIQUE[:3]
    for key, value in fields.items():
        header[key] = value
    swap = order != "<"
    extra = b""
    for code, text in extensions:
        size = (8 + len(text) + 15) // 16 * 16
        numbers = np.array([size, code], "<i4")
        extra += (numbers.byteswap() if swap else numbers).tobytes() + text + b"\0" * (size - 8 - len(text))
    front = header.sizeof_hdr + 4
    header["vox_offset"] = 0 if pair else front + len(extra)
    head = header.binaryblock + (b"\1\0\0\0" if extra else b"\0" * 4) + extra
    data = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    if pair:
        write(f"nifti/{name}", head)
        write("nifti/" + name.replace(".hdr", ".img"), data)
    else:
        write(f"nifti/{name}", head + data)


def make_all_nifti(shared):
    make_nifti("extensions.nii.gz", smooth(SHAPE, "i2"), extensions=[(6, b"hand made"), (4, b"<AFNI_attributes/>")])
    make_nifti("extensions_be.nii", smooth(SHAPE, "i2"), ">", 2, extensions=[(44, b'{"Nucleus": "1H"}')])
    make_nifti("pair_be.hdr.gz", smooth(SHAPE, "f4"), ">", pair=True, extensions=[(6, b"of a pair")])
    make_nifti("tensor_dim5.nii.gz", smooth((5, 4, 3, 1, 6), "f4"), intent_code=TENSOR)
    make_nifti("tensor_dim4.nii.gz", smooth((5, 4, 3, 6), "f4"), intent_code=TENSOR)
    make_nifti("displacement.nii.gz", smooth((5, 4, 3, 1, 3), "f4"), intent_code=1006)
    make_nifti("trailing_ones.nii.gz", smooth((5, 4, 3, 1, 1, 1, 1), "i2"))
    make_nifti("flat.nii.gz", smooth((9, 7), "u1"))
    make_nifti("metres_ms.nii.gz", smooth((5, 4, 3, 4), "i2"), xyzt_units=1 | 16)
    make_nifti("forms_differ.nii.gz", smooth(SHAPE, "i2"), qform_code=1, quatern_b=0.1)
    make_nifti("label_intent.nii.gz", smooth(SHAPE, "u1") // 40, intent_code=1002)
    vectors = nibabel.load(os.path.join(shared, "nifti/dwi/V1.nii.gz"))
    crop = nibabel.Nifti1Image(np.asarray(vectors.dataobj)[30:46, 40:54, 25:33].astype("f4"), vectors.affine)
    crop.header["sform_code"], crop.header["qform_code"] = 1, 0
    crop.set_sform(vectors.affine, 1)
    write("nifti/crop_V1.nii.gz", crop.to_bytes())
    whole = nibabel.Nifti1Image(smooth((20, 20, 20), "i2"), OBLIQUE).to_bytes()
    write("nifti/cut.nii", whole[:len(whole) // 2])


# ---- answers

def parts_of(path):
    for header, data in ((".hdr", ".img"), (".hdr.gz", ".img.gz")):
        if path.endswith(header):
            return [path[:-len(header)] + data]
    return []


def millimetres(header):
    if "xyzt_units" not in header:
        return 1
    return {1: 1000, 3: 0.001}.get(int(header["xyzt_units"]) & 7, 1)


def shape5(shape, intent, named_vectors):
    shape = list(shape) + [1] * (7 - len(shape))
    x, y, z, t, c = shape[0], shape[1], shape[2], shape[3], shape[4] * shape[5] * shape[6]
    vector = (intent in VECTORS and 2 <= t <= 4) or (intent == TENSOR and t == 6) or named_vectors
    return (x, y, z, 1, t) if vector and c == 1 else (x, y, z, t, c)


def answer(root, name):
    path = os.path.join(root, name)
    image = nibabel.load(path)
    header = image.header
    dtype = header.get_data_dtype()
    affine = image.affine.copy()
    affine[:3] *= millimetres(header)
    parts = parts_of(name)
    code = int(header["datatype"])
    if code == 128 and "xyzt_units" not in header:  # Analyze: nibabel reads planes as if they were interleaved
        raw = np.fromfile(path.replace(".hdr", ".img"), "u1").reshape((*image.shape[:2], 3, image.shape[2]), order="F")
        data = np.moveaxis(raw, 2, 3)[:, :, :, None, :]
        return reference.image(name, data, affine, "rgb24", TOOL + ", planes by numpy", parts, rgb=True)
    data = np.asanyarray(image.dataobj)
    if dtype.names:
        kind = "rgb24" if len(dtype.names) == 3 else "rgba32"
        channels = np.stack([data[n] for n in dtype.names], axis=-1)
        x, y, z, t, _ = shape5(data.shape, 0, False)
        return reference.image(name, channels.reshape(x, y, z, t, -1, order="A"), affine, kind, TOOL, parts, rgb=True)
    if np.iscomplexobj(data):
        data, kind = np.abs(data), {8: "float32", 16: "float64"}[dtype.itemsize]
    else:
        kind = dtype.newbyteorder("=").name
    vectors = name.endswith("_V1.nii.gz") or name.endswith("/V1.nii.gz")
    intent = int(header["intent_code"]) if "intent_code" in header else 0
    data = data.reshape(shape5(data.shape, intent, vectors), order="F")
    return reference.image(name, data, affine, kind, TOOL, parts)


def main():
    if sys.argv[1:2] == ["make"]:
        make_all_analyze()
        make_all_nifti(sys.argv[2])
        return
    if len(sys.argv) > 1:
        root = sys.argv[1]
        patterns = ["nifti/*.nii*", "nifti/dwi/*.nii*", "nifti/fmri/*.nii*", "nifti/orientations/*.nii*",
                    "nifti/pair/*.hdr", "nifti/stats/*.nii*", "labels/*.nii.gz", "labels/*/*.nii.gz"]
        target = "nifti_shared.json"
    else:
        root, target = DATA, "nifti.json"
        patterns = ["nifti/*.nii*", "nifti/*.hdr*", "formats/nifti/*.nii*", "formats/nifti/*.hdr*",
                    "formats/analyze/*.hdr*"]
    names = sorted({os.path.relpath(p, root) for pattern in patterns for p in glob.glob(os.path.join(root, pattern))})
    answers = [answer(root, name) for name in names if not name.endswith("cut.nii")]
    if target == "nifti.json":
        answers.append(reference.refused("formats/nifti/cut.nii", "holds"))
    reference.write(os.path.join(DATA, "formats", target), answers)


if __name__ == "__main__":
    main()
