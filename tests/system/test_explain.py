#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate explain`: by the running gateway and without one, and that the gateway does as told."""

import json
import subprocess
import unittest

import harness

PROFILES = """
[sending-profile:secret]
mode = sign-encrypt
certificate = demo
sender-match = off
missing-key = {missing_key}

[content-filter:secret]
direction = outgoing
condition = subject == "secret"
actions = smime-gateway("secret");

[mail-policy:partners]
direction = outgoing
recipients = @example.net
content-filters = secret
"""


class ExplainTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.sink = self.start_sink()
        self.gateway = self.make_gateway(self.sink.port, sender_match="off",
                                         more=PROFILES.replace("{missing_key}", "split"))
        self.gateway.new_certificate("demo", "p256")
        key = self.folder / "bob.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.folder / "bob.key",
                        "-out", key, "-subj", "/CN=bob", "-days", "30", "-addext",
                        "subjectAltName=email:bob@example.net"], check=True, capture_output=True)
        self.gateway.command("key", "add", "bob", key)

    def explain(self, *more, status=0):
        done = self.gateway.command("explain", "--from", "a@example.com", *more, "--json",
                                    check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout)

    def test_says_the_same_with_and_without_a_gateway(self):
        words = ("--to", "bob@example.net", "--to", "eve@example.net", "--to", "x@example.org",
                 "--subject", "secret")
        here = self.explain(*words)
        self.gateway.start()
        there = self.explain(*words)
        self.assertEqual((here.pop("by_gateway"), there.pop("by_gateway")), (False, True))
        self.assertEqual(here, there)
        bob, eve, other = there["recipients"]
        self.assertEqual((bob["policy"], bob["content_filter"], bob["profile"], bob["does"]),
                         ("partners", "secret", "secret", "signed, encrypted"))
        self.assertEqual((bob["key"]["name"], bob["cipher"]), ("bob", "aes-256-cbc"))
        self.assertEqual((eve["note"], eve["does"]), ("left-clear", "signed"))
        self.assertEqual((other["policy"], other["profile"]), ("DEFAULT", "sign"))
        self.assertEqual(bob["route"]["hosts"][0]["port"], self.sink.port)
        text = self.gateway.command("explain", "--from", "a@example.com", *words).stdout
        for wanted in ("manual key bob", "content filter", "goes out signed, not encrypted"):
            self.assertIn(wanted, text)
        with harness.Client(self.gateway.port) as client:
            client.begin("a@example.com", "bob@example.net")
            client.send(b"From: a@example.com\r\nTo: bob@example.net\r\nSubject: secret\r\n\r\n"
                        b"words\r\n.\r\n")
            self.assertIn("250", str(client.reply()))
        self.sink.wait_for(1)
        content = self.sink.content(self.sink.rows()[0])
        self.assertIn(b"enveloped-data", content)

    def test_fails_when_the_mail_would(self):
        bouncing = harness.CONFIGURATION + PROFILES.replace("{missing_key}", "bounce")
        self.gateway.write(bouncing)
        words = ("--to", "eve@example.net", "--subject", "secret")
        answer = self.explain(*words, status=1)
        self.assertEqual(answer["recipients"][0]["reason"], "no-key")
        done = self.gateway.command("explain", "--from", "a@example.com", *words, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bounces: no-key", done.stdout)
        self.assertIn("missing-key = bounce", done.stdout)

    def test_refuses_what_is_no_question(self):
        for words in ((), ("--to", "nobody"), ("--to", "b@x.test", "--header", "no colon"),
                      ("--to", "b@x.test", "--ip", "here")):
            done = self.gateway.command("explain", "--from", "a@example.com", *words, check=False)
            self.assertEqual(done.returncode, 64, done.stderr)
        self.assertEqual(self.gateway.command("explain", "--to", "b@x.test",
                                              check=False).returncode, 64)
        self.gateway.ini.write_text("[gateway]\nhostnam = x\n")
        done = self.gateway.command("explain", "--from", "a@x.test", "--to", "b@x.test",
                                    check=False)
        self.assertEqual(done.returncode, 78)


if __name__ == "__main__":
    harness.main()
