#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate smime decrypt` on messages that openssl made: layers, output, a gateway's keys."""

import json
import os
import subprocess
import sys

import harness
from openssl_mail import TEXT, Authority, as_part, encrypt, mail, openssl, sign
from smime_tool import MadeTest

ENCRYPTED_KEYS = {"type", "content_type", "cipher", "key_transport", "recipient_serial", "reason"}
OAEP = ("-keyopt", "rsa_padding_mode:oaep")
# Kilobytes that a program had at most. A process begins with what the one had that made it, so a
# small one must.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

class EncryptedTest(MadeTest):
    def test_opens_what_is_for_us(self):
        rows = [
            (self.bob, "aes-256-cbc", (), "envelopedData", "rsa-pkcs1"),
            (self.bob, "aes-128-cbc", OAEP, "envelopedData", "rsa-oaep"),
            (self.bob, "aes-256-gcm", OAEP, "authEnvelopedData", "rsa-oaep"),
            (self.carol, "aes-256-cbc", (), "envelopedData", "ecdh"),
            (self.carol, "aes-128-gcm", (), "authEnvelopedData", "ecdh"),
        ]
        for person, cipher, transport, content_type, told in rows:
            with self.subTest(cipher=cipher, transport=told):
                others = (self.eve,) if told == "ecdh" else ()  # -keyopt is for RSA alone
                message = mail(encrypt(TEXT, *others, person, cipher=cipher, transport=transport))
                answer = self.judge(message, "--key", person.both(), command="decrypt")
                self.assert_verdict(answer, True, "none", "ok")
                self.assertEqual((answer["smime"], answer["coverage"]), (True, "whole"))
                [layer] = answer["layers"]
                self.assertEqual(set(layer), ENCRYPTED_KEYS)
                self.assertEqual(layer.pop("recipient_serial").lstrip("0"),
                                 person.serial().lstrip("0"))
                self.assertEqual(layer, {"type": "encrypted", "content_type": content_type,
                                         "cipher": cipher, "key_transport": told, "reason": "ok"})

    def test_weak_ciphers_are_read_and_told(self):
        answer = self.judge(mail(encrypt(TEXT, self.bob, cipher="des3")), "--key", self.bob.both())
        self.assertTrue(answer["verified"])
        self.assertEqual(answer["layers"][0]["cipher"], "3des-cbc")
        self.assertIn("weak", answer["layers"][0]["why"])

    def test_what_is_for_others_stays_shut(self):
        message = self.write(mail(encrypt(TEXT, self.eve)))
        for options in ((), ("--key", self.bob.both())):
            answer = self.judge(message, *options, command="decrypt")
            self.assertEqual((answer["smime"], answer["verified"], answer["reason"]),
                             (True, False, "no-key"))

    def test_forms_of_keys(self):
        message = self.write(mail(encrypt(TEXT, self.bob)))
        secret = self.write(b"of the key\n", "secret")
        wrong = self.write(b"another\n", "wrong")
        pkcs12 = self.bob.pkcs12("of the key")
        locked = self.folder / "locked.pem"
        locked.write_bytes(self.bob.certificate.read_bytes() +
                           openssl("pkey", "-in", self.bob.key, "-aes256", "-passout",
                                   "pass:of the key"))
        for options in (("--key", self.bob.both()), ("--key", self.eve.both(), "--key",
                                                     self.bob.both()),
                        ("--key", pkcs12, "--passphrase-file", secret),
                        ("--key", locked, "--passphrase-file", secret),
                        ("--key", self.bob.key, "--cert", self.bob.certificate)):
            self.assertTrue(self.judge(message, *options)["verified"], options)
        for options, said in (
                (("--key", pkcs12), "passphrase"),
                (("--key", pkcs12, "--passphrase-file", wrong), "passphrase"),
                (("--key", locked, "--passphrase-file", wrong), "passphrase"),
                (("--key", self.bob.key), "no certificate"),
                (("--key", self.folder / "absent"), "No such file"),
                (("--key", self.bob.certificate), "key")):
            self.assertIn(said, self.refuse("decrypt", message, *options))

    def test_tampered(self):
        for cipher in ("aes-256-cbc", "aes-256-gcm"):
            der = bytearray(openssl("cms", "-encrypt", "-binary", "-outform", "DER",
                                    f"-{cipher}", "-recip", self.bob.certificate, content=TEXT))
            header = (b"From: alice@example.com\r\nContent-Transfer-Encoding: binary\r\n"
                      b"Content-Type: application/pkcs7-mime\r\n\r\n")
            self.assertTrue(self.judge(header + bytes(der), "--key", self.bob.both())["verified"])
            # The last block of CBC, which is padding; the tag of GCM.
            der[-20] ^= 1
            answer = self.judge(header + bytes(der), "--key", self.bob.both())
            self.assertEqual((answer["verified"], answer["reason"]), (False, "decrypt-failed"),
                             cipher)

    def test_layers(self):
        signed = sign(TEXT, self.alice)
        rows = {
            "sign-encrypt": (encrypt(signed, self.bob), ["encrypted", "signed"]),
            "encrypt-sign": (sign(encrypt(TEXT, self.bob), self.alice, detached=False),
                             ["signed", "encrypted"]),
            "triple": (sign(encrypt(signed, self.bob), self.alice),
                       ["signed", "encrypted", "signed"]),
        }
        for name, (entity, types) in rows.items():
            with self.subTest(name):
                answer = self.judge(mail(entity), *self.trust, "--key", self.bob.both())
                self.assert_verdict(answer, True, "pass", "ok")
                self.assertEqual([layer["type"] for layer in answer["layers"]], types)
        # The first from outside that is not ok tells the reason.
        answer = self.judge(mail(rows["triple"][0]), "--key", self.bob.both())
        self.assert_verdict(answer, False, "fail", "untrusted")
        self.assertEqual(answer["layers"][1]["reason"], "ok")

    def test_too_many_layers(self):
        entity = TEXT
        for count in range(1, 7):
            entity = encrypt(entity, self.bob)
            answer = self.judge(mail(entity), "--key", self.bob.both())
            self.assertEqual((answer["verified"], answer["reason"], len(answer["layers"])),
                             (count <= 5, "ok" if count <= 5 else "too-many-layers",
                              min(count, 5)))


