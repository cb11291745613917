#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate smime` on what others wrote, with the expectations that lie beside it."""

import base64
import re
import unittest

import harness
from openssl_mail import TEXT, Person, mail, openssl, sign
from smime_tool import ToolTest

@unittest.skipUnless(harness.CORPUS.exists(), "no corpus")
class CorpusTest(ToolTest):
    """What others wrote, with the expectations that lie beside it."""

    def wrap(self, der, sender="a@example.com"):
        return (f"From: {sender}\r\nContent-Type: application/pkcs7-mime\r\n"
                "Content-Transfer-Encoding: binary\r\n\r\n").encode() + der

    def test_nss(self):
        place = harness.CORPUS / "nss-smime/tests/smime/interop-openssl"
        keys = ("--key", place / "Fran.p12", "--key", place / "Fran-ec.p12", "--passphrase-file",
                self.write(b"nss\n", "secret"))
        messages = sorted(place.glob("*.env"))
        self.assertEqual(len(messages), 17)
        output = self.folder / "out"
        for path in messages:
            with self.subTest(path.name):
                answer = self.judge(self.wrap(path.read_bytes()), *keys, "--output", output,
                                    command="decrypt")
                self.assert_verdict(answer, True, "none", "ok")
                self.assertEqual(answer["layers"][0]["key_transport"],
                                 "ecdh" if "fran-ec" in path.name else "rsa-oaep")
                self.assertIn(b"This is a test message to Fran.", output.read_bytes())

    def test_notmuch(self):
        place = harness.CORPUS / "notmuch"
        bob = self.folder / "bob.pem"
        bob.write_bytes((place / "derived-keys/bob.key.pem").read_bytes() +
                        (place / "derived-keys/bob.crt.pem").read_bytes())
        options = ("--ca", place / "test/smime/ca.crt", "--key", bob)
        rows = {
            "smime-multipart-signed": (["signed"], "pass", None),
            "smime-onepart-signed": (["signed"], "pass", None),
            "smime-enc+legacy-disp": (["encrypted"], "none", "BarCorp contract signed, let's go!"),
            "smime-sign+enc": (["encrypted", "signed"], "pass",
                               "BarCorp contract signed, let's go!"),
            "smime-sign+enc+legacy-disp": (["encrypted", "signed"], "pass",
                                           "BarCorp contract signed, let's go!"),
        }
        output = self.folder / "out"
        for name, (layers, result, subject) in rows.items():
            with self.subTest(name):
                path = place / f"test/corpora/protected-headers/{name}.eml"
                if not path.exists():
                    continue
                answer = self.judge(path, *options, "--output", output)
                self.assert_verdict(answer, True, result, "ok")
                self.assertEqual([layer["type"] for layer in answer["layers"]], layers)
                if subject:
                    self.assertEqual(answer["layers"][0]["cipher"], "3des-cbc")
                    told = re.search(rb"^Subject: (.*)\r\n", output.read_bytes(), re.M).group(1)
                    self.assertEqual(told.decode(), subject)
                else:
                    self.assertEqual(output.read_bytes(), path.read_bytes())

    def make_list(self, name, certificate, key, serials):
        """A revocation list of that authority."""
        place = self.folder / name
        place.mkdir()
        (place / "index").write_text("".join(
            f"R\t340101000000Z\t260401000000Z\t{serial}\tunknown\t/CN=x\n" for serial in serials))
        (place / "number").write_text("01\n")
        (place / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=own\n[own]\ndatabase={place}/index\ncrlnumber={place}/number\n"
            f"default_md=sha256\ncertificate={certificate}\nprivate_key={key}\n")
        openssl("ca", "-config", place / "ca.cnf", "-gencrl", "-crl_lastupdate",
                "20260501000000Z", "-crl_nextupdate", "20330101000000Z", "-out", place / "list")
        return place / "list"

    def test_mimekit(self):
        """Its authorities and people; the lists that its certificates name are made here."""
        place = harness.CORPUS / "mimekit/UnitTests/TestData/smime"
        derived = harness.CORPUS / "mimekit/derived-keys"
        root = derived / "root.crt.pem"
        chain = (derived / "rsa.chain.pem").read_text().split("-----END CERTIFICATE-----\n")
        second, first = (self.folder / name for name in ("second", "first"))
        second.write_text(chain[0] + "-----END CERTIFICATE-----\n")
        first.write_text(chain[1] + "-----END CERTIFICATE-----\n")
        lists = [
            self.make_list("of-root", root, place / "certificate-authority.key",
                           ["730A79B6E55F928F"]),
            self.make_list("of-first", first, place / "intermediate1.key", []),
            self.make_list("of-second", second, place / "intermediate2.key",
                           ["2A1113FF32CCC697"])]
        options = ["--ca", root, "--at", "2027-01-01T00:00:00Z"]
        with_lists = options + [word for path in lists for word in ("--crl", path)]
        rows = [  # sender, without lists, with them
            ("rsa", "rsa@mimekit.net", "ok", "ok"),
            ("dnsnames", "anybody@domain-wide.mimekit.net", "ok", "ok"),
            ("dnsnames", "anybody@mimekit.net", "sender-mismatch", "sender-mismatch"),
            ("nochain", "nochain@mimekit.net", "untrusted", "untrusted"),
            ("revoked", "revoked@mimekit.net", "ok", "revoked"),
            ("revokedsubca", "revokedsubca@mimekit.net", "ok", "revoked"),
        ]
        for name, sender, without, there in rows:
            with self.subTest(name, sender=sender):
                person = Person(derived, name)
                person.key, person.certificate = (derived / f"{name}.{kind}.pem"
                                                  for kind in ("key", "crt"))
                issuers = derived / f"{name}.chain.pem"
                more = ("-certfile", issuers) if issuers.read_bytes().strip() else ()
                message = self.write(mail(sign(TEXT, person, more=more), sender))
                for given, reason in ((options, without), (with_lists, there)):
                    answer = self.judge(message, *given)
                    self.assertEqual((answer["verified"], answer["reason"]),
                                     (reason == "ok", reason))
                required = self.judge(message, *options, "--revocation", "require")
                self.assertEqual(required["reason"] == "revocation-unknown", without == "ok" or
                                 without == "sender-mismatch")

    def test_mimekit_thunderbird(self):
        """A mail of 2013, whose signature is made with SHA-1."""
        place = harness.CORPUS / "mimekit/UnitTests/TestData/smime"
        roots = self.folder / "roots.pem"
        roots.write_bytes(openssl("x509", "-in", place / "StartComCertificationAuthority.crt"))
        options = ("--ca", roots, "--at", "2013-11-03T00:00:00Z")
        message = place / "thunderbird-signed.txt"
        answer = self.judge(message, *options)
        self.assert_verdict(answer, False, "policy", "weak-digest")
        self.assert_verdict(self.judge(message, *options, "--allow-weak"), True, "pass", "ok")
        self.assertEqual(self.judge(message, "--ca", roots, "--allow-weak")["reason"], "expired")

    def test_openssl_refusals(self):
        place = harness.CORPUS / "openssl-cms/test"
        data = place / "recipes/80-test_cms_data"
        trust = ("--ca", place / "smime-certs/smroot.pem", "--identity", "off")
        rsa = ("--key", place / "smime-certs/smrsa3.pem")
        ecdh = ("--key", data / "ecdh-key.pem", "--cert", data / "ecdh-cert.pem")
        rows = [
            (data / "no_md_attr.cms", (), "malformed"),
            (data / "no_ct_attr.cms", (), "malformed"),
            (data / "ct_multiple_attr.cms", (), "malformed"),
            (data / "bad_signtime_attr.cms", (), "malformed"),
            (data / "rsa-malformed.der", rsa, "unsupported-algorithm"),
            (data / "rsa-malformed.der", (), "no-key"),
            (data / "ecdh-malformed.der", ecdh, "unsupported-algorithm"),
            (data / "ecdh-malformed.der", rsa, "no-key"),
            (data / "dh-malformed.der", rsa, "no-key"),
            (data / "pkcs7-md4.pem", (), "unsupported-algorithm"),
            (data / "pkcs7-md4-encrypted.pem", rsa, "unsupported-algorithm"),
            (place / "cms-msg/missing-kdf.der", rsa, "no-key"),
            (place / "cms-msg/enveloped-content-type-for-aes-gcm.pem", rsa, "no-key"),
            (place / "recipes/80-test_cmsapi_data/cms_pwri_kek_oob.der", rsa, "no-key"),
            (place / "recipes/80-test_cmsapi_data/encDataWithTooLongIV.pem", rsa, "no-key"),
            (place / "recipes/80-test_cmsapi_data/encryptedData.der", rsa,
             "unsupported-algorithm"),
            (place / "recipes/25-test_pkcs7_data/malformed.pkcs7", (), "malformed"),
            *((path, rsa, "malformed") for path in sorted((place / "d2i-tests").glob("*.der"))),
        ]
        self.assertGreater(len(rows), 20)
        for path, keys, reason in rows:
            with self.subTest(path.name, keys=keys):
                answer = self.judge(self.wrap(self.der_of(path)), *trust, *keys)
                self.assertEqual((answer["verified"], answer["reason"]), (False, reason))
        # No digest is announced, which RFC 5652 allows; the certificate is its own authority.
        answer = self.judge(place / "smime-eml/pkcs7-empty-digest-set.eml", *trust)
        self.assertEqual((answer["verified"], answer["reason"]), (False, "untrusted"))

    @staticmethod
    def der_of(path):
        content = path.read_bytes()
        if not content.startswith(b"-----"):
            return content
        return base64.b64decode(b"".join(content.split(b"-----")[2].split()))

    def test_openssl_old_ciphertext(self):
        place = harness.CORPUS / "openssl-cms/test"
        output = self.folder / "out"
        answer = self.judge(place / "recipes/80-test_cms_data/ciphertext_from_1_1_1.cms", "--key",
                            place / "smime-certs/smec3.pem", "--output", output,
                            command="decrypt")
        self.assert_verdict(answer, True, "none", "ok")
        self.assertIn(b"Somewhat longer test content", output.read_bytes())


if __name__ == "__main__":
    harness.main()
