# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a delivery report on standard input with Python's email package and says what is in it, a
line per fact, for dsn_test.cc. What is not RFC 3464 ends with an exception."""
import email
import email.policy
import sys

raw = sys.stdin.buffer.read()
assert all(byte < 128 for byte in raw), "not 7-bit"
assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r"), "line ends"
assert max(map(len, raw.split(b"\r\n"))) <= 998, "line too long"
report = email.message_from_bytes(raw, policy=email.policy.default)
assert report.get_content_type() == "multipart/report"
assert report.get_param("report-type") == "delivery-status"
assert not report.defects, report.defects
for name in ("From", "To", "Subject", "Auto-Submitted"):
    print(f"{name}: {report[name]}")
assert report["Date"].datetime and report["Message-ID"]
parts = list(report.iter_parts())
text, status = parts[0], parts[1]
assert text.get_content_type() == "text/plain" and status.get_content_type() == "message/delivery-status"
print("text:", text.get_content().replace("\n", " | "))
groups = status.get_payload()
for index, group in enumerate(groups):
    for name, value in group.items():
        print(f"{index} {name}: {' '.join(value.split())}")
for part in parts[2:]:
    body = part.get_payload(decode=True) if part.get_content_type() != "message/rfc822" \
        else part.get_payload(0).as_bytes(policy=email.policy.SMTP)
    print("original:", part.get_content_type(), len(body), body[:40])
