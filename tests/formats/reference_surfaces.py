"""Answers of nibabel, VTK and, where neither can read a format, numpy by the format's description, for surfaces.

    reference_surfaces.py tests/data ../shared/data
"""
import gzip
import os
import struct
import sys

import nibabel as nib
import numpy as np
import vtk
from nibabel import cifti2
from vtk.util import numpy_support

from reference import data, image, refused, surface, write

HERE, SHARED = sys.argv[1], sys.argv[2]
NIBABEL = f"nibabel {nib.__version__}"
VTK = f"VTK {vtk.vtkVersion().GetVTKVersion()}"
NUMPY = f"numpy {np.__version__} by the format's description"


def byte_colours(rgba):
    return [int(np.floor(float(v) * 255 + 0.5)) for v in rgba]


def moved(points, matrix):
    return np.asarray(points, float) @ matrix[:3, :3].T + matrix[:3, 3]


def scanner_of(dims, sizes, cosines, cras):
    """nibabel's own affines of a volume: scanner from tkRAS. cosines: xras, yras, zras as rows."""
    header = nib.freesurfer.MGHImage(np.zeros(dims, np.uint8), None).header
    header["delta"] = sizes
    header["Mdc"] = cosines
    header["Pxyz_c"] = cras
    header["goodRASFlag"] = 1
    return header.get_affine() @ np.linalg.inv(header.get_vox2ras_tkr())


def base(name):
    name = os.path.basename(name)
    return name[:-3] if name.endswith(".gz") else name


def gifti_points(points):
    """As the reader's rules say; the matrices by nibabel."""
    space, meta = points.coordsys, points.meta
    names = nib.nifti1.xform_codes.label
    source = names[space.dataspace] if space is not None else "unknown"
    target = names[space.xformspace] if space is not None else "unknown"
    if source != "unknown":
        return points.data
    if target == "scanner":
        return moved(points.data, space.xform)
    if "VolGeomC_R" not in meta:
        return points.data
    dims = [int(meta[f"VolGeom{k}"]) for k in ("Width", "Height", "Depth")]
    sizes = [float(meta[f"VolGeom{k}size"]) for k in "XYZ"]
    cosines = [[float(meta[f"VolGeom{i}_{j}"]) for j in "RAS"] for i in "XYZ"]
    return moved(points.data, scanner_of(dims, sizes, cosines, [float(meta[f"VolGeomC_{j}"]) for j in "RAS"]))


def gifti_answer(root, name, parts=(), as_is=False, names=None, whole=None):
    """names: of the data, where the file has none. whole: arrays that become one."""
    gii = nib.load(os.path.join(root, name))
    points = triangles = nodes = None
    attached = []
    table = {label.key: (label.label or "", byte_colours(label.rgba)) for label in gii.labeltable.labels}
    rest = []
    for array in gii.darrays:
        intent = nib.nifti1.intent_codes.niistring[array.intent]
        if intent == "NIFTI_INTENT_POINTSET":
            points = array.data if as_is else gifti_points(array)
        elif intent == "NIFTI_INTENT_TRIANGLE":
            triangles = array.data.reshape(array.dims)  # nibabel drops the axis of a single one
        elif intent == "NIFTI_INTENT_NODE_INDEX":
            nodes = array.data
        else:
            rest.append((intent, array))
    if whole:
        rest = [(rest[0][0], rest[0][1], np.stack([a.data for _, a in rest], axis=1))]
    for i, (intent, array, *values) in enumerate(rest):
        values = values[0] if values else array.data
        if nodes is not None:
            spread = np.full(len(points), np.nan)
            spread[nodes] = values
            values = spread
        label = intent == "NIFTI_INTENT_LABEL"
        colour = intent == "NIFTI_INTENT_RGB_VECTOR"
        if colour and values.dtype.kind == "f":
            values = np.floor(values.astype(float) * 255 + 0.5)
        attached.append(data(names[i] if names else os.path.basename(array.meta["Name"]), values,
                             "label" if label else "colour" if colour else
                             "vector" if intent == "NIFTI_INTENT_VECTOR" else "scalar", table if label else None))
    return surface(name, points, triangles, NIBABEL, attached, parts)


