"""People, rights, audit, export and completion on the command line."""
import csv
import io
import os
import pty
import shutil
import subprocess
import sys
import time
import unittest
import zipfile

from archive_case import PROGRAM, ArchiveCase

PASSWORD = "correct horse 7"


class People(ArchiveCase):
    def test_users_are_added_changed_and_removed(self):
        self.nora("user", "add", "anna", "--full-name", "Anna B", "--administrator", "--password-file", "-", input=PASSWORD + "\n")
        self.nora("user", "add", "ben", "--no-password")
        (users,) = self.lines("user", "list")
        self.assertEqual([(u["name"], u["administrator"], u["hasPassword"]) for u in users], [("anna", True, True), ("ben", False, False)])
        self.nora("user", "change", "ben", "--email", "b@example.org", "--disable")
        (users,) = self.lines("user", "list")
        self.assertEqual((users[1]["email"], users[1]["disabled"]), ("b@example.org", True))
        self.fails("administrator", "user", "remove", "anna")
        self.nora("user", "remove", "ben")
        self.assertEqual(len(self.lines("user", "list")[0]), 1)

    def test_passwords_are_not_arguments_and_not_weak(self):
        self.fails("there is no terminal", "user", "add", "anna", start_new_session=True)
        self.fails("10", "user", "add", "anna", "--password-file", "-", input="short\n")
        self.fails("there is no password", "user", "add", "anna", "--password-file", "-", input="")
        self.fails("/no/such", "user", "add", "anna", "--password-file", "/no/such")
        self.assertEqual(self.lines("user", "list"), [[]])

    def test_a_terminal_is_asked_without_echo(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(PROGRAM, [PROGRAM, "user", "add", "anna", "--index", self.index])
        seen = b""
        for question in (b"New password", b"Once more"):
            while question not in seen:
                seen += os.read(terminal, 1000)
            time.sleep(0.1)
            os.write(terminal, PASSWORD.encode() + b"\n")
        try:
            while True:
                more = os.read(terminal, 1000)
                if not more:
                    break
                seen += more
        except OSError:  # the end of a terminal
            pass
        _, status = os.waitpid(pid, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, seen)
        self.assertNotIn(PASSWORD.encode(), seen)
        self.assertTrue(self.lines("user", "list")[0][0]["hasPassword"])

    def test_groups_grants_and_tokens(self):
        self.nora("project", "add", "demo", self.data)
        for name in ("anna", "ben"):
            self.nora("user", "add", name, "--no-password")
        self.nora("group", "add", "readers")
        self.nora("group", "member", "readers", "--add", "anna", "--add", "ben")
        self.nora("group", "member", "readers", "--remove", "ben")
        self.assertEqual(self.lines("group", "list")[0][0]["members"], ["anna"])
        self.nora("grant", "set", "demo", "read,download", "--group", "readers")
        self.nora("grant", "set", "demo", "edit", "--user", "ben")
        self.nora("grant", "set", "demo", "read", "--everybody")
        grants = {g["to"]: g["rights"] for g in self.lines("grant", "list", "demo")[0]}
        self.assertEqual(grants["group readers"], "read,download")
        self.assertIn("edit", grants["user ben"])
        self.assertEqual(grants["everybody"], "read")
        self.nora("grant", "set", "demo", "none", "--everybody")
        self.assertEqual(len(self.lines("grant", "list", "demo")[0]), 2)
        self.fails("fly", "grant", "set", "demo", "fly", "--everybody")
        self.fails("to whom", "grant", "set", "demo", "read")
        (token,) = self.lines("token", "add", "anna", "--name", "script", "--rights", "read,download", "--project", "demo", "--days", "3")
        self.assertTrue(token["secret"].startswith("nora_token_"))
        (tokens,) = self.lines("token", "list", "anna")
        self.assertEqual([t["name"] for t in tokens], ["script"])
        self.assertNotIn("secret", tokens[0])
        self.nora("token", "remove", str(tokens[0]["id"]))
        self.assertEqual(self.lines("token", "list", "anna"), [[]])
        self.nora("group", "remove", "readers")
        self.assertEqual(self.lines("group", "list"), [[]])

    def test_the_audit_tells_who_did_what(self):
        self.nora("project", "add", "demo", self.data)
        self.nora("user", "add", "anna", "--no-password")
        self.nora("grant", "set", "demo", "read", "--user", "anna")
        records = self.lines("audit")
        self.assertEqual([r["action"] for r in records], ["grant.set", "user.add", "project.add"])
        self.assertTrue(all(r["user"].startswith("local:") for r in records))
        self.assertEqual([r["action"] for r in self.lines("audit", "--project", "demo", "--limit", "1")], ["grant.set"])
        self.assertEqual([r["item"] for r in self.lines("audit", "--action", "user.add")], ["anna"])
        self.assertEqual(self.lines("audit", "--until", "2020-01-01"), [])
        self.assertEqual(len(self.lines("audit", "--from", "2020-01-01", "--until", "2200-01-01")), 3)
        rows = list(csv.DictReader(io.StringIO(self.nora("audit", "--csv"))))
        self.assertEqual(rows[0]["detail"], '{"rights":"read"}')
        self.fails("a time is", "audit", "--from", "yesterday")


class Export(ArchiveCase):
    def setUp(self):
        super().setUp()
        self.nora("project", "add", "demo", self.data)
        self.nora("scan")

    def tree(self, folder):
        out = {}
        for above, _, files in os.walk(folder):
            for name in files:
                path = os.path.join(above, name)
                with open(path, "rb") as file:
                    out[os.path.relpath(path, folder)] = file.read()
        return out

    def test_a_folder_gets_the_files_under_their_names(self):
        target = os.path.join(self.folder, "out", "here")
        (report,) = self.lines("export", "subject:sub-01", "--to", target)
        want = {"demo/" + name: data for name, data in self.tree(self.data).items() if name.startswith("sub-01/")}
        self.assertEqual(self.tree(target), want)
        self.assertEqual(report["files"], len(want))
        self.lines("export", "subject:sub-01", "--to", target)  # the same files are there: nothing to do
        with open(os.path.join(target, sorted(want)[0]), "wb") as file:
            file.write(b"other")
        self.fails("another file is there", "export", "subject:sub-01", "--to", target)

    def test_a_zip_has_the_same_and_is_whole_or_not_there(self):
        target = os.path.join(self.folder, "all.zip")
        self.nora("export", "", "--zip", target)
        with zipfile.ZipFile(target) as archive:
            self.assertIsNone(archive.testzip())
            found = {name: archive.read(name) for name in archive.namelist()}
        self.assertEqual(found, {"demo/" + name: data for name, data in self.tree(self.data).items()})
        self.fails("already", "export", "", "--zip", target)
        self.assertEqual(sorted(os.listdir(self.folder)), ["all.zip", "data", "deep"])
        if shutil.which("unzip"):
            subprocess.run(["unzip", "-tqq", target], check=True)

    def test_pseudonyms_stand_in_all_names(self):
        target = os.path.join(self.folder, "out")
        self.nora("export", "subject:sub-01", "--to", target, "--pseudonyms")
        pseudonym = self.lines("find", "--level", "subject", "sub-01")[0]["pseudonym"]
        names = list(self.tree(target))
        self.assertTrue(names)
        self.assertTrue(all("sub-01" not in name and name.startswith(f"demo/{pseudonym}/") for name in names), names)

    def test_a_full_disk_leaves_no_zip(self):
        self.fails("File too large", "export", "", "--zip", os.path.join(self.folder, "x.zip"), preexec_fn=limit_files)
        self.assertEqual(sorted(os.listdir(self.folder)), ["data", "deep"])

    def test_a_reader_that_goes_away_is_no_error(self):
        for arguments in (("find",), ("find", "--json"), ("audit", "--json")):
            program = subprocess.Popen([PROGRAM, *arguments, "--index", self.index], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            program.stdout.close()
            self.assertEqual(program.stderr.read(), b"")
            self.assertEqual(program.wait(), 0)
            program.stderr.close()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([PROGRAM, "find", "--index", self.index], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 73)
        self.assertIn("No space left", done.stderr)


def limit_files():
    import resource  # pylint: disable=import-outside-toplevel
    import signal  # pylint: disable=import-outside-toplevel
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = subprocess.run([PROGRAM, "completion", "bash"], capture_output=True, text=True, check=True).stdout
        quoted = " ".join(f"'{word}'" for word in words)
        shell = f"{script}\nCOMP_WORDS=('{PROGRAM}' {quoted}); COMP_CWORD={len(words)}; _nora; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        out = subprocess.run(["bash", "-c", shell], capture_output=True, text=True, check=True)
        self.assertEqual(out.stderr, "")
        return [line for line in out.stdout.splitlines() if line]

    def test_bash_completes_what_the_program_knows(self):
        self.assertEqual(set(self.complete("gr")), {"grant", "group"})
        self.assertEqual(set(self.complete("user", "")), {"add", "list", "change", "remove", "password"})
        self.assertIn("--pseudonyms", self.complete("export", "x", "--"))
        self.assertEqual(self.complete("find", "--level", "s"), ["subject", "study"])
        self.assertIn("--zip", self.complete("export", "--"))
        self.assertEqual(self.complete("completion", ""), ["bash", "zsh"])
        self.assertEqual(self.complete("find", "--index", ""), [], "files are the shell's business")
        self.assertNotIn("complete", self.complete(""))

    def test_both_scripts_are_read_by_their_shells(self):
        for shell in ("bash", "zsh"):
            script = subprocess.run([PROGRAM, "completion", shell], capture_output=True, text=True, check=True).stdout
            if shutil.which(shell):
                subprocess.run([shell, "-n"], input=script, text=True, check=True)

    def test_every_command_has_help_with_its_exit_codes(self):
        self.assertIn("Exit status", subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout)
        for command in ("user add", "group member", "grant set", "token add", "audit", "export", "find"):
            text = subprocess.run([PROGRAM, *command.split(), "--help"], capture_output=True, text=True, check=True).stdout
            self.assertIn("--json", text)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *(sys.argv[1:] or ["-v"])])
