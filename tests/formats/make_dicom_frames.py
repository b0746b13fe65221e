"""Small DICOM files of odd kinds, made by pydicom, for tests/data/formats/dicom. Run by hand:

    /usr/bin/python3 tests/formats/make_dicom_frames.py tests/data/formats/dicom [mosaic.dcm]

mosaic.dcm: a real Siemens mosaic, whose private header a small synthetic one keeps. HTJ2K files are made where there is
ojph_compress (OpenJPH).
"""
import copy
import io
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID

out = Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
ROOT = "1.2.826.0.1.3680043.10.999."
counter = 0
LE, IMPLICIT, BE, DEFLATED = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
RLE, JPEG, J2K, J2KR = ("1.2.840.10008.1.2." + s for s in ("5", "4.50", "4.90", "4.91"))
MR, CT, PET, SC = ("1.2.840.10008.5.1.4.1.1." + s for s in ("4", "2", "128", "7"))
ENHANCED_MR, ENHANCED_CT, US, NM, MAP, DOSE = (
    "1.2.840.10008.5.1.4.1.1." + s for s in ("4.1", "2.1", "3.1", "20", "30", "481.2"))


def uid():
    global counter
    counter += 1
    return ROOT + str(counter)


def base(kind, modality, rows, columns, frames=None, bits=16, stored=None, signed=False, photometric="MONOCHROME2"):
    d = Dataset()
    d.SOPClassUID, d.SOPInstanceUID = kind, uid()
    d.PatientID, d.PatientName, d.Modality = "made", "Made^Of^Numbers", modality
    d.StudyInstanceUID, d.SeriesInstanceUID = ROOT + "0", uid()
    d.SeriesNumber, d.InstanceNumber = 1, 1
    d.Rows, d.Columns = rows, columns
    d.SamplesPerPixel = 3 if photometric in ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_RCT") else 1
    if d.SamplesPerPixel == 3:
        d.PlanarConfiguration = 0
    d.PhotometricInterpretation = photometric
    d.BitsAllocated, d.BitsStored = bits, stored or bits
    d.HighBit = d.BitsStored - 1
    d.PixelRepresentation = int(signed)
    if frames:
        d.NumberOfFrames = frames
    return d


def save(name, d, syntax=LE):
    d.file_meta = FileMetaDataset()
    d.file_meta.TransferSyntaxUID = UID(syntax)
    d.file_meta.MediaStorageSOPClassUID, d.file_meta.MediaStorageSOPInstanceUID = d.SOPClassUID, d.SOPInstanceUID
    d.is_little_endian, d.is_implicit_VR = syntax != BE, syntax == IMPLICIT
    d.preamble = b"\0" * 128
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    d.save_as(out / name, write_like_original=False)


def item(**values):
    d = Dataset()
    for key, value in values.items():
        setattr(d, key, value)
    return d


def groups(d, orientation=None, spacing=(2, 1.5), thickness=4, shared=None, frames=()):
    s = shared or Dataset()
    if orientation is not None:
        s.PlaneOrientationSequence = Sequence([item(ImageOrientationPatient=list(orientation))])
    s.PixelMeasuresSequence = Sequence([item(PixelSpacing=list(spacing), SliceThickness=thickness)])
    d.SharedFunctionalGroupsSequence = Sequence([s])
    d.PerFrameFunctionalGroupsSequence = Sequence(frames)


def frame(position, stack="1", slice_number=1, indices=(), **content):
    f = Dataset()
    f.PlanePositionSequence = Sequence([item(ImagePositionPatient=[float(v) for v in position])])
    c = item(StackID=stack, InStackPositionNumber=slice_number, **content)
    if indices:
        c.DimensionIndexValues = list(indices)
    f.FrameContentSequence = Sequence([c])
    return f


def dimensions(d, *pointers):
    u = uid()
    d.DimensionIndexSequence = Sequence(
        [item(DimensionOrganizationUID=u, DimensionIndexPointer=p, FunctionalGroupPointer=0x00209111) for p in pointers])


