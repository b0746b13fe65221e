"""The archive on the command line: nora project, scan, find, tag and meta, on an index of its own."""
import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

PROGRAM = os.environ["NORA_PROGRAM"]
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "demo")


class ArchiveCommands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nora-archive-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.data = os.path.join(self.folder, "data")
        shutil.copytree(DATA, self.data)
        self.index = os.path.join(self.folder, "deep", "er", "index.sqlite")
        self.nora("project", "add", "demo", self.data)

    def run_nora(self, *arguments):
        return subprocess.run([PROGRAM, *arguments, "--index", self.index], capture_output=True, text=True, timeout=60, check=False)

    def nora(self, *arguments):
        done = self.run_nora(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def lines(self, *arguments):
        return [json.loads(line) for line in self.nora(*arguments, "--json").splitlines()]

    def items_on_disk(self):
        """Files, and for each folder of DICOM one series."""
        return sum(1 if folder.endswith("dicom") else len(files) for folder, _, files in os.walk(self.data))

    def test_a_folder_becomes_a_project_that_is_searched(self):
        (report,) = self.lines("scan")
        count = self.items_on_disk()
        self.assertEqual(report["added"], count)
        self.assertEqual(self.nora("find", "--count").strip(), str(count))
        (image,) = self.lines("find", "subject:sub-01 name:*T1w.nii.gz")
        self.assertEqual(image["dims"][:3], [181, 217, 181])
        self.assertTrue(os.path.samefile(image["file"], os.path.join(self.data, image["path"])))
        self.assertEqual([s["name"] for s in self.lines("find", "--level", "subject")], ["sub-01", "sub-02", "sub-03"])

    def test_tags_and_metadata_are_found_and_survive_a_move(self):
        self.nora("scan")
        self.assertEqual(self.lines("tag", "kind:image subject:sub-02", "--add", "checked", "--add", "good")[0]["changed"], 2)
        tagged = self.lines("find", "tag:checked tag:good")
        self.assertEqual(len(tagged), 2)
        item = str(tagged[0]["id"])
        self.nora("meta", item, "--set", '{"group": "patient", "age": 61}')
        os.rename(os.path.join(self.data, "sub-02"), os.path.join(self.data, "sub-20"))
        (report,) = self.lines("scan")
        self.assertGreaterEqual(report["moved"], 2)
        (found,) = self.lines("find", "meta.age>60 tag:checked subject:sub-20")
        self.assertEqual(str(found["id"]), item)
        self.assertEqual(len(self.lines("meta", item, "--history")), 1)

    def test_csv_is_read_back(self):
        self.nora("scan")
        rows = list(csv.DictReader(io.StringIO(self.nora("find", "kind:image", "--csv"))))
        self.assertEqual(len(rows), len(self.lines("find", "kind:image")))
        self.assertTrue(all(os.path.exists(row["file"]) for row in rows))

    def test_errors_say_what_and_where(self):
        for arguments, text in ((("find", "size:>10X"), "column 7"), (("project", "add", "demo", self.data), "there is a project of that name"),
                                (("project", "add", "x", "/no/such"), "/no/such"), (("scan", "nothing"), "no such project"),
                                (("meta", "99999"), "no such file"), (("tag", "", "--add", "a/b"), "tag")):
            done = self.run_nora(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(text, done.stderr)
            self.assertEqual(done.stderr.count("\n") - done.stderr.count(" info "), 1, done.stderr)
        with open(self.index, "wb") as broken:
            broken.write(b"not a database at all" * 100)
        for extra in ("-wal", "-shm"):
            if os.path.exists(self.index + extra):
                os.remove(self.index + extra)
        self.assertIn("damaged", self.run_nora("find").stderr)

    def test_many_programs_at_once_lose_nothing(self):
        self.nora("scan")
        def add(number):
            self.nora("tag", "kind:image", "--add", f"t{number}")
        threads = [threading.Thread(target=add, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tags = self.lines("find", "kind:image", "--limit", "1")[0]["tags"]
        self.assertEqual(tags, [f"t{n}" for n in range(8)])

    def test_a_scan_that_is_killed_at_any_moment_is_ended_by_the_next(self):
        for number in range(400):
            folder = os.path.join(self.data, f"sub-{number % 40:02}", "more")
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"{number}.txt"), "w", encoding="utf-8") as file:
                file.write(str(number))
        count = self.items_on_disk()
        dice = random.Random(7)
        seen = 0
        for _ in range(25):
            scan = subprocess.Popen([PROGRAM, "scan", "--index", self.index], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(dice.random() * 0.12)
            scan.kill()
            scan.wait()
            now = int(self.nora("find", "--count"))
            self.assertGreaterEqual(now, seen, "what was stored stays")
            seen = now
        self.nora("scan")
        self.assertEqual(int(self.nora("find", "--count")), count)
        (again,) = self.lines("scan")
        self.assertEqual((again["added"], again["changed"], again["vanished"], again["unchanged"]), (0, 0, 0, count))
        checked = subprocess.run(["/usr/bin/python3", "-c", "import sqlite3,sys;print(sqlite3.connect(sys.argv[1]).execute('pragma integrity_check').fetchall())",
                                  self.index], capture_output=True, text=True, check=True)
        self.assertEqual(checked.stdout.strip(), "[('ok',)]")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
