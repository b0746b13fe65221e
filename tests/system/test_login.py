"""`nora serve` logs people in by a real directory (slapd with TLS) and by a provider of OpenID Connect, over HTTP."""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

import test_proxies
from login_peers import SLAPD, Browser, Nora, Provider, Slapd, free_port, until, wait_for_port
from nora_client import SOURCE

ROOT, ROOT_PASSWORD = "root", "a local pass phrase"


def group_id(root, name):
    return next((group["id"] for group in root.ask("GET", "/api/v1/groups").json()["items"] if group["name"] == name), None)


class LoginCase(unittest.TestCase):
    def root(self):
        root = Browser(self.nora)
        self.assertEqual(root.log_in(ROOT, ROOT_PASSWORD).status, 200)
        return root

    def refused(self, answer, status, words):
        self.assertEqual(answer.status, status, answer.data)
        self.assertIn(words, answer.json()["detail"])
        self.assertNotIn("nora", [name.split("=")[0] for name in answer.headers.get_all("set-cookie") or []])

    def last_refusal(self):
        items = self.root().ask("GET", "/api/v1/audit?action=login.failed&limit=1").json()["items"]
        return items[0]["detail"]["why"]


@unittest.skipUnless(os.path.exists(SLAPD), "slapd is not installed")
class Directory(LoginCase):
    @classmethod
    def setUpClass(cls):
        cls.slapd = Slapd()
        cls.addClassCleanup(cls.slapd.end)
        more = 'administrators_group = "cn=unix,ou=groups,dc=lab,dc=local"\ncheck_seconds = 1\n'
        cls.nora = Nora(free_port(), cls.slapd.settings(more))
        cls.addClassCleanup(cls.nora.end)
        cls.nora.add_user(ROOT, ROOT_PASSWORD, "--administrator")
        cls.nora.add_user("carol", "carols own pass phrase")
        cls.slapd.change("dn: uid=carol,ou=people,dc=lab,dc=local\nobjectClass: inetOrgPerson\nuid: carol\ncn: C\nsn: C\nuserPassword: carolpw\n", "ldapadd")
        cls.nora.start()

    def person(self, uid, groups=()):
        """Somebody new in the directory, so that tests do not meet; the password is the name and "pw"."""
        dn = f"uid={uid},ou=people,dc=lab,dc=local"
        self.slapd.change(f"dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid.title()} X\nsn: X\nmail: {uid}@lab.local\nuserPassword: {uid}pw\n", "ldapadd")
        for group in groups:
            self.member(group, dn, "add")
        return dn

    def member(self, group, dn, what):
        self.slapd.change(f"dn: cn={group},ou=groups,dc=lab,dc=local\nchangetype: modify\n{what}: member\nmember: {dn}\n")

    def lock(self, dn, what="add"):
        self.slapd.change(f"dn: {dn}\nchangetype: modify\n{what}: employeeType\nemployeeType: locked\n")

    def test_somebody_of_the_directory_is_let_in_and_told_of(self):
        self.person("dora")
        dora = Browser(self.nora)
        answer = dora.log_in("dora", "dorapw")
        self.assertEqual(answer.status, 200, answer.data)
        user = answer.json()["user"]
        self.assertEqual((user["name"], user["fullName"], user["email"], user["origin"], user["administrator"]),
                         ("dora", "Dora X", "dora@lab.local", "ldap", False))
        self.assertEqual(dora.me()["user"]["name"], "dora")
        self.assertEqual(Browser(self.nora).me()["logIn"], {"directories": ["Lab directory"], "providers": []})
        self.refused(dora.ask("PUT", "/api/v1/me/password", {"old": "dorapw", "new": "something else 1"}), 400, "change it where you log in")

    def test_wrong_passwords_and_unknown_names_are_answered_alike(self):
        answers = [Browser(self.nora, "127.0.0.9").log_in(*who) for who in (("bob", "wrong"), ("nobody", "wrong"), ("bob", ""), ("*", "bobpw"), (ROOT, "wrong"))]
        for answer in answers:
            self.refused(answer, 403, "name or password is wrong")
            self.assertEqual(answer.data, answers[0].data)

    def test_the_limit_counts_names_of_the_directory_too(self):
        self.person("egon")
        for name in ("egon", "EGON", " egon", "egon ", "ｅgon"):
            self.refused(Browser(self.nora, "127.0.0.8").log_in(name, "wrong"), 403, "wrong")
        waiting = Browser(self.nora, "127.0.0.7").log_in("egon", "egonpw")
        self.assertEqual(waiting.status, 429)
        self.assertGreater(int(waiting.headers["retry-after"]), 0)

    def test_a_local_name_stays_with_its_local_user(self):
        self.refused(Browser(self.nora, "127.0.0.6").log_in("carol", "carolpw"), 403, "name or password is wrong")
        self.refused(Browser(self.nora, "127.0.0.6").log_in("CAROL", "carolpw"), 403, "another user of that name")
        carol = Browser(self.nora)
        self.assertEqual(carol.log_in("carol", "carols own pass phrase").json()["user"]["origin"], "local")

    def test_rights_follow_the_groups_of_the_directory(self):
        dn = self.person("finn", ["editors"])
        finn, root = Browser(self.nora), self.root()
        self.assertEqual(finn.log_in("finn", "finnpw").status, 200)
        self.assertEqual(finn.ask("GET", "/api/v1/projects").json()["items"], [])
        granted = root.ask("PUT", "/api/v1/projects/1/grants", {"groupId": group_id(root, "editors"), "rights": ["read"]})
        self.assertEqual(granted.status, 200, granted.data)
        self.assertEqual([project["id"] for project in finn.ask("GET", "/api/v1/projects").json()["items"]], [1])
        self.member("editors", dn, "delete")
        until(lambda: finn.ask("GET", "/api/v1/projects").json()["items"] == [], "the project has gone without a new log-in")
        self.assertEqual(finn.me()["user"]["name"], "finn")
        self.member("editors", dn, "add")
        self.assertEqual(finn.log_in("finn", "finnpw").status, 200)
        self.assertEqual(len(finn.ask("GET", "/api/v1/projects").json()["items"]), 1, "at log-in at once")

    def test_the_directory_says_who_is_an_administrator(self):
        alice = Browser(self.nora)
        self.assertTrue(alice.log_in("alice", "alicepw").json()["user"]["administrator"])
        self.assertEqual(alice.ask("GET", "/api/v1/users").status, 200)
        self.slapd.change("dn: cn=unix,ou=groups,dc=lab,dc=local\nchangetype: modify\ndelete: memberUid\nmemberUid: alice\n")
        until(lambda: alice.ask("GET", "/api/v1/users").status == 403, "alice is no administrator any more")

    def test_who_is_locked_or_removed_has_no_way_in_any_more(self):
        dn = self.person("gina")
        gina = Browser(self.nora)
        self.assertEqual(gina.log_in("gina", "ginapw").status, 200)
        tomorrow = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
        token = gina.ask("POST", "/api/v1/me/tokens", {"name": "script", "expires": tomorrow}).json()["secret"]

        def by_token():
            return Browser(self.nora).ask("GET", "/api/v1/projects", headers={"Authorization": f"Bearer {token}"}).status

        self.assertEqual(by_token(), 200)
        self.lock(dn)
        until(lambda: gina.me()["user"] is None, "the session has ended")
        self.assertEqual(by_token(), 401)
        users = self.root().ask("GET", "/api/v1/users").json()["items"]
        self.assertEqual([user["absent"] for user in users if user["name"] == "gina"], [True])
        self.refused(Browser(self.nora, "127.0.0.5").log_in("gina", "ginapw"), 403, "name or password is wrong")
        self.lock(dn, "delete")
        until(lambda: by_token() == 200, "the token is good again")
        self.assertEqual(gina.log_in("gina", "ginapw").status, 200)
        self.slapd.change(f"dn: {dn}\nchangetype: delete\n")
        until(lambda: gina.me()["user"] is None, "the session has ended")
        self.assertEqual(by_token(), 401)
        self.person("gina")
        self.refused(Browser(self.nora, "127.0.0.5").log_in("gina", "ginapw"), 403, "another user of that name")
        actions = [record["action"] for record in self.root().ask("GET", "/api/v1/audit?limit=1000").json()["items"] if record["item"] == "gina"]
        self.assertEqual([action for action in actions if action.startswith("user.")], ["user.absent", "user.present", "user.absent"])

    def test_who_moves_within_the_directory_stays_who_they_are(self):
        self.person("hans")
        hans = Browser(self.nora)
        first = hans.log_in("hans", "hanspw").json()["user"]["id"]
        self.slapd.change("dn: uid=hans,ou=people,dc=lab,dc=local\nchangetype: modrdn\nnewrdn: uid=hannes\ndeleteoldrdn: 1\n")
        again = hans.log_in("hannes", "hanspw").json()["user"]
        self.assertEqual((again["id"], again["name"]), (first, "hannes"))

    def test_zz_a_directory_that_is_down_or_silent_keeps_only_its_own_users_out(self):
        for away, back in ((self.slapd.stop, self.slapd.start), (self.slapd.pause, self.slapd.resume)):
            away()
            try:
                answers = []
                threads = [threading.Thread(target=lambda name=f"somebody{i}": answers.append(Browser(self.nora).log_in(name, "guess"))) for i in range(12)]
                for thread in threads:
                    thread.start()
                self.assertEqual(Browser(self.nora).ask("GET", "/api/v1/me").status, 200, "all else goes on")
                self.assertEqual(Browser(self.nora).log_in(ROOT, ROOT_PASSWORD).status, 200, "local users get in")
                for thread in threads:
                    thread.join()
                self.assertEqual(len(answers), 12)
                for answer in answers:
                    self.refused(answer, 503, "Lab directory cannot be asked now")
                    self.assertGreater(int(answer.headers["retry-after"]), 0)
            finally:
                back()
            until(lambda: Browser(self.nora).log_in("bob", "bobpw").status == 200, "the directory is back, and nobody was counted as wrong")
        self.assertIn("[ldap] lab: ", self.nora.said())

    def test_zzz_no_secret_is_said(self):
        printed = self.nora.run("serve", "--config", self.nora.config, "--print-config").stdout
        self.assertIn("bind_password_file = ", printed)
        with open(self.nora.index, "rb") as index, open(self.nora.index + "-wal", "rb") as wal:
            kept = index.read() + wal.read()
        for secret in ("searchpw", "dorapw", "bobpw"):
            self.assertNotIn(secret, printed + self.nora.said())
            self.assertNotIn(secret.encode(), kept)


