"""A running `nora serve` when its surroundings fail: full and read-only disks, a database that is gone, replaced or locked, two servers on one
index, a wall clock that jumps, 64 who write at once. docs/ADMIN_GUIDE.md says what is seen then."""
import http.client
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import index_rows
import mariadb_server
from archive_case import PROGRAM, ArchiveCase
from nora_client import TIMEOUT, Client, Server

PASSWORD = "correct horse battery staple"
HOUR = 3600
CAN_MOUNT = os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0
NO_MARIADB = mariadb_server.why_none()
SHIM = os.environ.get("NORA_CLOCK_SHIM", "")


def until(wanted, what):
    """Waits for what has to come; says what did not."""
    deadline = time.monotonic() + TIMEOUT
    while not wanted():
        if time.monotonic() > deadline:
            raise AssertionError(f"it does not come: {what}")
        time.sleep(0.1)


class Person:
    """Somebody with a session of their own, at whichever server is asked."""

    def __init__(self, server, name):
        answers = []

        def enters():
            answers.append(self.ask(server, "POST", "/login", {"name": name, "password": PASSWORD}))
            return answers[-1][0] == 200
        until(enters, f"the log-in of {name}")  # other servers see within seconds that there are accounts now
        _, answer, headers = answers[-1]
        self.cookie, self.csrf = headers["set-cookie"].split(";")[0], answer["csrf"]

    def is_known(self, server):
        """Whether the session holds there."""
        user = self.ask(server, "GET", "/me")[1]["user"]
        return user is not None and user["name"] == "anna"

    def ask(self, server, method, path, body=None, headers=None):
        sent = {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{server.port}", **(headers or {})}
        if hasattr(self, "cookie"):
            sent.update({"Cookie": self.cookie, "X-Nora-Csrf": self.csrf})
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT)
        try:
            connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None, answer.headers
        finally:
            connection.close()


