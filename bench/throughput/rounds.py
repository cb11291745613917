# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds in turn: A B C, A B C … under one load, so that what the machine does meanwhile hits all."""

import contextlib
import sys
import threading
import time

import harness
import load as tools
from packages import Unavailable
from scenarios import VARIANTS


def say(text):
    print(text, file=sys.stderr, flush=True)


def per_second(sent):
    """Up to the last reply: a source also waits for sessions that were not even greeted."""
    measured = sent["measured"]
    return measured["accepted"] / measured["seconds"] if measured["seconds"] else 0


class Contestant:
    """One variant's server and sink through one scenario."""

    def __init__(self, variant, folder, sessions):
        self.variant = variant
        self.sink = None
        self.server = None
        try:
            port = harness.free_port()
            self.server = variant.make(folder, port, sessions)
            self.server.start()
            if variant.key:
                self.check_signatures(port)
            self.sink = tools.Sink(port=port)
        except BaseException:
            self.stop()
            raise

    def check_signatures(self, port, count=20):
        """What is measured is checked first: signatures hold, on as many mails as sent."""
        sink = tools.Sink("--verify", "--ca", self.server.certificate(), port=port)
        try:
            sent = tools.source(self.server.port, "--messages", count, "--size", 10240)
            sink.wait_for(count, 30)
        finally:
            got = sink.stop()
        if not count == sent["accepted"] == got["verified"]:
            raise tools.WrongResult(f"{self.variant.title}: {got['verified']} of {count} verified")

    def round(self, load, seconds):
        cpu = self.server.account.cpu_seconds()
        begin = time.monotonic()
        sent = tools.source(self.server.port, *load.source_options(seconds))
        got = self.sink.wait_for(sent["accepted"], 60 + 20 * seconds)
        cpu = self.server.account.cpu_seconds() - cpu
        come = got["messages"]
        result = {"accepted": sent["accepted"], "refused": sent["refused"],
                  "unknown": sent["unknown"], "connection_errors": sent["connection_errors"],
                  "connections": sent["connections"], "received": come,
                  "accept_per_s": per_second(sent),
                  "through_per_s": come / (got["last_at"] - begin) if come else 0,
                  "cpu_us": cpu * 1e6 / come if come else None,
                  "latency_ms": tools.latency_ms(sent)}
        wrong = self.what_is_wrong(sent, come)
        if wrong:
            result["wrong"] = wrong
        return result

    @staticmethod
    def what_is_wrong(sent, come):
        """None for a round that may count."""
        if not sent["accepted"]:
            return f"nothing was accepted: {sent['errors'] or sent['refusals']}"
        if sent["refused"]:
            return f"{sent['refused']} refused: {next(iter(sent['refusals']), '')}"
        if come < sent["accepted"]:
            return f"{sent['accepted'] - come} of {sent['accepted']} did not arrive in time"
        if come > sent["accepted"] + sent["unknown"]:
            return f"{come - sent['accepted']} arrived that were not sent"
        return None

    def warm_up(self, load, seconds):
        """A round that is not counted; memory is read in it, for reading it costs."""
        most = {"memory_bytes": 0, "processes": 0}
        done = threading.Event()

        def watch():
            while not done.wait(0.25):
                with contextlib.suppress(OSError):
                    most["memory_bytes"] = max(most["memory_bytes"],
                                               self.server.account.memory_bytes())
                    most["processes"] = max(most["processes"],
                                            self.server.account.process_count())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            result = self.round(load, seconds)
        finally:
            done.set()
            watcher.join()
        return {**result, **most}

    def stop(self):
        if self.server:
            self.server.stop()
        if self.sink:
            self.sink.stop()


@contextlib.contextmanager
def contestants(names, folder, sessions, result):
    """Those that start; why the others do not stands in result["absent"]."""
    ready = {}
    try:
        for name in names:
            try:
                ready[name] = Contestant(VARIANTS[name], folder / name, sessions)
                result.setdefault("versions", {})[name] = ready[name].server.version()
                result.setdefault("exact_cpu", {})[name] = ready[name].server.exact_cpu
            except Unavailable as why:
                result.setdefault("absent", {})[name] = str(why)
                say(f"  {VARIANTS[name].title}: not in this run: {why}")
        yield ready
    finally:
        for contestant in ready.values():
            contestant.stop()


def run_load(load, names, count, folder):
    """All rounds of a load; raw, for figures.py and report.py."""
    result = {"load": load.name, "title": load.title, "seconds": load.seconds,
              "warm_up": {}, "rounds": {}}
    with contestants(names, folder, load.connections, result) as ready:
        for name, contestant in ready.items():
            result["warm_up"][name] = contestant.warm_up(load, load.seconds)
            result["rounds"][name] = []
        for number in range(count):
            for name, contestant in ready.items():
                got = contestant.round(load, load.seconds)
                result["rounds"][name].append(got)
                say(f"  {number + 1}/{count} {contestant.variant.title}: "
                    f"{got['accept_per_s']:.0f}/s in, {got['through_per_s']:.0f}/s through, "
                    f"{got['cpu_us'] or 0:.0f} µs CPU" + (f", WRONG: {got['wrong']}"
                                                        if "wrong" in got else ""))
        result["loop_stall_us"] = {name: contestant.server.loop_stall()
                                   for name, contestant in ready.items()
                                   if not contestant.variant.peer}
    return result
