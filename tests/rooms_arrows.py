#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that includes follow the arrows between the rooms: tools -> smtp -> crypto, dns -> core,
and that each foreign library is seen only where architecture and style say.

Usage: rooms_arrows.py [SOURCE_DIR]; prints each offending line, exit code 1 when there is one.
"""

import pathlib
import re
import sys

ROOMS_SEEN_FROM = {
    "core": {"core"},
    "dns": {"core", "dns"},
    "crypto": {"core", "crypto"},
    "smtp": {"core", "crypto", "dns", "smtp"},
    "tools": {"core", "crypto", "dns", "smtp", "tools"},
}

# Library, what its includes look like, and the files that may see it.
LIBRARIES = [
    ("libuv", r"<uv\.h>|<uv/", r"core/(loop|socket|timer|workers)"),
    ("wolfSSL", r"[<\"](wolfssl|wolfcrypt)/", r"crypto/"),
    ("libcrypto", r"<openssl/", r"crypto/(trust|pkcs12|rsa_engine)"),
    ("libunbound", r"<unbound", r"dns/"),
    ("libcurl", r"<curl/", r"core/fetch"),
    ("RocksDB", r"<rocksdb/", r"core/(spool|record_store)"),
]

INCLUDE = re.compile(r"^\s*#\s*include\s+([<\"][^>\"]+[>\"])")


def offences(source, path):
    name = path.relative_to(source).as_posix()
    room = name.split("/")[0]
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        included = match.group(1)
        other = included.strip('<>"').split("/")[0]
        if included.startswith('"') and other in (*ROOMS_SEEN_FROM, "tests", "bench"):
            if other not in ROOMS_SEEN_FROM[room]:
                yield f"{name}:{number}: {room}/ may not look at {other}/: {line.strip()}"
        for library, pattern, allowed in LIBRARIES:
            if re.match(pattern, included) and not re.match(allowed, name):
                yield f"{name}:{number}: {library} is not seen here: {line.strip()}"


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = []
    for room in ROOMS_SEEN_FROM:
        for path in sorted((source / room).rglob("*")):
            if path.suffix in (".cc", ".h"):
                found += offences(source, path)
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
