#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server of revocation lists and OCSP answers for tests; prints its port.

Usage: revocation_peer.py DIRECTORY. GET or POST of /file/NAME answers with that file of DIRECTORY,
/late/SECONDS/NAME after that time, /moved/NAME with a redirect to it, /huge never ends, /silent says
nothing. Every request is a line in DIRECTORY/requests: method, path, content type, bytes posted.
"""

import http.server
import pathlib
import sys
import threading
import time

DIRECTORY = pathlib.Path(sys.argv[1])
LOCK = threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send_file(self, name):
        found = DIRECTORY / name
        body = found.read_bytes() if found.is_file() else b"none"
        self.send_response(200 if found.is_file() else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        posted = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "-")
        with LOCK, (DIRECTORY / "requests").open("a") as log:
            log.write(f"{self.command} {self.path} {kind} {len(posted)}\n")
        _, what, *rest = self.path.split("/")
        if what == "file":
            self.send_file(rest[0])
        elif what == "late":
            time.sleep(float(rest[0]))
            self.send_file(rest[1])
        elif what == "moved":
            self.send_response(302)
            self.send_header("Location", f"/file/{rest[0]}")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif what == "huge":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"0" * 65536)
        else:
            time.sleep(3600)

    do_POST = do_GET


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 100

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