def ramp(*shape, scale=7, dtype="<u2"):
    return (np.arange(np.prod(shape)).reshape(shape) * scale % 4000).astype(dtype)


rng = np.random.default_rng(3)
c, s = np.cos(0.4), np.sin(0.4)
oblique = [1, 0, 0, 0, c, s]
normal = np.array([0, -s, c])

# Enhanced MR: five slices, four times, frames shuffled, a scale of its own for each frame.
pixels = ramp(4, 5, 6, 8)
order = rng.permutation(20)
d = base(ENHANCED_MR, "MR", 6, 8, 20, stored=12)
dimensions(d, 0x00209056, 0x00209057, 0x00209128)
frames = []
for k in order:
    t, z = divmod(int(k), 5)
    f = frame(np.array([5, -20, 7]) + normal * 4 * z, slice_number=z + 1, indices=(1, z + 1, t + 1),
              TemporalPositionIndex=t + 1, FrameAcquisitionDateTime=f"202401020304{10 + 2 * t:02d}.5")
    f.PixelValueTransformationSequence = Sequence(
        [item(RescaleSlope=1 + 0.5 * t, RescaleIntercept=-10 * z, RescaleType="US")])
    f.FrameVOILUTSequence = Sequence(
        [item(WindowCenter=[500, 900], WindowWidth=[1000, 400], WindowCenterWidthExplanation=["brain", "bone"])])
    frames.append(f)
groups(d, oblique, frames=frames)
d.PixelData = pixels.reshape(20, 6, 8)[order].tobytes()
save("enhanced_4d_scaled.dcm", d)

# The same frames with one scale, explicit big endian, and deflated.
for f in d.PerFrameFunctionalGroupsSequence:
    del f.PixelValueTransformationSequence
d.SeriesInstanceUID, d.SOPInstanceUID = uid(), uid()
save("enhanced_4d_deflated.dcm", d, DEFLATED)
big = copy.deepcopy(d)
big.PixelData = pixels.reshape(20, 6, 8)[order].astype(">u2").tobytes()
big.SeriesInstanceUID, big.SOPInstanceUID = uid(), uid()
save("enhanced_4d_big_endian.dcm", big, BE)
implicit = copy.deepcopy(d)
implicit.SeriesInstanceUID, implicit.SOPInstanceUID = uid(), uid()
save("enhanced_4d_implicit.dcm", implicit, IMPLICIT)

# Diffusion: b0 and three directions, slice by slice.
pixels = ramp(4, 3, 6, 8, scale=11)
directions = np.array([[0, 0, 0], [1, 0, 0], [0, 0.6, 0.8], [0, -0.6, 0.8]])
d = base(ENHANCED_MR, "MR", 6, 8, 12)
dimensions(d, 0x00209057, 0x00189087)
frames, stored = [], []
for z in range(3):
    for v in range(4):
        f = frame([0, 0, 5.0 * z], slice_number=z + 1, indices=(z + 1, v + 1))
        m = item(DiffusionBValue=0.0 if v == 0 else 1000.0, DiffusionDirectionality="NONE" if v == 0 else "DIRECTIONAL")
        if v:
            m.DiffusionGradientDirectionSequence = Sequence([item(DiffusionGradientOrientation=list(directions[v]))])
        f.MRDiffusionSequence = Sequence([m])
        frames.append(f)
        stored.append(pixels[v, z])
groups(d, [1, 0, 0, 0, 1, 0], frames=frames)
d.PixelData = np.stack(stored).tobytes()
save("enhanced_dwi.dcm", d)

