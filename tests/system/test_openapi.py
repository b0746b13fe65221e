"""docs/openapi.yaml is what the server does: the same routes, every answer of its schema, whatever is asked."""
import copy
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse

import jsonschema
import yaml

from nora_client import DEMO, PROGRAM, SOURCE, Server

FILE = os.path.join(SOURCE, "docs", "openapi.yaml")
with open(FILE, encoding="utf-8") as source:
    TEXT = source.read()
DOC = yaml.safe_load(TEXT)
RESOLVER = jsonschema.RefResolver.from_schema(DOC)
PASSWORD = "correct horse battery staple"
HOSTILE = ["", " ", "0", "-1", "1.5", "1e3", "9223372036854775807", "99999999999999999999", "1 OR 1=1", "'; DROP TABLE user; --",
           "\" OR \"\"=\"", "<script>alert(1)</script>", "../../etc/passwd", "%00", "%s%n", "\u0000", "\u202e\ufeff\U0001f9e0\u0301", "ü" * 3000,
           "(" * 300, "*" * 500, "=cmd|' /C calc'!A0"]
HOSTILE_JSON = [None, True, 0, -1, 1.5, 1e300, 2 ** 63 - 1, 2 ** 64, [], [[]], {}, {"a": {"b": 1}}, ["x"] * 200, [-1, 2 ** 63], "x" * 70000, *HOSTILE]


def at(reference):
    node = DOC
    for part in reference.removeprefix("#/").split("/"):
        node = node[part.replace("~1", "/")]
    return node


def followed(node):
    return followed(at(node["$ref"])) if "$ref" in node else node


def errors_of(value, schema):
    return [error.message[:300] for error in jsonschema.Draft202012Validator(schema, resolver=RESOLVER).iter_errors(value)]


class Operation:
    def __init__(self, path, method, node):
        self.path, self.method, self.node, self.id = path, method.upper(), node, node["operationId"]
        self.parameters = [followed(one) for one in node.get("parameters", [])]
        self.body = node.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        self.guests = {} in node["security"]

    def names(self, where):
        return [one["name"] for one in self.parameters if one["in"] == where]

    def answer_of(self, status):
        responses = self.node["responses"]
        found = responses.get(str(status)) or responses.get(f"{status // 100}XX")
        return followed(found) if found else None


OPERATIONS = {node["operationId"]: Operation(path, method, node) for path, item in DOC["paths"].items() for method, node in item.items()}


class Answer:
    def __init__(self, status, headers, data):
        self.status, self.headers, self.data = status, headers, data
        self.type = (headers.get("content-type") or "").split(";")[0]

    def json(self):
        return json.loads(self.data)


class Person:
    """Somebody who asks: by a cookie, a token, a link, or as a guest."""

    def __init__(self, server, name=None, token=None):
        self.port, self.token, self.cookie, self.csrf = server.port, token, None, None
        self.origin = f"http://127.0.0.1:{self.port}"
        self.connection = None
        if name:
            answer = self.ask("POST", "/api/v1/login", {"name": name, "password": PASSWORD})
            assert answer.status == 200, answer.data
            self.enter(answer)

    def enter(self, answer):
        self.cookie = answer.headers["set-cookie"].split(";")[0]
        self.csrf = answer.json()["csrf"]

    def ask(self, method, path, body=None, headers=None, raw=None):
        sent = {"Content-Type": "application/json"}
        if self.cookie:
            sent.update({"Cookie": self.cookie, "Origin": self.origin, "X-Nora-Csrf": self.csrf})
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        sent.update(headers or {})
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self.connection.request(method, path, data, {key: value for key, value in sent.items() if value is not None})
                answer = self.connection.getresponse()
                return Answer(answer.status, answer.headers, answer.read())
            except (http.client.HTTPException, ConnectionError) as gone:
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise AssertionError(f"no answer: {method} {path:.300} ({len(path)})") from gone
        return None


def url(operation, path=None, query=None):
    filled = operation.path
    for name, value in (path or {}).items():
        filled = filled.replace("{%s}" % name, urllib.parse.quote(str(value), safe=""))
    assert "{" not in filled, f"{operation.id}: {filled}"
    return filled + ("?" + urllib.parse.urlencode(query) if query else "")


class OpenApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="nora-openapi-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.server = Server(DEMO, "--login", "always")
        cls.addClassCleanup(cls.server.__exit__)
        link = ""
        while "?setup=" not in link:
            link = cls.server.stdout_line()
        cls.admin = Person(cls.server)
        secret = link.strip().split("setup=")[1]
        made = cls.admin.ask("POST", "/api/v1/setup", {"secret": secret, "name": "admin", "password": PASSWORD})
        assert made.status == 200, made.data
        cls.setup_answer = made
        cls.admin.enter(made)
        for name in ("reader", "changer", "victim"):
            made = cls.admin.ask("POST", "/api/v1/users", {"name": name, "password": PASSWORD})
            assert made.status == 201, made.data
        cls.users = {user["name"]: user["id"] for user in cls.admin.ask("GET", "/api/v1/users").json()["items"]}
        deadline = time.monotonic() + 30
        while cls.admin.ask("GET", "/api/v1/news").json()["scanning"] and time.monotonic() < deadline:
            time.sleep(0.05)
        other = os.path.join(cls.folder.name, "other")
        os.mkdir(other)
        cls.other = cls.admin.ask("POST", "/api/v1/projects", {"name": "other", "root": other}).json()["id"]
        cls.own = cls.admin.ask("POST", "/api/v1/projects", {"name": "own"}).json()["id"]
        cls.later = cls.admin.ask("POST", f"/api/v1/projects/{cls.own}/uploads", {"path": "a/later.txt", "size": 3}).json()["id"]
        cls.upload = cls.admin.ask("POST", f"/api/v1/projects/{cls.own}/uploads", {"path": "a/b.txt", "size": 3}).json()["id"]
        rows = {level: cls.admin.ask("GET", f"/api/v1/{level}?limit=1000").json()["items"] for level in ("files", "studies", "subjects")}
        cls.ids = {level: some[-1]["id"] for level, some in rows.items()}
        cls.document = next(row["id"] for row in rows["files"] if row["kind"] == "document")

    def check(self, operation, answer, what):
        """The answer is one that the file describes."""
        where = f"{operation.id} {what!r:.300}: {answer.status} {answer.data[:300]!r}"
        self.assertLess(answer.status, 500, where)
        described = operation.answer_of(answer.status)
        self.assertIsNotNone(described, where)
        for name in described.get("headers", {}):
            if name not in ("Set-Cookie",) or answer.status == 200:
                self.assertIn(name.lower(), answer.headers, where)
        content = described.get("content", {})
        if not content:
            self.assertEqual(answer.data, b"", where)
            return
        media = content.get(answer.type) or content.get("*/*")
        self.assertIsNotNone(media, f"{where} {answer.type}")
        if answer.type.endswith("json") and media["schema"]:
            self.assertEqual(errors_of(answer.json(), media["schema"]), [], where)

    def good(self):
        """For each operation: path, query, body, headers that are right, and the status that they get. In an order that works."""
        tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        out = {
            "me": {}, "openapi": {}, "news": {}, "server": {}, "checkIndex": {}, "listUsers": {}, "listGroups": {}, "listSessions": {}, "listOwnSessions": {}, "listTokens": {},
            "beginProviderLogIn": {"query": {"provider": "none", "return": "?a=b"}, "status": 404},
            "finishProviderLogIn": {"query": {"state": "a", "code": "b", "iss": "c", "error": "d", "error_description": "e"}, "status": 404},
            "logIn": {"body": {"name": "reader", "password": PASSWORD}},
            "addToken": {"body": {"name": "script", "rights": ["read", "download"], "projectId": 1, "expires": tomorrow}, "status": 201},
            "setOwnPassword": {"body": {"old": PASSWORD, "new": PASSWORD + " 2"}},
            "addUser": {"body": {"name": "new", "fullName": "New Er", "email": "n@example.org", "administrator": False, "disabled": False, "password": PASSWORD}, "status": 201},
            "changeUser": {"path": {"id": self.users["victim"]}, "body": {"fullName": "V", "email": "v@example.org", "administrator": False, "disabled": False, "password": PASSWORD + " 3"}},
            "addGroup": {"body": {"name": "readers"}, "status": 201},
            "addMember": {"path": {"name": "readers", "user": self.users["victim"]}},
            "setGrant": {"path": {"id": 1}, "body": {"userId": self.users["reader"], "groupId": None, "everybody": False, "rights": ["read"]}},
            "listGrants": {"path": {"id": 1}},
            "audit": {"query": {"project": 0, "user": "admin", "action": "group.add", "from": "2020-01-01", "until": "2100-01-01T00:00:00Z", "before": 0, "limit": 2}},
            "auditCsv": {"query": {"user": "admin"}},
            "listProjects": {}, "getProject": {"path": {"id": 1}},
            "addProject": {"body": {"name": "third", "title": "Third", "root": os.path.join(self.folder.name, "other"), "inPlace": True, "hideIdentity": False, "pattern": "{subject}/**"}, "status": 201},
            "changeProject": {"path": {"id": self.other}, "body": {"name": "other", "title": "O", "hideIdentity": False, "pattern": "{subject}/**"}},
            "scan": {"path": {"project": 1}, "status": 202},
            "listTags": {"query": {"level": "files"}},
            "tag": {"body": {"level": "files", "ids": [self.ids["files"]], "add": ["todo"], "remove": ["done"]}},
            "changes": {"query": {"level": "files", "since": 0, "after": 0}},
            "fileInfo": {"path": {"id": self.document}}, "fileDocument": {"path": {"id": self.document}, "query": {"page": 1}},
            "fileContent": {"path": {"id": self.document}, "headers": {"Range": "bytes=0-9"}, "status": 206},
            "zip": {"body": {"level": "files", "ids": [self.document]}},
            "savePreset": {"body": {"name": "mine", "scene": {"views": []}, "projectId": None, "everybody": False}, "status": 201}, "listPresets": {"query": {"project": 1}},
            "saveFilter": {"body": {"name": "mine", "query": "kind:image", "projectId": 1, "everybody": False}, "status": 201}, "listFilters": {"query": {"project": 1}},
            "beginUpload": {"path": {"id": self.own}, "body": {"subject": "S1", "study": "T1", "name": "c.txt", "size": 5, "sha256": ""}, "status": 201},
            "getUpload": {"path": {"id": self.upload}},
            "sendUpload": {"path": {"id": self.upload}, "headers": {"Upload-Offset": "0", "Content-Type": "application/octet-stream"}, "raw": b"abc"},
            "finishUpload": {"path": {"id": self.upload}, "body": {"unpack": False}},
            "addShare": {"path": {"id": 1}, "body": {"rights": ["read"], "scene": {}, "expires": tomorrow}, "status": 201}, "listShares": {"path": {"id": 1}},
        }
        for level, one in (("files", "File"), ("studies", "Study"), ("subjects", "Subject")):
            search = {"q": "", "project": 1, "sort": "name", "descending": "1"}
            item = {"id": self.ids[level]}
            many = level.capitalize()
            out.update({f"list{many}": {"query": {**search, "limit": 2, "total": "1"}}, f"ids{many}": {"query": search}, f"csv{many}": {"query": {**search, "columns": "id,name"}},
                        f"rows{many}": {"body": {"ids": [self.ids[level], 99999]}}, f"get{one}": {"path": item}, f"rename{one}": {"path": item, "body": {"name": "renamed"}, "status": 415 if level == "files" else 200},
                        f"get{one}Meta": {"path": item}, f"set{one}Meta": {"path": item, "body": {"age": 42, "note": "ü"}}, f"get{one}History": {"path": item}})
        out["csvProjects"] = {"query": {"q": ""}}
        return out

    def removals(self, made):
        return {"removeToken": {"id": made["addToken"]["id"]}, "removePreset": {"id": made["savePreset"]["id"]}, "removeFilter": {"id": made["saveFilter"]["id"]},
                "removeShare": {"id": made["addShare"]["id"]}, "removeUpload": {"id": made["beginUpload"]["id"]}, "removeMember": {"name": "readers", "user": self.users["victim"]}, "removeGroup": {"name": "readers"},
                "removeUser": {"id": made["addUser"]["id"]}}

    def ask(self, operation, person, case):
        return person.ask(operation.method, url(operation, case.get("path"), case.get("query")), case.get("body"), case.get("headers"), case.get("raw"))

    def person_for(self, operation):
        """Whoever loses nothing by it."""
        if operation.id in ("logIn", "logOut", "setUp"):
            return Person(self.server)
        if operation.id == "setOwnPassword":
            if "changer" not in self.__class__.__dict__:
                self.__class__.changer = Person(self.server, "changer")
            return self.changer
        return self.admin

    def test_1_the_file_is_well_formed_and_served_as_it_is(self):
        served = self.admin.ask("GET", "/api/v1/openapi.yaml")
        self.assertEqual(served.data.decode(), TEXT)
        for name, schema in DOC["components"]["schemas"].items():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)
        for reference in set(re.findall(r"\$ref: '(#[^']+)'", TEXT)):
            at(reference)
        self.assertEqual(len(OPERATIONS), sum(len(item) for item in DOC["paths"].values()), "operationId is said once")
        for operation in OPERATIONS.values():
            self.assertEqual(sorted(operation.names("path")), sorted(re.findall(r"\{(\w+)\}", operation.path)), operation.path)

    def test_2_the_routes_of_the_server_are_those_of_the_file(self):
        printed = subprocess.run([PROGRAM, "serve", "--print-routes"], capture_output=True, text=True, check=True, timeout=60,
                                 env={**os.environ, "NORA_INDEX": os.path.join(self.folder.name, "routes.sqlite")}).stdout
        self.assertEqual(sorted(printed.split("\n")[:-1]), sorted(f"{one.method} {one.path}" for one in OPERATIONS.values()))

    def test_3_every_operation_answers_as_it_says(self):
        made, seen = {}, {"setUp"}
        self.check(OPERATIONS["setUp"], self.setup_answer, "setup")
        for name, case in self.good().items():
            operation = OPERATIONS[name]
            if operation.body:
                self.assertEqual(errors_of(case["body"], operation.body), [], name)
            self.assertLessEqual(set(case.get("query", {})), set(operation.names("query")), name)
            answer = self.ask(operation, self.person_for(operation), case)
            self.check(operation, answer, "right values")
            self.assertEqual(answer.status, case.get("status", 200), f"{name}: {answer.data[:300]!r}")
            seen.add(name)
            if answer.type == "application/json":
                made[name] = answer.json()
        for name, path in self.removals(made).items():
            answer = self.admin.ask("DELETE", url(OPERATIONS[name], path))
            self.assertEqual(answer.status, 200, f"{name}: {answer.data[:300]!r}")
            self.check(OPERATIONS[name], answer, "right values")
            seen.add(name)
        again = Person(self.server, "reader")
        for operation, sessions in (("endOwnSession", "/api/v1/me/sessions"), ("endSession", "/api/v1/sessions")):
            asker = again if operation == "endOwnSession" else self.admin
            other = next(one["id"] for one in asker.ask("GET", sessions).json()["items"] if not one["current"] and one["userId"] == self.users["reader"])
            answer = asker.ask("DELETE", url(OPERATIONS[operation], {"id": other}))
            self.assertEqual(answer.status, 200, answer.data)
            self.check(OPERATIONS[operation], answer, "right values")
            seen.add(operation)
            again = Person(self.server, "reader")
        self.check(OPERATIONS["logOut"], again.ask("POST", "/api/v1/logout"), "right values")
        seen.add("logOut")
        self.assertEqual(sorted(set(OPERATIONS) - seen), [], "an operation that nothing asks for")
        self.__class__.upload = self.later  # the first is finished

    def test_4_hostile_paths_and_queries_are_answered_as_described(self):
        good = self.good()
        for operation in OPERATIONS.values():
            case = good.get(operation.id, {})
            person = self.person_for(operation)
            for name in operation.names("path"):
                for value in HOSTILE:
                    if value in ("", "\u0000", "%00") or (operation.id == "removeUser" and value == "1"):
                        continue  # another path
                    path = {**{one: 999999 for one in operation.names("path")}, **case.get("path", {}), name: value}
                    answer = self.ask(operation, person, {**case, "path": path})
                    self.check(operation, answer, path)
            for name in operation.names("query"):
                for value in HOSTILE:
                    if "\0" in value:
                        continue  # see below
                    answer = self.ask(operation, person, {**case, "query": {**case.get("query", {}), name: value}})
                    self.check(operation, answer, {name: value})
        received = self.server.raw(b"GET /api/v1/files?q=%00 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        self.assertNotIn(b"HTTP/1.1 200", received, "zero bytes are in no address")
        self.assertTrue(self.server.alive())

    def test_5_hostile_bodies_are_refused_or_answered_as_described(self):
        good = self.good()
        for operation in OPERATIONS.values():
            if not operation.body or operation.id == "setUp":
                continue
            person, case = self.person_for(operation), good[operation.id]
            for raw in (b"", b"{", b"\xff\xfe", b"null", b"[]", b"1", b'"x"', b"[" * 5000, b"{\"a\":" * 70 + b"1" + b"}" * 70, b"{" + b" " * 300000 + b"}", b'{"name": "\xed\xa0\x80"}'):
                answer = person.ask(operation.method, url(operation, case.get("path")), raw=raw)
                self.check(operation, answer, raw[:40])
            for name in operation.body.get("properties", {}):
                for value in HOSTILE_JSON:
                    changed = {**copy.deepcopy(case["body"]), name: value}
                    answer = self.ask(operation, person, {**case, "body": changed})
                    self.check(operation, answer, {name: value})
                    if value is not None and errors_of(changed, operation.body):  # null is as if it were not there
                        self.assertGreaterEqual(answer.status, 400, f"{operation.id} takes {name}={value!r:.100}")
            for name in operation.body.get("required", []):
                without = {key: value for key, value in case["body"].items() if key != name}
                answer = self.ask(operation, person, {**case, "body": without})
                self.check(operation, answer, f"without {name}")
                self.assertIn(answer.status, (400, 403, 429), f"{operation.id} without {name}")
            if operation.body.get("additionalProperties") is False:
                answer = self.ask(operation, person, {**case, "body": {**case["body"], "surprise": 1}})
                self.assertIn(answer.status, (400, 403, 429), f"{operation.id} with an unknown field")
        self.assertTrue(self.server.alive())

    def test_6_wrong_expired_and_forged_credentials_open_nothing(self):
        soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))
        expired = self.admin.ask("POST", "/api/v1/me/tokens", {"name": "short", "rights": ["read"], "expires": soon}).json()["secret"]
        time.sleep(3.1)
        guest, reader = Person(self.server), Person(self.server, "reader")
        good = self.good()
        for operation in OPERATIONS.values():
            path = {**{name: 999999 for name in operation.names("path")}, **good.get(operation.id, {}).get("path", {})}
            case = {**good.get(operation.id, {}), "path": path}
            for secret in (expired, "nora_token_wrong", "x" * 3000, "' OR 1=1 --"):
                answer = self.ask(operation, guest, {**case, "headers": {"Authorization": f"Bearer {secret}"}})
                self.check(operation, answer, secret[:40])
                self.assertEqual(answer.status, 401, f"{operation.id} {secret[:20]}")
            answer = self.ask(operation, guest, {**case, "headers": {"Authorization": "Basic YTpi"}})
            self.assertEqual(answer.status, 401 if not operation.guests else answer.status, operation.id)
            self.check(operation, answer, "Basic")
            if operation.guests:
                continue
            for headers in ({}, {"Cookie": "nora=wrong"}, {"Cookie": "nora=a; nora=b"}):
                answer = self.ask(operation, guest, {**case, "headers": headers})
                self.check(operation, answer, headers)
                self.assertEqual(answer.status, 401, f"{operation.id} {headers}")
            if operation.method != "GET":
                for headers in ({"X-Nora-Csrf": None}, {"X-Nora-Csrf": "wrong"}, {"Origin": "https://evil.example"}):
                    answer = self.ask(operation, self.admin, {**case, "headers": headers})
                    self.check(operation, answer, headers)
                    self.assertEqual(answer.status, 403, f"{operation.id} {headers}")
            if "administration" in operation.node["tags"]:
                answer = self.ask(operation, reader, case)
                self.check(operation, answer, "no administrator")
                self.assertIn(answer.status, (403, 404), operation.id)
        self.assertTrue(self.server.alive())


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
