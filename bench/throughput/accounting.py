# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server costs: CPU and memory of all its processes, those long gone too.

Postfix and Exim fork. The time of a process that has ended stands in its parent's books only if
the parent waited for it, and Exim's do not (they ignore SIGCHLD). So the kernel is asked: a server
runs in a control group (version 2) of its own, whose `cpu.stat` counts everybody who was ever in
it. Where no group can be made, a keeper (keeper.py) adopts and waits for what is orphaned, and the
times of the tree are added; `exact` is then false for servers whose parents do not wait.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time

KEEPER = pathlib.Path(__file__).resolve().parent / "keeper.py"
TICKS = os.sysconf("SC_CLK_TCK")
ENTER = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


def cgroup_home():
    """The folder of our own group in the hierarchy of version 2, if groups can be made there."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        roots = [line.split()[1] for line in mounts if line.split()[2] == "cgroup2"]
    with open("/proc/self/cgroup", encoding="utf-8") as groups:
        ours = [line.strip().partition("::")[2] for line in groups if line.startswith("0::")]
    if not roots or not ours:
        return None
    home = pathlib.Path(roots[0] + ours[0].rstrip("/"))
    probe = home / f"sealgate-bench-probe-{os.getpid()}"
    try:
        probe.mkdir()
        usable = (probe / "cpu.stat").exists() and os.access(probe / "cgroup.procs", os.W_OK)
        probe.rmdir()
    except OSError:
        return None
    return home if usable else None


class Group:
    """A control group: processes come in by `command()`, and by being forked inside."""

    kind = "control group"

    def __init__(self, home, name):
        self.folder = home / f"sealgate-bench-{os.getpid()}-{name}"
        self.folder.mkdir()

    def command(self, arguments):
        return ["sh", "-c", ENTER, self.folder, *arguments]

    def cpu_seconds(self):
        for line in (self.folder / "cpu.stat").read_text().splitlines():
            if line.startswith("usage_usec"):
                return int(line.split()[1]) / 1e6
        raise RuntimeError("cpu.stat without usage_usec")

    def processes(self):
        return [int(line) for line in (self.folder / "cgroup.procs").read_text().split()]

    def close(self):
        end = time.monotonic() + 30
        while self.folder.exists() and time.monotonic() < end:
            for process in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            with contextlib.suppress(OSError):  # busy until the last one is buried
                self.folder.rmdir()
                return
            time.sleep(0.05)


class Tree:
    """The descendants of a keeper, and those it has buried."""

    kind = "process tree"

    def __init__(self):
        self.keeper = None

    def command(self, arguments):
        return [sys.executable, KEEPER, *arguments]

    def adopt(self, process):
        """`process` was started by `command()`; the first one is the keeper of all."""
        if self.keeper is None:
            self.keeper = process.pid

    def cpu_seconds(self):
        """The keeper's own time is not the server's; that of the children it waited for is."""
        total = 0
        for process, fields in stats_below(self.keeper).items():
            own = 0 if process == self.keeper else int(fields[11]) + int(fields[12])
            total += own + int(fields[13]) + int(fields[14])
        return total / TICKS

    def processes(self):
        return [process for process in stats_below(self.keeper) if process != self.keeper]

    def close(self):
        end = time.monotonic() + 30
        while self.keeper and self.processes() and time.monotonic() < end:
            for process in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)


def stats_below(root):
    """The fields of /proc/PID/stat behind the name, of `root` and all its descendants."""
    every = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            text = pathlib.Path("/proc", name, "stat").read_text()
            every[int(name)] = text.rpartition(")")[2].split()
    below = {root} & every.keys()
    while True:
        more = {process for process, fields in every.items() if int(fields[1]) in below}
        if more <= below:
            return {process: every[process] for process in below}
        below |= more


class Account:
    """One server's processes and what they cost."""

    def __init__(self, name, books=None):
        home = None if books else cgroup_home()
        self.books = books or (Group(home, name) if home else Tree())
        self.started = []

    def start(self, arguments, **options):
        arguments = [str(argument) for argument in arguments]
        process = subprocess.Popen(self.books.command(arguments), stdin=subprocess.DEVNULL,
                                   **options)
        if isinstance(self.books, Tree):
            self.books.adopt(process)
        self.started.append(process)
        return process

    @property
    def exact(self):
        return isinstance(self.books, Group)

    def cpu_seconds(self):
        return self.books.cpu_seconds()

    def memory_bytes(self):
        """Proportional set size: what processes share is counted once in the sum."""
        total = 0
        for process in self.books.processes():
            with contextlib.suppress(OSError):
                with open(f"/proc/{process}/smaps_rollup", encoding="ascii") as rollup:
                    for line in rollup:
                        if line.startswith("Pss:"):
                            total += int(line.split()[1]) * 1024
                            break
        return total

    def process_count(self):
        return len(self.books.processes())

    def close(self):
        self.books.close()
        for process in self.started:
            process.wait(30)
