# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository of harvested keys, filled through SMTP until it is full, and half as much again.

What tools/soak-harvest runs with 512 MB and test_harvest_capacity.py with the smallest capacity:
each message has a signer of its own (`sealload source --signers`), memory is looked at meanwhile,
and who is still there at the end by the control socket. A bound that does not hold is an entry of
`broken`; figures are kept as they are found.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import harness

CONFIGURATION = """
[gateway]
hostname = gate.example.net
data-dir = {data}

[listener:public]
address = 127.0.0.1:{port}
type = public
certificate = none
default-policy = INCOMING

[listener:private]
address = 127.0.0.1:{inside}
type = private
certificate = none
default-policy = RELAYED

[recipient-access]
example.net = accept

[mail-flow-policy:INCOMING]
action = accept
smime-verify-decrypt = yes
smime-harvest = {harvest}
messages-per-connection-max = 1000000

[trust:smime]
ca-files = {authority}

[key-repository]
capacity = {capacity}

[sending-profile:encrypt]
mode = encrypt

[content-filter:encrypt-all]
direction = outgoing
actions = smime-gateway("encrypt");

[mail-policy:DEFAULT]
direction = outgoing
content-filters = encrypt-all

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
level = warning
"""

CERTIFICATE_BYTES = 1400
# What such a key takes, roughly: to know how much to send at a time.
RECORD_BYTES = 1672
# What a process may be off by: a share of the capacity, or what all else moves by.
MEMORY_SHARE = 0.02
MEMORY_BYTES = 8 << 20
MEMORY_CAPACITY_MIN = 64 << 20  # of less it says nothing
TOUCHED = 20  # keys that are used while they are among the oldest, in each of two ways


def owner(number):
    return f"signer{number}@example.com"


