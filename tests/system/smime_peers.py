# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME messages made by real programs, each with what is expected of it: openssl
(smime_openssl.py, smime_refusals.py), NSS's cmsutil, gpgsm and Bouncy Castle (here), and the
corpora (smime_corpora.py).

    for message in smime_peers.all_messages(folder): ...      smime_messages.Message

    smime_peers.py FOLDER    writes them as files, with expected.json, for other programs
"""

import concurrent.futures
import dataclasses
import itertools
import json
import pathlib
import sys

import cms_peers
import smime_corpora
import smime_openssl
import smime_refusals
from smime_messages import (CONTENTS, MIXED, PLAIN, Message, encrypted, mail, recipients, sealed,
                            signed, signer, signers)
from smime_openssl import MICALG, Openssl, scheme_of, sign_entity


@dataclasses.dataclass
class Signing:
    """One way to sign: by whom, and what the program is told beside."""
    name: str
    holder: object
    mode: str = "detached"
    md: str = "sha256"
    options: tuple = ()
    scheme: str = ""
    chain: str = "ok"  # what is said of it where the root alone is trusted

    def layer(self, chain=None):
        return signed(self.mode, signer(self.holder, self.md,
                                        self.scheme or scheme_of(self.holder),
                                        chain=chain or self.chain))

    def entity(self, content, cms):
        return sign_entity(self.mode, content, cms, MICALG[self.md])


@dataclasses.dataclass
class Sealing:
    """One way to encrypt."""
    name: str
    holder: object
    cipher: str
    transport: str = "rsa-pkcs1"
    options: tuple = ()

    def layer(self):
        return encrypted(self.cipher, self.transport, self.holder)

    def entity(self, cms):
        return sealed(cms, self.cipher)


class Maker:
    """A program that makes CMS. `folder` is its own."""

    def __init__(self, folder, signers_, recipients_):
        self.folder = folder / self.NAME.replace(" ", "-")
        self.folder.mkdir()
        self.signers, self.recipients = signers_, recipients_
        self.number = 0
        self.prepare()

    def prepare(self):
        pass

    def finish(self):
        pass

    def files(self, content):
        self.number += 1
        source, target = (self.folder / f"{word}{self.number}" for word in ("in", "out"))
        source.write_bytes(content)
        return source, target

    def sign_all(self, jobs):
        """[(content, Signing)] to CMS."""
        return [self.sign(content, how) for content, how in jobs]

    def encrypt_all(self, jobs):
        return [self.encrypt(content, how) for content, how in jobs]


class OpensslMaker(Maker):
    """For layers of several programs; what it can do alone is smime_openssl.py's."""
    NAME = "openssl"
    missing = cms_peers.Openssl.missing

    def prepare(self):
        self.tool = Openssl(self.folder)

    def signings(self):
        yield Signing("", self.signers["p384"], "opaque", "sha384", ("-stream",))

    def sealings(self):
        yield Sealing("", self.recipients["p256"], "aes-256-gcm", "ecdh", ("-stream",))

    def sign(self, content, how):
        return self.tool.sign(content, [how.holder], *how.options, mode=how.mode, md=how.md)

    def encrypt(self, content, how):
        return self.tool.encrypt(content, [how.holder], how.cipher, *how.options)


