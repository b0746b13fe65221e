"""Makes the small files of tests/data/formats/{mif,afni,parrec,minc} with programs other than nora: MRtrix3, minc-tools,
h5py, and crops of files that nibabel ships for its own tests.

    make_images_b.py NIBABEL_TEST_DATA

Run from the repository's root. Random numbers, phantoms and crops of published scans; LICENCES.md says which."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile

import h5py
import nibabel
import numpy as np

DATA = "tests/data/formats"
RNG = np.random.default_rng(2024)
OBLIQUE = np.array([[-2, .1, 0, 10], [.1, 1.5, .3, -20], [0, -.3, 3, 5], [0, 0, 0, 1.0]])


def run(*command, **more):
    subprocess.run([str(c) for c in command], check=True, capture_output=True, **more)


def nifti(path, data, affine=OBLIQUE, zooms=None):
    picture = nibabel.Nifti1Image(data, affine)
    if zooms:
        picture.header.set_zooms(zooms)
    nibabel.save(picture, path)


def edit(path, old, new):
    """Changes the text header of a .mif and leaves the voxels where they are, because the length stays."""
    content = open(path, "rb").read()
    assert old in content and len(old) == len(new), (path, old)
    open(path, "wb").write(content.replace(old, new, 1))


def make_mif(temporary):
    out = f"{DATA}/mif"
    os.makedirs(out, exist_ok=True)
    source = f"{temporary}/source.nii"
    nifti(source, RNG.integers(-100, 100, (7, 5, 4, 3)).astype("int16"), zooms=(2, 1.53, 3, 2.5))
    types = {"int8": "1,2,3,4", "uint8": "-1,2,3,4", "int16le": "3,-2,1,4", "uint16be": "2,3,4,1",
             "int32be": "-2,-4,3,-1", "uint32le": "4,3,2,1", "float32be": "-1,-2,-3,4", "float64le": "2,-1,4,3",
             "bit": "-3,2,1,-4"}
    for number, (kind, strides) in enumerate(types.items()):
        suffix = [".mif", ".mif.gz", ".mih"][number % 3]
        run("mrconvert", "-force", source, f"{out}/{kind}{suffix}", "-datatype", kind, "-strides", strides)
    complex_source = RNG.normal(size=(4, 3, 2)) + 1j * RNG.normal(size=(4, 3, 2))
    nifti(f"{temporary}/complex.nii", complex_source.astype("complex64"))
    run("mrconvert", "-force", f"{temporary}/complex.nii", f"{out}/cfloat32.mif", "-datatype", "cfloat32be")
    run("mrconvert", "-force", f"{temporary}/complex.nii", f"{out}/cfloat64.mif.gz", "-datatype", "cfloat64le",
        "-strides", "-2,3,1")
    np.savetxt(f"{temporary}/b.txt", [[0, 0, 0, 0], [1, 0, 0, 1000], [.6, 0, -.8, 2000]])
    run("mrconvert", "-force", source, f"{out}/dwi.mif", "-grad", f"{temporary}/b.txt", "-strides", "2,3,4,1")
    run("mrconvert", "-force", source, f"{temporary}/second.mif", "-datatype", "float32")
    run("mrcat", "-force", "-axis", "4", f"{temporary}/second.mif", f"{temporary}/second.mif", f"{out}/five.mif")
    run("mrconvert", "-force", source, f"{out}/scaled.mif", "-coord", "3", "1")
    content = open(f"{out}/scaled.mif", "rb").read()
    offset = int(re.search(rb"\nfile: \. (\d+)\n", content)[1])
    header = content[:content.index(b"\nEND\n")].replace(f"file: . {offset}".encode(), b"file: . 2048")
    open(f"{out}/scaled.mif", "wb").write((header + b"\nscaling: -3.5,0.25\nEND\n").ljust(2048, b"\0") +
                                          content[offset:])
    shutil.copy(f"{out}/int8.mif", f"{out}/no_transform.mif")
    while b"\ntransform:" in open(f"{out}/no_transform.mif", "rb").read():
        edit(f"{out}/no_transform.mif", b"\ntransform:", b"\nxransform:")
    shutil.copy(f"{out}/int8.mif", f"{out}/no_size.mif")
    vox = re.search(rb"\nvox: [^,]*", open(f"{out}/no_size.mif", "rb").read())[0]
    edit(f"{out}/no_size.mif", vox, b"\nvox: nan".ljust(len(vox)))


def make_afni(source):
    """Crops of nibabel's example: 9 x 8 x 7 of 3 sub-bricks."""
    out = f"{DATA}/afni"
    os.makedirs(out, exist_ok=True)
    head = open(f"{source}/example4d+orig.HEAD").read()
    voxels = np.asarray(nibabel.load(f"{source}/example4d+orig.HEAD").dataobj)[10:19, 10:18, 8:15]
    head = head.replace(" 33 41 25 0 0", " 9 8 7 0 0")
    assert " 9 8 7 " in head

    def write(name, text, data, compressed=False):
        open(f"{out}/{name}+orig.HEAD", "w").write(text)
        content = data.tobytes(order="F")
        if compressed:
            open(f"{out}/{name}+orig.BRIK.gz", "wb").write(gzip.compress(content, mtime=0))
        else:
            open(f"{out}/{name}+orig.BRIK", "wb").write(content)

    def with_numbers(text, name, values):
        return re.sub(rf"(name\s*=\s*{name}\s*\ncount\s*=\s*)\d+\n[^a-z]*", rf"\g<1>{len(values)}\n " +
                      " ".join(map(str, values)) + "\n\n", text)

    write("short", head, voxels.astype("<i2"), compressed=True)
    factors = with_numbers(head, "BRICK_FLOAT_FACS", [0.5, 0, 2.25])
    write("factors", factors.replace("LSB_FIRST", "MSB_FIRST"), voxels.astype(">i2"))
    write("one_factor", with_numbers(head, "BRICK_FLOAT_FACS", [0.125, 0.125, 0.125]), voxels.astype("<i2"))
    write("float", with_numbers(head, "BRICK_TYPES", [3, 3, 3]), (voxels / 7).astype("<f4"))
    write("byte", with_numbers(head, "BRICK_TYPES", [0, 0, 0]), (voxels % 256).astype("u1"))
    turned = with_numbers(head, "IJK_TO_DICOM_REAL", [2.9, .5, 0, -49.5, -.5, 2.9, .3, -82.312, 0, -.3, 3, -52.3511])
    write("oblique", turned, voxels.astype("<i2"))
    table = '<VALUE_LABEL_DTABLE\n ni_type="2*String"\n ni_dimen="2" >\n"1" "left"\n"2" "right"\n</VALUE_LABEL_DTABLE>'
    label = f"\ntype = string-attribute\nname = VALUE_LABEL_DTABLE\ncount = {len(table) + 1}\n'{table}~\n"
    write("labels", with_numbers(head, "BRICK_TYPES", [0, 0, 0]) + label, (voxels % 3).astype("u1"))


