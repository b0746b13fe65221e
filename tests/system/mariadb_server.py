"""A MariaDB of the tests' own on a fresh folder, listening on a socket alone; its own client asks it."""
import os
import shutil
import signal
import subprocess
import tempfile
import time


def why_none():
    wanted = ("mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")
    missing = [name for name in wanted if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    return f"{', '.join(missing)} not installed (Debian: mariadb-server)" if missing else ""


class MariaDb:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="nora-maria-")
        self.socket = os.path.join(self.folder, "socket")
        self.data = os.path.join(self.folder, "data")
        self.process = None
        subprocess.run(["mariadb-install-db", "--no-defaults", f"--user={os.environ.get('USER', 'root')}", "--auth-root-authentication-method=normal",
                        "--skip-test-db", f"--datadir={self.data}"], check=True, capture_output=True)
        self.start()

    def start(self):
        path = os.environ["PATH"] + ":/usr/sbin"
        self.process = subprocess.Popen([shutil.which("mariadbd", path=path), "--no-defaults", f"--user={os.environ.get('USER', 'root')}",
                                         f"--datadir={self.data}", f"--socket={self.socket}", "--skip-networking", "--skip-log-bin",
                                         f"--log-error={self.folder}/error.log", "--innodb-buffer-pool-size=128M"], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while self.run("SELECT 1", check=False).returncode != 0:
            if time.monotonic() > deadline:
                raise RuntimeError("mariadbd does not answer")
            time.sleep(0.1)

    def kill(self):
        """As when the power fails."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder)

    def run(self, sql, database="", check=True):
        return subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "--batch", "--skip-column-names",
                               "--default-character-set=utf8mb4", *([database] if database else [])],
                              input=sql, capture_output=True, text=True, check=check)

    def make(self, database):
        """A new database; its address for nora."""
        self.run(f"CREATE DATABASE `{database}`")
        return f"mysql://root@/{database}?socket={self.socket}"

    def tables(self, database, columns_of):
        """Rows of several tables as they were at one moment, by table: tuples of texts, None for NULL."""
        statements = ["START TRANSACTION WITH CONSISTENT SNAPSHOT"]
        for table, columns in columns_of.items():
            values = ", ' ', ".join(f"IF(`{name}` IS NULL, 'NULL', CONCAT('x', HEX(CAST(`{name}` AS CHAR CHARACTER SET utf8mb4))))" for name in columns)
            statements.append(f"SELECT CONCAT('{table} ', {values}) FROM `{table}`")
        out = {table: [] for table in columns_of}
        for line in self.run("; ".join(statements), database).stdout.splitlines():
            table, *words = line.split(" ")
            out[table].append(tuple(None if word == "NULL" else bytes.fromhex(word[1:]).decode() for word in words))
        return out
