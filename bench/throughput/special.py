# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not a race of servers: the load tools themselves, latency, slow sessions, growth."""

import dataclasses
import subprocess
import time

import disk
import harness
import load as tools
from figures import summary
from rounds import contestants, say
from scenarios import LOADS


def run_tools(count, folder, quick):
    """Our source into our sink, beside smtp-source into smtp-sink; 10 KB, 64 connections."""
    result = {"rounds": {"sealload": [], "sealload_no_pipelining": []}}
    messages = 2000 if quick else 50000
    size = 10240
    with_postfix = tools.can_use_postfix_tools()
    if with_postfix:
        result["rounds"]["postfix"] = []
    else:
        result["absent"] = {"postfix": "smtp-source and smtp-sink are not installed"}
    for number in range(count):
        rows = result["rounds"]
        rows["sealload"].append(tools.own_pair(messages, 64, size))
        if with_postfix:
            rows["postfix"].append(tools.postfix_pair(messages, 64, size))
        rows["sealload_no_pipelining"].append(
            tools.own_pair(messages, 64, size, "--no-pipelining"))
        say(f"  {number + 1}/{count} " + ", ".join(f"{name} {values[-1]:.0f}/s"
                                                   for name, values in rows.items()))
    return result


def run_latency(count, folder, quick):
    """End of data to 250 in an open loop at half of what a closed loop of the same run reached.

    The rate is the machine's and the server's, so it is found first; one fsync is timed before
    each round, alone, on the disk of the run, and fifty times a second during it.
    """
    result = {"rounds": {}, "fsync_us": [], "fsync_beside_us": {}, "rate": {}}
    if not tools.source_takes("--rate"):
        return {**result, "absent": {"all": "this sealload source has no --rate"}}
    load = dataclasses.replace(LOADS["10k"], seconds=1 if quick else 5)
    with contestants(("relay", "p256"), folder, load.connections, result) as ready:
        for name, contestant in ready.items():
            contestant.warm_up(load, load.seconds)
            result["rate"][name] = round(contestant.round(load, load.seconds)["through_per_s"] / 2)
            result["rounds"][name] = []
            result["fsync_beside_us"][name] = []
        for number in range(count):
            for name, contestant in ready.items():
                result["fsync_us"].append(disk.fsync_us(folder, 50 if quick else 200))
                with disk.fsync_beside(folder, result["fsync_beside_us"][name]):
                    sent = tools.source(contestant.server.port, *load.source_options(load.seconds),
                                        "--rate", result["rate"][name])
                contestant.sink.wait_for(sent["accepted"], 60)
                latency = tools.latency_ms(sent)
                result["rounds"][name].append({**latency, "accepted": sent["accepted"],
                                               "refused": sent["refused"]})
                say(f"  {number + 1}/{count} {contestant.variant.title} at "
                    f"{result['rate'][name]}/s: p99 {latency['p99']:.2f} ms, one fsync "
                    f"{result['fsync_us'][-1]['p50'] / 1000:.2f} ms")
        result["loop_stall_us"] = {name: contestant.server.loop_stall()
                                   for name, contestant in ready.items()}
    return result


def run_slow(count, folder, quick):
    """100 fast sessions at a fixed rate, alone and beside 10,000 that send byte by byte."""
    result = {"rounds": {"alone": [], "beside": []}}
    for option in ("--rate", "--trickle"):
        if not tools.source_takes(option):
            return {**result, "absent": {"all": f"this sealload source has no {option}"}}
    fast, slow, seconds = (20, 200, 2) if quick else (100, 10000, 10)
    rate = 200 if quick else 1000
    options = ["--connections", fast, "--size", 10240, "--messages", 0, "--seconds", seconds,
               "--rate", rate, "--messages-per-connection", 100000]
    result.update(fast=fast, slow=slow, rate=rate)
    with contestants(("relay",), folder, slow + fast, result) as ready:
        contestant = ready["relay"]
        port = contestant.server.port
        tools.source(port, *options)
        for number in range(count):
            result["rounds"]["alone"].append(tools.latency_ms(tools.source(port, *options)))
            crowd = subprocess.Popen(
                [harness.SEALLOAD, "source", "--target", f"127.0.0.1:{port}", "--connections",
                 str(slow), "--messages", str(slow), "--size", "1000000", "--trickle", "100",
                 "--json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL)
            try:
                harness.wait_until(lambda: contestant.server.gateway.ask("status")["sessions"]
                                   >= slow, f"{slow} slow sessions", 60)
                time.sleep(0.2 if quick else 2)
                result["rounds"]["beside"].append(tools.latency_ms(tools.source(port, *options)))
                result["memory_bytes"] = contestant.server.account.memory_bytes()
                if crowd.poll() is not None:
                    raise tools.WrongResult("the slow sessions ended too early")
            finally:
                harness.end_process(crowd, 9)
            harness.wait_until(lambda: contestant.server.gateway.ask("status")["sessions"] < fast,
                               "the end of the slow sessions", 60)
            say(f"  {number + 1}/{count} p99 alone {result['rounds']['alone'][-1]['p99']:.2f} ms, "
                f"beside {slow} slow ones {result['rounds']['beside'][-1]['p99']:.2f} ms")
        result["loop_stall_us"] = contestant.server.loop_stall()
    return result


SIZES = (1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20, 100 << 20)
SESSIONS = (10, 100, 1000, 10000)


def run_growth(count, folder, quick):
    """CPU per message as messages grow, and as sessions become many; signing with P-256."""
    sizes = SIZES[:4] if quick else SIZES
    sessions = SESSIONS[:2] if quick else SESSIONS
    result = {"size_cpu_us": {size: [] for size in sizes},
              "sessions_cpu_us": {number: [] for number in sessions}}
    with contestants(("p256",), folder, max(sessions), result) as ready:
        contestant = ready["p256"]
        for number in range(count):
            for size in sizes:
                total = (8 << 20) if quick else (400 << 20)
                messages = min(max(4, total // size), 200 if quick else 20000)
                cpu = cpu_of(contestant, messages, size, min(16, messages))
                result["size_cpu_us"][size].append(cpu)
            for many in sessions:
                messages = max(many, 200 if quick else 20000)
                cpu = cpu_of(contestant, messages, 10240, many)
                result["sessions_cpu_us"][many].append(cpu)
            say(f"  {number + 1}/{count} CPU per message, by size: " + ", ".join(
                f"{size >> 10} KB {values[-1]:.0f} µs"
                for size, values in result["size_cpu_us"].items())
                + "; by sessions: " + ", ".join(
                f"{many}: {values[-1]:.0f} µs"
                for many, values in result["sessions_cpu_us"].items()))
    return result


def cpu_of(contestant, messages, size, connections):
    before = contestant.server.account.cpu_seconds()
    sent = tools.source(contestant.server.port, "--messages", messages, "--size", size,
                        "--connections", connections, "--messages-per-connection", 1000)
    got = contestant.sink.wait_for(sent["accepted"], 300)
    if not messages == sent["accepted"] == got["messages"]:
        raise tools.WrongResult(f"{messages} sent, {sent['accepted']} accepted, "
                                f"{got['messages']} arrived: {sent['refusals'] or sent['errors']}")
    return (contestant.server.account.cpu_seconds() - before) * 1e6 / messages


SPECIALS = {"tools": run_tools, "latency": run_latency, "slow-sessions": run_slow,
            "growth": run_growth}


def medians(rounds, key):
    return summary([one.get(key) for one in rounds])
