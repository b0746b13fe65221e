"""Backups of the index, restoring them, taking projects out; and what an index says that cannot be written."""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from archive_case import PROGRAM, ArchiveCase


def integrity(file):
    code = "import sqlite3,sys;print(sqlite3.connect(sys.argv[1]).execute('pragma integrity_check').fetchall())"
    return subprocess.run(["/usr/bin/python3", "-c", code, file], capture_output=True, text=True, check=True).stdout.strip()


class Backup(ArchiveCase):
    def setUp(self):
        super().setUp()
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        self.nora("tag", "kind:image", "--add", "before")
        self.copy = os.path.join(self.folder, "copy.sqlite")

    def count(self, query=""):
        return int(self.nora("find", query, "--count"))

    def kept(self):
        return [name for name in os.listdir(os.path.dirname(self.index)) if ".before-" in name]

    def test_a_backup_is_one_whole_file_that_restores_all(self):
        all_files, tagged = self.count(), self.count("tag:before")
        (made,) = self.lines("backup", self.copy)
        self.assertEqual(made["bytes"], os.path.getsize(self.copy))
        self.assertEqual(integrity(self.copy), "[('ok',)]")
        self.fails("already", "backup", self.copy)
        self.nora("project", "remove", "demo", "--yes")
        self.assertEqual(self.count(), 0)
        self.fails("--yes", "restore", self.copy)
        self.nora("restore", self.copy, "--yes")
        self.assertEqual((self.count(), self.count("tag:before")), (all_files, tagged))
        self.assertEqual(integrity(self.index), "[('ok',)]")
        self.assertEqual(len(self.kept()), 1, "the index that was there is kept")
        self.assertEqual(self.lines("audit", "--limit", "1")[0]["action"], "index.restore")
        self.nora("tag", "kind:image", "--add", "after")  # its journal is made anew
        self.assertEqual(self.count("tag:after tag:before"), tagged)

    def test_what_was_said_since_a_backup_comes_from_the_journals(self):
        self.nora("backup", self.copy)
        self.nora("tag", "kind:image", "--add", "since")
        self.nora("restore", self.copy, "--yes")
        self.assertEqual(self.count("tag:since"), self.count("tag:before"))

    def test_a_damaged_index_is_put_aside(self):
        found = self.count()
        self.nora("backup", self.copy)
        with open(self.index, "wb") as file:
            file.write(os.urandom(100_000))
        self.fails("damaged", "find")
        self.nora("restore", self.copy, "--yes")
        self.assertEqual(self.count(), found)
        self.assertEqual(len(self.kept()), 1)

    def test_a_lost_index_is_made_of_a_backup(self):
        found = self.count()
        self.nora("backup", self.copy)
        shutil.rmtree(os.path.dirname(self.index))
        self.nora("restore", self.copy)
        self.assertEqual(self.count(), found)

    def test_what_is_no_backup_changes_nothing(self):
        found = self.count()
        self.nora("backup", self.copy)
        wrong = os.path.join(self.folder, "wrong")
        with open(wrong, "wb") as file:
            file.write(b"hello" * 1000)
        self.fails("no backup", "restore", wrong, "--yes")
        with open(self.copy, "r+b") as file:
            file.seek(40_000)
            file.write(os.urandom(200_000))
        self.fails("damaged", "restore", self.copy, "--yes")
        self.fails("No such file", "restore", "/no/such", "--yes")
        self.assertEqual(self.count(), found)
        self.assertEqual(self.kept(), [])

    def test_a_backup_is_taken_while_others_write(self):
        stop = threading.Event()
        def write():
            number = 0
            while not stop.is_set():
                self.nora("tag", "kind:image", "--add", f"w{number}")
                number += 1
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                self.nora("backup", f"{self.copy}{number}")
                self.assertEqual(integrity(f"{self.copy}{number}"), "[('ok',)]")
        finally:
            stop.set()
            writer.join()

    def test_mysql_is_left_to_its_own_programs(self):
        done = subprocess.run([PROGRAM, "backup", self.copy, "--index", "mysql://me@localhost/x"], capture_output=True, text=True, check=False)
        self.assertIn("mariadb-dump", done.stderr)


