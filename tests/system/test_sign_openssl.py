#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mails of tests/data through the gateway: signed, verified by openssl, and otherwise the same.

Detached and opaque, with RSA, P-256 and P-384. Ed25519 is left to the unit tests: the openssl of
Debian 12 does not read it in CMS.
"""

import subprocess

import harness


class SignTest(harness.SystemTest):
    # Whose From is not one address that the certificate covers and all readers agree about (the
    # obsolete one has a comment inside its domain): they bounce.
    BOUNCED = {"display-name-trick.eml", "rfc5322-a6-obsolete.eml", "two-from-fields.eml"}
    # Signed by its author: goes out as it is.
    KEPT = {"smime-signed-already.eml"}

    def send_all(self, key, sign_mode):
        self.sink = self.start_sink()
        gateway = self.make_gateway(self.sink.port, certificate="mail", sign_mode=sign_mode)
        gateway.new_certificate("mail", key)
        gateway.start()
        mails = sorted(harness.DATA.glob("*/*.eml"))
        sent = self.folder / "sent"
        harness.source(gateway.port, "--messages", len(mails), "--connections", 4, "--sent", sent,
                       *mails)
        self.sink.wait_for(len(mails))
        templates = {}
        for line in sent.read_text().splitlines():
            message_id, _, _, _, path = line.split("\t")
            templates[message_id] = harness.pathlib.Path(path)
        return gateway, templates

    def check_all(self, key, sign_mode):
        gateway, templates = self.send_all(key, sign_mode)
        certificate = gateway.certificate("mail")
        signed = 0
        for row in self.sink.rows("mail"):
            template = templates[row["id"]]
            with self.subTest(mail=template.name):
                self.assertNotIn(template.name, self.BOUNCED)
                content = self.sink.content(row)
                if template.name in self.KEPT:
                    before = harness.with_crlf(template.read_bytes())
                    self.assertEqual(harness.entity_of(content), harness.entity_of(before))
                    continue
                self.check_one(template, content, certificate)
                signed += 1
        bounced = {templates[row["about"]].name for row in self.sink.rows("dsn")}
        self.assertEqual(bounced, self.BOUNCED)
        self.assertEqual(signed, len(templates) - len(self.BOUNCED) - len(self.KEPT))

    def check_one(self, template, content, certificate):
        inner = harness.verify(content, certificate)
        self.check_with_smime_reader(content, certificate)
        before = harness.with_crlf(template.read_bytes())
        if harness.split_mail(before) is None or template.name == "no-blank-line.eml":
            return
        expected = harness.entity_of(before)
        if "seven-bit: untouched" in template.with_suffix(".expect").read_text():
            self.assertEqual(inner, expected)
        else:
            self.assertEqual(list(harness.leaves(harness.parse(inner))),
                             list(harness.leaves(harness.parse(expected))))
        self.check_outside(before, content)

    def check_outside(self, before, content):
        """The other fields stay outside, in their order, and come once."""
        ours = (b"received", b"message-id", b"x-sealload-digest", b"mime-version")

        def others(mail):
            return [field for field in harness.split_mail(mail)[0]
                    if not harness.is_mime_field(field) and not field.startswith(b"From ")
                    and harness.field_name(field) not in ours]
        self.assertEqual(others(content), others(before))
        names = [harness.field_name(field) for field in harness.split_mail(content)[0]]
        for name in (b"mime-version", b"content-type"):
            self.assertEqual(names.count(name), 1, name)
        self.assertLessEqual(names.count(b"content-transfer-encoding"), 1)

    def check_with_smime_reader(self, content, certificate):
        """openssl's own reader of S/MIME messages agrees, as mail programs must."""
        fields, body = harness.split_mail(content)
        fields = [field for field in fields
                  if harness.is_mime_field(field) or harness.field_name(field) == b"mime-version"]
        done = subprocess.run(["openssl", "cms", "-verify", "-CAfile", certificate, "-out",
                               "/dev/null"], input=b"".join(fields) + b"\r\n" + body,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_rsa_detached(self):
        self.check_all("rsa:2048", "detached")

    def test_rsa_opaque(self):
        self.check_all("rsa:2048", "opaque")

    def test_p256_detached(self):
        self.check_all("p256", "detached")

    def test_p256_opaque(self):
        self.check_all("p256", "opaque")

    def test_p384_detached(self):
        self.check_all("p384", "detached")


if __name__ == "__main__":
    harness.main()
