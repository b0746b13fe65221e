"""Makes the small surface files of tests/data/formats/{gifti,freesurfer,mesh,cifti} with independent tools.

    make_surfaces.py tests/data/formats COLLECTION/surfaces

The second folder is the larger collection, from which a few real files are copied. Needs nibabel and VTK; what neither
can write (old FreeSurfer formats, MZ3, OFF) is written here by the formats' descriptions.
"""
import gzip
import os
import shutil
import struct
import sys

import nibabel as nib
import numpy as np
import vtk
from nibabel import cifti2, gifti
from vtk.util import numpy_support

OUT, SHARED = sys.argv[1], sys.argv[2]
NIBABEL = os.path.join(os.path.dirname(nib.__file__), "gifti", "tests", "data")


def path(name):
    return os.path.join(OUT, name)


def blob():
    """An asymmetric closed mesh: an ellipsoid with a bump towards the right, front and top. 162 vertices."""
    sphere = vtk.vtkSphereSource()
    sphere.SetThetaResolution(16)
    sphere.SetPhiResolution(12)
    sphere.SetRadius(1)
    sphere.Update()
    mesh = sphere.GetOutput()
    points = numpy_support.vtk_to_numpy(mesh.GetPoints().GetData()).astype(np.float32)
    triangles = numpy_support.vtk_to_numpy(mesh.GetPolys().GetData()).reshape(-1, 4)[:, 1:].astype(np.int32)
    bump = np.exp(-((points - np.array([0.6, 0.5, 0.6])) ** 2).sum(axis=1) * 4)
    points = points * np.array([50, 70, 40]) * (1 + 0.4 * bump[:, None]) + np.array([12, -20, 8])
    return points.astype(np.float32), triangles


POINTS, TRIANGLES = blob()
N = len(POINTS)
VALUES = (POINTS[:, 0] / 10).astype(np.float32)
KEYS = (np.arange(N) % 4).astype(np.int32)
ASCII, B64, GZ = "GIFTI_ENCODING_ASCII", "GIFTI_ENCODING_B64BIN", "GIFTI_ENCODING_B64GZ"


def array(data, intent, datatype, encoding=GZ, endian="little", order="RowMajorOrder", meta=None, coordsys=None):
    return gifti.GiftiDataArray(data, intent=f"NIFTI_INTENT_{intent}", datatype=f"NIFTI_TYPE_{datatype}",
                                encoding=encoding, endian=endian, ordering=order, coordsys=coordsys,
                                meta=gifti.GiftiMetaData(meta or {}))


def save_gifti(name, arrays, labels=None, meta=None):
    image = gifti.GiftiImage(darrays=arrays, labeltable=labels, meta=gifti.GiftiMetaData(meta or {}))
    text = image.to_xml()
    opener = gzip.GzipFile if name.endswith(".gz") else open
    with opener(path("gifti/" + name), "wb") as out:
        out.write(text)


def mesh(points=POINTS, triangles=TRIANGLES, kind="FLOAT32", index="INT32", **more):
    meta = {"AnatomicalStructurePrimary": "CortexRight", "GeometricType": "Anatomical"} | more.pop("meta", {})
    coordsys = more.pop("coordsys", None)
    return [array(points, "POINTSET", kind, meta=meta, coordsys=coordsys, **more),
            array(triangles, "TRIANGLE", index, **more)]


GEOMETRY = {"VolGeomFname": "/x/orig.mgz", "VolGeomWidth": "64", "VolGeomHeight": "80", "VolGeomDepth": "72",
            "VolGeomXsize": "1.000000", "VolGeomYsize": "1.200000", "VolGeomZsize": "0.900000"}
COSINES = np.array([[-0.98, 0.1, 0.17], [0, 0, 0], [0, 0, 0]])
COSINES[0] /= np.linalg.norm(COSINES[0])
COSINES[1] = np.cross([0.1, 0.99, 0.05], COSINES[0])
COSINES[1] /= np.linalg.norm(COSINES[1])
COSINES[2] = np.cross(COSINES[0], COSINES[1])
CRAS = np.array([-5.5, 17.25, 30.125])


