"""Who lacks a right gets nothing by it, whatever they ask; and where names are hidden no answer has one in any form."""
import gzip
import io
import json
import os
import shutil
import struct
import tempfile
import time
import unittest
import urllib.parse
import zipfile
import zlib

from nora_client import Client, Closed, Server
from test_openapi import DOC, OPERATIONS, PASSWORD, Person, url

SECRETS = ["zyxwvut", "nametest", "qwklmno"]  # parts of names that nothing else has
NAME = "Zyxwvut^Nametest"
RIGHTS = ["read", "annotate", "edit", "process", "download", "see-identity", "administer"]
# What each right brings along: who is to lack one must not get it by another.
BRINGS = {"administer": set(RIGHTS), "edit": {"annotate", "read"}}
TOMORROW = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))


def without(right):
    """All rights but that one, and none that brings it; none at all without reading."""
    return [one for one in RIGHTS if right != "read" and one != right and right not in BRINGS.get(one, set())]


def nifti():
    """A NIfTI-1 image that tells the name wherever there is a place for texts, and behind its voxels."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    header[14:14 + 16] = NAME.encode()
    struct.pack_into("<8h", header, 40, 3, 8, 8, 8, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    extension = struct.pack("<2i", 48, 6) + NAME.encode().ljust(40, b"\0")
    struct.pack_into("<f", header, 108, 352 + len(extension))
    header[148:148 + 16] = NAME.encode()
    header[228:228 + 16] = NAME.encode()
    header[328:328 + 16] = NAME[:15].encode() + b"\0"
    struct.pack_into("<h", header, 254, 1)
    struct.pack_into("<12f", header, 280, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0)
    header[344:348] = b"n+1\0"
    header[348] = 1
    return bytes(header) + extension + bytes(range(256)) * 2 + NAME.encode()


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def make_project(folder):
    base = os.path.join(folder, "sub-Zyxwvut", "ses-Nametest")
    packed = io.BytesIO()
    with gzip.GzipFile("sub-Zyxwvut_Nametest.nii", "wb", fileobj=packed) as file:
        file.write(nifti())
    write(os.path.join(base, "anat", "sub-Zyxwvut_Nametest_T1w.nii"), nifti())
    write(os.path.join(base, "anat", "sub-Zyxwvut_Nametest_T2w.nii.gz"), packed.getvalue())
    sidecar = {"PatientName": NAME, "PatientID": "QWKLMNO", "TaskName": f"rest {NAME}", "EchoTime": 0.03, "ImageType": ["ORIGINAL", NAME],
               "group": {"inner": NAME}, "SeriesDescription": NAME}
    for kind in ("T1w", "T2w"):
        write(os.path.join(base, "anat", f"sub-Zyxwvut_Nametest_{kind}.json"), json.dumps(sidecar).encode())
    write(os.path.join(base, "Nametest-report.txt"), f"{NAME} was here".encode())
    write(os.path.join(base, "Nametest-broken.nii"), b"\x5c\x01\0\0" + NAME.encode() * 3)
    write(os.path.join(folder, "participants.tsv"), f"participant_id\tage\tname\nsub-Zyxwvut\t42\t{NAME} QWKLMNO\n".encode())
    write(os.path.join(folder, "dataset_description.json"), json.dumps({"Name": NAME}).encode())


def unfolded(data, depth=0):
    """The bytes, and what they hold packed or written in another way."""
    yield data
    if depth > 3:
        return
    further = []
    if data[:2] == b"\x1f\x8b":
        further.append(zlib.decompressobj(31).decompress(data))
        flags = data[3]
        further.append(data[10:200] if flags & 8 else b"")
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for item in archive.infolist():
                further += [item.filename.encode(), archive.read(item), item.comment, item.extra]
    text = data.decode("latin-1")
    if "%" in text:
        further.append(urllib.parse.unquote_to_bytes(data))
    if b"\\u" in data:
        try:
            further.append(json.dumps(json.loads(data), ensure_ascii=False).encode())
        except ValueError:
            pass
    for more in further:
        if more and more != data:
            yield from unfolded(more, depth + 1)


def told(data):
    """Which secret the bytes tell; "" for none. UTF-16, too."""
    for form in unfolded(data):
        plain = form.lower()
        for secret in SECRETS:
            if secret.encode() in plain or secret.encode("utf-16-le") in plain:
                return secret
    return ""


def sent_by(answer):
    return answer.data + b"\n" + "\n".join(f"{key}: {value}" for key, value in answer.headers.items()).encode()


class Rights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="rights-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.data = os.path.join(cls.folder, "data")
        make_project(cls.data)
        cls.server = Server(cls.data, "--login", "always")
        cls.addClassCleanup(cls.server.__exit__)
        link = ""
        while "?setup=" not in link:
            link = cls.server.stdout_line()
        cls.admin = Person(cls.server)
        made = cls.admin.ask("POST", "/api/v1/setup", {"secret": link.strip().split("setup=")[1], "name": "admin", "password": PASSWORD})
        assert made.status == 200, made.data
        cls.admin.enter(made)
        assert cls.admin.ask("PATCH", "/api/v1/projects/1", {"hideIdentity": True}).status == 200
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            files = cls.admin.ask("GET", "/api/v1/files?limit=100").json()["items"]
            if len(files) >= 5 and not cls.admin.ask("GET", "/api/v1/news").json()["scanning"]:
                break
            time.sleep(0.1)
        cls.rows = {level: cls.admin.ask("GET", f"/api/v1/{level}?limit=100").json()["items"] for level in ("files", "studies", "subjects")}
        assert told(json.dumps(cls.rows).encode()), "the test data tell no names"
        cls.people = {right: cls.person(f"no-{right}", without(right)) for right in RIGHTS}
        scene = {"layers": [{"id": "sub-Zyxwvut", "source": cls.rows["files"][0]["source"]}]}
        for path, body in (("/api/v1/presets", {"name": "shared", "scene": scene, "projectId": 1, "everybody": True}),
                           ("/api/v1/filters", {"name": "shared", "query": "subject:sub-Zyxwvut*", "projectId": 1, "everybody": True})):
            assert cls.admin.ask("POST", path, body).status == 201
        cls.image = next(row["id"] for row in cls.rows["files"] if row["name"].endswith("T1w.nii"))
        cls.packed = next(row["id"] for row in cls.rows["files"] if row["name"].endswith("T2w.nii.gz"))

    @classmethod
    def person(cls, name, rights):
        made = cls.admin.ask("POST", "/api/v1/users", {"name": name, "password": PASSWORD})
        assert made.status == 201, made.data
        if rights:
            given = cls.admin.ask("PUT", "/api/v1/projects/1/grants", {"userId": made.json()["id"], "rights": rights})
            assert given.status == 200, given.data
        return Person(cls.server, name)

    def asked(self):
        """Every operation of the API, filled in for what there is: (operation, path, body)."""
        for operation in OPERATIONS.values():
            if operation.id in ("logIn", "logOut", "setUp", "setOwnPassword", "endOwnSession"):
                continue  # they are of the account of who asks
            level = next((one for one in ("files", "studies", "subjects") if f"/{one}" in operation.path), "files")
            ids = [row["id"] for row in self.rows[level]] if f"/{level}/{{id}}" in operation.path else [1]
            for one in ids:
                path = {name: 1 if name == "project" else one if name == "id" else "x" if name == "name" else 1 for name in operation.names("path")}
                yield operation, url(operation, path), self.body_of(operation, level)

    def body_of(self, operation, level):
        if operation.body is None:
            return None
        ids = [row["id"] for row in self.rows[level]]
        known = {"tag": {"level": "files", "ids": ids, "add": ["t"]}, "zip": {"level": "files", "ids": ids},
                 "setGrant": {"everybody": True, "rights": ["read"]}, "changeProject": {"title": "changed"},
                 "addShare": {"rights": ["read"], "scene": {}, "expires": TOMORROW}, "beginUpload": {"path": "a/b.txt", "size": 1},
                 "savePreset": {"name": "p", "scene": {}, "projectId": 1}, "saveFilter": {"name": "f", "query": "", "projectId": 1}}
        if operation.id.startswith("rows"):
            return {"ids": ids}
        if operation.id.startswith("rename"):
            return {"name": "renamed"}
        return known.get(operation.id, {"age": 1})

    # ---- rights

    def refused(self, who, method, path, body=None, by=(403,)):
        answer = self.people[who].ask(method, path, body)
        self.assertIn(answer.status, by, f"{who}: {method} {path} {answer.status} {answer.data[:200]!r}")

    def test_who_may_not_read_is_told_that_there_is_nothing(self):
        person = self.people["read"]
        for operation, path, body in self.asked():
            answer = person.ask(operation.method, path, body)
            with self.subTest(operation=operation.id, path=path):
                self.assertEqual(told(sent_by(answer)), "", answer.data[:300])
                if "{" not in operation.path or operation.path.startswith(("/api/v1/me", "/api/v1/users", "/api/v1/groups", "/api/v1/sessions")):
                    continue
                self.assertIn(answer.status, (403, 404))
                other = operation.path
                for name in operation.names("path"):
                    other = other.replace("{%s}" % name, "987654")
                absent = person.ask(operation.method, other, body)
                self.assertEqual(self.nameless(answer), self.nameless(absent))

    @staticmethod
    def nameless(answer):
        """A refusal without the id that was asked for."""
        try:
            said = answer.json()
        except ValueError:
            return answer.status, answer.data
        said = {key: value for key, value in said.items() if key not in ("where", "instance")}
        said["detail"] = "".join(c for c in said.get("detail", "") if not c.isdigit())
        return answer.status, said

    def test_without_each_right_what_needs_it_is_refused(self):
        files = [row["id"] for row in self.rows["files"]]
        one, subject = files[0], self.rows["subjects"][0]["id"]
        self.refused("annotate", "POST", "/api/v1/tags", {"level": "files", "ids": files, "add": ["t"]})
        for who in ("edit", "annotate"):
            self.refused(who, "PUT", f"/api/v1/files/{one}/meta", {"age": 1})
            self.refused(who, "PATCH", f"/api/v1/subjects/{subject}", {"name": "other"})
            self.refused(who, "POST", "/api/v1/projects/1/scan")
            self.refused(who, "POST", "/api/v1/projects/1/uploads", {"path": "a/b.txt", "size": 1})
        for file in files:
            self.refused("download", "GET", f"/api/v1/files/{file}/content")
        self.refused("download", "POST", "/api/v1/zip", {"level": "projects", "ids": [1]})
        self.refused("download", "POST", "/api/v1/projects/1/shares", {"rights": ["download"], "expires": TOMORROW})
        self.refused("see-identity", "PATCH", f"/api/v1/subjects/{subject}", {"name": "other"})
        self.refused("see-identity", "PUT", f"/api/v1/files/{one}/meta", {"age": 1})
        self.refused("see-identity", "POST", "/api/v1/projects/1/uploads", {"path": "a/b.txt", "size": 1})
        for who in RIGHTS[1:]:
            self.refused(who, "PATCH", "/api/v1/projects/1", {"hideIdentity": False})
            self.refused(who, "PUT", "/api/v1/projects/1/grants", {"everybody": True, "rights": ["read"]})
            self.refused(who, "GET", "/api/v1/projects/1/grants")
            for path in ("/api/v1/users", "/api/v1/groups", "/api/v1/sessions", "/api/v1/audit", "/api/v1/audit.csv", "/api/v1/server"):
                self.refused(who, "GET", path)

    # ---- names

    def test_no_answer_tells_a_name_that_is_hidden(self):
        person = self.people["see-identity"]
        met = 0
        for operation, path, body in self.asked():
            if operation.id in ("removePreset", "removeFilter"):
                continue
            answer = person.ask(operation.method, path, body)
            met += answer.status < 300
            self.assertEqual(told(sent_by(answer)), "", f"{operation.id} {path} {answer.data[:300]!r}")
        self.assertGreater(met, 40)
        for level in ("files", "studies", "subjects"):
            for sort in ("name", "path", "sequence", "subject", "study", "date"):
                answer = person.ask("GET", f"/api/v1/{level}?limit=1&sort={sort}")
                following = answer.json().get("next") if answer.status == 200 else None
                import base64
                self.assertEqual(told(sent_by(answer)), "")
                self.assertEqual(told(base64.urlsafe_b64decode(following + "===") if following else b""), "")
            columns = "id,name,subject,study,path,source,meta,meta.PatientName,meta.TaskName,sequence,reason,warnings"
            self.assertEqual(told(sent_by(person.ask("GET", f"/api/v1/{level}.csv?columns={columns}"))), "")

    def test_searches_do_not_find_what_is_hidden_letter_by_letter(self):
        person = self.people["see-identity"]
        asks = ["name:*nametest*", "name:*n?metest*", "zyx", "*zyx*", "study:ses-n*", "sequence:zyx*", "path:*zyx*", "meta.PatientName=*", "has:meta.PatientName",
                "meta.SeriesDescription=zyx*", "meta.TaskName=*zyx*", "meta.TaskName>\"a\"", "meta.group.inner=*zyx*", "has:meta.group.inner", "subject:sub-z*", "name:*est*"]
        for level in ("files", "studies", "subjects"):
            for ask in asks:
                found = person.ask("GET", f"/api/v1/{level}?total=1&q=" + urllib.parse.quote(ask))
                self.assertEqual((found.status, found.json().get("items"), found.json().get("total")), (200, [], 0), f"{level} {ask}")
        self.assertEqual(len(person.ask("GET", "/api/v1/files?q=t1w.nii").json()["items"]), 1)
        self.assertEqual(len(self.admin.ask("GET", "/api/v1/files?q=nametest").json()["items"]), len([r for r in self.rows["files"] if "nametest" in r["path"].lower()]))

    def test_pages_cannot_be_begun_at_a_guess_of_a_name(self):
        import base64
        person = self.people["see-identity"]
        for level in ("files", "studies", "subjects"):
            for sort in ("name", "path", "sequence"):
                seen = set()
                for guess in ("sub-zyxwvus", "sub-zyxwvut", "sub-zyxwvuu"):  # before, at and behind a name that is there
                    after = base64.urlsafe_b64encode(json.dumps([guess, 0]).encode()).decode().rstrip("=")
                    answer = person.ask("GET", f"/api/v1/{level}?sort={sort}&after={after}")
                    if answer.status == 200:
                        seen.add(json.dumps([row["id"] for row in answer.json()["items"]]))
                self.assertLessEqual(len(seen), 1, f"{level} {sort}")

    def test_images_leave_with_their_voxels_and_without_their_texts(self):
        person = self.people["see-identity"]
        plain, packed = (person.ask("GET", f"/api/v1/files/{one}/content") for one in (self.image, self.packed))
        self.assertEqual((plain.status, packed.status), (200, 200), plain.data[:200])
        original = nifti()
        for data in (plain.data, gzip.decompress(packed.data)):
            self.assertEqual(len(data), len(original))
            self.assertEqual(data[400:912], original[400:912])
            self.assertEqual(told(data), "")
        part = person.ask("GET", f"/api/v1/files/{self.image}/content", headers={"Range": "bytes=140-260"})
        self.assertEqual((part.status, part.data), (206, plain.data[140:261]))
        self.assertEqual(self.admin.ask("GET", f"/api/v1/files/{self.image}/content").data, original)

    # ---- the stream

    def stream(self, person):
        return Client(self.server, origin=person.origin, headers=[f"Cookie: {person.cookie}"])

    def messages(self, client, sent, wanted):
        """What comes until one of the wanted types has come; pictures as {"type": "frame"}."""
        client.send(sent)
        out = []
        while not out or out[-1]["type"] not in wanted:
            message = client.receive()
            out.append(message if isinstance(message, dict) else {"type": "frame"})
        return out

    def test_the_stream_of_who_may_not_read_shows_nothing(self):
        client = self.stream(self.people["read"])
        client.send({"type": "viewports", "views": {"axial": {"width": 32, "height": 32}}})
        heard = []
        for row in self.rows["files"]:
            for source in (row["source"], {"path": f"[{row['id']}] x"}):
                heard += self.messages(client, {"type": "open", "source": source, "as": "new"}, ("error",))
                self.assertEqual(told(json.dumps(heard[-1]["what"]).encode()), "")
        self.assertFalse([one for one in heard if one["type"] == "images" and any(layer.get("state") == "ready" for layer in one["layers"].values())])
        client.close()

    def test_the_stream_tells_no_names_whatever_is_sent(self):
        person = self.people["see-identity"]
        rows = person.ask("GET", "/api/v1/files?limit=100").json()["items"]
        client = self.stream(person)
        heard = [client.receive() for _ in range(2)]
        client.send({"type": "viewports", "views": {"axial": {"width": 32, "height": 32}}})
        drawn = False
        for row in rows:
            heard += self.messages(client, {"type": "open", "source": row["source"], "as": "new"}, ("scene", "error", "images"))
            client.send({"type": "ping", "token": 1})
            while heard[-1].get("type") != "pong":
                message = client.receive()
                drawn = drawn or not isinstance(message, dict)
                heard.append(message if isinstance(message, dict) else {"type": "frame"})
        guesses = (self.rows["files"][0]["source"], {"path": "data/sub-Zyxwvut/nothing.nii"}, {"path": f"[{self.image}] ../../x"})
        for guess in guesses:
            heard += self.messages(client, {"type": "open", "source": guess, "as": "new"}, ("error", "images"))
        for more in ({"type": "probe", "mm": [0, 0, 0]}, {"type": "pick", "view": "axial", "x": 0.5, "y": 0.5}):
            heard += self.messages(client, more, ("values", "picked", "error"))
        for one in heard:
            text = json.dumps(one)
            for guess in guesses:
                text = text.replace(guess["path"], "")  # what the visitor has just guessed comes back as they wrote it
            self.assertEqual(told(text.encode()), "", one)
        client.close()

    def test_a_stream_goes_on_with_what_is_gained_and_ends_with_what_is_lost(self):
        other = os.path.join(self.folder, "other")
        write(os.path.join(other, "other.nii"), nifti())
        person = self.person("gains", ["read"])
        client = self.stream(person)
        client.send({"type": "ping", "token": 1})
        made = self.admin.ask("POST", "/api/v1/projects", {"name": "other", "root": other})
        self.assertEqual(made.status, 201, made.data)
        project = made.json()["id"]
        self.addCleanup(self.admin.ask, "DELETE", f"/api/v1/projects/{project}")
        group = self.admin.ask("POST", "/api/v1/groups", {"name": "gainers"}).json()["id"]
        user = next(one["id"] for one in self.admin.ask("GET", "/api/v1/users").json()["items"] if one["name"] == "gains")
        self.assertEqual(self.admin.ask("PUT", f"/api/v1/groups/gainers/members/{user}").status, 200)
        grants = f"/api/v1/projects/{project}/grants"
        self.assertEqual(self.admin.ask("PUT", grants, {"groupId": group, "rights": ["read", "see-identity"]}).status, 200)
        deadline = time.monotonic() + 30
        ready = []
        while not ready and time.monotonic() < deadline:  # the scan finds it; the stream hears within a second who is in the group
            for row in person.ask("GET", "/api/v1/files?q=project:other").json()["items"]:
                client.send({"type": "viewports", "views": {"axial": {"width": 32, "height": 32}}})
                heard = self.messages(client, {"type": "open", "source": row["source"], "as": "new"}, ("error", "images"))
                ready = [one for one in heard if one["type"] == "images"]
            time.sleep(0.1)
        self.assertTrue(ready, "what was gained is seen by the stream that was there before")
        self.assertEqual(self.admin.ask("PUT", grants, {"groupId": group, "rights": []}).status, 200)
        with self.assertRaises(Closed) as closed:
            while True:
                client.receive()
        self.assertEqual(closed.exception.code, 4003)

    # ---- tokens

    def token(self, person, rights, expires=TOMORROW):
        made = person.ask("POST", "/api/v1/me/tokens", {"name": "t", "rights": rights, "expires": expires})
        self.assertEqual(made.status, 201, made.data)
        return made.json()["id"], Person(self.server, token=made.json()["secret"])

    def test_a_token_for_reading_changes_nothing(self):
        _, reader = self.token(self.admin, ["read"])
        before = self.admin.ask("GET", "/api/v1/audit?limit=1").json()["items"][0]["id"]
        for operation, path, body in self.asked():
            if operation.method == "GET" or operation.id.startswith("rows"):
                continue
            answer = reader.ask(operation.method, path, body)
            self.assertGreaterEqual(answer.status, 400, f"{operation.id} {answer.data[:200]!r}")
        self.assertEqual(self.admin.ask("GET", "/api/v1/audit?limit=1").json()["items"][0]["id"], before)

    def test_a_token_that_is_removed_ends_its_stream(self):
        number, reader = self.token(self.admin, ["read"])
        client = Client(self.server, headers=[f"Authorization: Bearer {reader.token}"])
        client.receive()
        self.assertEqual(self.admin.ask("DELETE", f"/api/v1/me/tokens/{number}").status, 200)
        self.assertEqual(reader.ask("GET", "/api/v1/projects").status, 401)
        with self.assertRaises(Closed) as closed:
            while True:
                client.receive()
        self.assertEqual(closed.exception.code, 4003)

    # ---- audit

    def test_what_is_refused_leaves_no_line_and_what_is_done_leaves_one(self):
        def lines(action):
            return self.admin.ask("GET", f"/api/v1/audit?action={action}&limit=1000").json()["items"]
        groups = len(lines("group.add"))
        self.assertEqual(self.admin.ask("POST", "/api/v1/groups", {"name": "twice"}).status, 201)
        self.assertEqual(len(lines("group.add")), groups + 1)
        self.assertEqual(self.admin.ask("POST", "/api/v1/groups", {"name": "twice"}).status, 400)
        self.assertEqual(len(lines("group.add")), groups + 1)
        downloads = len(lines("file.download"))
        self.people["see-identity"].ask("GET", f"/api/v1/files/{self.image}/content")
        self.assertEqual(len(lines("file.download")), downloads + 1)
        self.assertNotIn("DELETE", {method.upper() for path, item in DOC["paths"].items() if "audit" in path for method in item})


if __name__ == "__main__":
    unittest.main()
