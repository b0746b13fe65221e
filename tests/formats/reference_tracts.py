"""Streamlines and VTK files: makes small ones with independent writers, and stores what independent readers say.

    reference_tracts.py make SHARED OUT    SHARED: the larger collection of data; OUT: tests/data/formats
    reference_tracts.py answer DATA FILE   answers for what `make` made; DATA: tests/data
    reference_tracts.py shared SHARED FILE answers for the files of the collection
"""
import glob
import gzip
import io
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile

import nibabel
import numpy as np
import scipy.io
import vtk
from nibabel.streamlines import Tractogram
from vtk.util import numpy_support

import reference

warnings.simplefilter("ignore")
NIBABEL = f"nibabel {nibabel.__version__}"
VTK = f"VTK {vtk.vtkVersion.GetVTKVersion()}"
NUMPY = f"numpy {np.__version__} and Python's zipfile"
SCIPY = f"scipy {scipy.__version__}"


def bundle(seed=1, lines=12):
    """A few wavy streamlines in RAS mm, of 2 to 30 points."""
    random = np.random.default_rng(seed)
    out = []
    for _ in range(lines):
        n = int(random.integers(2, 31))
        t = np.linspace(0, 1, n)[:, None]
        start, way = random.uniform(-60, 60, 3), random.uniform(-30, 30, 3)
        out.append((start + t * way + 3 * np.sin(6 * t + random.uniform(0, 6, 3))).astype(np.float32))
    return out


# --- makers


def make_tck(out):
    lines = bundle(2)
    nan, inf = np.full((1, 3), np.nan), np.full((1, 3), np.inf)
    for name, kind in [("be32", ">f4"), ("le64", "<f8"), ("be64", ">f8")]:
        datatype = {"be32": "Float32BE", "le64": "Float64LE", "be64": "Float64BE"}[name]
        body = b"".join(np.concatenate([s, nan]).astype(kind).tobytes() for s in lines) + inf.astype(kind).tobytes()
        head = f"mrtrix tracks\ndatatype: {datatype}\ncount: 0000000099\nfile: . 128\nEND\n".encode()
        open(f"{out}/{name}.tck", "wb").write(head.ljust(128, b"\n") + body)
    tsf = b"".join(np.append(np.arange(len(s)) + 100.0 * i, np.nan).astype("<f4").tobytes() for i, s in enumerate(lines))
    head = b"mrtrix track scalars\ndatatype: Float32LE\ncount: 12\nfile: . 96\nEND\n"
    open(f"{out}/be32.tsf", "wb").write(head.ljust(96, b"\n") + tsf + np.float32(np.inf).tobytes())
    open(f"{out}/be32.txt", "w").write("# weights\n" + " ".join(f"{0.5 * i:g}" for i in range(len(lines))) + "\n")


def trk_header(affine, order, dims, sizes):
    return {"voxel_to_rasmm": affine, "voxel_order": order, "dimensions": dims, "voxel_sizes": sizes}


def make_trk(out):
    lines = bundle(3)
    affine = np.array([[-2, 0.1, 0, 80], [0.1, 1.9, 0.3, -100], [0, -0.3, 3, -50], [0, 0, 0, 1]], np.float32)
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(0))
    tractogram = Tractogram(lines, affine_to_rasmm=np.eye(4), data_per_streamline={
        "weight": [[i * 0.25] for i in range(len(lines))], "colour": [[i, 2 * i, 3 * i] for i in range(len(lines))]},
        data_per_point={"fa": [np.linspace(0, 1, len(s))[:, None] for s in lines],
                        "dir": [np.gradient(s, axis=0) for s in lines]})
    header = trk_header(affine, b"LAS", [80, 100, 60], sizes)
    nibabel.streamlines.save(nibabel.streamlines.TrkFile(tractogram, header), f"{out}/values.trk")
    data = open(f"{out}/values.trk", "rb").read()
    with gzip.GzipFile(f"{out}/values.trk.gz", "wb", mtime=0) as f:
        f.write(data)
    plain = Tractogram(lines, affine_to_rasmm=np.eye(4))
    for order in ["RPI", "ALS", "SRA"]:  # stored otherwise than the matrix says
        header = trk_header(affine, order.encode(), [80, 100, 60], sizes)
        nibabel.streamlines.save(nibabel.streamlines.TrkFile(plain, header), f"{out}/order_{order}.trk")
    data = bytearray(open(f"{out}/order_RPI.trk", "rb").read())
    nomatrix = data.copy()
    nomatrix[440:504] = bytes(64)
    nomatrix[948:952] = bytes(4)
    open(f"{out}/no_matrix.trk", "wb").write(nomatrix)
    nocount = data.copy()
    nocount[988:992] = bytes(4)
    open(f"{out}/no_count.trk", "wb").write(nocount)
    version1 = data.copy()
    version1[992:996] = struct.pack("<i", 1)
    open(f"{out}/version_1.trk", "wb").write(version1)
    open(f"{out}/big_endian.trk", "wb").write(swapped_trk(open(f"{out}/values.trk", "rb").read()))


