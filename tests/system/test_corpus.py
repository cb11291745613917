#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mail of the corpora: signed and verifiable, or refused with a clear reply. Nothing else."""

import concurrent.futures
import os
import pathlib

import harness

FOLDERS = ["mime-mailparser", "mime-mime4j", "mime-stalwart", "mimekit", "notmuch",
           "smtp-postfix-refs"]
SUFFIXES = {".eml", ".msg", ".txt", ".in", ".in1", ".in2", ".in3"}


def mails():
    found = []
    for folder in FOLDERS:
        for path in sorted((harness.CORPUS / folder).rglob("*")):
            if path.suffix in SUFFIXES and path.is_file() and "README" not in path.name:
                found.append(path)
    return found


class CorpusTest(harness.SystemTest):
    def send(self, gateway, corpus, *options):
        sent = self.folder / "sent"
        harness.source(gateway.port, "--messages", len(corpus), "--connections", 8,
                       "--sent", sent, *options, *corpus, check=False)
        rows = [line.split("\t") for line in sent.read_text(errors="replace").splitlines()]
        self.assertEqual(len(rows), len(corpus), "each mail has an answer")
        return rows

    def check(self, sign_mode, key, *options):
        corpus = mails()
        if not corpus:
            self.skipTest(f"no corpora at {harness.CORPUS}")
        sink = self.start_sink()
        gateway = self.make_gateway(sink.port, certificate="mail", sign_mode=sign_mode,
                                    sender_match="off")
        gateway.new_certificate("mail", key)
        gateway.start()
        sent = self.send(gateway, corpus, *options)
        outcomes = {row[0]: (row[1], row[2], pathlib.Path(row[4])) for row in sent}
        accepted = {key for key, value in outcomes.items() if value[0] == "accepted"}
        for state, reply, path in outcomes.values():
            with self.subTest(mail=path.name):
                self.assertIn(state, ("accepted", "refused"))
                if state == "refused":
                    self.assertRegex(reply, r"^5[0-9][0-9] 5\.[0-9]+\.[0-9]+ \w", path)
        rows = sink.wait_for(len(accepted))
        self.assertEqual({row["id"] for row in rows if row["kind"] == "mail"}, accepted)
        self.check_signatures(sink, rows, outcomes, gateway.certificate("mail"))
        self.assertIsNone(gateway.process.poll(), "the gateway still runs")
        self.assertEqual(gateway.queue(), [])

    def check_signatures(self, sink, rows, outcomes, certificate):
        def judge(row):
            path = outcomes[row["id"]][2]
            content = sink.content(row)
            before = harness.split_mail(harness.with_crlf(path.read_bytes()))
            if before is not None and self.is_smime(path.read_bytes()):
                return None  # goes out as it is
            try:
                harness.verify(content, certificate)
            except (AssertionError, ValueError, AttributeError) as wrong:
                return f"{path}: {wrong}"
            return "verified"

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(judge, rows))
        wrong = [result for result in results if result not in (None, "verified")]
        self.assertEqual(wrong, [])
        self.assertGreater(results.count("verified"), len(rows) * 0.8)

    @staticmethod
    def is_smime(content):
        kind = harness.parse(content).get_content_type()
        protocol = str(harness.parse(content).get_param("protocol", ""))
        return kind in ("application/pkcs7-mime", "application/x-pkcs7-mime") or (
            kind == "multipart/signed" and "pkcs7-signature" in protocol.lower())

    def test_detached(self):
        self.check("detached", "rsa:2048")

    def test_opaque_by_bdat(self):
        self.check("opaque", "p256", "--bdat")


if __name__ == "__main__":
    harness.main()
