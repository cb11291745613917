# SPDX-License-Identifier: GPL-3.0-or-later
"""Where and when the figures come from."""

import datetime
import os
import pathlib
import re
import subprocess

import harness


def first(pattern, path):
    with open(path, encoding="utf-8", errors="replace") as file:
        found = re.search(pattern, file.read(), re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True,
                              cwd=harness.SOURCE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def commit():
    """The commit of the tree; whether the binaries were built of just that nobody here knows."""
    name = output("git", "rev-parse", "--short", "HEAD") or "unknown"
    changed = output("git", "status", "--porcelain", "--untracked-files=no")
    return name + (" and changes" if changed else "")


def file_system(folder):
    """Of the disk that queues lie on."""
    best = ("", "unknown")
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for entry in mounts:
            where, kind = entry.split()[1:3]
            inside = pathlib.Path(folder).resolve().is_relative_to(where)
            best = max(best, (where, kind)) if inside else best
    return best[1]


def rsa2048_private_us():
    """One private operation as OpenSSL does it, on one core; None without an openssl that tells."""
    text = output("openssl", "speed", "-seconds", "1", "rsa2048")
    found = re.search(r"^rsa\s+2048 bits\s+([0-9.]+)s", text, re.MULTILINE)
    return float(found.group(1)) * 1e6 if found else None


def describe(folder):
    return {"commit": commit(),
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "processor": first(r"^model name\s*:(.*)$", "/proc/cpuinfo"),
            "cores": len(os.sched_getaffinity(0)),
            "memory_gb": round(int(first(r"^MemTotal:\s*(\d+)", "/proc/meminfo")) / 1e6),
            "kernel": os.uname().release.split("-")[0],
            "system": first(r'^PRETTY_NAME="(.*)"', "/etc/os-release"),
            "file_system": file_system(folder),
            "load_before": os.getloadavg()[0],
            "rsa2048_private_us": rsa2048_private_us()}