class SettingsThatAreWrong(unittest.TestCase):
    def test_the_server_does_not_start_and_names_the_field(self):
        nora = Nora(free_port(), '[ldap]\nurls = ["ldap://ldap.example.org"]\nbase_dn = "dc=x"\n')
        self.addCleanup(nora.end)
        cases = [('[ldap]\nurls = ["ldap://ldap.example.org"]\nbase_dn = "dc=x"\n', "[ldap] urls"),
                 ('[ldap]\nurls = ["ldaps://x"]\nbase_dn = "dc=x"\nbind_dn = "cn=s,dc=x"\nbind_password_file = "/none"\n', "[ldap] bind_password_file"),
                 ('[oidc]\nissuer = "https://x"\nclient_id = "a"\nclient_secret_env = "NORA_NONE"\n', "[oidc] client_secret_env"),
                 ('[oidc]\nissuer = "https://x"\n', "[oidc] client_id"),
                 ('[oidc]\nclient_secret = "hush"\n', "[oidc] client_secret does not belong here"),
                 ('[ldap]\nbase_dm = "dc=x"\n', "[ldap] base_dm is not a setting (line 3)")]
        for settings, said in cases:
            with self.subTest(said):
                with open(nora.config, "w", encoding="utf-8") as file:
                    file.write('public_url = "https://nora.example.org/"\n\n'[:-1] + settings)
                done = nora.run("serve", "--config", nora.config)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)
                self.assertNotIn("hush", done.stderr)


