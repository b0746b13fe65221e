"""A client of the stream protocol (docs/PROTOCOL.md) in plain Python, and a server to test it on."""
import base64
import hashlib
import json
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import time
import urllib.request

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.environ.get("NORA_PROGRAM", os.path.join(SOURCE, "build/bin/nora"))
DEMO = os.path.join(SOURCE, "tests", "data", "demo")
TIMEOUT = 60  # also on slow machines that do other things, too


def unchecked_tls():
    """For certificates that the tests have signed themselves."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Site:
    """Where nora is reached: a port of this machine, perhaps with TLS, perhaps under a path such as /nora."""

    def __init__(self, port, tls=None, base="", source="127.0.0.1"):
        self.port, self.tls, self.base, self.source = port, tls, base, source

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.port), TIMEOUT, (self.source, 0))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.tls.wrap_socket(connection) if self.tls else connection

    def get(self, path):
        try:
            scheme = "https" if self.tls else "http"
            with urllib.request.urlopen(f"{scheme}://127.0.0.1:{self.port}{self.base}{path}", timeout=TIMEOUT,
                                        context=self.tls) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def catalogue(self):
        """All files, once the scan is done."""
        deadline = time.monotonic() + TIMEOUT
        while json.loads(self.get("/api/v1/news")[1])["scanning"]:
            if time.monotonic() > deadline:
                raise RuntimeError("the scan does not end")
            time.sleep(0.05)
        rows, after = [], None
        while True:
            page = json.loads(self.get("/api/v1/files?limit=1000" + (f"&after={after}" if after else ""))[1])
            rows += page["items"]
            after = page["next"]
            if not after:
                return rows

    def raw(self, data, wait=2.0):
        """Sends bytes to the port; everything that comes back until it closes or falls silent."""
        with self.connect() as connection:
            connection.sendall(data)
            received = b""
            while select.select([connection], [], [], wait)[0]:
                try:
                    part = connection.recv(65536)
                except ConnectionError:
                    break
                if not part:
                    break
                received += part
            return received


class Server(Site):
    """`nora serve FOLDER` on a free port, or of all projects of an index without a folder; use in a with statement."""

    def __init__(self, folder, *options, environment=None, before=()):
        self.home = tempfile.TemporaryDirectory(prefix="nora-index-")
        self.environment = {**os.environ, "NORA_INDEX": os.path.join(self.home.name, "index.sqlite"), **(environment or {})}
        self.process = subprocess.Popen([*before, PROGRAM, "serve", *([folder] if folder else []), "--port", "0", *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=self.environment)
        line = self.process.stdout.readline()
        match = re.search(r"(https?)://([^:]+):(\d+)", line)
        if not match:
            raise RuntimeError(f"no server: {line!r} {self.process.stderr.read()!r}")
        super().__init__(int(match.group(3)), unchecked_tls() if match.group(1) == "https" else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError("the server does not end") from None
        finally:
            self.process.stdout.close()
            self.process.stderr.close()
            self.home.cleanup()

    def stdout_line(self):
        """The next line that it says."""
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the server says no more")
        return line

    def ask(self, method, path, body=None, headers=None):
        """One request of the API as the single user of the machine; status and JSON."""
        if "csrf" not in self.__dict__:
            self.csrf = json.loads(self.get("/api/v1/me")[1])["csrf"]
        origin = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        request = urllib.request.Request(f"{origin}/api/v1{path}", method=method, data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json", "Origin": origin, "X-Nora-Csrf": self.csrf or "", **(headers or {})})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self.tls) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def show_to_everybody(self):
        """All projects, to guests too."""
        for project in self.ask("GET", "/projects")[1]["items"]:
            status, answer = self.ask("PUT", f"/projects/{project['id']}/grants", {"everybody": True, "rights": ["read", "download"]})
            if status != 200:
                raise RuntimeError(f"cannot show: {answer}")

    def alive(self):
        return self.process.poll() is None and self.get("/healthz")[1] == b"ok\n"


class Closed(Exception):
    def __init__(self, code, reason):
        super().__init__(f"closed {code} {reason}")
        self.code, self.reason = code, reason


CODECS = {1: "jpeg", 2: "png", 3: "webp", 4: "h264", 5: "hevc", 6: "av1"}


class Frame:
    def __init__(self, message):
        if message[:4] != b"NORF":
            raise ValueError("not a frame")
        if struct.unpack_from("<H", message, 4)[0] != 2:
            raise ValueError("another version of the frame header")
        (self.version, length, self.number, self.codec, self.quality, self.width, self.height, self.viewport_width,
         self.viewport_height, name, self.input) = struct.unpack_from("<HHIBBHHHHHQ", message, 4)
        numbers = struct.unpack_from("<12d", message, 32)
        self.origin, self.right, self.down, self.forward = (numbers[i:i + 3] for i in (0, 3, 6, 9))
        self.queue_us, self.render_us, self.encode_us, self.wait_us, self.hash = struct.unpack_from("<4IQ", message, 128)
        (self.revision, self.read_back_us, self.ahead, flags, self.encoder_quality, _, self.bandwidth_kbit,
         self.round_trip_us) = struct.unpack_from("<QIIBBHII", message, 152)
        self.key = bool(flags & 1)
        self.view = message[length:length + name].decode()
        self.picture = message[length + name:]


class Client:
    """One WebSocket session. Acknowledges frames unless told otherwise."""

    def __init__(self, server, origin=None, protocol="nora.v2", acknowledge=True, codecs=("jpeg", "png"), resume=None,
                 start=True, headers=()):
        self.acknowledge = acknowledge
        self.deadline = 0  # of what is waited for
        self.parts = (0, b"")  # frame number and bytes so far of the picture that comes in parts
        self.input = 0
        self.frames = []  # all that came, when they are not acknowledged by themselves
        self.socket = server.connect()
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [f"GET {server.base}/api/v1/stream HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"]
        if protocol:
            lines.append(f"Sec-WebSocket-Protocol: {protocol}")
        if origin:
            lines.append(f"Origin: {origin}")
        lines += headers
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while b"\r\n\r\n" not in head:
            part = self.socket.recv(4096)
            if not part:
                self.close()
                raise Closed(0, f"no handshake: {head!r}")
            head += part
        head, self.buffer = head.split(b"\r\n\r\n", 1)
        status = int(head.split()[1])
        if status != 101:
            self.close()
            raise Closed(status, head.decode(errors="replace"))
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        assert accept in head, "wrong accept key"
        if start:
            message = {"type": "start", "protocol": 2, "codecs": list(codecs)}
            if resume:
                message["resume"] = resume
            self.send(message, with_input=False)

    def close(self):
        self.socket.close()

    def send_frame(self, opcode, payload, fin=True, chunk=None):
        mask = os.urandom(4)
        head = bytes([(0x80 if fin else 0) | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
        body = head + mask + bytes(b ^ mask[i & 3] for i, b in enumerate(payload))
        for at in range(0, len(body), chunk or len(body)):
            self.socket.sendall(body[at:at + (chunk or len(body))])

    def send(self, message, with_input=True):
        if with_input and "input" not in message and message["type"] not in ("ack", "ping", "start", "prefer", "key", "ahead"):
            self.input += 1
            message = {**message, "input": self.input}
        self.send_frame(1, json.dumps(message).encode())
        return self.input

    def _read(self, count):
        while len(self.buffer) < count:
            part = self.socket.recv(1 << 18)
            if not part:
                raise Closed(0, "connection lost")
            self.buffer += part
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def receive(self):
        """The next message: a dict (text) or a Frame."""
        while True:
            first, second = self._read(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack(">H", self._read(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self._read(8))[0]
            payload = self._read(length)
            opcode = first & 15
            if opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 0
                raise Closed(code, payload[2:].decode(errors="replace"))
            if opcode == 9:
                self.send_frame(10, payload)
                if self.deadline and time.monotonic() > self.deadline:
                    raise RuntimeError("the message does not come")
            elif opcode == 1:
                return json.loads(payload)
            elif opcode == 2:
                if payload[:4] == b"NORP":
                    payload = self._join(payload)
                    if payload is None:
                        continue
                arrived = time.monotonic()
                frame = Frame(payload)
                if self.acknowledge:
                    held = (time.monotonic() - arrived) * 1000
                    self.send({"type": "ack", "frame": frame.number, "heldMs": held}, with_input=False)
                else:
                    self.frames.append(frame)
                return frame

    def _join(self, part):
        """The whole message, once its last part is there."""
        version, length, number, offset, total = struct.unpack_from("<HHIII", part, 4)
        if version != 2:
            raise ValueError("another version of parts")
        if offset == 0:
            self.parts = (number, b"")
        known, so_far = self.parts
        if known != number or len(so_far) != offset:
            raise ValueError("a part that does not follow the one before")
        so_far += part[length:]
        self.parts = (number, so_far)
        return so_far if len(so_far) == total else None

    def wait(self, wanted):
        """The next message for which wanted(message) is true."""
        self.deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < self.deadline:
            message = self.receive()
            if wanted(message):
                return message
        raise RuntimeError("the message does not come")

    def wait_text(self, kind):
        return self.wait(lambda message: isinstance(message, dict) and message["type"] == kind)

    def wait_frame(self, view=None, quality=None, at_least_input=0):
        return self.wait(lambda message: isinstance(message, Frame) and (view is None or message.view == view)
                         and (quality is None or message.quality == quality) and message.input >= at_least_input)

    def wait_stills(self, views, at_least_input=0):
        """The lossless frames of some views, whatever their order."""
        stills = {}
        while len(stills) < len(views):
            frame = self.wait_frame(quality=2, at_least_input=at_least_input)
            if frame.view in views:
                stills[frame.view] = frame
        return stills

    def open(self, server, name, viewports=None, how="new"):
        """Opens the entry with that name (or path); the scene and `images` message of the loaded image."""
        entry = next(e for e in server.catalogue() if name in (e["name"], e["path"], e["source"]["path"]))
        if viewports:
            self.send({"type": "viewports", "views": viewports})
        number = self.send({"type": "open", "source": entry["source"], "as": how})
        scene = self.wait(lambda m: isinstance(m, dict) and (m["type"] == "scene" and m["input"] == number or m["type"] == "error"))
        if scene["type"] == "error":
            raise RuntimeError(f"cannot open: {scene}")
        return scene["scene"]
