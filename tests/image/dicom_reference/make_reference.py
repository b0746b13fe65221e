#!/usr/bin/env python3
"""Makes tests/data/dicom/made (synthetic and re-encoded files) and tests/data/dicom/reference.json: what pydicom and
numpy say of the files there. Needs pydicom, numpy, pillow and dcmtk's tools. Run it by hand: make_reference.py DATA_DIR.

Geometry is computed here pixel by pixel from the equation of DICOM PS3.3 C.7.6.2.1.1, never from an affine."""
import json
import pathlib
import random
import shutil
import subprocess
import sys

import numpy
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

ROOT = pathlib.Path(sys.argv[1])
MADE = ROOT / "made"
CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
PET = "1.2.840.10008.5.1.4.1.1.128"
SC = "1.2.840.10008.5.1.4.1.1.7"
FLAT = (200, 40, 90)  # a colour that JPEG keeps within 3


def uid(*names):
    return generate_uid(entropy_srcs=["nora-test", *map(str, names)])


def instance(name, number, sop_class, modality, pixels, **elements):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = uid(name, number)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    d = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    d.is_little_endian, d.is_implicit_VR = True, False
    d.SOPClassUID, d.SOPInstanceUID = sop_class, meta.MediaStorageSOPInstanceUID
    d.StudyInstanceUID, d.SeriesInstanceUID = uid("study"), uid(name)
    d.PatientName, d.PatientID, d.Modality = "Phantom^" + name, "PHANTOM", modality
    d.SeriesDescription, d.SeriesNumber, d.InstanceNumber = name, 1, number
    d.Rows, d.Columns = pixels.shape[:2]
    d.SamplesPerPixel = 1
    d.PhotometricInterpretation = "MONOCHROME2"
    d.BitsAllocated = pixels.dtype.itemsize * 8
    d.BitsStored, d.HighBit = d.BitsAllocated, d.BitsAllocated - 1
    d.PixelRepresentation = int(pixels.dtype.kind == "i")
    d.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    for key, value in elements.items():
        setattr(d, key, value)
    return d