class Trouble(ArchiveCase):
    def serve(self, index=None, **more):
        environment = {"NORA_INDEX": index or self.index, **more.pop("environment", {})}
        server = Server(None, environment=environment, **more)
        self.addCleanup(lambda: server.process.poll() is None and server.__exit__())
        return server

    def tag(self, server, name):
        ids = [item["id"] for item in server.ask("GET", "/files?q=kind:image&limit=1000")[1]["items"]]
        return server.ask("POST", "/tags", {"level": "files", "ids": ids, "add": [name]})

    def tagged(self, server, name):
        status, answer = server.ask("GET", f"/files?q=tag:{name}&limit=1000")
        return len(answer["items"]) if status == 200 else None

    def demo(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        return int(self.nora("find", "kind:image", "--count"))


class File(Trouble):
    """SQLite: somebody does something to the file under a running server."""

    def test_a_file_that_is_removed_or_replaced_takes_nothing_in(self):
        images = self.demo()
        server = self.serve()
        self.assertEqual(self.tag(server, "first")[0], 200)
        for kind in ("removed", "replaced"):
            ids = [item["id"] for item in server.ask("GET", "/files?q=kind:image")[1]["items"]]
            away = self.index + ".away"
            shutil.copy(self.index, self.index + ".copy")
            os.rename(self.index, away)
            if kind == "replaced":
                os.rename(self.index + ".copy", self.index)
            for status, answer in (server.ask("POST", "/tags", {"level": "files", "ids": ids, "add": [kind]}), server.ask("GET", "/files")):
                self.assertEqual(status, 503, answer)
                self.assertIn("removed or replaced", answer["detail"])
            self.assertTrue(server.alive())
            os.rename(away, self.index)
            self.assertEqual(self.tagged(server, kind), 0, "what was refused is not there")
            self.assertEqual(self.tag(server, "after")[0], 200)
        server.__exit__()
        self.assertEqual(int(self.nora("find", "tag:first tag:after", "--count")), images)
        self.assertEqual(self.nora("find", "tag:removed | tag:replaced", "--count").strip(), "0")

    def test_a_locked_file_delays_changes_and_nothing_else(self):
        images = self.demo()
        server = self.serve()
        server.catalogue()
        other = sqlite3.connect(self.index, isolation_level=None, timeout=TIMEOUT)
        other.execute("BEGIN IMMEDIATE")
        answers = []
        writer = threading.Thread(target=lambda: answers.append(self.tag(server, "late")))
        writer.start()
        self.assertEqual(len(server.ask("GET", "/files?q=kind:image")[1]["items"]), images, "reading goes on")
        writer.join(1)
        self.assertEqual(answers, [], "the change waits")
        other.execute("ROLLBACK")
        writer.join()
        self.assertEqual(answers[0][0], 200, answers)
        other.execute("BEGIN IMMEDIATE")
        status, answer = self.tag(server, "never")
        self.assertEqual(status, 503, answer)
        other.execute("ROLLBACK")
        other.close()
        self.assertEqual((self.tagged(server, "late"), self.tagged(server, "never")), (images, 0))

    def test_a_restore_under_a_running_server_reaches_its_pages(self):
        images = self.demo()
        server = self.serve()
        server.catalogue()
        copy = os.path.join(self.folder, "copy")
        self.nora("backup", copy)
        self.nora("project", "remove", "demo", "--yes")
        until(lambda: self.tagged(server, "none") == 0 and not server.ask("GET", "/files")[1]["items"], "the removal")
        client = Client(server)
        self.nora("restore", copy, "--yes")
        client.wait(lambda message: isinstance(message, dict) and message["type"] == "archive" and
                    len(server.ask("GET", "/files?q=kind:image")[1]["items"]) == images)
        client.close()
        self.assertEqual(self.tag(server, "after")[0], 200)


@unittest.skipUnless(CAN_MOUNT, "mounting needs rights")
class Disk(Trouble):
    """The disk below a running server, which has it in a mount namespace of its own."""

    def serve_on(self, size):
        place = tempfile.mkdtemp(prefix="nora-disk-")
        self.addCleanup(shutil.rmtree, place)
        script = f'mount -t tmpfs -o size={size} none "$0" && mkdir "$0/store" && mount -t tmpfs -o size={size} none "$0/store" && exec "$@"'
        server = self.serve(index=place + "/index.sqlite", before=("unshare", "-m", "bash", "-c", script, place),
                            environment={"NORA_STORE": place + "/store"})
        status, made = server.ask("POST", "/projects", {"name": "demo", "root": self.data, "inPlace": True})
        self.assertEqual(status, 201, made)
        until(lambda: self.tagged(server, "x") == 0 and len(server.catalogue()) > 10, "the scan")
        return server, f"/proc/{server.process.pid}/root{place}"

    def test_a_full_disk_of_the_index_is_said_and_reading_goes_on(self):
        server, inside = self.serve_on("24m")
        images = len(server.ask("GET", "/files?q=kind:image")[1]["items"])
        self.fill(inside)
        for number in range(6):
            status, answer = self.tag(server, f"full{number}")
            if status != 200:
                break
        self.assertIn("make room", answer["detail"])
        self.assertEqual(len(server.ask("GET", "/files?q=kind:image")[1]["items"]), images)
        self.assertEqual(self.tagged(server, f"full{number}"), 0)
        state = server.ask("GET", "/server")[1]
        self.assertTrue(any("nearly full" in one["problem"] for one in state["health"]), state["health"])
        os.remove(inside + "/filler")
        self.assertEqual(self.tag(server, "room")[0], 200)
        self.assertEqual(self.tagged(server, "room"), images)
        self.assertEqual(server.ask("POST", "/server/check")[1]["problems"], [])

    def test_a_full_or_read_only_store_refuses_changes_whole(self):
        server, inside = self.serve_on("24m")
        images = len(server.ask("GET", "/files?q=kind:image")[1]["items"])
        self.fill(inside + "/store")
        status, answer = 200, None
        for number in range(30):
            status, answer = self.tag(server, f"full{number}")
            if status != 200:
                break
        self.assertIn("make room", answer["detail"])
        self.assertEqual(self.tagged(server, f"full{number}"), 0, "neither in the journal nor in the index")
        os.remove(inside + "/store/filler")
        self.assertEqual(self.tag(server, "room")[0], 200)
        place = inside.split("/root", 1)[1] + "/store"
        def remount(how):
            subprocess.run(["nsenter", "-m", "-t", str(server.process.pid), "mount", "-o", f"remount,{how}", place], check=True)
        remount("ro")
        status, answer = self.tag(server, "readonly")
        self.assertIn("cannot be written", answer["detail"])
        self.assertEqual(self.tagged(server, "readonly"), 0)
        remount("rw")
        self.assertEqual(self.tag(server, "again")[0], 200)
        self.assertEqual((self.tagged(server, "room"), self.tagged(server, "again")), (images, images))

    def fill(self, folder):
        with open(folder + "/filler", "wb", buffering=0) as file:
            try:
                while file.write(bytes(4096)) == 4096:
                    pass
            except OSError:
                pass
        os.truncate(folder + "/filler", max(0, os.path.getsize(folder + "/filler") - 8192))


@unittest.skipIf(NO_MARIADB, NO_MARIADB)
class Maria(Trouble):
    @classmethod
    def setUpClass(cls):
        cls.database = mariadb_server.MariaDb()
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.database.close()

    def setUp(self):
        super().setUp()
        type(self).count += 1
        self.name = f"nora{self.count}"
        self.index = self.database.make(self.name)
        os.environ["NORA_STORE"] = os.path.join(self.folder, "store")
        self.addCleanup(os.environ.pop, "NORA_STORE")

    def test_a_database_that_is_killed_and_comes_back(self):
        images = self.demo()
        server = self.serve()
        server.catalogue()
        self.assertEqual(server.ask("POST", "/users", {"name": "anna", "password": PASSWORD, "administrator": True})[0], 201)
        anna = Person(server, "anna")
        ids = [item["id"] for item in anna.ask(server, "GET", "/files?q=kind:image")[1]["items"]]
        acknowledged = []
        for number in range(3):
            stop = threading.Event()
            def write(number=number, stop=stop):
                for step in range(1000):
                    if stop.is_set():
                        return
                    name = f"t{number}-{step}"
                    if anna.ask(server, "POST", "/tags", {"level": "files", "ids": ids, "add": [name]})[0] == 200:
                        acknowledged.append(name)
            writer = threading.Thread(target=write)
            writer.start()
            time.sleep(0.3)
            self.database.kill()
            status, answer, _ = anna.ask(server, "GET", "/files")
            self.assertEqual(status, 503, answer)
            self.assertIn("database", answer["detail"])
            self.assertTrue(server.alive())
            self.database.start()
            until(lambda: anna.ask(server, "GET", "/files")[0] == 200, "the database is back")
            stop.set()
            writer.join()
        self.assertTrue(anna.is_known(server), "nobody has to log in again")
        self.assertEqual(anna.ask(server, "POST", "/tags", {"level": "files", "ids": ids, "add": ["last"]})[0], 200)
        tags = anna.ask(server, "GET", "/files?q=kind:image&limit=1")[1]["items"][0]["tags"]
        self.assertLessEqual(set(acknowledged) | {"last"}, set(tags))
        self.assertEqual(len(ids), images)
        shutil.copy(os.path.join(self.data, "README.md") if os.path.exists(os.path.join(self.data, "README.md")) else __file__, os.path.join(self.data, "new.txt"))
        until(lambda: anna.ask(server, "GET", "/files?q=name:new.txt")[1]["items"], "the watcher works on")

    def test_two_servers_on_one_index(self):
        self.demo()
        first, second = self.serve(), self.serve()
        self.assertEqual(first.ask("POST", "/users", {"name": "anna", "password": PASSWORD, "administrator": True})[0], 201)
        anna = Person(first, "anna")
        self.assertTrue(anna.is_known(second), "a session holds at both")
        until(lambda: not anna.ask(first, "GET", "/news")[1]["scanning"] and not anna.ask(second, "GET", "/news")[1]["scanning"], "the scans")
        client = Client(second, headers=(f"Cookie: {anna.cookie}",), origin=f"http://127.0.0.1:{second.port}")
        client.wait_text("archive")
        ids = [item["id"] for item in anna.ask(first, "GET", "/files?q=kind:image")[1]["items"]]
        for number in range(3):
            self.assertEqual(anna.ask(first, "POST", "/tags", {"level": "files", "ids": ids, "add": [f"n{number}"]})[0], 200)
            revision = anna.ask(first, "GET", "/news")[1]["revision"]
            client.wait(lambda message, revision=revision: isinstance(message, dict) and message["type"] == "archive" and message["revision"] >= revision)
            self.assertEqual(len(anna.ask(second, "GET", f"/files?q=tag:n{number}")[1]["items"]), len(ids))
        client.close()
        # Both watch the folder: each file comes once, whoever sees it first, and series that come in parts stay.
        for number in range(3):
            for name in ("sub-01", "sub-02", "sub-03"):
                shutil.copytree(os.path.join(self.data, name), os.path.join(self.data, f"copy{number}-{name}"))
                time.sleep(0.4)
            shutil.rmtree(os.path.join(self.data, f"copy{number}-sub-02"))
        alone = os.path.join(self.folder, "alone.sqlite")
        for arguments in (("project", "add", "demo", self.data), ("scan",)):
            self.assertEqual(self.run_nora(*arguments, index=alone, env={**os.environ, "NORA_STORE": alone + "-store"}).returncode, 0)
        wanted = index_rows.described(index_rows.from_sqlite(alone))

        def is_there():
            now = index_rows.described(index_rows.from_mariadb(self.database, self.name))
            return all(now[table] == wanted[table] for table in ("file", "part", "dicom_header"))
        until(is_there, "what one scan alone finds")
        self.assertEqual(anna.ask(first, "POST", "/logout", {})[0], 200)
        self.assertFalse(anna.is_known(second), "logged out at both")
        for server in (first, second):
            server.__exit__()
        before = index_rows.described(index_rows.from_mariadb(self.database, self.name))
        self.nora("scan")
        after = index_rows.described(index_rows.from_mariadb(self.database, self.name))
        self.assertEqual(after, before, "nothing was left for a further scan")

    def test_a_dump_is_a_backup(self):
        """As docs/ADMIN_GUIDE.md says, while somebody writes; then what the journals say since."""
        images = self.demo()
        self.nora("user", "add", "anna", "--no-password")
        server = self.serve()
        server.catalogue()
        stop = threading.Event()
        def write():
            number = 0
            while not stop.is_set():
                self.nora("tag", "kind:image", "--add", f"w{number}")
                number += 1
        writer = threading.Thread(target=write)
        writer.start()
        try:
            dumped = subprocess.run(["mariadb-dump", "--no-defaults", f"--socket={self.database.socket}", "-uroot", "--single-transaction", "--triggers",
                                     "--hex-blob", self.name], check=True, capture_output=True, text=True).stdout
        finally:
            stop.set()
            writer.join()
        server.__exit__()
        self.nora("tag", "kind:image", "--add", "since")
        before = index_rows.described(index_rows.from_mariadb(self.database, self.name))
        restored = self.name + "_new"
        self.index = self.database.make(restored)
        self.database.run(dumped, restored)
        self.database.run("DELETE FROM web_session; UPDATE revision SET n = n + 1000000", restored)
        self.assertEqual(int(self.nora("find", "tag:since", "--count")), images)
        self.assertEqual(index_rows.described(index_rows.from_mariadb(self.database, restored)), before)
        self.assertEqual([user["name"] for user in self.lines("user", "list")[0]], ["anna"])
        done = self.database.run("DELETE FROM audit", restored, check=False)
        self.assertIn("append-only", done.stderr, "the triggers came with it")

    def test_64_programs_write_at_once(self):
        self.demo()
        programs = [subprocess.Popen([PROGRAM, "tag", "kind:image", "--add", f"t{n:02}", "--index", self.index], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.PIPE, text=True) for n in range(64)]
        for program in programs:
            _, said = program.communicate(timeout=200)
            self.assertEqual(program.returncode, 0, said)
        self.assertEqual(self.lines("find", "kind:image", "--limit", "1")[0]["tags"], [f"t{n:02}" for n in range(64)])

    def test_64_people_write_at_once(self):
        many_writers(self)

    def test_the_clock_jumps(self):
        clock_jumps(self)


class Sqlite(Trouble):
    def test_64_people_write_at_once(self):
        many_writers(self)

    def test_the_clock_jumps(self):
        clock_jumps(self)


def many_writers(case):
    """64 at once through the API: each adds a tag, and counts up one number that all share, as it was seen."""
    case.demo()
    server = case.serve()
    server.catalogue()
    case.assertEqual(server.ask("POST", "/users", {"name": "anna", "password": PASSWORD, "administrator": True})[0], 201)
    anna = Person(server, "anna")
    ids = [item["id"] for item in anna.ask(server, "GET", "/files?q=kind:image")[1]["items"]]
    wrong, refused = [], []

    def write(number):
        try:
            status, answer, _ = anna.ask(server, "POST", "/tags", {"level": "files", "ids": ids, "add": [f"w{number:02}"]})
            if status != 200:
                wrong.append(answer)
            for _ in range(1000):
                status, meta, headers = anna.ask(server, "GET", f"/files/{ids[0]}/meta")
                status, answer, _ = anna.ask(server, "PUT", f"/files/{ids[0]}/meta", {**meta, "n": meta.get("n", 0) + 1}, {"If-Match": headers["etag"]})
                if status == 200:
                    return
                if status not in (412, 503):
                    break
                refused.append(status)
            wrong.append(answer)
        except (OSError, http.client.HTTPException) as error:
            wrong.append(repr(error))
    writers = [threading.Thread(target=write, args=(number,)) for number in range(64)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    case.assertEqual(wrong, [])
    row = anna.ask(server, "GET", f"/files/{ids[0]}")[1]
    case.assertLessEqual({f"w{n:02}" for n in range(64)}, set(row["tags"]))
    case.assertEqual(row["meta"]["n"], 64, "nobody's change was overwritten unseen")
    case.assertEqual(anna.ask(server, "POST", "/server/check")[1]["problems"], [])


def clock_jumps(case):
    """A server whose wall clock is set forward and back while it runs."""
    if not SHIM:
        case.skipTest("NORA_CLOCK_SHIM names no library")
    case.demo()
    clock = os.path.join(case.folder, "clock")

    def set_clock(seconds):
        with open(clock, "r+b" if os.path.exists(clock) else "wb") as file:
            file.write(struct.pack("<q", seconds))
    set_clock(0)
    server = case.serve(environment={"LD_PRELOAD": SHIM, "NORA_TEST_CLOCK": clock})
    server.catalogue()
    case.assertEqual(server.ask("POST", "/users", {"name": "anna", "password": PASSWORD, "administrator": True})[0], 201)
    anna = Person(server, "anna")
    item = anna.ask(server, "GET", "/files?q=kind:image")[1]["items"][0]["id"]
    revisions = []

    def change(number):
        status, answer, headers = anna.ask(server, "PUT", f"/files/{item}/meta", {"n": number})
        case.assertEqual(status, 200, answer)
        revisions.append(int(headers["etag"].strip('"')))
    jumps = (0, 11 * HOUR, 2 * HOUR, -400 * 24 * HOUR, 0, -HOUR)
    for number, seconds in enumerate(jumps):
        set_clock(seconds)
        change(number)
        name = f"came-{number}.txt"
        with open(os.path.join(case.data, name), "w", encoding="utf-8") as file:
            file.write("x" * (number + 1))
        os.utime(os.path.join(case.data, name), (time.time() + seconds, time.time() + seconds))
        until(lambda name=name: anna.ask(server, "GET", f"/files?q=name:{name}")[1]["items"], f"the watcher sees {name} at {seconds} s")
    case.assertEqual(revisions, sorted(set(revisions)), "revisions only rise")
    history = anna.ask(server, "GET", f"/files/{item}/history")[1]["items"]
    case.assertEqual([change["after"]["n"] for change in history], list(reversed(range(len(jumps)))), "newest first, whatever the clock said")
    case.assertEqual(len({change["at"] for change in history}), len(jumps))
    audit = [note["detail"] for note in anna.ask(server, "GET", "/audit?action=meta.set")[1]["items"]]
    case.assertEqual(len(audit), len(jumps))
    set_clock(13 * HOUR + 11 * HOUR)  # further than a session lasts after its last use
    case.assertFalse(anna.is_known(server), "the session has ended")
    anna = Person(server, "anna")
    set_clock(0)
    case.assertTrue(anna.is_known(server), "a clock that goes back ends no session")
    change(99)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
