# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME mails made by the openssl command, with an authority of their own."""

import subprocess

import harness

VALID = ("20200101000000Z", "20600101000000Z")  # of people's certificates
AUTHORITY_VALID = ("20100101000000Z", "20900101000000Z")


def openssl(*arguments, content=None):
    done = subprocess.run(["openssl", *map(str, arguments)], input=content, capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode()}")
    return done.stdout


class Person:
    def __init__(self, folder, name):
        self.name = name
        self.key = folder / f"{name}.key"
        self.certificate = folder / f"{name}.crt"

    def both(self):
        """Key and certificate in one file."""
        path = self.key.with_suffix(".pem")
        path.write_bytes(self.key.read_bytes() + self.certificate.read_bytes())
        return path

    def pkcs12(self, passphrase):
        path = self.key.with_suffix(".p12")
        openssl("pkcs12", "-export", "-in", self.certificate, "-inkey", self.key, "-passout",
                f"pass:{passphrase}", "-out", path)
        return path

    def serial(self):
        """As upper-case hexadecimal, without zeros in front."""
        return openssl("x509", "-noout", "-serial", "-in",
                       self.certificate).decode().strip().partition("=")[2]


class Authority(Person):
    """Makes certificates, and lists of those that are revoked."""

    def __init__(self, folder, name="root", key="rsa:2048"):
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder, name)
        self.folder = folder
        (folder / "index").touch()
        (folder / "index.attr").write_text("unique_subject = no\n")
        (folder / "number").write_text("01\n")
        self.new_key(self, key)
        self.issue(self, f"/CN={name}", AUTHORITY_VALID, "-selfsign",
                   "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign")

    @staticmethod
    def new_key(person, key):
        kind, _, what = key.partition(":")
        option = "rsa_keygen_bits" if kind == "rsa" else "ec_paramgen_curve"
        openssl("genpkey", "-algorithm", kind, "-pkeyopt", f"{option}:{what}", "-out", person.key)

    def issue(self, person, subject, valid, more, extensions):
        configuration = self.folder / f"{person.name}.cnf"
        configuration.write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={self.folder}/index\nrand_serial=yes\n"
            f"new_certs_dir={self.folder}\ncrlnumber={self.folder}/number\ndefault_md=sha256\n"
            f"certificate={self.certificate}\nprivate_key={self.key}\npolicy=any\n"
            f"[any]\ncommonName=supplied\n[ext]\nsubjectKeyIdentifier=hash\n{extensions}\n")
        request = self.folder / f"{person.name}.csr"
        openssl("req", "-new", "-key", person.key, "-subj", subject, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", configuration, "-in", request, "-out",
                person.certificate, "-startdate", valid[0], "-enddate", valid[1], "-extensions",
                "ext", *([more, "-keyfile", self.key] if more else []))
        self.configuration = configuration

    def person(self, name, names, key="rsa:2048", valid=VALID,
               usage="digitalSignature,keyEncipherment,keyAgreement"):
        """`names`: as of subjectAltName."""
        person = Person(self.folder, name)
        self.new_key(person, key)
        self.issue(person, f"/CN={name}", valid, None,
                   f"subjectAltName={names}\nkeyUsage=critical,{usage}\n"
                   "extendedKeyUsage=emailProtection\nbasicConstraints=CA:FALSE")
        return person

    def revoke(self, person):
        openssl("ca", "-config", self.configuration, "-revoke", person.certificate)

    def revocation_list(self, name="list.crl", since=None):
        """Since now, unless something else is said."""
        path = self.folder / name
        openssl("ca", "-config", self.configuration, "-gencrl", "-crldays", 3650, "-out", path,
                *(["-crl_lastupdate", since] if since else []))
        return path


# ---- entities: header, blank line, body, with CRLF ----------------------------------------------

TEXT = (b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"
        b"Dear reader,\r\n\r\nthis is what was written.\r\n")


def sign(entity, *signers, detached=True, digest="sha256", more=()):
    options = []
    for signer in signers:
        options += ["-signer", signer.certificate, "-inkey", signer.key]
    return harness.with_crlf(openssl("cms", "-sign", "-binary", "-md", digest, *options,
                                     *([] if detached else ["-nodetach"]), *more, content=entity))


def encrypt(entity, *recipients, cipher="aes-256-cbc", transport=()):
    """`transport`: such as -keyopt rsa_padding_mode:oaep, for each recipient."""
    options = []
    for recipient in recipients:
        options += ["-recip", recipient.certificate, *transport]
    return harness.with_crlf(openssl("cms", "-encrypt", "-binary", f"-{cipher}", *options,
                                     content=entity))


def mail(entity, sender="alice@example.com", more=b""):
    """The message whose root is that entity."""
    return (f"From: {sender}\r\nTo: bob@example.net\r\nSubject: test\r\n"
            "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n").encode() \
        + more + entity


def as_part(entity, text=b"read this first"):
    """A multipart/mixed that holds it."""
    return (b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="outer"\r\n\r\n'
            b"--outer\r\nContent-Type: text/plain\r\n\r\n" + text + b"\r\n--outer\r\n" + entity
            + b"\r\n--outer--\r\n")
