"""How the server is reached: TLS and its reload, health, metrics, its end, limits, half-open connections."""
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
import warnings

from nora_client import DEMO, PROGRAM, TIMEOUT, Client, Closed, Server

T1 = "sub-01/anat/sub-01_T1w.nii.gz"
VIEWS = {"axial": {"width": 160, "height": 120}}


def make_certificate(folder, name, kind="ec"):
    """Paths of a certificate, signed by itself, and its key."""
    certificate, key = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    algorithm = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else [kind]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *algorithm, "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def put(source, target):
    """Replaces a file at once, as programs that renew certificates do."""
    with open(source, "rb") as file, open(target + ".new", "wb") as new:
        new.write(file.read())
    os.rename(target + ".new", target)


def served_name(server):
    """The common name in the certificate that a new connection gets."""
    with server.connect() as connection:
        der = connection.getpeercert(binary_form=True)
    shown = subprocess.run(["openssl", "x509", "-inform", "der", "-noout", "-subject"], input=der, capture_output=True,
                           check=True).stdout.decode()
    return re.search(r"CN = (\S+)", shown).group(1)


def eventually(question, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if question():
            return True
        time.sleep(0.05)
    return False


def metric(server, series):
    for line in server.get("/metrics")[1].decode().splitlines():
        if line.startswith(series + " "):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


class Tls(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.certificate, self.key = make_certificate(self.folder, "first")
        self.options = ("--tls-certificate", self.certificate, "--tls-key", self.key)

    def test_page_list_and_pictures_come_encrypted(self):
        with Server(DEMO, *self.options) as server:
            self.assertIsNotNone(server.tls)
            self.assertIn(b"<nora-app>", server.get("/")[1])
            client = Client(server, origin=f"https://127.0.0.1:{server.port}")
            client.open(server, T1, VIEWS)
            self.assertGreater(len(client.wait_frame("axial", quality=2).picture), 1000)
            self.assertIn(client.socket.version(), ("TLSv1.2", "TLSv1.3"))
            client.close()
            with self.assertRaises(Closed):
                Client(server, origin=f"http://127.0.0.1:{server.port}")

    def test_old_tls_is_refused_and_plain_http_is_led_to_https(self):
        with Server(DEMO, *self.options) as server:
            for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
                with self.subTest(version):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore", DeprecationWarning)
                        server.tls.set_ciphers("ALL:@SECLEVEL=0")
                        server.tls.minimum_version = server.tls.maximum_version = version
                    with self.assertRaises(ssl.SSLError):
                        server.connect()
            server.tls, tls = None, server.tls
            answer = server.raw(f"GET /x HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n".encode())
            self.assertIn(b" 308 ", answer.split(b"\r\n")[0])
            self.assertIn(f"location: https://localhost:{server.port}/\r\n".encode(), answer)
            self.assertNotIn(b"nora-app", answer)
            with self.assertRaises(Closed) as closed:
                Client(server)
            self.assertEqual(closed.exception.code, 426)
            tls.minimum_version = tls.maximum_version = ssl.TLSVersion.TLSv1_3
            server.tls = tls
            self.assertTrue(server.alive())

    def test_a_new_certificate_is_taken_and_nobody_is_cut_off(self):
        with Server(DEMO, *self.options) as server:
            self.assertEqual(served_name(server), "first")
            client = Client(server)
            client.open(server, T1, VIEWS)
            # By itself: the key first, and only later the certificate, of another kind.
            certificate, key = make_certificate(self.folder, "second", "rsa:2048")
            put(key, self.key)
            time.sleep(0.3)
            put(certificate, self.certificate)
            self.assertTrue(eventually(lambda: served_name(server) == "second"))
            # By a signal, at once.
            certificate, key = make_certificate(self.folder, "third")
            put(certificate, self.certificate)
            put(key, self.key)
            server.process.send_signal(signal.SIGHUP)
            self.assertTrue(eventually(lambda: served_name(server) == "third", 1.5))
            # What cannot be used is not.
            with open(self.certificate, "w", encoding="ascii") as file:
                file.write("no certificate\n")
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(served_name(server), "third")
            os.unlink(self.certificate)
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            self.assertEqual(served_name(server), "third")
            client.send({"type": "probe", "mm": [0, 0, 0]})
            client.wait_text("values")
            client.close()
            server.process.send_signal(signal.SIGTERM)
            said = server.process.communicate(timeout=TIMEOUT)[1]
            self.assertIn("the old one stays in force: " + self.certificate + ": holds no certificate", said)
            self.assertIn("the old one stays in force: " + self.certificate + ": cannot be read", said)

    def test_a_pair_that_cannot_be_used_is_an_error_of_the_start(self):
        other, other_key = make_certificate(self.folder, "other")
        locked = os.path.join(self.folder, "locked.key")
        subprocess.run(["openssl", "pkey", "-in", self.key, "-aes256", "-passout", "pass:secret", "-out", locked],
                       check=True)
        weak = make_certificate(self.folder, "weak", "rsa:1024")
        noise = os.path.join(self.folder, "noise.pem")
        with open(noise, "wb") as file:
            file.write(os.urandom(3000))
        half = os.path.join(self.folder, "half.pem")
        with open(self.certificate, encoding="ascii") as file, open(half, "w", encoding="ascii") as cut:
            cut.write(file.read() * 2)
            cut.truncate(cut.tell() // 2 + 300)
        for certificate, key, text in (
                (self.certificate, other_key, f"{other_key}: is not the key of the certificate in {self.certificate}"),
                ("/nowhere.pem", self.key, "/nowhere.pem: cannot be read: No such file"),
                (self.certificate, "/nowhere.key", "/nowhere.key: cannot be read"),
                (self.certificate, locked, f"{locked}: holds no private key in PEM form without a pass phrase"),
                (noise, self.key, f"{noise}: holds no certificate"),
                (half, self.key, f"{half}: a certificate after the first one is damaged"),
                (*weak, "key too small"),
                (self.key, self.certificate, f"{self.key}: holds no certificate"),
                (self.folder, self.key, f"{self.folder}: cannot be read"),
                (other, None, "tls_certificate and tls_key are needed together")):
            with self.subTest(text):
                options = ["--tls-certificate", certificate] + (["--tls-key", key] if key else [])
                done = subprocess.run([PROGRAM, "serve", DEMO, "--port", "0", *options], capture_output=True, text=True,
                                      timeout=TIMEOUT, check=False, stdin=subprocess.DEVNULL)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(text, done.stderr)
                self.assertEqual(done.stdout, "")

    def test_unfinished_handshakes_keep_nobody_out(self):
        with Server(DEMO, *self.options, "--connections", "64") as server:
            half = []
            for number in range(300):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT)
                connection.sendall((b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")[number % 3])
                half.append(connection)
            client = Client(server)
            client.send({"type": "ping", "token": 5})
            self.assertEqual(client.wait_text("pong")["token"], 5)
            self.assertLessEqual(metric(server, "nora_connections"), 64)
            for connection in half:
                connection.close()
            client.close()


class Health(unittest.TestCase):
    def test_ready_alive_and_metrics(self):
        with Server(DEMO) as server:
            self.assertEqual(server.get("/healthz"), (200, b"ok\n"))
            self.assertTrue(eventually(lambda: server.get("/readyz") == (200, b"ready\n")))
            client = Client(server)
            client.open(server, T1, VIEWS)
            client.wait_frame("axial", quality=2)
            self.assertEqual(metric(server, "nora_streams"), 1)
            self.assertGreater(metric(server, 'nora_stream_bytes_total{direction="out"}'), 1000)
            self.assertGreater(metric(server, "nora_process_resident_memory_bytes"), 10e6)
            self.assertGreater(metric(server, "nora_uptime_seconds"), 0)
            self.assertEqual(metric(server, 'nora_build_info{version="0.1.0"}'), 1)
            client.close()

    def test_health_is_answered_by_whatever_name_and_metrics_to_this_machine_only(self):
        ask = "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n"
        with Server(DEMO) as server:
            def status(path, host="127.0.0.1", extra=""):
                return int(server.raw(ask.format(path, host, extra).encode()).split()[1])
            self.assertEqual(status("/healthz", "loadbalancer.example"), 200)
            self.assertTrue(eventually(lambda: status("/readyz", "loadbalancer.example") == 200))
            self.assertEqual(status("/metrics", "loadbalancer.example"), 403)
            self.assertEqual(status("/metrics"), 200)
            for header in ("X-Forwarded-For: 127.0.0.1", "Forwarded: for=1.2.3.4", "Via: 1.1 x", "x-forwarded-HOST: h"):
                self.assertEqual(status("/metrics", extra=header + "\r\n"), 403, header)
        with Server(DEMO, "--metrics-public", "true") as server:
            self.assertEqual(status("/metrics", extra="X-Forwarded-For: 1.2.3.4\r\n"), 200)

    def test_the_end_is_told_and_quick(self):
        server = Server(DEMO)
        client = Client(server)
        client.open(server, T1, VIEWS)
        silent = socket.create_connection(("127.0.0.1", server.port))
        server.process.send_signal(signal.SIGTERM)
        with self.assertRaises(Closed) as closed:
            while True:
                client.receive()
        self.assertEqual((closed.exception.code, closed.exception.reason), (1001, "the server has ended"))
        # This client does not answer the close: the server does not wait for it for ever. Meanwhile it says why not.
        self.assertEqual(server.get("/readyz"), (503, b"the server is ending\n"))
        self.assertEqual(server.get("/healthz"), (200, b"ok\n"))
        self.assertEqual(server.process.wait(TIMEOUT), 0)
        for connection in (client, silent):
            connection.close()
        server.process.stdout.close()
        server.process.stderr.close()

    def test_without_a_certificate_sighup_ends_the_server(self):
        server = Server(DEMO)
        server.process.send_signal(signal.SIGHUP)
        self.assertEqual(server.process.wait(TIMEOUT), 0)
        server.process.stdout.close()
        server.process.stderr.close()


class Limits(unittest.TestCase):
    def test_two_thousand_half_open_connections_and_a_good_client(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < 4096:
            self.skipTest(f"only {hard} open files are allowed here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 16384) if hard > 0 else 16384, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with Server(DEMO) as server:
            good = Client(server)
            scene = good.open(server, T1, VIEWS)
            before = metric(server, "nora_process_resident_memory_bytes")
            beginnings = (b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"GET /api/v1/stream HT")
            half = []
            stop = threading.Event()

            def drip():  # a byte now and then, so that they seem to be alive
                while not stop.wait(0.5):
                    for connection in half:
                        try:
                            connection.send(b"a")
                        except OSError:
                            pass

            dripping = threading.Thread(target=drip)
            dripping.start()
            self.addCleanup(stop.set)
            waits = []
            for number in range(2000):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT)
                connection.sendall(beginnings[number % 3])
                half.append(connection)
                if number % 200 == 199:
                    begin = time.monotonic()
                    fresh = Client(server)
                    fresh.send({"type": "ping", "token": number})
                    self.assertEqual(fresh.wait_text("pong")["token"], number)
                    x, y, z = scene["crosshairMm"]
                    sent = good.send({"type": "edit", "patch": [{"op": "replace", "path": "/crosshairMm",
                                                                 "value": [x, y, z + number // 200]}]})
                    good.wait_frame("axial", at_least_input=sent)
                    waits.append(time.monotonic() - begin)
                    fresh.close()
            stop.set()
            dripping.join()
            grown = metric(server, "nora_process_resident_memory_bytes") - before
            print(f"2000 half-open: a new client and a picture in {max(waits) * 1000:.0f} ms at most, "
                  f"{grown / 2**20:.1f} MiB more memory", flush=True)
            self.assertLess(max(waits), 1)
            self.assertLess(grown, 64 * 2**20)
            self.assertLessEqual(metric(server, "nora_connections"), 1024)
            for connection in half:
                connection.close()
            good.close()

    def test_a_flood_of_messages_ends_with_a_reason(self):
        with Server(DEMO, "--messages-per-second", "30") as server:
            client = Client(server)
            with self.assertRaises(Closed) as closed:
                for number in range(5000):
                    client.send({"type": "ping", "token": number})
                    if number > 90:
                        client.receive()
            self.assertEqual((closed.exception.code, closed.exception.reason), (1008, "too many messages"))
            self.assertEqual(metric(server, 'nora_refused_total{reason="message_rate"}'), 1)
            client.close()


if __name__ == "__main__":
    unittest.main()
