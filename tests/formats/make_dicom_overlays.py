"""Makes the small DICOM segmentations and structure sets of tests/data/formats by pydicom.

    make_dicom_overlays.py ../shared/data tests/data/formats

The first folder is the larger collection of real files; without dicom/rt_breast in it the cut of a real structure set
is left as it is.
"""
import os
import sys
import zlib

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, RLELossless)

ROOT = "1.2.826.0.1.3680043.8.498.77."  # below pydicom's own root
SEG, LABELMAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
RTSTRUCT, RTDOSE, CT = "1.2.840.10008.5.1.4.1.1.481.3", "1.2.840.10008.5.1.4.1.1.481.2", "1.2.840.10008.5.1.4.1.1.2"
SOURCE = ROOT + "1.1"
DEFLATED_FRAMES = b"1.2.840.10008.1.2.8.1\0"  # younger than pydicom 2.3: put in the place of one as long


def item(**values):
    out = Dataset()
    for key, value in values.items():
        setattr(out, key, Sequence(value) if isinstance(value, list) and value and isinstance(value[0], Dataset)
                else value)
    return out


def file(sop_class, number, modality, **values):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = f"{ROOT}2.{number}"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    out = FileDataset("", item(SOPClassUID=sop_class, SOPInstanceUID=meta.MediaStorageSOPInstanceUID,
                               Modality=modality, PatientID="phantom", PatientName="Phantom",
                               StudyInstanceUID=ROOT + "0", SeriesInstanceUID=f"{ROOT}3.{number}",
                               FrameOfReferenceUID=ROOT + "4", **values), file_meta=meta, preamble=b"\0" * 128)
    out.is_little_endian, out.is_implicit_VR = True, False
    return out


def save(out, path, syntax=ExplicitVRLittleEndian):
    out.file_meta.TransferSyntaxUID = syntax
    out.is_little_endian = syntax != ExplicitVRBigEndian
    out.is_implicit_VR = syntax == ImplicitVRLittleEndian
    out.save_as(path, write_like_original=False)
    print(path, os.path.getsize(path))


def code(value, meaning, scheme="SCT"):
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def segment(number, label, lab=None, **more):
    out = item(SegmentNumber=number, SegmentLabel=label, SegmentAlgorithmType="AUTOMATIC",
               SegmentAlgorithmName="make_dicom_overlays",
               SegmentedPropertyCategoryCodeSequence=[code("123037004", "Anatomical Structure")],
               SegmentedPropertyTypeCodeSequence=[code("10200004", "Liver")], **more)
    if lab:
        out.RecommendedDisplayCIELabValue = lab
    return out


def ds(values):
    return [f"{v:.10g}" for v in np.ravel(values)]


def seg(number, frames, segments, size, kind, bits, orientation=(1, 0, 0, 0, 1, 0), spacing=(1.5, 0.75), between=2.5,
        sop_class=SEG, **more):
    """frames: list of (segment or None, position, array of (rows, columns))."""
    rows, columns = size
    groups = []
    for which, position, _ in frames:
        group = item(PlanePositionSequence=[item(ImagePositionPatient=ds(position))])
        if which is not None:
            group.SegmentIdentificationSequence = Sequence([item(ReferencedSegmentNumber=which)])
        groups.append(group)
    measures = item(PixelSpacing=ds(spacing), SliceThickness=ds([between or 3])[0])
    if between:
        measures.SpacingBetweenSlices = ds([between])[0]
    shared = item(PlaneOrientationSequence=[item(ImageOrientationPatient=ds(orientation))],
                  PixelMeasuresSequence=[measures])
    out = file(sop_class, number, "SEG", SegmentationType=kind, SegmentSequence=segments, Rows=rows, Columns=columns,
               NumberOfFrames=len(frames), SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
               BitsAllocated=bits, BitsStored=bits, HighBit=bits - 1, PixelRepresentation=0,
               SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=groups,
               ReferencedSeriesSequence=[item(SeriesInstanceUID=SOURCE, ReferencedInstanceSequence=[
                   item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=f"{SOURCE}.{i}") for i in range(3)])],
               SeriesDescription="phantom segmentation", **more)
    pixels = np.stack([np.asarray(f[2]) for f in frames])
    if bits == 1:
        data = np.packbits(pixels.astype(np.uint8).ravel(), bitorder="little").tobytes()
    else:
        data = pixels.astype(f"<u{bits // 8}").tobytes()
    out.PixelData = data + b"\0" * (len(data) % 2)
    out["PixelData"].VR = "OB" if bits <= 8 else "OW"
    return out


def blob(rng, size, share=0.4):
    return rng.random(size) < share