class OutputTest(MadeTest):
    def deliver(self, content, *options, command="decrypt"):
        """What is written, and the answer."""
        output = self.folder / "out.eml"
        output.unlink(missing_ok=True)
        before = set(os.listdir(self.folder)) | {"mail.eml", "out.eml"}
        answer = self.judge(content, *self.trust, "--output", output, *options, command=command)
        self.assertEqual(set(os.listdir(self.folder)) - before, set())
        self.assertEqual(output.stat().st_mode & 0o777, 0o600)
        return output.read_bytes(), answer

    def test_what_was_opened_gets_its_header(self):
        for entity in (encrypt(TEXT, self.bob), encrypt(sign(TEXT, self.alice), self.bob),
                       encrypt(TEXT, self.bob, cipher="aes-256-gcm", transport=OAEP)):
            for message in (mail(entity), mail(entity).replace(b"\r\n", b"\n")):
                written, answer = self.deliver(message, "--key", self.bob.both(), "--signature",
                                               "remove")
                self.assertTrue(answer["verified"])
                header, _, body = written.partition(b"\r\n\r\n")
                self.assertEqual(body, TEXT.partition(b"\r\n\r\n")[2])
                for field in (b"From: alice@example.com", b"Subject: test",
                              b"Message-ID: <1@example.com>", b"MIME-Version: 1.0",
                              b"Content-Type: text/plain; charset=us-ascii"):
                    self.assertEqual(header.count(field), 1, header)
                self.assertNotIn(b"pkcs7", written)
                self.assertNotIn(b"Received", written)
                self.assertNotIn(b"Authentication-Results", written)

    def test_a_kept_signature_can_be_verified_again(self):
        written, answer = self.deliver(mail(encrypt(sign(TEXT, self.alice), self.bob)), "--key",
                                       self.bob.both())
        self.assertTrue(answer["verified"])
        again = self.judge(written, *self.trust)
        self.assert_verdict(again, True, "pass", "ok")
        self.assertEqual([layer["type"] for layer in again["layers"]], ["signed"])

    def test_a_signature_removed(self):
        for detached in (True, False):
            written, answer = self.deliver(mail(sign(TEXT, self.alice, detached=detached)),
                                           "--signature", "remove", command="verify")
            self.assertTrue(answer["verified"])
            self.assertEqual(written.partition(b"\r\n\r\n")[2], TEXT.partition(b"\r\n\r\n")[2])
            self.assertNotIn(b"multipart/signed", written)

    def test_the_original_byte_for_byte(self):
        signed, secret = sign(TEXT, self.alice), encrypt(TEXT, self.bob)
        bad = mail(signed).replace(b"was written", b"was wrltten")
        rows = {
            "kept": mail(signed),
            "tampered": bad,
            "for others": mail(encrypt(TEXT, self.eve)),
            "half": mail(encrypt(bad, self.bob)),
            "tampered inside": mail(encrypt(sign(TEXT, self.eve), self.bob)),
            "cut off": mail(secret)[:-200],
            "below the root": mail(as_part(signed)),
            "plain": mail(TEXT),
            "LF": mail(signed).replace(b"\r\n", b"\n"),
            "mbox": b"From alice Sat Nov 21 12:00:00 2026\n" + bad.replace(b"\r\n", b"\n"),
            "without end of line": mail(TEXT).rstrip(),
            "bytes": mail(b"\r\n") + bytes(range(256)) * 1000,
            "empty": b"",
        }
        for name, content in rows.items():
            with self.subTest(name):
                written, _ = self.deliver(content, "--key", self.bob.both())
                self.assertEqual(written, content)

    def test_protected_headers(self):
        inside = (b'Content-Type: text/plain; hp="cipher"\r\nSubject: the true one\r\n'
                  b"From: alice@example.com\r\n\r\nbody\r\n")
        message = mail(encrypt(inside, self.bob)).replace(b"Subject: test", b"Subject: [...]")
        written, _ = self.deliver(message, "--key", self.bob.both())
        self.assertIn(b"\r\nSubject: the true one\r\n", written)
        self.assertNotIn(b"[...]", written)
        self.assertEqual(written.count(b"From:"), 1)

    def test_may_be_the_message_itself(self):
        path = self.write(mail(encrypt(TEXT, self.bob)))
        self.judge(path, "--key", self.bob.both(), "--output", path)
        self.assertIn(b"this is what was written", path.read_bytes())

    def test_what_cannot_be_written_is_said(self):
        path = self.write(mail(encrypt(TEXT, self.bob)))
        said = self.refuse("decrypt", path, "--key", self.bob.both(), "--output",
                           self.folder / "absent/out")
        self.assertIn("No such file", said)

    def test_a_large_message_is_not_held_in_memory(self):
        line = b"0123456789abcdef" * 4 + b"\r\n"
        usage = []
        for megabytes in (1, 100):
            text = b"Content-Type: text/plain\r\n\r\n" + line * (megabytes * 1_000_000 // len(line))
            message = self.write(mail(encrypt(sign(text, self.alice, detached=False), self.bob)))
            output = self.folder / "out.eml"
            measured = subprocess.run(
                [sys.executable, "-c", MEASURE, harness.SEALGATE, "smime", "decrypt", message,
                 *self.trust, "--key", self.bob.both(), "--output", output, "--signature",
                 "remove"], capture_output=True, check=True)
            written = output.read_bytes()
            self.assertTrue(written.endswith(text.partition(b"\r\n\r\n")[2]))
            usage.append(int(measured.stdout))
        if "asan" not in str(harness.BIN):
            self.assertLess(usage[1] - usage[0], 16 * 1024, usage)  # KB


class ConfigurationTest(harness.SystemTest):
    """Keys, trust and known keys of a configuration, with and without a gateway."""

    CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:public]
