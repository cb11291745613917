# SPDX-License-Identifier: GPL-3.0-or-later
"""The results as a section of bench/RESULTS.md: what was measured, and which goals it reaches."""

from figures import number, ratio, spread, summary
from scenarios import LOADS, VARIANTS

BEGIN = "<!-- tools/bench: begin -->"
END = "<!-- tools/bench: end -->"
CPU_GOALS = {"p256": 150}  # µs per message of 10 KB, architecture.md
RSA_EXTRA_US = 120


def column(rounds, key):
    """Of rounds that count; None stands for one that does not."""
    return [None if "wrong" in one else one.get(key) for one in rounds]


def latency(rounds, key):
    return [None if "wrong" in one else one["latency_ms"].get(key) for one in rounds]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def through_ratio(found, above, below):
    rounds = found["rounds"]
    if above not in rounds or below not in rounds:
        return None
    return ratio(column(rounds[above], "through_per_s"), column(rounds[below], "through_per_s"))


def load_section(found):
    """One load's table, and below it what is to be known of it."""
    peer = "postfix"
    rows = []
    for name, rounds in found["rounds"].items():
        warm = found["warm_up"][name]
        rows.append([
            VARIANTS[name].title,
            spread(summary(column(rounds, "accept_per_s"))),
            spread(summary(column(rounds, "through_per_s"))),
            spread(through_ratio(found, name, peer), 2) if name != peer else "1",
            spread(summary(column(rounds, "cpu_us"))) +
            ("" if found["exact_cpu"][name] else " †"),
            spread(summary(latency(rounds, "p50"))),
            spread(summary(latency(rounds, "p99"))),
            f"{number(warm['memory_bytes'] / 1e6)} in {warm['processes']:,}"])
    head = ["", "in/s", "through/s", "through, × Postfix", "CPU µs/mail", "reply p50 ms",
            "reply p99 ms", "MB in processes"]
    lines = ["", f"### {found['title']}", "", *table(head, rows)]
    for name, why in found.get("absent", {}).items():
        lines += ["", f"{VARIANTS[name].title}: not in this run: {why}."]
    for name, rounds in found["rounds"].items():
        for i, one in enumerate([found["warm_up"][name], *rounds]):
            if "wrong" in one:
                which = f"round {i}" if i else "the warm-up"
                lines += ["", f"{VARIANTS[name].title}, {which} does not count: {one['wrong']}."]
    if not all(found["exact_cpu"].values()):
        lines += ["", "† No control group could be made: what processes cost that nobody waited "
                      "for is missing (Exim's are such)."]
    return lines


def stall_p999_us(stall):
    """None when the gateway does not tell."""
    return next((stall[name] for name in ("p99.9", "p999") if name in stall), None) if isinstance(
        stall, dict) else None


def stall_text(stall):
    """Whatever percentiles a gateway tells."""
    if not stall:
        return "not told by this gateway"
    if isinstance(stall, dict):
        return ", ".join(f"{name} {value}" for name, value in stall.items())
    return str(stall)


def tools_section(found):
    titles = {"sealload": "sealload source → sealload sink",
              "sealload_no_pipelining": "the same without pipelining",
              "postfix": "smtp-source → smtp-sink"}
    below = found["rounds"].get("postfix", [])
    rows = [[titles[name], spread(summary(rounds)),
             "1" if name == "postfix" else spread(ratio(rounds, below), 2)]
            for name, rounds in found["rounds"].items()]
    return ["", "### The load tools alone, 10 KB, 64 connections", "",
            *table(["", "messages/s", "× Postfix's"], rows),
            *[f"\nPostfix's tools: not in this run: {why}." for why in
              found.get("absent", {}).values()]]


