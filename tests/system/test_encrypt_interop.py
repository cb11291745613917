#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads what the gateway signs and encrypts: every mode, sign-mode, own key, cipher and kind of
recipient, through one gateway, by OpenSSL, NSS, GnuPG and Bouncy Castle, content byte for byte.

    test_encrypt_interop.py             as a test
    test_encrypt_interop.py --table     the table of docs/interop.md, from what is seen
"""

import base64
import collections
import dataclasses
import itertools
import sys

import cms_peers
import harness

MODES = ["sign", "encrypt", "sign-encrypt", "triple"]
SIGN_MODES = ["detached", "opaque"]
OWN_KEYS = ["rsa2048", "p256", "p384", "ed25519"]
CIPHERS = ["aes-128-cbc", "aes-256-cbc", "aes-128-gcm", "aes-256-gcm"]
RECIPIENTS = [("rsa2048", "rsa-pkcs1"), ("rsa2048", "rsa-oaep"), ("p256", "auto"),
              ("p384", "auto")]
SENDER = "alice@example.com"
DOMAIN = "domain-wide.mimekit.net"
# Name, address, where certificate and key lie in the corpora.
OTHERS = [
    ("alice", "alice@smime.example", "rfc9216/4.3_Alice-s-Encryption-End-Entity-Certificate.crt",
     "rfc9216/4.4_Alice-s-Decryption-Private-Key-Material.key"),
    ("bob", "bob@smime.example", "rfc9216/5.3_Bob-s-Encryption-End-Entity-Certificate.crt",
     "rfc9216/5.4_Bob-s-Decryption-Private-Key-Material.key"),
    ("mimekit", "rsa@mimekit.net", "mimekit/derived-keys/rsa.crt", "mimekit/derived-keys/rsa.key"),
    ("dnsnames", f"anybody@{DOMAIN}", "mimekit/derived-keys/dnsnames.crt",
     "mimekit/derived-keys/dnsnames.key"),
]
ENTITY = (b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
          b"Dear reader,\r\n\r\n.\r\n.. dots, and  spaces  \r\n" + b"From here on: lines\r\n" * 40)

CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:private]
address = 127.0.0.1:{port}
type = private
certificate = none
default-policy = RELAYED

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
"""


@dataclasses.dataclass(frozen=True)
class Case:
    mode: str
    sign_mode: str = "detached"
    own: str = ""
    cipher: str = ""
    recipient: str = "rsa2048"
    transport: str = "rsa-pkcs1"

    def signs(self):
        return self.mode != "encrypt"

    def encrypts(self):
        return self.mode != "sign"

    def text(self):
        words = [self.mode, self.sign_mode, self.own] if self.signs() else [self.mode]
        if self.encrypts():
            words += [self.cipher, self.recipient, self.transport]
        return " ".join(words)

    def address(self):
        return next((row[1] for row in OTHERS if row[0] == self.recipient),
                    f"{self.recipient}@example.org")

    def profile(self, name):
        lines = [f"[sending-profile:{name}]", f"mode = {self.mode}"]
        if self.signs():
            # A digest as long as the curve, which gpgsm asks for.
            digest = "sha384" if self.own == "p384" else "sha256"
            lines += [f"certificate = {self.own}", f"sign-mode = {self.sign_mode}",
                      f"digest = {digest}"]
        if self.encrypts():
            lines += [f"cipher = {self.cipher}", f"key-transport = {self.transport}"]
        return "\n".join(lines) + "\n"


def all_cases():
    cases = [Case("sign", sign_mode, own) for sign_mode in SIGN_MODES for own in OWN_KEYS]
    sealed = list(itertools.product(CIPHERS, RECIPIENTS))
    cases += [Case("encrypt", cipher=cipher, recipient=to, transport=transport)
              for cipher, (to, transport) in sealed]
    for mode, sign_mode, own in itertools.product(["sign-encrypt", "triple"], SIGN_MODES, OWN_KEYS):
        cases += [Case(mode, sign_mode, own, cipher, to, transport)
                  for cipher, (to, transport) in sealed]
    for row in OTHERS:
        if (harness.CORPUS / f"{row[2]}.pem").exists():
            cases += [Case("sign-encrypt", "detached", "rsa2048", cipher, row[0], transport)
                      for cipher in CIPHERS for transport in ("rsa-pkcs1", "rsa-oaep")]
    return cases


