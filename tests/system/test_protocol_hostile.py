"""Clients of the stream that break the rules (docs/PROTOCOL.md): they are told, and nobody else notices."""
import io
import json
import os
import resource
import socket
import struct
import threading
import time
import unittest

import numpy
from PIL import Image

from nora_client import DEMO, Client, Closed, Frame, Server

T1 = "sub-01_T1w.nii.gz"
VIEW = {"axial": {"width": 160, "height": 120}}
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST
SOON = 1.0  # seconds to another viewer's picture, whatever these do


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value


def crosshair(place):
    return [{"op": "replace", "path": "/crosshairMm", "value": place}]


def metric(server, series):
    lines = server.get("/metrics")[1].decode().splitlines()
    return next((float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(series + " ")), 0.0)


def upgrade(server, *lines, protocol="nora.v2", version=13):
    """The text of a handshake."""
    head = ["GET /api/v1/stream HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Upgrade: websocket",
            "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Sec-WebSocket-Version: {version}",
            f"Sec-WebSocket-Protocol: {protocol}", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


class PartsSeen(Client):
    """Remembers which parts came: (frame, offset, bytes, total)."""

    def __init__(self, *arguments, **options):
        self.seen = []
        super().__init__(*arguments, **options)

    def _join(self, part):
        number, offset, total = struct.unpack_from("<III", part, 8)
        self.seen.append((number, offset, len(part) - struct.unpack_from("<H", part, 6)[0], total))
        return super()._join(part)


class Session(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Server(DEMO, *cls.options)
        cls.good = Client(cls.server)
        cls.place = cls.good.open(cls.server, T1, VIEW)["crosshairMm"]
        cls.good.wait_stills(VIEW)
        cls.step = 0

    @classmethod
    def tearDownClass(cls):
        assert cls.server.alive()
        cls.good.close()
        cls.server.__exit__()

    def connect(self, kind=Client, **options):
        client = kind(self.server, **options)
        self.addCleanup(client.close)
        if options.get("start", True):
            client.hello = client.wait_text("hello")
        return client

    def reader(self, views=None, **options):
        client = self.connect(**options)
        client.place = client.open(self.server, T1, views or VIEW)["crosshairMm"]
        return client

    def memory(self):
        with open(f"/proc/{self.server.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) << 10

    def others_see(self):
        """Seconds from another viewer's edit to the picture of it."""
        type(self).step += 1
        start = time.monotonic()
        number = self.good.send({"type": "edit", "patch": crosshair([*self.place[:2], self.step % 50 + self.step / 1000])})
        self.good.wait_frame("axial", at_least_input=number)
        return time.monotonic() - start

    def assert_others_are_undisturbed(self):
        self.assertLess(self.others_see(), SOON)

    def end_of(self, client):
        """How the server ends the connection; 0: without a word."""
        client.socket.settimeout(8)
        try:
            while True:
                client.receive()
        except Closed as closed:
            return closed.code, closed.reason
        except ConnectionError:
            return 0, ""


class Frames(Session):
    def test_a_handshake_may_come_byte_by_byte(self):
        with self.server.connect() as connection:
            for byte in upgrade(self.server):
                connection.sendall(bytes([byte]))
            answer = connection.recv(4096)
        self.assertTrue(answer.startswith(b"HTTP/1.1 101 "), answer)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer)  # of the example in RFC 6455

    def test_frames_that_rfc_6455_forbids_end_the_connection(self):
        masked = b"\x80\0\0\0\0"  # no bytes, or as many as are added to the first
        forbidden = {}
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
            forbidden[f"opcode {opcode}"] = bytes([0x80 | opcode]) + masked
        for bit in (0x40, 0x20, 0x10):
            forbidden[f"reserved bit {bit:x}"] = bytes([0x81 | bit]) + masked
        forbidden["a ping in pieces"] = b"\x09" + masked
        forbidden["a ping of 126 bytes"] = b"\x89\xfe\0\x7e\0\0\0\0" + b"x" * 126
        forbidden["a second part of nothing"] = b"\x80" + masked
        forbidden["a beginning within another"] = b"\x01" + masked + b"\x81" + masked
        forbidden["a length with its first bit set"] = b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0"
        for name, data in forbidden.items():
            with self.subTest(name):
                client = self.connect()
                client.socket.sendall(data)
                self.assertIn(self.end_of(client)[0], (0, 1002, 1009))
        self.assert_others_are_undisturbed()

    def test_frames_that_are_not_masked_are_taken_for_what_they_say(self):
        client = self.connect()
        for text in (b'{"type":"ping","token":1}', b'{"type":"dance"}'):
            client.socket.sendall(bytes([0x81, len(text)]) + text)
        self.assertEqual(client.wait_text("pong")["token"], 1)
        self.assertEqual(self.end_of(client)[0], 1007)

    def test_messages_of_wrong_kind_size_or_depth_are_told_so(self):
        deep = b'{"type":"scene","input":1,"scene":' + b'{"a":' * 16 + b"1" + b"}" * 17
        cases = [(2, b"\0\1", 1003), (2, b"", 1003), (1, b'{"type":"ping","token":1}' + b" " * (1 << 20), 1009), (1, deep, 1009),
                 (1, b"[" * 100000, 1009), (1, b"", 1007), (1, b"{}", 1007), (1, b'{"type":"ping","token":1}x', 1007),
                 (1, b'{"type":"ping","token":NaN}', 1007), (1, b'{"type":"ping","token":1,"more":1}', 1007),
                 (1, b'{"type":"probe","input":1,"mm":[1,2,1e999]}', 1007), (1, b'{"type":"' + b"x" * 999 + b'"}', 1007),
                 (1, b'\xef\xbb\xbf[]', 1007), (1, b'{"type":"ping","token":1', 1007), (1, b'{"type":"key","view":"\xc3"}', 1007)]
        for opcode, data, code in cases:
            with self.subTest(data[:60]):
                client = self.connect()
                client.send_frame(opcode, data)
                end = self.end_of(client)
                self.assertEqual(end[0], code, end)
        client = self.connect()
        allowed = deep.replace(b'{"a":' * 16, b'{"a":' * 15).replace(b"}" * 17, b"}" * 16)  # 16 levels: a bad scene, no more
        client.send_frame(1, allowed)
        self.assertEqual(client.wait_text("error")["input"], 1)
        self.assert_others_are_undisturbed()

    def test_a_large_message_in_small_pieces_is_too_large_as_well(self):
        client = self.connect()
        try:
            for piece in range(40):
                client.send_frame(1 if piece == 0 else 0, b" " * (30 << 10), fin=False)
        except ConnectionError:
            pass
        self.assertIn(self.end_of(client)[0], (0, 1009))  # what was not read may make of it a reset
        self.assertGreaterEqual(metric(self.server, 'nora_refused_total{reason="message_size"}'), 1)

    def test_the_first_message_is_start_and_no_other_is(self):
        good = {"type": "start", "protocol": 2, "codecs": ["jpeg", "png"]}
        for first, code in (({"type": "ping", "token": 1}, 1008), ({**good, "protocol": 1}, 1008), ({**good, "protocol": 3}, 1008),
                            ({**good, "protocol": "2"}, 1007), ({**good, "codecs": ["jpeg"]}, 1007), ({**good, "codecs": "png"}, 1007),
                            ({**good, "codecs": ["jpeg", "png"] * 17}, 1007), ({**good, "resume": ""}, 1007),
                            ({**good, "resume": "a" * 65}, 1007), ({**good, "resume": None}, 1007), ({**good, "name": "x"}, 1007),
                            ({"type": "start"}, 1007), ([good], 1007)):
            with self.subTest(first):
                client = self.connect(start=False)
                client.send_frame(1, json.dumps(first).encode())
                end = self.end_of(client)
                self.assertEqual(end[0], code, end)
                self.assertTrue(end[1])
        client = self.connect(codecs=("jpeg", "png", "h266", ""))
        self.assertEqual(set(client.hello["codecs"]), {"jpeg", "png"})
        client.send(good, with_input=False)
        self.assertEqual(self.end_of(client)[0], 1008)

    def test_wrong_handshakes_get_an_answer_of_http(self):
        here = f"http://127.0.0.1:{self.server.port}"
        for lines, options, status in (((), {"protocol": "nora.v1"}, 400), ((), {"protocol": "nora.v22"}, 400), ((), {"version": 8}, 426),
                                       (("Origin: null",), {}, 403), (("Origin: http://evil.example",), {}, 403),
                                       ((f"Origin: {here}.evil.example",), {}, 403), ((f"Origin: {here[:-1]}",), {}, 403)):
            with self.subTest(lines=lines, options=options):
                answer = self.server.raw(upgrade(self.server, *lines, **options), 0.3).split(b"\r\n")[0]
                self.assertNotIn(b" 101", answer)
                self.assertTrue(answer == b"" or int(answer.split()[1]) == status, answer)
        answer = self.server.raw(upgrade(self.server, f"Origin: {here}", protocol="chat, nora.v2"), 0.3)
        self.assertTrue(answer.startswith(b"HTTP/1.1 101"), answer[:40])
        self.assertIn(b"sec-websocket-protocol: nora.v2\r\n", answer.lower())

    def test_viewports_are_as_many_and_as_large_as_is_written(self):
        for views, code in (({f"v{n}": {"width": 9, "height": 9} for n in range(300)}, 1007), ({"axial": {"width": 4097, "height": 1}}, 1007),
                            ({"axial": {"width": 1.5, "height": 1}}, 1007), ({"axial": {"width": 1}}, 1007), ({"": {"width": 1, "height": 1}}, 1007),
                            ({"x" * 300: {"width": 1, "height": 1}}, 1007), ({"axial": {"width": 1, "height": 1, "depth": 1}}, 1007), ([], 1007)):
            with self.subTest(str(views)[:60]):
                client = self.connect()
                client.send({"type": "viewports", "views": views})
                self.assertEqual(self.end_of(client)[0], code)
        views = {f"v{n}": {"width": 4096, "height": 4096} for n in range(31)}
        client = self.reader({**views, "axial": {"width": 1, "height": 1}})  # views that the scene has not are not drawn
        self.assertEqual(client.wait_stills(["axial"])["axial"].width, 1)
        self.assert_others_are_undisturbed()


class Pictures(Session):
    def test_a_large_still_comes_in_parts_that_others_pass(self):
        client = self.reader({"axial": {"width": 1600, "height": 1200}}, kind=PartsSeen)
        still = client.wait_stills(["axial"])["axial"]
        parts = [part for part in client.seen if part[0] == still.number]
        self.assertGreater(len(parts), 2)
        self.assertEqual([offset for _, offset, _, _ in parts], [sum(p[2] for p in parts[:n]) for n in range(len(parts))])
        self.assertEqual(sum(size for _, _, size, _ in parts), parts[0][3])
        self.assertEqual(len({total for _, _, _, total in parts}), 1)
        pixels = numpy.asarray(Image.open(io.BytesIO(still.picture)).convert("RGBA"))
        self.assertEqual(pixels.shape, (1200, 1600, 4))

    def test_of_a_still_that_is_no_longer_wanted_the_rest_does_not_come(self):
        client = self.reader({"axial": {"width": 1600, "height": 1200}}, kind=PartsSeen)
        for step in range(12):
            number = client.send({"type": "edit", "patch": crosshair([*client.place[:2], client.place[2] + step + 0.5])})
            client.wait_frame("axial", at_least_input=number)
            time.sleep(0.06 + step * 0.02)  # somewhere in the still or its lossless picture
        client.wait_stills(["axial"], client.input)
        whole = {}
        for frame, offset, size, total in client.seen:
            self.assertEqual(whole.get(frame, 0), offset, "parts of a frame come in order")
            whole[frame] = offset + size
        totals = {frame: total for frame, _, _, total in client.seen}
        self.assertTrue(any(whole[frame] < total for frame, total in totals.items()), "some were given up on their way")
        self.assertEqual(whole[client.seen[-1][0]], client.seen[-1][3], "the last one is whole")

    def test_what_frames_say_of_themselves_agrees(self):
        client = self.reader()
        sent, newest, numbers = {}, {}, set()
        for step in range(30):
            sent[client.send({"type": "edit", "patch": crosshair([*client.place[:2], client.place[2] + step])})] = time.monotonic()
            frame = client.wait_frame("axial", at_least_input=client.input)
            since = (time.monotonic() - sent[frame.input]) * 1e6
            self.assertLessEqual(frame.queue_us + frame.render_us + frame.encode_us + frame.wait_us, since + 1000)
            self.assertLessEqual(frame.read_back_us, frame.render_us)
            self.assertNotIn(frame.number, numbers)
            numbers.add(frame.number)
            number, seen, revision = newest.get("axial", (0, 0, 0))
            self.assertGreater(frame.number, number)
            self.assertGreaterEqual(frame.input, seen)
            self.assertGreaterEqual(frame.revision, revision)
            newest["axial"] = (frame.number, frame.input, frame.revision)
            self.assertEqual((frame.viewport_width, frame.viewport_height, frame.ahead), (160, 120, 0))
            self.assertTrue(1 <= frame.encoder_quality <= 100)
            self.assertAlmostEqual(numpy.linalg.norm(frame.forward), 1)
            self.assertAlmostEqual(numpy.dot(frame.forward, frame.right), 0)
            self.assertEqual(frame.hash == 0, frame.codec not in (2, 3))

    def test_every_codec_can_be_chosen_by_hand(self):
        codes = {"jpeg": 1, "png": 2, "webp": 3, "h264": 4, "hevc": 5, "av1": 6}
        client = self.reader(codecs=tuple(codes))
        client.wait_stills(VIEW)
        self.assertLessEqual({"jpeg", "png"}, set(client.hello["codecs"]))
        for step, name in enumerate(client.hello["codecs"]):
            with self.subTest(name):
                isStill = name in ("png", "webp")
                client.send({"type": "prefer", "still" if isStill else "moving": name})
                number = client.send({"type": "edit", "patch": crosshair([*client.place[:2], client.place[2] + step + 1])})
                quality = 2 if isStill else 0
                frame = client.wait_frame("axial", quality, number)
                self.assertEqual(frame.codec, codes[name])
                if isStill:
                    pixels = numpy.asarray(Image.open(io.BytesIO(frame.picture)).convert("RGBA"))
                    self.assertEqual(fnv1a64(pixels.tobytes()), frame.hash)
        plain = self.reader()
        plain.send({"type": "prefer", "moving": "h264", "still": "webp"})  # this one cannot decode them: as auto
        number = plain.send({"type": "edit", "patch": crosshair([*plain.place[:2], plain.place[2] + 9])})
        self.assertEqual(plain.wait_frame("axial", 2, number).codec, 2)

    def test_acknowledgements_that_are_made_up_or_come_again_bring_no_more_pictures(self):
        client = self.reader(acknowledge=False)
        for frame in (1, 1, 1, 77, 4294967295):
            client.send({"type": "ack", "frame": frame, "heldMs": 1e9, "decodeMs": 0}, with_input=False)
        for step in range(60):
            client.send({"type": "edit", "patch": crosshair([*client.place[:2], client.place[2] + step % 30])})
        time.sleep(0.5)
        client.send({"type": "ping", "token": 3})
        client.wait(lambda message: message == {"type": "pong", "token": 3})
        self.assertLessEqual(len(client.frames), 3)  # the first was acknowledged, perhaps

    def test_a_cut_in_mid_message_loses_that_message_alone(self):
        client = self.reader()
        applied = client.send({"type": "edit", "patch": crosshair([1, 2, 3])})
        client.wait_frame("axial", at_least_input=applied)
        text = json.dumps({"type": "edit", "input": applied + 1, "patch": crosshair([4, 5, 6])}).encode()
        client.socket.sendall(b"\x81" + bytes([0x80 | 126]) + struct.pack(">H", len(text)) + bytes(4) + text[:-5])
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        again = self.connect(resume=client.hello["session"])
        self.assertTrue(again.hello["resumed"])
        self.assertEqual((again.hello["applied"], again.hello["scene"]["crosshairMm"]), (applied, [1, 2, 3]))
        self.assertEqual(set(again.wait_text("images")["layers"]), {layer["id"] for layer in again.hello["scene"]["layers"]})
        again.send({"type": "probe", "mm": [0, 0, 0], "input": applied})  # must be larger
        self.assertEqual(self.end_of(again)[0], 1008)


class Burdens(Session):
    def test_patches_that_carry_much_to_and_fro_hold_up_nobody(self):
        client = self.reader()
        rows = [{"op": "add", "path": "/x", "value": [""] * 900}] + [{"op": "copy", "from": "/x", "path": f"/x{n}"} for n in range(50)]
        moved = [{"op": "add", "path": "/x", "value": [""] * 8}] + [{"op": "copy", "from": "/x", "path": "/x/-"}] * 12
        moved += [{"op": "move", "from": "/x" if n % 2 == 0 else "/y", "path": "/y" if n % 2 == 0 else "/x"} for n in range(240)]
        large = [{"op": "add", "path": "/x", "value": ["a"] * 20000}]
        large += [{"op": "move", "from": "/x" if n % 2 == 0 else "/y", "path": "/y" if n % 2 == 0 else "/x"} for n in range(254)]
        for patch in (rows + [{"op": "copy", "from": "/layers", "path": f"/q{n}"} for n in range(200)], moved, large):
            client.send({"type": "edit", "patch": patch})
            self.assert_others_are_undisturbed()
            client.wait_text("error")
        client.send({"type": "ahead", "items": [{"id": n + 1, "view": "axial", "patch": rows} for n in range(32)]})
        self.assert_others_are_undisturbed()

    def test_drips_and_floods_of_pings_hold_up_nobody(self):
        drips = [self.connect(start=False) for _ in range(50)]
        for client in drips:
            client.socket.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 20) + bytes(4))
        stop = threading.Event()
        flood = self.connect()

        def ping():
            try:
                while not stop.is_set():
                    flood.socket.sendall(b"\x89\x80\0\0\0\0" * 100)
                    for client in drips:
                        client.socket.send(b" ")
            except OSError:
                pass

        thread = threading.Thread(target=ping)
        thread.start()
        waits = [self.others_see() for _ in range(20)]
        stop.set()
        flood.close()
        thread.join()
        self.assertLess(max(waits), SOON)

    def test_messages_that_are_begun_and_reset_leave_no_memory_behind(self):
        before = self.memory()
        for _ in range(100):
            client = Client(self.server)
            client.socket.sendall(b"\x81\xff" + struct.pack(">Q", 1 << 20) + bytes(4) + b" " * (512 << 10))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
        self.assert_others_are_undisturbed()
        self.assertLess(self.memory() - before, 48 << 20)

    def test_a_viewer_that_does_not_read_is_ended_when_too_much_waits_for_it(self):
        client = self.reader({"axial": {"width": 2000, "height": 1500}, "3d": {"width": 1500, "height": 1500}})
        client.wait_stills(["axial", "3d"])  # memory for pictures of this size is there from now on
        marker = {"kind": "point", "atMm": [0, 0, 0], "sizeMm": 4, "colour": "#ffd23c", "opacity": 1}
        client.send({"type": "edit", "patch": [{"op": "add", "path": "/markers", "value": [marker] * 800}]})
        before, waits = self.memory(), []
        try:
            for step in range(2000):  # each is answered by the whole scene; it has 3 s to read why it is ended
                client.send({"type": "edit", "patch": [{"op": "replace", "path": "/version", "value": step + 100}]})
                if step % 50 == 0:
                    waits.append(self.others_see())
                time.sleep(0.005)
        except ConnectionError:
            pass
        else:
            self.fail("it was never ended")
        self.assertLess(max(waits), SOON)
        self.assertLess(self.memory() - before, 96 << 20)  # of 140 MB that it would have got

    def test_two_thousand_streams_that_say_nothing_and_a_good_one(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit[1] != resource.RLIM_INFINITY and limit[1] < 4096:
            self.skipTest(f"only {limit[1]} open files are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, limit)
        before, waits, silent = self.memory(), [], []
        request = upgrade(self.server)
        for number in range(2000):
            silent.append(self.server.connect())
            silent[-1].sendall(request)
            if number % 250 == 249:
                waits.append(self.others_see())
        self.assertLess(max(waits), SOON)
        self.assertLess(self.memory() - before, 96 << 20)
        last = silent[-1]
        last.settimeout(20)
        received = b""
        try:
            while part := last.recv(4096):  # pings, and at the end why
                received += part
        except ConnectionError:
            pass
        self.assertIn(struct.pack(">H", 1008), received)
        for connection in silent:
            connection.close()
        self.assert_others_are_undisturbed()


class Limits(unittest.TestCase):
    def test_viewers_beyond_the_limits_are_told_to_try_again_later(self):
        for option, reason in (("--sessions", "too many viewers are connected"), ("--sessions-per-address", "too many viewers at this address")):
            with self.subTest(option), Server(DEMO, option, "2") as server:
                first, second = Client(server), Client(server)
                first.open(server, T1, VIEW)
                token = second.wait_text("hello")["session"]
                beyond = Client(server)
                with self.assertRaises(Closed) as closed:
                    beyond.wait_text("hello")
                self.assertEqual(closed.exception.code, 1013)
                self.assertIn(reason, closed.exception.reason)
                first.wait_stills(VIEW)
                second.close()
                deadline = time.monotonic() + 5
                while metric(server, "nora_sessions") > 1 and time.monotonic() < deadline:
                    time.sleep(0.02)
                third = Client(server, resume=token)  # nothing was open in it: it was not kept
                self.assertFalse(third.wait_text("hello")["resumed"])
                for client in (first, beyond, third):
                    client.close()


if __name__ == "__main__":
    unittest.main()
