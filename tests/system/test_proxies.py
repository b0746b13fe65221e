"""nora behind nginx and HAProxy, with the samples in docs/proxies and the real programs."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from nora_client import DEMO, SOURCE, TIMEOUT, Client, Closed, Server, Site, unchecked_tls
from test_transport import eventually, make_certificate, metric

T1 = "sub-01/anat/sub-01_T1w.nii.gz"
VIEWS = {"axial": {"width": 320, "height": 240}}
SESSIONS = 3  # of one address


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def sample(name, changes):
    """The text of a sample with some of its lines changed; all of them must be there."""
    with open(os.path.join(SOURCE, "docs", "proxies", name), encoding="utf-8") as file:
        text = file.read()
    for old, new in changes.items():
        assert old in text, f"{name} has no {old!r}"
        text = text.replace(old, new)
    return text


class Behind:
    """The tests; subclasses start a proxy. plain, tls: ports."""

    program = ""

    @classmethod
    def found(cls):
        return shutil.which(cls.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

    @classmethod
    def setUpClass(cls):
        found = cls.found()
        if not found:
            raise unittest.SkipTest(f"{cls.program} is not installed")
        cls.folder = tempfile.mkdtemp(prefix="nora-proxy-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.server = Server(DEMO, "--trusted-proxies", "127.0.0.1", "--sessions-per-address", str(SESSIONS))
        cls.addClassCleanup(cls.server.__exit__)
        cls.server.show_to_everybody()  # who comes by a proxy is not who sits at the machine
        plain, tls = free_port(), free_port()
        with open(os.path.join(cls.folder, "log"), "wb") as log:
            cls.proxy = subprocess.Popen([found, *cls.configure(cls.folder, cls.server.port, plain, tls)], stdout=log, stderr=log, cwd=cls.folder)
        cls.addClassCleanup(cls.end)
        cls.plain, cls.tls = Site(plain, base="/nora"), Site(tls, unchecked_tls(), "/nora")
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                if cls.plain.get("/healthz")[0] == 200:
                    return
            except OSError:
                pass
            if cls.proxy.poll() is not None or time.monotonic() > deadline:
                with open(os.path.join(cls.folder, "log"), encoding="utf-8") as log:
                    raise RuntimeError(f"{cls.program} does not serve: {log.read()}")
            time.sleep(0.1)

    @classmethod
    def end(cls):
        cls.proxy.terminate()
        cls.proxy.wait(TIMEOUT)

    def test_page_list_and_pictures_come_through(self):
        for site, scheme in ((self.plain, "http"), (self.tls, "https")):
            with self.subTest(scheme):
                page = site.get("/")[1].decode()
                for address in re.findall(r'(?:src|href)="([^"]+)"', page):
                    if not address.startswith("data:"):
                        self.assertEqual(site.get("/" + address)[0], 200, address)
                self.assertTrue(any(entry["path"] == T1 for entry in site.catalogue()))
                client = Client(site, origin=f"{scheme}://127.0.0.1:{site.port}")
                scene = client.open(site, T1, VIEWS)
                self.assertGreater(len(client.wait_frame("axial", quality=2).picture), 1000)
                x, y, z = scene["crosshairMm"]
                times = []
                for step in range(20):
                    begin = time.monotonic()
                    sent = client.send({"type": "edit", "patch": [
                        {"op": "replace", "path": "/crosshairMm", "value": [x, y, z + step + 1]}]})
                    client.wait_frame("axial", at_least_input=sent)
                    times.append((time.monotonic() - begin) * 1000)
                client.close()
                direct = Client(self.server)
                direct.open(self.server, T1, VIEWS)
                direct.wait_frame("axial", quality=2)
                floor = []
                for step in range(20):
                    begin = time.monotonic()
                    sent = direct.send({"type": "edit", "patch": [
                        {"op": "replace", "path": "/crosshairMm", "value": [x, y, z + step + 1]}]})
                    direct.wait_frame("axial", at_least_input=sent)
                    floor.append((time.monotonic() - begin) * 1000)
                direct.close()
                print(f"{self.program} {scheme}: input to picture {sorted(times)[10]:.1f} ms, {max(times):.1f} at most; "
                      f"without it {sorted(floor)[10]:.1f} and {max(floor):.1f}", flush=True)

    def test_the_address_without_its_slash_leads_to_the_page(self):
        for site in (self.plain, self.tls):
            answer = Site(site.port, site.tls).raw(b"GET /nora HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            self.assertIn(b" 301 ", answer.split(b"\r\n")[0])
            self.assertIn(b"\r\nlocation: /nora/\r\n", answer.replace(b"Location", b"location"))
            self.assertNotEqual(Site(site.port, site.tls).get("/elsewhere")[0], 200)

    def test_pages_of_another_site_may_not_connect(self):
        for site, scheme, other in ((self.plain, "http", "https"), (self.tls, "https", "http")):
            for origin in ("https://evil.example", f"{other}://127.0.0.1:{site.port}", "null",
                           f"{scheme}://127.0.0.1:{self.server.port}"):
                for lies in ((), ("X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https",
                                  "X-Forwarded-For: 127.0.0.1", "Forwarded: host=evil.example;proto=https")):
                    with self.subTest(f"{scheme} {origin} {lies[:1]}"):
                        with self.assertRaises(Closed) as closed:
                            Client(site, origin=origin, headers=lies)
                        self.assertEqual(closed.exception.code, 403)

    def test_metrics_stay_inside(self):
        for site in (self.plain, self.tls):
            for path in ("/metrics", "/%6detrics", "//metrics", "/./metrics", "/x/../metrics", "/metrics?x"):
                answer = site.raw(f"GET /nora{path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                                  "X-Forwarded-For: 127.0.0.1\r\n\r\n".encode())
                self.assertNotIn(b"nora_uptime", answer, path)
        self.assertEqual(self.server.get("/metrics")[0], 200)

    def test_smuggled_requests_are_not_answered(self):
        inner = b"GET /api/v1/files?smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        length = b"Content-Length: %d\r\n" % len(inner)
        chunked = b"Transfer-Encoding: chunked\r\n"
        body = b"0\r\n\r\n" + inner
        before = metric(self.server, 'nora_http_answers_total{status="200"}')
        self.assertTrue(eventually(lambda: self.plain.get("/readyz") == (200, b"ready\n")))
        for head, rest in ((length, inner), (chunked, b"%x\r\n%s\r\n0\r\n\r\n" % (len(inner), inner)),
                           (b"Content-Length: %d\r\n" % len(body) + chunked, body), (chunked + b"Content-Length: 4\r\n", body),
                           (b"Transfer-Encoding: xchunked\r\n" + length, inner), (b"Transfer-Encoding : chunked\r\n" + length, body),
                           (b"Transfer-Encoding:\x0bchunked\r\n" + length, body), (b"Content-Length: 0\r\n" + length, inner),
                           (b"Content-Length: +%d\r\n" % len(inner), inner), (b"X: y\rContent-Length: 5\r\n" + length, inner)):
            for method in (b"GET", b"POST"):
                for site in (self.plain, self.tls):
                    with self.subTest(f"{method} {head}"):
                        answer = site.raw(method + b" /nora/healthz HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n" + rest, 0.3)
                        self.assertNotIn(b'"entries"', answer)
                        # The next request on the proxy's connections must get its own answer.
                        self.assertEqual(site.get("/readyz"), (200, b"ready\n"))
        self.assertGreater(metric(self.server, 'nora_refused_total{reason="body"}'), 0)
        self.assertGreater(metric(self.server, 'nora_http_answers_total{status="200"}'), before)

    def test_limits_are_for_the_client_and_not_for_the_proxy(self):
        for site in (self.plain, self.tls):
            def viewer(address, *headers):
                client = Client(Site(site.port, site.tls, site.base, address), headers=headers)
                client.send({"type": "ping", "token": 1})
                try:
                    client.wait_text("pong")
                except Closed:
                    client.close()
                    raise
                return client
            self.assertTrue(eventually(lambda: metric(self.server, "nora_streams") == 0))
            held = [viewer("127.0.0.5") for _ in range(SESSIONS)]
            for headers in ((), ("X-Forwarded-For: 127.0.0.77",)):
                with self.assertRaises(Closed) as closed:
                    viewer("127.0.0.5", *headers)
                self.assertEqual((closed.exception.code, closed.exception.reason),
                                 (1013, "too many viewers at this address"))
            held.append(viewer("127.0.0.6"))
            for client in held:
                client.close()


class Nginx(Behind, unittest.TestCase):
    program = "nginx"

    @classmethod
    def configure(cls, folder, port, plain, tls):
        """Files in `folder` for a proxy of the server at `port`; the arguments of the program."""
        certificate, key = make_certificate(folder, "nginx")
        site = sample("nginx.conf", {"listen 80;": f"listen 127.0.0.1:{plain};", "listen 443 ssl;": f"listen 127.0.0.1:{tls} ssl;",
                                     "127.0.0.1:8080": f"127.0.0.1:{port}",
                                     "/etc/ssl/nora/certificate.pem": certificate, "/etc/ssl/nora/key.pem": key})
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = os.path.join(folder, "nginx.conf")
        with open(main, "w", encoding="utf-8") as file:
            file.write(f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\n"
                       f"http {{\naccess_log off;\n{temporary}{site}}}\n")
        return ["-p", folder, "-e", "stderr", "-c", main]


class Haproxy(Behind, unittest.TestCase):
    program = "haproxy"

    @classmethod
    def configure(cls, folder, port, plain, tls):
        both = os.path.join(folder, "both.pem")
        with open(both, "w", encoding="ascii") as out:
            for path in make_certificate(folder, "haproxy"):
                with open(path, encoding="ascii") as part:
                    out.write(part.read())
        text = sample("haproxy.cfg", {"bind :80": f"bind 127.0.0.1:{plain}", "bind :443": f"bind 127.0.0.1:{tls}",
                                      "127.0.0.1:8080": f"127.0.0.1:{port}", "/etc/haproxy/nora.pem": both})
        path = os.path.join(folder, "haproxy.cfg")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return ["-db", "-f", path]


if __name__ == "__main__":
    unittest.main()
