#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real peers: Postfix before and behind the gateway, and swaks.

The Postfix is an instance of its own, with its own folders and ports. It wants root, because its
master does; without root, or without Postfix, these tests say that they were skipped.
"""

import os
import pathlib
import pwd
import shutil
import smtplib
import subprocess
import unittest

import harness

MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
config_directory = {folder}/etc
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = {name}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
local_transport = error:none here
relay_domains =
relayhost = [127.0.0.1]:{next_hop}
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtp_host_lookup = native
alias_maps =
alias_database =
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
maillog_file = {log}
maillog_file_prefixes = {folder}
message_size_limit = 200000000
always_add_missing_headers = no
{more}
"""

MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
showq unix n - n - - showq
flush unix n - n 1000? 0 flush
"""


def why_no_postfix():
    if os.geteuid() != 0:
        return "Postfix wants root"
    if not shutil.which("postfix"):
        return "Postfix is not installed"
    return None


class Postfix:
    def __init__(self, folder, name, next_hop, more=""):
        self.folder = pathlib.Path(folder)
        self.port = harness.free_port()
        etc = self.folder / "etc"
        for inner in ("etc", "queue", "data"):
            (self.folder / inner).mkdir(parents=True)
        os.chmod(self.folder, 0o755)
        os.chown(self.folder / "data", pwd.getpwnam("postfix").pw_uid, -1)
        daemons = subprocess.run(["postconf", "-dh", "daemon_directory"], capture_output=True,
                                 text=True, check=True).stdout.strip()
        self.log = self.folder / "log"
        (etc / "main.cf").write_text(MAIN.format(folder=self.folder, name=name, daemons=daemons,
                                                 next_hop=next_hop, log=self.log, more=more))
        (etc / "master.cf").write_text(MASTER.format(port=self.port))

    def control(self, command, check=True):
        return subprocess.run(["postfix", "-c", self.folder / "etc", command], check=check,
                              capture_output=True, text=True)

    def start(self):
        try:
            self.control("start")
        except subprocess.CalledProcessError as failed:
            log = self.log.read_text() if self.log.exists() else ""
            raise AssertionError(f"Postfix does not start: {failed.stderr}{log}") from None
        harness.wait_until(lambda: harness.answers(self.port), "Postfix")
        return self

    def stop(self):
        self.control("stop", check=False)


@unittest.skipIf(why_no_postfix(), why_no_postfix())
class PostfixTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o755)  # Postfix's own user goes through it

    def start_postfix(self, name, next_hop, more=""):
        postfix = Postfix(self.folder / name, f"{name}.example.org", next_hop, more)
        self.addCleanup(postfix.stop)
        return postfix.start()

    def send(self, port, mails, recipients=("recipient@example.net",)):
        with smtplib.SMTP("127.0.0.1", port, timeout=harness.PATIENCE) as client:
            for mail in mails:
                client.sendmail("sender@example.com", list(recipients),
                                harness.with_crlf(mail.read_bytes()), ["BODY=8BITMIME"])

    def mails(self):
        """Those that no Postfix has a reason to change."""
        refused = {"smime-signed-already.eml", "nul-and-controls.eml", "only-from.eml"}
        return [mail for mail in sorted((harness.DATA / "clients").glob("*.eml"))
                if mail.name not in refused and b"\0" not in mail.read_bytes()]

    def check_signed(self, sink, count, certificate):
        rows = sink.wait_for(count)
        self.assertEqual(len(rows), count)
        for row in rows:
            with self.subTest(mail=row["file"]):
                self.assertEqual(row["kind"], "mail")
                harness.verify(sink.content(row), certificate)

    def test_postfix_before_and_behind(self):
        """Postfix, gateway, Postfix, sink: what Postfix relays twice still verifies."""
        sink = self.start_sink()
        behind = self.start_postfix("behind", sink.port)
        gateway = self.start_gateway(behind.port)
        before = self.start_postfix("before", gateway.port)
        mails = self.mails()
        self.send(before.port, mails)
        self.check_signed(sink, len(mails), gateway.certificate())

    def test_postfix_behind_without_8bitmime_and_pipelining(self):
        sink = self.start_sink("--no-8bitmime", "--no-chunking")
        behind = self.start_postfix("behind", sink.port,
                                    "smtpd_discard_ehlo_keywords = 8bitmime, chunking, pipelining")
        gateway = self.start_gateway(behind.port)
        mails = self.mails()
        harness.source(gateway.port, "--messages", len(mails), "--bdat", *mails)
        self.check_signed(sink, len(mails), gateway.certificate())

    def test_recipient_that_postfix_refuses(self):
        sink = self.start_sink()
        behind = self.start_postfix(
            "behind", sink.port,
            "smtpd_recipient_restrictions = check_recipient_access inline:{"
            "{ refused@example.net = 550 5.1.1 Nobody of that name } }, permit_mynetworks, reject")
        gateway = self.start_gateway(behind.port)
        self.send(gateway.port, self.mails()[:1], ["refused@example.net", "welcome@example.net"])
        rows = sink.wait_for(2)
        mail = next(row for row in rows if row["kind"] == "mail")
        self.assertEqual(mail["recipients"], "welcome@example.net")
        report = sink.content(next(row for row in rows if row["kind"] == "dsn"))
        for words in (b"refused@example.net", b"5.1.1", b"Nobody of that name",
                      b"message/delivery-status"):
            self.assertIn(words, report)
        self.assertNotIn(b"welcome@example.net\r\nAction: failed", report)

    def test_postfix_that_is_away_for_a_while(self):
        sink = self.start_sink()
        behind = self.start_postfix("behind", sink.port)
        gateway = self.start_gateway(behind.port)
        behind.stop()
        harness.wait_until(lambda: not harness.answers(behind.port), "Postfix's end")
        self.send(gateway.port, self.mails()[:3])
        harness.wait_until(lambda: "Delayed:" in gateway.mail_log(), "a deferral")
        behind.start()
        self.check_signed(sink, 3, gateway.certificate())


@unittest.skipUnless(shutil.which("swaks"), "swaks is not installed")
class SwaksTest(harness.SystemTest):
    def swaks(self, port, *arguments):
        return subprocess.run(["swaks", "--server", f"127.0.0.1:{port}", "--from",
                               "you@example.com", "--to", "friend@example.net", *arguments],
                              capture_output=True, text=True, check=False,
                              timeout=harness.PATIENCE)

    def test_mail_with_attachment(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        page = harness.SOURCE / "LICENSE"
        done = self.swaks(gateway.port, "--header", "Subject: Hello", "--body", "Some words",
                          "--attach", f"@{page}")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        content = sink.content(sink.wait_for(1)[0])
        inner = harness.parse(harness.verify(content, gateway.certificate()))
        text, attached = inner.get_payload()
        self.assertEqual(text.get_payload(decode=True).strip(), b"Some words")
        self.assertEqual(attached.get_payload(decode=True), page.read_bytes())

    def test_what_the_server_offers(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        done = self.swaks(gateway.port, "--quit-after", "EHLO")
        for word in ("PIPELINING", "SIZE 104857600", "8BITMIME", "SMTPUTF8",
                     "ENHANCEDSTATUSCODES", "CHUNKING", "DSN"):
            self.assertIn(word, done.stdout)

    def test_sender_that_is_not_covered(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        done = self.swaks(gateway.port, "--h-From", "stranger@elsewhere.example")
        self.assertEqual(done.returncode, 0, done.stdout)
        rows = sink.wait_for(1)
        self.assertEqual([row["kind"] for row in rows], ["dsn"])
        self.assertIn(b"sender-mismatch", sink.content(rows[0]))


if __name__ == "__main__":
    harness.main()
