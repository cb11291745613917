#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `sealgate smime verify` and `decrypt` say of every message of smime_peers.py, made by
OpenSSL, NSS, GnuPG, Bouncy Castle and found in the corpora: layers, signers, reason, result,
coverage, and what would be delivered.

    test_incoming_interop.py                 as a test
    test_incoming_interop.py --table         the table of docs/interop.md, from what is seen
    test_incoming_interop.py --only WORD     only messages with WORD in their name
"""

import collections
import concurrent.futures
import dataclasses
import itertools
import json
import sys

import cms_peers
import harness
import smime_corpora
import smime_messages
import smime_oracle
import smime_peers


@dataclasses.dataclass(frozen=True)
class Maker:
    """Whose messages they are, by the first words of their names."""
    words: str
    title: str  # in docs/interop.md
    count: int  # so many there are at least
    missing: str = None  # why there are none


def corpus(place):
    return None if place.exists() else f"{place.name} is absent"


def all_makers():
    peers = {kind.NAME: kind.missing() for kind in cms_peers.PEERS}
    any_missing = next(filter(None, peers.values()), None)
    return [
        Maker("openssl", "OpenSSL 3.0", 270),
        Maker("NSS", "NSS 3.87 `cmsutil`", 13, peers["NSS"]),
        Maker("GnuPG", "GnuPG 2.2 `gpgsm`", 18, peers["GnuPG"]),
        Maker("Bouncy Castle", "Bouncy Castle 1.72", 128, peers["Bouncy Castle"]),
        # One's signature in another's envelope, and the other way round.
        Maker("two", "one signs, another encrypts", 32, any_missing),
        Maker("refusal", "OpenSSL 3.0: strangers, forgers, accidents", 66),
        Maker("nss", "NSS's test data (by OpenSSL)", 17, corpus(smime_corpora.NSS)),
        Maker("notmuch", "notmuch's test data", 5, corpus(smime_corpora.NOTMUCH)),
        Maker("mimekit", "MimeKit's chains", 21, corpus(smime_corpora.MIMEKIT)),
        Maker("rfc9216", "RFC 9216's keys", 8 if not peers["Bouncy Castle"] else 4,
              corpus(smime_corpora.RFC9216)),
        Maker("openssl-cms", "OpenSSL's test data", 19, corpus(smime_corpora.OPENSSL))]


def maker_of(message, makers):
    words = "two" if message.name.endswith((" sign", " encrypt")) else message.name
    return next(maker for maker in makers if f"{words} ".startswith(f"{maker.words} "))


def agrees(expected, said):
    """`expected` is the least: dicts may say more, and lists of signers come in any order."""
    if isinstance(expected, dict):
        return isinstance(said, dict) and all(
            key in said and agrees(value, said[key]) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(said, list) and len(said) == len(expected) and any(
            all(map(agrees, expected, order)) for order in itertools.permutations(said))
    return expected == said


def without_line_ends(content):
    return content.replace(b"\r\n", b"\n").strip(b"\n")


class Reading:
    """One message, and what the tool says of it."""

    def __init__(self, message, folder):
        self.message = message
        self.folder = folder
        self.said = {}
        folder.mkdir()
        self.output = folder / "output.eml"
        self.done = self.run(folder / "mail.eml")
        self.complaints = list(self.find_complaints())

    def run(self, mail):
        message = self.message
        mail.write_bytes(message.mail)
        opens = message.keys and all(layer["type"] == "encrypted" for layer in message.layers)
        words = ["smime", "decrypt" if opens else "verify", mail, "--json", "--at",
                 smime_messages.AT, "--output", self.output, *message.options]
        for option, files in (("--ca", message.cas), ("--key", message.keys)):
            for file in files:
                words += [option, file]
        return harness.sealgate(*words, check=False)

    def find_complaints(self):
        try:
            self.said = json.loads(self.done.stdout)
        except ValueError:
            yield f"no JSON: exit {self.done.returncode}, {self.done.stdout}{self.done.stderr}"
            return
        message = self.message
        wanted = {"smime": message.smime, "verified": message.verified, "result": message.result,
                  "coverage": message.coverage}
        if message.smime:
            wanted["reason"] = message.reason
        for key, value in wanted.items():
            if self.said.get(key) != value:
                yield f"{key} is {self.said.get(key)!r}, not {value!r}"
        yield from self.layer_complaints(self.said.get("layers", []))
        if self.done.returncode != (0 if message.verified else 1):
            yield f"exit {self.done.returncode}: {self.done.stderr}"
        yield from self.delivery_complaints()

    def layer_complaints(self, said):
        wanted = self.message.layers
        if len(said) != len(wanted):
            yield f"{len(said)} layers, not {len(wanted)}: {said}"
        for number, (expected, layer) in enumerate(zip(wanted, said)):
            if not agrees(expected, layer):
                yield f"layer {number} is {layer}, not {expected}"

    def delivery_complaints(self):
        if not self.output.exists():
            yield "nothing would be delivered"
            return
        delivered = self.output.read_bytes()
        message = self.message
        if all(layer["type"] == "signed" for layer in message.layers) or not message.verified:
            # Signatures stay, by default, and what cannot be believed comes as it came.
            if delivered != message.mail:
                yield "not delivered byte for byte"
            return
        try:
            kinds, entity = smime_oracle.Oracle(self.folder).open(delivered)
        except AssertionError as said:
            yield f"what is delivered cannot be read: {said}"
            return
        if "encrypted" in kinds:
            yield f"delivered encrypted: {kinds}"
        elif message.exact and entity != message.content:
            yield f"delivered {kinds}, {len(entity)} octets, not {len(message.content)}"
        elif not message.exact:
            parts = harness.split_mail(message.content)
            body = without_line_ends(parts[1] if parts else message.content)
            if body not in without_line_ends(entity):
                yield "the content is not in what is delivered"


class IncomingInteropTest(harness.SystemTest):
    maxDiff = None

    def test_matrix(self):
        only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
        makers = all_makers()
        messages = [message for message in smime_peers.all_messages(self.folder / "made")
                    if only in message.name]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            readings = list(pool.map(lambda row: Reading(row[1], self.folder / f"read{row[0]}"),
                                     enumerate(messages)))
        for reading in readings:
            with self.subTest(message=reading.message.name):
                self.assertEqual(reading.complaints, [])
        if not only:
            self.count(makers, messages)
        if "--table" in sys.argv:
            print(table(makers, readings))

    def count(self, makers, messages):
        """That none of them got lost on the way."""
        counts = collections.Counter(maker_of(message, makers) for message in messages)
        for maker in makers:
            with self.subTest(maker=maker.title):
                if maker.missing:
                    self.skipTest(maker.missing)
                self.assertGreaterEqual(counts[maker], maker.count)


# ---- the table ----------------------------------------------------------------------------------

def layers_of(reading):
    """What kinds of layers, outermost first."""
    layers = reading.message.layers
    if not reading.message.smime:
        return "not at the root"
    if len(layers) == 1:
        said = reading.said["layers"][0]
        return {"signed": f"signed, {said.get('sign_mode')}",
                "encrypted": f"encrypted, {said['content_type']}",
                "other": "neither"}[said["type"]]
    if len(layers) > 4:
        return "six layers"
    return " > ".join(layer["type"] for layer in layers)


def table(makers, readings):
    groups = collections.defaultdict(list)
    for reading in readings:
        groups[maker_of(reading.message, makers), layers_of(reading)].append(reading)
    lines = ["| made by | layers | read | refused, as they should be |", "|---|---|---|---|"]
    for (maker, layers), group in sorted(groups.items(), key=lambda one: (
            makers.index(one[0][0]), one[0][1].count(">"), one[0][1])):
        cells = []
        for verified in (True, False):
            rows = [one for one in group if one.message.verified == verified]
            good = collections.Counter(one.message.reason if one.message.smime else "no S/MIME"
                                       for one in rows if not one.complaints)
            if verified:
                cells.append(f"{good.total()} of {len(rows)}" if rows else "–")
            else:
                cells.append(", ".join(f"{count} {word}" for word, count in sorted(good.items()))
                             or "–")
        lines.append("| " + " | ".join([maker.title, layers, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        harness.unittest.main(argv=sys.argv[:1])
    harness.main()
