#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows, mail by mail, what became of what tools/run sent: size, subject, structure, verdict.

Usage: show_mails.py STATE_DIR CA_FILE; exit code 1 when a mail was lost or did not verify.
"""

import email
import email.header
import email.policy
import pathlib
import subprocess
import sys


def read_ledger(path, fields):
    rows = []
    for line in path.read_text(errors="replace").splitlines():
        rows.append(dict(zip(fields, line.split("\t"))))
    return rows


def structure(part, depth=0):
    """multipart/signed(multipart/mixed(text/plain, image/png 77K), application/pkcs7-signature)"""
    kind = part.get_content_type()
    if part.is_multipart() and depth < 10:
        return f"{kind}({', '.join(structure(inner, depth + 1) for inner in part.get_payload())})"
    return kind


def subject_of(mail):
    raw = next((value for name, value in mail.raw_items() if name.lower() == "subject"), "")
    text = " ".join(str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace").split())
    try:
        text = str(email.header.make_header(email.header.decode_header(text)))
    except (UnicodeError, LookupError, ValueError):
        pass  # shown as it stands
    return "".join(c if c.isprintable() else "·" for c in text)[:70]


def verdict(path, ca_file):
    """What `openssl cms -verify` says, as anybody may ask it."""
    done = subprocess.run(["openssl", "cms", "-verify", "-CAfile", ca_file, "-in", path,
                           "-out", "/dev/null"], capture_output=True, text=True)
    if done.returncode == 0:
        return True, "openssl cms -verify: " + done.stderr.strip().splitlines()[-1]
    return False, "openssl cms -verify: FAILED, " + done.stderr.strip().splitlines()[-1]


def reason_of(path):
    """The reason a delivery report gives."""
    text = path.read_text(errors="replace").replace("\n\t", " ").replace("\n ", " ")
    for line in text.splitlines():
        if line.lower().startswith("diagnostic-code:"):
            return line.partition(":")[2].strip()
    for line in text.splitlines():
        if line.lower().startswith("status:"):
            return line.strip()
    return "see " + str(path)


def show(row, received, reports, state, ca_file):
    """True when this mail's fate is a good one."""
    name = pathlib.Path(row["template"])
    print(f"\n{name.parent.name}/{name.name}")
    if row["outcome"] != "accepted":
        print(f"  refused: {row['reply']}")
        return True
    if row["id"] in reports:
        print(f"  returned to its sender: {reason_of(state / 'mails' / reports[row['id']])}")
        return True
    if row["id"] not in received:
        print("  NOTHING ARRIVED")
        return False
    path = state / "mails" / received[row["id"]]
    content = path.read_bytes()
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    print(f"  {path.name}, {len(content)} bytes, \"{subject_of(mail)}\"")
    print(f"  {structure(mail)}")
    before = email.message_from_bytes(name.read_bytes(), policy=email.policy.compat32)
    if before.get_content_type() in ("multipart/signed", "application/pkcs7-mime"):
        print("  was S/MIME already, so it passed as it is")
        return True
    good, text = verdict(path, ca_file)
    print(f"  {text}")
    return good


def main():
    state, ca_file = pathlib.Path(sys.argv[1]), sys.argv[2]
    sent = read_ledger(state / "sent", ["id", "outcome", "reply", "recipients", "template"])
    received, reports = {}, {}
    for row in read_ledger(state / "received", ["id", "recipients", "bytes", "kind", "about",
                                                "sender", "file", "verdict"]):
        if row["kind"] == "dsn":
            reports[row["about"]] = row["file"]
        else:
            received[row["id"]] = row["file"]
    results = [show(row, received, reports, state, ca_file) for row in sent]
    accepted = sum(row["outcome"] == "accepted" for row in sent)
    print(f"\n{len(sent)} mails: {accepted} accepted, {len(received)} arrived, "
          f"{len(reports)} returned with a reason, {results.count(False)} went wrong")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
