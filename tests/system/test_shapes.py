"""Surfaces and streamlines through the server, against what nibabel reads of the same files."""
import io
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import nibabel
import numpy
import vtk
from PIL import Image
from scipy import ndimage
from vtk.util import numpy_support

from nora_client import DEMO, PROGRAM, Client, Server

SURFACE = "sub-01/surf/sub-01_hemi-L_pial.surf.gii"
TRACTS = "sub-01/dwi/sub-01_desc-SLF1R_tractography.tck"
T1 = "sub-01/anat/sub-01_T1w.nii.gz"
VIEWS = {"3d": {"width": 480, "height": 400}, "axial": {"width": 400, "height": 400}}


def picture(frame):
    return numpy.asarray(Image.open(io.BytesIO(frame.picture)).convert("RGB")).astype(int)


class Shapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        shutil.copytree(DEMO, cls.folder, dirs_exist_ok=True)
        mesh = nibabel.load(os.path.join(DEMO, SURFACE))
        cls.points, cls.triangles = (array.data for array in mesh.darrays[:2])
        # What the file's points are in scanner space is for nibabel to say.
        matrix = mesh.darrays[0].coordsys.xform if mesh.darrays[0].coordsys else None
        if matrix is not None and mesh.darrays[0].coordsys.dataspace != mesh.darrays[0].coordsys.xformspace:
            cls.points = nibabel.affines.apply_affine(matrix, cls.points)
        cls.values = cls.points[:, 1].astype("f4")  # back to front
        nibabel.freesurfer.write_morph_data(os.path.join(cls.folder, "sub-01/surf/lh.behind"), cls.values)
        cls.server = Server(cls.folder)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()
        shutil.rmtree(cls.folder)

    def client(self):
        client = Client(self.server)
        self.addCleanup(client.close)
        return client

    def pick(self, client, x, y, view="3d"):
        number = client.send({"type": "pick", "view": view, "x": x, "y": y})
        answer = client.wait(lambda m: isinstance(m, dict) and m.get("input") == number and m["type"] in ("picked", "error"))
        self.assertEqual(answer["type"], "picked", answer)
        return answer["hit"]

    def test_a_surface_is_listed_opened_and_told_of(self):
        client = self.client()
        scene = client.open(self.server, SURFACE, VIEWS)
        images = client.wait(lambda m: isinstance(m, dict) and m["type"] == "images" and
                             any(layer["state"] == "ready" for layer in m["layers"].values()))
        shape = images["layers"][scene["layers"][0]["id"]]["shape"]
        self.assertEqual((shape["kind"], shape["vertices"], shape["triangles"]),
                         ("surface", len(self.points), len(self.triangles)))
        low, high = shape["boundsMm"]
        numpy.testing.assert_allclose(low, self.points.min(axis=0), atol=1e-3)
        numpy.testing.assert_allclose(high, self.points.max(axis=0), atol=1e-3)

    def test_picks_give_vertices_and_values_of_the_file(self):
        client = self.client()
        client.open(self.server, SURFACE, VIEWS)
        client.open(self.server, "sub-01/surf/lh.behind", how="overlay")
        hits = 0
        for x in numpy.linspace(0.3, 0.7, 9):
            hit = self.pick(client, float(x), 0.5)
            if hit is None:
                continue
            hits += 1
            vertex = self.points[hit["vertex"]]
            self.assertEqual(hit["kind"], "surface")
            self.assertIn(hit["vertex"], self.triangles[hit["triangle"]])
            corners = self.points[self.triangles[hit["triangle"]]]
            self.assertLess(numpy.linalg.norm(vertex - hit["mm"]), 1 + numpy.ptp(corners, axis=0).max())
            value = next(v for v in hit["values"] if v["name"] == "behind")
            self.assertAlmostEqual(value["value"], float(self.values[hit["vertex"]]), places=3)
        self.assertGreater(hits, 3)

    def test_picked_streamlines_are_those_of_the_file(self):
        lines = nibabel.streamlines.load(os.path.join(DEMO, TRACTS)).streamlines
        client = self.client()
        client.open(self.server, TRACTS, VIEWS)
        frame = client.wait_frame("3d", quality=2)
        shown = numpy.argwhere(picture(frame).sum(axis=2) > 200)
        found = set()
        for row, column in shown[:: max(1, len(shown) // 20)]:
            hit = self.pick(client, (column + 0.5) / 480, (row + 0.5) / 400)
            self.assertEqual(hit["kind"], "tracts")
            line = lines[hit["streamline"]]
            gaps = numpy.linalg.norm(line - hit["mm"], axis=1)
            steps = numpy.linalg.norm(numpy.diff(line, axis=0), axis=1)
            self.assertLess(gaps.min(), steps.max())
            found.add(hit["streamline"])
        self.assertGreater(len(found), 3)

    def test_the_cut_in_a_slice_is_where_triangles_meet_the_plane(self):
        client = self.client()
        client.open(self.server, T1, VIEWS)
        before = client.wait_frame("axial", quality=2)
        scene = client.open(self.server, SURFACE, how="overlay")
        z = float(scene["crosshairMm"][2])
        number = client.send({"type": "edit", "patch": [
            {"op": "replace", "path": "/layers/1/surface/colour", "value": "#ff0000"},
            {"op": "replace", "path": "/layers/1/surface/edgePixels", "value": 1}]})
        after = client.wait_frame("axial", quality=2, at_least_input=number)
        changed = numpy.argwhere(numpy.abs(picture(after) - picture(before)).sum(axis=2) > 60)
        self.assertGreater(len(changed), 200)
        # Crossings of all edges with the plane, by numpy.
        edges = numpy.concatenate([self.triangles[:, [0, 1]], self.triangles[:, [1, 2]], self.triangles[:, [2, 0]]])
        a, b = self.points[edges[:, 0]].astype(float), self.points[edges[:, 1]].astype(float)
        crossing = (a[:, 2] < z) != (b[:, 2] < z)
        a, b = a[crossing], b[crossing]
        part = ((z - a[:, 2]) / (b[:, 2] - a[:, 2]))[:, None]
        expected = a + (b - a) * part
        pixel = numpy.linalg.norm(after.right)
        longest = numpy.linalg.norm(numpy.diff(self.points[self.triangles][:, :2], axis=1), axis=2).max()
        for row, column in changed:
            mm = numpy.array(after.origin) + numpy.array(after.right) * (column + 0.5) + numpy.array(after.down) * (row + 0.5)
            self.assertLess(numpy.linalg.norm(expected - mm, axis=1).min(), longest / 2 + 1.5 * pixel)
        # Each crossing is drawn: no gaps.
        steps = numpy.stack([after.right, after.down, after.forward], axis=1)
        places = numpy.linalg.solve(steps, (expected - after.origin).T).T
        drawn = {(row, column) for row, column in changed}
        missed = sum(not any((int(v) + i, int(u) + j) in drawn for i in (-1, 0, 1) for j in (-1, 0, 1)) for u, v, _ in places)
        self.assertLess(missed / len(places), 0.02)  # red over a voxel of the same brightness may not count as changed

    def test_the_cut_of_a_real_isosurface_is_the_boundary_in_the_image(self):
        image = nibabel.load(os.path.join(DEMO, T1))
        voxels = numpy.asarray(image.dataobj, dtype="f4")
        level = float(numpy.percentile(voxels[voxels > 0], 30))
        grid = vtk.vtkImageData()
        grid.SetDimensions(voxels.shape)
        grid.GetPointData().SetScalars(numpy_support.numpy_to_vtk(voxels.ravel(order="F"), deep=True))
        cubes = vtk.vtkMarchingCubes()
        cubes.SetInputData(grid)
        cubes.SetValue(0, level)
        cubes.ComputeNormalsOff()
        cubes.Update()
        mesh = cubes.GetOutput()
        points = nibabel.affines.apply_affine(image.affine, numpy_support.vtk_to_numpy(mesh.GetPoints().GetData()))
        corners = numpy_support.vtk_to_numpy(mesh.GetPolys().GetData()).reshape(-1, 4)[:, 1:]
        nibabel.freesurfer.write_geometry(os.path.join(self.folder, "sub-01/surf/lh.skin"), points, corners)
        with Server(self.folder) as server:
            client = Client(server)
            self.addCleanup(client.close)
            client.open(server, T1, {"axial": {"width": 800, "height": 800}})
            before = client.wait_frame("axial", quality=2)
            client.open(server, "sub-01/surf/lh.skin", how="overlay")
            number = client.send({"type": "edit", "patch": [
                {"op": "replace", "path": "/layers/1/surface/colour", "value": "#ff0000"},
                {"op": "replace", "path": "/layers/1/surface/edgePixels", "value": 1}]})
            after = client.wait_frame("axial", quality=2, at_least_input=number)
        changed = numpy.argwhere(numpy.abs(picture(after) - picture(before)).sum(axis=2) > 200)
        self.assertGreater(len(changed), 1000)
        mm = numpy.array(after.origin) + numpy.outer(changed[:, 1] + 0.5, after.right) + numpy.outer(changed[:, 0] + 0.5, after.down)
        at = nibabel.affines.apply_affine(numpy.linalg.inv(image.affine), mm)
        # Within half a voxel of the line (and the half of a pixel) the image passes the level.
        reach = 0.5 + numpy.linalg.norm(after.right) / numpy.linalg.norm(image.affine[:3, 0])
        steps = numpy.linspace(-1, 1, 5)
        offsets = reach * numpy.array([(i, j, k) for i in steps for j in steps for k in steps])
        values = numpy.stack([ndimage.map_coordinates(voxels, (at + offset).T, order=1) for offset in offsets])
        passes = (values.min(axis=0) <= level) & (values.max(axis=0) >= level)
        self.assertGreater(passes.mean(), 0.995)  # flat triangles and the image between voxels are not quite the same

    def test_the_left_hemisphere_is_on_the_left(self):
        client = self.client()
        client.open(self.server, SURFACE, VIEWS)
        frame = client.wait_frame("axial", quality=2)
        rows = numpy.argwhere(picture(frame).sum(axis=2) > 200)
        x = frame.origin[0] + frame.right[0] * (rows[:, 1] + 0.5)
        self.assertLess(x.max(), 8)
        self.assertLess(frame.right[0], 0, "radiological: the patient's left is at the right")

    def test_the_still_is_the_picture_of_the_command_line(self):
        client = self.client()
        client.open(self.server, T1, VIEWS)
        client.open(self.server, SURFACE, how="overlay")
        scene = client.open(self.server, TRACTS, how="overlay")
        number = client.send({"type": "edit", "patch": [
            {"op": "replace", "path": "/layers/0/inVolume", "value": True},
            {"op": "replace", "path": "/layers/1/opacity", "value": 0.5}]})
        scene["layers"][0]["inVolume"] = True
        scene["layers"][1]["opacity"] = 0.5
        for layer in scene["layers"]:  # without the project's name
            layer["source"]["path"] = layer["source"]["path"].split("/", 1)[1]
        path = os.path.join(self.folder, "scene.json")
        with open(path, "w") as file:
            json.dump(scene, file)
        stills = client.wait_stills(VIEWS, number)
        for view, size in VIEWS.items():
            still = stills[view]
            output = os.path.join(self.folder, view + ".png")
            subprocess.run([PROGRAM, "render", path, "--view", view, "--size", f"{size['width']}x{size['height']}", "-o",
                            output], check=True, timeout=60)
            with open(output, "rb") as file:
                self.assertEqual(file.read(), still.picture, view)

    def test_values_that_fit_no_surface_say_so(self):
        nibabel.freesurfer.write_morph_data(os.path.join(self.folder, "sub-02", "lh.short"), self.values[:100])
        with Server(self.folder) as server:
            client = Client(server)
            self.addCleanup(client.close)
            client.open(server, SURFACE, VIEWS)
            client.open(server, "sub-02/lh.short", how="overlay")
            images = client.wait(lambda m: isinstance(m, dict) and m["type"] == "images" and len(m["layers"]) == 2 and
                                 all(layer["state"] == "ready" for layer in m["layers"].values()))
            notes = [layer.get("note", "") for layer in images["layers"].values()]
            self.assertTrue(any("100 values fit no surface" in note for note in notes), notes)

    def test_wrong_questions_are_errors_and_the_session_goes_on(self):
        client = self.client()
        client.open(self.server, SURFACE, VIEWS)
        number = client.send({"type": "pick", "view": "no such view", "x": 0.5, "y": 0.5})
        error = client.wait(lambda m: isinstance(m, dict) and m.get("input") == number)
        self.assertEqual(error["type"], "error")
        for patch in ({"path": "/layers/0/surface/shading", "value": "shiny"}, {"path": "/layers/0/surface/colour", "value": "red"},
                      {"path": "/layers/0/streamlines/every", "value": 0}, {"path": "/layers/0/surface/unknown", "value": 1}):
            op = "add" if "unknown" in patch["path"] else "replace"
            number = client.send({"type": "edit", "patch": [{"op": op, **patch}]})
            error = client.wait(lambda m: isinstance(m, dict) and m.get("input") == number)
            self.assertEqual(error["type"], "error")
            self.assertIn(patch["path"].rsplit("/", 1)[0], error["where"])
        self.assertIsNotNone(self.pick(client, 0.5, 0.5))


if __name__ == "__main__":
    unittest.main()
