"""`nora info` and `nora probe` against nibabel and pydicom, on the sample data and on bad files."""
import bz2
import gzip
import json
import lzma
import os
import subprocess
import tempfile
import unittest

import nibabel
import numpy
import pydicom

from nora_client import DEMO, PROGRAM

NIFTIS = ["sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_atlas-AAL_dseg.nii.gz",
          "sub-01/func/sub-01_task-motor_stat-t_statmap.nii.gz", "sub-02/ses-1/anat/sub-02_ses-1_T1w.nii.gz",
          "sub-02/ses-2/func/sub-02_ses-2_task-oneback_bold.nii.gz"]


INDEX = tempfile.TemporaryDirectory(prefix="nora-index-")  # not that of who runs the tests
ENVIRONMENT = {**os.environ, "NORA_INDEX": os.path.join(INDEX.name, "index.sqlite")}


def nora(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, timeout=120, env=ENVIRONMENT)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


class Info(unittest.TestCase):
    def test_nifti_agrees_with_nibabel(self):
        paths = [os.path.join(DEMO, name) for name in NIFTIS]
        status, out, error = nora("info", "--json", *paths)
        self.assertEqual(status, 0, error)
        rows = json.loads(out)
        self.assertEqual([row["file"] for row in rows], paths)
        for row, path in zip(rows, paths):
            with self.subTest(path):
                image = nibabel.load(path)
                data = numpy.asanyarray(image.dataobj).astype("f8")
                self.assertEqual(tuple(row["dims"]), image.shape)
                numpy.testing.assert_allclose(row["affine"], image.affine, atol=1e-6)
                self.assertEqual(row["orientation"], "".join(nibabel.aff2axcodes(image.affine)))
                self.assertEqual(row["affineSource"], "sform" if image.header["sform_code"] > 0 else "qform")
                self.assertEqual(row["type"], str(image.get_data_dtype()))
                self.assertEqual(row["timePoints"], image.shape[3] if len(image.shape) > 3 else 1)
                self.assertEqual(row["kind"], "image")
                numpy.testing.assert_allclose(row["spacingMm"], image.header.get_zooms()[:3], rtol=1e-5)
                numpy.testing.assert_allclose([row["min"], row["max"], row["mean"]],
                                              [data.min(), data.max(), data.mean()], rtol=1e-6)

    def test_probe_agrees_with_nibabel(self):
        generator = numpy.random.default_rng(7)
        for name in NIFTIS:
            path = os.path.join(DEMO, name)
            image = nibabel.load(path)
            data = numpy.asanyarray(image.dataobj)
            shape = image.shape + (1,) * (4 - len(image.shape))
            for _ in range(4):
                voxel = [int(generator.integers(0, n)) for n in shape]
                mm = nibabel.affines.apply_affine(image.affine, voxel[:3])
                expected = float(data.reshape(shape)[tuple(voxel)])
                for where in (["--voxel", *map(str, voxel[:3])], ["--mm", *(repr(float(v)) for v in mm)]):
                    status, out, error = nora("probe", path, *where, "--time", str(voxel[3]), "--json")
                    self.assertEqual(status, 0, error)
                    row = json.loads(out)
                    self.assertEqual(row["voxel"], voxel[:3])
                    numpy.testing.assert_allclose(row["mm"], mm, atol=1e-4)
                    self.assertAlmostEqual(row["value"], expected, delta=1e-6 * max(1, abs(expected)))
                    self.assertAlmostEqual(row["trilinear"], expected, delta=1e-2 * max(1, abs(expected)))

    def test_dicom_series_agrees_with_pydicom(self):
        folder = os.path.join(DEMO, "sub-03", "dicom")
        status, out, error = nora("info", "--json", folder)
        self.assertEqual(status, 0, error)
        (row,) = json.loads(out)
        slices = [pydicom.dcmread(os.path.join(folder, name)) for name in os.listdir(folder)]
        across = numpy.array(slices[0].ImageOrientationPatient[:3], float)
        down = numpy.array(slices[0].ImageOrientationPatient[3:], float)
        normal = numpy.cross(across, down)
        slices.sort(key=lambda s: numpy.dot(normal, numpy.array(s.ImagePositionPatient, float)))
        self.assertEqual(row["dims"], [slices[0].Columns, slices[0].Rows, len(slices)])
        first, last = (numpy.array(s.ImagePositionPatient, float) for s in (slices[0], slices[-1]))
        affine = numpy.eye(4)
        affine[:3, 0] = across * float(slices[0].PixelSpacing[1])
        affine[:3, 1] = down * float(slices[0].PixelSpacing[0])
        affine[:3, 2] = (last - first) / (len(slices) - 1)
        affine[:3, 3] = first
        numpy.testing.assert_allclose(row["affine"], numpy.diag([-1, -1, 1, 1]) @ affine, atol=1e-4)
        for i, j, k in [(100, 120, 0), (128, 90, 10), (30, 200, len(slices) - 1)]:
            status, out, _ = nora("probe", folder, "--voxel", str(i), str(j), str(k), "--json")
            self.assertEqual(status, 0)
            self.assertEqual(json.loads(out)["value"], float(slices[k].pixel_array[j, i]))


