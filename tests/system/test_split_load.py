#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recipients half with keys and half without, under load, through `missing-key` split, bounce and
drop: the ledgers say that nobody got a mail both encrypted and in clear, and nobody neither.

    test_split_load.py                                     20 seconds, killed twice, as a test
    test_split_load.py --seconds N [--kills K] [--rate R]  by hand, with figures; tools/soak-split
"""

import argparse
import collections
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

import harness

SETTLE_SECONDS = 180
WAYS = ["split", "bounce", "drop"]
# Domains with a certificate for all of them, and its key; the other two have none.
KEYED = {"d1.example": "rsa:2048", "d2.example": "p256"}
CLEAR, SEALED = "signed", "sign-encrypt"

CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:private]
address = 127.0.0.1:{port}
type = private
certificate = none
default-policy = RELAYED

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[bounce-profile:default]
retry-first = 1s
retry-max = 2s

[log]
mail-log = {data}/mail.log
""" + "".join(f"""
[sending-profile:{way}]
mode = sign-encrypt
certificate = mail
missing-key = {way}

[content-filter:{way}]
direction = outgoing
actions = smime-gateway("{way}");

[mail-policy:{way}]
direction = outgoing
senders = {way}@
content-filters = {way}
""" for way in WAYS)


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


class SplitRun:
    def __init__(self, folder, seed, rate):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.seed = seed
        self.rate = rate
        self.gateway = harness.Gateway(self.folder / "gateway", 25, text=CONFIGURATION)
        self.sink = None
        self.sources = {}

    def start(self):
        self.gateway.new_certificate("mail", "p256")
        keys = []
        for domain, kind in KEYED.items():
            self.gateway.new_certificate(domain, kind, domains=domain)
            chain = self.gateway.certificate(domain)
            self.gateway.command("key", "add", domain, chain)
            keys += ["--key", chain, "--key", chain.with_name("key.pem")]
        # The sink refuses now and then, so that there is always something to be tried again.
        self.sink = harness.Sink(self.folder / "sink", "--verify", *keys, "--fail", "end=451:5%",
                                 "--ca", self.gateway.certificate("mail"), keep=False)
        self.gateway.values["next_hop"] = self.sink.port
        self.gateway.write(CONFIGURATION)
        self.sink.start()
        self.gateway.start()
        for number, way in enumerate(WAYS):
            self.sources[way] = subprocess.Popen(
                [harness.SEALLOAD, "source", "--target", f"127.0.0.1:{self.gateway.port}",
                 "--messages", "0", "--seconds", "36000", "--rate", str(self.rate / len(WAYS)),
                 "--connections", "8", "--retry", "--sent", self.sent(way), "--from",
                 f"{way}@example.com", "--to", "u%r@d%h.example", "--recipients", "1..6",
                 "--domains", "4", "--size", "1K..20K", "--seed", str(self.seed + number),
                 "--json"], stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)

    def sent(self, way):
        return self.folder / f"sent-{way}"

    def run(self, seconds, kills):
        """Kills spread over the time, each at a random moment of its part."""
        part = seconds / (kills + 1)
        for number in range(kills + 1):
            pause = part * self.random.uniform(0.5, 1) if number < kills else part
            time.sleep(pause)
            if number < kills:
                self.gateway.kill()
                self.gateway.start()

    def finish(self):
        """Stops the sources and lets the queue run empty; what each way did, in figures."""
        for source in self.sources.values():
            source.terminate()
            source.wait(harness.PATIENCE)
        harness.wait_until(lambda: not self.gateway.queue(), "an empty queue", SETTLE_SECONDS)
        self.gateway.stop()
        summary = self.sink.stop()
        return {way: self.judge(way) for way in WAYS}, summary

    def judge(self, way):
        """One way's mails by `sealload ledger`, and each recipient's copies by what they must be."""
        received = self.folder / f"received-{way}"
        expected = self.folder / f"expected-{way}"
        rows = [line.split("\t") for line in lines_of(self.sent(way))]
        names = {row[0] for row in rows}
        mine = [line for line in lines_of(self.sink.ledger)
                if line.split("\t")[0] in names or line.split("\t")[4] in names]
        received.write_text("".join(line + "\n" for line in mine))
        # What is dropped is nobody's loss: the ledger is asked about the others.
        expected.write_text("".join("\t".join(row) + "\n" for row in rows
                                    if way != "drop" or self.all_keyed(row[3])))
        done = subprocess.run([harness.SEALLOAD, "ledger", expected, received, "--json",
                               *(["--expect-once"] if way == "split" else [])],
                              capture_output=True, text=True, check=False)
        found = harness.json.loads(done.stdout)
        figures = {"messages": found["accepted"], "in doubt": found["unknown"],
                   "DSNs": found["dsns"]}
        for name in ("lost", "duplicated", "altered", "both"):
            figures[name] = len(found[name])
        figures["neither"] = len(found["neither"]) if way == "split" else 0
        figures |= self.copies(way, rows, mine)
        return figures

    @staticmethod
    def all_keyed(recipients):
        return all(to.partition("@")[2] in KEYED for to in recipients.split(","))

    def copies(self, way, rows, mine):
        forms = collections.defaultdict(collections.Counter)
        told = collections.Counter()
        for line in mine:
            row = dict(zip(harness.Sink.FIELDS, line.split("\t")))
            if row["kind"] == "dsn":
                told[row["about"]] += 1
                continue
            for to in row["recipients"].split(","):
                forms[row["id"], to][row["form"]] += 1
        figures = collections.Counter({"encrypted": 0, "in clear": 0, "wrong": 0})
        for name, state, _, recipients, *_ in rows:
            whole = way == "split" or self.all_keyed(recipients)
            figures["not whole"] += state == "accepted" and not whole
            for to in recipients.split(","):
                got = forms[name, to]
                figures["encrypted"] += got[SEALED]
                figures["in clear"] += got[CLEAR]
                right = SEALED if to.partition("@")[2] in KEYED else CLEAR
                wanted = {right} if whole else set()
                # Of a message in doubt there may be nothing.
                if set(got) != wanted and not (state != "accepted" and not got):
                    figures["wrong"] += 1
            must_tell = way == "bounce" and not whole
            if bool(told[name]) != must_tell and not (state != "accepted" and not told[name]):
                figures["wrong"] += 1
        return figures

    def end(self):
        for source in self.sources.values():
            if source.poll() is None:
                source.kill()
                source.wait()
        self.gateway.stop(harness.signal.SIGKILL)
        if self.sink:
            self.sink.stop()


