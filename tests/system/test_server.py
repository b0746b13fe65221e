"""The running server: scan, frames, isolation, bad input. A client in plain Python stands for the page."""
import io
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import numpy
from PIL import Image

from nora_client import DEMO, PROGRAM, Client, Closed, Frame, Server

T1 = "sub-01/anat/sub-01_T1w.nii.gz"
STATMAP = "sub-01/func/sub-01_task-motor_stat-t_statmap.nii.gz"
VIEWS = {"axial": {"width": 320, "height": 240}, "3d": {"width": 160, "height": 120}}


def pixels(frame):
    return numpy.asarray(Image.open(io.BytesIO(frame.picture)).convert("RGB"))


def children(process):
    """Process ids of the children of all threads of the server."""
    found = []
    for task in os.listdir(f"/proc/{process.pid}/task"):
        try:
            with open(f"/proc/{process.pid}/task/{task}/children", encoding="ascii") as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass  # the thread ended meanwhile
    return found


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(DEMO)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_the_scan_finds_three_subjects(self):
        entries = {entry["path"]: entry for entry in self.server.catalogue()}
        subjects = {entry["subject"] for entry in entries.values() if entry["kind"] not in ("table", "document")}
        self.assertEqual(subjects, {"sub-01", "sub-02", "sub-03"})
        self.assertEqual(entries[T1]["dims"], [181, 217, 181, 1])
        series = entries["sub-03/dicom"]
        self.assertEqual((series["format"], series["instances"], series["dims"]), ("DICOM", 20, [256, 256, 20, 1]))
        bold = next(entry for entry in entries.values() if entry["name"].endswith("bold.nii.gz"))
        self.assertEqual((bold["study"], bold["dims"][3]), ("ses-2", 16))
        tracts = next(entry for entry in entries.values() if entry["name"].endswith(".tck"))
        self.assertEqual((tracts["kind"], tracts["format"], tracts["state"]), ("streamlines", "TCK", "present"))

    def test_the_still_is_the_picture_of_the_command_line(self):
        client = Client(self.server)
        client.open(self.server, T1, VIEWS)
        overlay = client.open(self.server, STATMAP, how="overlay")
        stills = client.wait_stills(VIEWS, client.input)
        for layer in overlay["layers"]:
            project, path = layer["source"]["path"].split("/", 1)
            self.assertEqual(project, "demo")
            layer["source"]["path"] = os.path.join(DEMO, path)
        with tempfile.TemporaryDirectory() as folder:
            scene = os.path.join(folder, "scene.json")
            with open(scene, "w", encoding="utf-8") as file:
                json.dump(overlay, file)
            for view, size in VIEWS.items():
                picture = os.path.join(folder, view + ".png")
                subprocess.run([PROGRAM, "render", scene, "-o", picture, "--view", view, "--size",
                                f"{size['width']}x{size['height']}"], check=True)
                with open(picture, "rb") as file:
                    self.assertEqual(file.read(), stills[view].picture, f"{view} differs")
        self.assertGreater(pixels(stills["axial"]).max(), 100)
        client.close()

    def test_frames_name_the_newest_input_and_their_times(self):
        client = Client(self.server)
        scene = client.open(self.server, T1, {"axial": VIEWS["axial"]})
        client.wait_frame("axial", quality=2)
        x, y, z = scene["crosshairMm"]
        for step in range(1, 6):
            number = client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": [x, y, z + step]}]})
            frame = client.wait_frame("axial", at_least_input=number)
            self.assertEqual(frame.input, number)
            self.assertGreater(frame.render_us, 0)
            self.assertGreater(frame.encode_us, 0)
            self.assertAlmostEqual(frame.origin[2], z + step, places=6)
        client.close()

    def test_at_most_two_frames_are_sent_without_an_acknowledgement(self):
        client = Client(self.server, acknowledge=False)
        scene = client.open(self.server, T1, {"axial": VIEWS["axial"]})
        x, y, z = scene["crosshairMm"]
        for step in range(40):
            client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": [x, y, z + step % 20]}]})
        time.sleep(1)
        client.send({"type": "ping", "token": 7})
        message = {}
        while not (isinstance(message, dict) and message.get("type") == "pong"):
            message = client.receive()
        self.assertEqual(len(client.frames), 2)
        client.acknowledge = True
        for frame in client.frames:
            client.send({"type": "ack", "frame": frame.number}, with_input=False)
        # A quick client's newest input may be in those two already; then nothing more has to come.
        if all(frame.input < client.input for frame in client.frames):
            self.assertEqual(client.wait_frame("axial", at_least_input=client.input).input, client.input)
        client.close()

    def test_probe_gives_source_values(self):
        client = Client(self.server)
        client.open(self.server, T1, VIEWS)
        done = subprocess.run([PROGRAM, "probe", os.path.join(DEMO, T1), "--mm", "10", "-20", "30", "--json"],
                              capture_output=True, text=True, check=True)
        client.send({"type": "probe", "mm": [10, -20, 30]})
        (layer,) = client.wait_text("values")["layers"]
        expected = json.loads(done.stdout)
        self.assertEqual((layer["voxel"], layer["value"]), (expected["voxel"], expected["value"]))
        client.close()

    def test_a_bad_message_ends_that_session_only(self):
        good = Client(self.server)
        good.open(self.server, T1, VIEWS)
        for text in (b"{", b"[]", b'{"type":"dance"}', b'{"type":"edit","input":1}', b'{"type":"ack","frame":"x"}',
                     b'{"type":"viewports","input":1,"views":{"axial":{"width":1e9,"height":1}}}', b"\xff\xfe", b"[" * 5000,
                     b'{"type":"probe","input":1,"mm":[1,2]}', b'{"type":"probe","input":1,"mm":[1,2,null]}'):
            with self.subTest(text[:60]):
                bad = Client(self.server)
                bad.wait_text("hello")
                bad.send_frame(1, text)
                with self.assertRaises(Closed) as closed:
                    while True:
                        bad.receive()
                self.assertIn(closed.exception.code, (1007, 1008, 1009))
                self.assertTrue(closed.exception.reason or text == b"\xff\xfe")
                bad.close()
        good.send({"type": "probe", "mm": [0, 0, 0]})
        good.wait_text("values")
        good.close()

    def test_a_refused_edit_brings_the_scene_back(self):
        client = Client(self.server)
        scene = client.open(self.server, T1, VIEWS)
        client.send({"type": "edit", "patch": [{"op": "replace", "path": "/layers/0/opacity", "value": 7}]})
        self.assertIn("opacity", client.wait_text("error")["where"])
        self.assertEqual(client.wait_text("scene")["scene"], scene)
        client.close()

    def test_wrong_handshakes_are_refused(self):
        for options in ({"origin": "http://evil.example"}, {"protocol": None}, {"protocol": "chat"}):
            with self.subTest(options):
                with self.assertRaises(Closed):
                    Client(self.server, **options).wait_text("hello")
        good = Client(self.server, origin=f"http://127.0.0.1:{self.server.port}")
        good.wait_text("hello")
        good.close()

    def test_http_garbage_and_traversal_get_no_file(self):
        with open("/etc/passwd", "rb") as file:
            secret = file.read().split(b"\n")[0]
        paths = ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "//etc/passwd", "/api/v1/../../etc/passwd",
                 "/" + "a" * 20000, "/api/v1/files?after=x", "/api/v1/files?limit=99999999", "/api/v1/files?sort=;drop",
                 "/api/v1/files/../../../../etc/passwd", "/api/v1/files/%2e%2e%2fetc%2fpasswd/info", "/api/v1/files/-1"]
        for path in paths:
            with self.subTest(path[:50]):
                answer = self.server.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode(), 0.5)
                self.assertNotIn(secret, answer)
                self.assertNotIn(b" 200 ", answer.split(b"\r\n")[0])
        for data in (b"\0" * 4096, os.urandom(4096), b"GET", b"POST / HTTP/1.1\r\nContent-Length: 9999999999\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10000 + b"\r\n", b"\x16\x03\x01\x02\x00\x01"):
            self.server.raw(data, 0.2)
        self.assertTrue(self.server.alive())

    def test_a_foreign_name_for_this_machine_is_refused(self):
        for path in ("/", "/api/v1/files", "/api/v1/stream"):
            answer = self.server.raw(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode(), 0.5)
            self.assertIn(b" 403 ", answer.split(b"\r\n")[0])

    def test_a_scene_cannot_name_files_outside_the_folder(self):
        client = Client(self.server)
        scene = client.open(self.server, T1, VIEWS)
        for path in ("../LICENCES.md", "/etc/passwd", "../../../../../../etc/passwd", "sub-01/../../demo/../../CMakeLists.txt"):
            scene["layers"][0]["source"]["path"] = path
            client.send({"type": "scene", "scene": scene})
            failed = client.wait(lambda m: isinstance(m, dict) and (m["type"] == "error" or m["type"] == "images" and any(
                layer["state"] == "failed" for layer in m["layers"].values())))
            self.assertNotIn("root:", json.dumps(failed))
        client.close()

    def test_many_sessions_at_once(self):
        results = []

        def view(number):
            client = Client(self.server)
            scene = client.open(self.server, T1, {"axial": VIEWS["axial"]})
            x, y, z = scene["crosshairMm"]
            for step in range(10):
                sent = client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": [x, y, z + number + step]}]})
                client.wait_frame("axial", at_least_input=sent)
            results.append(number)
            client.close()

        threads = [threading.Thread(target=view, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(sorted(results), list(range(6)))


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()

    def tearDown(self):
        shutil.rmtree(self.folder)

    def test_bad_files_and_odd_names_are_listed_with_the_reason(self):
        good = os.path.join(DEMO, STATMAP)
        names = ["sp ace.nii.gz", "quo'te\".nii.gz", "new\nline.nii.gz", "\u00e9\u4e2d.nii.gz", "<script>alert(1)</script>".replace("/", "") + ".nii.gz"]
        for name in names:
            shutil.copy(good, os.path.join(self.folder, name))
        os.link(os.path.join(self.folder, names[0]), os.fsencode(self.folder) + b"/bad\xff.nii.gz")
        os.symlink(".", os.path.join(self.folder, "loop"))
        os.symlink("/etc", os.path.join(self.folder, "outside"))
        os.symlink("/etc/passwd", os.path.join(self.folder, "passwd.nii"))
        for name, content in {"cut.nii.gz": gzip_start(good), "empty.nii": b"", "noise.nii.gz": os.urandom(999)}.items():
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(content)
        with Server(self.folder) as server:
            entries = server.catalogue()
            ready = {entry["name"] for entry in entries if entry["state"] == "present" and not entry["reason"]}
            self.assertTrue(set(names) <= ready, ready)
            # A cut file may show its header in the list; it must fail when it is opened.
            failed = {entry["name"]: entry["reason"] for entry in entries if entry["reason"]}
            for name in ("empty.nii", "noise.nii.gz"):
                self.assertTrue(failed.get(name), (name, failed))
            client = Client(server)
            for name in names:
                client.open(server, name, {"axial": {"width": 64, "height": 64}})
            if "cut.nii.gz" not in failed:
                with self.assertRaisesRegex(RuntimeError, "cut.nii.gz"):
                    client.open(server, "cut.nii.gz")
            self.assertTrue(server.alive())
            client.close()

    def test_names_that_differ_in_bytes_that_are_not_utf8_stay_apart(self):
        header = bytearray(open_nifti_header())
        struct.pack_into("<3h", header, 42, 4, 4, 4)
        values = {b"/x\xff.nii": 11, b"/x\xfe.nii": 22}
        for name, value in values.items():
            with open(os.fsencode(self.folder) + name, "wb") as file:
                file.write(bytes(header).ljust(352, b"\0") + struct.pack("<h", value) * 64)
        with Server(self.folder) as server:
            found = {}
            for entry in server.catalogue():
                client = Client(server)
                client.send({"type": "open", "source": entry["source"]})
                opened = client.wait_text("scene")["scene"]
                self.assertEqual(opened["layers"][0]["source"]["path"], entry["source"]["path"])
                found[entry["id"]] = value_in(client, opened)
                client.close()
                again = Client(server)  # as a page does when the server was away
                again.send({"type": "scene", "scene": opened})
                self.assertEqual(value_in(again, opened), found[entry["id"]])
                again.close()
            self.assertEqual(sorted(found.values()), sorted(values.values()))

    def test_a_killed_reader_costs_one_file_only(self):
        # 600 MB of zeros, sparse: long enough in reading to be hit.
        header = bytearray(open_nifti_header())
        big = os.path.join(self.folder, "big.nii")
        with open(big, "wb") as file:
            file.write(header)
            file.truncate(352 + 700 * 700 * 700 * 2)
        shutil.copy(os.path.join(DEMO, STATMAP), self.folder)
        with Server(self.folder) as server:
            server.catalogue()
            client = Client(server)
            entry = next(e for e in server.catalogue() if e["name"] == "big.nii")
            known = set(children(server.process))
            number = client.send({"type": "open", "source": entry["source"]})
            over = threading.Event()

            def kill_new_children():
                while not over.is_set():
                    for child in set(children(server.process)) - known:
                        time.sleep(0.15)  # it reads by now
                        os.kill(child, signal.SIGKILL)
                        known.add(child)
                    time.sleep(0.01)

            killer = threading.Thread(target=kill_new_children)
            killer.start()
            failed = client.wait_text("error")
            over.set()
            killer.join()
            self.assertEqual(failed["input"], number)
            self.assertIn("reader", failed["what"])
            client.open(server, os.path.basename(STATMAP), {"axial": {"width": 64, "height": 64}})
            client.wait_frame("axial")
            client.close()

    def test_a_busy_port_is_one_clear_line(self):
        with Server(self.folder) as server:
            done = subprocess.run([PROGRAM, "serve", self.folder, "--port", str(server.port)], capture_output=True, text=True, timeout=30)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(str(server.port), done.stderr)
            self.assertIn("in use", done.stderr)


def gzip_start(path):
    with open(path, "rb") as file:
        return file.read(1000)


def value_in(client, scene):
    """The value at the crosshair, once the image of the scene's layer is there."""
    layer = scene["layers"][0]["id"]
    client.wait(lambda m: isinstance(m, dict) and m["type"] == "images" and m["layers"].get(layer, {}).get("state") == "ready")
    client.send({"type": "probe", "mm": scene["crosshairMm"]})
    return client.wait_text("values")["layers"][0]["value"]


def open_nifti_header():
    import nibabel
    header = nibabel.Nifti1Header()
    header.set_data_shape((700, 700, 700))
    header.set_data_dtype("int16")
    header.set_sform(numpy.eye(4), 1)
    header["vox_offset"] = 352
    header["magic"] = b"n+1"
    return header.binaryblock + b"\0\0\0\0"


if __name__ == "__main__":
    unittest.main()