# ---- who can ------------------------------------------------------------------------------------

def why_not(peer, case):
    """None when the peer reads it. The same words in docs/interop.md."""
    if case.signs() and case.own == "ed25519" and peer != "Bouncy Castle":
        return "no Ed25519 in CMS"
    if case.encrypts() and peer in ("NSS", "GnuPG"):
        if case.cipher.endswith("gcm"):
            return "no AuthEnvelopedData"
        if case.transport == "rsa-oaep":
            return "no OAEP"
        if case.transport == "auto":
            return "no ECDH in CMS"
    return None


class Reading:
    """A mail on its way through one peer, layer by layer."""

    def __init__(self, case, content, folder):
        self.case = case
        self.entity = content
        self.folder = folder
        self.layers = {"sign": ["signed"], "encrypt": ["encrypted"],
                       "sign-encrypt": ["encrypted", "signed"],
                       "triple": ["signed", "encrypted", "signed"]}[case.mode]
        self.said = ""

    def job(self, recipients):
        """The outermost layer that is left; its MIME type must be what the mode says."""
        layer = self.layers.pop(0)
        number = len(self.layers)
        cms_file, content_file = self.folder / f"cms{number}", self.folder / f"content{number}"
        job = cms_peers.Job(cms_file, self.folder / f"out{number}")
        kind = harness.content_type_of(self.entity).lower()
        if layer == "signed":
            detached = kind.startswith(b"multipart/signed")
            if not harness.is_signed(self.entity) or \
                    detached != (self.case.sign_mode == "detached"):
                raise AssertionError(f"{self.case.text()}: signed, but {kind}")
            cms, content = harness.signed_parts(self.entity)
            if content is not None:
                content_file.write_bytes(content)
                job.content = content_file
        else:
            sort = b"authEnveloped-data" if self.case.cipher.endswith("gcm") else b"enveloped-data"
            if f"smime-type={sort.decode().lower()}".encode() not in kind.replace(b'"', b""):
                raise AssertionError(f"{self.case.text()}: encrypted, but {kind}")
            cms = base64.b64decode(harness.split_mail(self.entity)[1])
            job.recipient = recipients[self.case.recipient]
        cms_file.write_bytes(cms)
        return job

    def take(self, job):
        self.said = job.said
        if not self.said:
            self.entity = job.result()


class InteropTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.recipients = {
            name: cms_peers.Recipient(name, harness.DATA / f"recipients/{name}.pem",
                                      harness.DATA / f"recipients/{name}.key.pem")
            for name in ("rsa2048", "p256", "p384")}
        for name, _, certificate, key in OTHERS:
            if (harness.CORPUS / f"{certificate}.pem").exists():
                self.recipients[name] = cms_peers.Recipient(
                    name, harness.CORPUS / f"{certificate}.pem", harness.CORPUS / f"{key}.pem")
        self.cases = all_cases()

    def configuration(self):
        text = CONFIGURATION
        for own in OWN_KEYS:
            chain = self.folder / f"{own}.pem"
            chain.write_text("".join((harness.DATA / f"signers/{name}.pem").read_text()
                                     for name in (own, "intermediate")))
            text += (f"[certificate:{own}]\nfile = {chain}\n"
                     f"key = {harness.DATA}/signers/{own}.key.pem\n")
        for number, case in enumerate(self.cases):
            text += case.profile(f"p{number}")
            text += (f"[content-filter:f{number}]\ndirection = outgoing\n"
                     f'condition = subject == "^case {number}$"\n'
                     f'actions = smime-gateway("p{number}");\n')
        names = ", ".join(f"f{number}" for number in range(len(self.cases)))
        return text + f"[mail-policy:DEFAULT]\ndirection = outgoing\ncontent-filters = {names}\n"

    def send(self, client, number, recipient):
        for line, code in ((f"MAIL FROM:<{SENDER}>", "250"), (f"RCPT TO:<{recipient}>", "250"),
                           ("DATA", "354")):
            reply = client.command(line)
            self.assertTrue(reply.startswith(code), reply)
        mail = (f"From: {SENDER}\r\nTo: {recipient}\r\nSubject: case {number}\r\n"
                f"Message-ID: <{number}@interop.example>\r\nMIME-Version: 1.0\r\n").encode() + ENTITY
        client.send(mail.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        reply = client.reply()
        self.assertTrue(reply.startswith("250"), reply)

    def pass_through_the_gateway(self):
        """The case's number, and the mail that came out."""
        sink = self.start_sink()
        gateway = self.make_gateway(sink.port, text=self.configuration())
        for recipient in self.recipients.values():
            gateway.command("key", "add", recipient.name, recipient.certificate)
        gateway.start()
        with harness.Client(gateway.port) as client:
            client.command("EHLO client.example.com")
            for number, case in enumerate(self.cases):
                self.send(client, number, case.address())
        sink.wait_for(len(self.cases))
        self.assertEqual(sink.rows("dsn"), [], gateway.mail_log()[-2000:])
        mails = {int(row["id"].strip("<").partition("@")[0]): sink.content(row)
                 for row in sink.rows("mail")}
        self.assertEqual(len(mails), len(self.cases))
        return mails

    def open_all(self, kind, wanted, mails):
        """All readings of one peer: layer by layer, so that few processes do many."""
        peer = kind(self.folder, harness.DATA / "signers/root.pem", self.recipients.values())
        self.addCleanup(peer.finish)
        readings = []
        for number, case in wanted:
            folder = peer.folder / str(number)
            folder.mkdir()
            readings.append(Reading(case, mails[number], folder))
        while True:
            left = [reading for reading in readings if reading.layers and not reading.said]
            if not left:
                return readings
            jobs = [reading.job(self.recipients) for reading in left]
            peer.open(jobs)
            for reading, job in zip(left, jobs):
                reading.take(job)

    def wanted(self, peer):
        """What a peer can read, all; of the rest one layer for each reason, in every cipher."""
        for number, case in enumerate(self.cases):
            if not why_not(peer, case) or case.mode in ("sign", "encrypt"):
                yield number, case

    def test_matrix(self):
        mails = self.pass_through_the_gateway()
        self.seen = {}
        for kind in cms_peers.PEERS:
            if kind.missing():
                print(f"{kind.NAME}: skipped, {kind.missing()}")
                continue
            for reading in self.open_all(kind, self.wanted(kind.NAME), mails):
                reason = why_not(kind.NAME, reading.case)
                with self.subTest(peer=kind.NAME, case=reading.case.text()):
                    self.assertEqual(bool(reading.said), bool(reason),
                                     f"{reason}: {reading.said}")
                    if not reading.said:
                        self.assertEqual(reading.entity, ENTITY)
                self.seen[kind.NAME, reading.case] = (not reading.said
                                                      and reading.entity == ENTITY)
        if "--table" in sys.argv:
            print(table(self.seen))


# ---- the table ----------------------------------------------------------------------------------

def group_of(case):
    """The line of the table that a case belongs to."""
    ours = {"": "–", "ed25519": "Ed25519"}.get(case.own, "RSA, P-256, P-384")
    if not case.encrypts():
        return case.mode, ours, "–", "–"
    if case.own == "ed25519":
        return case.mode, ours, "all", "CBC, GCM"
    to = {"rsa-pkcs1": "RSA, PKCS#1 v1.5", "rsa-oaep": "RSA, OAEP",
          "auto": "P-256, P-384"}[case.transport]
    if case.recipient in [row[0] for row in OTHERS]:
        ours, to = "RSA", "RFC 9216's, MimeKit's, a domain's: " + to
    return case.mode, ours, to, case.cipher[-3:].upper()


def table(seen):
    peers = [kind.NAME for kind in cms_peers.PEERS]
    groups = collections.defaultdict(list)
    for case in all_cases():
        groups[group_of(case)].append(case)
    lines = ["| mode | own key | recipient | ciphers | " + " | ".join(peers) + " |",
             "|---" * (4 + len(peers)) + "|"]
    for group, cases in groups.items():
        cells = []
        for peer in peers:
            reasons = {why_not(peer, case) for case in cases} - {None}
            good = sum(seen.get((peer, case), False) for case in cases)
            cells.append("; ".join(sorted(reasons)) if reasons else f"{good} of {len(cases)}")
        lines.append("| " + " | ".join([*group, *cells]) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if "--table" in sys.argv:
        harness.unittest.main(argv=sys.argv[:1])
    harness.main()
