#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An LDAP server that misbehaves in one way, for tests; prints its port.

Usage: ldap_peer.py WAY. Ways: well, silent (accepts and says nothing), search-silent, trickle (a
byte at a time), garbage, half (half an answer), login-denied, no-such-object, busy, referral,
continuation (a reference among the entries), full (its backlog is full: connecting hangs).
"""

import socket
import sys
import threading
import time

BIND, SEARCH_DONE, SEARCH_REFERENCE = 0x61, 0x65, 0x73
CODES = {"no-such-object": 32, "busy": 51, "referral": 10}
HOURS = 3600


def tlv(tag, contents):
    length = len(contents)
    head = bytes([length]) if length < 128 else bytes([0x82, length >> 8, length & 255])
    return bytes([tag]) + head + contents


def message(number, operation):
    return tlv(0x30, tlv(2, bytes([number])) + operation)


def result(tag, code, referral=b""):
    more = tlv(0xA3, tlv(4, referral)) if referral else b""
    return tlv(tag, tlv(10, bytes([code])) + tlv(4, b"") + tlv(4, b"") + more)


def send(client, way, data):
    if way != "trickle":
        client.sendall(data)
        return
    for byte in data:
        client.sendall(bytes([byte]))
        time.sleep(0.01)


def serve(client, way, elsewhere):
    if way == "silent":
        time.sleep(HOURS)
    client.recv(4096)
    if way == "garbage":
        client.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 20)
        time.sleep(HOURS)
    if way == "half":
        client.sendall(b"\x30\x20\x02\x01")
        time.sleep(HOURS)
    send(client, way, message(1, result(BIND, 49 if way == "login-denied" else 0)))
    client.recv(4096)
    if way == "search-silent":
        time.sleep(HOURS)
    if way == "continuation":
        client.sendall(message(2, tlv(SEARCH_REFERENCE, tlv(4, elsewhere))))
    referral = elsewhere if way == "referral" else b""
    send(client, way, message(2, result(SEARCH_DONE, CODES.get(way, 0), referral)))
    client.recv(4096)


def main():
    way = sys.argv[1]
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0 if way == "full" else 50)
    address = server.getsockname()
    waiting = []
    if way == "full":
        for _ in range(3):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(address)
        time.sleep(0.1)
    print(address[1], flush=True)
    while way == "full":
        time.sleep(HOURS)
    # Whoever follows a referral comes back here, and is not answered.
    elsewhere = b"ldap://127.0.0.1:%d/dc=elsewhere" % address[1]
    while True:
        client, _ = server.accept()
        threading.Thread(target=serve, args=(client, way, elsewhere), daemon=True).start()


main()