class NssMaker(Maker):
    NAME = "NSS"
    missing = cms_peers.Nss.missing

    def prepare(self):
        one = self.signers["rsa2048"]
        known = [self.signers[name] for name in ("rsa2048", "rsa4096", "p256", "p384")]
        known = [dataclasses.replace(holder, name=f"signer-{holder.name}") for holder in known]
        self.nss = cms_peers.Nss(self.folder, one.root, [*known, self.recipients["rsa2048"]])
        for name, flags, path in (("between", ",,", one.between),
                                  ("root2", "CT,C,C", self.recipients["rsa2048"].root)):
            cms_peers.must("certutil", "-A", "-n", name, "-t", flags, "-a", "-i", path, "-d",
                           self.nss.store)

    def signings(self):
        forms = {"": [], "time": ["-G"], "capabilities": ["-P"], "preference": ["-G", "-P"]}
        for (name, options), mode in itertools.product(forms.items(), ("detached", "opaque")):
            # Without a word it wants to name a certificate to encrypt to, which the signer has not.
            options = [*options, "-Y", "rsa2048" if name == "preference" else "NONE"]
            yield Signing(name, self.signers["rsa2048"], mode, "sha256", tuple(options))
        for key, md in (("rsa2048", "sha384"), ("rsa4096", "sha512"), ("p256", "sha256"),
                        ("p384", "sha384")):
            yield Signing(f"{key} {md}", self.signers[key], "opaque", md,
                          ("-G", "-Y", "NONE"))

    def sealings(self):
        # NSS chooses the cipher, AES-128 for a recipient of whom it knows no capabilities.
        yield Sealing("", self.recipients["rsa2048"], "aes-128-cbc")

    def cmsutil(self, content, *words):
        source, target = self.files(content)
        cms_peers.must("cmsutil", *words, "-d", self.nss.store, "-i", source, "-o", target)
        return target.read_bytes()

    def sign(self, content, how):
        return self.cmsutil(content, "-S", "-N", f"signer-{how.holder.name}", "-H",
                            how.md.upper(), *how.options,
                            *(["-T"] if how.mode == "detached" else []))

    def encrypt(self, content, how):
        return self.cmsutil(content, "-E", "-r", how.holder.name, *how.options)


class GpgsmMaker(Maker):
    NAME = "GnuPG"
    missing = cms_peers.Gpgsm.missing

    def prepare(self):
        one = self.signers["rsa2048"]
        known = [dataclasses.replace(one, name="signer-rsa2048"), self.recipients["rsa2048"],
                 self.recipients["rsa4096"]]
        self.peer = cms_peers.Gpgsm(self.folder, one.root, known)
        self.trust(self.recipients["rsa2048"].root)
        cms_peers.must("gpgsm", "--batch", "--homedir", self.peer.folder, "--import", one.between)

    def trust(self, root):
        with open(self.peer.folder / "trustlist.txt", "a", encoding="ascii") as file:
            file.write(f"{self.fingerprint(root)} S relax\n")
        cms_peers.must("gpgsm", "--batch", "--homedir", self.peer.folder, "--import", root)
        cms_peers.run("gpgconf", "--homedir", self.peer.folder, "--reload", "gpg-agent")

    def finish(self):
        self.peer.finish()

    @staticmethod
    def fingerprint(certificate):
        shown = cms_peers.must("openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in",
                               certificate)
        return shown.stdout.decode().strip().partition("=")[2]

    def signings(self):
        holder = self.signers["rsa2048"]
        for mode, md in itertools.product(("detached", "opaque"), ("sha256", "sha512")):
            yield Signing(md, holder, mode, md, ("--digest-algo", md))
        # 1 is the signer's alone: then its issuer must be known here.
        for (number, chain), mode in itertools.product((("-1", "ok"), ("1", "untrusted")),
                                                       ("detached", "opaque")):
            yield Signing(f"certificates {number}", holder, mode, "sha256",
                          ("--include-certs", number), chain=chain)

    def sealings(self):
        words = {"aes-128-cbc": "AES", "aes-192-cbc": "AES192", "aes-256-cbc": "AES256",
                 "3des-cbc": "3DES"}
        for name, (cipher, word) in itertools.product(("rsa2048", "rsa4096"), words.items()):
            yield Sealing("", self.recipients[name], cipher, options=("--cipher-algo", word))

    def gpgsm(self, content, *words):
        source, target = self.files(content)
        done = self.peer.gpgsm(*words[:-1], "-o", target, words[-1], source)
        if done.returncode != 0:
            raise AssertionError(f"gpgsm {words}: {done.stderr.decode(errors='replace')}")
        return target.read_bytes()

    def sign(self, content, how):
        return self.gpgsm(content, "--local-user", self.fingerprint(how.holder.certificate),
                          *how.options,
                          "--detach-sign" if how.mode == "detached" else "--sign")

    def encrypt(self, content, how):
        return self.gpgsm(content, "--recipient", self.fingerprint(how.holder.certificate),
                          *how.options, "--encrypt")