def frames_sparse(rng, size, origin, normal):
    return [(1 + i % 2, origin + 2.5 * i * normal, blob(rng, size)) for i in range(4)]


def segmentations(folder):
    rng = np.random.default_rng(20)
    origin, normal = np.array([-11.0, 22.5, 33.25]), np.array([0, 0, 1.0])
    size = (7, 5)  # 35 bits a frame: frames start within bytes
    # Three segments, two of which overlap; slices left out; frames not in order of place.
    frames = []
    a, b = blob(rng, size), blob(rng, size)
    frames.append((1, origin + 5 * normal, a))
    frames.append((1, origin, b))
    frames.append((2, origin + 5 * normal, ~a))                 # beside segment 1
    frames.append((3, origin + 15 * normal, blob(rng, size)))
    frames.append((3, origin, blob(rng, size, 0.7)))            # on segment 1
    segments = [segment(1, "Leber groß", [41661, 41167, 40792]), segment(2, "rest"), segment(3, "top", [65535, 32896, 32896])]
    sparse = seg(1, frames, segments, size, "BINARY", 1, SpecificCharacterSet="ISO_IR 100")
    save(sparse, f"{folder}/binary_sparse.dcm")
    save(sparse, f"{folder}/binary_deflated.dcm", DeflatedExplicitVRLittleEndian)
    save(sparse, f"{folder}/binary_implicit.dcm", ImplicitVRLittleEndian)
    # Oblique, sheared as by a tilted gantry, without SpacingBetweenSlices, downwards; a segment number above 255.
    tilt = np.deg2rad(20)
    row, column = np.array([np.cos(tilt), np.sin(tilt), 0]), np.array([0, 0, -1.0])
    step = np.cross(row, column) * 3 + column * 0.4
    frames = [(300, origin - i * step, blob(rng, size)) for i in range(4)]
    save(seg(2, frames, [segment(300, "high number")], size, "BINARY", 1, orientation=np.concatenate([row, column]),
             between=None), f"{folder}/binary_oblique.dcm")
    # Every frame deflated by itself, from its own first bit.
    deflated = seg(8, frames_sparse(np.random.default_rng(21), size, origin, normal), [segment(1, "one"), segment(2, "two")], size,
                   "BINARY", 1)
    packed = []
    for which, _, mask in frames_sparse(np.random.default_rng(21), size, origin, normal):
        data = np.packbits(mask.ravel(), bitorder="little").tobytes()
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        data = packer.compress(data) + packer.flush()
        packed.append(data + b"\0" * (len(data) % 2))
    deflated.PixelData = encapsulate(packed)
    deflated["PixelData"].VR = "OB"
    deflated["PixelData"].is_undefined_length = True
    path = f"{folder}/binary_deflated_frames.dcm"
    save(deflated, path, pydicom.uid.JPEGBaseline8Bit)
    with open(path, "rb") as stored:
        content = stored.read()
    with open(path, "wb") as out:
        out.write(content.replace(pydicom.uid.JPEGBaseline8Bit.encode(), DEFLATED_FRAMES, 1))
    # Fractional: two segments, of which one lacks a slice.
    fractions = [(1, origin, rng.integers(0, 201, size)), (1, origin + 2.5 * normal, rng.integers(0, 201, size)),
                 (2, origin + 2.5 * normal, rng.integers(0, 201, size))]
    names = [segment(1, "grey matter"), segment(2, "white matter")]
    fractional = seg(3, fractions, names, size, "FRACTIONAL", 8, SegmentationFractionalType="PROBABILITY",
                     MaximumFractionalValue=200)
    save(fractional, f"{folder}/fractional.dcm")
    fractional.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    fractional.is_little_endian, fractional.is_implicit_VR = True, False
    fractional.compress(RLELossless, encoding_plugin="pydicom")
    fractional.save_as(f"{folder}/fractional_rle.dcm", write_like_original=False)
    # Label maps: 8 bits with a palette, 16 bits, and big endian.
    maps = [(None, origin + i * 2.5 * normal, rng.integers(0, 4, size)) for i in (0, 1, 3)]
    names = [segment(i, f"label {i}") for i in (1, 2, 3)]
    palette = seg(4, maps, names, size, "LABELMAP", 8, sop_class=LABELMAP)
    palette.PhotometricInterpretation = "PALETTE COLOR"
    for colour, ramp in (("Red", [0, 200, 20, 30]), ("Green", [0, 10, 210, 40]), ("Blue", [0, 15, 25, 220])):
        setattr(palette, f"{colour}PaletteColorLookupTableDescriptor", [4, 0, 16])
        setattr(palette, f"{colour}PaletteColorLookupTableData", (np.array(ramp, "<u2") * 257).tobytes())
    save(palette, f"{folder}/labelmap_palette.dcm")
    maps = [(None, origin + i * 2.5 * normal, rng.choice([0, 7, 1000, 65535], size)) for i in (0, 1, 2)]
    names = [segment(i, f"label {i}") for i in (7, 1000, 65535)]
    wide = seg(5, maps, names, size, "LABELMAP", 16, sop_class=LABELMAP)
    save(wide, f"{folder}/labelmap_16.dcm")
    wide.compress(RLELossless, encoding_plugin="pydicom")
    wide.save_as(f"{folder}/labelmap_16_rle.dcm", write_like_original=False)
    # What is refused.
    tiled = seg(6, [(1, origin, a)], [segment(1, "tile")], size, "BINARY", 1, DimensionOrganizationType="TILED_FULL",
                TotalPixelMatrixColumns=50, TotalPixelMatrixRows=70)
    save(tiled, f"{folder}/refused_tiled.dcm")
    beside = seg(7, [(1, origin, a), (1, origin + 2.5 * normal + [20, 0, 0], b)], [segment(1, "beside")], size,
                 "BINARY", 1)
    save(beside, f"{folder}/refused_side_by_side.dcm")


