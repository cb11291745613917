#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load tool, source straight to sink: what it says must be true before it judges others."""

import subprocess

import harness


class SealloadTest(harness.SystemTest):
    def ledger(self, sent, received):
        (self.folder / "a").write_text(sent)
        (self.folder / "b").write_text(received)
        done = subprocess.run([harness.SEALLOAD, "ledger", self.folder / "a", self.folder / "b"],
                              capture_output=True, text=True, check=False)
        return done.returncode, harness.compare_ledgers(self.folder / "a", self.folder / "b")

    def test_ledger(self):
        rows = [  # sent, received, exit code, lost, duplicated, unexpected
            ("<1>\taccepted\t250\tx,y\n", "<1>\tx\t9\n<1>\ty\t9\n", 0, 0, 0, 0),
            ("<1>\taccepted\t250\tx,y\n", "<1>\tx\t9\n", 1, 1, 0, 0),
            ("<1>\taccepted\t250\tx\n", "<1>\tx\t9\n<1>\tx\t9\n", 0, 0, 1, 0),
            ("<1>\taccepted\t250\tx\n", "<1>\tx,z\t9\n", 0, 0, 0, 1),
            ("<1>\trefused\t550\tx\n", "", 0, 0, 0, 0),
            ("<1>\trefused\t550\tx\n", "<1>\tx\t9\n", 0, 0, 0, 1),
            ("<1>\tunknown\t\tx\n", "", 0, 0, 0, 0),
            ("<1>\tunknown\t\tx\n", "<1>\tx\t9\n", 0, 0, 0, 0),
            ("<1>\taccepted\t250\tx\n", "<d>\ts\t9\tdsn\t<1>\t\t\t\n", 0, 0, 0, 0),
            ("<1>\taccepted\t250\tx\n", "<d>\ts\t9\tdsn\t<2>\t\t\t\n", 1, 1, 0, 0),
            ("<1>\taccepted\t250\tx\n", "<1>\tx\t9", 1, 1, 0, 0),  # a line half written
            ("", "", 0, 0, 0, 0),
        ]
        for sent, received, status, lost, duplicated, unexpected in rows:
            with self.subTest(sent=sent, received=received):
                code, found = self.ledger(sent, received)
                self.assertEqual((code, len(found["lost"]), len(found["duplicated"]),
                                  len(found["unexpected"])), (status, lost, duplicated, unexpected))

    def test_only_this_machine_is_loaded(self):
        done = subprocess.run([harness.SEALLOAD, "source", "--target", "192.0.2.1:25"],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 64)
        self.assertIn("--yes-really", done.stderr)

    def test_mails_arrive_as_they_are(self):
        mails = sorted(harness.DATA.glob("*/*.eml"))
        offers = [[], ["--no-pipelining", "--no-chunking"], ["--no-8bitmime", "--no-dsn"]]
        for number, (hidden, options) in enumerate(zip(offers, (["--bdat"], [], []))):
            with self.subTest(hidden=hidden, options=options):
                sink = self.start_sink(*hidden, name=f"sink{number}")
                sent = self.folder / f"sent{number}"
                harness.source(sink.port, "--messages", len(mails), "--sent", sent, *options,
                               *mails)
                paths = {line.split("\t")[0]: line.split("\t")[4]
                         for line in sent.read_text().splitlines()}
                rows = sink.wait_for(len(mails))
                self.assertEqual({row["id"] for row in rows}, set(paths))
                for row in rows:
                    before = harness.pathlib.Path(paths[row["id"]]).read_bytes()
                    self.assertTrue(sink.content(row).endswith(
                        harness.with_crlf(before).partition(b"\r\n\r\n")[2]), paths[row["id"]])

    def test_refusals_and_their_counts(self):
        for where in ("rcpt", "data", "end"):
            with self.subTest(where=where):
                sink = self.start_sink("--fail", f"{where}=451:50%", name=where)
                summary = harness.source(sink.port, "--messages", "200", "--sent",
                                         self.folder / where / "sent", check=False)
                rows = sink.rows()
                self.assertEqual(summary["accepted"], len(rows))
                self.assertEqual(summary["accepted"] + summary["refused"], 200)
                self.assertGreater(summary["refused"], 50)
                self.assertEqual(list(summary["refusals"]), ["451 4.3.0 Failed on purpose"])
                found = harness.compare_ledgers(self.folder / where / "sent", sink.ledger)
                self.assertEqual((found["lost"], found["unexpected"]), ([], []))

    def test_unsigned_mail_is_not_verified(self):
        sink = self.start_sink("--verify")
        harness.source(sink.port, "--messages", "3")
        sink.wait_for(3)
        self.assertTrue(all(row["verdict"].startswith("failed: ") for row in sink.rows()))
        self.assertEqual(sink.stop()["not_verified"], 3)


if __name__ == "__main__":
    harness.main()
