"""Files beside a file: SPM's .mat, BIDS sidecars above, values of streamlines, unpacked TRX, pairs in mixed case."""
import bz2
import glob
import gzip
import json
import os
import shutil
import struct
import subprocess
import tempfile
import unittest
import warnings
import zipfile

import nibabel
import numpy
import scipy.io
import vtk
from nibabel.spm99analyze import Spm99AnalyzeImage

from nora_client import PROGRAM, SOURCE

FORMATS = os.path.join(SOURCE, "tests", "data", "formats")


def info(path, *options):
    done = subprocess.run([PROGRAM, "info", "--json", *options, path], capture_output=True, timeout=120)
    rows = json.loads(done.stdout)
    assert len(rows) == 1, done.stderr
    return rows[0]


class InAFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def at(self, *names):
        path = os.path.join(self.folder, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def write(self, content, *names):
        with open(self.at(*names), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return self.at(*names)

    def nifti(self, *names, volumes=1, qform=None):
        data = numpy.arange(24 * volumes, dtype="i2").reshape(2, 3, 4, volumes)
        image = nibabel.Nifti1Image(data.squeeze(), numpy.diag([2, 2, 2, 1.0]))
        image.set_sform(numpy.diag([2, 2, 2, 1.0]), 2)
        image.set_qform(numpy.diag([2, 2, 2, 1.0]) if qform is None else qform, 1)
        nibabel.save(image, self.at(*names))
        return self.at(*names)


class SpmMat(InAFolder):
    MATRIX = numpy.array([[-2, 0.1, 0, 80], [0.1, 3, 0.2, -100], [0, -0.2, 4, -60], [0, 0, 0, 1.0]])

    def analyze(self):
        image = nibabel.AnalyzeImage(numpy.arange(24, dtype="i2").reshape(2, 3, 4), None)
        image.header.set_zooms((2, 3, 4))
        nibabel.save(image, self.at("a.img"))
        for left in glob.glob(self.at("*.mat")):
            os.remove(left)
        return self.at("a.hdr")

    def expect_nibabels(self, **variables):
        path = self.analyze()
        for options in ({"format": "4"}, {"format": "5"}, {"format": "5", "do_compression": True}):
            with self.subTest(options=options, variables=list(variables)):
                scipy.io.savemat(self.at("a.mat"), variables, **options)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    expected = Spm99AnalyzeImage.from_filename(path).affine
                row = info(path)
                numpy.testing.assert_allclose(row["affine"], expected, atol=1e-9)
                self.assertEqual(row["affineSource"], "SPM .mat (%s)" % ("mat" if "mat" in variables else "M"))
                said = any("left" in warning for warning in row["warnings"])
                self.assertEqual(said, "mat" not in variables)
                self.assertEqual(info(self.at("a.img"))["affine"], row["affine"])

    def test_agrees_with_nibabel(self):
        self.expect_nibabels(M=self.MATRIX)
        self.expect_nibabels(mat=self.MATRIX, M=numpy.eye(4))
        self.expect_nibabels(M=numpy.round(self.MATRIX).astype("i2"))

    def test_big_endian_level_4(self):
        path = self.analyze()
        numbers = self.MATRIX.T.astype(">f8").tobytes()
        self.write(struct.pack(">5i", 1000, 4, 4, 0, 4) + b"mat\0" + numbers, "a.mat")
        numpy.testing.assert_allclose(info(path)["affine"], Spm99AnalyzeImage.from_filename(path).affine)

    def test_what_cannot_be_used_is_told(self):
        path = self.analyze()
        without = info(path)["affine"]
        scipy.io.savemat(self.at("good.mat"), {"M": self.MATRIX})
        with open(self.at("good.mat"), "rb") as file:
            good = file.read()
        cases = {b"1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n": "no MATLAB file", good[:150]: "no matrix", b"": "no MATLAB",
                 b"MATLAB 7.3 MAT-file, ".ljust(512) + b"\x89HDF\r\n\x1a\n": "7.3"}
        for singular in (numpy.zeros((4, 4)), numpy.full((4, 4), numpy.nan), numpy.eye(3)):
            scipy.io.savemat(self.at("b.mat"), {"M": singular}, format="4")
            with open(self.at("b.mat"), "rb") as file:
                cases[file.read()] = "no 4 x 4 transform"
        for content, reason in cases.items():
            self.write(content, "a.mat")
            row = info(path)
            self.assertEqual(row["affine"], without)
            self.assertTrue(any("a.mat was not used" in w and reason in w for w in row["warnings"]), row["warnings"])


class Nifti(InAFolder):
    def test_the_qform_goes_first_where_asked(self):
        qform = numpy.array([[-2, 0, 0, 5], [0, 2, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1.0]])
        path = self.nifti("a.nii.gz", qform=qform)
        usual, asked = info(path), info(path, "--prefer-qform")
        self.assertEqual((usual["affineSource"], asked["affineSource"]), ("sform", "qform"))
        numpy.testing.assert_allclose(asked["affine"], qform)
        self.assertTrue(any("the sform is used" in w for w in usual["warnings"]))
        self.assertTrue(any("the qform is used" in w for w in asked["warnings"]))
        self.assertIn("sform", dict(asked["fields"]))

    def test_sidecars_are_inherited_in_a_bids_data_set_only(self):
        image = self.nifti("sub-1", "func", "sub-1_task-rest_run-1_bold.nii.gz", volumes=3)
        self.write('{"RepetitionTime": 1.5, "EchoTime": 1, "Above": 1}', "task-rest_bold.json")
        self.write('{"EchoTime": 2, "FlipAngle": 3}', "sub-1", "sub-1_task-rest_bold.json")
        self.write('{"FlipAngle": 4, "Near": 5}', "sub-1", "func", "sub-1_task-rest_run-1_bold.json")
        self.write('{"Other": 1}', "task-motor_bold.json")
        self.write('{"Other": 1}', "task-rest_T1w.json")
        self.assertNotIn("Above", dict(info(image)["fields"]))
        self.write("{}", "dataset_description.json")
        row = info(image)
        fields = dict(row["fields"])
        self.assertEqual({key: fields.get(key) for key in ("Above", "EchoTime", "FlipAngle", "Near", "Other")},
                         {"Above": "1", "EchoTime": "2", "FlipAngle": "4", "Near": "5", "Other": None})
        here = os.getcwd()
        os.chdir(os.path.dirname(image))
        self.addCleanup(os.chdir, here)
        self.assertIn("Above", dict(info(os.path.basename(image))["fields"]))

    def test_gradients_are_inherited(self):
        image = self.nifti("sub-1", "dwi", "sub-1_dwi.nii.gz", volumes=3)
        self.write("{}", "dataset_description.json")
        self.write("0 1000 1000", "dwi.bval")
        self.write("0 1 0\n0 0 1\n0 0 0\n", "dwi.bvec")
        self.assertEqual(info(image)["diffusion"]["b"], [0, 1000, 1000])

    def test_gradients_may_end_in_s(self):
        image = self.nifti("a.nii", volumes=3)
        self.write("0 1000 1000", "a.bvals")
        self.write("0 1 0\n0 0 1\n0 0 0\n", "a.bvecs")
        self.assertEqual(info(image)["diffusion"]["b"], [0, 1000, 1000])


class Tracts(InAFolder):
    def test_values_beside_a_tck(self):
        for suffix in ("tck", "tsf", "txt"):
            shutil.copy(os.path.join(FORMATS, "tracts", "be32." + suffix), self.folder)
        row = info(self.at("be32.tck"))
        self.assertEqual([len(row[key]) for key in ("perPoint", "perStreamline")], [1, 1])

    def test_an_unpacked_trx_is_the_archive(self):
        archive = os.path.join(FORMATS, "tracts", "stored.trx")
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(self.at("unpacked", "x"))
        packed, unpacked = info(archive), info(self.at("unpacked", "x"))
        for row in (packed, unpacked):
            row.pop("file")
            for key in ("perPoint", "perStreamline", "groups", "fields"):  # members come in another order
                for each in row[key]:
                    each.pop("array", None) if isinstance(each, dict) else None
                row[key].sort(key=json.dumps)
        self.assertEqual(packed, unpacked)


class Suffixes(InAFolder):
    def surface(self, *names, compressor=None):
        sphere = vtk.vtkSphereSource()
        writer = vtk.vtkXMLPolyDataWriter()
        writer.SetInputConnection(sphere.GetOutputPort())
        writer.SetFileName(self.at(*names))
        if compressor:
            getattr(writer, "SetCompressorTypeTo" + compressor)()
        writer.Write()
        return self.at(*names)

    def test_compressed_vtk(self):
        plain = info(self.surface("a.vtp"))
        with open(self.at("a.vtp"), "rb") as file:
            content = file.read()
        self.write(gzip.compress(content), "b.vtp.gz")
        for path in (self.at("b.vtp.gz"), self.surface("c.vtp", compressor="LZMA"),
                     self.surface("d.vtp", compressor="LZ4")):
            row = info(path)
            self.assertEqual((row["vertices"], row["boundsMm"]), (plain["vertices"], plain["boundsMm"]))

    def test_stl_in_capitals(self):
        text = "solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\nendsolid a\n"
        for content in (text.upper(), text.upper().replace("\n", "\r\n"), text.title()):
            row = info(self.write(content, "a.stl"))
            self.assertEqual((row.get("vertices"), row.get("triangles")), (3, 1), row)

    def test_pairs_in_mixed_case(self):
        image = nibabel.AnalyzeImage(numpy.arange(24, dtype="i2").reshape(2, 3, 4), None)
        nibabel.save(image, self.at("a.img"))
        expected = info(self.at("a.hdr"))["max"]
        for header, data in ((".Hdr", ".Img"), (".HDR", ".img"), (".hdr", ".IMG")):
            with self.subTest(header + data):
                shutil.copy(self.at("a.hdr"), self.at("x", "b" + header))
                shutil.copy(self.at("a.img"), self.at("x", "b" + data))
                self.assertEqual(info(self.at("x", "b" + header))["max"], expected)
                self.assertEqual(info(self.at("x", "b" + data))["max"], expected)
                shutil.rmtree(self.at("x"))

    def test_brik_by_bzip2(self):
        head = sorted(glob.glob(os.path.join(FORMATS, "afni", "*.HEAD")))[0]
        brik = glob.glob(head[:-5] + ".BRIK*")[0]
        with (gzip.open if brik.endswith(".gz") else open)(brik, "rb") as file:
            voxels = file.read()
        shutil.copy(head, self.at("a+orig.HEAD"))
        packed = bz2.compress(voxels)
        half = len(voxels) // 2
        for content in (packed, bz2.compress(voxels[:half]) + bz2.compress(voxels[half:])):
            self.write(content, "a+orig.BRIK.bz2")
            row, plain = info(self.at("a+orig.HEAD")), info(head)
            self.assertEqual((row["max"], row["mean"]), (plain["max"], plain["mean"]))
        for cut in range(16):
            self.write(packed[:len(packed) * cut // 16], "a+orig.BRIK.bz2")
            self.assertIn("error", info(self.at("a+orig.HEAD")))

    def test_data_elsewhere_are_told(self):
        header = "NRRD0004\ntype: uchar\ndimension: 3\nsizes: 2 2 2\nencoding: raw\ndata file: ../a.raw\n\n"
        path = self.write(header, "x", "a.nhdr")
        self.write(bytes(8), "a.raw")
        self.assertIn("lies outside the folder", info(path)["error"]["what"])
        self.write(bytes(8), "x", "a.raw")  # of the same name, but not the one that is named
        self.assertIn("lies outside the folder", info(path)["error"]["what"])
        self.assertIn("open the header", info(self.at("a.raw"))["error"]["what"])
        mih = "mrtrix image\ndim: 2,2,2\nvox: 1,1,1\nlayout: +0,+1,+2\ndatatype: UInt8\nfile: %s\n"
        self.assertNotIn("error", info(self.write(mih % "a.raw 0", "x", "a.mih")))
        self.assertIn("outside", info(self.write(mih % "/elsewhere/a.raw 0", "x", "a.mih"))["error"]["what"])
        self.assertIn("outside", info(self.write(mih % "/elsewhere/b.raw 0", "x", "a.mih"))["error"]["what"])
        self.assertIn("offset -50", info(self.write(mih % ". -50" + "END\n", "x", "b.mif"))["error"]["what"])


if __name__ == "__main__":
    unittest.main()