def make_parrec(source):
    """PAR files of nibabel with slices cropped to n x n, .REC files with random numbers."""
    out = f"{DATA}/parrec"
    os.makedirs(out, exist_ok=True)

    def small(name, n, size, target, shuffled=False, bits=16):
        text = open(f"{source}/{name}.PAR", newline="").read()
        text = re.sub(rf"(\n[^#.\n]{{30,45}}) +{size} +{size} ", rf"\g<1> {n:4} {n:4} ", text)
        count = len(re.findall(rf" {n:4} {n:4} ", text))
        assert count > 0, name
        if shuffled:  # lines in another order; the index tells where each slice is
            lines = text.splitlines(keepends=True)
            rows = [i for i, line in enumerate(lines) if re.match(r"\s+\d", line)]
            order = RNG.permutation(len(rows))
            old = [lines[i] for i in rows]
            for i, o in zip(rows, order):
                lines[i] = old[o]
            text = "".join(lines)
        open(f"{out}/{target}.PAR", "w", newline="").write(text)
        RNG.integers(0, 4096, n * n * count).astype("<u2").tofile(f"{out}/{target}.REC")

    small("phantom_EPI_asc_CLEAR_2_1", 12, 64, "v42")
    small("phantom_fake_v4", 12, 64, "v4")
    small("phantom_fake_v4_1", 12, 64, "v41")
    small("phantom_varscale", 12, 64, "varscale")
    small("DTI", 8, 80, "dti")
    small("fieldmap", 8, 80, "types")
    small("T2_", 8, 80, "shuffled", shuffled=True)
    small("Phantom_EPI_3mm_cor_20APtrans_15RLrot_SENSE_15_1", 8, 80, "coronal")
    small("Phantom_EPI_3mm_tra_-30AP_10RL_20FH_SENSE_14_1", 8, 80, "sagittal")
    rows = []
    for line in open(f"{out}/v42.PAR"):
        if re.match(r"\s+\d", line):
            w = line.split()
            line = "  ".join(w[:7] + w[11:22] + w[24:34]) + "\n"  # V3 says the others once, above
        elif line.startswith(".    Diffusion echo"):
            line += (".    Recon resolution (x, y)            :   12  12\n.    Image pixel size [8 or 16 bits]    :   16\n"
                     ".    Slice thickness [mm]               :   6.000\n.    Slice gap [mm]                     :   2.000\n")
        rows.append(line.replace("V4.2", "V3"))
    open(f"{out}/v3.PAR", "w").write("".join(rows))
    shutil.copy(f"{out}/v42.REC", f"{out}/v3.REC")


