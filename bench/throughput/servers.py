# SPDX-License-Identifier: GPL-3.0-or-later
"""The contestants: each with a folder, a port, a sink of its own, and an account of what it costs.

A server begins with `start()` and is gone after `stop()`. Its settings are files: the gateway's
here, those of others under bench/peers.
"""

import os
import pathlib
import pwd
import shutil
import subprocess

import harness
import packages
from accounting import Account
from packages import Unavailable

PEERS = pathlib.Path(__file__).resolve().parents[1] / "peers"

GATEWAY = """
[gateway]
hostname = sealgate.example.com
data-dir = {data}

[listener:private]
address = 127.0.0.1:{port}
type = private
certificate = none
default-policy = RELAYED

[mail-flow-policy:RELAYED]
action = relay
# Nobody is limited.
connections-per-host-max = 100000
messages-per-connection-max = 1000000
message-size-max = 200M

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
"""

SIGNING = """
[sending-profile:sign]
mode = sign
certificate = {certificate}
sign-mode = detached

[content-filter:sign-all]
direction = outgoing
actions = smime-gateway("sign");

[mail-policy:DEFAULT]
direction = outgoing
content-filters = sign-all
"""


class Server:
    """What is the same for all."""

    title = ""
    waits_for_children = True

    def __init__(self, folder, next_hop, sessions):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o755)
        self.port = harness.free_port()
        self.next_hop = next_hop
        self.sessions = sessions
        self.account = None

    def settings(self, peer, name, **more):
        """A file of bench/peers/PEER with its @WORDS@ replaced."""
        text = (PEERS / peer / name).read_text()
        words = {"FOLDER": self.folder, "PORT": self.port, "NEXT_HOP": self.next_hop,
                 "PROCESSES": max(100, self.sessions + 50), **more}
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        return text

    def open_account(self):
        self.account = Account(type(self).__name__.lower() + f"-{self.port}")
        return self.account

    @property
    def exact_cpu(self):
        return self.account.exact or self.waits_for_children

    def log_end(self):
        """The last lines it wrote, for who wants to know why it does not start."""
        texts = [path.read_text(errors="replace") for path in sorted(self.folder.rglob("*log"))
                 if path.is_file() and not path.is_symlink()]
        return "\n".join("\n".join(texts).splitlines()[-5:])

    def await_port(self):
        try:
            harness.wait_until(lambda: harness.answers(self.port), self.title, 20)
        except AssertionError as late:
            raise Unavailable(f"{late}: {self.log_end()}") from None

    def stop(self):
        if self.account:
            self.account.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def loop_stall(self):
        """Only a server with a loop has a figure here."""
        return None


class Gateway(Server):
    """Sealgate. `key` is what it signs with; None: it only relays."""

    title = "Sealgate"

    def __init__(self, folder, next_hop, sessions, key=None, more=""):
        super().__init__(folder, next_hop, sessions)
        self.key = key
        self.gateway = harness.Gateway(self.folder / "gate", next_hop, certificate="bench",
                                       text=GATEWAY + (SIGNING if key else "") + more)
        self.port = self.gateway.port

    def start(self):
        if self.key:
            self.gateway.new_certificate("bench", self.key)
        self.open_account()
        log = self.folder / "gateway.out"
        with open(log, "ab") as out:
            process = self.account.start([harness.SEALGATE, "run", "-c", self.gateway.ini],
                                         stdout=out, stderr=out)
        self.process = process
        harness.wait_until(lambda: process.poll() is not None or self.gateway.is_ready(), self.title)
        if process.poll() is not None:
            raise Unavailable(f"Sealgate does not start: {log.read_text()}")
        return self

    def certificate(self):
        return self.gateway.certificate("bench")

    def loop_stall(self):
        status = self.gateway.ask("status")
        return {**status["loop_stall_us"], "CPU p99.9": status["loop_cpu_us"]["p99.9"]}

    def stop(self):
        harness.end_process(self.process)
        super().stop()

    def version(self):
        return harness.sealgate("--version").stdout.strip()


class Postfix(Server):
    title = "Postfix"

    def start(self):
        if os.geteuid() != 0:
            raise Unavailable("wants root")
        if not shutil.which("postfix"):
            raise Unavailable("not installed (tools/setup --tests)")
        for inner in ("etc", "queue", "data"):
            (self.folder / inner).mkdir()
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        daemons = packages.run("postconf", "-dh", "daemon_directory").strip()
        for name in ("main.cf", "master.cf"):
            (self.folder / "etc" / name).write_text(self.settings("postfix", name,
                                                                  DAEMONS=daemons))
        self.open_account()
        started = self.account.start(["postfix", "-c", self.folder / "etc", "start"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.account.exact and started.wait() != 0:
            raise Unavailable(f"does not start: {self.log_end()}")
        self.await_port()
        return self

    def stop(self):
        subprocess.run(["postfix", "-c", self.folder / "etc", "stop"], capture_output=True,
                       check=False)
        super().stop()

    def version(self):
        return packages.run("postconf", "-dh", "mail_version").strip()


class Exim(Server):
    title = "Exim"
    waits_for_children = False

    def start(self):
        system = packages.Unpacked(self.folder / "system", ["exim4-daemon-light", "libidn12"],
                                   ["Debian-exim"])
        number = system.numbers["Debian-exim"]
        for inner in ("spool", "log"):
            (self.folder / inner).mkdir()
            os.chown(self.folder / inner, number, number)
        # Its compiled-in place, so that it stays as trusted as an installed one.
        etc = system.layers / "etc/exim4"
        etc.mkdir(exist_ok=True)
        (etc / "exim.conf").unlink(missing_ok=True)
        (etc / "exim4.conf").write_text(self.settings("exim", "exim.conf"))
        system.check_libraries("/usr/sbin/exim4")
        self.system = system
        self.open_account()
        with open(self.folder / "startlog", "ab") as out:
            self.process = self.account.start(system.command(["/usr/sbin/exim4", "-bdf"]),
                                              stdout=out, stderr=out)
        self.await_port()
        return self

    def version(self):
        return packages.run(*self.system.command(["/usr/sbin/exim4", "-bV"])).split()[2]


class OpenSmtpd(Server):
    title = "OpenSMTPD"

    def start(self):
        system = packages.Unpacked(self.folder / "system", ["opensmtpd"],
                                   ["opensmtpd", "opensmtpq"])
        spool = system.layers / "var/spool/smtpd"
        empty = system.layers / "var/lib/opensmtpd/empty"
        for folder in (spool, empty):
            folder.mkdir(parents=True, exist_ok=True)
            os.chmod(folder, 0o711)
        etc = system.layers / "etc"
        (etc / "smtpd.conf").write_text(self.settings("opensmtpd", "smtpd.conf"))
        # It asks for the name of every client, and cannot be told not to: the file knows loopback.
        (etc / "resolv.conf").write_text("lookup file\n")
        system.check_libraries("/usr/sbin/smtpd")
        self.system = system
        self.open_account()
        with open(self.folder / "startlog", "ab") as out:
            self.process = self.account.start(system.command(["/usr/sbin/smtpd", "-F"]),
                                              stdout=out, stderr=out)
        self.await_port()
        return self

    def version(self):
        text = subprocess.run(list(map(str, self.system.command(["/usr/sbin/smtpd", "-h"]))),
                              capture_output=True, text=True, check=False).stderr
        return text.split()[2].rstrip(",")


