#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A full repository lets the least recently used keys go, and a restart brings back the others.

What tools/soak-harvest shows of 512 MB, of the smallest capacity; memory is measured there.
"""

import unittest

from harness import SystemTest
from harvest_soak import Soak

CAPACITY = 1 << 20


class HarvestCapacityTest(SystemTest):
    def test_of_the_smallest_repository(self):
        # One connection, so that keys come in the order of their numbers: among 600 a message that
        # waits while others pass it would be many places away.
        soak = Soak(self.folder, CAPACITY, connections=1)
        self.addCleanup(soak.close)
        soak.run(kill_seconds=1)
        self.assertEqual(soak.broken, [])
        figures = soak.figures
        self.assertGreater(figures["keys"], CAPACITY // 2600, "of 1.5 KB each, and of the disk's")
        self.assertGreater(figures["evictions"], figures["full_after"] // 3)
        self.assertGreater(figures["gone"], 20)
        self.assertGreater(figures["there"], 100)
        self.assertEqual(figures["came_back"], figures["keys"])


if __name__ == "__main__":
    unittest.main()
