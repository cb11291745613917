#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenSSL's OCSP responder for tests, on a port it picks, which is printed.

Usage: ocsp_responder.py ARGUMENT…, as `openssl ocsp` takes them (-index, -CA, -rsigner, -rkey…).
"""

import ctypes
import re
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def end_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


responder = subprocess.Popen(
    ["openssl", "ocsp", "-port", "0", *sys.argv[1:]],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    preexec_fn=end_with_parent)
for line in responder.stdout:
    accepting = re.search(r"ACCEPT .*:(\d+) PID", line)
    if accepting:
        print(accepting.group(1), flush=True)
        break
responder.wait()
