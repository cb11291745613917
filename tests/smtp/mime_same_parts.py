#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares NAME.before with NAME.after in a folder: same tree of types, same decoded leaves.

Python's email package is the judge; it shares nothing with the gateway's own reader.
"""

import email
import email.errors
import email.policy
import pathlib
import sys


def decoded(part):
    """What a reader of this leaf would be given, in bytes."""
    label = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    payload = part.get_payload(decode=True)
    if payload is None:
        payload = b""
    # Line ends at the end of a leaf are the boundary's or nobody's.
    return payload.replace(b"\r\n", b"\n").rstrip(b"\n"), label


def walk(part, path="0"):
    kind = part.get_content_type()
    if part.is_multipart():
        yield path, kind, (part.preamble or "").strip(), (part.epilogue or "").strip()
        for number, child in enumerate(part.get_payload()):
            yield from walk(child, f"{path}.{number}")
    else:
        yield path, kind, decoded(part)[0], part.get_filename()


def main(folder):
    different = 0
    compared = 0
    apart = 0
    for before in sorted(pathlib.Path(folder).glob("*.before")):
        after = before.with_suffix(".after")
        one = email.message_from_bytes(before.read_bytes(), policy=email.policy.compat32)
        two = email.message_from_bytes(after.read_bytes(), policy=email.policy.compat32)
        # RFC 5322 §4.5 lets white space stand before the colon, the judge does not: it takes the rest
        # of such a header for text.
        if any(isinstance(d, email.errors.MissingHeaderBodySeparatorDefect) for d in one.defects):
            apart += 1
            continue
        compared += 1
        parts_one, parts_two = list(walk(one)), list(walk(two))
        if parts_one == parts_two:
            continue
        different += 1
        print(f"{before.name}: {len(parts_one)} parts before, {len(parts_two)} after")
        for a, b in zip(parts_one, parts_two):
            if a != b:
                print(f"  before {str(a)[:300]}\n  after  {str(b)[:300]}")
                break
    print(f"{compared} mails compared, {different} differ, {apart} have no header to the judge")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
