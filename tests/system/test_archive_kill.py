"""Programs that are killed at any moment: index and disk agree after the next start, what was acknowledged is there.

NORA_KILL_ROUNDS=100 for the full run."""
import os
import random
import subprocess
import sys
import time
import unittest

from archive_case import PROGRAM, ArchiveCase

ROUNDS = int(os.environ.get("NORA_KILL_ROUNDS", "15"))


class Kill(ArchiveCase):
    def start(self, *arguments):
        return subprocess.Popen([PROGRAM, *arguments, "--index", self.index], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ended(self, program):
        """Kills it at a random moment; whether it had acknowledged."""
        time.sleep(self.dice.random() * 0.3)
        program.kill()
        program.stdout.close()
        return program.wait() == 0

    def said(self):
        return {item["path"]: (tuple(item["tags"]), str(item["meta"])) for item in self.lines("find") if item["tags"] or item["meta"]}

    def lose_index(self):
        folder = os.path.dirname(self.index)
        for name in os.listdir(folder):
            if name.startswith("index.sqlite"):
                os.remove(os.path.join(folder, name))

    def test_nothing_that_was_acknowledged_is_lost(self):
        self.dice = random.Random(int(os.environ.get("NORA_KILL_SEED", "7")))
        self.nora("project", "add", "own")
        self.nora("import", self.data, "--project", "own")
        acknowledged, imported, metas, killed = set(), set(), {}, 0
        images = [item["path"] for item in self.lines("find", "kind:image") if not item["path"].startswith("sub-03")]
        for number in range(ROUNDS):
            work = self.dice.choice(("tag", "meta", "import", "scan", "reindex"))
            path = self.dice.choice(images)
            if work == "tag":
                done = self.ended(self.start("tag", "kind:image", "--add", f"t{number}"))
                acknowledged |= {f"t{number}"} if done else set()
            elif work == "meta":
                item = next(str(i["id"]) for i in self.lines("find", "kind:image") if i["path"] == path)
                done = self.ended(self.start("meta", item, "--set", f'{{"n": {number}}}'))
                if done:
                    metas[path] = [number]
                else:
                    metas.setdefault(path, []).append(number)  # may be there, or not
            elif work == "import":
                source = os.path.join(self.folder, f"new-{number}.bin")
                with open(source, "wb") as file:
                    file.write(bytes([number % 256]) * 3_000_000)
                done = self.ended(self.start("import", source, "--project", "own", "--subject", "S"))
                imported |= {number} if done else set()
            else:
                done = self.ended(self.start(work))
            killed += not done
            if work == "reindex" and not done:
                self.nora("scan")  # goes on where it was ended
            self.check(acknowledged, imported, metas)
        self.nora("scan")
        before = self.said()
        self.lose_index()
        self.nora("reindex")
        self.assertEqual(self.said(), before, "the disk says what the index said")
        print(f"{ROUNDS} rounds, {killed} killed before they ended", file=sys.stderr)

    def check(self, tags, imported, metas):
        items = {item["path"]: item for item in self.lines("find")}
        for path, item in items.items():
            if item["kind"] == "image" and not path.startswith("sub-03"):
                self.assertLessEqual(tags, set(item["tags"]), path)
        for path, numbers in metas.items():
            if len(numbers) == 1 and numbers[0] is not None and "n" in items[path]["meta"]:
                self.assertEqual(items[path]["meta"]["n"], numbers[0])
            elif len(numbers) > 1:
                self.assertIn(items[path]["meta"].get("n"), [*numbers, None])
        root = os.path.join(os.path.dirname(self.index), "store", "own", "S")
        for number in imported:
            self.assertIn(f"S/new-{number}.bin", items)
        for name in os.listdir(root) if os.path.isdir(root) else []:
            self.assertEqual(os.path.getsize(os.path.join(root, name)), 3_000_000, "no half file")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
