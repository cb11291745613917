# SPDX-License-Identifier: GPL-3.0-or-later
"""What one fsync costs on the disk of the run: with nothing else going on, and beside a load."""

import contextlib
import os
import threading
import time

from figures import quantile


def fsync_us(folder, count=200, size=16384):
    """Appends and syncs as a write-ahead log does, one right after the other."""
    with probe_file(folder) as descriptor:
        return figures_of([one_fsync(descriptor, size) for _ in range(count)], size)


@contextlib.contextmanager
def fsync_beside(folder, into, every_s=0.02, size=16384):
    """The same while a load runs, seldom enough to be no load itself; appends its figures to `into`.

    What nobody on this machine can do better than at that time: the wait for a core is in it.
    """
    times = []
    ended = threading.Event()

    def probe():
        with probe_file(folder) as descriptor:
            while not ended.wait(every_s):
                times.append(one_fsync(descriptor, size))

    thread = threading.Thread(target=probe)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    into.append(figures_of(times, size))


@contextlib.contextmanager
def probe_file(folder):
    path = os.path.join(folder, "fsync-probe")
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        os.unlink(path)


def one_fsync(descriptor, size):
    os.write(descriptor, b"x" * size)
    begin = time.perf_counter()
    os.fdatasync(descriptor)
    return (time.perf_counter() - begin) * 1e6


def figures_of(times, size):
    return {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99),
            "count": len(times), "bytes": size}