address = 127.0.0.1:{port}
type = public
certificate = none
default-policy = IN

[mail-flow-policy:IN]
action = accept
smime-verify-decrypt = yes
smime-signature = remove

[certificate:bob]
file = {bob}

[trust:smime]
ca-files = {root}

[recipient-access]
example.net = accept

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
"""

    def setUp(self):
        super().setUp()
        self.root = Authority(self.folder / "root")
        self.alice = self.root.person("alice", "email:alice@example.com")
        self.bob = self.root.person("bob", "email:bob@example.net")
        other = Authority(self.folder / "other", "other", "EC:P-256")
        self.stranger = other.person("stranger", "email:alice@example.com")
        text = self.CONFIGURATION.replace("{bob}", str(self.bob.both()))
        self.gateway = self.make_gateway(
            9, text=text.replace("{root}", str(self.root.certificate)))

    def judge(self, content, *options):
        path = self.folder / "mail.eml"
        path.write_bytes(content)
        done = self.gateway.command("smime", "verify", path, *options, "--json", check=False)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def test_keys_trust_and_policy(self):
        output = self.folder / "out.eml"
        forged = b"Authentication-Results: gate.example.com; smime=pass\r\n"
        message = mail(encrypt(sign(TEXT, self.alice), self.bob), more=forged)
        answer = self.judge(message, "--output", output)
        self.assertEqual((answer["verified"], answer["result"]), (True, "pass"))
        written = output.read_bytes()
        self.assertEqual(written.count(b"Authentication-Results: gate.example.com"), 1)
        self.assertIn(b"alice@example.com", written.partition(b"From:")[0])
        self.assertNotIn(b"pkcs7", written)
        self.judge(message, "--output", output, "--signature", "keep")
        self.assertIn(b"pkcs7", output.read_bytes())
        self.assertFalse(self.gateway.data.exists(), "nothing was made where nothing was")

    def test_known_keys_with_and_without_a_gateway(self):
        whole = mail(sign(TEXT, self.stranger))
        bare = mail(sign(TEXT, self.stranger, more=("-nocerts",)))
        self.assertEqual(self.judge(whole)["reason"], "untrusted")
        self.assertEqual(self.judge(bare)["reason"], "no-certificate")
        self.gateway.command("key", "add", "stranger", self.stranger.certificate)
        self.assertEqual((self.judge(whole)["reason"], self.judge(bare)["reason"]), ("ok", "ok"))
        self.gateway.start()
        self.assertEqual((self.judge(whole)["reason"], self.judge(bare)["reason"]), ("ok", "ok"))
        self.gateway.command("key", "remove", "stranger")
        self.assertEqual(self.judge(whole)["reason"], "untrusted")

    def test_what_is_wrong_in_it(self):
        path = self.folder / "mail.eml"
        path.write_bytes(mail(TEXT))
        done = self.gateway.command("smime", "verify", path, "--policy", "absent", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("absent", done.stderr)
        text = self.gateway.ini.read_text() + "\n[trust:smime]\nca-filez = x\n"
        self.gateway.ini.write_text(text)
        done = self.gateway.command("smime", "verify", path, check=False)
        self.assertEqual(done.returncode, 78)


if __name__ == "__main__":
    harness.main()