def latency_section(found):
    lines = ["", "### End of data to 250, open loop at half of the closed loop's rate, 10 KB"]
    if "all" in found.get("absent", {}):
        return lines + ["", f"Not measured: {found['absent']['all']}."]
    fsync = summary([one["p50"] / 1000 for one in found["fsync_us"]])
    rows = []
    for name, rounds in found["rounds"].items():
        p99 = summary([one["p99"] for one in rounds])
        beside = found["fsync_beside_us"][name]
        rows.append([VARIANTS[name].title, f"{found['rate'][name]:,}",
                     spread(summary([one["p50"] for one in rounds])), spread(p99),
                     number(p99["median"] / fsync["median"]),
                     *(spread(summary([one[key] / 1000 for one in beside]))
                       for key in ("p50", "p99")),
                     stall_text(found["loop_stall_us"].get(name))])
    worst = summary([one["p99"] / 1000 for one in found["fsync_us"]])
    return lines + ["", *table(["", "messages/s offered", "p50 ms", "p99 ms", "p99 in fsyncs",
                                "fsync beside p50 ms", "fsync beside p99 ms", "loop stall µs"],
                               rows),
                    "", f"One fsync alone on this disk: median {spread(fsync)} ms, its own p99 "
                        f"{spread(worst)} ms (appended 16 KB and fdatasync, before each round). "
                        "Beside: the same fifty times a second from another process while the load "
                        "runs, on the same cores and disk."]


def slow_section(found):
    lines = ["", "### Fast sessions beside slow ones"]
    if "all" in found.get("absent", {}):
        return lines + ["", f"Not measured: {found['absent']['all']}."]
    alone, beside = found["rounds"]["alone"], found["rounds"]["beside"]
    rows = [[title, *(spread(summary([one[key] for one in rounds])) for key in ("p50", "p99"))]
            for title, rounds in ((f"{found['fast']} sessions, {found['rate']:,} messages/s", alone),
                                  (f"the same beside {found['slow']:,} slow ones", beside))]
    rows.append(["ratio", *(spread(ratio([one[key] for one in beside],
                                         [one[key] for one in alone]), 2)
                            for key in ("p50", "p99"))])
    return lines + ["", *table(["", "reply p50 ms", "reply p99 ms"], rows),
                    "", f"Loop stall µs: {stall_text(found.get('loop_stall_us'))}. Memory with the "
                        f"slow ones: {number(found.get('memory_bytes', 0) / 1e6)} MB."]


def growth_section(found):
    sizes = {int(size): values for size, values in found["size_cpu_us"].items()}
    rows = [[f"{size >> 10:,} KB", spread(summary(values)),
             number(summary(values)["median"] / (size / 1e6))] for size, values in sizes.items()]
    many = [[f"{int(count):,}", spread(summary(values))]
            for count, values in found["sessions_cpu_us"].items()]
    return ["", "### Growth: CPU of the gateway, signing with P-256", "",
            *table(["message", "CPU µs/mail", "CPU µs/MB"], rows), "",
            *table(["sessions, 10 KB", "CPU µs/mail"], many)]


SECTIONS = {"tools": tools_section, "latency": latency_section, "slow-sessions": slow_section,
            "growth": growth_section}


def median_of(values):
    found = summary(values)
    return found["median"] if found else None


def goals(results):
    """Rows: goal, measured, reached or not; only what this run can say."""
    rows = []

    def row(goal, measured, reached):
        rows.append([goal, measured, "reached" if reached else "**not reached**"])

    for load in LOADS.values():
        found = results["loads"].get(load.name)
        for name, times in load.goals if found else ():
            got = through_ratio(found, name, "postfix")
            if got:
                row(f"{VARIANTS[name].title}, {load.title}: through ≥ {times} × Postfix's relay",
                    spread(got, 2), got["median"] >= times)
    found = results["loads"].get("10k")
    private_us = results["machine"].get("rsa2048_private_us")
    limits = dict(CPU_GOALS, **({"rsa2048": private_us + RSA_EXTRA_US} if private_us else {}))
    for name, most in limits.items() if found else ():
        cpu = summary(column(found["rounds"].get(name, []), "cpu_us"))
        if cpu:
            row(f"{VARIANTS[name].title}, 10 KB: CPU ≤ {most:.0f} µs/mail", spread(cpu),
                cpu["median"] <= most)
    for name, stall in found["loop_stall_us"].items() if found else ():
        worst = stall_p999_us(stall)
        if worst is not None:
            row(f"{VARIANTS[name].title}, {found['title']}: loop stall p99.9 ≤ 2 ms",
                f"{worst / 1000:.2f} ms (CPU time of rounds: {stall['CPU p99.9'] / 1000:.2f} ms)",
                worst <= 2000)
    special_goals(results["specials"], row)
    return rows