class Soak:
    def __init__(self, folder, capacity_bytes, connections=16, say=lambda text: None):
        self.folder = pathlib.Path(folder)
        self.capacity = capacity_bytes
        self.connections = connections
        self.tolerance = max(MEMORY_SHARE * capacity_bytes, MEMORY_BYTES)
        self.steps = 12 if capacity_bytes >= MEMORY_CAPACITY_MIN else 2  # until it is full
        self.say = say
        self.figures = {}
        self.broken = []
        self.random = random.Random(1)
        self.authority = self.folder / "authority.pem"
        self.issuer = self.folder / "signers-with-keys.pem"
        self.sink = harness.Sink(self.folder / "sink", keep=False).start()
        self.gateways = []
        self.sent = 0  # the last signer's number
        # The authority is there before the gateway that is to trust it.
        self.source(self.sink.port, 1, 1, 1)

    def close(self):
        for gateway in self.gateways:
            gateway.stop()
        self.sink.stop()

    def check(self, holds, what):
        if not holds:
            self.broken.append(what)
            self.say(f"DOES NOT HOLD: {what}")

    def gateway(self, name, harvest):
        gateway = harness.Gateway(self.folder / name, self.sink.port, text="")
        gateway.values |= {"authority": self.authority, "capacity": self.capacity,
                           "harvest": harvest, "inside": harness.free_port()}
        gateway.write(CONFIGURATION)
        self.gateways.append(gateway)
        return gateway

    def source(self, port, first, count, connections=None):
        return harness.source(
            port, "--signers", count, "--signers-from", first, "--messages", count,
            "--size", 300, "--signer-bytes", CERTIFICATE_BYTES, "--signer-ca", self.issuer,
            "--ca-out", self.authority, "--connections", connections or self.connections,
            "--messages-per-connection", 10_000, timeout=3600)

    def settle(self, gateway):
        """Until nothing is under way."""
        def is_empty():
            return not self.ask_all(gateway, [{"command": "status"}])[0]["queue"]["messages"]
        harness.wait_until(is_empty, "an empty queue", 600)

    @staticmethod
    def resident(gateway, field="VmRSS"):
        """Or VmHWM: the most that it ever was."""
        text = pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()
        return int(text.split(f"{field}:")[1].split()[0]) * 1024

    @staticmethod
    def ask_all(gateway, requests):
        """By the control socket itself: a command for each would be a process for each."""
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(harness.PATIENCE)
            control.connect(str(gateway.data / "control.sock"))
            with control.makefile("rwb") as file:
                answers = []
                for request in requests:
                    file.write(json.dumps(request).encode() + b"\n")
                    file.flush()
                    answers.append(json.loads(file.readline()))
                return answers

    def repository(self, gateway):
        return self.ask_all(gateway, [{"command": "status"}])[0]["keys"]

    def known(self, gateway, numbers):
        """The certificates of these signers, None for those who are not there."""
        answers = self.ask_all(gateway, [{"command": "key.known", "address": owner(number)}
                                         for number in numbers])
        return {number: answer["keys"][0] if answer["keys"] else None
                for number, answer in zip(numbers, answers)}

    def sample(self, first, last, count=1000):
        numbers = range(max(first, 1), last + 1)
        return sorted(self.random.sample(numbers, min(count, len(numbers))))

    # The parts, in order.

    def measure_empty(self, messages):
        """What the same mail takes where nobody harvests."""
        gateway = self.gateway("empty", "no")
        gateway.start()
        samples = []
        for part in range(4):
            self.source(gateway.port, 1 + part * messages // 4, messages // 4)
            self.settle(gateway)
            samples.append(self.resident(gateway))
        self.figures |= {"empty_bytes": samples[-1],
                         "empty_peak_bytes": self.resident(gateway, "VmHWM")}
        gateway.stop()
        self.say("without harvesting: " + ", ".join(f"{s / 1e6:.1f}" for s in samples) + " MB")

    def step(self, gateway, count):
        began = time.monotonic()
        self.source(gateway.port, self.sent + 1, count)
        self.sent += count
        self.settle(gateway)
        keys, resident = self.repository(gateway), self.resident(gateway)
        self.say(f"{self.sent} sent ({count / (time.monotonic() - began):.0f}/s): "
                 f"{keys['harvested']} keys in {keys['harvested_bytes'] / 1e6:.2f} MB, resident "
                 f"{resident / 1e6:.2f} MB, {keys['evictions']} evicted, {keys['unstored']} "
                 "not on disk yet")
        self.check(keys["harvested_bytes"] <= self.capacity,
                   f"{keys['harvested_bytes']} bytes of keys within {self.capacity}")
        if "empty_bytes" in self.figures:
            grown = resident - self.figures["empty_bytes"]
            hidden = grown - keys["harvested_bytes"]
            # Less, as long as buffers that count from the first key on are not all in use.
            self.check(hidden <= self.tolerance, f"the process grew by {grown} bytes, the "
                       f"repository says {keys['harvested_bytes']}")
            self.figures["hidden_bytes"] = max(self.figures.get("hidden_bytes", hidden), hidden)
            self.figures["grown_bytes"] = grown
            peak = self.resident(gateway, "VmHWM") - self.figures["empty_peak_bytes"]
            self.check(peak <= self.capacity + self.tolerance,
                       f"at most the process grew by {peak} bytes, the capacity is {self.capacity}")
            self.figures["peak_bytes"] = peak
        return keys

    def fill(self, gateway):
        began = time.monotonic()
        count = self.capacity // RECORD_BYTES // self.steps
        while not self.step(gateway, count)["evictions"]:
            pass
        self.figures["full_after"] = self.sent
        self.figures["messages_per_second"] = self.sent / (time.monotonic() - began)

    def use_some(self, gateway):
        """Of the oldest some are harvested again, and to some mail is encrypted."""
        evicted = self.repository(gateway)["evictions"]
        first = evicted + self.margin() + 1
        harvested = range(first, first + TOUCHED)
        encrypted = range(first + TOUCHED, first + 2 * TOUCHED)
        self.source(gateway.port, harvested[0], TOUCHED, connections=1)
        harness.source(gateway.values["inside"], "--messages", 1, "--connections", 1,
                       *(word for number in encrypted for word in ("--to", owner(number))))
        self.settle(gateway)
        self.used = [*harvested, *encrypted]

    def margin(self):
        return max(self.figures["full_after"] // 50, 3 * self.connections)

    def look_at_order(self, gateway):
        keys = self.repository(gateway)
        self.check(keys["harvested"] + keys["evictions"] == self.sent,
                   f"{keys['harvested']} keys and {keys['evictions']} evicted of {self.sent}")
        # The used ones stay, though older, in place of as many others.
        oldest = keys["evictions"] + len(self.used) + 1
        used = set(self.used)
        gone = [n for n in self.sample(1, oldest - self.margin()) if n not in used]
        there = self.sample(oldest + self.margin(), self.sent)
        found = self.known(gateway, [*gone, *self.used, *there])
        self.check(not any(found[n] for n in gone), "all that are older than the capacity are gone")
        self.check(all(found[n] for n in there), "all that are younger are there")
        self.check(all(found[n] for n in self.used), "all that were used are there")
        self.figures |= {"gone": len(gone), "there": len(there), "used": len(self.used),
                         "keys": keys["harvested"], "evictions": keys["evictions"],
                         "repository_bytes": keys["harvested_bytes"]}
        return found

    def restart(self, gateway, before):
        keys = self.repository(gateway)["harvested"]
        began = time.monotonic()
        gateway.stop()
        stopped = time.monotonic()
        self.look_up(gateway)
        restarted = time.monotonic()
        gateway.start()
        self.figures |= {"stop_seconds": stopped - began,
                         "start_seconds": time.monotonic() - restarted,
                         "disk_bytes": sum(path.stat().st_size
                                           for path in (gateway.data / "keys").iterdir())}
        after = self.repository(gateway)
        self.check(after["harvested"] == keys, f"{after['harvested']} of {keys} keys came back")
        self.check(after["evictions"] == 0, "no key had to go at the start")
        self.check(self.known(gateway, before) == before, "the same certificates as before")
        self.figures["came_back"] = after["harvested"]

    def look_up(self, gateway):
        """key_bench on the store that has been filled; it is open in one process at a time."""
        bench = harness.BIN / "key_bench"
        if not bench.exists() or self.capacity < MEMORY_CAPACITY_MIN:
            return
        done = subprocess.run(
            [bench, "--benchmark_filter=stored", "--benchmark_format=json"], capture_output=True,
            text=True, check=False, env=os.environ | {
                "SEALGATE_KEY_STORE": str(gateway.data / "keys"),
                "SEALGATE_KEY_STORE_BYTES": str(self.capacity)})
        self.check(done.returncode == 0, "key_bench on the store: " + done.stderr)
        for row in json.loads(done.stdout or "{}").get("benchmarks", []):
            self.check("error_message" not in row, f"{row['name']}: {row.get('error_message')}")
            self.figures[row["name"] + "_ns"] = row.get("cpu_time", 0)

    def kill(self, gateway, seconds):
        """kill -9 in the midst of harvesting."""
        keys = self.repository(gateway)["harvested"]
        with concurrent.futures.ThreadPoolExecutor() as threads:
            sending = threads.submit(
                harness.source, gateway.port, "--signers", 1 << 30, "--signers-from",
                self.sent + 1, "--messages", 0, "--seconds", seconds + 30, "--size", 300,
                "--signer-bytes", CERTIFICATE_BYTES, "--signer-ca", self.issuer,
                "--connections", self.connections, check=False, timeout=3600)
            time.sleep(seconds)
            sent = self.repository(gateway)["evictions"]
            gateway.kill()
            sending.result()
        self.check(sent > 0, "it was harvesting when it was killed")
        began = time.monotonic()
        gateway.start()
        self.figures["start_after_kill_seconds"] = time.monotonic() - began
        after = self.repository(gateway)
        self.check(0.97 * keys <= after["harvested"] <= 1.03 * keys,
                   f"{after['harvested']} keys after kill -9, {keys} before")
        if sent < keys // 2:  # those that had come before the last start
            first = self.sent - keys // 4
            found = self.known(gateway, self.sample(first, self.sent))
            self.check(all(found.values()), "the youngest keys from before the kill are there")
        if keys < 10_000:
            rows = gateway.ask("key", "harvested")["keys"]
            self.check(len(rows) == after["harvested"], f"{len(rows)} keys can be parsed")
            wrong = [row for row in rows if row["emails"] != [row["owner"]]]
            self.check(not wrong, f"each is its owner's: {wrong[:1]}")
        self.figures |= {"after_kill": after["harvested"],
                         "at_the_start_removed": after["evictions"]}
        self.settle(gateway)

    def run(self, kill_seconds):
        if self.capacity >= MEMORY_CAPACITY_MIN:
            self.measure_empty(min(60_000, self.capacity // RECORD_BYTES // 3))
        gateway = self.gateway("full", "yes")
        gateway.start()
        self.fill(gateway)
        self.use_some(gateway)
        more = self.repository(gateway)["harvested"] // 2
        for _ in range(self.steps // 2):
            self.step(gateway, 2 * more // self.steps)
        found = self.look_at_order(gateway)
        self.restart(gateway, found)
        self.kill(gateway, kill_seconds)
        gateway.stop()


ROWS = [
    ("keys when full and half as many again had come", "keys", "{:,}"),
    ("evicted", "evictions", "{:,}"),
    ("messages a second until it was full", "messages_per_second", "{:,.0f}"),
    ("what the repository says it holds, MB", "repository_bytes", 1e6),
    ("what the process has grown by, MB", "grown_bytes", 1e6),
    ("at the moment of its most memory, MB", "peak_bytes", 1e6),
    ("the most that it held beside what the repository says, MB", "hidden_bytes", 1e6),
    ("the same mail without harvesting: resident, MB", "empty_bytes", 1e6),
    ("the oldest, looked for by name: gone", "gone", "{:,}"),
    ("the youngest, looked for by name: there", "there", "{:,}"),
    ("old ones used in between: there", "used", "{:,}"),
    ("find() of a key in use, ns", "find_stored_in_frequent_use_ns", "{:,.0f}"),
    ("find() of any key without parsing it, ns", "find_stored_expired_ns", "{:,.0f}"),
    ("find() of nobody's, ns", "find_stored_none_ns", "{:,.0f}"),
    ("on disk, MB", "disk_bytes", 1e6),
    ("keys after a restart", "came_back", "{:,}"),
    ("a stop took, s", "stop_seconds", "{:.2f}"),
    ("a start took, s", "start_seconds", "{:.2f}"),
    ("keys after kill -9 while harvesting", "after_kill", "{:,}"),
    ("that start took, s", "start_after_kill_seconds", "{:.2f}"),
    ("and had to remove", "at_the_start_removed", "{:,}"),
]


def table(figures):
    lines = []
    for name, key, form in ROWS:
        value = figures.get(key, "not measured")
        if isinstance(value, (int, float)):
            value = form.format(value) if isinstance(form, str) else f"{value / form:,.2f}"
        lines.append(f"| {name} | {value} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(
        prog="tools/soak-harvest",
        description="Fills a gateway's repository of harvested keys through SMTP, with half as "
                    "many again as it holds, and looks at memory, order, look-ups, restarts. Exit "
                    "code 1 when a bound does not hold.")
    parser.add_argument("--megabytes", type=int, default=512, help="the capacity (512)")
    parser.add_argument("--connections", type=int, default=64, help="of the source (64)")
    parser.add_argument("--kill-after", type=float, default=5, metavar="SECONDS",
                        help="of harvesting, kill -9 (5)")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="sealgate-harvest-",
                              dir=os.environ.get("SEALGATE_BENCH_DIR", "/var/tmp"))
    soak = Soak(folder, options.megabytes << 20, options.connections,
                say=lambda text: print(text, flush=True))
    try:
        soak.run(options.kill_after)
    finally:
        soak.close()
        shutil.rmtree(folder, ignore_errors=True)
    print(table(soak.figures))
    return 1 if soak.broken else 0


if __name__ == "__main__":
    sys.exit(main())
