"""Programs that are killed at any moment, while others and `nora serve` use the same index: index and disk agree after the next start, what was
acknowledged is there.

NORA_KILL_ROUNDS=100 for the full run, NORA_KILL_SEED for another one."""
import hashlib
import http.client
import json
import os
import random
import subprocess
import sys
import threading
import time
import unittest

import index_rows
from archive_case import PROGRAM, ArchiveCase
from nora_client import Server

ROUNDS = int(os.environ.get("NORA_KILL_ROUNDS", "14"))
SEED = int(os.environ.get("NORA_KILL_SEED", "7"))
BIG = 3_000_000


class Said:
    """What was acknowledged, and what may be there or not because its program was killed."""

    def __init__(self):
        self.tags, self.files, self.metas = set(), {}, {}

    def meta(self, path, number, is_acknowledged):
        if is_acknowledged:
            self.metas[path] = [number]
        else:
            self.metas.setdefault(path, [None]).append(number)


class Kill(ArchiveCase):
    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments, "--index", self.index], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ended(self, program):
        """Kills it at a random moment; whether it had acknowledged."""
        time.sleep(self.dice.random() * 1.6 * self.usual)
        program.kill()
        program.stdout.close()
        return program.wait() == 0

    def serve(self):
        return Server(None, environment={"NORA_INDEX": self.index})

    def kill_server(self, server):
        server.process.kill()
        server.process.wait()
        server.process.stdout.close()
        server.process.stderr.close()
        server.home.cleanup()

    def lose_index(self):
        folder = os.path.dirname(self.index)
        for name in os.listdir(folder):
            if name.startswith("index.sqlite"):
                os.remove(os.path.join(folder, name))

    def rows(self):
        """All of the index, read without nora."""
        return index_rows.described(index_rows.from_sqlite(self.index))

    def by_command(self, number, work):
        path = self.dice.choice(self.images)
        if work == "tag":
            if self.ended(self.start("tag", "kind:image", "--add", f"t{number}")):
                self.said.tags.add(f"t{number}")
        elif work == "meta":
            found = [item for item in self.lines("find", "kind:image") if item["path"] == path]
            if found:
                done = self.ended(self.start("meta", str(found[0]["id"]), "--set", json.dumps({"n": number})))
                self.said.meta(path, number, done)
        elif work == "import":
            source = os.path.join(self.folder, f"new-{number}.bin")
            with open(source, "wb") as file:
                file.write(bytes([number % 256]) * BIG)
            if self.ended(self.start("import", source, "--project", "own", "--subject", "S")):
                self.said.files[f"S/new-{number}.bin"] = hashlib.sha256(bytes([number % 256]) * BIG).hexdigest()
        else:
            return self.ended(self.start(work))
        return True

    def by_server(self, server, number):
        """Works through the API until the server is killed under it."""
        said, path = self.said, self.dice.choice(self.images)
        rows = {item["path"]: item["id"] for item in server.ask("GET", "/files?q=kind:image&limit=1000")[1]["items"] if item["path"] in self.images}
        self.assertEqual(len(rows), len(self.images))

        def work():
            try:
                for step in range(1000):
                    mark = f"s{number}-{step}"
                    if server.ask("POST", "/tags", {"level": "files", "ids": list(rows.values()), "add": [mark]})[0] == 200:
                        said.tags.add(mark)
                    value = number * 1000 + step
                    said.meta(path, value, False)
                    if server.ask("PUT", f"/files/{rows[path]}/meta", {"n": value})[0] == 200:
                        said.meta(path, value, True)
                    self.upload(server, f"U/{mark}.bin", bytes([step % 256]) * 700_000)
            except (OSError, http.client.HTTPException, ValueError):
                pass  # it was killed
        worker = threading.Thread(target=work)
        worker.start()
        time.sleep(self.dice.random() * 8 * self.usual)
        self.kill_server(server)
        worker.join()

    def upload(self, server, path, content):
        status, begun = server.ask("POST", f"/projects/{self.project}/uploads", {"path": path, "size": len(content)})
        if status != 201:
            return
        half = len(content) // 2
        for at in (0, half):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("PATCH", f"/api/v1/uploads/{begun['id']}", content[at:at + half],
                               {"Origin": f"http://127.0.0.1:{server.port}", "X-Nora-Csrf": server.csrf, "Upload-Offset": str(at),
                                "Content-Type": "application/octet-stream"})
            connection.getresponse().read()
            connection.close()
        if server.ask("POST", f"/uploads/{begun['id']}/finish")[0] == 200:
            self.said.files[path] = hashlib.sha256(content).hexdigest()

    def check(self):
        """After a start and a scan, whatever had been killed."""
        self.nora("scan")
        items = {item["path"]: item for item in self.lines("find")}
        for path in self.images:
            self.assertLessEqual(self.said.tags, set(items[path]["tags"]), path)
        for path, numbers in self.said.metas.items():
            self.assertIn(items[path]["meta"].get("n"), numbers, path)
        (project,) = self.lines("project", "list")[0]
        root = project["root"]
        on_disk = {}
        for above, folders, names in os.walk(root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = os.path.join(above, name)
                on_disk[os.path.relpath(path, root)] = os.path.getsize(path)
                if name.endswith(".bin"):
                    with open(path, "rb") as file:
                        content = file.read()
                    self.assertIn(len(content), (BIG, 700_000), f"half a file: {path}")
                    self.assertEqual(len(set(content)), 1, path)
        for path, digest in self.said.files.items():
            with open(os.path.join(root, path), "rb") as file:
                self.assertEqual(hashlib.sha256(file.read()).hexdigest(), digest, path)
            self.assertIn(path, items)
        singles = {path: size for path, size in on_disk.items() if not path.endswith(".dcm")}
        self.assertEqual({path: item["size"] for path, item in items.items() if item["format"] != "DICOM"}, singles, "index and disk agree")

    def test_nothing_that_was_acknowledged_is_lost(self):
        self.dice = random.Random(SEED)
        self.said = Said()
        self.nora("project", "add", "own")
        self.nora("import", self.data, "--project", "own")
        self.images = [item["path"] for item in self.lines("find", "kind:image") if item["format"] != "DICOM"]
        self.project = self.lines("project", "list")[0][0]["id"]
        begun = time.monotonic()
        self.nora("tag", "kind:image", "--add", "first")
        self.usual = time.monotonic() - begun  # what a command takes here: half of them are killed, more or less
        counts = {}
        for number in range(ROUNDS):
            work = self.dice.choice(("tag", "meta", "import", "scan", "reindex", "serve", "serve"))
            server = self.serve()  # on the same index, whoever else is killed
            self.project = server.ask("GET", "/projects")[1]["items"][0]["id"]
            try:
                if work == "serve":
                    server.catalogue()
                    self.by_server(server, number)
                else:
                    self.by_command(number, work)
                    self.assertTrue(server.alive(), f"the server survives a killed {work}")
            finally:
                if work != "serve":
                    self.kill_server(server)
            counts[work] = counts.get(work, 0) + 1
            self.check()
        self.nora("scan")
        before = self.rows()
        self.lose_index()
        self.nora("reindex")
        self.maxDiff = None
        now = self.rows()
        for table, rows in before.items():
            self.assertEqual(now[table], rows, f"the disk says what the index said: {table}")
        print(f"{ROUNDS} rounds {counts}: {len(self.said.tags)} tags, {len(self.said.files)} files acknowledged", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
