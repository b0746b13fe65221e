"""What people log in by: OpenLDAP's slapd with TLS, a provider of OpenID Connect, and a browser that keeps cookies."""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from nora_client import DEMO, PROGRAM, SOURCE, unchecked_tls

PEERS = os.path.join(SOURCE, "tests", "archive", "access", "peers")
PATIENCE = 30
SLAPD = "/usr/sbin/slapd"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nobody listens at port {port}")


def until(holds, what):
    """Waits until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never comes about: {what}")
        time.sleep(0.05)


class Slapd:
    """A directory with the people of users.ldif."""

    def __init__(self):
        self.home = tempfile.TemporaryDirectory(prefix="nora-slapd-")
        self.folder, self.tls = self.home.name, free_port()
        self.plain = free_port()
        self.process = None
        subprocess.run([os.path.join(PEERS, "slapd.sh"), self.folder], check=True, capture_output=True)
        self.start()
        with open(os.path.join(PEERS, "users.ldif"), encoding="utf-8") as people:
            self.change(people.read(), "ldapadd")

    def start(self):
        self.process = subprocess.Popen([SLAPD, "-f", os.path.join(self.folder, "slapd.conf"), "-d", "0", "-h",
                                         f"ldap://127.0.0.1:{self.plain}/ ldaps://127.0.0.1:{self.tls}/"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.plain)
        wait_for_port(self.tls)

    def stop(self):
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def change(self, ldif, program="ldapmodify"):
        done = subprocess.run([program, "-x", "-H", f"ldap://127.0.0.1:{self.plain}", "-D", "cn=admin,dc=lab,dc=local", "-w", "secret"],
                              input=ldif, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def end(self):
        self.stop()
        self.home.cleanup()

    def settings(self, more=""):
        """A table of nora.toml; who is "locked" or "gone" is so by the filter."""
        password = os.path.join(self.folder, "bind-password")
        with open(os.open(password, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write("searchpw\n")
        return f"""
[[ldap]]
name = "lab"
title = "Lab directory"
urls = ["ldaps://127.0.0.1:{self.tls}"]
ca_file = "{self.folder}/ca.pem"
timeout_ms = 1500
bind_dn = "uid=search,dc=lab,dc=local"
bind_password_file = "{password}"
base_dn = "ou=people,dc=lab,dc=local"
user_filter = "(&(objectClass=person)(uid={{name}})(!(employeeType=locked)))"
id_attribute = "entryUUID"
groups = "search"
group_base_dn = "ou=groups,dc=lab,dc=local"
{more}
"""


class Provider:
    """oidc_provider.py, which logs everybody in as Alice and sends the browser back to nora."""

    def __init__(self, page):
        self.port = free_port()
        self.process = subprocess.Popen([sys.executable, os.path.join(PEERS, "oidc_provider.py"), str(self.port), f"{page}api/v1/login/oidc/callback"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for_port(self.port)

    def control(self, **values):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", "/control?" + urllib.parse.urlencode(values))
        assert connection.getresponse().status == 200
        connection.close()

    def end(self):
        self.process.kill()
        self.process.wait()

    def settings(self, more=""):
        return f"""
[[oidc]]
name = "id"
title = "Lab ID"
issuer = "http://127.0.0.1:{self.port}/realm"
client_id = "nora-lab"
client_secret_env = "NORA_TEST_CLIENT_SECRET"
{more}
"""


class Nora:
    """`nora serve` with an index and a file of settings of its own. Secrets of the tests are in its environment."""

    def __init__(self, port, settings, page=None):
        self.home = tempfile.TemporaryDirectory(prefix="nora-login-")
        self.port, self.page = port, page or f"http://127.0.0.1:{port}/"
        self.index = os.path.join(self.home.name, "index.sqlite")
        self.environment = {**os.environ, "NORA_INDEX": self.index, "NORA_TEST_CLIENT_SECRET": "s3cret/+ ü"}
        self.config = os.path.join(self.home.name, "nora.toml")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'port = {port}\npublic_url = "{self.page}"\n' + settings)
        self.log = open(os.path.join(self.home.name, "log"), "w+", encoding="utf-8")
        self.process = None

    def run(self, *arguments, **more):
        return subprocess.run([PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, timeout=60, check=False, **more)

    def add_user(self, name, password, *more):
        done = self.run("user", "add", name, "--password-file", "-", *more, input=password + "\n")
        assert done.returncode == 0, done.stderr

    def start(self):
        self.process = subprocess.Popen([PROGRAM, "serve", DEMO, "--config", self.config], env=self.environment,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        assert re.search(r"at http://", line), (line, self.said())
        return self

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def end(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
            self.process.stdout.close()
        self.log.close()
        self.home.cleanup()


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        self.place = headers.get("location", "")

    def json(self):
        return json.loads(self.data)


class Browser:
    """Keeps cookies by host, and sends what the page would."""

    def __init__(self, nora, address="127.0.0.1"):
        self.nora, self.address, self.cookies, self.csrf = nora, address, {}, None
        self.place = urllib.parse.urlsplit(nora.page)

    def connect(self):
        where = {"timeout": PATIENCE, "source_address": (self.address, 0)}
        if self.place.scheme == "https":
            return http.client.HTTPSConnection(self.place.hostname, self.place.port, context=unchecked_tls(), **where)
        return http.client.HTTPConnection(self.place.hostname, self.place.port, **where)

    def ask(self, method, path, body=None, headers=None):
        connection = self.connect()
        path = self.place.path[:-1] + path
        origin = f"{self.place.scheme}://{self.place.netloc}"
        sent = {"Content-Type": "application/json", "Origin": origin, **({"X-Nora-Csrf": self.csrf} if self.csrf else {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {**sent, **(headers or {})})
            answer = connection.getresponse()
            for cookie in answer.headers.get_all("set-cookie") or []:
                name, value = cookie.split(";")[0].split("=", 1)
                self.cookies[name] = value
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def log_in(self, name, password):
        answer = self.ask("POST", "/api/v1/login", {"name": name, "password": password})
        if answer.status == 200:
            self.csrf = answer.json()["csrf"]
        return answer

    def me(self):
        answer = self.ask("GET", "/api/v1/me")
        assert answer.status == 200, answer.data
        self.csrf = answer.json()["csrf"]
        return answer.json()

    def begin(self, query="provider=id"):
        return self.ask("GET", "/api/v1/login/oidc?" + query)

    @staticmethod
    def visit(url):
        """Another site; where it leads."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.headers["location"]

    def come_back(self, url):
        """To nora's callback."""
        assert url.startswith(self.nora.page + "api/v1/login/oidc/callback?"), url
        return self.ask("GET", "/" + url.removeprefix(self.nora.page))

    def log_in_by_provider(self, query="provider=id"):
        return self.come_back(self.visit(self.begin(query).place))
