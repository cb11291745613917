# SPDX-License-Identifier: GPL-3.0-or-later
"""What one fsync costs on the disk of the run, with nothing else going on."""

import os
import time

from figures import quantile


def fsync_us(folder, count=200, size=16384):
    """Appends and syncs as a write-ahead log does; microseconds, sorted."""
    path = os.path.join(folder, "fsync-probe")
    block = b"x" * size
    times = []
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        for _ in range(count):
            os.write(descriptor, block)
            begin = time.perf_counter()
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - begin) * 1e6)
    finally:
        os.close(descriptor)
        os.unlink(path)
    return {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99),
            "count": count, "bytes": size}
