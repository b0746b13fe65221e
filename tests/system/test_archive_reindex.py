"""The index from the disk: a store with all kinds of things loses its index, and what `nora reindex` makes is compared row by row, read without
nora, with what was lost; on SQLite and from SQLite to MariaDB."""
import os
import shutil
import sys
import unittest

import index_rows
import mariadb_server
from archive_case import ArchiveCase
from nora_client import Server


class Reindex(ArchiveCase):
    maxDiff = None

    def setUp(self):
        super().setUp()
        self.pattern = os.path.join(self.folder, "pattern")
        for wave in ("wave1", "wave2"):
            for subject in ("AB_7", "AB_9"):
                shutil.copytree(os.path.join(self.data, "sub-02", "ses-1"), os.path.join(self.pattern, wave, subject))
        self.bids = os.path.join(self.folder, "bids")
        shutil.copytree(self.data, self.bids)
        with open(os.path.join(self.bids, "task-oneback_bold.json"), "w", encoding="utf-8") as file:
            file.write('{"TaskName": "one back", "RepetitionTime": 9}')

    def item(self, level, query):
        return str(self.lines("find", query, "--level", level)[0]["id"])

    def set_meta(self, level, query, *texts):
        item = self.item(level, query)
        for text in texts:
            self.nora("meta", item, "--level", level, "--set", text)

    def make_everything(self):
        self.nora("project", "add", "bids", self.bids, "--hide-identity", "--title", "Démo <b>")
        self.nora("project", "add", "waves", self.pattern, "--pattern", "{study}/AB_{subject}")
        self.nora("project", "add", "own")
        self.nora("scan")
        self.nora("import", self.data, "--project", "own")
        for query, tag in (("kind:image", "checked"), ("project:bids kind:image", "Ä 🧠"), ("project:own", "mine"), ("format:DICOM", "series")):
            self.nora("tag", query, "--add", tag)
        self.nora("tag", "project:own kind:image", "--remove", "mine")
        self.nora("tag", "", "--level", "project", "--add", "running")
        self.nora("tag", "project:waves", "--level", "subject", "--add", "of waves")
        self.nora("tag", "project:bids", "--level", "study", "--add", "visit")
        for level, query in (("project", "own"), ("subject", "project:bids sub-01"), ("study", "project:bids ses-1"), ("file", "project:bids name:sub-01_T1w*"),
                             ("file", "project:bids name:*bold.nii.gz"), ("file", "project:own format:DICOM")):
            self.set_meta(level, query, '{"age": 61, "note": "Ä \\u2028 <b>", "deep": {"a": [1, 2.5, null, true]}}', '{"age": 62}')

    def change_by_api(self):
        """Names and settings."""
        with Server(None, environment={"NORA_INDEX": self.index}) as server:
            def change(method, path, body):
                status, answer = server.ask(method, path, body)
                self.assertIn(status, (200, 201), answer)
                return answer
            projects = {item["name"]: item["id"] for item in change("GET", "/projects", None)["items"]}
            subject = self.item("subject", "project:waves 7")
            change("PATCH", f"/subjects/{subject}", {"name": "Erika"})
            change("PATCH", f"/studies/{self.item('study', 'project:bids ses-2')}", {"name": "follow-up"})
            change("PATCH", f"/projects/{projects['own']}", {"name": "our own", "title": "Ours", "hideIdentity": True})

    def change_on_disk(self):
        """Files that move, vanish, change and come after all that."""
        os.rename(os.path.join(self.bids, "sub-02", "ses-1"), os.path.join(self.bids, "sub-02", "ses-9"))
        os.remove(os.path.join(self.bids, "sub-01", "anat", "sub-01_T1w.nii.gz"))
        os.remove(os.path.join(self.bids, "participants.tsv"))
        os.remove(os.path.join(self.bids, "sub-03", "dicom", "brain_020.dcm"))
        with open(os.path.join(self.bids, "sub-02", "ses-2", "func", "sub-02_ses-2_task-oneback_bold.json"), "w", encoding="utf-8") as file:
            file.write('{"RepetitionTime": 3, "New": "key"}')
        shutil.copytree(os.path.join(self.data, "sub-02", "ses-1"), os.path.join(self.pattern, "wave3", "AB_7"))
        self.nora("scan")

    def lose_index(self):
        for name in os.listdir(os.path.dirname(self.index)):
            if name.startswith("index.sqlite"):
                os.remove(os.path.join(os.path.dirname(self.index), name))

    def compare(self, now, before):
        self.assertEqual(set(now), set(before))
        for table, rows in before.items():
            self.assertEqual(now[table], rows, table)
        for table in ("project", "subject", "study", "file", "part", "dicom_header", "tag", "key", "history"):
            self.assertGreater(len(before[table]), 2, f"the test has {table} to compare")

    def test_everything_comes_back_from_the_disk(self):
        self.make_everything()
        self.change_by_api()
        self.change_on_disk()
        before = index_rows.described(index_rows.from_sqlite(self.index))
        self.assertTrue(any('"Erika"' in row and '"found_as": "7"' in row for row in before["subject"]), "it was renamed")
        self.assertTrue(any('"state": "1"' in row for row in before["file"]), "one that vanished has tags")
        self.lose_index()
        self.nora("reindex")
        self.compare(index_rows.described(index_rows.from_sqlite(self.index)), before)
        self.nora("scan")
        self.nora("reindex", "--project", "our own")
        self.compare(index_rows.described(index_rows.from_sqlite(self.index)), before)
        self.assertEqual(len(self.lines("project", "list")[0]), 3, "no project twice")
        why = mariadb_server.why_none()
        if why:
            self.skipTest(f"on SQLite alone: {why}")
        server = mariadb_server.MariaDb()
        self.addCleanup(server.close)
        store = os.path.join(os.path.dirname(self.index), "store")
        address = server.make("other")
        done = self.run_nora("reindex", env={**os.environ, "NORA_STORE": store}, index=address)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.compare(index_rows.described(index_rows.from_mariadb(server, "other")), before)

    def test_a_project_whose_folder_is_away_does_not_keep_the_others(self):
        for name in ("bids", "waves"):
            self.nora("project", "add", name, self.bids if name == "bids" else self.pattern)
        self.nora("scan")
        self.nora("tag", "kind:image", "--add", "x")
        found = int(self.nora("find", "project:waves tag:x", "--count"))
        away = os.path.join(self.folder, "away")
        os.rename(self.bids, away)
        self.lose_index()
        self.fails(self.bids, "reindex")
        self.assertEqual(int(self.nora("find", "project:waves tag:x", "--count")), found)
        os.rename(away, self.bids)
        self.nora("reindex")
        self.assertEqual(int(self.nora("find", "project:waves tag:x", "--count")), found)
        self.assertGreater(int(self.nora("find", "project:bids tag:x", "--count")), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