class Remove(ArchiveCase):
    def test_a_project_leaves_the_index_and_its_files_stay(self):
        other = os.path.join(self.folder, "other")
        shutil.copytree(self.data, other)
        for name, folder in (("demo", self.data), ("other", other)):
            self.nora("project", "add", name, folder)
        self.nora("scan")
        self.nora("tag", "kind:image", "--add", "x")
        self.nora("user", "add", "anna", "--no-password")
        self.nora("grant", "set", "demo", "read", "--user", "anna")
        self.nora("token", "add", "anna", "--name", "t", "--rights", "read", "--project", "demo", "--days", "3")
        before = sorted(os.listdir(self.data))
        whole = int(self.nora("find", "--count"))
        self.fails("--yes", "project", "remove", "demo")
        self.assertEqual(int(self.nora("find", "--count")), whole)
        self.nora("project", "remove", "demo", "--yes")
        self.assertEqual(int(self.nora("find", "--count")), whole // 2)
        self.assertEqual({item["project"] for item in self.lines("find", "tag:x")}, {"other"})
        self.assertEqual(self.lines("token", "list", "anna"), [[]])
        self.assertEqual(sorted(os.listdir(self.data)), before)
        self.fails("no such project", "project", "remove", "demo", "--yes")
        self.assertEqual(self.lines("audit", "--limit", "1")[0]["action"], "project.remove")
        self.nora("project", "add", "demo", self.data)  # the name is free again
        self.nora("scan")
        self.assertEqual(int(self.nora("find", "project:demo tag:x", "--count")), 0)
        self.nora("reindex")
        self.assertEqual(int(self.nora("find", "--count")), whole)


class Trouble(ArchiveCase):
    def setUp(self):
        super().setUp()
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")

    def test_64_writers_at_once_lose_nothing(self):
        programs = [subprocess.Popen([PROGRAM, "tag", "kind:image", "--add", f"t{n:02}", "--index", self.index], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, text=True) for n in range(64)]
        for program in programs:
            _, said = program.communicate(timeout=200)
            self.assertEqual(program.returncode, 0, said)
        tags = self.lines("find", "kind:image", "--limit", "1")[0]["tags"]
        self.assertEqual(tags, [f"t{n:02}" for n in range(64)])
        self.assertEqual(integrity(self.index), "[('ok',)]")

    @unittest.skipIf(os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0,
                     "mounting needs rights")
    def test_a_full_disk_is_said_and_nothing_is_half(self):
        with tempfile.TemporaryDirectory() as folder:
            script = ('mount -t tmpfs -o size=2m none "$1" && cp "$2" "$1/i.sqlite" || exit 99\n'
                      'fallocate -l $(($(stat -f -c "%a * %S" "$1") - 8192)) "$1/filler"\n'
                      'for n in 1 2 3 4 5; do "$3" tag kind:image --add t$n --index "$1/i.sqlite" || break; done; echo "code $?"\n'
                      'rm "$1/filler"; "$3" tag kind:image --add room --index "$1/i.sqlite"; echo "then $?"\n'
                      '"$3" find tag:room --count --index "$1/i.sqlite"; ls -A "$1"\n')
            done = subprocess.run(["unshare", "-m", "bash", "-c", script, "-", folder, self.index, PROGRAM], capture_output=True, text=True,
                                  check=False, timeout=100)
        self.assertIn("make room", done.stderr)
        self.assertIn("then 0", done.stdout, done.stderr)
        self.assertIn(self.nora("find", "kind:image", "--count").strip(), done.stdout.splitlines())

    @unittest.skipIf(os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0,
                     "mounting needs rights")
    def test_an_index_that_cannot_be_written_is_named(self):
        folder = os.path.dirname(self.index)
        script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 99\n"$2" tag kind:image --add t --index "$3"; echo "code $?"\n'
        done = subprocess.run(["unshare", "-m", "bash", "-c", script, "-", folder, PROGRAM, self.index], capture_output=True, text=True,
                              check=False, timeout=100)
        self.assertIn(self.index, done.stderr)
        self.assertIn("cannot be written", done.stderr)
        self.assertNotIn("code 0", done.stdout)
        self.assertEqual(self.nora("find", "tag:t", "--count").strip(), "0")


class Kill(ArchiveCase):
    """A backup, a restore or the removal of a project that is killed: the index is one of the two states, and whole."""

    def test_restore_and_remove_are_whole_or_not_at_all(self):
        rounds = int(os.environ.get("NORA_KILL_ROUNDS", "10"))
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")
        whole = int(self.nora("find", "--count"))
        copy = os.path.join(self.folder, "copy")
        self.nora("backup", copy)
        killed = 0
        for number in range(rounds):
            for arguments in (("project", "remove", "demo", "--yes"), ("restore", copy, "--yes"), ("backup", f"{copy}-{number}")):
                program = subprocess.Popen([PROGRAM, *arguments, "--index", self.index], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep((number * 7 + 3) % rounds / rounds * 0.15)
                program.kill()
                killed += program.wait() != 0
                self.assertIn(int(self.nora("find", "--count")), (0, whole), arguments)
                self.assertEqual(integrity(self.index), "[('ok',)]")
                if os.path.exists(f"{copy}-{number}"):
                    self.assertEqual(integrity(f"{copy}-{number}"), "[('ok',)]")
            self.nora("restore", copy, "--yes")
            self.assertEqual(int(self.nora("find", "--count")), whole)
        print(f"{rounds} rounds, {killed} programs killed before they ended", file=sys.stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
