# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME messages and what is expected of each, as data; the certificates behind them; MIME around
CMS. Who makes the CMS is smime_peers.py's and smime_corpora.py's.

Nothing here shares code with the gateway.
"""

import base64
import dataclasses
import functools
import hashlib
import pathlib
import subprocess

import harness

SENDER = "alice@example.com"
# The clock of all readings: inside the corpora's certificates, and before those made here end.
AT = "2027-01-01T00:00:00Z"

# The result of RFC 7281 §3 by reason word, as docs/incoming.md has it.
RESULTS = {word: result for result, words in {
    "fail": ("bad-digest", "bad-signature", "sender-mismatch", "untrusted", "expired",
             "not-yet-valid", "revoked", "bad-key-usage"),
    "policy": ("weak-digest", "weak-key"),
    "temperror": ("revocation-unknown",),
    "permerror": ("no-key", "no-recipient-info", "decrypt-failed"),
    "neutral": ("no-certificate", "no-signer", "malformed", "unsupported-algorithm",
                "too-many-layers", "limit")}.items() for word in words}


@dataclasses.dataclass
class Message:
    """One message, and what `sealgate smime verify --json` is to say of it."""
    name: str
    mail: bytes  # CRLF
    # Outermost first. Each is what the tool's layer must have at least; signers in any order.
    layers: list = dataclasses.field(default_factory=list)
    reason: str = "ok"  # of the whole
    # The innermost entity: Content-* fields, a blank line, the body. None: nothing is opened, and
    # the message is delivered as it came.
    content: bytes = None
    exact: bool = True  # else: apart from line ends
    smime: bool = True
    coverage: str = "whole"
    cas: list = dataclasses.field(default_factory=list)
    keys: list = dataclasses.field(default_factory=list)
    options: list = dataclasses.field(default_factory=list)

    @property
    def verified(self):
        return self.smime and self.reason == "ok"

    @property
    def result(self):
        if not self.smime:
            return "none"
        if not self.verified:
            return RESULTS[self.reason]
        # A message that was only encrypted was not signed.
        return "pass" if any(layer["type"] == "signed" for layer in self.layers) else "none"


# ---- certificates -------------------------------------------------------------------------------

@dataclasses.dataclass
class Holder:
    """A certificate with its key, and those between it and its root."""
    name: str
    certificate: pathlib.Path
    key: pathlib.Path
    root: pathlib.Path
    between: pathlib.Path = None

    @functools.cached_property
    def serial(self):
        """The octets of the INTEGER, with the 00 that keeps it positive; openssl shows a number."""
        shown = openssl("x509", "-noout", "-serial", "-in", self.certificate)
        number = shown.stdout.decode().strip().partition("=")[2]
        return "00" + number if number[0] in "89ABCDEF" else number

    def both(self, folder):
        """Certificate and key in one file, as the tool's --key takes them."""
        path = folder / f"{self.name}.both.pem"
        if not path.exists():
            path.write_bytes(self.certificate.read_bytes() + self.key.read_bytes())
        return path


def openssl(*arguments, **more):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False,
                          **more)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done


class Authority:
    """Makes the certificates that tests/data has not: the bad ones."""

    CONFIGURATION = """
[ca]
default_ca = own
[own]
database = {folder}/index
new_certs_dir = {folder}
rand_serial = yes
crlnumber = {folder}/number
default_md = sha256
default_days = 3650
default_crl_days = 3650
unique_subject = no
certificate = {folder}/root.pem
private_key = {folder}/root.key
policy = any
[any]
commonName = supplied
"""
    START, END = "20260101000000Z", "20360101000000Z"

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "index").touch()
        (folder / "number").write_text("01\n")
        (folder / "ca.cnf").write_text(self.CONFIGURATION.replace("{folder}", str(folder)))
        self.root = folder / "root.pem"
        self.new_key("root", "rsa:2048")
        self.request("root", "Root of the bad ones")
        self.sign("root", "basicConstraints = critical, CA:TRUE\nsubjectKeyIdentifier = hash\n"
                  "keyUsage = critical, keyCertSign, cRLSign", more=["-selfsign"])

    def new_key(self, name, kind):
        algorithm, _, parameter = kind.partition(":")
        option = {"rsa": "rsa_keygen_bits", "ec": "ec_paramgen_curve"}[algorithm]
        path = self.folder / f"{name}.key"
        openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", f"{option}:{parameter}", "-out",
                path)
        return path

    def request(self, name, common_name):
        openssl("req", "-new", "-key", self.folder / f"{name}.key", "-subj", f"/CN={common_name}",
                "-out", self.folder / f"{name}.request")

    def sign(self, name, extensions, start=START, end=END, more=()):
        (self.folder / f"{name}.ext").write_text(extensions + "\n")
        openssl("ca", "-batch", "-notext", "-config", self.folder / "ca.cnf", "-in",
                self.folder / f"{name}.request", "-out", self.folder / f"{name}.pem", "-startdate",
                start, "-enddate", end, "-extfile", self.folder / f"{name}.ext", *more)

    def issue(self, name, kind="ec:P-256", usage="digitalSignature", names=f"email:{SENDER}",
              extended="emailProtection", **when):
        self.new_key(name, kind)
        self.request(name, f"Alice, {name}")
        self.sign(name, f"basicConstraints = critical, CA:FALSE\nsubjectAltName = {names}\n"
                  f"keyUsage = critical, {usage}\nextendedKeyUsage = {extended}\n"
                  "subjectKeyIdentifier = hash\nauthorityKeyIdentifier = keyid", **when)
        return Holder(name, self.folder / f"{name}.pem", self.folder / f"{name}.key", self.root)

    def self_signed(self, name):
        key = self.new_key(name, "ec:P-256")
        certificate = self.folder / f"{name}.pem"
        openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN=Alice, {name}", "-days", "3650",
                "-addext", f"subjectAltName=email:{SENDER}", "-out", certificate)
        return Holder(name, certificate, key, self.root)

    def revoke(self, holder):
        """The list that says so."""
        config = ["-config", self.folder / "ca.cnf"]
        openssl("ca", *config, "-revoke", holder.certificate)
        openssl("ca", *config, "-gencrl", "-out", self.folder / "list.pem")
        return self.folder / "list.pem"


