#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys from a real directory (slapd) and a real signed zone (nsd, ldns): mail leaves encrypted to
them, waits while they cannot be asked, and nothing of it ever leaves in clear.
"""

import base64
import hashlib
import pathlib
import re
import shutil
import socket
import subprocess
import unittest

import harness

SLAPD = "/usr/sbin/slapd"

CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:private]
address = 127.0.0.1:{port}
type = private
certificate = none
default-policy = RELAYED

[sending-profile:encrypt]
mode = encrypt
key-sources = local, SOURCE

[content-filter:encrypt-all]
direction = outgoing
actions = smime-gateway("encrypt");

[mail-policy:others]
direction = outgoing
recipients = @clear.example

[mail-policy:DEFAULT]
direction = outgoing
content-filters = encrypt-all

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[bounce-profile:default]
retry-first = 1s
retry-max = 2s

[log]
mail-log = {data}/mail.log
"""

SECRET = "for bob alone"


def run(*command, **more):
    return subprocess.run(command, check=True, capture_output=True, **more).stdout


class Person:
    """A key and a self-signed certificate."""

    def __init__(self, folder, address):
        self.address = address
        self.key = folder / f"{address}.key"
        self.certificate = folder / f"{address}.pem"
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
            "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=somebody",
            "-addext", f"subjectAltName=email:{address}")

    def der(self):
        return run("openssl", "x509", "-in", self.certificate, "-outform", "DER")

    def read(self, content):
        return run("openssl", "cms", "-decrypt", "-inkey", self.key, "-recip", self.certificate,
                   input=content)


