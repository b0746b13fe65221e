"""Makes the small files of tests/data/formats/{nrrd,meta,mgh}: every type, order, coding and header of these formats
that we know of, written by numpy and zlib alone from the formats' specifications. Run from the repository's root."""
import gzip
import os
import struct
import zlib

import numpy as np

ROOT = "tests/data/formats"
TYPES = {"int8": "signed char", "uint8": "unsigned char", "int16": "short", "uint16": "unsigned short",
         "int32": "int", "uint32": "unsigned int", "int64": "long long", "uint64": "unsigned long long",
         "float32": "float", "float64": "double"}
MET = {"int8": "MET_CHAR", "uint8": "MET_UCHAR", "int16": "MET_SHORT", "uint16": "MET_USHORT", "int32": "MET_INT",
       "uint32": "MET_UINT", "int64": "MET_LONG_LONG", "uint64": "MET_ULONG_LONG", "float32": "MET_FLOAT",
       "float64": "MET_DOUBLE"}
# A turned, sheared-free frame with three voxel sizes, in the words of the format (LPS, RAS, ...).
TURN = np.array([[0.8, -0.6, 0.0], [0.48, 0.64, -0.6], [0.36, 0.48, 0.8]])
SIZE = np.array([1.5, 2.0, 3.25])


def values(shape, dtype, seed=1):
    """Whole numbers that use the type's range, different along every axis; x first."""
    rng = np.random.default_rng(seed)
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else None
    low, high = (max(info.min, -2**40), min(info.max, 2**40)) if info else (-30000, 30000)
    out = rng.integers(low, high, shape, endpoint=True).astype(dtype)
    return out if info else out / np.dtype(dtype).type(8)


def stored(data, order="<"):
    """Bytes with the first axis fastest."""
    return data.astype(data.dtype.newbyteorder(order)).tobytes(order="F")