def failures(figures, summary, kills):
    """What must not be, by name."""
    bad = [f"{way}: {name} {found[name]}" for way, found in figures.items()
           for name in ("lost", "altered", "both", "neither", "wrong") if found[name]]
    bad += [f"{way}: duplicated {found['duplicated']}" for way, found in figures.items()
            if found["duplicated"] and not kills]
    bad += [f"{way}: no mail" for way, found in figures.items()
            if not found["messages"] or not found["encrypted"]]
    for way, name in (("split", "in clear"), ("bounce", "DSNs"), ("drop", "not whole")):
        if not figures[way][name]:
            bad.append(f"{way}: none {name}")
    if summary["not_verified"]:
        bad.append(f"not verified: {summary['failed']}")
    return bad


class SplitLoadTest(harness.SystemTest):
    def test_nobody_gets_both_and_nobody_neither(self):
        seed = random.randrange(1 << 30)
        run = SplitRun(self.folder, seed, rate=60)
        self.addCleanup(run.end)
        run.start()
        run.run(20, kills=2)
        figures, summary = run.finish()
        self.assertEqual(failures(figures, summary, kills=2), [], f"seed {seed}: {figures}")


def by_hand(arguments):
    folder = tempfile.mkdtemp(prefix="sealgate-split-")
    run = SplitRun(folder, arguments.seed, arguments.rate)
    try:
        run.start()
        run.run(arguments.seconds, arguments.kills)
        figures, summary = run.finish()
    finally:
        run.end()
    names = list(figures["split"])
    print(f"{'':8}" + "".join(f"{name:>12}" for name in names))
    for way, found in figures.items():
        print(f"{way:8}" + "".join(f"{found[name]:12}" for name in names))
    bad = failures(figures, summary, arguments.kills)
    for line in bad:
        print(line)
    if bad:
        print(f"ledgers and data are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{arguments.kills} kills, seed {arguments.seed}: "
          + ("FAILED" if bad else "nobody got both, nobody neither"))
    return 1 if bad else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    options, _ = parser.parse_known_args()
    if options.seconds:
        sys.exit(by_hand(options))
    harness.main()