def special_goals(specials, row):
    """The same for what is not a race of servers; rows go through `row`."""
    pair = specials.get("tools")
    if pair and "postfix" in pair["rounds"]:
        got = ratio(pair["rounds"]["sealload"], pair["rounds"]["postfix"])
        row("source against sink ≥ smtp-source against smtp-sink", spread(got, 2) + " ×",
            got["median"] >= 1)
    found = specials.get("latency", {})
    for name, rounds in found.get("rounds", {}).items():
        got = median_of([one["p99"] for one in rounds]) * 1000
        fsync = median_of([one["p50"] for one in found["fsync_us"]])
        row(f"{VARIANTS[name].title}, half load: p99 of end of data → 250 ≤ 4 fsyncs",
            f"{got / fsync:.1f} fsyncs", got <= 4 * fsync)
    found = specials.get("slow-sessions", {})
    if found.get("rounds", {}).get("beside"):
        got = ratio([one["p99"] for one in found["rounds"]["beside"]],
                    [one["p99"] for one in found["rounds"]["alone"]])
        row(f"{found['slow']:,} slow sessions: p99 of {found['fast']} fast ones ≤ 2 ×",
            spread(got, 2) + " ×", got["median"] <= 2)
    found = specials.get("growth")
    if found:
        per_mb = [median_of(values) / (int(size) / 1e6)
                  for size, values in found["size_cpu_us"].items() if int(size) >= 1 << 20]
        if len(per_mb) > 1:
            row("CPU per MB at the largest size ≤ 1.25 × that at 1 MB",
                f"{per_mb[-1] / per_mb[0]:.2f} ×", per_mb[-1] <= 1.25 * per_mb[0])
        flat = [median_of(values) for values in found["sessions_cpu_us"].values()]
        row("CPU per mail with the most sessions ≤ 1.5 × the least with fewer",
            f"{flat[-1] / min(flat):.2f} ×", flat[-1] <= 1.5 * min(flat))


def machine_lines(machine, options):
    rsa = machine["rsa2048_private_us"]
    return [
        f"Commit {machine['commit']}, {machine['date']}; {machine['processor']}, "
        f"{machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, Linux "
        f"{machine['kernel']}, {machine['file_system']}; load of the machine before: "
        f"{machine['load_before']:.1f}."
        + (f" One RSA-2048 private operation of libcrypto: {rsa:.0f} µs." if rsa else ""), "",
        f"Made by `tools/bench {' '.join(options)}`".rstrip() + ". Source, servers and sinks share "
        "the cores; one server works at a time, rounds in turn. Figures are medians (least–most) "
        "of the rounds; a ratio is that of rounds side by side. `in` is what the source saw "
        "accepted, `through` what the sink had when it had all. CPU is the server's own, all its "
        "processes; memory their proportional set size at most, in the warm-up. Every queue is "
        "durable but OpenSMTPD's, which cannot be; settings: `bench/peers/`, "
        "`bench/throughput/servers.py`."]


def section(results):
    """All between the two marks."""
    lines = [BEGIN, "", *machine_lines(results["machine"], results["options"])]
    versions = {}
    for found in [*results["loads"].values(), *results["specials"].values()]:
        versions.update(found.get("versions", {}))
    told = sorted({f"{VARIANTS[name].title.partition(',')[0]} {version}"
                   for name, version in versions.items()})
    lines += ["", "Versions: " + ", ".join(told) + "."]
    reached = goals(results)
    if reached:
        lines += ["", "### Goals", "", *table(["goal", "measured", ""], reached)]
    for found in results["loads"].values():
        lines += load_section(found)
    for name, found in results["specials"].items():
        lines += SECTIONS[name](found)
    if any(found["rounds"] for found in results["loads"].values()):
        lines += ["", "![rate and latency](results.svg)"]
    return "\n".join([*lines, "", END])


def put(path, text):
    """Between the marks, and nothing else of the file is touched."""
    whole = path.read_text() if path.exists() else "# Results\n"
    if BEGIN in whole and END in whole:
        before, rest = whole.split(BEGIN, 1)
        whole = before + text + rest.split(END, 1)[1]
    else:
        whole = whole.rstrip() + "\n\n## End to end, beside other servers (`tools/bench`)\n\n" + text
        whole += "\n"
    path.write_text(whole)