def write(name, *pieces):
    path = os.path.join(ROOT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        for piece in pieces:
            out.write(piece.encode() if isinstance(piece, str) else piece)


def directions(lead=0, trail=0, turn=TURN, size=SIZE):
    vectors = ["(" + ",".join(repr(float(v)) for v in turn[:, i] * size[i]) + ")" for i in range(3)]
    return " ".join(["none"] * lead + vectors + ["none"] * trail)


def nrrd(name, data, fields, encoding="raw", order="<", version=5, detached=None, pairs=(), payload=None, first=""):
    head = [f"NRRD000{version}", "# made by make_images_a.py"]
    head += [f"type: {TYPES[data.dtype.name]}", f"dimension: {data.ndim}",
             "sizes: " + " ".join(str(n) for n in data.shape), f"encoding: {encoding}"]
    if data.dtype.itemsize > 1 and encoding != "ascii":
        head.append("endian: " + ("little" if order == "<" else "big"))
    head += list(fields) + [f"{k}:={v}" for k, v in pairs]
    if detached:
        head.append(f"data file: {detached}")
    raw = stored(data, order) if payload is None else payload
    body = {"raw": raw, "gzip": gzip.compress(raw, 9, mtime=0), "hex": raw.hex(),
            "ascii": " ".join(str(v) for v in data.ravel(order="F"))}[encoding]
    if detached:
        write(name, "\n".join(head) + "\n")
    else:
        write(name, "\n".join(head) + "\n\n", body)
    return body


def make_nrrd():
    lps = ["space: left-posterior-superior", "space directions: " + directions(), "space origin: (-11.5,22.25,-33)",
           "kinds: domain domain domain"]
    for dtype in TYPES:
        nrrd(f"nrrd/type_{dtype}.nrrd", values((5, 4, 3), dtype), lps, order=">" if "16" in dtype else "<")
    small = values((7, 6, 5), "int16", 2)
    nrrd("nrrd/lps_gzip.nrrd", small, lps, "gzip")
    nrrd("nrrd/ras_big.nrrd", small, ["space: RAS"] + lps[1:], order=">")
    nrrd("nrrd/las_ascii.nrrd", small, ["space: left-anterior-superior"] + lps[1:], "ascii")
    nrrd("nrrd/scanner_hex.nrrd", small, ["space: scanner-xyz"] + lps[1:], "hex", order=">")
    nrrd("nrrd/right_handed.nrrd", small, ["space: 3D-right-handed"] + lps[1:])
    nrrd("nrrd/space_dimension.nrrd", small, ["space dimension: 3"] + lps[1:])
    nrrd("nrrd/old_spacings.nrrd", small, ["spacings: 1.5 2 3.25", "axis mins: -10 20 30", "centers: node node node"],
         version=1)
    nrrd("nrrd/old_cells.nrrd", small, ["axis mins: -10 20 30", "axis maxs: 4 32 45", "centerings: cell cell cell"],
         version=2)
    nrrd("nrrd/two_d.nrrd", small[:, :, 0], ["space dimension: 2", "space directions: (0.6,0.8) (-1.6,1.2)",
                                             "space origin: (3,4)"])
    make_nrrd_components(lps)
    make_nrrd_detached(small, lps)
    make_nrrd_slicer(lps)


def make_nrrd_components(lps):
    def with_axis(lead, kind):
        return [lps[0], "space directions: " + directions(lead, 1 - lead), lps[2],
                "kinds: " + " ".join([kind] * lead + ["domain"] * 3 + [kind] * (1 - lead))]
    nrrd("nrrd/rgb.nrrd", values((3, 6, 5, 4), "uint8", 3), with_axis(1, "RGB-color"), "gzip")
    nrrd("nrrd/rgba.nrrd", values((4, 6, 5, 4), "uint8", 4), with_axis(1, "RGBA-color"))
    nrrd("nrrd/vector_first.nrrd", values((3, 6, 5, 4), "float32", 5), with_axis(1, "3-vector"), "gzip")
    nrrd("nrrd/vector_last.nrrd", values((6, 5, 4, 3), "float32", 6), with_axis(0, "vector"), order=">")
    nrrd("nrrd/tensor.nrrd", values((6, 6, 5, 4), "float32", 7), with_axis(1, "3D-symmetric-matrix"), "gzip", order=">")
    nrrd("nrrd/complex.nrrd", values((2, 6, 5, 4), "float32", 8), with_axis(1, "complex"))
    nrrd("nrrd/time_last.nrrd", values((6, 5, 4, 3), "uint16", 9), with_axis(0, "list"), "gzip")
    # Gradients of several lengths: b = 2000 * |g|^2, the third one twice.
    gradients = [(0, 0, 0), (1, 0, 0), (0.5, 0.5, 0), (0, 0.6, 0.8)]
    pairs = [("modality", "DWMRI"), ("DWMRI_b-value", "2000")]
    pairs += [(f"DWMRI_gradient_{n:04}", " ".join(str(v) for v in g)) for n, g in zip((0, 1, 2, 4), gradients)]
    pairs += [("DWMRI_NEX_0002", "2")]
    frame = "measurement frame: (0,1,0) (-1,0,0) (0,0,1)"
    body = nrrd("nrrd/dwi.nhdr", values((5, 6, 5, 4), "int16", 10), with_axis(1, "list") + [frame], "gzip",
                detached="dwi.raw.gz", pairs=pairs)
    write("nrrd/dwi.raw.gz", body)


def make_nrrd_detached(small, lps):
    nrrd("nrrd/list.nhdr", small, lps, detached="LIST\n" + "\n".join(f"list_{z}.raw" for z in range(5)))
    nrrd("nrrd/pattern.nhdr", small, lps, "gzip", detached="./pattern_%02d.raw.gz 8 0 -2 2")
    nrrd("nrrd/skips.nhdr", small, lps + ["line skip: 2", "byte skip: 3"], detached="skips.dat")
    nrrd("nrrd/from_end.nhdr", small, lps + ["byte skip: -1"], detached="from_end.dat")
    for z in range(5):
        write(f"nrrd/list_{z}.raw", stored(small[:, :, z]))
        write(f"nrrd/pattern_{8 - 2 * z:02}.raw.gz", gzip.compress(stored(small[:, :, z]), mtime=0))
    write("nrrd/skips.dat", "first line\nsecond line\nxyz", stored(small), "behind")
    write("nrrd/from_end.dat", "a header of unknown length", stored(small))


def make_nrrd_slicer(lps):
    labels = (values((6, 5, 4), "uint8", 11) % 4).astype("uint8")
    def segment(n, name, colour, value, layer):
        return [(f"Segment{n}_ID", f"Segment_{n}"), (f"Segment{n}_Name", name), (f"Segment{n}_Color", colour),
                (f"Segment{n}_LabelValue", str(value)), (f"Segment{n}_Layer", str(layer))]
    pairs = segment(0, "tumour", "1 0 0", 1, 0) + segment(1, "oedema", "0.2 0.4 0.6", 2, 0)
    nrrd("nrrd/flat.seg.nrrd", labels, lps, "gzip", pairs=pairs + segment(2, "necrosis", "0 0 1", 3, 0))
    layered = (values((2, 6, 5, 4), "uint8", 12) % 3).astype("uint8")
    head = [lps[0], "space directions: " + directions(1), lps[2], "kinds: list domain domain domain"]
    nrrd("nrrd/layers.seg.nrrd", layered, head, "gzip", pairs=pairs + segment(2, "vessel", "0 1 0", 1, 1))


def meta(name, data, file="LOCAL", order="<", fields=(), channels=1, payload=None, binary=True, mtype=None, turn=True,
         ahead=()):
    """data: with channels, the channel axis is the first."""
    shape = data.shape[1:] if channels > 1 else data.shape
    n = len(shape)
    head = ["ObjectType = Image", f"NDims = {n}", f"BinaryData = {binary}",
            f"BinaryDataByteOrderMSB = {order == '>'}", *ahead]
    if turn:
        matrix = np.eye(n)
        matrix[:3, :3] = TURN.T if n >= 3 else matrix[:3, :3]
        head += ["TransformMatrix = " + " ".join(repr(float(v)) for v in matrix.ravel()),
                 "Offset = " + " ".join(str(v) for v in (-11.5, 22.25, -33, 0, 0)[:n]),
                 "CenterOfRotation = " + " ".join(str(v) for v in (7, 8, 9, 0, 0)[:n]), "AnatomicalOrientation = RAI",
                 "ElementSpacing = " + " ".join(str(v) for v in (1.5, 2, 3.25, 2.5, 1)[:n])]
    head += ["DimSize = " + " ".join(str(v) for v in shape)]
    head += [f"ElementNumberOfChannels = {channels}"] if channels > 1 else []
    head += [*fields, f"ElementType = {mtype or MET[data.dtype.name]}", f"ElementDataFile = {file}"]
    raw = stored(data, order) if payload is None else payload
    write(name, "\n".join(head) + "\n", raw if file == "LOCAL" else b"")


def make_meta():
    for dtype in MET:
        meta(f"meta/type_{dtype}.mha", values((5, 4, 3), dtype), order=">" if "16" in dtype else "<")
    small = values((7, 6, 5), "int16", 2)
    packed = zlib.compress(stored(small))
    meta("meta/long.mha", values((5, 4, 3), "int32", 13), mtype="MET_LONG")
    meta("meta/array.mha", values((3, 6, 5, 4), "float32", 14), channels=3, mtype="MET_FLOAT_ARRAY")
    meta("meta/zlib.mha", small, payload=packed,
         fields=["CompressedData = True", f"CompressedDataSize = {len(packed)}"])
    meta("meta/zlib_no_size.mha", small, payload=packed, fields=["CompressedData = True"])
    meta("meta/ascii.mha", small, binary=False, payload=" ".join(str(v) for v in small.ravel(order="F")))
    meta("meta/rgb.mha", values((3, 6, 5, 4), "uint8", 3), channels=3)
    meta("meta/vector.mha", values((3, 6, 5, 4), "float32", 5), channels=3, order=">")
    meta("meta/two_d.mha", small[:, :, 0])
    meta("meta/four_d.mha", values((6, 5, 4, 3), "uint16", 9))
    meta("meta/bare.mha", small, turn=False)
    meta("meta/aliases.mha", small, turn=False, ahead=["Rotation = 0 1 0 -1 0 0 0 0 1", "Position = 1 2 3",
                                                       "ElementSize = 1.5 2 3.25"])
    meta("meta/front.mhd", small, "front.raw", fields=["HeaderSize = 11"])
    meta("meta/from_end.mhd", small, "from_end.raw", fields=["HeaderSize = -1"])
    meta("meta/packed.mhd", small, "packed.zraw", fields=["CompressedData = True", f"CompressedDataSize = {len(packed)}"])
    meta("meta/list.mhd", small, "LIST\n" + "\n".join(f"slice_{z}.raw" for z in range(5)))
    meta("meta/pattern.mhd", small, "slice_%d.raw 0 4 1")
    write("meta/front.raw", b"eleven byte", stored(small))
    write("meta/from_end.raw", b"a header of unknown length", stored(small))
    write("meta/packed.zraw", packed)
    for z in range(5):
        write(f"meta/slice_{z}.raw", stored(small[:, :, z]))


def mgh(name, data, code, good=1, footer=b"", spacing=SIZE, version=1):
    dims = data.shape + (1,) * (4 - data.ndim)
    head = struct.pack(">7ih", version, *dims, code, 0, good)
    head += struct.pack(">15f", *spacing, *TURN[:, 0], *TURN[:, 1], *TURN[:, 2], 4.5, -6.25, 8)
    content = head.ljust(284, b"\0") + stored(data, ">") + footer
    write(name, gzip.compress(content, mtime=0) if name.endswith("z") else content)


def make_mgh():
    for dtype, code in (("uint8", 0), ("int32", 1), ("float32", 3), ("int16", 4), ("uint16", 10)):
        mgh(f"mgh/type_{dtype}.mgh", values((5, 4, 3), dtype), code)
    scan = struct.pack(">5f", 2000, 0.5, 30, 0, 256)
    mgh("mgh/frames.mgz", values((6, 5, 4, 3), "int16", 9), 4, footer=scan)
    mgh("mgh/no_ras.mgz", values((6, 5, 4), "float32", 5), 3, good=0)
    text = lambda s: struct.pack(">i", len(s) + 1) + s.encode() + b"\0"
    colours = struct.pack(">iii", 1, -2, 18) + text("lut.txt") + struct.pack(">i", 3)
    for value, label, rgb in ((0, "Unknown", (0, 0, 0)), (4, "Left-Lateral-Ventricle", (120, 18, 134)),
                              (17, "Left-Hippocampus", (220, 216, 20))):
        colours += struct.pack(">i", value) + text(label) + struct.pack(">4i", *rgb, 0)
    talairach = b"/transforms/talairach.xfm\0"
    footer = scan + struct.pack(">iq", 31, len(talairach)) + talairach + colours
    labels = np.array([0, 4, 17], "int32")[values((6, 5, 4), "uint8", 15) % 3]
    mgh("mgh/labels.mgz", labels, 1, footer=footer)


if __name__ == "__main__":
    make_nrrd()
    make_meta()
    make_mgh()
