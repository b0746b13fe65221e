"""Bodies of requests and answers on the wire: split, pipelined, cut off, many at once, large; with and without TLS."""
import concurrent.futures
import http.client
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

import test_proxies
from nora_client import TIMEOUT, Site, unchecked_tls
from test_transport import eventually, make_certificate

PROGRAM = os.environ["NORA_BODY_SERVER"]
MIB = 1 << 20
PERIOD = bytes(range(251))
NUMBERS = PERIOD * (MIB // 251 + 2)


def numbers(count, start=0):
    """Byte i is i % 251."""
    out = bytearray()
    while len(out) < count:
        at = (start + len(out)) % 251
        out += NUMBERS[at:at + min(MIB, count - len(out))]
    return bytes(out)


class BodyServer(Site):
    def __init__(self, *certificate):
        self.process = subprocess.Popen([PROGRAM, *certificate], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        super().__init__(int(self.process.stdout.readline()), unchecked_tls() if certificate else None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.wait(30) != 0:
            raise RuntimeError(f"the server ended with {self.process.returncode}")
        self.process.stdout.close()

    def state(self):
        """Open sinks, finished ones, open streams."""
        return tuple(int(word) for word in self.get("/state")[1].split())

    def resident_mib(self, peak=False):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(("VmHWM" if peak else "VmRSS") + r":\s+(\d+)", file.read()).group(1)) / 1024

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def http(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.sock = self.connect()
        return connection


class Answers:
    """What comes back on a connection, answer by answer; each with a content-length."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def next(self):
        """Status and body; None at the end of the connection."""
        try:
            head = []
            while line := self.file.readline().strip():
                head.append(line)
            if not head:
                return None
            length = next(int(line.split(b":")[1]) for line in head if line.startswith(b"content-length:"))
            return int(head[0].split()[1]), self.file.read(length)
        except ConnectionError:
            return None


def read_answer(connection):
    return Answers(connection).next()


class Plain(unittest.TestCase):
    CERTIFICATE = ()

    @classmethod
    def setUpClass(cls):
        cls.server = BodyServer(*cls.CERTIFICATE)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_heads_and_bodies_in_pieces_of_any_size(self):
        draw = random.Random(7)
        for round_ in range(40):
            size = draw.choice([0, 1, 100, 5000, 70000])
            path = draw.choice(["/upload", "/body"])
            data = (f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n").encode() + numbers(size)
            with self.server.connect() as connection:
                for _ in range(draw.choice([1, 3])):
                    at = 0
                    while at < len(data):
                        step = draw.choice([1, 2, 7, 50, 1000, 20000])
                        connection.sendall(data[at:at + step])
                        at += step
                    status, body = read_answer(connection)
                    said = f"right {size}" if path == "/upload" else f"got {size}\n"
                    self.assertEqual((status, body.decode()), (200, said), round_)

    def test_what_comes_in_one_piece_is_answered_in_order_or_ends_the_connection(self):
        draw = random.Random(8)
        pieces = [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                  b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                  b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\0\1\2",
                  b"PUT /body HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                  b"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
                  b"DELETE / HTTP/1.1\r\nHost: x\r\n\r\n",
                  b"GET /numbers?bytes=70000&size HTTP/1.1\r\nHost: x\r\n\r\n"]
        told = [b"hello\n", b"got 5\n", b"right 3", b"got 0\n", b"got 0\n", b"hello\n", numbers(70000)]
        for round_ in range(150):
            order = [draw.randrange(len(pieces)) for _ in range(draw.randrange(1, 8))]
            with self.server.connect() as connection:
                connection.sendall(b"".join(pieces[i] for i in order))
                answers = Answers(connection)
                for i in order:
                    answer = answers.next()
                    if answer is None:
                        break  # ended: nobody is owed an answer to what was sent ahead
                    if answer[0] == 400:
                        self.assertIn(b"must wait", answer[1])
                        break
                    self.assertEqual(answer, (200, told[i]), (round_, order))
        self.assertEqual(self.server.get("/")[1], b"hello\n")

    def test_noise_and_half_requests_harm_nobody(self):
        draw = random.Random(9)
        whole = b"PATCH /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\nUpload-Offset: 5\r\n\r\n" + numbers(3000)
        for _ in range(300):
            data = bytearray(whole[:draw.randrange(1, len(whole))])
            for _ in range(draw.randrange(4)):
                data[draw.randrange(min(len(data), 90))] = draw.randrange(256)
            with self.server.connect() as connection:
                try:
                    connection.sendall(data)
                    if draw.random() < 0.3:
                        connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
        self.assertEqual(self.server.get("/")[1], b"hello\n")
        self.assertTrue(eventually(lambda: self.server.state()[0] == 0))

    def test_an_upload_that_is_cut_off_is_never_finished(self):
        before = self.server.state()[1]
        for sent in (0, 10, 300_000, 5 * MIB - 1):
            with self.server.connect() as connection:
                connection.sendall(f"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {5 * MIB}\r\n\r\n".encode())
                connection.sendall(numbers(sent))
        self.assertTrue(eventually(lambda: self.server.state() == (0, before, 0)), self.server.state())

    def test_a_hundred_uploads_at_once_and_others_are_served(self):
        size = 2 * MIB
        data = numbers(size)

        def upload(_):
            connection = self.server.http()
            connection.request("PUT", "/upload", data)
            answer = connection.getresponse()
            said = answer.read().decode()
            connection.close()
            return answer.status, said

        slowest = 0.0
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            uploads = [pool.submit(upload, i) for i in range(100)]
            while not all(one.done() for one in uploads):
                begin = time.monotonic()
                self.assertEqual(self.server.get("/")[1], b"hello\n")
                slowest = max(slowest, time.monotonic() - begin)
            self.assertEqual({one.result() for one in uploads}, {(200, f"right {size}")})
        print(f"100 uploads of 2 MiB: a small answer took at most {slowest * 1000:.0f} ms", flush=True)

    def test_who_does_not_read_and_sends_on_costs_next_to_nothing(self):
        with self.server.connect() as connection:
            connection.sendall(b"GET /numbers?bytes=1000000000 HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
            time.sleep(0.8)
            before = self.server.processor_seconds()
            time.sleep(1)
            self.assertLess(self.server.processor_seconds() - before, 0.3)
            with connection.makefile("rb") as file:  # and is served once it reads
                self.assertEqual(len(file.read(100_000_000)), 100_000_000)
        self.assertTrue(eventually(lambda: self.server.state()[2] == 0))

    def check_memory(self, work):
        before = self.server.resident_mib()
        begin = time.monotonic()
        work()
        seconds = time.monotonic() - begin
        grown = self.server.resident_mib(peak=True) - before
        print(f"{self.id().rsplit('.', 1)[1]}: 1 GiB in {seconds:.1f} s ({1024 / seconds:.0f} MiB/s), "
              f"{grown:.1f} MiB more memory at most", flush=True)
        self.assertLess(grown, 60)

    def test_b_a_gibibyte_down(self):
        def work():
            connection = self.server.http()
            connection.request("GET", "/numbers?bytes=1073741824")
            answer = connection.getresponse()
            self.assertEqual(answer.getheader("transfer-encoding"), "chunked")
            at = 0
            while piece := answer.read(251 * 4096):
                if at % 251 == 0:  # as in all but the last
                    self.assertEqual(piece[:502], (PERIOD * 2)[:len(piece)])
                at += len(piece)
            self.assertEqual(at, 1 << 30)
            connection.close()

        self.check_memory(work)

    def test_b_a_gibibyte_up(self):
        def work():
            with self.server.connect() as connection:
                connection.sendall(f"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 30}\r\n\r\n".encode())
                left, step = 1 << 30, 251 * 4096
                data = numbers(step)
                while left > 0:
                    connection.sendall(data[:min(step, left)])
                    left -= min(step, left)
                self.assertEqual(read_answer(connection), (200, b"right 1073741824"))

        self.check_memory(work)


class Encrypted(Plain):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.CERTIFICATE = make_certificate(holder.name, "first")
        super().setUpClass()


class BehindNginx(unittest.TestCase):
    PROXY = test_proxies.Nginx

    @classmethod
    def setUpClass(cls):
        program = shutil.which(cls.PROXY.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
        if not program:
            raise unittest.SkipTest(f"{cls.PROXY.program} is not installed")
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.folder, cls.server = holder.name, BodyServer()
        cls.addClassCleanup(cls.server.__exit__)
        plain, tls = test_proxies.free_port(), test_proxies.free_port()
        with open(os.path.join(cls.folder, "log"), "wb") as log:
            proxy = subprocess.Popen([program, *cls.PROXY.configure(cls.folder, cls.server.port, plain, tls)], stdout=log, stderr=log,
                                     cwd=cls.folder)
        cls.addClassCleanup(proxy.wait, TIMEOUT)
        cls.addClassCleanup(proxy.terminate)
        cls.sites = Site(plain, base="/nora"), Site(tls, unchecked_tls(), "/nora")
        if not eventually(cls.is_up):
            raise RuntimeError(f"{cls.PROXY.program} does not serve")

    @classmethod
    def is_up(cls):
        try:
            return cls.sites[0].get("/healthz")[0] == 200
        except OSError:
            return False

    def test_bodies_pass_in_both_directions(self):
        data = numbers(20 * MIB)
        for site in self.sites:
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
            connection.sock = site.connect()

            def ask(method, path, body=None):
                connection.request(method, "/nora" + path, body)
                answer = connection.getresponse()
                return answer.status, answer.read()

            for _ in range(3):  # over connections that the proxy keeps
                self.assertEqual(ask("PUT", "/upload", data), (200, f"right {len(data)}".encode()))
                self.assertEqual(ask("POST", "/body", b"hello"), (200, b"got 5\n"))
                self.assertEqual(ask("DELETE", "/"), (200, b"hello\n"))
                self.assertEqual(ask("GET", f"/numbers?bytes={len(data)}"), (200, data))
                self.assertEqual(ask("GET", f"/numbers?bytes={len(data)}&size"), (200, data))
            connection.close()
        self.assertTrue(eventually(lambda: self.server.state()[::2] == (0, 0)))

    def test_a_body_that_is_too_long_is_told(self):
        for site in self.sites:
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
            connection.sock = site.connect()
            connection.request("POST", "/nora/body", bytes(MIB + 1))
            self.assertEqual(connection.getresponse().status, 413)
            connection.close()

    def test_an_upload_that_is_cut_off_is_cut_off_here_too(self):
        before = self.server.state()[1]
        with self.sites[0].connect() as connection:
            connection.sendall(f"PUT /nora/upload HTTP/1.1\r\nHost: x\r\nContent-Length: {5 * MIB}\r\n\r\n".encode())
            connection.sendall(numbers(3 * MIB))
        self.assertTrue(eventually(lambda: self.server.state()[:2] == (0, before)))


class BehindHaproxy(BehindNginx):
    PROXY = test_proxies.Haproxy


if __name__ == "__main__":
    unittest.main()