def swapped_trk(data):
    """The same file in big-endian order."""
    from nibabel.streamlines.trk import header_2_dtype
    header = np.frombuffer(data[:1000], header_2_dtype)
    body = np.frombuffer(data[1000:], "<u4").astype(">u4").tobytes()  # all numbers have four bytes
    return header.astype(header_2_dtype.newbyteorder(">")).tobytes() + body


def make_trx(out):
    lines = bundle(4)
    points = np.concatenate(lines)
    starts = np.append(0, np.cumsum([len(s) for s in lines]))
    header = {"DIMENSIONS": [91, 109, 91], "VOXEL_TO_RASMM": [[2, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]],
              "NB_VERTICES": len(points), "NB_STREAMLINES": len(lines)}
    index = np.arange(len(points))
    for name, packed, position, offset, whole in [("stored", zipfile.ZIP_STORED, "float32", "uint32", True),
                                                  ("deflated", zipfile.ZIP_DEFLATED, "float16", "uint64", False),
                                                  ("zip64", zipfile.ZIP_STORED, "float64", "uint64", True)]:
        members = {
            "header.json": json.dumps(header).encode(),
            f"positions.3.{position}": points.astype(position).tobytes(),
            f"offsets.{offset}": (starts if whole else starts[:-1]).astype(offset).tobytes(),
            "dpv/fa.float16": (index / len(points)).astype("float16").tobytes(),
            "dpv/color.3.uint8": np.stack([index % 256, index % 7, index % 11], 1).astype("uint8").tobytes(),
            "dps/weight.float64": np.linspace(-1, 1, len(lines)).tobytes(),
            "dps/cluster.int16": (np.arange(len(lines)) - 5).astype("int16").tobytes(),
            "groups/left.uint32": np.arange(0, len(lines), 2).astype("uint32").tobytes(),
            "groups/last.uint32": np.array([len(lines) - 1], "uint32").tobytes(),
            "dpg/left/color.3.uint8": bytes([255, 128, 0]),
            "dpg/left/mean_fa.float32": np.float32(0.5).tobytes()}
        with zipfile.ZipFile(f"{out}/{name}.trx", "w", packed) as archive:
            for member, data in members.items():
                entry = zipfile.ZipInfo(member)
                entry.compress_type = packed
                with archive.open(entry, "w", force_zip64=name == "zip64") as f:
                    f.write(data)


