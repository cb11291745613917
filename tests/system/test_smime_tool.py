#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate smime verify` on signed messages that openssl made, and what the command line says."""

import json
import unittest

import harness
from openssl_mail import TEXT, Authority, as_part, encrypt, mail, openssl, sign
from smime_tool import TOP_KEYS, MadeTest, smime

SIGNER_KEYS = {"subject", "serial", "emails", "domains", "digest", "scheme", "signing_time",
               "signature", "chain", "identity", "reason"}

class SignedTest(MadeTest):
    def test_passes_and_has_the_shape_of_the_specification(self):
        for detached in (True, False):
            answer = self.judge(mail(sign(TEXT, self.alice, detached=detached)), *self.trust)
            self.assert_verdict(answer, True, "pass", "ok")
            self.assertEqual(set(answer), TOP_KEYS)
            self.assertEqual((answer["smime"], answer["coverage"]), (True, "whole"))
            [layer] = answer["layers"]
            self.assertEqual((layer["type"], layer["sign_mode"]),
                             ("signed", "detached" if detached else "opaque"))
            [signer] = layer["signers"]
            self.assertEqual(set(signer), SIGNER_KEYS)
            self.assertRegex(signer.pop("signing_time"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            self.assertEqual(signer.pop("serial").lstrip("0"), self.alice.serial().lstrip("0"))
            self.assertEqual(signer, {
                "subject": "CN=alice", "emails": ["alice@example.com"], "domains": [],
                "digest": "sha256", "scheme": "rsa-pkcs1", "signature": "ok", "chain": "ok",
                "identity": "ok", "reason": "ok"})

    def test_schemes_and_digests(self):
        rows = [(self.alice, "sha512", ("-keyopt", "rsa_padding_mode:pss"), "rsa-pss"),
                (self.alice, "sha384", (), "rsa-pkcs1"), (self.house, "sha256", (), "ecdsa")]
        for signer, digest, more, scheme in rows:
            entity = sign(TEXT, signer, digest=digest, more=more)
            answer = self.judge(mail(entity), *self.trust)
            self.assert_verdict(answer, True, "pass", "ok")
            told = self.signer_of(answer)
            self.assertEqual((told["digest"], told["scheme"]), (digest, scheme))

    def test_line_ends_are_those_of_smtp(self):
        for detached in (True, False):
            content = mail(sign(TEXT, self.alice, detached=detached))
            bare = content.replace(b"\r\n", b"\n")
            header, _, body = content.partition(b"\r\n\r\n")
            rows = {"LF": bare, "mbox": b"From alice Sat Nov 21 12:00:00 2026\n" + bare,
                    "LF header": header.replace(b"\r\n", b"\n") + b"\n\n" + body,
                    "LF body": header + b"\r\n\r\n" + body.replace(b"\r\n", b"\n")}
            for name, message in rows.items():
                with self.subTest(name, detached=detached):
                    self.assertTrue(self.judge(message, *self.trust)["verified"])

    def test_der_as_bytes_keeps_its_line_feeds(self):
        header = (b"From: alice@example.com\nContent-Type: application/pkcs7-mime\n"
                  b"Content-Transfer-Encoding: binary\n\n")
        der = openssl("cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer",
                      self.alice.certificate, "-inkey", self.alice.key, content=TEXT)
        self.assertIn(b"\n", der)
        self.assertTrue(self.judge(header + der, *self.trust)["verified"])

    def test_tampered(self):
        good = mail(sign(TEXT, self.alice))
        rows = [(good.replace(b"was written", b"was wrltten"), "fail", "bad-digest"),
                (good.replace(b"text/plain", b"text/plaim"), "fail", "bad-digest")]
        for message, result, reason in rows:
            answer = self.judge(message, *self.trust)
            self.assert_verdict(answer, False, result, reason)
            self.assertEqual(self.signer_of(answer)["signature"], reason)

    def test_a_signature_of_other_bytes(self):
        der = bytearray(openssl("cms", "-sign", "-binary", "-nodetach", "-outform", "DER",
                                "-signer", self.alice.certificate, "-inkey", self.alice.key,
                                content=TEXT))
        der[-1] ^= 1  # the signature is what comes last
        message = (b"From: alice@example.com\r\nContent-Type: application/pkcs7-mime\r\n"
                   b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(der))
        answer = self.judge(message, *self.trust)
        self.assert_verdict(answer, False, "fail", "bad-signature")

    def test_nobody_is_trusted_without_authorities(self):
        message = mail(sign(TEXT, self.alice))
        answer = self.judge(message)
        self.assert_verdict(answer, False, "fail", "untrusted")
        told = self.signer_of(answer)
        self.assertEqual((told["signature"], told["chain"], told["identity"]),
                         ("ok", "untrusted", "ok"))
        other = Authority(self.folder / "other", "root", "EC:P-256")
        self.assertEqual(self.judge(message, "--ca", other.certificate)["reason"], "untrusted")
        both = self.judge(message, "--ca", other.certificate, "--ca", self.root.certificate)
        self.assertTrue(both["verified"])

    def test_the_clock(self):
        message = mail(sign(TEXT, self.alice))
        for at, reason in (("2061-01-01T00:00:00Z", "expired"),
                           ("2019-12-31T23:59:59Z", "not-yet-valid"),
                           ("2020-01-01T00:00:00Z", "ok"),
                           ("2020-01-01T01:00:00+01:00", "ok"), ("2059-12-31T23:59:59Z", "ok")):
            with self.subTest(at):
                answer = self.judge(message, *self.trust, "--at", at)
                self.assertEqual(self.signer_of(answer)["chain"], reason)
                self.assertEqual(answer["reason"], reason)

    def test_whom_the_certificate_covers(self):
        rows = [
            (self.alice, "alice@example.com", "ok"),
            (self.alice, '"eve@x.example" <alice@example.com>', "ok"),
            (self.alice, "Alice <ALICE@EXAMPLE.COM>", "ok"),
            (self.house, "anybody@example.com", "ok"),
            (self.alice, "bob@example.com", "sender-mismatch"),
            (self.alice, '"alice@example.com" <eve@x.example>', "sender-mismatch"),
            (self.alice, "alice@example.com, eve@x.example", "sender-mismatch"),
            (self.alice, "alice@example.com\r\nFrom: eve@x.example", "sender-mismatch"),
            (self.alice, "", "sender-mismatch"),
            (self.house, "anybody@sub.example.com", "sender-mismatch"),
        ]
        for signer, sender, reason in rows:
            with self.subTest(sender):
                answer = self.judge(mail(sign(TEXT, signer), sender), *self.trust)
                told = self.signer_of(answer)
                self.assertEqual((told["chain"], told["identity"], answer["reason"]),
                                 ("ok", reason, reason))
                self.assertEqual(answer["verified"], reason == "ok")

    def test_other_identities(self):
        eve = sign(TEXT, self.eve)
        rows = [
            ((), b"", "sender-mismatch"),
            (("--identity", "off"), b"", "ok"),
            (("--identity", "from"), b"Return-Path: <eve@x.example>\r\n", "sender-mismatch"),
            (("--identity", "envelope"), b"Return-Path: <eve@x.example>\r\n", "ok"),
            (("--identity", "envelope"), b"Return-Path: <>\r\n", "sender-mismatch"),
            (("--identity", "envelope"), b"", "sender-mismatch"),
            (("--identity", "envelope", "--from", "eve@x.example"), b"", "ok"),
            (("--identity", "envelope", "--from", "<eve@x.example>"), b"", "ok"),
            (("--identity", "envelope", "--from", "<>"), b"Return-Path: <eve@x.example>\r\n",
             "sender-mismatch"),
        ]
        for options, fields, reason in rows:
            with self.subTest(options=options, fields=fields):
                answer = self.judge(mail(eve, more=fields), *self.trust, *options)
                self.assertEqual(answer["reason"], reason)

    def test_several_signers(self):
        both = self.judge(mail(sign(TEXT, self.alice, self.eve)), *self.trust)
        self.assert_verdict(both, True, "pass", "ok")
        self.assertEqual({signer["subject"]: signer["identity"]
                          for signer in both["layers"][0]["signers"]},
                         {"CN=alice": "ok", "CN=eve": "sender-mismatch"})
        stranger = Authority(self.folder / "other", "other", "EC:P-256").person(
            "stranger", "email:stranger@x.example", "EC:P-256")
        one = self.judge(mail(sign(TEXT, self.alice, stranger)), *self.trust)
        self.assert_verdict(one, False, "fail", "untrusted")

    def test_weak_ones_count_only_when_allowed(self):
        short = self.root.person("short", "email:alice@example.com", "rsa:1024")
        rows = [(self.alice, "sha1", "weak-digest", "ok"), (short, "sha256", "weak-key", "ok"),
                (self.alice, "md5", "weak-digest", "weak-digest")]
        for signer, digest, reason, allowed in rows:
            with self.subTest(reason, digest=digest):
                message = self.write(mail(sign(TEXT, signer, digest=digest)))
                answer = self.judge(message, *self.trust)
                self.assertEqual((answer["verified"], answer["reason"]), (False, reason))
                answer = self.judge(message, *self.trust, "--allow-weak")
                self.assertEqual((answer["verified"], answer["reason"]),
                                 (allowed == "ok", allowed))

    def test_revocation(self):
        mallory = self.root.person("mallory", "email:mallory@example.com", "EC:P-256")
        # Of two lists the newer one counts, by the second.
        before = self.root.revocation_list("before.crl", since="20260101000000Z")
        self.root.revoke(mallory)
        after = self.root.revocation_list("after.crl")
        message = self.write(mail(sign(TEXT, mallory), "mallory@example.com"))
        rows = [
            ((), "ok"),
            (("--revocation", "prefer"), "ok"),
            (("--revocation", "require"), "revocation-unknown"),
            (("--crl", before), "ok"),
            (("--crl", before, "--revocation", "require"), "ok"),
            (("--crl", after), "revoked"),
            (("--crl", before, "--crl", after), "revoked"),
            (("--crl", after, "--revocation", "require"), "revoked"),
            (("--crl", after, "--revocation", "off"), "ok"),
        ]
        for options, reason in rows:
            with self.subTest(options=options):
                answer = self.judge(message, *self.trust, *options)
                self.assertEqual(answer["reason"], reason)
                self.assertEqual(self.signer_of(answer)["chain"], reason)

    def test_known_certificates(self):
        message = self.write(mail(sign(TEXT, self.alice, more=("-nocerts",))))
        answer = self.judge(message, *self.trust)
        self.assertEqual((answer["reason"], self.signer_of(answer)["subject"]),
                         ("no-certificate", ""))
        known = ("--cert", self.alice.certificate)
        self.assert_verdict(self.judge(message, *self.trust, *known), True, "pass", "ok")
        # One that was added by hand is trusted as itself, and only itself.
        self.assertTrue(self.judge(message, *known)["verified"])
        self.assertEqual(self.judge(mail(sign(TEXT, self.house)), *known)["reason"], "untrusted")

    def test_nothing_signed(self):
        bag = openssl("crl2pkcs7", "-nocrl", "-certfile", self.alice.certificate, "-outform", "DER")
        header = (b"From: alice@example.com\r\nContent-Transfer-Encoding: binary\r\n"
                  b"Content-Type: application/pkcs7-mime; smime-type=certs-only\r\n\r\n")
        answer = self.judge(header + bag, *self.trust)
        self.assertEqual((answer["smime"], answer["verified"], answer["reason"]),
                         (True, False, "no-signer"))

    def test_what_is_no_cms(self):
        head = b"From: a@example.com\r\nContent-Transfer-Encoding: base64\r\nContent-Type: "
        for kind in (b"application/pkcs7-mime", b'application/octet-stream; name="smime.p7m"'):
            answer = self.judge(head + kind + b"\r\n\r\nbm90aGluZw==\r\n", *self.trust)
            self.assertFalse(answer["verified"])
        answer = self.judge(mail(sign(TEXT, self.alice)).partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
                            *self.trust)
        self.assertEqual((answer["verified"], answer["reason"]), (False, "malformed"))


class BelowTheRootTest(MadeTest):
    def test_is_told_and_not_processed(self):
        signed, secret = sign(TEXT, self.alice), encrypt(TEXT, self.bob)
        attached = (b"MIME-Version: 1.0\r\nContent-Type: message/rfc822\r\n\r\n" + mail(signed))
        for entity in (as_part(signed), as_part(secret), as_part(as_part(secret)), attached,
                       as_part(attached)):
            for message in (mail(entity), mail(entity).replace(b"\r\n", b"\n")):
                answer = self.judge(message, *self.trust, "--key", self.bob.both())
                self.assertEqual({key: answer[key] for key in TOP_KEYS},
                                 {"smime": False, "verified": False, "result": "none",
                                  "reason": "ok", "coverage": "part", "layers": []})

    def test_none_at_all(self):
        for entity in (TEXT, as_part(TEXT), b"\r\n", b"Content-Type: multipart/mixed\r\n\r\nx\r\n"):
            answer = self.judge(mail(entity), *self.trust)
            self.assertEqual((answer["smime"], answer["coverage"]), (False, "none"))

    def test_what_was_opened_is_whole(self):
        answer = self.judge(mail(encrypt(as_part(sign(TEXT, self.alice)), self.bob)), "--key",
                            self.bob.both())
        self.assertEqual((answer["verified"], answer["coverage"], len(answer["layers"])),
                         (True, "whole", 1))


class UsageTest(MadeTest):
    def test_usage(self):
        path = self.write(mail(TEXT))
        for arguments in ((), ("verify",), ("read", path), ("verify", path, "--at", "yesterday"),
                          ("verify", path, "--revocation", "maybe"),
                          ("verify", path, "--identity", "sender"),
                          ("verify", path, "--policy", "IN"),
                          ("verify", path, "--from", "a@example.com"),
                          ("verify", path, "--signature", "both"), ("verify", path, path)):
            done = smime(*arguments)
            self.assertEqual(done.returncode, 64, (arguments, done.stderr))

    def test_what_cannot_be_read_is_said(self):
        path = self.write(mail(TEXT))
        absent, nothing = self.folder / "absent", self.write(b"nothing\n", "nothing")
        for arguments, said in (((absent,), "No such file"), ((self.folder,), "folder"),
                                ((path, "--ca", absent), "No such file"),
                                ((path, "--ca", nothing), "no certificate"),
                                ((path, "--key", nothing), str(nothing)),
                                ((path, "--cert", nothing), str(nothing)),
                                ((path, "--crl", nothing), str(nothing)),
                                ((path, "--passphrase-file", absent, "--key", nothing),
                                 "No such file")):
            self.assertIn(said, self.refuse("verify", *arguments))
        header = self.write(b"X: y\r\n" * 100_000 + b"\r\nbody\r\n", "header")
        self.assertIn("header", self.refuse("verify", header))

    def test_people_get_sentences(self):
        path = self.write(mail(encrypt(sign(TEXT, self.alice), self.bob)))
        options = (path, *self.trust, "--key", self.bob.both())
        for command, first in (("verify", "verified"), ("decrypt", "decrypted")):
            done = smime(command, *options)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout.decode(), rf"^ +{first} +yes")
        done = smime("verify", path, "--key", self.bob.both())
        self.assertEqual(done.returncode, 1)
        self.assertIn("no: untrusted", done.stdout.decode())
        self.assertEqual(done.stderr, b"")
        for command in ("verify", "decrypt"):
            self.assertIn(b"Exit status", smime(command, "--help").stdout)


if __name__ == "__main__":
    harness.main()