def gifti_files():
    for name in ("ascii.gii", "base64bin.gii", "external.gii", "external.dat", "task.func.gii", "rh.aparc.annot.gii"):
        shutil.copy(os.path.join(NIBABEL, name), path("gifti/" + name))
    for label, encoding in (("ascii", ASCII), ("base64", B64), ("gzip", GZ)):
        save_gifti(f"blob_{label}.surf.gii", mesh(encoding=encoding))
    save_gifti("blob_big_endian.surf.gii", mesh(encoding=B64, endian="big"))
    save_gifti("blob_whole_gz.surf.gii.gz", mesh(encoding=B64))
    save_gifti("blob_column_major.surf.gii", mesh(encoding=B64, order="ColumnMajorOrder"))
    save_gifti("blob_float64.surf.gii", mesh(POINTS.astype("f8"), TRIANGLES.astype("i8"), "FLOAT64", "INT64"))
    save_gifti("blob_uint8_index.surf.gii", mesh(index="UINT8", triangles=TRIANGLES.astype("u1")))
    scanner = gifti.GiftiCoordSystem("NIFTI_XFORM_UNKNOWN", "NIFTI_XFORM_SCANNER_ANAT",
                                     np.array([[0, -1, 0, 3], [1, 0, 0, -4], [0, 0, 1.1, 5], [0, 0, 0, 1.0]]))
    save_gifti("blob_matrix.surf.gii", mesh(coordsys=scanner))
    known = gifti.GiftiCoordSystem("NIFTI_XFORM_SCANNER_ANAT", "NIFTI_XFORM_TALAIRACH", np.diag([2, 2, 2, 1.0]))
    save_gifti("blob_scanner.surf.gii", mesh(coordsys=known))
    unknown = gifti.GiftiCoordSystem("NIFTI_XFORM_UNKNOWN", "NIFTI_XFORM_UNKNOWN", np.eye(4))
    geometry = GEOMETRY | {f"VolGeom{'XYZ'[i]}_{'RAS'[j]}": f"{COSINES[i, j]:.6f}" for i in range(3) for j in range(3)}
    geometry |= {f"VolGeomC_{'RAS'[j]}": f"{CRAS[j]:.6f}" for j in range(3)}
    save_gifti("blob_tkras.surf.gii", mesh(meta=geometry, coordsys=unknown))
    save_gifti("blob_moved_by_workbench.surf.gii", mesh(meta=geometry, coordsys=unknown),
               meta={"Provenance": "wb_command -surface-apply-affine a.surf.gii c_ras.mat b.surf.gii"})
    save_gifti("blob_values.func.gii",
               [array(VALUES, "ZSCORE", "FLOAT32", meta={"Name": "first"}),
                array((VALUES * 100).astype("i4"), "NONE", "INT32", encoding=ASCII, meta={"Name": "second"}),
                array(np.stack([VALUES, -VALUES, VALUES * 2], axis=1), "VECTOR", "FLOAT32", meta={"Name": "third"}),
                array((KEYS * 3).astype("u1"), "SHAPE", "UINT8", endian="big", meta={"Name": "fourth"})])
    table = gifti.GiftiLabelTable()
    for key, (name, rgba) in {0: ("???", (0, 0, 0, 0)), 1: ("rot & gelb", (1, 0.5, 0.1, 1)),
                              2: ("grün", (0, 1, 0, 0.5)), 3: ("blau", (0.2, 0.2, 1, 1))}.items():
        label = gifti.GiftiLabel(key, *rgba)
        label.label = name
        table.labels.append(label)
    save_gifti("blob_labels.label.gii", [array(KEYS, "LABEL", "INT32", meta={"Name": "areas"})], labels=table)
    nodes = np.arange(5, N, 7).astype("i4")
    save_gifti("blob_sparse.func.gii", mesh() + [array(nodes, "NODE_INDEX", "INT32"),
                                                 array(VALUES[nodes], "TTEST", "FLOAT32", meta={"Name": "sparse"})])
    rgba = np.clip(np.abs(POINTS) / 80, 0, 1).astype("f4")
    save_gifti("blob_colours.gii", mesh() + [array(rgba, "RGB_VECTOR", "FLOAT32", meta={"Name": "paint"})])