class Slapd:
    """OpenLDAP's server with one entry for each person; stopped and started at will."""

    def __init__(self, folder, people):
        self.folder = folder / "slapd"
        (self.folder / "db").mkdir(parents=True)
        self.port = harness.free_port()
        self.process = None
        schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n"
                          for name in ("core", "cosine", "inetorgperson"))
        (self.folder / "slapd.conf").write_text(
            f"{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\ndatabase mdb\n"
            f"suffix dc=example\ndirectory {self.folder}/db\n")
        entries = "dn: dc=example\nobjectClass: dcObject\nobjectClass: organization\n" \
                  "dc: example\no: example\n\n"
        for number, person in enumerate(people):
            entries += (f"dn: uid={number},dc=example\nobjectClass: inetOrgPerson\nuid: {number}\n"
                        f"cn: C\nsn: S\nmail: {person.address}\nuserCertificate;binary:: "
                        + base64.b64encode(person.der()).decode() + "\n\n")
        run("/usr/sbin/slapadd", "-q", "-f", self.folder / "slapd.conf", input=entries.encode())

    def start(self):
        self.process = subprocess.Popen(
            [SLAPD, "-f", self.folder / "slapd.conf", "-h", f"ldap://127.0.0.1:{self.port}/",
             "-d", "0"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: harness.answers(self.port), "slapd")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None


class LookupTest(harness.SystemTest):
    def start(self, source, more):
        self.sink = self.start_sink()
        self.gateway = self.start_gateway(self.sink.port,
                                          text=CONFIGURATION.replace("SOURCE", source) + more)

    def send(self, recipient, text=SECRET):
        """The reply to the message; it may be a temporary one."""
        with harness.Client(self.gateway.port) as client:
            client.begin("sender@example.com", recipient)
            client.send(f"From: sender@example.com\r\nTo: {recipient}\r\nSubject: s\r\n\r\n"
                        f"{text}\r\n.\r\n".encode())
            return client.reply()

    def send_until_taken(self, recipient):
        harness.wait_until(lambda: self.send(recipient).startswith("250"), "the gateway's 250")

    def mails(self):
        return [self.sink.content(row) for row in self.sink.rows("mail")]

    def check_encrypted_for(self, person):
        harness.wait_until(self.mails, "a mail at the sink")
        for mail in self.mails():
            self.assertNotIn(SECRET.encode(), mail)
            self.assertIn(SECRET.encode(), person.read(mail))


@unittest.skipUnless(pathlib.Path(SLAPD).exists(), "slapd is not installed")
class DirectoryTest(LookupTest):
    def setUp(self):
        super().setUp()
        self.bob = Person(self.folder, "bob@x.example")
        self.slapd = Slapd(self.folder, [self.bob])
        self.addCleanup(self.slapd.stop)
        self.directory = (f"[directory:staff]\nurl = ldap://127.0.0.1:{self.slapd.port}/dc=example"
                          "??sub?(mail=%e)\ntrust = no\ntimeout = 2s\n")

    def test_a_key_is_found(self):
        self.slapd.start()
        self.start("directory:staff", self.directory)
        self.assertTrue(self.send(self.bob.address).startswith("250"))
        self.check_encrypted_for(self.bob)

    def test_nobody_has_a_key(self):
        self.slapd.start()
        self.start("directory:staff", self.directory)
        self.send("nobody@x.example")
        self.sink.wait_for(1, "dsn")
        self.assertEqual(self.mails(), [])

    def test_mail_waits_while_the_directory_is_down(self):
        self.start("directory:staff", self.directory)
        self.assertTrue(self.send(self.bob.address).startswith("250"))
        # Mail that asks nothing of the directory passes.
        self.assertTrue(self.send("ann@clear.example", "in clear").startswith("250"))
        self.sink.wait_for(1, "mail")
        self.assertEqual([b"in clear" in mail for mail in self.mails()], [True])
        waits = "(?m)Delayed: .* to RID 0 - .*S/MIME must wait: "
        harness.wait_until(lambda: re.search(waits, self.gateway.mail_log()), "the delay's line")
        self.assertIn("S/MIME encrypt profile encrypt: deferred", self.gateway.mail_log())
        self.assertEqual([row["state"] for row in self.gateway.queue()], ["deferred"])
        # Not even by force, and not by another process that reads the same store.
        self.gateway.command("queue", "retry", "--all")
        self.gateway.kill()
        self.gateway.start()
        self.gateway.command("queue", "retry", "--all")
        self.assertEqual(len(self.sink.rows()), 1)
        self.slapd.start()
        self.gateway.command("queue", "retry", "--all")
        self.sink.wait_for(2, "mail")
        self.assertEqual(self.sink.rows("dsn"), [])
        secret = [mail for mail in self.mails() if b"in clear" not in mail]
        self.assertEqual(len(secret), 1)
        self.assertNotIn(SECRET.encode(), secret[0])
        self.assertIn(SECRET.encode(), self.bob.read(secret[0]))
        harness.wait_until(lambda: not self.gateway.queue(), "an empty queue")

    def test_a_slow_directory_delays_only_its_own_mail(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.start("directory:staff",
                       f"[directory:staff]\nurl = ldap://127.0.0.1:{silent.getsockname()[1]}/"
                       "dc=example??sub?(mail=%e)\ntrust = no\ntimeout = 1m\n")
            with harness.Client(self.gateway.port) as waiting:
                waiting.begin("sender@example.com", self.bob.address)
                waiting.send(b"From: sender@example.com\r\n\r\n" + SECRET.encode() + b"\r\n.\r\n")
                for number in range(10):
                    self.assertTrue(
                        self.send(f"{number}@clear.example", "in clear").startswith("250"))
                self.sink.wait_for(10, "mail")
                self.assertFalse([mail for mail in self.mails() if SECRET.encode() in mail])
            self.gateway.kill()  # it would wait for the message's answer


@unittest.skipUnless(shutil.which("ldns-signzone") and pathlib.Path("/usr/sbin/nsd").exists(),
                     "nsd or ldns is not installed")
class SmimeaTest(LookupTest):
    def start_zone(self, people, signed=True):
        """nsd with x.example; `dns` of the configuration."""
        zone = self.folder / "zone"
        zone.mkdir()
        text = "$ORIGIN x.example.\n@ 60 IN SOA ns root 1 3600 600 86400 60\n@ 60 IN NS ns\n" \
               "ns 60 IN A 127.0.0.1\n"
        for person in people:
            label = hashlib.sha256(person.address.partition("@")[0].encode()).hexdigest()[:56]
            data = b"\3\0\0" + person.der()
            text += f"{label}._smimecert 60 IN TYPE53 \\# {len(data)} {data.hex()}\n"
        (zone / "plain").write_text(text)
        key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "x.example", cwd=zone)
        key = key.decode().strip()
        run("ldns-signzone", "-n", "-f", "signed", "plain", key, cwd=zone)
        port = harness.free_port()
        (zone / "nsd.conf").write_text(
            f"server:\n  ip-address: 127.0.0.1@{port}\n  server-count: 1\n  username: \"\"\n"
            f"  zonesdir: \"{zone}\"\n  pidfile: \"\"\n  database: \"\"\n"
            f"  zonelistfile: \"{zone}/list\"\n  xfrdfile: \"\"\n  xfrdir: \"{zone}\"\n"
            "  cookie-secret-file: \"\"\nremote-control:\n  control-enable: no\n"
            f"zone:\n  name: x.example\n  zonefile: {'signed' if signed else 'plain'}\n")
        nsd = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", zone / "nsd.conf"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(nsd.wait)
        self.addCleanup(nsd.terminate)
        harness.wait_until(lambda: harness.answers(port), "nsd")
        anchors = zone / f"{key}.key" if signed else self.folder / "none"
        if not signed:
            anchors.write_text("")
        return f"[dns]\nservers = 127.0.0.1@{port}\ntrust-anchor-file = {anchors}\n"

    def test_a_signed_record_is_a_key(self):
        bob = Person(self.folder, "bob@x.example")
        self.start("smimea", self.start_zone([bob]))
        self.assertTrue(self.send(bob.address).startswith("250"))
        self.check_encrypted_for(bob)

    def test_an_unsigned_record_is_none(self):
        bob = Person(self.folder, "bob@x.example")
        self.start("smimea", self.start_zone([bob], signed=False))
        self.send(bob.address)
        self.sink.wait_for(1, "dsn")
        self.assertEqual(self.mails(), [])


if __name__ == "__main__":
    harness.main()
