#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate cert` and `sealgate profile`, as an operator uses them, without a running gateway."""

import json
import os
import pathlib
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

SEALGATE = pathlib.Path(os.environ.get("SEALGATE_BIN_DIR", "build/release/bin")) / "sealgate"
CORPUS = pathlib.Path(os.environ.get("SEALGATE_CORPUS_DIR", "../shared/corpus"))

CONFIGURATION = """
[gateway]
hostname = gate.example.test
data-dir = {folder}/data
{more}

[listener:in]
address = 127.0.0.1:2525
certificate = none

[sending-profile:sign]
mode = sign
certificate = mail
"""


def run_openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                          text=True).stdout


class CertTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sealgate-cert-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.configure("")

    def configure(self, more):
        self.ini = self.folder / "gate.ini"
        self.ini.write_text(CONFIGURATION.format(folder=self.folder, more=more))

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def call(self, *arguments, status=0):
        done = subprocess.run([SEALGATE, *map(str, arguments), "-c", self.ini],
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              start_new_session=True, timeout=120)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def ask(self, *arguments, status=0):
        return json.loads(self.call(*arguments, "--json", status=status).stdout)

    def new(self, name="mail", *more):
        return self.ask("cert", "new", name, "--cn", "Mail", "--key", "p256", "--san-dns",
                        "example.com,*.example.com", "--san-email", "a@example.net", *more)

    def chain(self, name="mail"):
        return self.folder / "data/certificates" / name / "chain.pem"

    def test_new_makes_what_it_says(self):
        answer = self.new("mail", "--org", "Grün GmbH", "--country", "DE", "--days", "30")
        made = answer["certificate"]
        self.assertEqual(made["subject"], "C=DE, O=Grün GmbH, CN=Mail")
        self.assertEqual(made["domains"], ["example.com", "*.example.com"])
        self.assertEqual(made["emails"], ["a@example.net"])
        self.assertIn(made["days_left"], (29, 30))
        self.assertEqual((made["may_sign"], made["may_encrypt"]), ("ok", "ok"))
        self.assertEqual(made["used_by"], ["sending-profile:sign"])
        self.assertFalse(answer["reloaded"])
        text = run_openssl("x509", "-noout", "-text", "-in", self.chain())
        self.assertIn("DNS:*.example.com", text)
        self.assertIn("E-mail Protection", text)
        self.assertEqual(self.chain().with_name("key.pem").stat().st_mode & 0o777, 0o600)

    def test_new_in_every_kind_of_key(self):
        for kind, key, bits in (("rsa:2048", "rsa", 2048), ("rsa:3072", "rsa", 3072),
                                ("p256", "p256", 256), ("p384", "p384", 384),
                                ("ed25519", "ed25519", 256)):
            made = self.ask("cert", "new", key + str(bits), "--cn", "x", "--san-dns", "a.example",
                            "--key", kind)["certificate"]
            self.assertEqual((made["key"], made["bits"]), (key, bits))
        listed = self.ask("cert", "list")["certificates"]
        self.assertEqual([row["name"] for row in listed],
                         ["ed25519256", "p256256", "p384384", "rsa2048", "rsa3072"])

    def test_wrong_arguments_are_usage(self):
        for more in (["x"], ["x", "--cn", ""], ["../x", "--cn", "x"], ["none", "--cn", "x"],
                     ["x", "--cn", "x", "--key", "rsa:1024"], ["x", "--cn", "x", "--days", "0"],
                     ["x", "--cn", "x", "--san-dns", "ü.example"], ["x", "--cn", "x" * 65],
                     ["x", "--cn", "x", "--san-email", "nobody"],
                     ["x", "--cn", "x", "--country", "de"]):
            self.call("cert", "new", *more, status=64)
        self.call("cert", status=64)
        self.call("cert", "frobnicate", status=64)
        self.assertFalse((self.folder / "data").exists())

    def test_what_is_not_there_is_refused_with_the_nearest_name(self):
        self.new()
        for words in (["show"], ["delete"], ["csr"],
                      ["export", "--output", "x", "--passphrase-file", "x"]):
            done = self.call("cert", words[0], "mial", *words[1:], status=1)
            self.assertIn("nearest known: mail", done.stderr)
        self.call("cert", "new", "mail", "--cn", "x", status=1)

    def test_a_bad_configuration_is_78(self):
        self.ini.write_text("[gateway]\nhostnaem = x\n")
        self.assertIn("gate.ini:2", self.call("cert", "list", status=78).stderr)
        self.ini.unlink()
        self.call("cert", "list", status=78)

    def test_request_goes_out_and_comes_back_signed(self):
        self.new()
        request = self.folder / "mail.csr"
        self.call("cert", "csr", "mail", "--output", request)
        self.assertTrue(self.ask("cert", "show", "mail")["request_pending"])
        authority, key = self.folder / "ca.pem", self.folder / "ca.key"
        run_openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=Authority",
                    "-keyout", key, "-out", authority, "-days", "10")
        signed = self.folder / "signed.pem"
        run_openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", key,
                    "-copy_extensions", "copyall", "-days", "5", "-out", signed)
        bundle = self.folder / "bundle.p7b"
        run_openssl("crl2pkcs7", "-nocrl", "-certfile", signed, "-certfile", authority,
                    "-out", bundle)
        answer = self.ask("cert", "replace", "mail", bundle)["certificate"]
        self.assertEqual(answer["issuer"], "CN=Authority")
        self.assertEqual(answer["chain"], ["CN=Authority"])
        self.assertEqual(answer["domains"], ["example.com", "*.example.com"])
        self.assertFalse(answer["request_pending"])
        run_openssl("verify", "-CAfile", authority, "-purpose", "smimesign", self.chain())
        self.new("other")
        self.assertIn("not for the key", self.call("cert", "replace", "other", bundle,
                                                   status=1).stderr)

    def test_pkcs12_goes_out_and_in(self):
        self.new()
        secret = self.write("secret", "pass word\n")
        out = self.folder / "mail.p12"
        self.call("cert", "export", "mail", "--output", out, "--passphrase-file", secret)
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        info = run_openssl("pkcs12", "-in", out, "-passin", "pass:pass word", "-nodes")
        self.assertIn("friendlyName: mail", info)
        again = self.ask("cert", "import", "again", out, "--passphrase-file", secret)
        self.assertEqual(again["done"], "imported")
        self.assertEqual(again["certificate"]["sha256"], self.ask("cert", "show", "mail")["sha256"])
        self.assertEqual(self.ask("cert", "import", "again", out, "--passphrase-file",
                                  secret)["done"], "replaced")
        wrong = self.write("wrong", "wrong\n")
        self.assertIn("the passphrase is wrong",
                      self.call("cert", "import", "x", out, "--passphrase-file", wrong,
                                status=1).stderr)
        self.assertIn("give --passphrase-file", self.call("cert", "import", "x", out,
                                                          status=1).stderr)

    def test_passphrase_is_asked_for_on_the_terminal_and_not_shown(self):
        self.new()
        secret = self.write("secret", "typed-secret\n")
        out = self.folder / "mail.p12"
        self.call("cert", "export", "mail", "--output", out, "--passphrase-file", secret)
        child, terminal = pty.fork()
        if child == 0:
            os.execv(SEALGATE, [str(SEALGATE), "cert", "import", "typed", str(out), "-c",
                                str(self.ini)])
        signal.alarm(120)  # whoever waits for the other for ever is ended
        self.addCleanup(signal.alarm, 0)
        shown = b""
        answers = [b"wrong\n", b"typed-secret\n"]
        try:
            while True:
                shown += os.read(terminal, 4096)
                if answers and shown.count(b"Passphrase of") == 3 - len(answers):
                    os.write(terminal, answers.pop(0))
        except OSError:  # the other end has closed
            pass
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)
        self.assertNotIn(b"typed-secret", shown)
        self.assertEqual(self.ask("cert", "show", "typed")["name"], "typed")

    def test_pem_with_a_key_beside_it(self):
        key, certificate = self.folder / "key", self.folder / "certificate"
        run_openssl("req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-subj",
                    "/CN=x", "-keyout", key, "-out", certificate)
        self.assertIn("no private key", self.call("cert", "import", "x", certificate,
                                                  status=1).stderr)
        secret = self.write("secret", "secret")
        self.call("cert", "import", "x", certificate, "--key", key, "--passphrase-file", secret)
        self.new("other")
        other = self.chain("other").with_name("key.pem")
        self.assertIn("does not match", self.call("cert", "import", "y", certificate, "--key",
                                                  other, status=1).stderr)

    def test_a_certificate_that_can_do_nothing_is_refused_with_the_reason(self):
        key, certificate = self.folder / "key", self.folder / "certificate"
        for arguments, reason in ((["rsa:1024"], "weak-key"),
                                  (["rsa:2048", "-addext", "extendedKeyUsage=serverAuth"],
                                   "bad-key-usage")):
            run_openssl("req", "-x509", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out",
                        certificate, "-newkey", *arguments)
            self.assertIn(reason, self.call("cert", "import", "x", certificate, "--key", key,
                                            status=1).stderr)

    def test_delete_is_refused_while_in_use(self):
        self.new("mail")
        self.new("spare")
        self.assertIn("in use by sending-profile:sign",
                      self.call("cert", "delete", "mail", status=1).stderr)
        self.call("cert", "delete", "spare")
        self.assertEqual([row["name"] for row in self.ask("cert", "list")["certificates"]],
                         ["mail"])

    def test_keys_are_encrypted_with_the_gateways_passphrase(self):
        self.configure(f"key-passphrase-file = {self.write('passphrase', 'of the gateway')}")
        self.new()
        key = self.chain().with_name("key.pem")
        self.assertIn("ENCRYPTED PRIVATE KEY", key.read_text())
        run_openssl("pkey", "-noout", "-in", key, "-passin", "pass:of the gateway")
        self.assertTrue(self.ask("profile", "check", "sign")["ok"])
        self.configure("")
        answer = self.ask("profile", "check", "sign", status=1)
        self.assertEqual(answer["reason"], "no-certificate")

    def test_profiles_say_whether_they_can_sign(self):
        self.assertEqual(self.ask("profile", "check", "sign", status=1)["reason"],
                         "no-certificate")
        self.new()
        answer = self.ask("profile", "check", "sign")
        self.assertEqual((answer["ok"], answer["reason"]), (True, "ok"))
        self.assertIn("every address at example.com", self.call("profile", "show", "sign").stdout)
        listed = self.ask("profile", "list")["profiles"]
        self.assertEqual([row["name"] for row in listed], ["sign"])
        self.assertIn("nearest known: sign", self.call("profile", "show", "sing", status=1).stderr)

    def test_pkcs12_of_the_corpus(self):
        rows = [("rfc9216/4.5_PKCS-12-Object-for-Alice.p12", "alice", "alice@smime.example"),
                ("rfc9216/7.5_PKCS-12-Object-for-Carlos.p12", "carlos", "carlos@smime.example"),
                ("mimekit/UnitTests/TestData/smime/rsa/smime.pfx", "no.secret",
                 "rsa@mimekit.net"),
                ("nss-smime/tests/smime/interop-openssl/Fran.p12", "nss", "")]
        if not CORPUS.exists():
            self.skipTest("no corpus")
        for number, (path, passphrase, address) in enumerate(rows):
            secret = self.write("secret", passphrase)
            answer = self.ask("cert", "import", f"c{number}", CORPUS / path, "--passphrase-file",
                              secret)["certificate"]
            if address:
                self.assertIn(address, answer["emails"])


if __name__ == "__main__":
    if not SEALGATE.exists():
        print(f"skipped: {SEALGATE} is absent")
        sys.exit(77)
    unittest.main()
