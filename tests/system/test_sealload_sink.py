#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealload sink` by clients that are not ours: its faults, what it offers, TLS, and what it says of
mails that the openssl command signed and encrypted."""

import hashlib
import re
import smtplib
import socket
import ssl
import subprocess
import time

import harness

SIGNERS = harness.DATA / "signers"
ENTITY = b"Content-Type: text/plain\r\n\r\nHello,\r\nthis is sealed.\r\n"
EXTENSIONS = {"--no-pipelining": "pipelining", "--no-chunking": "chunking",
              "--no-8bitmime": "8bitmime", "--no-smtputf8": "smtputf8", "--no-size": "size",
              "--no-dsn": "dsn", "--no-enhancedstatuscodes": "enhancedstatuscodes",
              "--no-starttls": "starttls"}


def openssl_cms(content, *options):
    done = subprocess.run(["openssl", "cms", "-crlfeol", "-binary", *map(str, options)],
                          input=content, capture_output=True, check=True)
    return re.sub(rb"(?<!\r)\n", b"\r\n", done.stdout)


def sign(content, *options):
    return openssl_cms(content, "-sign", "-signer", SIGNERS / "p256.pem", "-inkey",
                       SIGNERS / "p256.key.pem", "-certfile", SIGNERS / "intermediate.pem",
                       *options)


def encrypt(content, cipher, *names):
    return openssl_cms(content, "-encrypt", f"-{cipher}",
                       *[SIGNERS / f"{name}.pem" for name in names])


def whole_mail(number, content, altered=False):
    """A mail as the source makes it, with the digest of the innermost body."""
    body = ENTITY.partition(b"\r\n\r\n")[2] + (b"!" if altered else b"")
    digest = hashlib.sha256(body).hexdigest()
    return (f"Message-ID: <{number}@sink.example>\r\nFrom: alice@example.com\r\n"
            f"X-Sealload-Digest: sha256={digest}\r\nMIME-Version: 1.0\r\n").encode() + \
        content.removeprefix(b"MIME-Version: 1.0\r\n")


class SinkTest(harness.SystemTest):
    def client(self, sink, **more):
        return smtplib.SMTP("127.0.0.1", sink.port, local_hostname="client.example.com",
                            timeout=harness.PATIENCE, **more)

    def send(self, sink, *mails, recipient="alice@example.com"):
        with self.client(sink) as client:
            for mail in mails:
                client.sendmail("alice@example.com", [recipient], mail)

    def tls_files(self):
        chain = self.folder / "chain.pem"
        chain.write_bytes((SIGNERS / "p256.pem").read_bytes()
                          + (SIGNERS / "intermediate.pem").read_bytes())
        return ["--tls-certificate", chain, "--tls-key", SIGNERS / "p256.key.pem"]

    # ---- what arrives ----------------------------------------------------------------------------

    def verifying_sink(self, *options, **more):
        return self.start_sink("--verify", "--ca", SIGNERS / "root.pem", "--key",
                               SIGNERS / "rsa2048.pem", "--key", SIGNERS / "rsa2048.key.pem",
                               *options, **more)

    def test_layers_are_opened_and_named(self):
        sealed = encrypt(sign(ENTITY), "aes-256-gcm", "rsa2048")
        rows = [  # content, form, layers
            (ENTITY, "plain", ""),
            (sign(ENTITY), "signed", "signed detached"),
            (sign(ENTITY, "-nodetach"), "signed", "signed opaque"),
            (encrypt(ENTITY, "aes-128-cbc", "rsa2048"), "encrypted", "encrypted aes-128-cbc"),
            (encrypt(ENTITY, "aes-256-cbc", "p256", "rsa2048"), "encrypted",
             "encrypted aes-256-cbc"),
            (sealed, "sign-encrypt", "encrypted aes-256-gcm, signed detached"),
            (sign(sealed), "triple",
             "signed detached, encrypted aes-256-gcm, signed detached"),
        ]
        sink = self.verifying_sink("--expect", "plain,signed,encrypted,sign-encrypt,triple")
        self.send(sink, *[whole_mail(number, row[0]) for number, row in enumerate(rows)])
        got = {row["id"]: row for row in sink.wait_for(len(rows))}
        for number, (_, form, layers) in enumerate(rows):
            with self.subTest(form=form, layers=layers):
                row = got[f"<{number}@sink.example>"]
                self.assertEqual((row["verdict"], row["form"], row["layers"], row["body"]),
                                 ("verified", form, layers, "same"))
                self.assertEqual(row["opened_by"], "alice@example.com,example.net"
                                 if "encrypted" in layers else "")
        summary = sink.stop()
        self.assertEqual((summary["verified"], summary["not_verified"], summary["altered"]),
                         (len(rows), 0, 0))
        self.assertEqual(summary["forms"]["signed detached"], 1)
        self.assertEqual(summary["commands"]["data"], len(rows))

    def test_what_is_wrong_fails(self):
        sealed = encrypt(sign(ENTITY), "aes-256-cbc", "rsa2048")
        touched = sign(ENTITY).replace(b"this is sealed", b"this is stolen")
        rows = [  # options, mail, what the verdict says
            (["--expect", "signed"], whole_mail(1, ENTITY), "it is plain"),
            (["--expect", "encrypted"], whole_mail(1, sealed), "it is sign-encrypt"),
            (["--expect", "sign-encrypt"], whole_mail(1, sign(sealed)), "it is triple"),
            ([], whole_mail(1, ENTITY), "not an S/MIME message"),
            ([], whole_mail(1, touched), "does not verify"),
            ([], whole_mail(1, sealed, altered=True), "not the one that was sent"),
            ([], whole_mail(1, encrypt(ENTITY, "aes-256-cbc", "rsa3072")), "none of the keys"),
            (["--expect-only-recipients"],
             whole_mail(1, encrypt(ENTITY, "aes-256-cbc", "rsa2048", "p384")), "no recipient"),
        ]
        for number, (options, mail, says) in enumerate(rows):
            with self.subTest(says=says):
                sink = self.verifying_sink(*options, name=f"sink{number}", keep=False)
                self.send(sink, mail)
                row = sink.wait_for(1)[0]
                self.assertTrue(row["verdict"].startswith("failed: "), row["verdict"])
                self.assertIn(says, row["verdict"])
                summary = sink.stop()
                self.assertEqual(summary["not_verified"], 1)
                self.assertEqual(summary["failed"], {row["verdict"]: 1})

    def test_ledger_names_altered_and_both(self):
        sealed = encrypt(ENTITY, "aes-256-cbc", "rsa2048")
        mails = [whole_mail(0, sealed), whole_mail(1, sealed, altered=True),
                 whole_mail(2, sealed), whole_mail(2, sign(ENTITY))]
        sink = self.verifying_sink("--expect", "signed,encrypted", keep=False)
        self.send(sink, *mails)
        sink.wait_for(4)
        sent = self.folder / "sent"
        sent.write_text("".join(f"<{n}@sink.example>\taccepted\t250\talice@example.com\t\n"
                                for n in range(4)))
        found = harness.compare_ledgers(sent, sink.ledger)
        names = {kind: [row["message_id"] for row in found[kind]]
                 for kind in ("altered", "both", "neither", "duplicated", "lost")}
        self.assertEqual(names, {"altered": ["<1@sink.example>"], "both": ["<2@sink.example>"],
                                 "neither": ["<3@sink.example>"], "lost": ["<3@sink.example>"],
                                 "duplicated": ["<2@sink.example>"]})

    def test_expect_once_wants_forms(self):
        for content, options, status in (("<1>\ta\t9\tmail\t\ts\tf\tverified\tsigned\n", [], 0),
                                         ("<1>\ta\t9\tmail\t\ts\tf\tverified\tsigned\n",
                                          ["--expect-once"], 0),
                                         ("<1>\ta\t9\tmail\n", [], 0),
                                         ("<1>\ta\t9\tmail\n", ["--expect-once"], 64)):
            (self.folder / "sent").write_text("<1>\taccepted\t250\ta\n")
            (self.folder / "received").write_text(content)
            done = subprocess.run([harness.SEALLOAD, "ledger", self.folder / "sent",
                                   self.folder / "received", *options], capture_output=True,
                                  check=False)
            self.assertEqual(done.returncode, status, done.stderr)

    # ---- what it offers --------------------------------------------------------------------------

    def test_every_extension_can_be_hidden(self):
        for hidden, name in [("", ""), *EXTENSIONS.items()]:
            with self.subTest(hidden=hidden):
                sink = self.start_sink(*self.tls_files(), *([hidden] if hidden else []),
                                       name=f"sink{name}", keep=False)
                with self.client(sink) as client:
                    client.ehlo()
                    expected = set(EXTENSIONS.values()) - {name}
                    if name == "8bitmime":
                        expected.discard("smtputf8")  # RFC 6531 §3.1
                    self.assertEqual(set(client.esmtp_features), expected)
                    self.assertEqual(client.noop()[1],
                                     b"Ok" if name == "enhancedstatuscodes" else b"2.0.0 Ok")

    def test_what_was_not_offered_is_refused(self):
        rows = [("--no-8bitmime", "BODY=8BITMIME"), ("--no-size", "SIZE=100"),
                ("--no-dsn", "RET=HDRS"), ("--no-dsn", "ENVID=x"), ("--no-smtputf8", "SMTPUTF8"),
                ("--size=100", "SIZE=101")]
        for number, (option, parameter) in enumerate(rows):
            with self.subTest(parameter=parameter):
                sink = self.start_sink(option, name=f"sink{number}", keep=False)
                with harness.Client(sink.port) as client:
                    client.command("EHLO x.example")
                    reply = client.command(f"MAIL FROM:<a@example.com> {parameter}")
                    self.assertIn(reply[:3], ("555", "552"))
                    self.assertEqual(client.command("MAIL FROM:<a@example.com>")[:3], "250")

    def test_size_is_held_to(self):
        sink = self.start_sink("--size", "100", keep=False)
        for size, code in ((100, "250"), (101, "552"), (5000, "552")):
            for bdat in (False, True):
                with self.subTest(size=size, bdat=bdat), harness.Client(sink.port) as client:
                    content = b"x" * (size - 2) + b"\r\n"
                    client.command("EHLO x.example")
                    client.command("MAIL FROM:<a@example.com>")
                    client.command("RCPT TO:<b@example.net>")
                    if bdat:
                        client.send(b"BDAT %d LAST\r\n" % size + content)
                    else:
                        client.command("DATA")
                        client.send(content + b".\r\n")
                    self.assertEqual(client.reply()[:3], code)
                    self.assertEqual(client.command("NOOP")[:3], "250")
        self.assertEqual(sink.stop()["messages"], 2)

    # ---- faults ----------------------------------------------------------------------------------

    def test_refusals_at_every_command(self):
        rows = [("connect=421", ""), ("connect=554", ""), ("ehlo=502", "EHLO"),
                ("starttls=454", "STARTTLS"), ("mail=451", "MAIL"), ("rcpt=550", "RCPT"),
                ("data=452", "DATA"), ("end=554", "."), ("rcpt=421", "RCPT")]
        for number, (fault, where) in enumerate(rows):
            with self.subTest(fault=fault):
                sink = self.start_sink("--fail", fault, *self.tls_files(), name=f"sink{number}",
                                       keep=False)
                code = fault.partition("=")[2]
                with harness.Client(sink.port) as client:
                    replies = {"": client.greeting}
                    for line in ("EHLO x.example", "STARTTLS", "MAIL FROM:<a@example.com>",
                                 "RCPT TO:<b@example.net>", "DATA", "."):
                        if line == "STARTTLS" and where != "STARTTLS":
                            continue
                        reply = client.command(line) if replies[""][:3] == "220" else ""
                        replies[line.partition(" ")[0]] = reply
                        if reply[:3] == code:
                            break
                    self.assertEqual(replies[where][:3], code)
                    self.assertIn("Failed on purpose", replies[where])
                    if code == "421" or where == "":
                        self.assertEqual(client.file.read(), b"")  # and it is gone
                summary = sink.stop()
                # Whether the sink answers is asked by connecting, so that may have struck before.
                self.assertGreaterEqual(summary["faults"][f"fail {fault}"], 1)
                self.assertEqual(summary["messages"], 0)

    def fates(self, name, *options):
        """What becomes of 60 mails sent one after the other."""
        sink = self.start_sink("--fail", "end=451:30%", "--drop", "data:20%", *options, name=name,
                               keep=False)
        fates = []
        for _ in range(60):
            with harness.Client(sink.port) as client:
                client.begin()
                client.send(b"x" * 20 + b"\r\n.\r\n")
                try:
                    fates.append(client.reply()[:3])
                except ConnectionError:
                    fates.append("")
        return fates, sink.stop()

    def test_the_same_failures_in_every_run(self):
        first, summary = self.fates("first")
        again, _ = self.fates("again")
        other, _ = self.fates("other", "--seed", "2")
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertEqual(set(first), {"250", "451", ""})
        self.assertEqual(summary["faults"], {"fail end=451:30%": first.count("451"),
                                             "drop data:20%": first.count("")})
        self.assertEqual(summary["messages"], first.count("250"))

    def test_connections_break_where_they_shall(self):
        for place in ("ehlo", "mail", "rcpt", "data", "end", "reply"):
            with self.subTest(place=place):
                sink = self.start_sink("--drop", place, name=place, keep=False)
                last = ""
                with harness.Client(sink.port) as client:
                    try:
                        for line in ("EHLO x.example", "MAIL FROM:<a@example.com>",
                                     "RCPT TO:<b@example.net>", "DATA", "text\r\n."):
                            last = line
                            if not client.command(line):
                                break
                        else:
                            self.fail("it was not broken")
                    except ConnectionError:
                        pass
                expected = {"ehlo": "EHLO", "mail": "MAIL", "rcpt": "RCPT"}.get(place, "text")
                self.assertTrue(last.startswith(expected), last)
                # A reply that is lost is of a message that was taken.
                self.assertEqual(sink.stop()["messages"], 1 if place == "reply" else 0)

    def test_delays(self):
        for place, line in (("connect", ""), ("mail", "MAIL FROM:<a@example.com>"),
                            ("ehlo", "EHLO x.example")):
            with self.subTest(place=place):
                sink = self.start_sink("--delay", f"{place}=400ms..500ms", name=place, keep=False)
                begin = time.monotonic()
                with harness.Client(sink.port) as client:
                    if line:
                        begin = time.monotonic()
                        self.assertEqual(client.command(line)[:3], "250")
                    self.assertGreaterEqual(time.monotonic() - begin, 0.39)

    def test_pipelined_commands_wait_for_the_delayed_one(self):
        sink = self.start_sink("--delay", "rcpt=200ms", "--delay", "end=200ms", keep=False)
        with harness.Client(sink.port) as client:
            client.command("EHLO x.example")
            begin = time.monotonic()
            client.send(b"MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\n"
                        b"RCPT TO:<c@example.net>\r\nBDAT 6 LAST\r\ntext\r\nNOOP\r\n")
            self.assertEqual([client.reply()[:9] for _ in range(5)],
                             ["250 2.1.0", "250 2.1.5", "250 2.1.5", "250 2.0.0", "250 2.0.0"])
            self.assertGreaterEqual(time.monotonic() - begin, 0.59)
        self.assertEqual(sink.stop()["recipients"], 2)

    def test_reading_slowly(self):
        sink = self.start_sink("--read-rate", "20000", keep=False)
        begin = time.monotonic()
        with harness.Client(sink.port) as client:
            client.begin()
            client.send(b"0123456789abcdef0123456789ab\r\n" * 500 + b".\r\n")
            self.assertEqual(client.reply()[:3], "250")
        self.assertGreaterEqual(time.monotonic() - begin, 0.7)  # 15,000 bytes
        self.assertEqual(sink.stop()["bytes"], 15000)

    def test_bad_options(self):
        for options in (["--fail", "rcpt"], ["--fail", "5"], ["--delay", "mail=5"],
                        ["--drop", "quit"], ["--verify", "--expect", "sealed"],
                        ["--key", SIGNERS / "p256.pem"], ["--tls-on-connect"],
                        ["--tls-certificate", SIGNERS / "p256.pem"],
                        ["--verify", "--key", SIGNERS / "p256.key.pem"],
                        ["--tls-certificate", SIGNERS / "p256.pem", "--tls-key",
                         SIGNERS / "p384.key.pem"]):
            with self.subTest(options=options):
                done = subprocess.run([harness.SEALLOAD, "sink", "--listen", "127.0.0.1:0",
                                       *options], capture_output=True, text=True, timeout=30,
                                      check=False)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertTrue(done.stderr)

    # ---- TLS -------------------------------------------------------------------------------------

    def test_starttls(self):
        sink = self.start_sink(*self.tls_files(), keep=False)
        context = ssl.create_default_context(cafile=SIGNERS / "root.pem")
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # the tests' certificates are for mail
        with self.client(sink) as client:
            client.starttls(context=context)
            client.ehlo()
            self.assertNotIn("starttls", client.esmtp_features)
            client.sendmail("a@example.com", ["b@example.net"], whole_mail(1, ENTITY))
            self.assertEqual(client.docmd("STARTTLS")[0], 503)
        self.assertEqual((sink.wait_for(1)[0]["id"]), "<1@sink.example>")
        summary = sink.stop()
        self.assertEqual(summary["tls"], {"full": 1, "resumed": 0, "failed": 0})

    def test_tls_on_connect(self):
        sink = self.start_sink(*self.tls_files(), "--tls-on-connect", keep=False)
        context = ssl._create_unverified_context()  # pylint: disable=protected-access
        with smtplib.SMTP_SSL("127.0.0.1", sink.port, local_hostname="client.example.com",
                              context=context, timeout=harness.PATIENCE) as client:
            client.sendmail("a@example.com", ["b@example.net"], whole_mail(1, ENTITY))
        self.assertEqual(len(sink.wait_for(1)), 1)

    def test_nothing_in_clear_is_taken_for_said_under_tls(self):
        sink = self.start_sink(*self.tls_files(), keep=False)
        with harness.Client(sink.port) as client:
            client.command("EHLO x.example")
            client.send(b"STARTTLS\r\nMAIL FROM:<a@example.com>\r\n")
            with self.assertRaises((ConnectionError, AssertionError)):
                self.assertNotEqual(client.file.read(), b"")
        with harness.Client(sink.port) as client:
            client.command("EHLO x.example")
            self.assertEqual(client.command("STARTTLS")[:3], "220")
            client.send(b"NOOP\r\n" * 4)
            try:
                self.assertNotIn(b"250", client.file.read())
            except ConnectionError:
                pass
        summary = sink.stop()
        self.assertEqual(summary["commands"].get("mail", 0), 0)
        self.assertEqual(summary["tls"]["failed"], 1)

    # ---- the end ---------------------------------------------------------------------------------

    def test_ends_cleanly_while_at_work(self):
        sink = self.start_sink("--delay", "end=30s", keep=False)
        with harness.Client(sink.port) as client:
            client.begin()
            client.send(b"text\r\n.\r\n")
            summary = sink.stop()
            self.assertEqual(summary["messages"], 0)  # not taken, not answered
            try:
                self.assertEqual(client.reply(), "")
            except (ConnectionError, socket.timeout):
                pass


if __name__ == "__main__":
    harness.main()