# Two echoes and two orientations in one file: four images.
d = base(ENHANCED_MR, "MR", 6, 6, 12)
frames = []
for plane, (o, step) in enumerate([([1, 0, 0, 0, 1, 0], [0, 0, 3]), ([0, 1, 0, 0, 0, -1], [3, 0, 0])]):
    for echo in (0, 1):
        for z in range(3):
            f = frame(np.array(step) * float(z), stack=str(plane + 1), slice_number=z + 1)
            f.PlaneOrientationSequence = Sequence([item(ImageOrientationPatient=o)])
            f.MREchoSequence = Sequence([item(EffectiveEchoTime=10.0 + 20 * echo)])
            frames.append(f)
groups(d, None, frames=frames)
d.PixelData = ramp(12, 6, 6).tobytes()
save("enhanced_two_planes_two_echoes.dcm", d)

# Enhanced CT as JPEG 2000 with an extended offset table, several fragments a frame, and RLE without a table.
pixels = ramp(3, 16, 16, scale=13)


def opj(data, lossy=False, colour=False):
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / ("a.ppm" if colour else "a.pgm")
        target = Path(folder) / "a.j2k"
        most = 255 if data.itemsize == 1 else 65535
        head = b"%s\n%d %d\n%d\n" % (b"P6" if colour else b"P5", data.shape[1], data.shape[0], most)
        source.write_bytes(head + (data if data.itemsize == 1 else data.astype(">u2")).tobytes())
        extra = ["-r", "4", "-I"] if lossy else []
        subprocess.run(["opj_compress", "-n", "3", "-i", source, "-o", target, *extra], check=True, stdout=subprocess.DEVNULL)
        return target.read_bytes()


def even(b):
    return b + b"\0" * (len(b) % 2)


def fragments(frames, table=()):
    """frames: lists of fragments."""
    out_bytes = struct.pack("<HHL", 0xFFFE, 0xE000, 4 * len(table)) + struct.pack(f"<{len(table)}L", *table)
    for f in frames:
        for piece in f:
            out_bytes += struct.pack("<HHL", 0xFFFE, 0xE000, len(piece)) + piece
    return out_bytes


