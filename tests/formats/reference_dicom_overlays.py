#!/usr/bin/python3
"""DICOM segmentations, structure sets and doses, read by pydicom and drawn by numpy.

    reference_dicom_overlays.py           writes tests/data/formats/dicom_overlays.json
    reference_dicom_overlays.py FOLDER    writes tests/data/formats/dicom_overlays_shared.json for the larger collection

Rules that both sides follow: slices ascend along the normal; LPS to RAS negates x and y; segments take the first
component where they overlap nothing; a contour's inside is decided for the centre of each voxel by counting the edges to
its left (an edge counts from its upper end, included, to its lower end), in coordinates rounded to 2^-20 of a voxel.
"""
import os
import sys
import zlib

import numpy as np
import pydicom
from pydicom.encaps import generate_pixel_data_frame

import reference

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.normpath(os.path.join(HERE, "..", "data"))
TOOL = f"pydicom {pydicom.__version__}, numpy {np.__version__}"


def ras(row, column, step, origin):
    affine = np.eye(4)
    affine[:3, :4] = np.stack([row, column, step, origin], 1)
    affine[:2] *= -1
    return affine


# ---- segmentations

def group(data, frame, sequence):
    own = data.PerFrameFunctionalGroupsSequence[frame]
    return (own if sequence in own else data.SharedFunctionalGroupsSequence[0])[sequence][0]


def stored_frames(data):
    """By pydicom; bits by numpy.unpackbits."""
    count = int(data.NumberOfFrames)
    if data.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.8.1":  # each frame deflated
        frames = [zlib.decompress(f, -15) for f in generate_pixel_data_frame(data.PixelData, count)]
        bits = [np.unpackbits(np.frombuffer(f, np.uint8), bitorder="little") for f in frames]
        return np.stack([b[:data.Rows * data.Columns].reshape(data.Rows, data.Columns) for b in bits])
    if data.BitsAllocated == 1:
        bits = np.unpackbits(np.frombuffer(data.PixelData, np.uint8), bitorder="little")
        return bits[:count * data.Rows * data.Columns].reshape(count, data.Rows, data.Columns)
    return data.pixel_array.reshape(count, data.Rows, data.Columns)


def planes_of(data):
    """z of each frame, number of planes, affine."""
    count = int(data.NumberOfFrames)
    positions = np.array([[float(v) for v in group(data, f, "PlanePositionSequence").ImagePositionPatient]
                          for f in range(count)])
    orientation = np.array([float(v) for v in group(data, 0, "PlaneOrientationSequence").ImageOrientationPatient])
    measures = group(data, 0, "PixelMeasuresSequence")
    row, column = orientation[:3], orientation[3:]
    normal = np.cross(row, column)
    along = positions @ normal
    places = np.unique(np.round(along, 3))
    step = float(measures.get("SpacingBetweenSlices", 0) or 0)
    if not step:
        step = np.diff(places).min() if len(places) > 1 else float(measures.SliceThickness)
    z = np.round((along - along.min()) / step).astype(int)
    low, high = positions[along.argmin()], positions[along.argmax()]
    shift = (high - low) / z.max() if z.max() else normal * step
    spacing = [float(v) for v in measures.PixelSpacing]
    return z, z.max() + 1, ras(row * spacing[1], column * spacing[0], shift, low)


def pack(masks):
    """masks: list of (value, array of bool) -> array (x, y, z, 1, components)."""
    components = []
    for value, mask in masks:
        for volume in components:
            if not (volume[mask] != 0).any():
                break
        else:
            volume = np.zeros(mask.shape, np.int64)
            components.append(volume)
        volume[mask] = value
    return np.stack(components, -1)[:, :, :, None, :]


def segmentation(folder, name):
    data = pydicom.dcmread(os.path.join(folder, name))
    frames = stored_frames(data)
    z, depth, affine = planes_of(data)
    kind = data.SegmentationType
    shape = (data.Columns, data.Rows, depth)
    if kind == "LABELMAP":
        values = np.zeros(shape, frames.dtype)
        for f, frame in enumerate(frames):
            values[:, :, z[f]] = frame.T
        return reference.image(name, values, affine, str(frames.dtype), TOOL)
    numbers = [int(s.SegmentNumber) for s in data.SegmentSequence]
    volumes = {n: np.zeros(shape, np.int64) for n in numbers}
    for f, frame in enumerate(frames):
        n = int(group(data, f, "SegmentIdentificationSequence").ReferencedSegmentNumber)
        volumes[n][:, :, z[f]] |= frame.T
    if kind == "FRACTIONAL":
        values = np.stack([volumes[n] for n in numbers], -1)[:, :, :, None, :] / data.MaximumFractionalValue
        return reference.image(name, values, affine, "uint8", TOOL)
    values = pack([(n, volumes[n] != 0) for n in numbers])
    return reference.image(name, values, affine, "uint16" if max(numbers) > 255 else "uint8", TOOL)