def make_tt(out):
    lines = bundle(5)
    affine = np.array([[-2, 0, 0, 78], [0, -2, 0, 76], [0, 0, 2, -50], [0, 0, 0, 1]], float)
    inverse = np.linalg.inv(affine)
    track = b""
    for line in lines:
        voxels = np.round(32 * (line @ inverse[:3, :3].T + inverse[:3, 3])).astype(int)
        steps = np.diff(voxels, axis=0)
        while np.abs(steps).max(initial=0) > 127:  # more points, as DSI Studio makes them
            fine = np.empty((2 * len(voxels) - 1, 3), int)
            fine[::2], fine[1::2] = voxels, (voxels[1:] + voxels[:-1]) // 2
            voxels, steps = fine, np.diff(fine, axis=0)
        track += struct.pack("<I3i", voxels.size, *voxels[0]) + steps.astype("int8").tobytes()
    content = io.BytesIO()
    scipy.io.savemat(content, {"dimension": np.array([[79, 95, 69]], "int32"), "voxel_size": np.full((1, 3), 2, "float32"),
                               "trans_to_mni": affine.astype("float32").reshape(1, 16), "report": "a test",
                               "cluster": np.arange(len(lines), dtype="uint16").reshape(1, -1),
                               "track": np.frombuffer(track, "uint8").reshape(-1, 1)}, format="4", oned_as="row")
    with gzip.GzipFile(f"{out}/dsi_studio.tt.gz", "wb", mtime=0) as f:
        f.write(content.getvalue())


def vtk_lines():
    lines = bundle(6, 8)
    data = vtk.vtkPolyData()
    points, cells = vtk.vtkPoints(), vtk.vtkCellArray()
    fa, tensor = vtk.vtkFloatArray(), vtk.vtkDoubleArray()
    fa.SetName("FA 1")  # a blank, which is written as %20
    tensor.SetName("tensor")
    tensor.SetNumberOfComponents(9)
    weight = vtk.vtkFloatArray()
    weight.SetName("weight")
    for i, line in enumerate(lines):
        cells.InsertNextCell(len(line))
        for point in line:
            n = points.InsertNextPoint([float(x) for x in point])
            cells.InsertCellPoint(n)
            fa.InsertNextValue(n / 100)
            tensor.InsertNextTuple([float(n + k) for k in range(9)])
        weight.InsertNextValue(i / 8)
    data.SetPoints(points)
    data.SetLines(cells)
    data.GetPointData().SetScalars(fa)
    data.GetPointData().SetTensors(tensor)
    data.GetCellData().SetScalars(weight)
    return data


def vtk_surface():
    source = vtk.vtkSphereSource()
    source.SetThetaResolution(9)
    source.SetPhiResolution(7)
    source.SetRadius(40)
    source.SetCenter(5, -10, 20)
    source.Update()
    data = source.GetOutput()
    n = data.GetNumberOfPoints()
    thickness = numpy_support.numpy_to_vtk(np.linspace(1, 4, n), deep=True)
    thickness.SetName("thickness")
    colour = numpy_support.numpy_to_vtk((np.arange(3 * n) % 251).astype("uint8").reshape(n, 3), deep=True)
    colour.SetName("rgb")
    label = numpy_support.numpy_to_vtk((np.arange(n) % 5).astype("int64"), deep=True)
    label.SetName("label")
    data.GetPointData().SetScalars(thickness)
    data.GetPointData().AddArray(colour)
    data.GetPointData().AddArray(label)
    return data


def vtk_image():
    image = vtk.vtkImageData()
    image.SetExtent(2, 7, 0, 4, -1, 2)
    image.SetSpacing(1.5, 2, 2.5)
    image.SetOrigin(-10, 20, 30)
    values = numpy_support.numpy_to_vtk(np.arange(6 * 5 * 4, dtype="int16") - 7, deep=True)
    values.SetName("values")
    image.GetPointData().SetScalars(values)
    return image


def write_legacy(path, data, binary, version, title, writer=vtk.vtkPolyDataWriter):
    w = writer()
    w.SetFileName(path)
    w.SetInputData(data)
    w.SetFileVersion(version)
    w.SetHeader(title)
    w.SetFileTypeToBinary() if binary else w.SetFileTypeToASCII()
    assert w.Write() == 1


