#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and stays as the parent of all that it leaves behind, until nobody is left.

Daemons leave their parent; a subreaper (prctl(2)) gets them back, and waiting for them adds their
times to its own children's times, where accounting.py finds them.
"""

import contextlib
import ctypes
import os
import signal
import sys

PR_SET_CHILD_SUBREAPER = 36


def main():
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("keeper: prctl does not take PR_SET_CHILD_SUBREAPER")
    first = os.fork()
    if first == 0:
        try:
            os.execvp(sys.argv[1], sys.argv[1:])
        except OSError as wrong:
            print(f"keeper: {sys.argv[1]}: {wrong.strerror}", file=sys.stderr)
            os._exit(127)
    # A request to end is for the command; the keeper ends when there is nobody to wait for.
    def pass_on(*_):
        with contextlib.suppress(ProcessLookupError):
            os.kill(first, signal.SIGTERM)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    status = 0
    while True:
        try:
            process, ended = os.wait()
        except ChildProcessError:
            sys.exit(status)
        if process == first:
            status = os.waitstatus_to_exitcode(ended) & 0xff


if __name__ == "__main__":
    main()