# ---- structure sets

def crossings(polygon, columns, rows):
    """Number of edges to the left of each centre, for all rows and columns."""
    counts = np.zeros((rows, columns), int)
    x, y = np.arange(columns), np.arange(rows)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0)):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        hit = (y >= y0) & (y < y1)
        if not hit.any():
            continue
        at = x0 + (y[hit] - y0) * (x1 - x0) / (y1 - y0)
        counts[hit] += at[:, None] <= x[None, :]
    return counts


def draw(contours, affine_lps, dims):
    """Even-odd within one plane of contours, union of the planes that share a slice."""
    to_voxel = np.linalg.inv(affine_lps)
    mask = np.zeros(dims, bool)
    planes = {}
    for points in contours:
        voxel = points @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        if np.ptp(voxel[:, 2]) <= 0.5:
            planes.setdefault(round(voxel[:, 2].mean(), 2), []).append(np.round(voxel[:, :2] * 2**20) / 2**20)
    for z, polygons in planes.items():
        k = int(np.floor(z + 0.5))
        if not 0 <= k < dims[2]:
            continue
        unique = {p.tobytes(): p for p in polygons}.values()
        counts = sum(crossings(p, dims[0], dims[1]) for p in unique)
        mask[:, :, k] |= (counts % 2 == 1).T
    return mask


def contours_of(data):
    """[(number, [points])], in the order of the ROIs."""
    drawn = {int(r.ReferencedROINumber): r for r in data.ROIContourSequence}
    found = []
    for roi in data.StructureSetROISequence:
        contours = []
        for c in drawn[int(roi.ROINumber)].get("ContourSequence", []):
            points = np.array([float(v) for v in c.ContourData]).reshape(-1, 3)
            if c.ContourGeometricType == "CLOSED_PLANAR" and len(points) > 2:
                contours.append(points)
        found.append((int(roi.ROINumber), contours))
    return found


def source_grid(folder, images, contours, own_planes):
    """The grid of the images; or their pixels on the planes of the contours."""
    headers = sorted((pydicom.dcmread(os.path.join(folder, i)) for i in images),
                     key=lambda h: float(h.ImagePositionPatient[2]))
    first = headers[0]
    row, column = np.reshape([float(v) for v in first.ImageOrientationPatient], (2, 3))
    normal = np.cross(row, column)
    origin = np.array([float(v) for v in first.ImagePositionPatient])
    spacing = [float(v) for v in first.PixelSpacing]
    depth = len(headers)
    step = float(headers[1].ImagePositionPatient[2]) - origin[2] if depth > 1 else 0
    if own_planes:
        step, low, depth = planes_of_contours(contours, normal)
        origin = origin + normal * (low - origin @ normal)
    affine = np.eye(4)
    affine[:3, :4] = np.stack([row * spacing[1], column * spacing[0], normal * step, origin], 1)
    return affine, (first.Columns, first.Rows, depth)