def write_xml(path, data, mode, compressor=None, wide=True, big=False, raw=False, writer=vtk.vtkXMLPolyDataWriter):
    w = writer()
    w.SetFileName(path)
    w.SetInputData(data)
    {"ascii": w.SetDataModeToAscii, "binary": w.SetDataModeToBinary, "appended": w.SetDataModeToAppended}[mode]()
    w.SetEncodeAppendedData(not raw)
    w.SetCompressor(compressor)
    w.SetHeaderTypeToUInt64() if wide else w.SetHeaderTypeToUInt32()
    w.SetByteOrderToBigEndian() if big else w.SetByteOrderToLittleEndian()
    w.SetBlockSize(1024)  # several blocks
    assert w.Write() == 1


def make_vtk(out):
    lines, surface, image = vtk_lines(), vtk_surface(), vtk_image()
    strips = vtk.vtkStripper()
    strips.SetInputData(surface)
    strips.Update()
    zlib = vtk.vtkZLibDataCompressor
    for version, label in [(42, "4"), (51, "5")]:
        for binary in (False, True):
            kind = f"{label}_{'binary' if binary else 'ascii'}"
            write_legacy(f"{out}/lines_{kind}.vtk", lines, binary, version, "vtk output")
            write_legacy(f"{out}/surface_{kind}.vtk", surface, binary, version, "3D Slicer output. SPACE=RAS")
        write_legacy(f"{out}/strips_{label}.vtk", strips.GetOutput(), True, version, "vtk output")
    write_legacy(f"{out}/lines_lps.vtk", lines, True, 51, "3D Slicer output. SPACE=LPS")
    write_legacy(f"{out}/surface_lps.vtk", surface, False, 42, "3D Slicer output. SPACE=LPS")
    write_legacy(f"{out}/image_ascii.vtk", image, False, 42, "an image", vtk.vtkStructuredPointsWriter)
    write_legacy(f"{out}/image_binary.vtk", image, True, 51, "an image", vtk.vtkStructuredPointsWriter)
    write_xml(f"{out}/surface_ascii.vtp", surface, "ascii")
    write_xml(f"{out}/surface_binary.vtp", surface, "binary", wide=False)
    write_xml(f"{out}/surface_binary_zlib.vtp", surface, "binary", zlib())
    write_xml(f"{out}/surface_appended_raw.vtp", surface, "appended", raw=True)
    write_xml(f"{out}/surface_appended_zlib.vtp", surface, "appended", zlib(), wide=False)
    write_xml(f"{out}/surface_big_endian.vtp", surface, "appended", zlib(), big=True, raw=True)
    write_xml(f"{out}/lines_binary_zlib.vtp", lines, "binary", zlib(), wide=False)
    write_xml(f"{out}/lines_ascii.vtp", lines, "ascii")
    write_xml(f"{out}/lines_lz4.vtp", lines, "binary", vtk.vtkLZ4DataCompressor())
    write_xml(f"{out}/image.vti", image, "appended", zlib(), raw=True, writer=vtk.vtkXMLImageDataWriter)
    space = vtk.vtkStringArray()
    space.SetName("SPACE")
    space.InsertNextValue("LPS")
    surface.GetFieldData().AddArray(space)
    write_xml(f"{out}/surface_lps.vtp", surface, "binary", zlib())
    append = vtk.vtkAppendFilter()
    append.AddInputData(lines)
    append.Update()
    write_xml(f"{out}/lines.vtu", append.GetOutput(), "binary", zlib(), writer=vtk.vtkXMLUnstructuredGridWriter)
    write_legacy(f"{out}/lines_grid.vtk", append.GetOutput(), True, 42, "a grid", vtk.vtkUnstructuredGridWriter)


def make(shared, out):
    tracts, other = f"{out}/tracts", f"{out}/vtk"
    for folder in (tracts, other):
        os.makedirs(folder, exist_ok=True)
    for name in ["simple.tck", "simple.trk", "standard.tck", "standard.trk", "standard.LPS.trk"]:
        shutil.copy(f"{shared}/tracts/nibabel/{name}", tracts)
    for name in ["tract.SLF1_R.tck", "tract.IFOF_R.trk"]:
        shutil.copy(f"{shared}/tracts/{name}", tracts)
    shutil.copy(f"{shared}/tracts/tract.FAT_R.vtk", other)
    shutil.copy(f"{shared}/tracts/mni152.SLF1_R.tsf", f"{tracts}/tract.SLF1_R.tsf")
    for maker in (make_tck, make_trk, make_trx, make_tt):
        maker(tracts)
    make_vtk(other)