def gifti_answers():
    folder = "formats/gifti/"
    here = lambda name, **more: gifti_answer(HERE, folder + name, **more)
    answers = [here("ascii.gii"), refused(folder + "base64bin.gii", "names vertex", NIBABEL), here("external.gii", parts=[folder + "external.dat"]),
               here("task.func.gii", names=["task"], whole=True), here("rh.aparc.annot.gii")]
    answers += [here(f"blob_{n}.surf.gii") for n in ("ascii", "base64", "gzip", "big_endian", "column_major", "float64",
                                                     "uint8_index", "matrix", "scanner", "tkras")]
    answers += [here("blob_moved_by_workbench.surf.gii", as_is=True), here("blob_whole_gz.surf.gii.gz"),
                here("blob_values.func.gii"), here("blob_labels.label.gii"), here("blob_sparse.func.gii"),
                here("blob_colours.gii")]
    shared = lambda name, **more: gifti_answer(SHARED, "surfaces/" + name, **more)
    more = [shared("conte69/Conte69.L.inflated.32k_fs_LR.surf.gii"), shared("conte69/fs_LR.32k.L.inflated.surf.gii"),
            refused("surfaces/gifti_encodings/base64bin.gii", "names vertex", NIBABEL), shared("gifti_encodings/rh.shape.curv.gii"),
            shared("yeo/lh.Yeo2011.gii")]
    more += [shared(f"fsaverage5_gii/{n}_left.gii.gz") for n in ("area", "curv", "flat", "infl", "pial", "sphere",
                                                                 "sulc", "thick", "white")]
    return answers, more


def freesurfer_mesh(root, name, tool=NIBABEL):
    full = os.path.join(root, name)
    if name.endswith(".asc"):
        lines = open(full).read().split("\n")[1:]
        count, faces = (int(v) for v in lines[0].split())
        table = np.array([[float(v) for v in line.split()] for line in lines[1:1 + count + faces]])
        return surface(name, table[:count, :3], table[count:, :3].astype(int), NUMPY)
    if name.endswith(".gz"):
        plain = "/tmp/reference_surface"
        with open(plain, "wb") as out:
            out.write(gzip.open(full).read())
        full = plain
    points, triangles, info = nib.freesurfer.read_geometry(full, read_metadata=True)
    if info.get("valid", "0").startswith("1"):
        points = moved(points, scanner_of(info["volume"], info["voxelsize"],
                                          [info["xras"], info["yras"], info["zras"]], info["cras"]))
    return surface(name, points, triangles, tool)


def morph(root, name, called):
    full = os.path.join(root, name)
    if name.endswith(".gz"):
        plain = "/tmp/reference_morph"
        with open(plain, "wb") as out:
            out.write(gzip.open(full).read())
        full = plain
    return surface(name, None, None, NIBABEL, [data(called, nib.freesurfer.read_morph_data(full))])


def annotation(root, name, called):
    full = os.path.join(root, name)
    if name.endswith(".gz"):
        plain = "/tmp/reference.annot"
        with open(plain, "wb") as out:
            out.write(gzip.open(full).read())
        full = plain
    labels, table, names = nib.freesurfer.read_annot(full)
    rgba = {i: (names[i].decode(), [int(r), int(g), int(b), 255 - int(t)]) for i, (r, g, b, t, _) in enumerate(table)}
    return surface(name, None, None, NIBABEL, [data(called, labels, "label", rgba)])


def spread(name, called, nodes, values, tool):
    out = np.full(int(max(nodes)) + 1, np.nan)
    out[nodes] = values
    return surface(name, None, None, tool, [data(called, out)])


def label_file(root, name, called):
    nodes, values = nib.freesurfer.read_label(os.path.join(root, name), read_scalars=True)
    return spread(name, called, nodes, values, NIBABEL)


def paint_file(root, name, called):
    raw = open(os.path.join(root, name), "rb").read()
    count = int.from_bytes(raw[2:5], "big")
    rows = [raw[5 + 7 * i:12 + 7 * i] for i in range(count)]
    return spread(name, called, [int.from_bytes(r[:3], "big") for r in rows],
                  [struct.unpack(">f", r[3:])[0] for r in rows], NUMPY)


