#!/usr/bin/python3
"""Writes small NIfTI files to tests/data/nifti and what nibabel says of them to reference.json.

Needs nibabel and numpy, and is run by hand when a case is added; the tests read only what it left behind.
Real files (tests/data/nifti/LICENCES.md) are listed here too.
"""
import gzip
import json
import os
import sys

import nibabel
import numpy
from nibabel import nifti1, nifti2

import answers

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "..", "data", "nifti"))
SHAPE = (7, 6, 5)
RGB = numpy.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
RGBA = numpy.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")])
TYPES = ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16", RGB, RGBA]
REAL = ["someones_epi.nii.gz", "anat_nifti2.nii.gz", "example4d.nii.gz", "avg152T1_RL_nifti.nii.gz",
        "complex_image.nii.gz", "small_64D.nii", "ras.hdr"]
OBLIQUE = numpy.array([[-1.9, 0.3, 0.1, 12.5], [0.25, 2.1, -0.4, -30.25], [0.2, 0.45, 3.1, 7.125], [0, 0, 0, 1.0]])


def voxels(dtype, shape):
    chooser = numpy.random.RandomState(7)
    dtype = numpy.dtype(dtype)
    if dtype.names:
        out = numpy.zeros(shape, dtype)
        for channel in dtype.names:
            out[channel] = chooser.randint(0, 256, shape)
        return out
    if dtype.kind == "c":
        return (chooser.normal(size=shape) + 1j * chooser.normal(size=shape)).astype(dtype)
    if dtype.kind == "f":
        return chooser.normal(scale=100, size=shape).astype(dtype)
    limits = numpy.iinfo(dtype)
    # 64-bit values stay within what a double holds exactly, so that nibabel's answer is exact too.
    low, high = max(limits.min, -2**52), min(limits.max, 2**52)
    return chooser.randint(low, high, shape, dtype="i8").astype(dtype)


def save(name, array, fields, version=1, order="<", pair=False):
    """Header and voxels byte by byte, so that odd headers can be written as they are."""
    kinds = {(1, False): nifti1.Nifti1Header, (1, True): nifti1.Nifti1PairHeader,
             (2, False): nifti2.Nifti2Header, (2, True): nifti2.Nifti2PairHeader}
    header = kinds[version, pair](endianness=order)
    header.set_data_dtype(array.dtype.newbyteorder(order))
    header.set_data_shape(array.shape)
    header["scl_slope"] = 1
    header["pixdim"][1:4] = (1.5, 2, 2.5)
    for key, value in fields.items():
        header[key] = value
    offset = 0 if pair else (352 if version == 1 else 544)
    header["vox_offset"] = offset
    data = array.astype(array.dtype.newbyteorder(order)).tobytes(order="F")
    front = header.binaryblock + b"\0" * 4
    if pair:
        write(name, front)
        write(name.replace(".hdr", ".img"), data)
    else:
        write(name, front + data)
    return name


def write(name, content):
    if name.endswith(".gz"):
        content = gzip.compress(content, 9, mtime=0)
    with open(os.path.join(DATA, name), "wb") as out:
        out.write(content)


def sform(affine, code=1):
    return {"sform_code": code, "srow_x": affine[0], "srow_y": affine[1], "srow_z": affine[2]}


def qform(b, c, d, qfac=1, code=1, offset=(-20, 30.5, 7)):
    return {"qform_code": code, "quatern_b": b, "quatern_c": c, "quatern_d": d, "qoffset_x": offset[0],
            "qoffset_y": offset[1], "qoffset_z": offset[2], "pixdim": [qfac, 1.5, 2, 2.5, 1, 1, 1, 1]}


def type_name(dtype):
    names = numpy.dtype(dtype).names
    return "".join(names).lower() if names else numpy.dtype(dtype).name


def type_cases():
    for dtype in TYPES:
        for order, suffix in (("<", "le"), (">", "be")):
            name = f"type_{type_name(dtype)}_{suffix}.nii.gz"
            yield save(name, voxels(dtype, SHAPE), sform(OBLIQUE), order=order)
    for order, suffix in (("<", "le"), (">", "be")):
        yield save(f"version2_int16_{suffix}.nii.gz", voxels("i2", SHAPE), sform(OBLIQUE), 2, order)
    yield save("pair_float32.hdr", voxels("f4", SHAPE), sform(OBLIQUE), pair=True)
    yield save("pair2_int16_be.hdr", voxels("i2", SHAPE), sform(OBLIQUE), 2, ">", True)


