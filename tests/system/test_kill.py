#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments under load, restart, and ask the ledgers: nothing accepted is lost.

    test_kill.py                     three rounds, as a test
    test_kill.py --rounds N [--connections C]   by hand, with figures; tools/soak-kill
"""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import harness

SETTLE_SECONDS = 120


class KillRun:
    def __init__(self, folder, seed, connections=8):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.connections = connections
        # The sink refuses now and then, so that there is always something to be tried again.
        self.sink = harness.Sink(self.folder / "sink", "--verify", "--fail", "end=451:5%",
                                 keep=False)
        self.gateway = harness.Gateway(self.folder / "gateway", self.sink.port, certificate="mail")
        self.sent = self.folder / "sent"
        self.source = None

    def start(self):
        self.gateway.new_certificate("mail", "p256")
        self.sink.start()
        self.gateway.start()
        mails = [mail for mail in sorted((harness.DATA / "clients").glob("*.eml"))
                 if mail.name != "smime-signed-already.eml"]
        self.source = subprocess.Popen(
            [harness.SEALLOAD, "source", "--target", f"127.0.0.1:{self.gateway.port}",
             "--messages", "0", "--seconds", "3600", "--connections", str(self.connections),
             "--retry", "--sent", self.sent, "--to", "a%d@one.example.net", "--to",
             "b%d@two.example.net", "--json", *mails],
            stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def lines(self):
        return self.sent.read_bytes().count(b"\n") if self.sent.exists() else 0

    def round(self):
        """Lets some mail pass, kills at a random moment, starts again; the lines sent so far."""
        before = self.lines()
        harness.wait_until(lambda: self.lines() > before + self.connections, "mail to be taken")
        time.sleep(self.random.uniform(0, 1.5))
        self.gateway.kill()
        time.sleep(self.random.uniform(0, 0.3))
        self.gateway.start()
        return self.lines() - before

    def finish(self):
        """Stops the source, lets the queue run empty, and gives what the ledgers say."""
        self.source.terminate()
        self.source.communicate(timeout=harness.PATIENCE)
        harness.wait_until(lambda: not self.gateway.queue(), "an empty queue", SETTLE_SECONDS)
        self.gateway.stop()
        summary = self.sink.stop()
        return harness.compare_ledgers(self.sent, self.sink.ledger), summary

    def end(self):
        if self.source is not None and self.source.poll() is None:
            self.source.kill()
            self.source.communicate()
        self.gateway.stop(harness.signal.SIGKILL)
        self.sink.stop()


class KillTest(harness.SystemTest):
    def test_nothing_accepted_is_lost(self):
        seed = random.randrange(1 << 32)
        run = KillRun(self.folder, seed)
        self.addCleanup(run.end)
        run.start()
        for _ in range(3):
            run.round()
        found, summary = run.finish()
        with self.subTest(seed=seed):
            self.assertGreater(found["accepted"], 0)
            self.assertEqual(found["lost"], [])
            self.assertEqual(found["unexpected"], [])
            self.assertEqual(found["dsns"], 0)
            self.assertEqual(summary["not_verified"], 0)


def by_hand(rounds, connections, seed):
    folder = tempfile.mkdtemp(prefix="sealgate-kill-")
    run = KillRun(folder, seed, connections)
    try:
        run.start()
        for number in range(1, rounds + 1):
            print(f"round {number}: {run.round()} messages, killed and started again", flush=True)
        found, summary = run.finish()
    finally:
        run.end()
    for name in ("accepted", "refused", "unknown", "received", "unknown_received", "dsns"):
        print(f"{name:17} {found[name]}")
    for name in ("lost", "duplicated", "unexpected"):
        print(f"{name:17} {len(found[name])}")
    print(f"verified          {summary['verified']}, not {summary['not_verified']}")
    good = not found["lost"] and not found["unexpected"] and summary["not_verified"] == 0
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"ledgers and data are in {folder}")
    print(f"{rounds} kills, seed {seed}: " + ("nothing accepted was lost" if good else "FAILED"))
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments, _ = parser.parse_known_args()
    if arguments.rounds:
        sys.exit(by_hand(arguments.rounds, arguments.connections, arguments.seed))
    harness.main()