def save(d, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    d.save_as(path, write_like_original=False)


def phantom_left():
    """Axial slices with a bright block on the patient's left (LPS +x), brighter towards the head."""
    for z in range(4):
        pixels = numpy.full((16, 16), 10, numpy.int16)
        pixels[6:10, 10:14] = 100 + 50 * z
        save(instance("left", z + 1, MR, "MR", pixels, ImagePositionPatient=[-15, -20, 3 * z],
                      ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[2.5, 2], SliceThickness=3),
             MADE / "left" / f"{3 - z}.dcm")


def sheared():
    """A tilted gantry: each slice is shifted along y."""
    rng = numpy.random.default_rng(2)
    for z in range(5):
        pixels = rng.integers(0, 2000, (8, 12)).astype(numpy.uint16)
        save(instance("sheared", 5 - z, CT, "CT", pixels, ImagePositionPatient=[-6, -4 + 0.8 * z, 2 * z],
                      ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[1, 1], SliceThickness=4,
                      RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=[40, 300], WindowWidth=[400, 1500]),
             MADE / "sheared" / f"{z}.dcm")


def pet():
    rng = numpy.random.default_rng(3)
    for z in range(3):
        pixels = rng.integers(0, 30000, (8, 8)).astype(numpy.int16)
        save(instance("pet", z + 1, PET, "PT", pixels, ImagePositionPatient=[0, 0, -4 * z],
                      ImageOrientationPatient=[1, 0, 0, 0, 1, 0], PixelSpacing=[4, 4],
                      RescaleSlope=f"{0.5 + 0.25 * z}", RescaleIntercept=0), MADE / "pet" / f"{z}.dcm")


def bits():
    """12 bits in 16, with rubbish in the four unused bits as old overlays left it; unsigned, signed, and high."""
    rng = numpy.random.default_rng(4)
    values = rng.integers(0, 4096, (9, 7)).astype(numpy.uint16)
    rubbish = (rng.integers(0, 16, (9, 7)) << 12).astype(numpy.uint16)
    geometry = dict(ImagePositionPatient=[1, 2, 3], ImageOrientationPatient=[0, 1, 0, 0, 0, -1], PixelSpacing=[1, 1],
                    BitsStored=12, HighBit=11)
    save(instance("bits12", 1, MR, "MR", values | rubbish, **geometry), MADE / "bits12.dcm")
    save(instance("bits12s", 1, MR, "MR", values | rubbish, PixelRepresentation=1, **geometry), MADE / "bits12_signed.dcm")
    geometry["HighBit"] = 15
    save(instance("bits12h", 1, MR, "MR", values << 4 | rubbish >> 12, **geometry), MADE / "bits12_high.dcm")
    values8 = rng.integers(0, 256, (5, 7)).astype(numpy.uint8)  # odd number of bytes
    save(instance("mono1", 1, SC, "OT", values8, PhotometricInterpretation="MONOCHROME1"), MADE / "monochrome1.dcm")
    signed = {"bits12_signed.dcm": ((values.astype(int) ^ 0x800) - 0x800)}
    return {"bits12.dcm": values.astype(int), "bits12_high.dcm": values.astype(int), **signed}


def colour():
    rng = numpy.random.default_rng(5)
    rgb = rng.integers(0, 256, (6, 10, 3)).astype(numpy.uint8)
    common = dict(SamplesPerPixel=3, PhotometricInterpretation="RGB")
    save(instance("rgb0", 1, SC, "OT", rgb, PlanarConfiguration=0, **common), MADE / "rgb_pixel.dcm")
    planes = numpy.ascontiguousarray(rgb.transpose(2, 0, 1))
    d = instance("rgb1", 1, SC, "OT", rgb, PlanarConfiguration=1, **common)
    d.PixelData = planes.tobytes()
    save(d, MADE / "rgb_plane.dcm")
    y, cb, cr = 60, 200, 90
    ybr = numpy.tile(numpy.array([y, cb, cr], numpy.uint8), (4, 4, 1))
    save(instance("ybr", 1, SC, "OT", ybr, SamplesPerPixel=3, PhotometricInterpretation="YBR_FULL",
                  PlanarConfiguration=0), MADE / "ybr_full.dcm")
    index = rng.integers(0, 4, (4, 6)).astype(numpy.uint8)
    table = numpy.array([[0, 255, 10, 20], [0, 0, 200, 30], [0, 128, 90, 40]], numpy.uint16)
    d = instance("palette", 1, SC, "OT", index, PhotometricInterpretation="PALETTE COLOR")
    for c, colour_name in enumerate(("Red", "Green", "Blue")):
        setattr(d, colour_name + "PaletteColorLookupTableDescriptor", [4, 0, 16])
        setattr(d, colour_name + "PaletteColorLookupTableData", (table[c] << 8).astype("<u2").tobytes())
    save(d, MADE / "palette.dcm")
    exact = numpy.array([y + 1.402 * (cr - 128), y - 0.344136 * (cb - 128) - 0.714136 * (cr - 128), y + 1.772 * (cb - 128)])
    return {"rgb_plane.dcm": rgb, "ybr_full.dcm": numpy.tile(numpy.clip(numpy.rint(exact), 0, 255).astype(int), (4, 4, 1)),
            "palette.dcm": table.T[index].astype(int)}


def encoded():
    """The same CT slice in other transfer syntaxes, by dcmtk."""
    source = ROOT / "small" / "CT_small.dcm"
    for tool, option, name in [("dcmconv", "+ti", "implicit"), ("dcmconv", "+tb", "big_endian"), ("dcmconv", "+td", "deflated"),
                               ("dcmcrle", "+ur", "rle"), ("dcmcjpeg", "+e1", "jpeg_lossless"), ("dcmcjpls", "+el", "jpeg_ls")]:
        flags = [option] if option != "+ur" else []
        subprocess.run([tool, *flags, source, MADE / f"ct_{name}.dcm"], check=True)
    rgb = MADE / "rgb_pixel.dcm"
    for tool, option, name in [("dcmconv", "+tb", "big_endian"), ("dcmcrle", None, "rle"), ("dcmcjpls", "+el", "jpeg_ls")]:
        subprocess.run([tool, *([option] if option else []), rgb, MADE / f"rgb_{name}.dcm"], check=True)
    flat = instance("flat", 1, SC, "OT", numpy.tile(numpy.array(FLAT, numpy.uint8), (16, 16, 1)), SamplesPerPixel=3,
                    PhotometricInterpretation="RGB", PlanarConfiguration=0)
    save(flat, MADE / "rgb_flat.dcm")
    subprocess.run(["dcmcjpeg", "+eb", MADE / "rgb_flat.dcm", MADE / "rgb_jpeg_baseline.dcm"], check=True)
    subprocess.run(["dcmconv", "-F", "+ti", ROOT / "small" / "MR_small.dcm", MADE / "mr_without_preamble.dcm"], check=True)
    subprocess.run(["dcmconv", "+tb", MADE / "monochrome1.dcm", MADE / "monochrome1_big_endian.dcm"], check=True)


def scaled(d, pixels):
    return pixels.astype(float) * float(d.get("RescaleSlope", 1)) + float(d.get("RescaleIntercept", 0))


def ras(lps):
    return [-float(lps[0]), -float(lps[1]), float(lps[2])]


def stack(name, files, known=None, time_of=lambda d: 0, probes=12, tolerance=0.0):
    """`known`: pixels made above, where pydicom hands out rubbish bits or another colour model."""
    rng = random.Random(name)
    loaded = [(f, pydicom.dcmread(ROOT / f, force=True)) for f in files]
    answer = {"name": name, "files": files, "columns": int(loaded[0][1].Columns), "rows": int(loaded[0][1].Rows), "tolerance": tolerance,
              "probes": []}
    times = sorted({time_of(d) for _, d in loaded})
    answer["timePoints"] = len(times)
    answer["slices"] = len(loaded) // len(times)
    total = 0.0
    for path, d in loaded:
        pixels = known if known is not None else d.pixel_array
        values = scaled(d, pixels)
        total += float(values.sum())
        position = numpy.array([float(v) for v in d.get("ImagePositionPatient", [0, 0, 0])])
        orientation = [float(v) for v in d.get("ImageOrientationPatient", [1, 0, 0, 0, 1, 0])]
        spacing = [float(v) for v in d.get("PixelSpacing", d.get("ImagerPixelSpacing", [1, 1]))]
        for _ in range(probes):
            i, j = rng.randrange(d.Columns), rng.randrange(d.Rows)
            lps = position + numpy.array(orientation[:3]) * spacing[1] * i + numpy.array(orientation[3:]) * spacing[0] * j
            answer["probes"].append({"mm": ras(lps), "time": times.index(time_of(d)), "value": values[j, i].tolist()})
    answer["sum"] = total
    return answer


def header(path):
    d = pydicom.dcmread(ROOT / path, force=True, stop_before_pixels=True)
    d.decode()
    return {"file": path, "patientName": str(d.PatientName), "patientId": str(d.get("PatientID", "")).strip(), "modality": d.Modality,
            "studyUid": str(d.StudyInstanceUID), "seriesUid": str(d.SeriesInstanceUID), "rows": int(d.get("Rows", 0)),
            "seriesDescription": str(d.get("SeriesDescription", "")).strip(), "instanceNumber": int(d.InstanceNumber or 0)}


def main():
    shutil.rmtree(MADE, ignore_errors=True)
    MADE.mkdir(parents=True)
    phantom_left(), sheared(), pet()
    known = {**bits(), **colour()}
    encoded()
    stacks = [stack("left", [f"made/left/{i}.dcm" for i in range(4)]),
              stack("sheared", [f"made/sheared/{i}.dcm" for i in range(5)]),
              stack("pet", [f"made/pet/{i}.dcm" for i in range(3)], tolerance=0.01),
              stack("seg_24x38x3", [f"seg_24x38x3/image_IMG000{i}.dcm" for i in (3, 1, 2)]),
              stack("fmri", [f"fmri/t{t}_z{z}.dcm" for z in (1, 0, 2) for t in (2, 3, 1)],
                    time_of=lambda d: int(d.TemporalPositionIdentifier)),
              stack("cardiac", [str(p.relative_to(ROOT)) for p in sorted((ROOT / "fileset/98892001/CT5N").iterdir())]),
              stack("sc_rgb_rle", ["small/SC_rgb_rle.dcm"])]
    ct = pydicom.dcmread(ROOT / "small/CT_small.dcm").pixel_array
    for path in ["small/CT_small.dcm", "small/MR_small.dcm", "made/monochrome1.dcm", "made/rgb_pixel.dcm", "fileset/77654033/CR1/6154"]:
        stacks.append(stack(path, [path]))
    for name in ("implicit", "big_endian", "deflated", "rle", "jpeg_lossless", "jpeg_ls"):
        stacks.append(stack(f"ct_{name}", [f"made/ct_{name}.dcm"], known=ct))
    for name in ("big_endian", "rle", "jpeg_ls"):
        stacks.append(stack(f"rgb_{name}", [f"made/rgb_{name}.dcm"], known=known["rgb_plane.dcm"]))
    stacks.append(stack("rgb_jpeg_baseline", ["made/rgb_jpeg_baseline.dcm"], known=numpy.tile(numpy.array(FLAT), (16, 16, 1)), tolerance=3))
    mono = pydicom.dcmread(MADE / "monochrome1.dcm").pixel_array
    stacks.append(stack("monochrome1_big_endian", ["made/monochrome1_big_endian.dcm"], known=mono))
    mr = pydicom.dcmread(ROOT / "small/MR_small.dcm").pixel_array
    stacks.append(stack("mr_without_preamble", ["made/mr_without_preamble.dcm"], known=mr))
    stacks += [stack(name, ["made/" + name], known=pixels) for name, pixels in known.items()]
    headers = [header(p) for p in ["charsets/chrFren.dcm", "charsets/chrGerm.dcm", "charsets/chrH31.dcm", "small/CT_small.dcm",
                                   "small/MR_small.dcm", "fmri/t2_z1.dcm", "small/test-SR.dcm", "made/mr_without_preamble.dcm"]]
    versions = {"pydicom": pydicom.__version__, "numpy": numpy.__version__,
                "dcmtk": subprocess.run(["dcmconv", "--version"], capture_output=True, text=True).stdout.split()[2]}
    answer = {"madeBy": versions, "stacks": stacks, "headers": headers}
    (ROOT / "reference.json").write_text(json.dumps(answer, indent=1, ensure_ascii=False) + "\n")


main()