def contour(points, kind="CLOSED_PLANAR"):
    return item(ContourGeometricType=kind, NumberOfContourPoints=len(points), ContourData=[f"{v:.6f}"[:16] for v in np.ravel(points)])


def structures(number, rois, source=SOURCE, images=4):
    """rois: list of (number, name, colour or None, list of contours)."""
    out = file(RTSTRUCT, number, "RTSTRUCT", StructureSetLabel="phantom structures")
    if source:
        out.ReferencedFrameOfReferenceSequence = Sequence([item(
            FrameOfReferenceUID=ROOT + "4", RTReferencedStudySequence=[item(
                ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=ROOT + "0",
                RTReferencedSeriesSequence=[item(SeriesInstanceUID=source, ContourImageSequence=[
                    item(ReferencedSOPClassUID=CT, ReferencedSOPInstanceUID=f"{source}.{i}") for i in range(images)])])])])
    out.StructureSetROISequence = Sequence([
        item(ROINumber=n, ReferencedFrameOfReferenceUID=ROOT + "4", ROIName=name, ROIGenerationAlgorithm="MANUAL")
        for n, name, _, _ in rois])
    drawn = []
    for n, _, colour, contours in rois:
        one = item(ReferencedROINumber=n)
        if colour:
            one.ROIDisplayColor = colour
        if contours:
            one.ContourSequence = Sequence(contours)
        drawn.append(one)
    out.ROIContourSequence = Sequence(drawn)
    out.RTROIObservationsSequence = Sequence([
        item(ObservationNumber=i, ReferencedROINumber=n, RTROIInterpretedType="ORGAN", ROIInterpreter="")
        for i, (n, _, _, _) in enumerate(rois)])
    return out


def image_slices(folder):
    """Four slices, 20 x 16 pixels of 2 x 2.5 mm, 3 mm apart, from above to below."""
    rng = np.random.default_rng(7)
    for i in range(4):
        out = file(CT, 100 + i, "CT", Rows=16, Columns=20, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
                   BitsAllocated=16, BitsStored=16, HighBit=15, PixelRepresentation=1, SliceThickness="3",
                   PixelSpacing=["2.5", "2"], ImageOrientationPatient=ds([1, 0, 0, 0, 1, 0]), SeriesNumber=1,
                   ImagePositionPatient=ds([-20, -30, 9 - 3 * i]), InstanceNumber=i + 1, RescaleSlope="1",
                   RescaleIntercept="0", SeriesDescription="phantom")
        out.SeriesInstanceUID = SOURCE
        out.SOPInstanceUID = out.file_meta.MediaStorageSOPInstanceUID = f"{SOURCE}.{i}"
        out.PixelData = rng.integers(-100, 100, (16, 20)).astype("<i2").tobytes()
        out["PixelData"].VR = "OW"
        save(out, f"{folder}/image_{i}.dcm")


def ring(centre, radius, count, z, turn=0.0):
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + turn
    return np.stack([centre[0] + radius * np.cos(angles), centre[1] + radius * np.sin(angles), np.full(count, z)], 1)


def box(x0, y0, x1, y1, z):
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], float)