def planes_of_contours(contours, normal):
    steps, places = [], []
    for _, drawn in contours:
        own = np.unique(np.round([p.mean(axis=0) @ normal for p in drawn], 2))
        steps += list(np.diff(own))
        places += list(own)
    step = sorted(steps)[(len(steps) - 1) // 2]
    return step, min(places), int(round((max(places) - min(places)) / step)) + 1


def own_grid(contours, row, column):
    """Pixels of 0.5 to 1 mm, a multiple of 0.05 mm; two pixels around."""
    normal = np.cross(row, column)
    step, low, depth = planes_of_contours(contours, normal)
    points = np.concatenate([p for _, drawn in contours for p in drawn])
    u, v = points @ row, points @ column
    pixel = np.clip(np.ceil(max(np.ptp(u), np.ptp(v)) / 512 / 0.05) * 0.05, 0.5, 1.0)
    first = [(np.floor(a.min() / pixel) - 2) * pixel for a in (u, v)]
    dims = [int(np.ceil((a.max() - f) / pixel)) + 3 for a, f in zip((u, v), first)]
    affine = np.eye(4)
    affine[:3, :4] = np.stack([row * pixel, column * pixel, normal * step,
                               row * first[0] + column * first[1] + normal * low], 1)
    return affine, (*dims, depth)


def structures(folder, name, images=(), own_planes=False, axes=None):
    data = pydicom.dcmread(os.path.join(folder, name))
    contours = contours_of(data)
    lps, dims = (source_grid(folder, images, contours, own_planes) if images else own_grid(contours, *axes))
    numbers = [n for n, _ in contours]
    values = numbers if min(numbers) >= 1 and max(numbers) <= 65535 else range(1, len(numbers) + 1)
    label_map = pack([(v, draw(drawn, lps, dims)) for v, (_, drawn) in zip(values, contours)])
    affine = lps.copy()
    affine[:2] *= -1
    return reference.image(name, label_map, affine, "uint8", TOOL, parts=images)


# ---- doses

def dose(folder, name):
    data = pydicom.dcmread(os.path.join(folder, name))
    offsets = np.array([float(v) for v in data.GridFrameOffsetVector])
    order = np.argsort(offsets)
    row, column = np.reshape([float(v) for v in data.ImageOrientationPatient], (2, 3))
    normal = np.cross(row, column)
    spacing = [float(v) for v in data.PixelSpacing]
    origin = np.array([float(v) for v in data.ImagePositionPatient]) + normal * offsets.min()
    values = data.pixel_array[order].transpose(2, 1, 0) * float(data.DoseGridScaling)
    step = (offsets.max() - offsets.min()) / (len(offsets) - 1)
    affine = ras(row * spacing[1], column * spacing[0], normal * step, origin)
    return reference.image(name, values, affine, f"uint{data.BitsAllocated}", TOOL)


AXIAL = (np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))


def sagittal_turned(degrees):
    turn = np.deg2rad(degrees)
    return np.array([-np.sin(turn), np.cos(turn), 0]), np.array([0, 0, -1.0])


def own():
    answers = [segmentation(DATA, f"formats/dicom_seg/{n}.dcm")
               for n in ("binary_sparse", "binary_deflated", "binary_deflated_frames", "binary_implicit", "binary_oblique", "fractional",
                         "fractional_rle", "labelmap_palette", "labelmap_16", "labelmap_16_rle")]
    images = [f"formats/dicom_rtstruct/image_{i}.dcm" for i in range(4)]
    answers += [structures(DATA, "formats/dicom_rtstruct/phantom.dcm", images),
                structures(DATA, "formats/dicom_rtstruct/oblique.dcm", axes=sagittal_turned(10)),
                structures(DATA, "formats/dicom_rtstruct/breast_cut.dcm", axes=AXIAL),
                dose(DATA, "formats/dicom_rtstruct/dose.dcm"),
                reference.refused("formats/dicom_seg/refused_tiled.dcm", "whole-slide"),
                reference.refused("formats/dicom_seg/refused_side_by_side.dcm", "side by side"),
                reference.refused("formats/dicom_rtstruct/refused_points.dcm", "closed contours")]
    reference.write(os.path.join(DATA, "formats", "dicom_overlays.json"), answers)


def shared(folder):
    answers = [segmentation(folder, f"dicom/{n}")
               for n in ("ct_3slice_seg/liver_SEG.dcm", "seg_highdicom/seg_image_ct_binary.dcm",
                         "seg_highdicom/seg_image_ct_binary_single_frame.dcm", "sr_tid1500/seg.dcm",
                         "seg_24x38x3/seg_label.seg")]
    answers += [structures(folder, "dicom/rt_breast/rtss.dcm", ["dicom/rt_breast/ct.0.dcm"], own_planes=True),
                reference.refused("dicom/rt_breast/rtplan.dcm", "plan"),
                reference.refused("dicom/sr_tid1500/sr.dcm", "structured report"),
                reference.refused("dicom/seg_highdicom/sr_document.dcm", "structured report"),
                reference.refused("dicom/sr_tid1500/rwvm.dcm", "real world value")]
    reference.write(os.path.join(DATA, "formats", "dicom_overlays_shared.json"), answers)


if __name__ == "__main__":
    shared(sys.argv[1]) if len(sys.argv) > 1 else own()
