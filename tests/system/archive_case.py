"""An index and a folder of its own for each test of the command line."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

PROGRAM = os.environ["NORA_PROGRAM"]
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "demo")


class ArchiveCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="nora-archive-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.data = os.path.join(self.folder, "data")
        shutil.copytree(DATA, self.data)
        self.index = os.path.join(self.folder, "deep", "er", "index.sqlite")

    def run_nora(self, *arguments, index=None, **more):
        more.setdefault("timeout", 60)
        return subprocess.run([PROGRAM, *arguments, "--index", index or self.index], capture_output=True, text=True, check=False, **more)

    def nora(self, *arguments, **more):
        done = self.run_nora(*arguments, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def lines(self, *arguments, **more):
        return [json.loads(line) for line in self.nora(*arguments, "--json", **more).split("\n") if line]

    def fails(self, text, *arguments, **more):
        done = self.run_nora(*arguments, **more)
        self.assertNotEqual(done.returncode, 0, arguments)
        self.assertIn(text, done.stderr)
        return done
