"""What pydicom (values) and dcm2niix with nibabel (places) make of DICOM files.

    /usr/bin/python3 tests/formats/reference_dicom_frames.py [folder of the larger collection]

Needs: pydicom with gdcm, Pillow, nibabel, dcm2niix. Values come from pydicom throughout. Places come from dcm2niix where
it reads the file; where it does not, from the standard's equation (PS3.3 C.7.6.2.1.1) written down here.
"""
import io
import subprocess
import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.encaps import generate_pixel_data_frame
from pydicom.pixel_data_handlers.util import apply_color_lut, apply_modality_lut, convert_color_space

from reference import image, refused, write

VERSION = subprocess.run(["dcm2niix", "-v"], capture_output=True, text=True).stdout.split("version ")[1].split()[0]
PYDICOM, DCM2NIIX = f"pydicom {pydicom.__version__}", f"dcm2niix {VERSION}, nibabel {nibabel.__version__}"
here = Path(__file__).parents[1] / "data"
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def by_dcm2niix(files):
    """The image in the order in which DICOM stores it: dcm2niix turns rows round, and slices where it likes."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        for n, f in enumerate(files):
            (Path(folder) / "in" / f"{n:05d}.dcm").write_bytes(Path(f).read_bytes())
        subprocess.run(["dcm2niix", "-z", "n", "-b", "n", "-m", "y", "-o", folder, Path(folder) / "in"], check=True,
                       capture_output=True)
        found = sorted(Path(folder).glob("*.nii"))
        assert len(found) == 1, found
        nifti = nibabel.load(found[0])
        data, affine = np.asanyarray(nifti.dataobj), nifti.affine.copy()
    data, affine = data[:, ::-1], affine @ flip(1, data.shape)
    if np.linalg.det(affine) < 0:
        data, affine = data[:, :, ::-1], affine @ flip(2, data.shape)
    return data, affine


def flip(axis, shape):
    m = np.eye(4)
    m[axis, axis], m[axis, 3] = -1, shape[axis] - 1
    return m


def plane(position, orientation, spacing, step):
    """RAS mm from column, row, slice."""
    row, column = np.array(orientation[:3], float), np.array(orientation[3:], float)
    m = np.eye(4)
    m[:3, 0], m[:3, 1] = row * float(spacing[1]), column * float(spacing[0])
    m[:3, 2], m[:3, 3] = step, position
    return RAS @ m


def flat(spacing=(1, 1), step=1.0):
    return plane([0, 0, 0], [1, 0, 0, 0, 1, 0], spacing, [0, 0, step])


def columns_first(frames):
    """(frames, rows, columns) -> (x, y, z)."""
    return np.moveaxis(np.asarray(frames), 0, -1).swapaxes(0, 1)


def grey(d):
    a = d.pixel_array
    return apply_modality_lut(a, d)


def colour(d, frames=None):
    """(x, y, z, t, 3) of uint8; frames are times."""
    a = d.pixel_array if frames is None else frames
    a = a if a.ndim == 4 else a[None]
    return a.transpose(2, 1, 0, 3)[:, :, None]


def sorted_stack(d, frames):
    """Frames of an enhanced object by place along the normal and time, affine, and their numbers in order."""
    shared = d.SharedFunctionalGroupsSequence[0]
    groups = d.PerFrameFunctionalGroupsSequence

    def of(group, *names):
        for source in (group, shared):
            if names[0] in source:
                return getattr(getattr(source, names[0])[0], names[1])
        return None

    orientation = [float(v) for v in of(groups[frames[0]], "PlaneOrientationSequence", "ImageOrientationPatient")]
    normal = np.cross(orientation[:3], orientation[3:])
    places = {f: np.array([float(v) for v in groups[f].PlanePositionSequence[0].ImagePositionPatient]) for f in frames}
    depths = sorted({round(float(places[f] @ normal), 4) for f in frames})
    columns = [[f for f in frames if abs(places[f] @ normal - depth) < 1e-3] for depth in depths]

    def time(f):
        content = groups[f].FrameContentSequence[0]
        return [content.get("TemporalPositionIndex", 0), list(content.get("DimensionIndexValues", []))]

    columns = [sorted(c, key=time) for c in columns]
    first, last = places[columns[0][0]], places[columns[-1][0]]
    spacing = of(groups[frames[0]], "PixelMeasuresSequence", "PixelSpacing")
    affine = plane(first, orientation, spacing, (last - first) / max(len(depths) - 1, 1))
    return np.array(columns).T, affine


def scaled(d, frames):
    shared = d.SharedFunctionalGroupsSequence[0]
    out = []
    for f in frames:
        group = d.PerFrameFunctionalGroupsSequence[f]
        source = group if "PixelValueTransformationSequence" in group else shared
        slope, inter = 1, 0
        if "PixelValueTransformationSequence" in source:
            t = source.PixelValueTransformationSequence[0]
            slope, inter = float(t.RescaleSlope), float(t.RescaleIntercept)
        out.append(d.pixel_array[f] * slope + inter)
    return np.array(out)


def enhanced(root, name, dtype, note="", frames=None, check=True, **more):
    d = pydicom.dcmread(root / name)
    order, affine = sorted_stack(d, list(range(d.NumberOfFrames)) if frames is None else frames)
    data = np.stack([columns_first(scaled(d, volume)) for volume in order], -1)
    tool = PYDICOM
    if check:
        other, place = by_dcm2niix([root / name])
        assert other.shape[:3] == data.shape[:3], (name, other.shape, data.shape)
        assert np.allclose(place, affine, atol=1e-3), (name, place, affine)
        tool += "; place: " + DCM2NIIX
    return image(name, data, affine, dtype, tool, note=note, **more)


def single(root, name, dtype, affine=None, rgb=None, note="", **more):
    """One slice; its place by the equation."""
    d = pydicom.dcmread(root / name)
    if affine is None:
        step = np.cross(np.array(d.ImageOrientationPatient[:3], float), np.array(d.ImageOrientationPatient[3:], float))
        affine = plane([float(v) for v in d.ImagePositionPatient], d.ImageOrientationPatient, d.PixelSpacing,
                       step * float(d.get("SpacingBetweenSlices") or d.get("SliceThickness") or 1))
    data = columns_first(grey(d)[None]) if rgb is None else colour(d, rgb)
    return image(name, data, affine, dtype, PYDICOM, note=note, rgb=rgb is not None, **more)


def mosaic(root, names, tiles):
    """The tiles by pydicom, the place by dcm2niix."""
    data, affine = by_dcm2niix([root / n for n in names])
    volumes = []
    for n in names:
        d = pydicom.dcmread(root / n)
        grid = int(np.ceil(np.sqrt(tiles)))
        h, w = d.Rows // grid, d.Columns // grid
        a = d.pixel_array.reshape(grid, h, grid, w).transpose(0, 2, 1, 3).reshape(-1, h, w)[:tiles]
        volumes.append(columns_first(a))
    own = np.stack(volumes, -1)
    if not np.array_equal(data.reshape(own.shape), own):  # slices against the direction of storage
        own = own[:, :, ::-1]
        assert np.array_equal(data.reshape(own.shape), own), names
    return image(names[0], own, affine, "uint16", PYDICOM + "; place: " + DCM2NIIX, parts=names[1:])


def small():
    f = "formats/dicom/"
    made = [enhanced(here, f + "enhanced_4d_scaled.dcm", "float32", "scale differs from frame to frame")]
    for kind in ("deflated", "big_endian", "implicit"):
        made.append(enhanced(here, f + f"enhanced_4d_{kind}.dcm", "uint16", check=kind == "implicit"))
    made.append(enhanced(here, f + "enhanced_dwi.dcm", "uint16"))
    made.append(enhanced(here, f + "enhanced_two_planes_two_echoes.dcm", "uint16", frames=[0, 1, 2], check=False,
                         note="the first of four images"))
    for kind in ("j2k_extended_table", "j2k_fragments", "j2k_basic_table", "rle"):
        d = pydicom.dcmread(here / f / f"enhanced_ct_{kind}.dcm")
        name = f + f"enhanced_ct_{kind}.dcm"
        if kind == "rle":
            made.append(enhanced(here, name, "uint16"))
            continue
        # Pillow's OpenJPEG decodes each code stream; the fragments are joined by their marks here.
        streams = split_streams(d.PixelData)
        frames = np.array([np.asarray(Image.open(io.BytesIO(s))) for s in streams]).astype(np.uint16)
        order, affine = sorted_stack(d, [0, 1, 2])
        data = columns_first(frames[order[0]].astype(float) - 1024)
        made.append(image(name, data, affine, "uint16", f"Pillow {Image.__version__}, {PYDICOM}"))
    d = pydicom.dcmread(here / f / "enhanced_ct_htj2k.dcm")
    order, affine = sorted_stack(d, [0, 1, 2])
    encoded = (np.arange(3 * 16 * 16).reshape(3, 16, 16) * 13 % 4000)[order[0]]  # what OpenJPH was given
    made.append(image(f + "enhanced_ct_htj2k.dcm", columns_first(encoded - 1024.0), affine, "uint16",
                      f"numpy {np.__version__}, OpenJPH 0.9.0, {PYDICOM}"))
    made += colours(f)
    made += bits(f)
    d = pydicom.dcmread(here / f / "dose_32_bit.dcm")
    affine = plane([-3, 4, 10], [1, 0, 0, 0, 1, 0], (2.5, 2), [0, 0, 3])
    made.append(image(f + "dose_32_bit.dcm", columns_first(d.pixel_array * 0.00025), affine, "uint32", PYDICOM))
    for kind, dtype in (("float", "float32"), ("double", "float64")):
        made.append(enhanced(here, f + f"map_{kind}.dcm", dtype, check=False))
    slices = [pydicom.dcmread(here / f / f"pet/{z}.dcm") for z in range(3)]
    data, place = by_dcm2niix([here / f / f"pet/{z}.dcm" for z in range(3)])
    own = columns_first([apply_modality_lut(s.pixel_array, s) for s in slices])
    assert np.allclose(data, own, atol=1e-3)
    made.append(image(f + "pet/0.dcm", own, place, "float32", PYDICOM + "; place: " + DCM2NIIX,
                      parts=[f + "pet/1.dcm", f + "pet/2.dcm"]))
    d = pydicom.dcmread(here / f / "nm_gated.dcm")
    a = d.pixel_array.reshape(2, 4, 6, 6)[:, ::-1]  # from head to feet
    affine = plane([-10, -12, 85], [1, 0, 0, 0, 1, 0], (4, 4), [0, 0, 5])
    made.append(image(f + "nm_gated.dcm", np.stack([columns_first(v) for v in a], -1), affine, "uint16", PYDICOM))
    d = pydicom.dcmread(here / f / "slide_tiled_full.dcm")
    whole = d.pixel_array.reshape(2, 3, 16, 16, 3).transpose(0, 2, 1, 3, 4).reshape(32, 48, 3)[:30, :40]
    made.append(image(f + "slide_tiled_full.dcm", colour(None, whole[None]), flat((0.008, 0.008)), "rgb24", PYDICOM,
                      rgb=True))
    made.append(mosaic(here, [f + "mosaic.dcm"], 35))
    made.append(refused(f + "mosaic_without_csa.dcm", "mosaic"))
    return made


def split_streams(pixel_data):
    """Code streams out of encapsulated bytes: fragments in order, cut where one starts."""
    from pydicom.encaps import generate_pixel_data_fragment
    from pydicom.filebase import DicomBytesIO

    stream = DicomBytesIO(pixel_data)
    stream.is_little_endian = True
    from pydicom.encaps import get_frame_offsets
    get_frame_offsets(stream)
    streams = []
    for fragment in generate_pixel_data_fragment(stream):
        if fragment[:4] == b"\xff\x4f\xff\x51":
            streams.append(b"")
        streams[-1] += fragment
    return streams


def colours(f):
    d = {n: pydicom.dcmread(here / f / f"{n}.dcm") for n in
         ("colour_planar", "colour_16_bit", "colour_ybr_full", "palette_16_bit", "palette_segmented", "us_cine_jpeg",
          "us_j2k_rct")}
    cine = np.array([np.asarray(Image.open(io.BytesIO(frame)).convert("RGB")) for frame in
                     split_jpegs(d["us_cine_jpeg"].PixelData)])
    palettes = {n: (apply_color_lut(d[n].pixel_array, d[n]) >> 8).astype(np.uint8)
                for n in ("palette_16_bit", "palette_segmented")}
    rct = np.asarray(Image.open(io.BytesIO(split_streams(d["us_j2k_rct"].PixelData)[0])))
    return [
        single(here, f + "colour_planar.dcm", "rgb24", flat(), d["colour_planar"].pixel_array[None]),
        single(here, f + "colour_16_bit.dcm", "rgb24", flat(), (d["colour_16_bit"].pixel_array >> 8)[None]),
        single(here, f + "colour_ybr_full.dcm", "rgb24", flat(),
               convert_color_space(d["colour_ybr_full"].pixel_array, "YBR_FULL", "RGB")[None], tolerance=1),
        single(here, f + "palette_16_bit.dcm", "rgb24", flat(), palettes["palette_16_bit"][None]),
        single(here, f + "palette_segmented.dcm", "rgb24", flat(), palettes["palette_segmented"][None], tolerance=1),
        single(here, f + "us_cine_jpeg.dcm", "rgb24", flat((0.3, 0.2)), cine, tolerance=2),
        single(here, f + "us_j2k_rct.dcm", "rgb24", flat(), rct[None]),
    ]


def split_jpegs(pixel_data):
    from pydicom.encaps import generate_pixel_data_fragment, get_frame_offsets
    from pydicom.filebase import DicomBytesIO

    stream = DicomBytesIO(pixel_data)
    stream.is_little_endian = True
    get_frame_offsets(stream)
    return list(generate_pixel_data_fragment(stream))


def bits(f):
    d = pydicom.dcmread(here / f / "bits_12_high_13_overlay.dcm")
    raw = np.frombuffer(d.PixelData, "<u2").reshape(8, 12)
    shifted = (raw >> 2) & 0x0FFF
    d = pydicom.dcmread(here / f / "bits_12_signed.dcm")
    raw = np.frombuffer(d.PixelData, "<u2").reshape(8, 12).astype(int)
    signed = np.where(raw & 0x800, raw - 4096, raw)
    one = pydicom.dcmread(here / f / "bits_1.dcm").pixel_array
    table = grey(pydicom.dcmread(here / f / "modality_table.dcm"))
    return [
        image(f + "bits_12_high_13_overlay.dcm", columns_first(shifted[None]), flat(), "uint16", "numpy, by PS3.5 8.1.1"),
        image(f + "bits_12_signed.dcm", columns_first(signed[None]), flat(), "int16", "numpy, by PS3.5 8.1.1"),
        image(f + "bits_1.dcm", np.stack([columns_first(v[None]) for v in one], -1), flat(), "uint8", PYDICOM),
        image(f + "modality_table.dcm", columns_first(table[None]), flat(), "uint16", PYDICOM),
    ]


def shared(root):
    f = "dicom/"
    made = [mosaic(root, sorted(str(p.relative_to(root)) for p in (root / f / "mr_siemens_mosaic_ax").iterdir()), 35)]
    made.append(enhanced(root, f + "mr_enhanced_xa10/enh.dcm", "uint16"))
    made.append(enhanced(root, f + "seg_24x38x3/multiframe_mf.dcm", "uint16", check=False))
    for name in ("emri_small.dcm", "emri_small_RLE.dcm"):
        d = pydicom.dcmread(root / f / "mr_enhanced_small" / name)
        made.append(image(f + "mr_enhanced_small/" + name, columns_first(d.pixel_array), flat((1, 1), 1.2), "uint16",
                          PYDICOM, note="no functional groups: no place"))
    for path in sorted((root / f / "transfer_syntaxes_ct").iterdir()):
        name = str(path.relative_to(root))
        dtype = "uint8" if "JPEGProcess1Transfer" in name else "int16"
        made.append(single(root, name, dtype, tolerance=40 if dtype == "uint8" else 0))
    for name in ("CT1_J2KR", "MR2_J2KR.dcm", "MR2_UNCR.dcm"):
        dtype = "int16" if name.startswith("CT") else "uint16"
        made.append(single(root, f + "transfer_syntaxes_misc/" + name, dtype))
    made.append(single(root, f + "transfer_syntaxes_misc/JPEG-LL.dcm", "int16", flat((2.26, 2.26))))
    for name in ("US1_J2KR.dcm", "US1_UNCR.dcm"):
        d = pydicom.dcmread(root / f / "transfer_syntaxes_misc" / name)
        made.append(single(root, f + "transfer_syntaxes_misc/" + name, "rgb24", flat(), d.pixel_array[None]))
    d = pydicom.dcmread(root / f / "us/US-YBR_FULL_422-EVRLE.dcm")
    region = d.SequenceOfUltrasoundRegions[0]
    rgb = convert_color_space(d.pixel_array, "YBR_FULL", "RGB")
    spacing = (region.PhysicalDeltaY * 10, region.PhysicalDeltaX * 10)
    made.append(single(root, f + "us/US-YBR_FULL_422-EVRLE.dcm", "rgb24", flat(spacing), rgb[None], tolerance=1))
    for name, place in (("us/OBXXXX1A.dcm", "region"), ("odd_pixels/TestPattern_Palette.dcm", None)):
        d = pydicom.dcmread(root / f / name)
        rgb = apply_color_lut(d.pixel_array, d)
        rgb = (rgb >> 8 if rgb.max() > 255 else rgb).astype(np.uint8)
        if place:
            region = d.SequenceOfUltrasoundRegions[0]
            affine = flat((region.PhysicalDeltaY * 10, region.PhysicalDeltaX * 10))
        else:
            affine = None
        made.append(single(root, f + name, "rgb24", affine, rgb[None]))
    for name in ("SC_rgb_jpeg.dcm", "SC_rgb_rle.dcm"):
        d = pydicom.dcmread(root / f / "small_misc" / name)
        spacing = d.get("PixelSpacing") or (1, 1)
        if name == "SC_rgb_jpeg.dcm":  # an implicit data set, Adobe's marker without a transform
            d.decompress("gdcm")
        rgb = d.pixel_array
        made.append(single(root, f + "small_misc/" + name, "rgb24", flat(spacing), rgb[None], tolerance=2))
    d = pydicom.dcmread(root / f / "wsi/multiframe.dcm")
    columns, rows = d.TotalPixelMatrixColumns, d.TotalPixelMatrixRows
    whole = np.zeros((rows + 240, columns + 240, 3), np.uint8)
    across = -(-columns // 240)
    for n, frame in enumerate(generate_pixel_data_frame(d.PixelData, d.NumberOfFrames)):
        y, x = n // across * 240, n % across * 240
        tile = np.asarray(Image.open(io.BytesIO(frame)).convert("RGB"))  # smaller at the edges
        whole[y:y + tile.shape[0], x:x + tile.shape[1]] = tile
    made.append(image(f + "wsi/multiframe.dcm", colour(None, whole[None, :rows, :columns]), flat((1.03424, 1.03424)),
                      "rgb24", f"Pillow {Image.__version__}, {PYDICOM}", rgb=True, tolerance=2))
    made.append(refused(f + "small_misc/test-SR.dcm", "structured report"))
    made.append(refused(f + "rt_breast/rtplan.dcm", "plan"))
    return made


write(here / "formats/dicom_frames.json", small())
if len(sys.argv) > 1:
    write(here / "formats/dicom_frames_shared.json", shared(Path(sys.argv[1])))