def freesurfer_answers():
    f = "formats/freesurfer/"
    answers = [freesurfer_mesh(HERE, f + n) for n in ("lh.blob", "lh.blob_gz.gz", "rh.blob_no_volume", "lh.blob.asc",
                                                      "lh.sheet_quads", "lh.sheet_new_quads", "lh.tinysurface",
                                                      "lh.tinysurface.asc")]
    values = np.loadtxt(os.path.join(HERE, f + "lh.blob.curv.asc"))[:, 4]
    answers += [morph(HERE, f + "lh.blob.thickness", "blob.thickness"), morph(HERE, f + "lh.blob.old_curv", "blob.old_curv"),
                annotation(HERE, f + "lh.blob.annot", "blob"), annotation(HERE, f + "rh.blob.old.annot", "blob.old"),
                label_file(HERE, f + "rh.blob.label", "blob"), paint_file(HERE, f + "lh.blob.w", "blob.w"),
                surface(f + "lh.blob.curv.asc", None, None, NUMPY, [data("blob.curv", values)])]
    s = "surfaces/"
    more = [freesurfer_mesh(SHARED, s + n) for n in ("freesurferformats/lh.tinysurface",
                                                     "freesurferformats/lh.tinysurface.asc", "fsaverage5_fs/lh.inflated",
                                                     "fsaverage5_fs/lh.pial", "fsaverage5_fs/lh.sphere",
                                                     "fsaverage5_fs/lh.white")]
    more += [morph(SHARED, s + n, n.split("lh.")[-1].replace(".gz", ""))
             for n in ("freesurferformats/lh.area.gz", "freesurferformats/lh.thickness", "fsaverage5_fs/lh.curv",
                       "fsaverage5_fs/lh.sulc", "fsaverage5_fs/lh.thickness")]
    more += [morph(SHARED, s + "icbm152/BrainMesh_ICBM152.lh.curv", "BrainMesh_ICBM152.lh.curv"),
             annotation(SHARED, s + "freesurferformats/lh.aparc.annot.gz", "aparc"),
             annotation(SHARED, s + "fsaverage5_fs/aparc.annot", "aparc"),
             label_file(SHARED, s + "freesurferformats/lh.entorhinal_exvivo.label", "entorhinal_exvivo")]
    return answers, more


def vtk_mesh(root, name, reader, flip=False, attached=()):
    reader.SetFileName(os.path.join(root, name))
    reader.Update()
    triangulate = vtk.vtkTriangleFilter()
    triangulate.PassVertsOff()
    triangulate.PassLinesOff()
    triangulate.SetInputData(reader.GetOutput())
    triangulate.Update()
    poly = triangulate.GetOutput()
    points = numpy_support.vtk_to_numpy(poly.GetPoints().GetData()).astype(float)
    triangles = numpy_support.vtk_to_numpy(poly.GetPolys().GetData()).reshape(-1, 4)[:, 1:]
    if flip:
        points = points * [-1, -1, 1]
    colours = poly.GetPointData().GetArray("RGB")
    if colours is not None:
        attached = [data("colour", numpy_support.vtk_to_numpy(colours), "colour")]
    return surface(name, points, triangles, VTK, attached)


def off_mesh(root, name, colours=False):
    lines = [line.split("#")[0].split() for line in open(os.path.join(root, name))]
    lines = [line for line in lines if line and not line[0].endswith("OFF")]
    count, faces = int(lines[0][0]), int(lines[0][1])
    table = np.array([[float(v) for v in line] for line in lines[1:1 + count]])
    triangles = [[int(line[1]), int(line[k + 2]), int(line[k + 3])] for line in lines[1 + count:1 + count + faces]
                 for k in range(int(line[0]) - 2)]
    attached = [data("colour", table[:, 3:7], "colour")] if colours else []
    return surface(name, table[:, :3], np.array(triangles), NUMPY, attached)


def mz3_mesh(root, name, called):
    raw = open(os.path.join(root, name), "rb").read()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    _, attributes, faces, count, skip = struct.unpack("<HHIII", raw[:16])
    at = 16 + skip
    points = triangles = None
    attached = []
    if attributes & 1:
        triangles = np.frombuffer(raw, "<i4", 3 * faces, at).reshape(-1, 3)
        at += 12 * faces
    if attributes & 2:
        points = np.frombuffer(raw, "<f4", 3 * count, at).reshape(-1, 3)
        at += 12 * count
    if attributes & 4:
        attached.append(data("colour", np.frombuffer(raw, "u1", 4 * count, at).reshape(-1, 4), "colour"))
        at += 4 * count
    if attributes & 24:
        kind = "<f8" if attributes & 16 else "<f4"
        layers = np.frombuffer(raw, kind, -1, at).reshape(-1, count)
        attached += [data(called if len(layers) == 1 else f"{called} {i + 1}", layer) for i, layer in enumerate(layers)]
    return surface(name, points, triangles, NUMPY, attached)


