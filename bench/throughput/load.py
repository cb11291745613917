# SPDX-License-Identifier: GPL-3.0-or-later
"""The load: sealload's source and sink, and Postfix's own pair to judge them by."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import harness

SMTP_SOURCE = "/usr/sbin/smtp-source"
SMTP_SINK = "/usr/sbin/smtp-sink"


class WrongResult(Exception):
    """A round that is not what it claims to measure."""


class Sink:
    """`sealload sink` without a ledger; it tells its counts when asked."""

    def __init__(self, *options, port=None):
        self.port = port or harness.free_port()
        self.process = subprocess.Popen(
            [harness.SEALLOAD, "sink", "--listen", f"127.0.0.1:{self.port}", "--json",
             *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL, text=True)
        harness.wait_until(lambda: harness.answers(self.port), "the sink")
        self.last = self.counts()

    def counts(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def wait_for(self, count, seconds):
        """Counts since the last call, when `count` messages have come, and no more come."""
        end = time.monotonic() + seconds
        while True:
            now = self.counts()
            come = now["messages"] - self.last["messages"]
            quiet = time.monotonic() - now["last_at"]
            if (come >= count and quiet > 0.3) or time.monotonic() > end:
                break
            time.sleep(0.02)
        got = {name: now[name] - self.last[name]
               for name in ("messages", "dsns", "bytes", "connections")}
        self.last = now
        return {**got, "last_at": now["last_at"]}

    def stop(self):
        """Its summary."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        out, _ = self.process.communicate(timeout=30)
        return json.loads(out[out.index("{\n"):])


def source(port, *options, timeout=600):
    """`sealload source`; its summary, whether or not all was accepted."""
    done = subprocess.run([harness.SEALLOAD, "source", "--target", f"127.0.0.1:{port}", "--json",
                           *map(str, options)], capture_output=True, text=True, check=False,
                          timeout=timeout)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise WrongResult(f"sealload source: {done.stdout}{done.stderr}".strip()) from None


def latency_ms(summary):
    """From end of data to its reply."""
    found = summary["reply_ms"]
    return {name: found[name] for name in ("p50", "p99", "p99.9", "max") if name in found}


def source_takes(option):
    text = subprocess.run([harness.SEALLOAD, "source", "--help"], capture_output=True, text=True,
                          check=False).stdout
    return re.search(rf"(^|\s){re.escape(option)}\b", text) is not None


def can_use_postfix_tools():
    return all(pathlib.Path(tool).exists() for tool in (SMTP_SOURCE, SMTP_SINK)) and bool(
        shutil.which("sh"))


def postfix_pair(messages, connections, size):
    """Messages per second of smtp-source into smtp-sink."""
    port = harness.free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to be root
    sink = subprocess.Popen([SMTP_SINK, *user, f"inet:127.0.0.1:{port}", "1024"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        harness.wait_until(lambda: harness.answers(port), "smtp-sink")
        begin = time.monotonic()
        done = subprocess.run([SMTP_SOURCE, "-d", "-s", str(connections), "-m", str(messages),
                               "-l", str(size), "-f", "sender@example.com", "-t",
                               "recipient@example.net", f"127.0.0.1:{port}"], check=False,
                              capture_output=True, text=True, timeout=600)
        seconds = time.monotonic() - begin
    finally:
        sink.kill()
        sink.wait()
    if done.returncode != 0:
        raise WrongResult(f"smtp-source: {done.stderr.strip()}")
    return messages / seconds


def own_pair(messages, connections, size, *options):
    """Messages per second of sealload source into sealload sink, and each one's count agrees."""
    sink = Sink()
    try:
        begin = time.monotonic()
        sent = source(sink.port, "--messages", messages, "--connections", connections, "--size",
                      size, "--messages-per-connection", messages, *options)
        seconds = time.monotonic() - begin
    finally:
        got = sink.stop()
    if not messages == sent["accepted"] == got["messages"]:
        raise WrongResult(f"{messages} sent, {sent['accepted']} accepted, {got['messages']} there")
    return messages / seconds
