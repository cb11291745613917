#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealload source`: rates that do not forgive a stalled target, forms of sending, TLS, S/MIME.

Targets are `sealload sink` and, where a target must misbehave or speak TLS, a few lines of Python.
"""

import collections
import contextlib
import json
import signal
import socket
import ssl
import subprocess
import threading
import time

import harness


class Target:
    """A small SMTP server of Python's own: one thread for each connection.

    `stall(number)`: seconds to wait before the number-th content is answered.
    """

    def __init__(self, stall=None, context=None, offers=("PIPELINING", "8BITMIME")):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        self.stall = stall or (lambda number: 0)
        self.context = context
        self.offers = [*offers, *(["STARTTLS"] if context else [])]
        self.lock = threading.Lock()
        self.messages = 0
        self.sessions = []  # of each connection under TLS: whether it was resumed
        self.clear_mails = 0  # MAIL said without TLS
        self.content_seconds = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def stop(self):
        self.listener.close()

    def serve(self, connection):
        with contextlib.ExitStack() as open_ones, contextlib.suppress(OSError):
            self.converse(connection, open_ones)

    def converse(self, connection, open_ones):
        def say(text):
            connection.sendall(text.encode() + b"\r\n")

        open_ones.enter_context(connection)
        file = open_ones.enter_context(connection.makefile("rb"))
        secure = False
        say("220 target ESMTP")
        while line := file.readline():
            verb = line.split()[0].upper()
            if verb == b"EHLO":
                words = ["target", *[w for w in self.offers if not (secure and w == "STARTTLS")]]
                say("\r\n".join(f"250{' ' if word is words[-1] else '-'}{word}" for word in words))
            elif verb == b"STARTTLS":
                say("220 go on")
                connection = self.context.wrap_socket(connection, server_side=True)
                open_ones.enter_context(connection)
                file = open_ones.enter_context(connection.makefile("rb"))
                secure = True
                with self.lock:
                    self.sessions.append(connection.session_reused)
            elif verb == b"DATA":
                say("354 go on")
                begun = time.monotonic()
                while file.readline() not in (b".\r\n", b""):
                    pass
                with self.lock:
                    self.messages += 1
                    number = self.messages
                    self.content_seconds.append(time.monotonic() - begun)
                time.sleep(self.stall(number))
                say("250 2.0.0 taken")
            elif verb == b"QUIT":
                say("221 bye")
                return
            else:
                if verb == b"MAIL" and self.context and not secure:
                    with self.lock:
                        self.clear_mails += 1
                say("250 2.0.0 ok")


class SourceTest(harness.SystemTest):
    def target(self, **options):
        target = Target(**options)
        self.addCleanup(target.stop)
        return target

    # ---- rates ----------------------------------------------------------------------------------

    def test_a_stall_shows_in_an_open_loop(self):
        """One second in which nothing is answered: in a closed loop one message of 300 waits, and
        p99 is small; at a rate, all that were due in that second did."""
        stall = lambda number: 1.0 if number == 100 else 0
        closed = harness.source(self.target(stall=stall).port, "--connections", 1, "--messages",
                                300)
        self.assertLess(closed["phases_ms"]["message"]["p99"], 500)
        self.assertGreater(closed["phases_ms"]["message"]["max"], 950)
        opened = harness.source(self.target(stall=stall).port, "--connections", 1, "--messages",
                                300, "--rate", 100)
        times = opened["phases_ms"]["message"]
        self.assertEqual(times["count"], 300)
        self.assertGreater(times["p99"], 800)
        self.assertGreater(times["p90"], 300)
        self.assertGreater(opened["phases_ms"]["wait"]["p99"], 800)
        # What the target itself took is told apart from it.
        self.assertLess(opened["reply_ms"]["p90"], 300)

    def test_a_rate_is_kept(self):
        sink = self.start_sink(keep=False)
        for arrivals in ("constant", "poisson"):
            with self.subTest(arrivals=arrivals):
                summary = harness.source(sink.port, "--rate", 200, "--messages", 400, "--arrivals",
                                         arrivals)
                self.assertEqual(summary["accepted"], 400)
                self.assertGreater(summary["seconds"], 1.5)
                self.assertLess(summary["messages_per_second"], 260)
                self.assertEqual(summary["rate"]["arrivals"], arrivals)

    def test_a_ramp_climbs(self):
        """From 0 to 200 in two seconds is 200 messages, and 200 more in the third second."""
        sink = self.start_sink(keep=False)
        summary = harness.source(sink.port, "--rate", 200, "--ramp", "2s", "--messages", 0,
                                 "--seconds", 3)
        self.assertEqual(summary["never_begun"], 0)
        self.assertTrue(390 <= summary["accepted"] <= 401, summary["accepted"])

    def test_what_was_due_and_never_begun_is_said(self):
        target = self.target(stall=lambda number: 0.5)
        summary = harness.source(target.port, "--connections", 2, "--rate", 50, "--messages", 0,
                                 "--seconds", 2, check=False)
        self.assertGreater(summary["never_begun"], 70)
        self.assertEqual(summary["unsent"], summary["never_begun"])
        self.assertTrue(99 <= summary["accepted"] + summary["never_begun"] <= 101, summary)
        self.assertGreater(summary["phases_ms"]["message"]["p50"], 500)

    def test_warm_up_is_not_measured(self):
        target = self.target(stall=lambda number: 0.5 if number <= 2 else 0)
        summary = harness.source(target.port, "--connections", 2, "--rate", 50, "--messages", 100,
                                 "--warmup", 1.2)
        self.assertEqual(summary["accepted"], 100)
        self.assertTrue(30 <= summary["measured"]["accepted"] <= 45, summary["measured"])
        self.assertEqual(summary["phases_ms"]["message"]["count"],
                         summary["measured"]["accepted"])
        self.assertLess(summary["phases_ms"]["message"]["max"], 450)

    def test_ctrl_c_ends_with_the_summary(self):
        sink = self.start_sink(keep=False)
        output = self.folder / "summary"
        process = subprocess.Popen(
            [harness.SEALLOAD, "source", "--target", f"127.0.0.1:{sink.port}", "--messages", "0",
             "--seconds", "600", "--rate", "100", "--progress", "--output", output],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(2.5)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=harness.PATIENCE)
        summary = json.loads(output.read_text())
        self.assertEqual(process.returncode, 0, err)
        self.assertIn(f"{summary['accepted']} accepted, 0 refused, 0 unknown", out)
        self.assertGreater(summary["accepted"], 100)
        self.assertRegex(err, r"accepted  \d+/s  p50 [\d.]+ ms  p99 [\d.]+ ms  \d+ under way")

    # ---- forms of sending -----------------------------------------------------------------------

    def test_forms_of_sending(self):
        rows = [  # options, hidden by the sink, connections
            ([], [], 4),
            (["--bdat"], [], 4),
            (["--bdat"], ["--no-chunking"], 4),
            (["--bdat", "--no-pipelining"], [], 4),
            (["--messages-per-connection", 1], [], 60),
            (["--messages-per-connection", 1, "--bdat"], [], 60),
            (["--messages-per-connection", 1, "--no-pipelining"], [], 60),
            (["--messages-per-connection", 1, "--rate", 200], [], 60),
            (["--messages-per-connection", 7], [], None),
        ]
        for number, (options, hidden, connections) in enumerate(rows):
            with self.subTest(options=options, hidden=hidden):
                sink = self.start_sink(*hidden, name=f"sink{number}", keep=False)
                sent = self.folder / f"sent{number}"
                summary = harness.source(sink.port, "--connections", 4, "--messages", 60, "--sent",
                                         sent, *options)
                sink.wait_for(60)
                self.assertEqual((summary["accepted"], summary["connection_errors"]), (60, 0))
                if connections:
                    self.assertEqual(summary["connections"], connections)
                found = harness.compare_ledgers(sent, sink.ledger)
                self.assertEqual((found["lost"], found["duplicated"], found["unexpected"]),
                                 ([], [], []))

    def test_the_same_mails_for_a_seed(self):
        def mails(seed, name):
            sink = self.start_sink(name=name)
            harness.source(sink.port, "--messages", 60, "--size", "100:50,1K..8K:50", "--to",
                           "u%d.%r@d%h.example.net", "--recipients", "1..4", "--domains", 3,
                           "--seed", seed)
            rows = sink.wait_for(60)
            return {row["id"].partition(".")[0]: (row["recipients"], int(row["bytes"]))
                    for row in rows}, {row["id"] for row in rows}

        first, first_ids = mails(1, "a")
        second, second_ids = mails(1, "b")
        other, _ = mails(2, "c")
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)
        self.assertFalse(first_ids & second_ids)
        self.assertEqual({len(to.split(",")) for to, _ in first.values()}, {1, 2, 3, 4})
        domains = {address.partition("@")[2] for to, _ in first.values() for address in
                   to.split(",")}
        self.assertEqual(domains, {f"d{number}.example.net" for number in (1, 2, 3)})
        sizes = collections.Counter(size for _, size in first.values())
        small = sum(count for size, count in sizes.items() if size < 600)
        self.assertTrue(15 <= small <= 45, sizes)

    def test_slow_senders(self):
        target = self.target()
        summary = harness.source(target.port, "--connections", 20, "--messages", 20,
                                 "--messages-per-connection", 1, "--size", 1000, "--trickle", 500)
        self.assertEqual(summary["accepted"], 20)
        # 1.3 KB at 500 bytes a second: three pieces, two seconds between the first and the last.
        self.assertGreater(min(target.content_seconds), 1.8)
        # The reply counts from the last byte.
        self.assertLess(summary["reply_ms"]["p50"], 900)

    def test_usage(self):
        rows = [
            (["--target", "192.0.2.1:25"], "--yes-really"),
            (["--target", "[2001:db8::1]:25"], "--yes-really"),
            (["--target", "example.com:25"], "ADDRESS:PORT"),
            (["--rate", "1..5"], "--rate"),
            (["--ramp", "5"], "--ramp"),
            (["--messages", "0"], "--seconds"),
            (["--size", "10X"], "--size"),
            (["--size", "2G"], "--size"),
            (["--recipients", "2"], "%r"),
            (["--recipients", "0..1"], "--recipients"),
            (["--domains", "5"], "%h"),
            (["--smime", "sign"], "--certificate"),
            (["--smime", "encrypt"], "--recipient-certificate"),
            (["--smime", "seal"], "seal"),
            (["--output", "/nonexistent/file", "--messages", "1"], "/nonexistent/file"),
            (["--signers", "5", "--smime", "plain"], "--smime"),
            (["--signers", "5", __file__], "no MAIL"),
            (["--signers", "5", "--from", "somebody@example.com"], "%d"),
            (["--signers", "5", "--size", "1K:1,2K:1"], "--size"),
            (["--signers", "2000000000000"], "2^40"),
            (["--signers", "5", "--signer-ca", __file__], "no file of an authority"),
            (["--signers", "5", "--signer-ca", "/nonexistent/file"], "/nonexistent/file"),
            (["--signers", "5", "--ca-out", "/nonexistent/file"], "/nonexistent/file"),
            (["--ca-out", "/nonexistent/file"], "--signers"),
        ]
        sink = self.start_sink(keep=False)
        for options, why in rows:
            with self.subTest(options=options):
                place = [] if "--target" in options else ["--target", f"127.0.0.1:{sink.port}"]
                done = subprocess.run([harness.SEALLOAD, "source", *place, *options],
                                      capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 64, done.stderr)
                self.assertIn(why, done.stderr)

    # ---- TLS ------------------------------------------------------------------------------------

    def tls_context(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=target", "-days", "2",
                        "-keyout", self.folder / "tls.key", "-out", self.folder / "tls.pem"],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "tls.pem", self.folder / "tls.key")
        return context

    def test_starttls_with_and_without_resumption(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for options, resumed in (([], 9), (["--tls-no-resume"], 0)):
                with self.subTest(version=version, options=options):
                    context = self.tls_context()
                    context.maximum_version = version
                    target = self.target(context=context)
                    summary = harness.source(target.port, "--starttls", "--connections", 1,
                                             "--messages", 20, "--messages-per-connection", 2,
                                             *options)
                    self.assertEqual((summary["accepted"], summary["connection_errors"]), (20, 0))
                    self.assertEqual(summary["handshakes"],
                                     {"full": 10 - resumed, "resumed": resumed})
                    self.assertEqual(sum(target.sessions), resumed)
                    self.assertEqual(target.clear_mails, 0)
                    self.assertEqual(summary["phases_ms"]["tls"]["count"], 10)

    def test_nothing_is_sent_in_clear_where_tls_was_asked_for(self):
        target = self.target()
        summary = harness.source(target.port, "--starttls", "--connections", 1, "--messages", 5,
                                 check=False)
        self.assertEqual((summary["accepted"], summary["unsent"], target.messages), (0, 5, 0))
        self.assertEqual(list(summary["errors"]), ["the target does not offer STARTTLS"])

    # ---- S/MIME ---------------------------------------------------------------------------------

    def certificate(self, name, key=("rsa", "rsa_keygen_bits:2048"), usage="digitalSignature"):
        path = self.folder / name
        subprocess.run(["openssl", "req", "-x509", "-newkey", key[0], "-pkeyopt", key[1], "-nodes",
                        "-subj", f"/CN={name}", "-days", "2", "-addext",
                        "subjectAltName=email:sender@example.com", "-addext",
                        f"keyUsage=critical,{usage}", "-addext",
                        "extendedKeyUsage=emailProtection", "-keyout", f"{path}.key", "-out",
                        f"{path}.pem"], check=True, capture_output=True)
        return path

    def test_signed_input(self):
        signer = self.certificate("signer", ("ec", "ec_paramgen_curve:P-256"))
        sink = self.start_sink()
        sent = self.folder / "sent"
        harness.source(sink.port, "--messages", 120, "--smime", "sign:30,opaque:30,plain:40",
                       "--certificate", f"{signer}.pem", "--key", f"{signer}.key", "--size",
                       "500:50,20K:50", "--smime-variants", 10, "--sent", sent)
        kinds = collections.Counter()
        signatures, ids = set(), set()
        for row in sink.wait_for(120):
            content = sink.content(row)
            ids.add(row["id"])
            if not harness.is_signed(content):
                kinds["plain"] += 1
                continue
            kinds["detached" if b"multipart/signed" in content else "opaque"] += 1
            signatures.add(harness.signed_parts(content)[0])
            inner = harness.verify(content, f"{signer}.pem", self.folder)
            self.assertIn(b"the quick brown fox", inner)
            self.assertNotIn(b"Message-ID", inner)
        self.assertEqual(len(ids), 120)
        for kind, share in (("detached", 36), ("opaque", 36), ("plain", 48)):
            self.assertTrue(share - 20 < kinds[kind] < share + 20, kinds)
        # Ten variants of each form, of which a few may not have had their turn.
        self.assertTrue(15 <= len(signatures) <= 20, len(signatures))

    def test_signed_real_mails(self):
        signer = self.certificate("signer")
        sink = self.start_sink()
        mails = [path for path in sorted(harness.DATA.glob("clients/*.eml"))
                 if b"\r" not in path.read_bytes().replace(b"\r\n", b"\n")]
        self.assertGreater(len(mails), 3)
        harness.source(sink.port, "--messages", len(mails), "--smime", "sign", "--certificate",
                       f"{signer}.pem", "--key", f"{signer}.key", *mails)
        for row in sink.wait_for(len(mails)):
            harness.verify(sink.content(row), f"{signer}.pem", self.folder)

    def test_encrypted_input(self):
        signer = self.certificate("signer")
        reader = self.certificate("reader", usage="keyEncipherment")
        sink = self.start_sink()
        harness.source(sink.port, "--messages", 40, "--smime", "encrypt,sign-encrypt",
                       "--certificate", f"{signer}.pem", "--key", f"{signer}.key",
                       "--recipient-certificate", f"{reader}.pem", "--size", "200K",
                       "--smime-variants", 3)
        signed = 0
        for row in sink.wait_for(40):
            done = subprocess.run(["openssl", "cms", "-decrypt", "-recip", f"{reader}.pem",
                                   "-inkey", f"{reader}.key"], input=sink.content(row),
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            inner = done.stdout
            if harness.is_signed(inner):
                signed += 1
                inner = harness.verify(inner, f"{signer}.pem", self.folder)
            self.assertGreater(len(inner), 200 * 1024)
            self.assertNotIn(b"quick brown", sink.content(row))
        self.assertTrue(8 <= signed <= 32, signed)


if __name__ == "__main__":
    harness.main()
