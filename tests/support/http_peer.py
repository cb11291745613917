#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server for tests; prints its port. With --tls CERTIFICATE KEY it speaks HTTPS.

/status/N answers N; /body/N has N bytes; /silent says nothing; /slow sends a byte a second;
/redirect?to=URL redirects; /echo answers with request line, credentials and body; /huge never ends;
/files/NAME is a file of --files DIRECTORY. --address ::1 is where it listens.

A POST to /keep/NAME/N,M… adds a line, content type and body, to the file NAME of --files DIRECTORY
and answers N, then M, …, the last of them for ever; to anywhere else it is answered with itself.
"""

import http.server
import pathlib
import socket
import ssl
import sys
import time
import urllib.parse

FILES = None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type", "")
        _, what, *rest = self.path.split("/")
        if what == "keep" and FILES:
            with (FILES / rest[0]).open("a+") as kept:
                kept.seek(0)
                before = len(kept.readlines())
                kept.write(f"{kind} {body.decode()}\n")
            statuses = rest[1].split(",")
            self.answer(int(statuses[min(before, len(statuses) - 1)]), b"")
            return
        self.answer(200, f"POST {self.path} {kind} ".encode() + body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        _, what, *rest = path.split("/", 2)
        if what == "status":
            self.answer(int(rest[0]), b"" if rest[0] in ("204", "304") else b"said so")
        elif what == "body":
            self.answer(200, b"x" * int(rest[0]))
        elif what == "silent":
            time.sleep(3600)
        elif what == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(3600):
                self.wfile.write(b"x")
                time.sleep(1)
        elif what == "huge":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 65536)
        elif what == "redirect":
            self.answer(302, b"", Location=urllib.parse.parse_qs(query)["to"][0])
        elif what == "files" and FILES:
            found = FILES / urllib.parse.unquote(rest[0])
            self.answer(200, found.read_bytes()) if found.is_file() else self.answer(404, b"none")
        else:
            login = self.headers.get("Authorization", "-")
            self.answer(200, f"{self.command} {self.path} {login}".encode())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    global FILES
    arguments = sys.argv[1:]
    address = "127.0.0.1"
    if "--address" in arguments:
        address = arguments[arguments.index("--address") + 1]
        Server.address_family = socket.AF_INET6
    server = Server((address, 0), Handler)
    if "--files" in arguments:
        FILES = pathlib.Path(arguments[arguments.index("--files") + 1])
    if "--tls" in arguments:
        at = arguments.index("--tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments[at + 1], arguments[at + 2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


main()