# --- answers


def wide_tck(path):
    """MRtrix writes each streamline as text: it alone reads Float64."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["tckconvert", "-quiet", path, f"{folder}/out-[].txt"], check=True)
        lines = [np.loadtxt(f).reshape(-1, 3) for f in sorted(glob.glob(f"{folder}/*.txt"))]
    version = subprocess.run(["tckconvert", "-version"], capture_output=True, text=True, check=True).stdout.split()
    return lines, "MRtrix3 " + version[2]


def of_nibabel(path, name, parts=()):
    if "64." in name:
        lines, tool = wide_tck(path)
        return reference.tracts(name, lines, tool)
    file = nibabel.streamlines.load(path)
    tractogram = file.tractogram
    per_point = [reference.data(key, values.get_data()) for key, values in tractogram.data_per_point.items()]
    per_line = [reference.data(key, values) for key, values in tractogram.data_per_streamline.items()]
    for part in parts:
        stem = os.path.splitext(os.path.basename(part))[0]
        full = os.path.join(os.path.dirname(path), os.path.basename(part))
        if part.endswith(".txt"):
            per_line.append(reference.data(stem, np.loadtxt(full).ravel()))
        else:
            start = int(open(full, "rb").read().split(b"file: . ")[1].split()[0])
            values = np.frombuffer(open(full, "rb").read()[start:], "<f4")
            per_point.append(reference.data(stem, values[np.isfinite(values)]))
    return reference.tracts(name, list(file.streamlines), NIBABEL, per_point, per_line, parts=parts)


def of_trx(path, name):
    with zipfile.ZipFile(path) as archive:
        members = {n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    header = json.loads(members["header.json"])

    def array(key):
        base, dtype = key.rsplit(".", 1)
        stem, _, width = base.rpartition(".")
        width = int(width) if stem and width.isdigit() else 1
        return np.frombuffer(members[key], dtype).reshape(-1, width), os.path.basename(stem if width > 1 else base)

    points = array(next(k for k in members if k.startswith("positions")))[0].astype(float)
    starts = array(next(k for k in members if k.startswith("offsets")))[0].ravel().astype(int)
    starts = np.append(starts[:header["NB_STREAMLINES"]], len(points))

    def attached(folder):
        out = []
        for key in members:
            if key.startswith(folder + "/"):
                values, stem = array(key)
                out.append(reference.data(stem, values, "colour" if stem == "color" else "scalar"))
        return out

    groups = [(array(k)[1], len(array(k)[0])) for k in members if k.startswith("groups/")]
    lines = [points[a:b] for a, b in zip(starts[:-1], starts[1:])]
    return reference.tracts(name, lines, NUMPY, attached("dpv"), attached("dps"), groups)


def of_tt(path, name):
    content = scipy.io.loadmat(io.BytesIO(gzip.open(path).read()))
    track = content["track"].ravel()
    affine = content["trans_to_mni"].reshape(4, 4).astype(float)
    lines, at = [], 0
    while at < len(track):
        size = int(track[at:at + 4].view("uint32")[0])
        first = track[at + 4:at + 16].view("int32")[None]
        steps = track[at + 16:at + 13 + size].view("int8").reshape(-1, 3).astype(int)
        voxels = np.cumsum(np.concatenate([first, steps]), axis=0) / 32
        lines.append(voxels @ affine[:3, :3].T + affine[:3, 3])
        at += size + 13
    return reference.tracts(name, lines, SCIPY, (), [reference.data("cluster", content["cluster"].ravel())])


def vtk_reader(path):
    if path.endswith(".vtp"):
        return vtk.vtkXMLPolyDataReader()
    if path.endswith(".vtu"):
        return vtk.vtkXMLUnstructuredGridReader()
    if path.endswith(".vti"):
        return vtk.vtkXMLImageDataReader()
    return vtk.vtkGenericDataObjectReader()


def attached_of(attributes, chosen=None):
    out = []
    for i in range(attributes.GetNumberOfArrays()):
        array = attributes.GetArray(i)
        values = numpy_support.vtk_to_numpy(array)
        role = "scalar"
        if chosen is None and array is attributes.GetNormals():
            role = "normal"
        if values.dtype == np.uint8 and values.ndim == 2 and values.shape[1] in (3, 4):
            role = "colour"
        out.append(reference.data(array.GetName(), values if chosen is None else values[chosen], role))
    return out


def cells_of(data):
    """(kind, ids) of all cells, in the order of their numbers."""
    for i in range(data.GetNumberOfCells()):
        cell = data.GetCell(i)
        yield i, cell.GetCellType(), [cell.GetPointId(k) for k in range(cell.GetNumberOfPoints())]


def of_vtk(path, name):
    reader = vtk_reader(path)
    reader.SetFileName(path)
    reader.Update()
    data = reader.GetOutput()
    if data.IsA("vtkImageData"):
        return of_vtk_image(data, name)
    points = numpy_support.vtk_to_numpy(data.GetPoints().GetData()).astype(float)
    turn = np.array([-1, -1, 1]) if "lps" in name else np.ones(3)
    cells = list(cells_of(data))
    triangles = []
    for _, kind, ids in cells:
        if kind == vtk.VTK_TRIANGLE:
            triangles.append(ids)
        if kind == vtk.VTK_TRIANGLE_STRIP:
            triangles += [[ids[k + k % 2], ids[k + 1 - k % 2], ids[k + 2]] for k in range(len(ids) - 2)]
    if triangles:
        attached = attached_of(data.GetPointData())
        if "lps" in name:  # normals turn with the points; their samples are left to the files that are not turned
            attached = [a for a in attached if a["role"] != "normal"]
        return reference.surface(name, points * turn, triangles, VTK, attached)
    lines = [(i, ids) for i, kind, ids in cells if kind in (vtk.VTK_LINE, vtk.VTK_POLY_LINE)]
    chosen = np.concatenate([ids for _, ids in lines])
    per_point = attached_of(data.GetPointData(), chosen)
    per_line = attached_of(data.GetCellData(), np.array([i for i, _ in lines]))
    return reference.tracts(name, [points[ids] * turn for _, ids in lines], VTK, per_point, per_line)


def of_vtk_image(data, name):
    array = data.GetPointData().GetScalars()
    values = numpy_support.vtk_to_numpy(array)
    affine = np.eye(4)
    affine[:3, :3] = np.diag(data.GetSpacing())
    affine[:3, 3] = data.GetPoint(0)
    dims = data.GetDimensions()
    return reference.image(name, values.reshape(dims, order="F"), affine, str(values.dtype), VTK)


def answer_one(root, name, parts=()):
    path = os.path.join(root, name)
    if name.endswith(".trx"):
        return of_trx(path, name)
    if name.endswith(".tt.gz"):
        return of_tt(path, name)
    if name.endswith((".vtk", ".vtp", ".vtu", ".vti")):
        return of_vtk(path, name)
    return of_nibabel(path, name, parts)


def answers(root, folders):
    out = []
    for folder in folders:
        for path in sorted(glob.glob(f"{root}/{folder}/**/*", recursive=True)):
            name = os.path.relpath(path, root)
            if not name.endswith((".tck", ".trk", ".trk.gz", ".trx", ".tt.gz", ".vtk", ".vtp", ".vtu", ".vti")):
                continue
            parts = [p for p in (name[:-4] + ".tsf", name[:-4] + ".txt") if os.path.exists(os.path.join(root, p))]
            out.append(answer_one(root, name, parts))
    return out


if __name__ == "__main__":
    action, first, second = sys.argv[1:]
    if action == "make":
        make(first, second)
    elif action == "answer":
        reference.write(second, answers(first, ["formats/tracts", "formats/vtk"]))
    else:
        reference.write(second, answers(first, ["tracts"]))