def ct(frames_bytes):
    d = base(ENHANCED_CT, "CT", 16, 16, 3)
    shared = item(PixelValueTransformationSequence=Sequence(
        [item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")]))
    groups(d, [1, 0, 0, 0, 1, 0], shared=shared, frames=[frame([0, 0, 2.5 * z], slice_number=z + 1) for z in (2, 0, 1)])
    d.PixelData = frames_bytes
    d["PixelData"].is_undefined_length = True
    d["PixelData"].VR = "OB"
    return d


streams = [even(opj(p)) for p in pixels]
d = ct(fragments([[x] for x in streams]))
offsets = np.cumsum([0] + [len(x) + 8 for x in streams[:-1]]).astype("<u8")
d.ExtendedOffsetTable = offsets.tobytes()
d.ExtendedOffsetTableLengths = np.array([len(x) for x in streams], "<u8").tobytes()
save("enhanced_ct_j2k_extended_table.dcm", d, J2K)
half = [[x[:60], x[60:]] for x in streams]
save("enhanced_ct_j2k_fragments.dcm", ct(fragments(half)), J2K)
table = np.cumsum([0] + [len(x) + 16 for x in streams[:-1]]).tolist()
save("enhanced_ct_j2k_basic_table.dcm", ct(fragments(half, table)), J2K)
d = ct(pixels.tobytes())
d["PixelData"].is_undefined_length = False
d["PixelData"].VR = "OW"
d.file_meta = FileMetaDataset()
d.file_meta.TransferSyntaxUID = UID(LE)
d.is_little_endian, d.is_implicit_VR = True, False
from pydicom.pixel_data_handlers.rle_handler import rle_encode_frame

save("enhanced_ct_rle.dcm", ct(fragments([[even(rle_encode_frame(p))] for p in pixels])), RLE)

# A cine of ultrasound: JPEG, empty table, regions in cm.
y, x = np.mgrid[0:16, 0:16]
cine = np.stack([np.stack([x * 15, y * 15, np.full_like(x, 60 * t)], -1) for t in range(4)]).astype(np.uint8)


def jpeg(rgb):
    b = io.BytesIO()
    Image.fromarray(rgb).save(b, "JPEG", quality=95, subsampling=0)
    return even(b.getvalue())


d = base(US, "US", 16, 16, 4, bits=8, photometric="YBR_FULL_422")
d.FrameTime = 40
d.SequenceOfUltrasoundRegions = Sequence([item(
    RegionSpatialFormat=1, PhysicalUnitsXDirection=3, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.02, PhysicalDeltaY=0.03,
    RegionLocationMinX0=0, RegionLocationMinY0=0, RegionLocationMaxX1=15, RegionLocationMaxY1=15)])
d.PixelData = fragments([[jpeg(f)] for f in cine])
d["PixelData"].is_undefined_length = True
d["PixelData"].VR = "OB"
save("us_cine_jpeg.dcm", d, JPEG)
d = base(US, "US", 16, 16, 1, bits=8, photometric="YBR_RCT")
d.PixelData = fragments([[even(opj(cine[2], colour=True))]])
d["PixelData"].is_undefined_length = True
d["PixelData"].VR = "OB"
save("us_j2k_rct.dcm", d, J2K)

# Colour: planes, YBR, sixteen bits, palettes.
rgb = cine[1]
d = base(SC, "OT", 16, 16, bits=8, photometric="RGB")
d.PlanarConfiguration = 1
d.PixelData = rgb.transpose(2, 0, 1).tobytes()
save("colour_planar.dcm", d)
d = base(SC, "OT", 16, 16, photometric="RGB")
d.PixelData = (rgb.astype("<u2") * 257).tobytes()
save("colour_16_bit.dcm", d)
d = base(SC, "OT", 16, 16, bits=8, photometric="YBR_FULL")
d.PixelData = np.asarray(Image.fromarray(rgb).convert("YCbCr")).tobytes()
save("colour_ybr_full.dcm", d)
index = (np.arange(256).reshape(16, 16) % 200).astype(np.uint8)
d = base(SC, "OT", 16, 16, bits=8, photometric="PALETTE COLOR")
d.PixelData = index.tobytes()
for k, colour in enumerate(("Red", "Green", "Blue")):
    setattr(d, colour + "PaletteColorLookupTableDescriptor", [200, 10, 16])
    setattr(d, colour + "PaletteColorLookupTableData", ((np.arange(200) * (k + 1) * 97) % 65536).astype("<u2").tobytes())
save("palette_16_bit.dcm", d)
d.SOPInstanceUID = uid()
for k, colour in enumerate(("Red", "Green", "Blue")):
    delattr(d, colour + "PaletteColorLookupTableData")
    setattr(d, colour + "PaletteColorLookupTableDescriptor", [200, 0, 16])
    # 50 discrete values, a line over 100, and the first segment's line again by reference: 50 more.
    first = ((np.arange(50) * 300 * (k + 1)) % 65536).astype("<u2")
    words = np.concatenate([[0, 50], first, [1, 100, 60000 - 10000 * k], [2, 1, 0, 0]]).astype("<u2")
    setattr(d, "Segmented" + colour + "PaletteColorLookupTableData", words.tobytes())
save("palette_segmented.dcm", d)

# Bits: overlay in unused ones, sign, one bit a pixel, 32 bits, float, double, modality table.
values = (np.arange(96).reshape(8, 12) * 40).astype(np.int32)
d = base(SC, "OT", 8, 12, stored=12)
d.HighBit = 13
d.PixelData = (((values % 4096) << 2) | 0xC003).astype("<u2").tobytes()
save("bits_12_high_13_overlay.dcm", d)
d = base(CT, "CT", 8, 12, stored=12, signed=True)
d.PixelData = ((values - 2000) & 0x0FFF).astype("<u2").tobytes()
d.RescaleSlope, d.RescaleIntercept = 1, 0
d.ImagePositionPatient, d.ImageOrientationPatient, d.PixelSpacing = [0, 0, 0], [1, 0, 0, 0, 1, 0], [1, 1]
save("bits_12_signed.dcm", d)
bits = (np.arange(3 * 5 * 7).reshape(3, 5, 7) % 3 == 0).astype(np.uint8)
d = base("1.2.840.10008.5.1.4.1.1.7.1", "OT", 5, 7, 3, bits=1)
d.FrameTime = 100
packed = np.packbits(bits.ravel(), bitorder="little").tobytes()
d.PixelData = even(packed)
save("bits_1.dcm", d)
d = base(DOSE, "RTDOSE", 5, 7, 4, bits=32)
d.ImagePositionPatient, d.ImageOrientationPatient, d.PixelSpacing = [-3, 4, 10], [1, 0, 0, 0, 1, 0], [2.5, 2]
d.GridFrameOffsetVector = [0, 3, 6, 9]
d.DoseUnits, d.DoseGridScaling = "GY", 0.00025
d.PixelData = (np.arange(140).reshape(4, 5, 7) * 100003).astype("<u4").tobytes()
save("dose_32_bit.dcm", d)
for name, dtype, keyword in (("float", "<f4", "FloatPixelData"), ("double", "<f8", "DoubleFloatPixelData")):
    d = base(MAP, "MR", 5, 7, 3, bits=32 if name == "float" else 64)
    for key in ("BitsStored", "HighBit", "PixelRepresentation"):
        delattr(d, key)
    groups(d, [0, 1, 0, 0, 0, -1], frames=[frame([3.0 * z, 0, 0], slice_number=z + 1) for z in range(3)])
    setattr(d, keyword, (np.arange(105).reshape(3, 5, 7) / 7 - 3).astype(dtype).tobytes())
    save(f"map_{name}.dcm", d)
d = base(SC, "CT", 8, 12, bits=8)
d.ModalityLUTSequence = Sequence([item(LUTDescriptor=[100, 20, 16], ModalityLUTType="HU",
                                       LUTData=[(k * k) % 65536 for k in range(100)])])
d.ModalityLUTSequence[0]["LUTData"].VR = "US"
d.PixelData = (np.arange(96) * 2).astype(np.uint8).tobytes()
save("modality_table.dcm", d)

# PET with decay from the injection, over midnight; each slice its own slope.
series = uid()
for z in range(3):
    d = base(PET, "PT", 6, 6, signed=True)
    d.SeriesInstanceUID, d.InstanceNumber = series, z + 1
    d.ImagePositionPatient, d.ImageOrientationPatient, d.PixelSpacing = [0, 0, 4 * z], [1, 0, 0, 0, 1, 0], [4, 4]
    d.Units, d.DecayCorrection, d.PatientWeight = "BQML", "START", 70
    d.SeriesDate, d.SeriesTime, d.AcquisitionDate, d.AcquisitionTime = "20240102", "001000", "20240102", f"00100{z}"
    d.RadiopharmaceuticalInformationSequence = Sequence([item(
        RadiopharmaceuticalStartTime="231000", RadionuclideTotalDose=370e6, RadionuclideHalfLife=6586.2)])
    d.RescaleSlope, d.RescaleIntercept = 0.5 + 0.25 * z, 0
    d.PixelData = (np.arange(36) * 20 + z).astype("<i2").tobytes()
    save(f"pet/{z}.dcm", d)

# Nuclear medicine, reconstructed slices from head to feet (negative spacing), two phases.
pixels = ramp(2, 4, 6, 6, scale=3)
d = base(NM, "NM", 6, 6, 8)
d.ImageType = ["ORIGINAL", "PRIMARY", "RECON GATED TOMO", "EMISSION"]
d.PixelSpacing, d.SliceThickness, d.SpacingBetweenSlices = [4, 4], 5, -5
d.NumberOfSlices, d.SliceVector = 4, [1, 2, 3, 4] * 2
d.DetectorInformationSequence = Sequence(
    [item(ImagePositionPatient=[-10, -12, 100], ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
d.PixelData = pixels.tobytes()
save("nm_gated.dcm", d)

# Microscopy: 40 x 30 pixels in tiles of 16 x 16.
slide = np.zeros((32, 48, 3), np.uint8)
slide[:30, :40] = np.stack([np.arange(1200).reshape(30, 40) % 251, np.arange(1200).reshape(30, 40) % 83,
                            np.full((30, 40), 200)], -1)
tiles = [slide[r:r + 16, q:q + 16] for r in (0, 16) for q in (0, 16, 32)]
d = base("1.2.840.10008.5.1.4.1.1.77.1.6", "SM", 16, 16, 6, bits=8, photometric="RGB")
d.TotalPixelMatrixColumns, d.TotalPixelMatrixRows = 40, 30
d.DimensionOrganizationType = "TILED_FULL"
d.NumberOfOpticalPaths, d.TotalPixelMatrixFocalPlanes = 1, 1
groups(d, None, spacing=(0.008, 0.008))
del d.PerFrameFunctionalGroupsSequence
d.PixelData = b"".join(t.tobytes() for t in tiles)
save("slide_tiled_full.dcm", d)

# A small mosaic with the private header of a real one: nine tiles of its 35 as 6 x 6 tiles of 8 x 8.
if len(sys.argv) > 2:
    real = pydicom.dcmread(sys.argv[2])
    tile, n, grid = 8, 35, 6
    keep = ["SOPClassUID", "ImageType", "Manufacturer", "ImageOrientationPatient", "PixelSpacing", "SliceThickness",
            "SpacingBetweenSlices", "RepetitionTime", "AcquisitionTime", "EchoTime"]
    d = base(MR, "MR", tile * grid, tile * grid, stored=12)
    for key in keep:
        if key in real:
            setattr(d, key, getattr(real, key))
    block = d.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    source = real.private_block(0x0029, "SIEMENS CSA HEADER")
    csa = source[0x10].value
    block.add_new(0x10, "OB", csa)
    d.ImagePositionPatient = [10, -20, 30]
    pixels = ramp(n, tile, tile)
    mosaic = np.zeros((tile * grid, tile * grid), "<u2")
    for k in range(n):
        r, q = divmod(k, grid)
        mosaic[r * tile:(r + 1) * tile, q * tile:(q + 1) * tile] = pixels[k]
    d.PixelData = mosaic.tobytes()
    save("mosaic.dcm", d)
    del d[0x0029, 0x1010]
    d.SOPInstanceUID, d.SeriesInstanceUID = uid(), uid()
    save("mosaic_without_csa.dcm", d)

# HTJ2K, by OpenJPH: the same three slices as the other enhanced CT.
if shutil.which("ojph_compress"):
    HTJ2K = "1.2.840.10008.1.2.4.201"
    pydicom.uid.UID_dictionary[HTJ2K] = ("HTJ2K lossless", "Transfer Syntax", "", "", "")
    pixels = ramp(3, 16, 16, scale=13)
    streams = []
    with tempfile.TemporaryDirectory() as folder:
        for p in pixels:
            (Path(folder) / "a.pgm").write_bytes(b"P5\n16 16\n65535\n" + p.astype(">u2").tobytes())
            subprocess.run(["ojph_compress", "-i", Path(folder) / "a.pgm", "-o", Path(folder) / "a.j2c", "-reversible",
                            "true", "-num_decomps", "3"], check=True, stdout=subprocess.DEVNULL)
            streams.append(even((Path(folder) / "a.j2c").read_bytes()))
    save("enhanced_ct_htj2k.dcm", ct(fragments([[x] for x in streams])), HTJ2K)