class PackedFiles(unittest.TestCase):
    def test_bzip2_and_xz_are_read_like_the_plain_file_and_cuts_are_told(self):
        data = numpy.arange(24 * 20 * 8, dtype="i2").reshape(24, 20, 8)
        plain = nibabel.Nifti1Image(data, numpy.diag([2, 3, 4, 1])).to_bytes()
        with tempfile.TemporaryDirectory() as folder:
            for suffix, packed in ((".bz2", bz2.compress(plain)), (".xz", lzma.compress(plain)),
                                   (".bz2", bz2.compress(plain[:500]) + bz2.compress(plain[500:]))):
                path = os.path.join(folder, "a.nii" + suffix)
                with open(path, "wb") as file:
                    file.write(packed)
                with open(os.path.join(folder, "a.json"), "w") as file:
                    json.dump({"EchoTime": 0.03}, file)
                status, out, error = nora("info", "--json", path)
                self.assertEqual(status, 0, error)
                row = json.loads(out)[0]
                self.assertEqual((row["dims"], row["max"]), ([24, 20, 8], float(data.max())))
                self.assertIn(["EchoTime", "0.03"], row["fields"])
                status, out, _ = nora("probe", path, "--voxel", "3", "2", "1", "--json")
                self.assertEqual(json.loads(out)["value"], float(data[3, 2, 1]))
                for size in (len(packed) // 2, 20, 4):
                    with open(path, "wb") as file:
                        file.write(packed[:size])
                    status, _, error = nora("info", path)
                    self.assertNotEqual(status, 0)
                    self.assertIn("a.nii", error)
            with open(path, "wb") as file:
                file.write(lzma.compress(plain[:352 + 1000]))
            self.assertIn("cut short", nora("info", path)[2])


class Geometry(unittest.TestCase):
    def test_info_has_counts_but_no_numbers_that_only_look_like_them(self):
        formats = os.path.join(os.path.dirname(__file__), "..", "data", "formats")
        files = [os.path.join(folder, name) for folder in ("tracts", "gifti")
                 for name in sorted(os.listdir(os.path.join(formats, folder))) if name.endswith((".trk", ".trx", ".gii"))]
        self.assertGreater(len(files), 4)
        status, out, error = nora("info", "--json", *(os.path.join(formats, name) for name in files))
        rows = [row for row in json.loads(out) if "error" not in row]
        self.assertGreater(len(rows), 4)

        def keys(value):
            if isinstance(value, dict):
                return set(value).union(*map(keys, value.values()))
            return set().union(*map(keys, value)) if isinstance(value, list) else set()

        for row in rows:
            with self.subTest(row["file"]):
                self.assertFalse(keys(row) & {"array", "positions", "offsets", "triangleCorners"})
                self.assertEqual("points" in row, row["kind"] == "tracts")


    def test_a_broken_trx_folder_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            numpy.array([[0, 0, 0], [1, 2, 3]], "<f4").tofile(os.path.join(folder, "positions.3.float32"))
            numpy.array([0, 2], "<u4").tofile(os.path.join(folder, "offsets.uint32"))
            self.assertIn("without its header.json", nora("info", folder)[2])
            for text in ("", "{", '{"NB_STREAMLINES": 1}'):
                with open(os.path.join(folder, "header.json"), "w") as file:
                    file.write(text)
                self.assertIn("header.json is damaged", nora("info", folder)[2])


class SeveralImagesInOneFile(unittest.TestCase):
    FILE = os.path.join(os.path.dirname(__file__), "..", "data", "formats", "dicom",
                        "enhanced_two_planes_two_echoes.dcm")

    def test_each_is_listed_with_a_name_and_a_key_that_every_command_takes(self):
        status, out, error = nora("info", "--json", self.FILE)
        self.assertEqual(status, 0, error)
        rows = json.loads(out)
        self.assertEqual([row["name"] for row in rows],
                         ["series 1 (echo 1, 10 ms, axial)", "series 1 (echo 2, 30 ms, axial)",
                          "series 1 (echo 1, 10 ms, sagittal)", "series 1 (echo 2, 30 ms, sagittal)"])
        values = set()
        for row in rows:
            _, out, _ = nora("info", "--json", self.FILE, "--series", row["series"])
            self.assertEqual([one["min"] for one in json.loads(out)], [row["min"]])
            status, out, error = nora("probe", self.FILE, "--voxel", "0", "0", "0", "--series", row["series"], "--json")
            self.assertEqual(status, 0, error)
            values.add(json.loads(out)["value"])
            with tempfile.TemporaryDirectory() as folder:
                status, out, error = nora("render", self.FILE, "--series", row["series"], "--print-scene",
                                          "-o", os.path.join(folder, "a.png"), "--size", "64x64")
                self.assertEqual(status, 0, error)
                scene = json.loads(out)
                self.assertEqual(scene["layers"][0]["source"]["series"], row["series"])
                path = os.path.join(folder, "scene.json")
                with open(path, "w") as file:
                    json.dump(scene, file)
                self.assertEqual(nora("render", path, "-o", os.path.join(folder, "b.png"), "--size", "64x64")[0], 0)
                with open(os.path.join(folder, "a.png"), "rb") as a, open(os.path.join(folder, "b.png"), "rb") as b:
                    self.assertEqual(a.read(), b.read())
        self.assertEqual(len(values), 4)
        self.assertNotEqual(nora("info", self.FILE, "--series", "1.2#9@99")[0], 0)

    def test_images_with_equal_uids_are_named_apart(self):
        source = os.path.join(DEMO, "sub-03", "dicom")
        first = pydicom.dcmread(os.path.join(source, sorted(os.listdir(source))[0]))
        with tempfile.TemporaryDirectory() as folder:
            for patient, value in (("anna", 11), ("bert", 22)):
                first.PatientID = patient
                first.SOPInstanceUID = f"1.2.{value}"
                first.PixelData = numpy.full((first.Rows, first.Columns), value, "<i2").tobytes()
                first.save_as(os.path.join(folder, patient + ".dcm"))
            status, out, error = nora("info", "--json", folder)
            self.assertEqual(status, 0, error)
            names = [row["series"] for row in json.loads(out)]
            self.assertEqual(len(set(names)), 2)
            values = set()
            for name in names:
                status, out, error = nora("probe", folder, "--series", name, "--voxel", "0", "0", "0", "--json")
                self.assertEqual(status, 0, error)
                values.add(json.loads(out)["value"])
                status, out, error = nora("info", "--json", folder, "--series", name)
                self.assertEqual([row["series"] for row in json.loads(out)], [name])
            self.assertEqual(len(values), 2)
            for command in (["info"], ["probe", "--voxel", "0", "0", "0"], ["render", "-o", "/dev/null"]):
                status, _, error = nora(*command[:1], folder, *command[1:], "--series", str(first.SeriesInstanceUID))
                self.assertNotEqual(status, 0)
                for name in names:
                    self.assertIn(name, error)

    def test_probe_tells_the_unit_and_the_suv(self):
        folder = os.path.join(os.path.dirname(self.FILE), "pet")
        status, out, error = nora("probe", folder, "--voxel", "1", "1", "1", "--json")
        self.assertEqual(status, 0, error)
        row = json.loads(out)
        _, out, _ = nora("info", "--json", folder)
        (info,) = json.loads(out)
        self.assertEqual(row["unit"], "Bq/mL")
        factor = dict(info["otherUnits"])["SUVbw"]
        (suv,) = row["otherUnits"]
        self.assertEqual(suv["unit"], "SUVbw")
        self.assertAlmostEqual(suv["value"], factor * row["value"])
        self.assertIn(" Bq/mL = ", nora("probe", folder, "--voxel", "1", "1", "1")[1])


class BadInput(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        with open(os.path.join(DEMO, NIFTIS[2]), "rb") as file:
            self.good = gzip.decompress(file.read())

    def tearDown(self):
        self.folder.cleanup()

    def file(self, name, content):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def assert_refused(self, path, word):
        status, out, error = nora("info", "--json", path)
        self.assertNotEqual(status, 0)
        self.assertLess(status, 128, "died by a signal")
        self.assertIn(word, error)
        self.assertEqual(error.count("\n"), 1, error)
        (row,) = json.loads(out)
        self.assertTrue(row["error"]["what"])

    def test_each_bad_file_gets_one_line_that_names_it(self):
        header = bytearray(self.good[:352])
        huge = bytearray(header)
        huge[40:56] = b"\x07\x00" + b"\xff\x7f" * 7
        zero = bytearray(self.good)
        zero[252:256] = b"\0" * 4  # qform and sform codes
        cases = {"truncated.nii": self.good[:100000], "half a header.nii": self.good[:100], "empty.nii": b"",
                 "huge.nii": bytes(huge) + b"\0" * 1000, "broken.nii.gz": gzip.compress(self.good)[:50000],
                 "garbage.nii.gz": os.urandom(5000), "new\nline'\".nii": self.good[:5000], "no-image": b"hello"}
        for name, content in cases.items():
            with self.subTest(name):
                self.assert_refused(self.file(name, content), name.split("\n")[0].split(" ")[0])

    def test_missing_files_folders_and_devices_are_refused(self):
        self.assert_refused(os.path.join(self.folder.name, "missing.nii"), "missing.nii")
        self.assert_refused(self.folder.name, "no DICOM")
        self.assert_refused("/dev/zero", "/dev/zero")
        pipe = os.path.join(self.folder.name, "pipe.nii")
        os.mkfifo(pipe)
        self.assert_refused(pipe, "pipe.nii")

    def test_wrong_arguments_are_told(self):
        path = os.path.join(DEMO, NIFTIS[0])
        for arguments in (["probe", path], ["probe", path, "--voxel", "1", "2"], ["probe", path, "--voxel", "1", "2", "x"],
                          ["probe", path, "--voxel", "1", "2", "3", "--time", "9"], ["render", path], ["frobnicate"],
                          ["render", path, "-o", "/tmp/x.png", "--size", "0x9"], ["render", path, "-o", "/tmp/x.png", "--view", "no"],
                          ["serve", "/nonexistent"], ["serve", DEMO, "--port", "99999"]):
            with self.subTest(arguments):
                status, _, error = nora(*arguments)
                self.assertNotEqual(status, 0)
                self.assertTrue(error.strip())

    def test_backends_are_chosen_and_said(self):
        path = os.path.join(DEMO, NIFTIS[0])
        picture = os.path.join(self.folder.name, "backend.png")
        for backend in ("auto", "cpu"):
            status, out, _ = nora("render", path, "-o", picture, "--size", "64x64", "--backend", backend, "--stats")
            self.assertEqual(status, 0)
            self.assertRegex(json.loads(out)["backend"], "^cpu" if backend == "cpu" else "^(cpu|cuda)")
        status, out, error = nora("render", path, "-o", picture, "--size", "64x64", "--backend", "cuda", "--stats")
        if status == 0:
            self.assertRegex(json.loads(out)["backend"], "^cuda")
        else:  # no GPU, or built without CUDA
            self.assertRegex(error, r"--backend cuda: .*(GPU|CUDA)")
            self.assertEqual(len(error.strip().splitlines()), 1)
        status, _, error = nora("render", path, "-o", picture, "--backend", "metal")
        self.assertNotEqual(status, 0)
        self.assertIn("metal", error)

    def test_pictures_too_large_are_refused(self):
        path = os.path.join(DEMO, NIFTIS[0])
        picture = os.path.join(self.folder.name, "picture.png")
        status, _, error = nora("render", path, "-o", picture, "--size", "16385x1")
        self.assertEqual(status, 65)
        self.assertIn("16384", error)
        # 1 GiB of picture in less address space than that.
        limited = f"ulimit -v 900000; exec '{PROGRAM}' render '{path}' -o '{picture}' --size 16384x16384 --backend cpu"
        done = subprocess.run(["sh", "-c", limited], capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertIn(b"not enough memory", done.stderr)

    def test_probe_outside_is_null(self):
        status, out, _ = nora("probe", os.path.join(DEMO, NIFTIS[0]), "--voxel", "-1", "0", "0", "--json")
        self.assertEqual(status, 0)
        self.assertIsNone(json.loads(out)["value"])


if __name__ == "__main__":
    unittest.main()
