# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME of other people's tests: the corpora's messages as they are, and messages that openssl and
Bouncy Castle sign with the corpora's keys. Nothing where the corpora are absent."""

import dataclasses

import cms_peers
import harness
from smime_messages import (OTHER, PLAIN, Holder, Message, detached, encrypted, mail, opaque,
                            openssl, sealed, signed, signer, unread_signer)
from smime_openssl import Openssl, sign_entity
from smime_oracle import Oracle

NSS = harness.CORPUS / "nss-smime"
NOTMUCH = harness.CORPUS / "notmuch"
MIMEKIT = harness.CORPUS / "mimekit"
RFC9216 = harness.CORPUS / "rfc9216"
OPENSSL = harness.CORPUS / "openssl-cms/test"


class CorpusMessages:
    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.tool = Openssl(folder)
        self.oracle = Oracle(folder)

    def all(self):
        for root, rows in ((NSS, self.nss), (NOTMUCH, self.notmuch), (MIMEKIT, self.mimekit),
                           (RFC9216, self.rfc9216), (OPENSSL, self.openssl_cms)):
            if root.exists():
                yield from rows()

    # ---- NSS: EnvelopedData to Fran, made by OpenSSL ---------------------------------------------

    def nss(self):
        keys = NSS / "derived-keys"
        holders = {name: Holder(name, keys / f"{name}.crt.pem", keys / f"{name}.key.pem", None)
                   for name in ("Fran", "Fran-ec")}
        for path in sorted((NSS / "tests/smime/interop-openssl").glob("*.env")):
            curve = path.name.startswith("fran-ec")
            holder = holders["Fran-ec" if curve else "Fran"]
            layer = encrypted("aes-", "ecdh" if curve else "rsa-oaep", holder)
            del layer["cipher"]  # several; their names are the files'
            yield Message(f"nss {path.stem}", mail(opaque(path.read_bytes(), "enveloped-data")),
                          [layer], content=b"This is a test message to Fran.\n", exact=False,
                          keys=[holder.both(self.folder)])

    # ---- notmuch: LAMPS samples with protected headers -------------------------------------------

    def notmuch(self):
        bob = Holder("notmuch-bob", NOTMUCH / "derived-keys/bob.crt.pem",
                     NOTMUCH / "derived-keys/bob.key.pem", NOTMUCH / "test/smime/ca.crt")
        paths = sorted((NOTMUCH / "test/corpora").glob("p*/smime-*.eml"))
        for path in paths:
            content = harness.with_crlf(path.read_bytes())
            kinds, entity = self.oracle.open(content, [bob.both(self.folder)])
            layers = []
            for kind in kinds:
                if kind == "encrypted":
                    layers.append(encrypted("3des-cbc", "rsa-pkcs1", bob))
                else:
                    by = {"digest": "sha256", "scheme": "rsa-pkcs1", "reason": "ok"}
                    mode = "detached" if b"multipart/signed" in content else "opaque"
                    layers.append(signed(mode, by))
            yield Message(f"notmuch {path.parent.name} {path.stem}", content, layers,
                          content=entity, exact=False, cas=[bob.root],
                          keys=[bob.both(self.folder)])

    # ---- MimeKit: chains ------------------------------------------------------------------------

    def mimekit(self):
        place = MIMEKIT / "derived-keys"
        root = place / "root.crt.pem"
        between = self.mimekit_between()
        lists = self.mimekit_lists()
        rows = [("rsa", "rsa@mimekit.net", True, "prefer", "ok"),
                ("rsa", "rsa@mimekit.net", True, "require", "ok"),
                ("rsa", "rsa@mimekit.net", True, "require, no lists", "revocation-unknown"),
                ("rsa", "other@mimekit.net", True, "prefer", "sender-mismatch"),
                ("rsa", "rsa@mimekit.net", False, "prefer", "untrusted"),
                ("nochain", "nochain@mimekit.net", False, "prefer", "untrusted"),
                ("nochain", "nochain@mimekit.net", True, "prefer", "ok"),
                ("dnsnames", "anybody@domain-wide.mimekit.net", True, "prefer", "ok"),
                ("dnsnames", "anybody@mimekit.net", True, "prefer", "sender-mismatch"),
                *((name, f"{name}@mimekit.net", True, how, "revoked")
                  for name in ("revoked", "revokednochain", "revokedsubca")
                  for how in ("prefer", "require")),
                ("revokednochain", "revokednochain@mimekit.net", False, "prefer", "untrusted"),
                # No list is asked for, so nobody says that they are revoked.
                ("revoked", "revoked@mimekit.net", True, "off", "ok"),
                ("revokedsubca", "revokedsubca@mimekit.net", True, "off", "ok")]
        for name, sender, chain, how, reason in rows:
            holder = Holder(name, place / f"{name}.crt.pem", place / f"{name}.key.pem", root,
                            between)
            cms = self.tool.sign(PLAIN, [holder], certificates=chain)
            by = {"serial": holder.serial, "digest": "sha256", "reason": reason}
            revocation, _, without = how.partition(", ")
            yield Message(f"mimekit {name} {sender} {'chain' if chain else 'alone'} {how}",
                          mail(detached(PLAIN, cms), sender), [signed("detached", by)], reason,
                          content=PLAIN if reason == "ok" else None, cas=[root],
                          options=["--revocation", revocation, *([] if without else lists)])
        # DSA is not supported. Nor are curve parameters that are spelt out, which RFC 5480 §2.1.1
        # forbids and libcrypto's paths, too.
        for name, scheme in (("dsa", "2.16.840.1.101.3.4.3.2"), ("ec", "ecdsa")):
            holder = Holder(name, place / f"{name}.crt.pem", place / f"{name}.key.pem", root,
                            between)
            cms = self.tool.sign(PLAIN, [holder])
            by = unread_signer(holder, "CN=MimeKit Secondary Intermediate CA", "sha256", scheme)
            yield Message(f"mimekit {name}", mail(detached(PLAIN, cms), f"{name}@mimekit.net"),
                          [signed("detached", by)], by["reason"], cas=[root])
        real = MIMEKIT / "UnitTests/TestData/smime/thunderbird-signed.txt"
        by = {"digest": "sha1", "scheme": "rsa-pkcs1", "reason": "weak-digest"}
        yield Message("mimekit thunderbird 2013", harness.with_crlf(real.read_bytes()),
                      [signed("detached", by)], "weak-digest", cas=[root])

    def mimekit_between(self):
        """Every authority between, of all the chains."""
        path = self.folder / "mimekit-between.pem"
        found = []
        for name in ("rsa", "revokedsubca"):
            text = (MIMEKIT / f"derived-keys/{name}.chain.pem").read_text()
            found += [part for part in text.replace("-----BEGIN", "\0-----BEGIN").split("\0")
                      if "BEGIN CERTIFICATE" in part]
        path.write_text("".join(dict.fromkeys(part for part in found if not self.is_root(part))))
        return path

    @staticmethod
    def is_root(text):
        shown = openssl("x509", "-noout", "-subject", "-issuer", input=text.encode()).stdout
        subject, issuer = (line.partition(b"=")[2] for line in shown.splitlines())
        return subject == issuer

    def mimekit_lists(self):
        """Revocation lists, with MimeKit's authorities' keys: the corpus has none. What is revoked
        follows from the names; of revokedsubca it is the issuer, which the root has certified."""
        place = MIMEKIT / "UnitTests/TestData/smime"
        derived = MIMEKIT / "derived-keys"
        options = []
        for authority, revoked in (
                ("certificate-authority", [derived / "revokedsubca.chain.pem"]),
                ("intermediate1", []),
                ("intermediate2", [derived / "revoked.crt.pem",
                                   derived / "revokednochain.crt.pem"])):
            folder = self.folder / authority
            folder.mkdir()
            rows = []
            for certificate in revoked:  # the first of the file
                serial = openssl("x509", "-noout", "-serial", "-in", certificate).stdout.decode()
                number = serial.strip().partition("=")[2]
                rows.append(f"R\t350101000000Z\t260101000000Z\t{number}\tunknown\t/CN=x\n")
            (folder / "index").write_text("".join(rows))
            (folder / "number").write_text("01\n")
            (folder / "ca.cnf").write_text(
                f"[ca]\ndefault_ca=own\n[own]\ndatabase={folder}/index\ncrlnumber={folder}/number\n"
                "default_md=sha256\ndefault_crl_days=3650\nunique_subject=no\n")
            certificate = folder / "authority.pem"
            openssl("pkcs12", "-in", place / f"{authority}.pfx", "-passin", "pass:no.secret",
                    "-nokeys", "-clcerts", "-legacy", "-out", certificate)
            openssl("ca", "-gencrl", "-config", folder / "ca.cnf", "-cert", certificate, "-keyfile",
                    place / f"{authority}.key", "-out", folder / "list.pem")
            options += ["--crl", folder / "list.pem"]
        return options

    # ---- RFC 9216: keys of the LAMPS working group -----------------------------------------------

    def rfc9216(self):
        def holder(name, certificate, key, root):
            return Holder(name, next(RFC9216.glob(f"{certificate}_*.crt.pem")),
                          next(RFC9216.glob(f"{key}_*.key.pem")), next(RFC9216.glob(f"{root}_*")))
        alice = holder("lamps-alice", "4.1", "4.2", "3.1")
        bob = holder("lamps-bob", "5.3", "5.4", "3.1")
        for mode in ("detached", "opaque"):
            entity = sign_entity(mode, PLAIN, self.tool.sign(PLAIN, [alice], mode=mode))
            layer = signed(mode, signer(alice, "sha256", "rsa-pkcs1"))
            yield Message(f"rfc9216 alice {mode}", mail(entity, "alice@smime.example"), [layer],
                          content=PLAIN, cas=[alice.root])
            entity = sealed(self.tool.encrypt(entity, [bob], "aes-128-gcm"), "aes-128-gcm")
            yield Message(f"rfc9216 alice {mode} to bob", mail(entity, "alice@smime.example"),
                          [encrypted("aes-128-gcm", "rsa-pkcs1", bob), layer], content=PLAIN,
                          cas=[alice.root], keys=[bob.both(self.folder)])
        if cms_peers.BouncyCastle.missing():
            return
        rows = []
        for name, section in (("carlos", "7"), ("dana", "8")):
            # The Ed25519 authority, and the RSA one that has cross-signed it.
            own = holder(f"lamps-{name}", f"{section}.1", f"{section}.2", "6.1")
            rows += [(f"{name}@smime.example", own),
                     (f"{name}@smime.example",
                      dataclasses.replace(own, root=alice.root,
                                          between=next(RFC9216.glob("6.3_*.crt.pem"))))]
        yield from self.signed_by_ed25519(rows)

    def signed_by_ed25519(self, rows):
        source, listed = self.folder / "lamps.in", self.folder / "lamps.list"
        targets = [self.folder / f"lamps.{number}" for number, _ in enumerate(rows)]
        source.write_bytes(PLAIN)
        listed.write_text("".join("\t".join(
            [f"sign\t{source}\t{target}\tdetached\t0\tissuer",
             f"Ed25519,{by.certificate},{by.key}", *([str(by.between)] if by.between else [])])
            + "\n" for target, (_, by) in zip(targets, rows)))
        said = cms_peers.run_java("MakeCms.java", [listed])
        assert set(said) == {"ok"}, said
        for target, (sender, by) in zip(targets, rows):
            yield Message(f"rfc9216 {sender} {'cross' if by.between else 'own'}",
                          mail(detached(PLAIN, target.read_bytes(), "sha-512"), sender),
                          [signed("detached", signer(by, "sha512", "ed25519"))], content=PLAIN,
                          cas=[by.root])

    # ---- OpenSSL's test data --------------------------------------------------------------------

    def openssl_cms(self):
        yield from self.openssl_certificates()
        yield from self.openssl_refusals()
        path = OPENSSL / "smime-certs/smec3.pem"
        content = harness.with_crlf(
            (OPENSSL / "recipes/80-test_cms_data/ciphertext_from_1_1_1.cms").read_bytes())
        _, entity = self.oracle.open(content, [path])
        holder = Holder("smec3", path, path, None)
        layer = encrypted("", "ecdh", holder)
        del layer["cipher"]
        yield Message("openssl-cms from 1.1.1", content, [layer], content=entity, exact=False,
                      keys=[path])

    def openssl_certificates(self):
        """Certificates without any address: right, and nobody's."""
        place = OPENSSL / "smime-certs"
        for name, reason in (("smrsa1", "sender-mismatch"), ("smec1", "sender-mismatch"),
                             ("smrsa1024", "weak-key"), ("csrsa1", "bad-key-usage"),
                             ("smec2", "unsupported-algorithm"),  # K-283
                             ("smdsa1", "unsupported-algorithm")):
            path = place / f"{name}.pem"
            holder = Holder(name, path, path, place / "smroot.pem")
            cms = self.tool.sign(PLAIN, [holder])
            by = {"serial": holder.serial, "reason": reason}
            if name == "smdsa1":
                by = unread_signer(holder, "CN=Test S/MIME RSA Root", "sha256",
                                   "2.16.840.1.101.3.4.3.2")
            yield Message(f"openssl-cms {name}", mail(detached(PLAIN, cms)),
                          [signed("detached", by)], reason, cas=[holder.root])

    def openssl_refusals(self):
        data = OPENSSL / "recipes/80-test_cms_data"
        api = OPENSSL / "recipes/80-test_cmsapi_data"
        root = OPENSSL / "smime-certs/smroot.pem"
        for name in ("no_ct_attr", "no_md_attr", "ct_multiple_attr", "bad_signtime_attr"):
            by = {"signature": "malformed", "reason": "malformed"}
            yield Message(f"openssl-cms {name}",
                          mail(opaque((data / f"{name}.cms").read_bytes())), [signed("opaque", by)],
                          "malformed", cas=[root])
        ecdh = self.folder / "ecdh.both.pem"
        ecdh.write_bytes((data / "ecdh-cert.pem").read_bytes()
                         + (data / "ecdh-key.pem").read_bytes())
        rsa = OPENSSL / "smime-certs/smrsa3.pem"
        # The first two are to these keys; the others to a DH key, to passwords, to nobody.
        for path, key, reason in (
                (data / "rsa-malformed.der", rsa, "unsupported-algorithm"),
                (data / "ecdh-malformed.der", ecdh, "unsupported-algorithm"),
                (data / "dh-malformed.der", rsa, "no-key"),
                (api / "cms_pwri_kek_oob.der", rsa, "no-key"),
                (OPENSSL / "cms-msg/missing-kdf.der", rsa, "no-key"),
                (api / "encryptedData.der", rsa, "unsupported-algorithm")):
            layer = OTHER if path.stem == "encryptedData" else {"type": "encrypted",
                                                                "reason": reason}
            yield Message(f"openssl-cms {path.stem}",
                          mail(opaque(path.read_bytes(), "enveloped-data")), [layer], reason,
                          keys=[key])
        # Both are right and lead to nobody who is trusted here.
        for path in sorted((OPENSSL / "smime-eml").glob("*.eml")):
            by = {"signature": "ok", "chain": "untrusted", "reason": "untrusted"}
            yield Message(f"openssl-cms {path.stem[:30]}", harness.with_crlf(path.read_bytes()),
                          [{"type": "signed", "signers": [by]}], "untrusted", cas=[root])
