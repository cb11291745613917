# SPDX-License-Identifier: GPL-3.0-or-later
"""Who takes part, and in what. A new row here is a new row in bench/RESULTS.md."""

import dataclasses
import functools
import typing

import servers


@dataclasses.dataclass(frozen=True)
class Variant:
    """A server in one of its configurations."""

    name: str
    title: str
    make: typing.Callable  # (folder, next hop, sessions) -> Server
    peer: bool = False
    key: str | None = None  # it signs with this; what arrives must verify


def gateway(key=None, more=""):
    return functools.partial(servers.Gateway, key=key, more=more)


VARIANTS = {variant.name: variant for variant in [
    Variant("relay", "Sealgate, relay", gateway()),
    Variant("p256", "Sealgate, signs P-256", gateway("p256"), key="p256"),
    Variant("rsa2048", "Sealgate, signs RSA-2048", gateway("rsa:2048"), key="rsa:2048"),
    Variant("postfix", "Postfix, relay", servers.Postfix, peer=True),
    Variant("exim", "Exim, relay", servers.Exim, peer=True),
    Variant("opensmtpd", "OpenSMTPD, relay, never syncs", servers.OpenSmtpd, peer=True),
]}

ALL = ("relay", "p256", "rsa2048", "postfix", "exim", "opensmtpd")
MOST = ("relay", "p256", "postfix", "exim", "opensmtpd")


@dataclasses.dataclass(frozen=True)
class Load:
    """A closed loop: each connection sends its next message when the last was answered."""

    name: str
    title: str
    size: int
    connections: int
    per_connection: int = 1000
    seconds: int = 5
    variants: tuple = MOST
    # (variant, how many times Postfix's plain relay of the same mail, in messages through)
    goals: tuple = ()

    def source_options(self, seconds):
        return ["--connections", self.connections, "--size", self.size, "--messages", 0,
                "--messages-per-connection", self.per_connection, "--seconds", seconds]


LOADS = {load.name: load for load in [
    Load("10k", "10 KB, 64 connections", 10 * 1024, 64, variants=ALL,
         goals=(("p256", 5), ("rsa2048", 3), ("relay", 8))),
    Load("100k", "100 KB, 64 connections", 100 * 1024, 64),
    Load("1m", "1 MB, 16 connections", 1024 * 1024, 16),
    Load("one-a-connection", "10 KB, 64 connections, one mail each", 10 * 1024, 64, 1),
    Load("1000-sessions", "10 KB, 1,000 sessions", 10 * 1024, 1000, seconds=8),
    Load("10000-sessions", "10 KB, 10,000 sessions", 10 * 1024, 10000, seconds=15),
]}

# What is smaller in --quick: the same code, one round, in seconds.
QUICK = {"seconds": 1, "rounds": 1, "connections_max": 200}


def quick(load):
    return dataclasses.replace(load, seconds=QUICK["seconds"],
                               connections=min(load.connections, QUICK["connections_max"]))