def signers():
    """Of tests/data, all alice@example.com's and example.net's."""
    place = harness.DATA / "signers"
    return {name: Holder(name, place / f"{name}.pem", place / f"{name}.key.pem",
                         place / "root.pem", place / "intermediate.pem")
            for name in ("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "ed25519")}


def recipients():
    place = harness.DATA / "recipients"
    return {name: Holder(name, place / f"{name}.pem", place / f"{name}.key.pem",
                         place / "root.pem")
            for name in ("rsa2048", "rsa3072", "rsa4096", "p256", "p384", "x25519")}


# ---- MIME ---------------------------------------------------------------------------------------

PLAIN = (b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
         b"Dear reader,\r\n\r\n.\r\n.. dots, and  spaces  \r\n-- \r\n--almost a boundary\r\n")
MIXED = (b'Content-Type: multipart/mixed; boundary="inner"\r\n\r\npreamble\r\n'
         b"--inner\r\nContent-Type: text/plain; charset=utf-8\r\n"
         b"Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n"
         b"--inner\r\nContent-Type: application/octet-stream\r\n"
         b'Content-Disposition: attachment; filename="a.bin"\r\n'
         b"Content-Transfer-Encoding: base64\r\n\r\nAAECAwQFBgcICQ==\r\n--inner--\r\n")
LARGE = (b"Content-Type: text/plain\r\n\r\n"
         + b"".join(b"line %d of a long text that fills pieces\r\n" % i for i in range(7000)))
EMPTY = b"Content-Type: text/plain\r\n\r\n"
NO_END = b"Content-Type: text/plain\r\n\r\nno line end behind this"
CONTENTS = {"plain": PLAIN, "mixed": MIXED, "large": LARGE, "empty": EMPTY, "no-end": NO_END}


def mail(entity, sender=SENDER, more=b""):
    head = (f"From: {sender}\r\nTo: bob@example.org\r\nSubject: made elsewhere\r\n"
            "Date: Tue, 24 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@smime.example>\r\n")
    return head.encode() + more + b"MIME-Version: 1.0\r\n" + entity


def base64_lines(octets):
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


def opaque(cms, kind="signed-data", media=b"application/pkcs7-mime"):
    """A pkcs7-mime entity."""
    said = b"; smime-type=" + kind.encode() if kind else b""
    return (b"Content-Type: " + media + said + b'; name="smime.p7m"\r\n'
            b"Content-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n') + base64_lines(cms)


def sealed(cms, cipher):
    """A pkcs7-mime entity of what was encrypted so."""
    return opaque(cms, "authEnveloped-data" if cipher.endswith("gcm") else "enveloped-data")


def detached(entity, cms, micalg="sha-256", protocol=b"application/pkcs7-signature"):
    """A multipart/signed entity."""
    boundary = b"----" + hashlib.sha256(entity).hexdigest()[:24].encode()  # one for each layer
    return (b'Content-Type: multipart/signed; protocol="' + protocol + b'"; micalg='
            + micalg.encode() + b';\r\n boundary="' + boundary + b'"\r\n\r\n'
            b"This is an S/MIME signed message\r\n\r\n--" + boundary + b"\r\n" + entity + b"\r\n--"
            + boundary + b"\r\nContent-Type: " + protocol + b'; name="smime.p7s"\r\n'
            b"Content-Transfer-Encoding: base64\r\n"
            b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
            + base64_lines(cms) + b"\r\n--" + boundary + b"--\r\n")


# ---- what is expected ---------------------------------------------------------------------------

def signer(holder, digest, scheme, signature="ok", chain="ok", identity="ok"):
    reason = next((word for word in (signature, chain, identity) if word != "ok"), "ok")
    return {"serial": holder.serial, "digest": digest, "scheme": scheme, "signature": signature,
            "chain": chain, "identity": identity, "reason": reason}


# CMS that is neither signed nor encrypted.
OTHER = {"type": "other", "reason": "unsupported-algorithm"}


def unread_signer(holder, issuer, digest, scheme):
    """One whose certificate is there, of a kind that is not supported: it is named, no more."""
    word = "unsupported-algorithm"
    return {"subject": "", "serial": "", "identifier": f"serial {holder.serial} of {issuer}",
            "digest": digest, "scheme": scheme, "signature": word, "chain": word, "identity": word,
            "reason": word}


def signed(mode, *by):
    return {"type": "signed", "sign_mode": mode, "signers": list(by)}


def encrypted(cipher, transport, holder=None, reason="ok"):
    sort = "authEnvelopedData" if cipher.endswith("gcm") else "envelopedData"
    layer = {"type": "encrypted", "content_type": sort, "cipher": cipher, "reason": reason}
    if holder:
        layer.update(key_transport=transport, recipient_serial=holder.serial)
    return layer