def space_cases():
    array = voxels("u1", SHAPE)
    both = {**sform(OBLIQUE, 4), **qform(0.1, 0.2, 0.3)}
    cases = {
        "sform_and_qform": both,
        "qform": qform(0.1, -0.2, 0.3),
        "qform_negative_qfac": qform(0.1, -0.2, 0.3, -1),
        "qform_qfac_zero": qform(0.5, 0.5, 0.5, 0),
        "qform_half_turn_x": qform(1, 0, 0),
        "qform_half_turn_oblique": qform(0.6, 0.8, 0, -1),
        "qform_a_little_too_long": qform(0.6000001, 0.8, 0),
        "qform_small_real_part": qform(0.6, 0.79999, 0.002),
        "pixdim": {},
        "pixdim_negative": {"pixdim": [1, -1.5, 2, 2.5, 1, 1, 1, 1]},
        "pixdim_zero": {"pixdim": [1, 1.5, 0, 2.5, 1, 1, 1, 1]},
        "sform_code_unknown": {**both, "sform_code": 77},
    }
    for name, fields in cases.items():
        yield save(f"space_{name}.nii.gz", array, fields)
    yield save("space_qform_version2.nii.gz", array, qform(0.1, -0.2, 0.3, -1), 2)


def shape_and_scale_cases():
    place = sform(OBLIQUE)
    yield save("shape_1d.nii.gz", voxels("i2", (9,)), place)
    yield save("shape_2d_pixdim.nii.gz", voxels("i2", (9, 4)), {})
    yield save("shape_4d.nii.gz", voxels("i2", (5, 4, 3, 6)), place)
    yield save("shape_5d_vector.nii.gz", voxels("f4", (5, 4, 3, 1, 3)), {**place, "intent_code": 1007})
    yield save("shape_5d_time_and_components.nii.gz", voxels("f4", (5, 4, 3, 2, 3)), place)
    yield save("shape_7d.nii.gz", voxels("i2", (3, 2, 3, 2, 2, 2, 3)), place)
    yield save("shape_4d_rgb_vector.nii.gz", voxels("f4", (5, 4, 3, 3)), {**place, "intent_code": 2003})
    yield save("scale_slope.nii.gz", voxels("i2", SHAPE), {**place, "scl_slope": -0.0123, "scl_inter": 45.6})
    yield save("scale_slope_float.nii.gz", voxels("f4", SHAPE), {**place, "scl_slope": 3, "scl_inter": -7})
    yield save("scale_slope_zero.nii.gz", voxels("i2", SHAPE), {**place, "scl_slope": 0, "scl_inter": 45.6})
    yield save("scale_slope_nan.nii.gz", voxels("i2", SHAPE), {**place, "scl_slope": numpy.nan, "scl_inter": 1})
    yield save("scale_complex.nii.gz", voxels("c8", SHAPE), {**place, "scl_slope": 2, "scl_inter": 0.5})
    holes = voxels("f4", SHAPE)
    holes[0, 0, 0], holes[3, 2, 1], holes[-1, -1, -1] = numpy.nan, numpy.inf, -numpy.inf
    yield save("values_not_finite.nii.gz", holes, place)
    yield save("values_all_nan.nii.gz", numpy.full(SHAPE, numpy.nan, "f4"), place)


def main():
    names = [*type_cases(), *space_cases(), *shape_and_scale_cases(), *REAL]
    lines = [json.dumps(answers.answers(os.path.join(DATA, name), name)) for name in names]
    reader = json.dumps(f"nibabel {nibabel.__version__}, numpy {numpy.__version__}")
    with open(os.path.join(HERE, "reference.json"), "w", encoding="utf-8") as file:
        file.write(f'{{"reader": {reader}, "images": [\n' + ",\n".join(lines) + "\n]}\n")
    print(f"{len(names)} images", file=sys.stderr)


if __name__ == "__main__":
    main()