def freesurfer_files():
    fs = nib.freesurfer.io
    info = {"head": np.array([2, 0, 20]), "valid": "1  # volume info valid", "filename": "../mri/orig.mgz",
            "volume": np.array([64, 80, 72]), "voxelsize": np.array([1.0, 1.2, 0.9]), "xras": COSINES[0],
            "yras": COSINES[1], "zras": COSINES[2], "cras": CRAS}
    fs.write_geometry(path("freesurfer/lh.blob"), POINTS, TRIANGLES, volume_info=info)
    fs.write_geometry(path("freesurfer/rh.blob_no_volume"), POINTS, TRIANGLES)
    with open(path("freesurfer/lh.blob"), "rb") as plain, gzip.open(path("freesurfer/lh.blob_gz.gz"), "wb") as out:
        out.write(plain.read())
    fs.write_morph_data(path("freesurfer/lh.blob.thickness"), VALUES)
    table = np.array([[25, 5, 25, 0], [200, 30, 40, 0], [10, 220, 30, 100], [255, 255, 255, 0]])
    fs.write_annot(path("freesurfer/lh.blob.annot"), np.where(np.arange(N) % 9 == 0, -1, KEYS), table,
                   ["unknown", "erste", "zweite", "dritte"], fill_ctab=True)
    write_old_annot()
    write_quads()
    with open(path("freesurfer/lh.blob.old_curv"), "wb") as out:
        out.write(struct.pack(">I", N)[1:] + struct.pack(">I", len(TRIANGLES))[1:])
        out.write((VALUES * 100).round().astype(">i2").tobytes())
    with open(path("freesurfer/lh.blob.w"), "wb") as out:
        nodes = np.arange(3, N, 5)
        out.write(struct.pack(">h", 0) + struct.pack(">I", len(nodes))[1:])
        for node in nodes:
            out.write(struct.pack(">I", node)[1:] + struct.pack(">f", VALUES[node]))
    with open(path("freesurfer/rh.blob.label"), "w") as out:
        nodes = np.arange(2, N, 6)
        out.write(f"#!ascii label  , from subject blob vox2ras=TkReg\n{len(nodes)}\n")
        for node in nodes:
            x, y, z = POINTS[node]
            out.write(f"{node}  {x:.3f}  {y:.3f}  {z:.3f} {node / 100:.10f}\n")
    with open(path("freesurfer/lh.blob.asc"), "w") as out:
        out.write(f"#!ascii version of lh.blob\n{N} {len(TRIANGLES)}\n")
        out.writelines(f"{x:.6f}  {y:.6f}  {z:.6f}  0\n" for x, y, z in POINTS)
        out.writelines(f"{a} {b} {c} 0\n" for a, b, c in TRIANGLES)
    with open(path("freesurfer/lh.blob.curv.asc"), "w") as out:
        out.writelines(f"{i:03d} {x:.5f} {y:.5f} {z:.5f} {v:.5f}\n"
                       for i, ((x, y, z), v) in enumerate(zip(POINTS, VALUES)))
    for name in ("lh.tinysurface", "lh.tinysurface.asc"):
        shutil.copy(os.path.join(SHARED, "freesurferformats", name), path("freesurfer/" + name))


def write_old_annot():
    """The colour table of version 1: entries in order, no numbers."""
    names = ["unknown", "left, behind", "right"]
    colours = [(25, 5, 25, 0), (1, 2, 3, 0), (250, 200, 100, 0)]
    with open(path("freesurfer/rh.blob.old.annot"), "wb") as out:
        out.write(struct.pack(">i", N))
        for i in range(N):
            r, g, b, _ = colours[i % 3]
            out.write(struct.pack(">ii", i, r | g << 8 | b << 16))
        out.write(struct.pack(">ii", 1, len(names)))
        out.write(struct.pack(">i", 9) + b"old.ctab\0")
        for name, colour in zip(names, colours):
            raw = name.encode() + b"\0"
            out.write(struct.pack(">i", len(raw)) + raw + struct.pack(">4i", *colour))