def make_minc(source, temporary):
    out = f"{DATA}/minc"
    os.makedirs(out, exist_ok=True)
    for name in ("minc1_1_scale", "minc1_4d", "minc2-no-att", "minc2_1_scale", "minc2_4d"):
        shutil.copy(f"{source}/{name}.mnc", out)
    raw = f"{temporary}/raw"
    space = ["-xstep", "-2", "-ystep", "1.5", "-zstep", "3", "-xstart", "11", "-ystart", "-20.5", "-zstart", "7",
             "-xdircos", ".96", ".28", "0", "-ydircos", "-.28", ".96", "0"]
    sizes = {"z": "4", "y": "5", "x": "6"}
    for name, order, numpy_type, kind in (
            ("ubyte", "zyx", "u1", ["-byte", "-unsigned"]), ("byte", "xzy", "i1", ["-byte", "-signed"]),
            ("short", "yxz", "i2", ["-short", "-signed"]), ("ushort", "xyz", "u2", ["-short", "-unsigned"]),
            ("int", "zxy", "i4", ["-int", "-signed"]), ("float", "yzx", "f4", ["-float"]),
            ("double", "zyx", "f8", ["-double"])):
        shape = [int(sizes[a]) for a in order]
        data = RNG.integers(-100, 100, shape).astype(numpy_type) if numpy_type[0] == "i" else \
            RNG.integers(0, 200, shape).astype(numpy_type)
        data.tofile(raw)
        scale = [] if numpy_type[0] == "f" else ["-scan_range", "-real_range", "-7", "31"]
        for version in ("1", "2"):
            run("rawtominc", "-clobber", *(["-2"] if version == "2" else []), f"-{order}", *kind, *scale, *space,
                "-input", raw, f"{out}/{name}_{version}.mnc", *[sizes[a] for a in order])
    # Each slice with its own range.
    run("mincreshape", "-clobber", f"{out}/short_1.mnc", f"{out}/reshaped_1.mnc", "-dimrange", "xspace=1,4")
    run("mincconvert", "-2", "-compress", "4", "-clobber", f"{source}/tiny.mnc", f"{out}/compressed.mnc")
    open(f"{out}/tiny.mnc.gz", "wb").write(gzip.compress(open(f"{source}/tiny.mnc", "rb").read(), mtime=0))
    vector = RNG.integers(0, 255, (4, 5, 6, 3)).astype("u1")
    vector.tofile(raw)
    run("rawtominc", "-clobber", "-zyx", "-byte", "-unsigned", "-vector", "3", *space, "-input", raw,
        f"{out}/colour_1.mnc", "4", "5", "6")
    with h5py.File(f"{out}/chunks.mnc", "w") as f:  # shuffle, ragged chunks, big-endian, one never written, fletcher32
        shutil.copy(f"{out}/short_2.mnc", f"{temporary}/model.mnc")
        with h5py.File(f"{temporary}/model.mnc", "r") as model:
            model.copy("minc-2.0", f)
        old = f["minc-2.0/image/0/image"]
        attributes, values = dict(old.attrs), old[...]
        del f["minc-2.0/image/0/image"]
        new = f.create_dataset("minc-2.0/image/0/image", values.shape, ">i2", chunks=(2, 4, 3), compression="gzip",
                               shuffle=True, fletcher32=True)
        new[:, :4] = values[:, :4]
        new.attrs.update(attributes)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        make_mif(folder)
        make_afni(sys.argv[1])
        make_parrec(sys.argv[1])
        make_minc(sys.argv[1], folder)
