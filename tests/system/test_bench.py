#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/bench, small: that it runs and adds up, never that something is fast."""

import json
import os
import shutil
import subprocess
import sys
import time
import unittest
import xml.dom.minidom

import harness

sys.path.insert(0, str(harness.SOURCE / "bench/throughput"))
# pylint: disable=wrong-import-position
import accounting
import figures
import report

# Processes that burn 0.1 s each and end: four that are waited for, four (asked for by "ignoring") of
# a parent that never waits, four orphans.
FORKS = """
import os, signal, sys, time
def burn():
    end = time.process_time() + 0.1
    while time.process_time() < end: pass
    os._exit(0)
for n in range(4):
    if os.fork() == 0: burn()
    os.wait()
if sys.argv[1] == "ignoring":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for n in range(4):
        if os.fork() == 0: burn()
for n in range(4):
    if os.fork() == 0:
        if os.fork() == 0: burn()
        os._exit(0)
"""


class AccountTest(harness.SystemTest):
    def account(self, books):
        account = accounting.Account("test", books)
        self.addCleanup(account.close)
        return account

    def wait_for(self, account, seconds):
        """All have ended but those that stay, and what they cost is `seconds` and two starts."""
        harness.wait_until(lambda: account.cpu_seconds() > 0.9 * seconds, "the time", 30)
        time.sleep(1)
        self.assertLess(account.cpu_seconds(), 1.2 * seconds + 0.3)

    @unittest.skipUnless(accounting.cgroup_home(), "no control group can be made here")
    def test_a_group_counts_processes_that_nobody_waited_for(self):
        account = self.account(accounting.Group(accounting.cgroup_home(), "test"))
        account.start([sys.executable, "-c", FORKS, "ignoring"]).wait(30)
        self.wait_for(account, 1.2)
        account.close()
        self.assertFalse(account.books.folder.exists())

    def test_a_tree_counts_orphans_that_the_keeper_buried(self):
        account = self.account(accounting.Tree())
        account.start(["sh", "-c", f"{sys.executable} -c '{FORKS}' waiting & sleep 60"])
        self.wait_for(account, 0.8)

    def test_memory_is_shared_out(self):
        account = accounting.Account("memory")
        self.addCleanup(account.close)
        size = 50_000_000
        account.start([sys.executable, "-c", f"import os, time; x = bytearray({size}); os.fork(); "
                                             "print('up', flush=True); time.sleep(60)"],
                      stdout=subprocess.DEVNULL)
        harness.wait_until(lambda: account.process_count() >= 2, "two processes", 10)
        time.sleep(0.5)
        self.assertGreater(account.memory_bytes(), size)
        self.assertLess(account.memory_bytes(), 1.8 * size)


class FiguresTest(unittest.TestCase):
    def test_numbers(self):
        for value, digits, want in ((0, 3, "0"), (18295.4, 3, "18,295"), (65.21, 3, "65.2"),
                                    (0.4712, 3, "0.471"), (8.72, 2, "8.7"), (100, 3, "100"),
                                    (0.0004, 3, "0.000"), (0.36, 2, "0.36")):
            self.assertEqual(figures.number(value, digits), want)

    def test_ratios_are_of_rounds_side_by_side(self):
        self.assertEqual(figures.ratio([10, 30, 50], [1, 2, 5]),
                         {"median": 10, "least": 10, "most": 15, "rounds": 3})
        self.assertEqual(figures.ratio([10, None, 50], [1, 2, None])["rounds"], 1)
        self.assertIsNone(figures.ratio([None], [1]))
        self.assertEqual(figures.spread(figures.summary([])), "–")


class BenchTest(harness.SystemTest):
    def test_a_quick_run(self):
        os.chmod(self.folder, 0o755)  # other servers' own users go through it
        results = self.folder / "RESULTS.md"
        results.write_text(f"# Results\n\nabove\n\n{report.BEGIN}\nformer figures\n{report.END}\n\nbelow\n")
        done = subprocess.run(
            [sys.executable, harness.SOURCE / "tools/bench", "--quick", "--no-download",
             "--scenario", "10k", "--scenario", "tools", "--scenario", "latency", "--scenario",
             "slow-sessions", "--output", self.folder / "rounds.json", "--write-to", self.folder],
            capture_output=True, text=True, check=False, timeout=500,
            env={**os.environ, "SEALGATE_BENCH_DIR": str(self.folder)})
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr[-4000:])
        raw = json.loads((self.folder / "rounds.json").read_text())
        self.check_load(raw["loads"]["10k"])
        self.assertGreater(raw["specials"]["tools"]["rounds"]["sealload"][0], 0)
        for name in ("relay", "p256"):
            self.assertGreater(raw["specials"]["latency"]["rounds"][name][0]["p99"], 0)
        self.assertGreater(raw["specials"]["slow-sessions"]["rounds"]["beside"][0]["p99"], 0)
        text = results.read_text()
        self.assertTrue(text.startswith("# Results\n\nabove\n\n"), text[:100])
        self.assertTrue(text.endswith("\n\nbelow\n"), text[-100:])
        self.assertNotIn("former figures", text)
        self.assertIn("Sealgate, signs P-256", text)
        xml.dom.minidom.parse(str(self.folder / "results.svg"))

    def check_load(self, found):
        for name in ("relay", "p256", "rsa2048"):
            with self.subTest(name=name):
                (one,) = found["rounds"][name]
                self.assertEqual(one["received"], one["accepted"] + one["unknown"])
                self.assertGreater(one["cpu_us"], 0)
                self.assertLess(one["cpu_us"], 1e6)
                self.assertGreater(found["warm_up"][name]["memory_bytes"], 1e6)
        for name in ("postfix", "exim", "opensmtpd"):  # here, or with a reason
            self.assertNotEqual(name in found["rounds"], name in found.get("absent", {}), name)
        if os.geteuid() == 0 and shutil.which("postfix"):
            self.assertGreater(found["rounds"]["postfix"][0]["received"], 0)


if __name__ == "__main__":
    harness.main()