def structure_sets(folder):
    image_slices(folder)
    keyhole = np.concatenate([ring((0, -10), 9, 24, 3), ring((0, -10), 9, 24, 3)[:1],
                              ring((0, -10), 4, 12, 3)[::-1][-1:], ring((0, -10), 4, 12, 3)[::-1]])
    rois = [
        (1, "left square", [255, 0, 0], [contour(box(-20, -30, -8, -20, z)) for z in (0, 3, 6, 9)]),  # edges on centres
        (2, "its neighbour", [0, 255, 0], [contour(box(-8, -30, 4, -20, z)) for z in (0, 3)]),        # shares an edge
        (3, "ring", [0, 0, 255], [contour(ring((0, -10), 9, 30, 6)), contour(ring((0, -10), 5, 30, 6))]),
        (4, "keyhole", None, [contour(keyhole)]),
        (5, "between planes", [9, 8, 7], [contour(ring((4, -12), 6, 20, 4)), contour(ring((6, -12), 6, 20, 2.5))]),
        (6, "empty", [1, 2, 3], []),
        (7, "points", [4, 5, 6], [contour([[0, 0, 3]], "POINT"), contour([[0, 0, 3], [1, 1, 3]], "OPEN_PLANAR")]),
        (8, "off", [7, 8, 9], [contour(box(0, -20, 8, -10, 3)), contour(box(0, -20, 8, -10, 12))]),
        (9, "twice", [10, 11, 12], [contour(box(10, -28, 16, -22, 0)), contour(box(10, -28, 16, -22, 0))]),
    ]
    save(structures(1, rois), f"{folder}/phantom.dcm")
    # Sagittal planes turned a little, no images, ROI numbers that cannot be labels.
    turn = np.deg2rad(10)
    normal = np.array([np.cos(turn), np.sin(turn), 0])
    row, column = np.array([-np.sin(turn), np.cos(turn), 0]), np.array([0, 0, -1.0])
    def turned(points, offset):
        return np.stack([row * p[0] + column * p[1] + normal * offset for p in points])
    rois = [(0, "turned", [255, 128, 0], [contour(turned(ring((5, 8), 12 + k, 40, 0), -4 + 2 * k)) for k in range(5)]),
            (70000, "apart", [0, 128, 255], [contour(turned(ring((40, -20), 6, 16, 0), -4 + 2 * k)) for k in (0, 1, 4)])]
    save(structures(2, rois, source=None), f"{folder}/oblique.dcm", ImplicitVRLittleEndian)
    save(structures(3, [(1, "marker", None, [contour([[0, 0, 0]], "POINT")])]), f"{folder}/refused_points.dcm")
    # A dose grid: five planes, downwards, uneven offsets are refused elsewhere.
    rng = np.random.default_rng(3)
    dose = file(RTDOSE, 9, "RTDOSE", Rows=6, Columns=8, NumberOfFrames=5, SamplesPerPixel=1,
                PhotometricInterpretation="MONOCHROME2", BitsAllocated=32, BitsStored=32, HighBit=31,
                PixelRepresentation=0, PixelSpacing=["5", "4"], ImageOrientationPatient=ds([1, 0, 0, 0, 1, 0]),
                ImagePositionPatient=ds([-16, -25, 10]), GridFrameOffsetVector=ds([0, -3, -6, -9, -12]),
                DoseGridScaling="0.00002", DoseUnits="GY", DoseType="PHYSICAL", DoseSummationType="PLAN",
                FrameIncrementPointer=0x3004000C)
    dose.PixelData = rng.integers(0, 3_000_000, (5, 6, 8)).astype("<u4").tobytes()
    dose["PixelData"].VR = "OW"
    save(dose, f"{folder}/dose.dcm")


def cut_of_real(shared, folder):
    """Four ROIs of a patient's structure set, and the corner of the one image that is there."""
    path = f"{shared}/dicom/rt_breast/rtss.dcm"
    if not os.path.exists(path):
        return
    data = pydicom.dcmread(path)
    keep = {2, 5, 8, 9}
    data.StructureSetROISequence = Sequence([r for r in data.StructureSetROISequence if r.ROINumber in keep])
    data.ROIContourSequence = Sequence([r for r in data.ROIContourSequence if r.ReferencedROINumber in keep])
    data.RTROIObservationsSequence = Sequence([r for r in data.RTROIObservationsSequence if r.ReferencedROINumber in keep])
    data.save_as(f"{folder}/breast_cut.dcm")
    print(f"{folder}/breast_cut.dcm", os.path.getsize(f"{folder}/breast_cut.dcm"))


if __name__ == "__main__":
    segmentations(f"{sys.argv[2]}/dicom_seg")
    structure_sets(f"{sys.argv[2]}/dicom_rtstruct")
    cut_of_real(sys.argv[1], f"{sys.argv[2]}/dicom_rtstruct")