def mesh_answers():
    f = "formats/mesh/"
    stl = [vtk_mesh(HERE, f + n, vtk.vtkSTLReader()) for n in ("cube.stl", "cube_bin.stl", "blob_binary.stl",
                                                               "blob_text.stl")]
    trap = vtk_mesh(HERE, f + "blob_binary.stl", vtk.vtkSTLReader())  # VTK takes the trap for text
    trap["file"] = f + "blob_solid_trap.stl"
    trap["note"] = "the same triangles as blob_binary.stl"
    answers = stl + [trap, vtk_mesh(HERE, f + "blob_lps.stl", vtk.vtkSTLReader(), flip=True)]
    answers += [vtk_mesh(HERE, f + n, vtk.vtkPLYReader()) for n in ("cube.ply", "blob_text.ply", "blob_little.ply",
                                                                    "blob_big.ply")]
    answers += [vtk_mesh(HERE, f + "blob.obj", vtk.vtkOBJReader()), off_mesh(HERE, f + "cube.off"),
                off_mesh(HERE, f + "colours.off", True), mz3_mesh(HERE, f + "blob_rgba.mz3", ""),
                mz3_mesh(HERE, f + "blob_layers.mz3", "blob_layers"), mz3_mesh(HERE, f + "blob_double.mz3", "blob_double")]
    s = "surfaces/"
    more = [vtk_mesh(SHARED, s + n, vtk.vtkSTLReader()) for n in ("freesurferformats/cube.stl",
                                                                  "freesurferformats/cube_bin.stl",
                                                                  "meshes/fsaverage5_lh_pial.stl")]
    more += [vtk_mesh(SHARED, s + n, vtk.vtkPLYReader()) for n in ("freesurferformats/cube.ply",
                                                                   "meshes/fsaverage5_lh_pial.ply")]
    more += [vtk_mesh(SHARED, s + n, vtk.vtkOBJReader()) for n in ("meshes/fsaverage5_lh_pial.obj",
                                                                   "meshes/simplify_brain.obj")]
    more += [off_mesh(SHARED, s + "freesurferformats/cube.off"), mz3_mesh(SHARED, s + "mz3/cortex_5124.mz3", ""),
             mz3_mesh(SHARED, s + "icbm152/BrainMesh_ICBM152.lh.mz3", ""),
             mz3_mesh(SHARED, s + "icbm152/BrainMesh_ICBM152.lh.motor.mz3", "BrainMesh_ICBM152.lh.motor")]
    return answers, more


def cifti_answer(root, name):
    cifti = nib.load(os.path.join(root, name))
    values = np.asarray(cifti.dataobj)
    columns, rows = (cifti.header.get_axis(i) for i in (0, 1))
    labels = isinstance(columns, cifti2.LabelAxis)
    series = isinstance(columns, cifti2.SeriesAxis)
    stem = base(name).rsplit(".", 2)[0]
    attached, places = [], []
    if isinstance(rows, cifti2.ParcelsAxis):
        for structure, count in rows.nvertices.items():
            spread = np.full((len(values), count), np.nan)
            for i, vertices in enumerate(rows.vertices):
                spread[:, vertices.get(structure, [])] = values[:, i:i + 1]
            places.append((structure, spread))
    else:
        for structure, where, model in rows.iter_structures():
            if model.volume_mask.all():
                continue
            spread = np.full((len(values), rows.nvertices[structure]), 0 if labels else np.nan)
            spread[:, model.vertex] = values[:, where]
            places.append((structure, spread))
    for _, spread in places:
        if series:
            attached.append(data(stem, spread.T))
            continue
        for i, values_of_map in enumerate(spread):
            table = {k: (n, byte_colours(rgba)) for k, (n, rgba) in columns.label[i].items()} if labels else None
            attached.append(data(columns.name[i], values_of_map, "label" if labels else "scalar", table))
    return surface(name, None, None, NIBABEL, attached)


def cifti_volume(root, name):
    cifti = nib.load(os.path.join(root, name))
    rows = cifti.header.get_axis(1)
    out = np.zeros(tuple(rows.volume_shape) + (cifti.shape[0],))
    out[tuple(rows.voxel.T)] = np.asarray(cifti.dataobj).T
    return image(name, out, rows.affine, "float32", NIBABEL)


def cifti_answers():
    f = "formats/cifti/"
    answers = [cifti_answer(HERE, f + f"blob.{kind}.nii") for kind in ("dscalar", "dtseries", "dlabel", "pscalar")]
    answers += [cifti_volume(HERE, f + "voxels.dtseries.nii"),
                refused(f + "blob.dconn.nii", "connectivity matrix", "CIFTI-2 specification")]
    return answers, [cifti_answer(SHARED, "surfaces/conte69/fs_LR.32k.LR.curvature.dscalar.nii")]


pairs = [gifti_answers(), freesurfer_answers(), mesh_answers(), cifti_answers()]
write(os.path.join(HERE, "formats/surfaces.json"), [a for here, _ in pairs for a in here])
write(os.path.join(HERE, "formats/surfaces_shared.json"), [a for _, more in pairs for a in more])