class BouncyCastleMaker(Maker):
    NAME = "Bouncy Castle"
    missing = cms_peers.BouncyCastle.missing

    def signings(self):
        """Options: octets in a segment, how the signer is named, attributes or not."""
        algorithms = [("rsa2048", "sha256", "SHA256withRSA", ""),
                      ("rsa2048", "sha512", "SHA512withRSAandMGF1", "rsa-pss"),
                      ("p256", "sha256", "SHA256withECDSA", ""),
                      ("p384", "sha384", "SHA384withECDSA", ""),
                      ("ed25519", "sha512", "Ed25519", "ed25519")]
        for (key, md, algorithm, scheme), mode, segment in itertools.product(
                algorithms, ("detached", "opaque"), ("0", "1000")):
            yield Signing(f"{algorithm} {segment}", self.signers[key], mode, md,
                          (algorithm, segment, "issuer", ""), scheme)
        for segment in ("1", "7", "65536"):
            yield Signing(f"segments of {segment}", self.signers["p256"], "opaque", "sha256",
                          ("SHA256withECDSA", segment, "issuer", ""))
        for named, direct in (("ski", ""), ("issuer", ",direct"), ("ski", ",direct")):
            yield Signing(f"{named}{direct}", self.signers["rsa2048"], "opaque", "sha256",
                          ("SHA256withRSA", "1000", named, direct))

    def sealings(self):
        ciphers = ["aes-128-cbc", "aes-192-cbc", "aes-256-cbc", "aes-128-gcm", "aes-192-gcm",
                   "aes-256-gcm", "3des-cbc", "rc2-40-cbc", "rc2-64-cbc", "rc2-128-cbc"]
        for cipher, segment in itertools.product(ciphers, ("0", "7", "1000")):
            yield Sealing(f"segments of {segment}", self.recipients["rsa2048"], cipher,
                          options=(segment, "pkcs1", ""))
        hashes = ["SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512"]
        for md, mask in itertools.product(hashes, hashes):
            for label in ("", "label") if md == mask else ("",):
                yield Sealing(f"{md} {mask} {label}".strip(), self.recipients["rsa2048"],
                              "aes-128-cbc", "rsa-oaep", ("0", "oaep", f",{md},{mask},{label}"))
        schemes = ["sha1kdf", "sha224kdf", "sha256kdf", "sha384kdf", "sha512kdf",
                   "cofactor-sha1kdf", "cofactor-sha256kdf"]
        for name, scheme, wrap in itertools.product(("p256", "p384"), schemes,
                                                    ("aes128", "aes192", "aes256")):
            yield Sealing(f"{name} {scheme} {wrap}", self.recipients[name], "aes-256-gcm", "ecdh",
                          ("0", "ecdh", f",{scheme},{wrap}"))

    def make(self, lines):
        self.number += 1
        path = self.folder / f"list{self.number}"
        path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
        said = cms_peers.run_java("MakeCms.java", [path])
        for line, word in zip(lines, said, strict=True):
            if word != "ok":
                raise AssertionError(f"Bouncy Castle: {line}: {word}")
        return [pathlib.Path(line[2]).read_bytes() for line in lines]

    def sign_all(self, jobs):
        lines = []
        for content, how in jobs:
            algorithm, segment, named, direct = how.options
            by = f"{algorithm},{how.holder.certificate},{how.holder.key}{direct}"
            lines.append(["sign", *self.files(content), how.mode, segment, named, by,
                          how.holder.between])
        return self.make(lines)

    def encrypt_all(self, jobs):
        lines = []
        for content, how in jobs:
            segment, kind, rest = how.options
            lines.append(["encrypt", *self.files(content), how.cipher, segment,
                          f"{kind},{how.holder.certificate}{rest}"])
        return self.make(lines)


MAKERS = [OpensslMaker, NssMaker, GpgsmMaker, BouncyCastleMaker]


