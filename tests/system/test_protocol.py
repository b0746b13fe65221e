"""Version 2 of the stream protocol, as docs/PROTOCOL.md has it, with a client that knows nothing but that page."""
import io
import json
import os
import resource
import socket
import threading
import time
import unittest

import numpy
from PIL import Image

from nora_client import SOURCE, Client, Closed, Frame, Server

DEMO = os.path.join(SOURCE, "tests", "data", "demo")
VIEW = {"axial": {"width": 500, "height": 400}}
T1 = "sub-01_T1w.nii.gz"


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def pixels(frame):
    return numpy.asarray(Image.open(io.BytesIO(frame.picture)).convert("RGBA"))


def nal_types(stream):
    """Types of the NAL units of an Annex B stream."""
    return [stream[at + 3] & 31 for at in range(len(stream) - 3) if stream[at:at + 3] == b"\0\0\1"]


def move(client, z):
    at = client.scene["crosshairMm"][:2] + [z]
    return client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": at}]})


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(DEMO)

    @classmethod
    def tearDownClass(cls):
        assert cls.server.alive()
        cls.server.__exit__()

    def connect(self, **options):
        client = Client(self.server, **options)
        self.addCleanup(client.close)
        client.hello = client.wait_text("hello")
        return client

    def reader(self, views=None, **options):
        """A client with the T1 open and its stills seen."""
        client = self.connect(**options)
        client.scene = client.open(self.server, T1, views or VIEW)
        client.still = client.wait_stills(list(views or VIEW))
        return client

    def test_a_byte_at_a_time_is_as_good_as_whole_messages(self):
        client = self.connect()
        client.input += 1
        text = json.dumps({"type": "viewports", "views": VIEW, "input": client.input}).encode()
        client.send_frame(1, text, chunk=1)
        client.send_frame(1, text[:1].replace(b"{", b'{"type":"ping","token":7}'), chunk=1)
        self.assertEqual(client.wait_text("pong")["token"], 7)
        ping = b'{"type":"ping","token":8}'
        for i, byte in enumerate(ping):  # one message in as many fragments
            client.send_frame(1 if i == 0 else 0, bytes([byte]), fin=i == len(ping) - 1)
        self.assertEqual(client.wait_text("pong")["token"], 8)

    def test_the_hash_of_a_lossless_picture_is_that_of_its_pixels(self):
        for codecs in (("jpeg", "png"), ("jpeg", "png", "webp")):
            still = self.reader(codecs=codecs).still["axial"]
            self.assertEqual((still.width, still.height), (500, 400))
            self.assertEqual(fnv1a64(pixels(still).tobytes()), still.hash)

    def test_only_codecs_that_the_client_names_come(self):
        client = self.reader(codecs=("jpeg", "png"))
        for z in range(-20, 20):
            move(client, z)
        number = move(client, 41.0)  # a place where it was not: else nothing may have to be drawn
        while True:
            frame = client.wait_frame("axial")
            self.assertIn(frame.codec, (1, 2))
            if frame.quality == 2 and frame.input >= number:
                break

    def test_a_session_goes_on_in_another_connection(self):
        client = self.reader()
        number = move(client, 17.0)
        client.wait_stills(["axial"], number)
        token = client.hello["session"]
        client.socket.close()
        again = self.connect(resume=token)
        self.assertTrue(again.hello["resumed"])
        self.assertEqual(again.hello["session"], token)
        self.assertGreaterEqual(again.hello["applied"], number)
        self.assertEqual(again.hello["scene"]["crosshairMm"][2], 17.0)
        again.input = again.hello["applied"]
        again.send({"type": "viewports", "views": VIEW})
        self.assertEqual(again.wait_stills(["axial"])["axial"].width, 500)

    def test_a_session_that_is_alive_is_taken_over_and_told(self):
        first = self.reader()
        second = self.connect(resume=first.hello["session"])
        self.assertTrue(second.hello["resumed"])
        with self.assertRaises(Closed) as closed:
            while True:
                first.receive()
        self.assertEqual(closed.exception.code, 4001)

    def test_tokens_that_are_none_begin_anew(self):
        client = self.connect(resume="0" * 32)
        self.assertFalse(client.hello["resumed"])
        self.assertNotEqual(client.hello["session"], "0" * 32)
        for unknown in ("x", "G" * 32, "0" * 33):
            self.assertFalse(self.connect(resume=unknown).hello["resumed"])
        with self.assertRaises(Closed) as closed:
            self.connect(resume=7)
        self.assertEqual(closed.exception.code, 1007)

    def test_pictures_ahead_are_those_of_the_place_and_are_not_drawn_again(self):
        client = self.reader()
        z = client.scene["crosshairMm"][2]
        places = {n: client.scene["crosshairMm"][:2] + [z + n] for n in (1, 2, 3)}
        client.send({"type": "ahead", "items": [{"id": n, "view": "axial", "patch": [
            {"op": "replace", "path": "/crosshairMm", "value": place}]} for n, place in places.items()]})
        ahead = {}
        while len(ahead) < 3:
            frame = client.wait_frame("axial")
            self.assertIn(frame.ahead, places)
            ahead[frame.ahead] = frame
        number = client.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm", "value": places[2]}], "have": {"axial": 2}})
        kinds = []
        while not kinds or kinds[-1].quality != 2:
            kinds.append(client.wait_frame("axial", at_least_input=number))
        self.assertNotIn(0, [frame.quality for frame in kinds], "it was there: nothing is drawn as moving")
        difference = pixels(kinds[-1]).astype(int) - pixels(ahead[2])
        self.assertLess(numpy.abs(difference).mean(), 3, "the picture that came ahead is the one of that slice")
        other = numpy.abs(pixels(kinds[-1]).astype(int) - pixels(ahead[3])).mean()
        self.assertGreater(other, numpy.abs(difference).mean())

    def test_lists_of_what_may_be_wanted_do_no_harm(self):
        client = self.reader()
        bad = [{"op": "replace", "path": "/nothing", "value": 1}]
        for _ in range(20):
            client.send({"type": "ahead", "items": [{"id": n + 1, "view": view, "patch": bad} for n, view in enumerate(["axial", "none"] * 16)]})
        number = move(client, 3.0)
        client.wait_stills(["axial"], number)
        with self.assertRaises(Closed) as closed:
            client.send({"type": "ahead", "items": [{"id": n + 1, "view": "axial", "patch": bad} for n in range(33)]})
            while True:
                client.receive()
        self.assertEqual(closed.exception.code, 1007)

    def test_h264_begins_with_a_key_frame_and_again_when_asked(self):
        client = self.connect(codecs=("jpeg", "png", "h264"))
        if "h264" not in client.hello["codecs"]:
            self.skipTest("this server has no H.264")
        client.scene = client.open(self.server, T1, VIEW)
        client.wait_stills(["axial"])
        client.send({"type": "prefer", "moving": "h264", "still": "auto"}, with_input=False)

        def moving(z):
            number = move(client, z)
            return client.wait(lambda m: isinstance(m, Frame) and m.codec == 4 and m.input >= number)
        first = moving(1.0)
        self.assertTrue(first.key)
        kinds = nal_types(first.picture)
        self.assertEqual(kinds[:2], [7, 8], "parameter sets come first")
        self.assertIn(5, kinds)
        second = moving(2.0)
        self.assertFalse(second.key)
        self.assertEqual(set(nal_types(second.picture)) & {5, 7}, set())
        client.send({"type": "key", "view": "axial"}, with_input=False)
        frame = client.wait(lambda m: isinstance(m, Frame) and m.view == "axial" and (m.key or m.codec != 4))
        self.assertTrue(frame.key or frame.codec != 4)

    def test_wishes_for_codecs_that_are_not_there_are_refused(self):
        client = self.reader()
        for message in ({"type": "prefer", "moving": "mpeg2", "still": "auto"}, {"type": "prefer", "moving": "png", "still": "jpeg"}):
            other = self.reader()
            with self.assertRaises(Closed):
                other.send(message, with_input=False)
                other.send({"type": "ping", "token": 1})
                while True:
                    if other.receive() == {"type": "pong", "token": 1}:
                        self.fail(f"{message} was taken")
        client.wait_stills(["axial"], move(client, 5.0))

    def test_absurd_viewports_are_refused_with_the_reason(self):
        for size in ({"width": 0, "height": 10}, {"width": -5, "height": 10}, {"width": 1e9, "height": 1e9}, {"width": "a", "height": 1}, {"width": 5000, "height": 5000}):
            client = self.connect()
            client.send({"type": "viewports", "views": {"axial": size}})
            with self.assertRaises(Closed) as closed:
                while True:
                    client.receive()
            self.assertEqual(closed.exception.code, 1007, size)
            self.assertRegex(closed.exception.reason, "width|height|viewport")

    def test_inputs_that_come_again_or_out_of_order_end_the_session(self):
        for numbers, code in (((5, 5), 1008), ((5, 4), 1008), ((0,), 1007), ((-1,), 1007), ((2**60,), 1007)):
            client = self.reader()
            with self.assertRaises(Closed) as closed:
                for number in numbers:
                    client.send({"type": "probe", "mm": [0, 0, 0], "input": client.input + number if number > 0 and number < 100 else number})
                while True:
                    client.receive()
            self.assertEqual(closed.exception.code, code, numbers)

    def test_a_client_that_does_not_read_costs_little_and_nobody_else(self):
        def memory():
            with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
                return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        quick = self.reader()
        before = memory()
        lazy = self.reader()
        lazy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for z in range(100):
            move(lazy, float(z % 40))
            time.sleep(0.005)
        quick.wait_stills(["axial"], move(quick, 9.0))
        self.assertLess(memory() - before, 64 << 10, "KiB")

    def test_many_large_views_keep_no_small_one_waiting_and_no_still_is_begun_for_ever(self):
        names = ("axial", "coronal", "sagittal", "3d")
        large = {name: {"width": 4096, "height": 4096} for name in names}
        clients = [self.connect() for _ in range(6)]
        for client in clients:
            client.open(self.server, T1, large)
            threading.Thread(target=self.read_on, args=(client,), daemon=True).start()
        time.sleep(2)
        small = self.reader()
        for z in range(10):
            small.wait_frame("axial", at_least_input=move(small, 20.0 + z))
        line = next(text for text in self.server.get("/metrics")[1].decode().splitlines() if text.startswith("nora_pictures_given_up_total"))
        self.assertLess(float(line.split()[1]), 10_000)

    @staticmethod
    def read_on(client):
        try:
            while True:
                client.receive()
        except (OSError, Closed, ValueError):
            pass

    def test_connections_that_break_in_mid_frame_leave_nothing(self):
        for _ in range(30):
            client = self.connect()
            client.send({"type": "viewports", "views": {"axial": {"width": 1200, "height": 900}}})
            entry = next(e for e in self.server.catalogue() if e["name"] == T1)
            client.send({"type": "open", "source": entry["source"], "as": "new"})
            client.socket.recv(1)
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.socket.close()
        self.assertTrue(self.server.alive())
        self.reader()


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    unittest.main()