def write_quads():
    """A folded sheet of quadrangles in both quad formats."""
    side = 6
    grid = np.array([[x * 10, y * 10, (x * y) % 7] for y in range(side) for x in range(side)], float)
    quads = [(y * side + x, y * side + x + 1, (y + 1) * side + x + 1, (y + 1) * side + x)
             for y in range(side - 1) for x in range(side - 1)]
    three = lambda value: struct.pack(">I", value)[1:]
    for name, magic, body in (("lh.sheet_quads", b"\xff\xff\xff", (grid * 100).astype(">i2").tobytes()),
                              ("lh.sheet_new_quads", b"\xff\xff\xfd", grid.astype(">f4").tobytes())):
        with open(path("freesurfer/" + name), "wb") as out:
            out.write(magic + three(len(grid)) + three(len(quads)) + body)
            for quad in quads:
                out.write(b"".join(three(v) for v in quad))


def poly_data(points=POINTS):
    points_vtk = vtk.vtkPoints()
    points_vtk.SetData(numpy_support.numpy_to_vtk(points.astype(np.float32), deep=True))
    cells = vtk.vtkCellArray()
    for triangle in TRIANGLES:
        cells.InsertNextCell(3, [int(i) for i in triangle])
    poly = vtk.vtkPolyData()
    poly.SetPoints(points_vtk)
    poly.SetPolys(cells)
    return poly


def vtk_write(writer, name, poly=None, **settings):
    for key, value in settings.items():
        getattr(writer, key)(*value) if isinstance(value, tuple) else getattr(writer, key)(value)
    writer.SetInputData(poly or poly_data())
    writer.SetFileName(path("mesh/" + name))
    writer.Write()


def mesh_files():
    for name in ("cube.off", "cube.ply", "cube.stl", "cube_bin.stl"):
        shutil.copy(os.path.join(SHARED, "freesurferformats", name), path("mesh/" + name))
    vtk_write(vtk.vtkSTLWriter(), "blob_binary.stl", SetFileTypeToBinary=())
    vtk_write(vtk.vtkSTLWriter(), "blob_text.stl", SetFileTypeToASCII=())
    vtk_write(vtk.vtkSTLWriter(), "blob_lps.stl", SetFileTypeToBinary=(),
              SetHeader="3D Slicer output. SPACE=LPS", poly=poly_data(POINTS * [-1, -1, 1]))
    with open(path("mesh/blob_binary.stl"), "rb") as plain:
        body = plain.read()[80:]
    with open(path("mesh/blob_solid_trap.stl"), "wb") as out:
        out.write(b"solid blob, in binary all the same".ljust(80) + body)
    coloured = poly_data()
    colours = numpy_support.numpy_to_vtk(np.clip(np.abs(POINTS) * 3, 0, 255).astype(np.uint8), deep=True)
    colours.SetName("RGB")
    coloured.GetPointData().SetScalars(colours)
    for name, settings in (("blob_text.ply", dict(SetFileTypeToASCII=())),
                           ("blob_little.ply", dict(SetFileTypeToBinary=(), SetDataByteOrderToLittleEndian=())),
                           ("blob_big.ply", dict(SetFileTypeToBinary=(), SetDataByteOrderToBigEndian=()))):
        vtk_write(vtk.vtkPLYWriter(), name, coloured, SetArrayName="RGB", **settings)
    vtk_write(vtk.vtkOBJWriter(), "blob.obj")
    with open(path("mesh/colours.off"), "w") as out:
        out.write("COFF # a comment\n# another\n4 2 0\n0 0 0 255 0 0 255\n10 0 0 0 255 0 128\n\n10 20 0 0 0 255 255\n"
                  "0 20 0 9 8 7 255\n3 0 1 2\n3 0 2 3 255 0 0\n")
    mz3 = lambda attributes, faces, vertices, skip=b"": struct.pack("<HHIII", 0x5A4D, attributes, faces, vertices,
                                                                   len(skip)) + skip
    rgba = np.concatenate([np.clip(np.abs(POINTS) * 3, 0, 255), np.full((N, 1), 255)], axis=1).astype("u1")
    with open(path("mesh/blob_rgba.mz3"), "wb") as out:
        out.write(mz3(7, len(TRIANGLES), N, b"a note") + TRIANGLES.astype("<i4").tobytes() +
                  POINTS.astype("<f4").tobytes() + rgba.tobytes())
    with gzip.open(path("mesh/blob_layers.mz3"), "wb") as out:
        out.write(mz3(8, 0, N) + np.stack([VALUES, VALUES * 2, -VALUES]).astype("<f4").tobytes())
    with open(path("mesh/blob_double.mz3"), "wb") as out:
        out.write(mz3(24, 0, N) + VALUES.astype("<f8").tobytes())