class PeerMessages:
    """Of all programs that are there: each alone, and one's signature in another's envelope."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.root = signers()["rsa2048"].root
        self.makers = [maker(folder, signers(), recipients()) for maker in MAKERS
                       if not maker.missing()]

    def finish(self):
        for maker in self.makers:
            maker.finish()

    def all(self):
        for maker in self.makers:
            if not isinstance(maker, OpensslMaker):
                yield from self.alone(maker)
        yield from self.together()

    def alone(self, maker):
        contents = itertools.cycle(CONTENTS.items())
        jobs = [(*next(contents), how) for how in maker.signings()]
        for (name, content, how), cms in zip(
                jobs, maker.sign_all([(content, how) for _, content, how in jobs])):
            message = Message(f"{maker.NAME} sign {how.name} {how.mode} {name}",
                              mail(how.entity(content, cms)), [how.layer()], how.chain,
                              content=content if how.chain == "ok" else None, cas=[self.root])
            yield message
            if how.chain != "ok":
                yield dataclasses.replace(message, name=f"{message.name}, its issuer trusted",
                                          layers=[how.layer("ok")], reason="ok", content=content,
                                          cas=[how.holder.between])
        jobs = [(*next(contents), how) for how in maker.sealings()]
        for (name, content, how), cms in zip(
                jobs, maker.encrypt_all([(content, how) for _, content, how in jobs])):
            yield Message(f"{maker.NAME} encrypt {how.cipher} {how.holder.name} {how.name} {name}",
                          mail(how.entity(cms)), [how.layer()], content=content,
                          keys=[how.holder.both(self.folder)])

    def together(self):
        """Signed by one, encrypted by another; and the other way round."""
        signings = {maker: next(iter(maker.signings())) for maker in self.makers}
        sealings = {maker: next(iter(maker.sealings())) for maker in self.makers}
        inner = {maker: how.entity(MIXED, maker.sign_all([(MIXED, how)])[0])
                 for maker, how in signings.items()}
        for outer, how in sealings.items():
            for cms, (maker, signing) in zip(
                    outer.encrypt_all([(inner[maker], how) for maker in signings]),
                    signings.items()):
                yield Message(f"{maker.NAME} sign, {outer.NAME} encrypt", mail(how.entity(cms)),
                              [how.layer(), signing.layer()], content=MIXED, cas=[self.root],
                              keys=[how.holder.both(self.folder)])
        inner = {maker: how.entity(maker.encrypt_all([(PLAIN, how)])[0])
                 for maker, how in sealings.items()}
        for outer, how in signings.items():
            for cms, (maker, sealing) in zip(
                    outer.sign_all([(inner[maker], how) for maker in sealings]),
                    sealings.items()):
                yield Message(f"{maker.NAME} encrypt, {outer.NAME} sign",
                              mail(how.entity(inner[maker], cms)), [how.layer(), sealing.layer()],
                              content=PLAIN, cas=[self.root],
                              keys=[sealing.holder.both(self.folder)])


def all_messages(folder):
    """Every message; the kinds are made side by side."""
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    peers = PeerMessages(folder / "peers")
    kinds = [smime_openssl.OpensslMessages(folder / "openssl"),
             smime_refusals.Refusals(folder / "refusals"), peers,
             smime_corpora.CorpusMessages(folder / "corpora")]
    try:
        with concurrent.futures.ThreadPoolExecutor(len(kinds)) as pool:
            messages = list(itertools.chain(*pool.map(lambda kind: list(kind.all()), kinds)))
    finally:
        peers.finish()
    names = [message.name for message in messages]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return messages


def write_all(folder):
    folder = pathlib.Path(folder)
    folder.mkdir()
    rows = []
    for number, message in enumerate(all_messages(folder)):
        (folder / f"{number:04}.eml").write_bytes(message.mail)
        rows.append({"file": f"{number:04}.eml", "name": message.name, "reason": message.reason,
                     "layers": message.layers, "verified": message.verified,
                     "coverage": message.coverage, "keys": [str(key) for key in message.keys],
                     "cas": [str(ca) for ca in message.cas],
                     "options": [str(option) for option in message.options]})
    (folder / "expected.json").write_text(json.dumps(rows, indent=1, default=sorted))
    print(f"{len(rows)} messages in {folder}")


if __name__ == "__main__":
    write_all(sys.argv[1])