class Samples(unittest.TestCase):
    def test_those_of_the_guide_are_taken(self):
        nora = Nora(free_port(), "")
        self.addCleanup(nora.end)
        with open(os.path.join(SOURCE, "docs", "ADMIN_GUIDE.md"), encoding="utf-8") as guide:
            samples = [sample for sample in re.findall(r"```toml\n(.*?)```", guide.read(), re.S) if "[ldap]" in sample or "[oidc]" in sample]
        self.assertEqual(len(samples), 3)
        secret = os.path.join(nora.home.name, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("a secret\n")
        nora.environment["NORA_BIND_PASSWORD"] = "a secret"
        for sample in samples:
            with open(nora.config, "w", encoding="utf-8") as file:
                file.write(re.sub('"/etc/nora/[^"]*"', f'"{secret}"', sample))
            done = nora.run("serve", "--config", nora.config, "--print-routes")
            self.assertEqual(done.returncode, 0, done.stderr)


class OpenIdConnect(LoginCase):
    @classmethod
    def setUpClass(cls):
        port = free_port()
        cls.provider = Provider(f"http://127.0.0.1:{port}/")
        cls.addClassCleanup(cls.provider.end)
        cls.nora = Nora(port, cls.provider.settings('group_names = { readers = "guests" }\n'))
        cls.addClassCleanup(cls.nora.end)
        cls.nora.add_user(ROOT, ROOT_PASSWORD, "--administrator")
        cls.nora.start()

    def setUp(self):
        self.provider.control(reset=1)

    def told(self, answer, word):
        """The browser is led to the log-in page, which has a sentence for the word; nobody is logged in."""
        self.assertEqual((answer.status, answer.place), (303, f"{self.nora.page}?login_failed={word}"))
        self.assertNotIn("set-cookie", answer.headers)

    def claims(self, **values):
        self.provider.control(claims=json.dumps(values))

    def test_somebody_of_the_provider_is_let_in_and_comes_back_to_where_they_were(self):
        alice = Browser(self.nora)
        self.assertEqual(alice.me()["logIn"]["providers"], [{"name": "id", "title": "Lab ID", "url": f"{self.nora.page}api/v1/login/oidc?provider=id"}])
        back = "?project=1#scene=%7B%7D"
        begun = alice.begin(urllib.parse.urlencode({"provider": "id", "return": back}))
        self.assertEqual(begun.status, 303)
        self.assertIn("HttpOnly; SameSite=Lax; Max-Age=600", begun.headers["set-cookie"])
        sent = urllib.parse.parse_qs(urllib.parse.urlsplit(begun.place).query)
        self.assertEqual(sent["code_challenge_method"], ["S256"])
        self.assertEqual(sent["redirect_uri"], [f"{self.nora.page}api/v1/login/oidc/callback"])
        answer = alice.come_back(alice.visit(begun.place))
        self.assertEqual((answer.status, answer.place), (303, self.nora.page + back))
        user = alice.me()["user"]
        self.assertEqual((user["name"], user["fullName"], user["origin"]), ("alice", "Alice Example", "oidc"))
        root = self.root()
        groups = {group["name"]: group for group in root.ask("GET", "/api/v1/groups").json()["items"]}
        self.assertEqual(groups["guests"]["origin"], "oidc")
        self.assertIn(user["id"], groups["guests"]["members"])
        self.assertNotIn("editors", groups)
        self.assertEqual(alice.ask("POST", "/api/v1/logout").status, 200)
        self.assertIsNone(alice.me()["user"])

    def test_groups_of_the_settings_are_there_from_the_start(self):
        port = free_port()
        nora = Nora(port, self.provider.settings('group_names = { readers = "mine", editors = "theirs" }\n'))
        self.addCleanup(nora.end)
        nora.add_user(ROOT, ROOT_PASSWORD, "--administrator")
        self.assertEqual(nora.run("group", "add", "mine").returncode, 0)
        nora.start()
        root = Browser(nora)
        root.log_in(ROOT, ROOT_PASSWORD)
        groups = {group["name"]: group["origin"] for group in root.ask("GET", "/api/v1/groups").json()["items"]}
        self.assertEqual(groups, {"mine": "local", "theirs": "oidc"})
        self.assertIn('[oidc] group_names: there is a group "mine" already', nora.said())

    def test_an_answer_is_good_once(self):
        alice = Browser(self.nora)
        back = alice.visit(alice.begin().place)
        self.assertEqual(alice.come_back(back).place, self.nora.page)
        self.told(alice.come_back(back), "expired")
        code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
        again = Browser(self.nora)
        fresh = again.visit(again.begin().place)
        replayed = fresh.replace(urllib.parse.parse_qs(urllib.parse.urlsplit(fresh).query)["code"][0], code)
        self.told(again.come_back(replayed), "failed")
        self.assertIn("used already", self.last_refusal())

    def test_an_answer_is_good_in_the_browser_that_began_and_for_its_state_alone(self):
        alice, mallory = Browser(self.nora), Browser(self.nora)
        mallory.begin()
        back = alice.visit(alice.begin().place)
        self.told(mallory.come_back(back), "expired")
        self.told(Browser(self.nora).come_back(back), "expired")
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"][0]
        self.told(alice.come_back(back.replace(state, "x" * 43)), "expired")
        self.told(alice.come_back(back.replace("state=", "other=")), "expired")
        self.assertEqual(alice.come_back(back).place, self.nora.page, "and she still gets in")

    def test_two_tabs_do_not_disturb_each_other(self):
        alice = Browser(self.nora)
        first, second = alice.begin().place, alice.begin("provider=id&return=%3Ftab%3D2").place
        self.assertEqual(alice.come_back(alice.visit(second)).place, self.nora.page + "?tab=2")
        self.assertEqual(alice.come_back(alice.visit(first)).place, self.nora.page)

    def test_a_log_in_that_takes_more_than_ten_minutes_begins_again(self):
        alice = Browser(self.nora)
        back = alice.visit(alice.begin().place)
        with sqlite3.connect(self.nora.index, timeout=30) as index:
            index.execute("UPDATE pending_login SET started_us = started_us - 601000000")
        index.close()
        self.told(alice.come_back(back), "expired")

    def test_wrong_tokens_let_nobody_in(self):
        for claims, why in (({"nonce": "other"}, "nonce"), ({"nonce": None}, "nonce"), ({"aud": "another"}, "aud"), ({"iss": "http://evil"}, "iss"), ({"exp": 1}, "exp")):
            self.claims(**claims)
            with self.subTest(why):
                self.told(Browser(self.nora, "127.0.0.4").log_in_by_provider(), "failed")
                self.assertIn(why, self.last_refusal())
        self.provider.control(reset=1, stranger=1)
        self.told(Browser(self.nora, "127.0.0.4").log_in_by_provider(), "failed")

    def test_no_log_in_ends_on_another_site(self):
        for place in ("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "/api", "javascript:alert(1)", "evil", "?a b", "?ö", "?" + "a" * 2000):
            with self.subTest(place):
                answer = Browser(self.nora).begin(urllib.parse.urlencode({"provider": "id", "return": place}))
                self.refused(answer, 400, "must be a query")
                self.assertEqual(answer.json()["field"] if "field" in answer.json() else "return", "return")
        self.refused(Browser(self.nora).begin("provider=other"), 404, "such a provider")
        alice = Browser(self.nora)
        back = alice.log_in_by_provider(urllib.parse.urlencode({"provider": "id", "return": "?a\r\nset-cookie: nora=x\r\n\r\n"}))
        self.assertEqual(alice.cookies.get("nora") == "x", False, "no header is slipped in")
        self.assertTrue(back.place.startswith(self.nora.page + "?a"), back.place)

    def test_a_refusal_there_and_a_provider_that_is_down_are_told(self):
        self.provider.control(refuse=1)
        self.told(Browser(self.nora, "127.0.0.3").log_in_by_provider(), "refused")
        self.provider.control(reset=1, at="/realm/token", kind="down")
        self.told(Browser(self.nora, "127.0.0.3").log_in_by_provider(), "unavailable")
        self.provider.control(reset=1, at="/realm/token", kind="html")
        self.told(Browser(self.nora, "127.0.0.3").log_in_by_provider(), "setup")

    def test_a_local_name_stays_with_its_local_user(self):
        self.claims(sub="user-8", preferred_username=ROOT)
        self.told(Browser(self.nora).log_in_by_provider(), "name")
        self.assertEqual(self.root().me()["user"]["origin"], "local")

    def test_a_user_who_is_disabled_here_stays_out(self):
        self.claims(sub="user-9", preferred_username="ina")
        ina, root = Browser(self.nora), self.root()
        self.assertEqual(ina.log_in_by_provider().place, self.nora.page)
        changed = root.ask("PATCH", f"/api/v1/users/{ina.me()['user']['id']}", {"disabled": True})
        self.assertEqual(changed.status, 200, changed.data)
        self.assertIsNone(ina.me()["user"])
        self.told(ina.log_in_by_provider(), "disabled")

    def test_many_failures_of_an_address_have_to_wait(self):
        self.provider.control(stranger=1)
        words = [Browser(self.nora, "127.0.0.2").log_in_by_provider().place.split("=")[-1] for _ in range(22)]
        self.assertEqual((words[0], words[-1]), ("failed", "limit"))
        self.provider.control(reset=1)
        self.assertEqual(Browser(self.nora).log_in_by_provider().place, self.nora.page, "others need not")


@unittest.skipUnless(test_proxies.Nginx.found(), "nginx is not installed")
class BehindNginx(unittest.TestCase):
    def test_a_log_in_by_a_provider_comes_back_below_its_path_with_cookies_for_this_host_alone(self):
        port, plain, tls = free_port(), free_port(), free_port()
        page = f"https://127.0.0.1:{tls}/nora/"
        provider = Provider(page)
        self.addCleanup(provider.end)
        nora = Nora(port, 'trusted_proxies = "127.0.0.1"\n' + provider.settings(), page).start()
        self.addCleanup(nora.end)
        folder = tempfile.mkdtemp(prefix="nora-nginx-")
        self.addCleanup(shutil.rmtree, folder)
        nginx = subprocess.Popen([test_proxies.Nginx.found(), *test_proxies.Nginx.configure(folder, port, plain, tls)],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        self.addCleanup(nginx.wait)
        self.addCleanup(nginx.terminate)
        wait_for_port(tls)
        alice = Browser(nora)
        begun = alice.begin("provider=id&return=%3Fa%3Db")
        self.assertRegex(begun.headers["set-cookie"], "^__Host-nora-login=.*; Path=/; HttpOnly; SameSite=Lax; Secure")
        answer = alice.come_back(alice.visit(begun.place))
        self.assertEqual((answer.status, answer.place), (303, page + "?a=b"))
        self.assertRegex(answer.headers["set-cookie"], "^__Host-nora=.*; Secure")
        self.assertEqual(alice.me()["user"]["name"], "alice")


class FirstStart(unittest.TestCase):
    def serve(self, settings):
        nora = Nora(free_port(), settings).start()
        self.addCleanup(nora.end)
        return nora

    def test_of_two_who_use_the_link_at_once_one_becomes_the_administrator(self):
        nora = self.serve('login = "always"\n')
        line = ""
        while "?setup=" not in line:
            line = nora.process.stdout.readline()
        secret = line.strip().split("setup=")[1]
        start, answers = threading.Barrier(4), []

        def use(name):
            start.wait()
            answers.append(Browser(nora).ask("POST", "/api/v1/setup", {"secret": secret, "name": name, "password": "Quite1Long&Different"}))

        threads = [threading.Thread(target=use, args=(f"first{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200, 403, 403, 403])
        for answer in answers:
            if answer.status == 403:
                self.assertIn("log in", answer.json()["detail"])
        self.assertEqual(len(sqlite3.connect(nora.index).execute("SELECT name FROM user").fetchall()), 1)

    def test_where_a_provider_says_who_is_an_administrator_no_link_is_needed(self):
        port = free_port()
        provider = Provider(f"http://127.0.0.1:{port}/")
        self.addCleanup(provider.end)
        nora = Nora(port, provider.settings('administrators_group = "editors"\n')).start()
        self.addCleanup(nora.end)
        self.assertIn("administrators log in by the directory or provider", nora.process.stdout.readline())
        alice = Browser(nora)
        self.assertFalse(alice.me()["setup"])
        self.assertEqual(alice.me()["entrance"], "guest", "nobody is alone at a machine that has a provider")
        self.assertEqual(alice.log_in_by_provider().place, nora.page)
        self.assertTrue(alice.me()["user"]["administrator"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
