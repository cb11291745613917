#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/measure-incoming, small: that a session keeps within its memory, and that all of it runs."""
import subprocess
import sys
import unittest

import harness

TOOL = harness.SOURCE / "tools/measure-incoming"


def measure(*arguments):
    """Its rows, and how it ended."""
    done = subprocess.run([sys.executable, TOOL, "--rounds", "1", *map(str, arguments)],
                          capture_output=True, text=True, timeout=500, check=False)
    return [line for line in done.stdout.splitlines() if line.startswith("|")], done


class MeasureIncoming(unittest.TestCase):
    def test_a_session_keeps_within_its_memory(self):
        shapes = ("encrypted, signed", "signed, encrypted, signed",
                  "signed, encrypted, lines end in LF")  # those that hold most
        rows, done = measure("--only", "memory", "--megabytes", 6, "--seconds", 1,
                             *(word for shape in shapes for word in ("--shape", shape)))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(rows), 9, rows)

    def test_rates_are_measured(self):
        rows, done = measure("--only", "rate", "--messages", 300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(rows), 2, rows)

    def test_rates_beside_a_large_message_are_measured(self):
        rows, done = measure("--only", "beside", "--megabytes", 3, "--seconds", 2, "--rate", 50)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(rows), 3, rows)


if __name__ == "__main__":
    harness.main()
