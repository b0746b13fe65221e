#!/usr/bin/env python3
"""The archive as the page meets it: ./bench archive. Registers made-up files (archive_bench), serves the index, asks the HTTP
API, and beside it asks SQLite for the same rows with SQL by hand. Prints rows as JSON.

archive_http.py [FILES]: 1,000,000 by default, of 10,000 subjects in 20 projects.
"""
import http.client
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/bin"
PROGRAM = os.environ.get("NORA_PROGRAM", str(BIN / "nora"))
REPEATS = 21
PAGE = 100
PRESENT = "state <> 1 AND kind <> 'sidecar'"
# name, path of the API, and what a person would write in SQL for the same rows
ASKED = [
    ("first page", "files?limit=100", f"SELECT * FROM file WHERE {PRESENT} ORDER BY id LIMIT 100"),
    ("first page by name", "files?limit=100&sort=name", f"SELECT * FROM file WHERE {PRESENT} ORDER BY name, id LIMIT 100"),
    ("first page by size, largest first", "files?limit=100&sort=size&descending=1", f"SELECT * FROM file WHERE {PRESENT} ORDER BY size DESC, id DESC LIMIT 100"),
    ("first page by date", "files?limit=100&sort=date", f"SELECT * FROM file WHERE {PRESENT} ORDER BY date, id LIMIT 100"),
    ("search by modality", "files?limit=100&q=modality:pt", f"SELECT * FROM file WHERE modality = 'PT' AND {PRESENT} ORDER BY id LIMIT 100"),
    ("search by a word in names", "files?limit=100&q=run-7_T1w", f"SELECT * FROM file WHERE path LIKE '%run-7_T1w%' AND {PRESENT} ORDER BY id LIMIT 100"),
    ("search by metadata", "files?limit=100&q=" + urllib.parse.quote("meta.EchoTime>0.08"),
     f"SELECT * FROM file WHERE json_extract(meta, '$.EchoTime') > 0.08 AND {PRESENT} ORDER BY id LIMIT 100"),
    ("list of projects with counts", "projects", f"SELECT project_id, COUNT(*) FROM file WHERE {PRESENT} GROUP BY project_id"),
    ("ids of all files", "files/ids", f"SELECT id FROM file WHERE {PRESENT} ORDER BY id"),
    ("tags and how often they are used", "tags?level=files", "SELECT tag.name, COUNT(*) FROM item_tag JOIN tag ON tag.id = tag_id GROUP BY tag_id"),
]


def percentiles(times):
    times = sorted(times)
    return times[len(times) // 2], times[min(len(times) - 1, int(len(times) * 0.95))]


def timed(work):
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
        if sum(times) > 20_000:
            break
    return percentiles(times)


def row(name, value, unit="ms", target=None, peer=None, peer_value=None, note="", identifier=""):
    met = None if target is None or value is None else value <= target
    ratio = peer_value / value if peer_value and value else None
    return {"id": identifier, "name": name, "value": value, "unit": unit, "target": target, "met": met, "peer": peer, "peerValue": peer_value,
            "ratio": ratio, "note": note}


class Server:
    def __init__(self, index, folder):
        self.process = subprocess.Popen([PROGRAM, "serve", folder, "--port", "0", "--index", index], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        port = re.search(r":(\d+)\s*$", self.process.stdout.readline())
        if not port:
            raise SystemExit("the server does not start")
        self.connection = http.client.HTTPConnection("127.0.0.1", int(port[1]), timeout=120)
        self.origin = f"http://127.0.0.1:{port[1]}"

    def ask(self, path, method="GET", body=None):
        headers = {"Accept-Encoding": "gzip"}
        if body is not None:
            headers.update({"Content-Type": "application/json", "Origin": self.origin, "X-Nora-Csrf": self.csrf})
        asked = method, "/api/v1/" + path, None if body is None else json.dumps(body), headers
        try:
            self.connection.request(*asked)
            answer = self.connection.getresponse()
        except http.client.RemoteDisconnected:  # it was silent for long, while the SQL by hand ran
            self.connection.request(*asked)
            answer = self.connection.getresponse()
        data = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def end(self):
        self.process.terminate()
        self.process.wait()


def measure(server, database):
    rows = []
    for name, path, sql in ASKED:
        first = server.ask(path)
        _, p95 = timed(lambda: server.ask(path))
        _, by_hand = timed(lambda: database.execute(sql).fetchall())
        is_page = path.startswith("files?")
        if is_page:
            wanted = [one[0] for one in database.execute(re.sub(r"SELECT \*", "SELECT id", sql))]
            told = [one["id"] for one in json.loads(first)["items"]]
            if sorted(wanted) != sorted(told) and "sort" not in path:
                raise SystemExit(f"{name}: other rows than SQL finds: {told[:5]} and {wanted[:5]}")
        rows.append(row(f"API, {name}, p95", p95, target=50 if is_page else None, peer="SQL by hand", peer_value=by_hand, identifier="Q22" if is_page else ""))
    deep = None
    for _ in range(50):
        page = json.loads(server.ask(f"files?limit=1000&sort=name{'&after=' + urllib.parse.quote(deep) if deep else ''}"))
        deep = page["next"]
        if not deep:
            break
    if deep:
        _, p95 = timed(lambda: server.ask(f"files?limit=100&sort=name&after={urllib.parse.quote(deep)}"))
        _, by_hand = timed(lambda: database.execute(f"SELECT * FROM file WHERE {PRESENT} ORDER BY name, id LIMIT 100 OFFSET 50000").fetchall())
        rows.append(row("API, page 500 by name, p95", p95, target=50, peer="SQL with OFFSET", peer_value=by_hand, identifier="Q22"))
    server.csrf = json.loads(server.ask("me"))["csrf"]
    ids = [one[0] for one in database.execute(f"SELECT id FROM file WHERE {PRESENT} ORDER BY id LIMIT 10000")]
    start = time.perf_counter()
    server.ask("tags", "POST", {"level": "files", "ids": ids, "add": ["measured"]})
    rows.append(row("API, a tag for 10,000 files", (time.perf_counter() - start) * 1000))
    return rows


def main():
    files = sys.argv[1] if len(sys.argv) > 1 else "1000000"
    with tempfile.TemporaryDirectory(prefix="nora-bench-") as folder:
        index, empty = os.path.join(folder, "index.sqlite"), os.path.join(folder, "empty")
        os.mkdir(empty)
        done = subprocess.run([BIN / "archive_bench", index, files, "5"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        report = json.loads(done.stdout)
        rows = [row(f"registering {int(files):,} files, SQLite", report["registered"]["filesPerSecond"], "files/s", identifier="Q22")]
        rows[0].update(target=10000, met=rows[0]["value"] >= 10000)
        server = Server(index, empty)
        database = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
        try:
            rows += measure(server, database)
        finally:
            database.close()
            server.end()
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    main()
