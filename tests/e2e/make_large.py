#!/usr/bin/python3
"""Writes images that take a second or more to load: compressed complex numbers, noise around 100. Time point t of the
series has 10 * (t % 4) added; the voxels in the middle are 200. An odd number of equal slabs makes a volume."""
import gzip
import pathlib
import sys

import nibabel
import numpy


def frame(shape, number):
    random = numpy.random.default_rng(3)
    noise = random.integers(0, 64, shape).astype(numpy.complex64)
    noise[tuple(slice(n // 2 - 1, n // 2 + 2) for n in shape)] = 100  # under the crosshair
    return noise + 100 + 10 * number


def write(path, shape, times, slabs=1):
    header = nibabel.Nifti1Header()
    header.set_data_dtype(numpy.complex64)
    whole = (*shape[:2], shape[2] * slabs)
    header.set_data_shape((*whole, times) if times > 1 else whole)
    header["scl_slope"], header["vox_offset"], header["magic"] = 1, 352, b"n+1"
    header["pixdim"][1:5] = 2
    header.set_sform(numpy.diag([2, 2, 2, 1]), 1)
    members = [gzip.compress(frame(shape, n).tobytes(order="F"), 1, mtime=0) for n in range(min(times, 4))]
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:  # a gzip file may have many members
        out.write(gzip.compress(header.binaryblock + b"\0" * 4, 1, mtime=0))
        for t in range(times):
            for _ in range(slabs):
                out.write(members[t % 4])


folder = pathlib.Path(sys.argv[1])
write(folder / "series.nii.gz", (112, 112, 56), 100)
write(folder / "volume.nii.gz", (320, 320, 32), 1, slabs=25)
