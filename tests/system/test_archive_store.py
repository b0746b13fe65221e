"""Files that come into projects, and what people said of them, outlive the index."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

from archive_case import PROGRAM, ArchiveCase

LEVELS = ("project", "subject", "study", "file")


def without_ids(item):
    return {key: value for key, value in item.items() if key not in ("id", "revision")}


class Store(ArchiveCase):
    def content(self):
        """All that the index says, but ids."""
        out = {level: sorted((without_ids(item) for item in self.lines("find", "--level", level)), key=json.dumps)
               for level in LEVELS[1:]}
        out["project"] = [without_ids(item) for item in self.lines("project", "list")[0]]
        out["project tags"] = [without_ids(item) for item in self.lines("find", "--level", "project")]
        for item in self.lines("find"):
            out["history " + item["path"]] = self.lines("meta", str(item["id"]), "--history")
        return out

    def lose_index(self):
        for name in os.listdir(os.path.dirname(self.index)):
            if name.startswith("index.sqlite"):
                os.remove(os.path.join(os.path.dirname(self.index), name))

    def say_things(self):
        self.nora("tag", "kind:image", "--add", "checked", "--add", "good")
        self.nora("tag", "kind:image subject:sub-02", "--remove", "good")
        self.nora("tag", "", "--level", "project", "--add", "running")
        self.nora("tag", "sub-01", "--level", "subject", "--add", "left-handed")
        for level, query in (("file", "kind:image subject:sub-01"), ("subject", "sub-01"), ("project", "demo"), ("study", "ses-1")):
            item = str(self.lines("find", query, "--level", level)[0]["id"])
            self.nora("meta", item, "--level", level, "--set", '{"age": 61, "note": "Ä \\u2028 <b>"}')
            self.nora("meta", item, "--level", level, "--set", '{"age": 62}')

    def test_reindex_makes_the_same_index_from_the_disk(self):
        for kind in (("demo", self.data, "--hide-identity", "--title", "Démo"), ("own",)):
            self.nora("project", "add", *kind)
        self.nora("scan")
        report = self.lines("import", self.data, "--project", "own")[0]
        self.assertEqual(report["wasThere"], 0)
        self.say_things()
        before = self.content()
        self.lose_index()
        self.nora("reindex")
        self.maxDiff = None
        self.assertEqual(self.content(), before)
        self.nora("reindex", "--project", "own")
        self.assertEqual(self.content(), before)

    def test_what_moved_or_is_gone_keeps_what_was_said(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        self.say_things()
        os.rename(os.path.join(self.data, "sub-02"), os.path.join(self.data, "sub-20"))
        away = os.path.join(self.folder, "away")
        os.rename(os.path.join(self.data, "sub-01", "anat"), away)
        self.nora("scan")
        tagged = sorted(item["path"] for item in self.lines("find", "tag:checked"))
        self.assertTrue(any(path.startswith("sub-20/") for path in tagged))
        self.lose_index()
        self.nora("reindex")
        self.assertEqual(sorted(item["path"] for item in self.lines("find", "tag:checked")), tagged)
        os.rename(away, os.path.join(self.data, "sub-01", "anat"))
        self.nora("scan")
        self.assertGreater(len(self.lines("find", "tag:checked")), len(tagged), "they are back with their tags")

    def test_an_old_index_that_comes_back_catches_up(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        old = os.path.join(self.folder, "old.sqlite")
        shutil.copy(self.index, old)
        self.say_things()
        before = self.content()
        self.lose_index()
        os.rename(old, self.index)
        self.assertEqual(self.content(), before)

    def test_a_backup_is_restored_with_what_was_said_since(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        backup = os.path.join(self.folder, "backup")
        self.nora("backup", backup)
        self.fails("already", "backup", backup)
        self.say_things()
        before = self.content()
        self.fails("an index is there", "restore", backup)
        self.lose_index()
        self.nora("restore", backup)
        self.assertEqual(self.content(), before)

    def test_a_file_never_takes_the_place_of_another(self):
        self.nora("project", "add", "own")
        source = os.path.join(self.folder, "a.txt")
        for text, arguments in (("one", ()), ("one", ()), ("two", ("--rename",))):
            with open(source, "w", encoding="utf-8") as file:
                file.write(text)
            self.nora("import", source, "--project", "own", "--subject", "S1", "--study", "T1", *arguments)
        self.assertEqual(sorted(item["path"] for item in self.lines("find")), ["S1/T1/a-2.txt", "S1/T1/a.txt"])
        with open(source, "w", encoding="utf-8") as file:
            file.write("three")
        self.fails("--rename", "import", source, "--project", "own", "--subject", "S1", "--study", "T1")
        self.fails("/no/such", "import", "/no/such", "--project", "own")
        self.fails("a name", "import", source, "--project", "own", "--subject", "../x")
        self.fails("no such project", "import", source, "--project", "none")

    def test_stopped_or_full_leaves_no_half_file(self):
        self.nora("project", "add", "own")
        big = os.path.join(self.folder, "big")
        os.makedirs(big)
        for number in range(6):
            with open(os.path.join(big, f"{number}.bin"), "wb") as file:
                file.write(os.urandom(30_000_000))
        done = self.run_nora("import", big, "--project", "own", preexec_fn=limit_files)
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertEqual(self.half_files(big), [])
        program = subprocess.Popen([PROGRAM, "import", big, "--project", "own", "--index", self.index], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        time.sleep(0.15)
        program.send_signal(signal.SIGINT)
        error = program.stderr.read().decode()
        program.stderr.close()
        self.assertIn(program.wait(), (0, 130, -signal.SIGINT), error)  # the last: before it listened
        self.assertEqual(self.half_files(big), [])
        self.nora("import", big, "--project", "own")
        self.assertEqual(len(self.lines("find")), 6)

    def half_files(self, source):
        root = self.lines("project", "list")[0][0]["root"]
        out = []
        for above, _, files in os.walk(root):
            for name in files:
                path = os.path.join(above, name)
                if ".nora" in above:
                    continue
                with open(path, "rb") as file, open(os.path.join(source, name), "rb") as want:
                    if file.read() != want.read():
                        out.append(path)
        return out

    def test_a_full_disk_keeps_index_and_journal_together(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        before = self.content()
        store = os.path.join(os.path.dirname(self.index), "store", ".nora", "demo")
        size = sum(os.path.getsize(os.path.join(store, name)) for name in os.listdir(store))
        done = self.run_nora("tag", "", "--add", "x" * 150, preexec_fn=lambda: limit_files(size + 1000))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.content(), before)
        self.nora("tag", "", "--add", "now")
        self.assertEqual(len(self.lines("find", "tag:now")), len(before["file"]))


def limit_files(most=20_000_000):
    import resource  # pylint: disable=import-outside-toplevel
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