def cifti_files():
    mask_left, mask_right = np.arange(N) % 3 != 0, np.arange(N) % 5 != 0
    left = cifti2.BrainModelAxis.from_mask(mask_left, name="CortexLeft")
    right = cifti2.BrainModelAxis.from_mask(mask_right, name="CortexRight")
    affine = np.array([[-2, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1.0]])
    volume = np.zeros((6, 5, 4), bool)
    volume[1:4, 2, 1:3] = True
    voxels = cifti2.BrainModelAxis.from_mask(volume, name="ThalamusRight", affine=affine)
    surfaces, everything = left + right, left + right + voxels
    rng = np.random.default_rng(1)
    save = lambda data, axes, name: nib.save(cifti2.Cifti2Image(data, axes), path("cifti/" + name))
    save(rng.normal(size=(2, len(surfaces))).astype("f4"), (cifti2.ScalarAxis(["sulc", "curv"]), surfaces),
         "blob.dscalar.nii")
    save(rng.normal(size=(7, len(everything))).astype("f4"), (cifti2.SeriesAxis(0, 0.72, 7), everything),
         "blob.dtseries.nii")
    tables = [{0: ("???", (0, 0, 0, 0)), 1: ("vorn", (1, 0, 0, 1)), 5: ("hinten", (0, 0.5, 1, 1))},
              {0: ("???", (0, 0, 0, 0)), 2: ("zwei", (0.1, 0.2, 0.3, 1))}]
    labels = np.stack([rng.choice([0, 1, 5], len(surfaces)), rng.choice([0, 2], len(surfaces))]).astype("f4")
    save(labels, (cifti2.LabelAxis(["areas", "halves"], tables), surfaces), "blob.dlabel.nii")
    ragged = np.empty(2, object)  # NumPy makes no array of lists of different lengths
    ragged[:] = [np.zeros((0, 3), int), np.array([[1, 2, 1]])]
    parcels = cifti2.ParcelsAxis(["a", "b"], ragged,
                                 [{"CIFTI_STRUCTURE_CORTEX_LEFT": np.array([1, 4, 7])},
                                  {"CIFTI_STRUCTURE_CORTEX_LEFT": np.array([2, 5]),
                                   "CIFTI_STRUCTURE_CORTEX_RIGHT": np.array([0, 9])}],
                                 affine, (6, 5, 4), {"CIFTI_STRUCTURE_CORTEX_LEFT": N,
                                                     "CIFTI_STRUCTURE_CORTEX_RIGHT": N})
    save(np.array([[1.5, -2.5]], "f4"), (cifti2.ScalarAxis(["mean"]), parcels), "blob.pscalar.nii")
    save(rng.normal(size=(3, len(voxels))).astype("f4"), (cifti2.SeriesAxis(0, 2, 3), voxels), "voxels.dtseries.nii")
    save(rng.normal(size=(len(left), len(left))).astype("f4")[:20, :20], (left[:20], left[:20]), "blob.dconn.nii")


gifti_files()
freesurfer_files()
mesh_files()
cifti_files()
