# SPDX-License-Identifier: GPL-3.0-or-later
"""S/MIME that is not to be believed, and why: strangers' certificates, senders that are not
covered, what attackers and accidents make of a message; and S/MIME where it does not count."""

from smime_messages import (MIXED, OTHER, PLAIN, SENDER, Authority, Message, detached, encrypted,
                            mail, opaque, openssl, sealed, signed, signer)
from smime_openssl import MICALG, Workplace, sign_entity


class Refusals(Workplace):
    """Everything of one run; beside each kind, what is to be believed of it."""

    def __init__(self, folder):
        super().__init__(folder)
        self.authority = Authority(folder / "authority")

    def all(self):
        yield from self.senders()
        yield from self.certificates()
        yield from self.revocation()
        yield from self.several_signers()
        yield from self.changed_signatures()
        yield from self.changed_ciphertexts()
        yield from self.keys_of_others()
        yield from self.other_kinds()
        yield from self.not_at_the_root()

    def refusal(self, name, entity, layers, reason, sender=SENDER, **more):
        more.setdefault("cas", [self.root, self.authority.root])
        return Message(f"refusal {name}", mail(entity, sender, more.pop("fields", b"")), layers,
                       reason, **more)

    def senders(self):
        """Whom a certificate covers: alice@example.com and all of example.net."""
        holder = self.signers["p256"]
        entity = detached(PLAIN, self.tool.sign(PLAIN, [holder]))
        covered = ["alice@example.com", "ALICE@Example.COM", '"Alice, A." <alice@example.com>',
                   "anybody@example.net", "(comment) alice@example.com (another)",
                   '"bob@evil.example" <alice@example.com>']
        strange = ["bob@example.com", "alice@example.com.evil.example", "alice@sub.example.net",
                   '"alice@example.com" <bob@evil.example>',
                   "alice@example.com <bob@evil.example>",
                   "alice@example.com, bob@example.com", "alice@example.com, bob@example.net",
                   "Friends: alice@example.com, eve@evil.example;", "undisclosed:;", "",
                   "bob@evil.example (alice@example.com)"]
        for sender in covered:
            yield Message(f"refusal from {sender}", mail(entity, sender),
                          [signed("detached", signer(holder, "sha256", "ecdsa"))], content=PLAIN,
                          cas=[self.root])
        by = signer(holder, "sha256", "ecdsa", identity="sender-mismatch")
        for sender in strange:
            yield self.refusal(f"from {sender or 'nobody'}", entity, [signed("detached", by)],
                               "sender-mismatch", sender)
        yield self.refusal("from twice", entity, [signed("detached", by)], "sender-mismatch",
                           fields=b"From: bob@evil.example\r\n")

    def certificates(self):
        """Signers that nobody should believe."""
        authority = self.authority
        rows = [
            (authority.issue("expired", start="20200101000000Z", end="20210101000000Z"), "expired"),
            (authority.issue("future", start="20300101000000Z", end="20310101000000Z"),
             "not-yet-valid"),
            (authority.issue("encipher", usage="keyAgreement"), "bad-key-usage"),
            (authority.issue("web", extended="serverAuth"), "bad-key-usage"),
            (authority.issue("rsa1024", "rsa:1024"), "weak-key"),
            (authority.self_signed("self"), "untrusted")]
        for holder, reason in rows:
            scheme = "rsa-pkcs1" if holder.name == "rsa1024" else "ecdsa"
            cms = self.tool.sign(PLAIN, [holder])
            # A weak key may be said of the signature or of the certificate.
            by = {"serial": holder.serial, "scheme": scheme, "reason": reason} \
                if reason == "weak-key" else signer(holder, "sha256", scheme, chain=reason)
            by.pop("identity", None)
            yield self.refusal(f"certificate {holder.name}", detached(PLAIN, cms),
                               [signed("detached", by)], reason)
            if holder.name == "rsa1024":
                yield self.refusal("certificate rsa1024, allowed", detached(PLAIN, cms),
                                   [signed("detached", {"serial": holder.serial, "reason": "ok"})],
                                   "ok", content=PLAIN, options=["--allow-weak"])
        holder = authority.issue("domain", names="DNS:example.com")
        cms = self.tool.sign(PLAIN, [holder])
        yield self.refusal("certificate domain", detached(PLAIN, cms),
                           [signed("detached", signer(holder, "sha256", "ecdsa"))], "ok",
                           content=PLAIN)
        for sender, reason in (("alice@mail.example.com", "ok"), (SENDER, "sender-mismatch"),
                               ("alice@a.mail.example.com", "sender-mismatch")):
            name = f"wildcard-{sender.count('.')}{reason == 'ok'}"
            holder = authority.issue(name, names="DNS:*.example.com")
            cms = self.tool.sign(PLAIN, [holder])
            by = signer(holder, "sha256", "ecdsa", identity=reason)
            yield self.refusal(f"certificate wildcard, {sender}", detached(PLAIN, cms),
                               [signed("detached", by)], reason, sender,
                               content=PLAIN if reason == "ok" else None)
        cms = self.tool.sign(PLAIN, [self.signers["rsa2048"]])
        yield self.refusal("no authority", detached(PLAIN, cms), [
            signed("detached", {"signature": "ok", "chain": "untrusted", "reason": "untrusted"})],
            "untrusted", cas=[])
        for name, kind in (("p521", "ec:P-521"), ("brainpool", "ec:brainpoolP256r1")):
            holder = authority.issue(name, kind)
            cms = self.tool.sign(PLAIN, [holder])
            yield self.refusal(f"certificate {name}", detached(PLAIN, cms),
                               [signed("detached", {"serial": holder.serial})],
                               "unsupported-algorithm")

    def revocation(self):
        authority = self.authority
        good, bad = authority.issue("good"), authority.issue("revoked")
        crl = authority.revoke(bad)
        for holder, options, reason in (
                (bad, ["--crl", crl, "--revocation", "prefer"], "revoked"),
                (bad, ["--crl", crl, "--revocation", "require"], "revoked"),
                (bad, ["--crl", crl, "--revocation", "off"], "ok"),
                (good, ["--crl", crl, "--revocation", "require"], "ok"),
                (good, ["--revocation", "prefer"], "ok"),
                (good, ["--revocation", "require"], "revocation-unknown")):
            cms = self.tool.sign(PLAIN, [holder])
            by = signer(holder, "sha256", "ecdsa", chain=reason)
            by.pop("identity")
            yield self.refusal(
                f"revocation {holder.name} {options[-1]} {'' if crl in options else 'no list'}"
                .strip(), detached(PLAIN, cms), [signed("detached", by)], reason, options=options,
                content=PLAIN if reason == "ok" else None)

    def several_signers(self):
        """All must verify; one must cover the sender."""
        good = self.signers["rsa2048"]
        other = self.authority.issue("mallory", names="email:mallory@evil.example")
        expired = self.authority.issue("expired2", start="20200101000000Z", end="20210101000000Z")
        stranger = self.authority.self_signed("self2")
        yield self.refusal(
            "signers, one covers", opaque(self.tool.sign(PLAIN, [good, other], mode="opaque")),
            [signed("opaque", signer(good, "sha256", "rsa-pkcs1"),
                    signer(other, "sha256", "ecdsa", identity="sender-mismatch"))], "ok",
            content=PLAIN)
        for bad, reason in ((expired, "expired"), (stranger, "untrusted")):
            yield self.refusal(
                f"signers, one {reason}", detached(PLAIN, self.tool.sign(PLAIN, [good, bad])),
                [signed("detached", signer(good, "sha256", "rsa-pkcs1"),
                        {"serial": bad.serial, "signature": "ok", "chain": reason})], reason)
        by = signer(other, "sha256", "ecdsa", identity="sender-mismatch")
        yield self.refusal("signers, mallory alone",
                           detached(PLAIN, self.tool.sign(PLAIN, [other])),
                           [signed("detached", by)], "sender-mismatch")

    def changed_signatures(self):
        holder = self.signers["rsa2048"]
        for mode in ("detached", "opaque"):
            cms = self.tool.sign(PLAIN, [holder], mode=mode)
            changed = cms[:-1] + bytes([cms[-1] ^ 1])
            by = {"serial": holder.serial, "signature": "bad-signature"}
            yield self.refusal(f"changed signature {mode}", sign_entity(mode, PLAIN, changed),
                               [signed(mode, by)], "bad-signature")
            by = {"serial": holder.serial, "signature": "bad-digest"}
            if mode == "detached":
                entity = detached(PLAIN.replace(b"reader", b"writer"), cms)
            else:
                entity = opaque(cms.replace(b"reader", b"writer"))
            yield self.refusal(f"changed content {mode}", entity, [signed(mode, by)], "bad-digest")
        for md in ("sha1", "md5"):
            cms = self.tool.sign(PLAIN, [holder], md=md)
            by = {"serial": holder.serial, "digest": md, "reason": "weak-digest"}
            yield self.refusal(f"digest {md}", detached(PLAIN, cms, MICALG[md]),
                               [signed("detached", by)], "weak-digest")
            allowed = "ok" if md == "sha1" else "weak-digest"
            yield self.refusal(f"digest {md}, allowed", detached(PLAIN, cms, MICALG[md]),
                               [signed("detached", {"digest": md, "reason": allowed})], allowed,
                               options=["--allow-weak"], content=PLAIN if md == "sha1" else None)
        cms = self.tool.sign(PLAIN, [holder], mode="opaque")
        yield self.refusal("cut short", opaque(cms[:-100]), [{"type": "signed"}], "malformed")
        yield self.refusal("no CMS", opaque(b"this is no CMS at all"),
                           [{"type": "other", "reason": "malformed"}], "malformed")

    def changed_ciphertexts(self):
        holder = self.recipients["rsa2048"]
        for cipher, at in (("aes-256-cbc", -20), ("aes-256-gcm", -1), ("aes-256-gcm", -40)):
            cms = bytearray(self.tool.encrypt(MIXED, [holder], cipher, "-noindef"))
            # CBC: the block before the last, so that the padding is wrong.
            cms[at] ^= 0x80
            yield self.refusal(f"changed {cipher} {at}", sealed(bytes(cms), cipher),
                               [encrypted(cipher, "rsa-pkcs1", reason="decrypt-failed")],
                               "decrypt-failed", keys=[holder.both(self.folder)])

    def keys_of_others(self):
        to, ours = self.recipients["rsa3072"], self.recipients["rsa2048"]
        for cipher in ("aes-256-cbc", "aes-256-gcm"):
            cms = self.tool.encrypt(PLAIN, [to], cipher)
            yield self.refusal(f"to another {cipher}", sealed(cms, cipher),
                               [encrypted(cipher, "", reason="no-key")], "no-key",
                               keys=[ours.both(self.folder)])
        cms = self.tool.run("cms", "-encrypt", "-binary", "-aes128", "-pwri_password", "secret",
                            content=PLAIN)
        yield self.refusal("to a password only", opaque(cms, "enveloped-data"),
                           [encrypted("aes-128-cbc", "", reason="no-key")], "no-key",
                           keys=[ours.both(self.folder)])

    def other_kinds(self):
        """CMS that is neither signed nor encrypted."""
        holder = self.signers["rsa2048"]
        for name, words in (
                ("data", ["-data_create"]), ("digested", ["-digest_create"]),
                ("encrypted data", ["-EncryptedData_encrypt", "-aes128", "-secretkey", "00" * 16])):
            cms = self.tool.run("cms", *words, "-binary", content=PLAIN)
            yield self.refusal(f"kind {name}", opaque(cms, ""), [OTHER], "unsupported-algorithm")
        cms = openssl("crl2pkcs7", "-nocrl", "-certfile", holder.certificate, "-outform",
                      "DER").stdout
        yield self.refusal("kind certificates only", opaque(cms, "certs-only"),
                           [{"type": "signed", "signers": []}], "no-signer")
        entity = PLAIN
        for _ in range(6):
            entity = opaque(self.tool.sign(entity, [holder], mode="opaque"))
        yield self.refusal("six layers", entity, [{"type": "signed", "reason": "ok"}] * 5,
                           "too-many-layers")

    def not_at_the_root(self):
        holder = self.signers["rsa2048"]
        inside = detached(PLAIN, self.tool.sign(PLAIN, [holder]))
        yield Message("refusal plain", mail(PLAIN), smime=False, coverage="none", content=PLAIN,
                      cas=[self.root])
        wrapped = (b'Content-Type: multipart/mixed; boundary="list"\r\n\r\n--list\r\n' + inside
                   + b"\r\n--list\r\nContent-Type: text/plain\r\n\r\nlist footer\r\n--list--\r\n")
        yield Message("refusal in a list's mail", mail(wrapped), smime=False, coverage="part",
                      content=wrapped, cas=[self.root])
        attached = (b'Content-Type: multipart/mixed; boundary="list"\r\n\r\n--list\r\n'
                    b"Content-Type: message/rfc822\r\n\r\n" + mail(inside) + b"\r\n--list--\r\n")
        yield Message("refusal in an attached mail", mail(attached), smime=False, coverage="part",
                      content=attached, cas=[self.root])
