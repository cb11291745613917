#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate key`: by the running gateway and without one, and what kill -9 leaves."""

import json
import os
import pty
import pwd
import random
import signal
import subprocess
import time
import unittest

import harness


def run_openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class KeysTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.gateway = self.make_gateway(25)

    def certificate(self, name, san="email:bob@example.net", key="p256", days=30, more=()):
        """A certificate of openssl's; its private key lies beside it."""
        path = self.folder / f"{name}.pem"
        kinds = {"p256": ("ec", "ec_paramgen_curve:P-256"),
                 "secp256k1": ("ec", "ec_paramgen_curve:secp256k1"),
                 "rsa2048": ("rsa", "rsa_keygen_bits:2048"),
                 "rsa1024": ("rsa", "rsa_keygen_bits:1024")}
        if key == "ed25519":
            new = ["-newkey", "ed25519"]
        else:
            new = ["-newkey", kinds[key][0], "-pkeyopt", kinds[key][1]]
        names = ["-addext", f"subjectAltName={san}"] if san else []
        run_openssl("req", "-x509", *new, "-nodes", "-keyout", self.folder / f"{name}.key", "-out",
                    path, "-subj", f"/CN={name}", "-days", days, *names, *more)
        return path

    def expired(self):
        harness.new_openssl_certificate(self.folder, "expired", "20200101000000Z",
                                        "20200201000000Z", "keyEncipherment")
        return self.folder / "openssl-expired/chain.pem"

    def refused(self, *arguments, status=1):
        done = self.gateway.command(*arguments, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stderr

    def names(self, *search):
        return [key["name"] for key in self.gateway.ask("key", "list", *search)["keys"]]

    def both_ways(self):
        """Without a gateway, then with one."""
        yield False
        self.gateway.start()
        yield True
        self.gateway.stop()

    def test_add_list_show_remove(self):
        bob = self.certificate("bob")
        domain = self.certificate("domain", "DNS:example.org,DNS:*.example.org")
        for running in self.both_ways():
            added = self.gateway.ask("key", "add", "Bob (Example)", bob)
            self.assertEqual((added["outcome"], added["in_effect"]), ("added", running))
            self.gateway.command("key", "add", "domain", domain)
            self.assertEqual(self.names(), ["Bob (Example)", "domain"])
            self.assertEqual(self.names("--search", "EXAMPLE.ORG"), ["domain"])
            self.assertEqual(self.names("--search", "bob@"), ["Bob (Example)"])
            self.assertEqual(self.names("--search", "nobody"), [])
            self.assertEqual(self.gateway.ask("key", "add", "domain", bob)["outcome"], "replaced")
            shown = self.gateway.ask("key", "show", "domain")
            self.assertEqual((shown["emails"], shown["domains"], shown["usable"]),
                             (["bob@example.net"], [], "ok"))
            self.assertEqual(shown["pem"].split(), bob.read_text().split())
            text = self.gateway.command("key", "show", "domain").stdout
            self.assertIn("bob@example.net", text)
            self.assertEqual(self.names("--search", shown["serial"].lower()),
                             ["Bob (Example)", "domain"])
            for name in ("Bob (Example)", "domain"):
                self.gateway.command("key", "remove", name)
            self.assertEqual(self.names(), [])
            for words in (("show", "domain"), ("remove", "domain")):
                self.assertIn("no key", self.refused("key", *words))
        self.assertEqual(self.gateway.ask("key", "harvested")["keys"], [])
        self.assertIn("no harvested key",
                      self.refused("key", "promote", "bob@example.net", "--name", "bob"))

    def test_survives_a_change_of_who_asks(self):
        bob = self.certificate("bob")
        self.gateway.command("key", "add", "before", bob)
        self.gateway.start()
        self.assertEqual(self.names(), ["before"])
        self.gateway.command("key", "add", "during", bob)
        self.gateway.kill()
        self.assertEqual(self.names(), ["before", "during"])
        self.gateway.start()
        self.assertEqual(self.gateway.ask("status")["keys"]["manual"], 2)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes files for others")
    def test_what_root_makes_belongs_to_the_owner_of_the_data_directory(self):
        owner = pwd.getpwnam("nobody")
        os.makedirs(self.gateway.data, exist_ok=True)
        os.chown(self.gateway.data, owner.pw_uid, owner.pw_gid)
        for folder in (self.folder, self.gateway.folder):
            os.chmod(folder, 0o755)  # where its owner gets to it
        self.gateway.command("key", "add", "bob", self.certificate("bob"))
        keys = self.gateway.data / "keys"
        made = [keys, *keys.rglob("*")]
        self.assertGreater(len(made), 3)
        self.assertEqual({(path.stat().st_uid, path.stat().st_gid) for path in made},
                         {(owner.pw_uid, owner.pw_gid)})

    def test_add_says_why_not(self):
        good = self.certificate("good")
        expired = self.expired()
        harness.new_openssl_certificate(self.folder, "future", "20990101000000Z",
                                        "20990201000000Z", "keyEncipherment")
        cases = [
            (expired, "expired"),
            (self.folder / "openssl-future/chain.pem", "not-yet-valid"),
            (self.certificate("weak", key="rsa1024"), "weak-key"),
            (self.certificate("nameless", san=None), "no-certificate"),
            (self.certificate("signs", more=["-addext", "keyUsage=digitalSignature"]),
             "bad-key-usage"),
            (self.certificate("serves", more=["-addext", "extendedKeyUsage=serverAuth"]),
             "bad-key-usage"),
            (self.certificate("ed", key="ed25519"), "bad-key-usage"),
            (self.certificate("curve", key="secp256k1"), "unsupported-algorithm"),
        ]
        for running in self.both_ways():
            for path, reason in cases:
                with self.subTest(path=path.name, running=running):
                    self.assertIn(reason, self.refused("key", "add", "name", path))
                    told = self.gateway.command("key", "add", "name", path, "--json", check=False)
                    self.assertEqual(json.loads(told.stdout)["reason"], reason)
            self.assertEqual(self.names(), [])
        both = self.folder / "both.pem"
        both.write_text(good.read_text() + (self.folder / "good.key").read_text())
        der_key = self.folder / "key.der"
        run_openssl("pkey", "-in", self.folder / "good.key", "-outform", "DER", "-out", der_key)
        p12 = self.folder / "good.p12"
        run_openssl("pkcs12", "-export", "-in", good, "-inkey", self.folder / "good.key", "-out",
                    p12, "-passout", "pass:x")
        for path in (both, self.folder / "good.key", der_key, p12):
            self.assertIn("private key", self.refused("key", "add", "name", path))
        (self.folder / "empty").write_text("")
        (self.folder / "text").write_text("hello\n")
        for path in ("empty", "text", "missing"):
            self.refused("key", "add", "name", self.folder / path)
        for name in ("", " x", "a\nb", "x" * 129):
            self.refused("key", "add", name, good, status=64)
        self.refused("key", status=64)
        self.refused("key", "add", "x", status=64)
        self.assertEqual(self.names(), [])

    def test_add_takes_der_pkcs7_and_the_first_of_a_chain(self):
        good = self.certificate("good", more=["-addext", "basicConstraints=CA:FALSE"])
        authority = self.certificate("authority")
        der, pkcs7, chain = (self.folder / name for name in ("c.der", "c.p7b", "chain.pem"))
        run_openssl("x509", "-in", good, "-outform", "DER", "-out", der)
        run_openssl("crl2pkcs7", "-nocrl", "-certfile", good, "-out", pkcs7)
        chain.write_text(authority.read_text() + good.read_text())
        for path in (der, pkcs7, chain):
            self.gateway.command("key", "add", path.name, path)
            self.assertEqual(self.gateway.ask("key", "show", path.name)["subject"], "CN=good")

    # ---- import and export ----------------------------------------------------------------------

    def key_file(self, count, name="keys.txt", pem=None):
        pem = pem or self.certificate("bulk").read_text()
        path = self.folder / name
        with open(path, "w", encoding="utf-8") as file:
            for number in range(count):
                file.write(f"# name: key {number:06}\n{pem}")
        return path

    def test_export_and_import_bring_back_the_same(self):
        bob, alice = self.certificate("bob"), self.certificate("alice", "DNS:example.org")
        out, again = self.folder / "out.txt", self.folder / "again.txt"
        for running in self.both_ways():
            self.gateway.command("key", "add", "Bob Grün", bob)
            self.gateway.command("key", "add", "alice", alice)
            self.assertEqual(self.gateway.ask("key", "export", out)["exported"], 2)
            for name in ("Bob Grün", "alice"):
                self.gateway.command("key", "remove", name)
            summary = self.gateway.ask("key", "import", out)
            self.assertEqual([summary[word] for word in ("added", "replaced", "refused")],
                             [2, 0, 0])
            self.assertEqual(summary["in_effect"], running)
            summary = self.gateway.ask("key", "import", out)
            self.assertEqual([summary[word] for word in ("added", "replaced", "refused")],
                             [0, 2, 0])
            self.gateway.command("key", "export", again)
            self.assertEqual(out.read_text(), again.read_text())
            self.assertTrue(out.read_text().startswith("# name: Bob Grün\n-----BEGIN CERT"))
            self.assertEqual(self.gateway.command("key", "export", "-").stdout, out.read_text())
            for name in ("Bob Grün", "alice"):
                self.gateway.command("key", "remove", name)

    def test_import_tells_what_it_refused_and_why(self):
        good, expired = self.certificate("good").read_text(), self.expired()
        key = (self.folder / "good.key").read_text()
        path = self.folder / "mixed.txt"
        path.write_text(f"# name: good\n{good}# name: expired\n{expired.read_text()}{good}"
                        f"# name: secret\n{key}# name: broken\n-----BEGIN CERTIFICATE-----\nAAAA\n"
                        f"-----END CERTIFICATE-----\n# name: -x\n{good}# name: nothing\n"
                        f"# name: also good\n{good}# name: cut\n-----BEGIN CERTIFICATE-----\nAA")
        for _ in self.both_ways():
            summary = self.gateway.ask("key", "import", path)
            self.assertEqual((summary["added"] + summary["replaced"], summary["refused"]), (2, 7))
            counts = {reason: rows["count"] for reason, rows in summary["reasons"].items()}
            self.assertEqual(counts, {"expired": 1, "no-name": 1, "private-key": 1, "malformed": 1,
                                      "bad-name": 1, "no-certificate": 1, "unfinished": 1})
            first = summary["reasons"]["expired"]["first"][0]
            self.assertEqual(first["name"], "expired")
            self.assertEqual(path.read_text().splitlines()[first["line"] - 2], "# name: expired")
            text = self.gateway.command("key", "import", path).stdout
            self.assertIn("added 0, replaced 2, refused 7", text)
            self.assertRegex(text, r"line \d+: expired: it expired at 20")
            self.assertEqual(self.names(), ["also good", "good"])
        path.write_text(f"# name: expired\n{expired.read_text()}")
        self.assertIn("no key was stored", self.refused("key", "import", path))
        self.refused("key", "import", self.folder / "missing")

    def test_import_of_many_shows_progress_on_a_terminal(self):
        path = self.key_file(3000)
        self.gateway.start()
        screen, terminal = pty.openpty()
        done = subprocess.run([harness.SEALGATE, "key", "import", path, "-c", self.gateway.ini],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=terminal,
                              timeout=4 * harness.PATIENCE, check=True, text=True)
        os.close(terminal)
        shown = os.read(screen, 65536).decode()
        os.close(screen)
        self.assertIn("added 3000, replaced 0, refused 0", done.stdout)
        self.assertRegex(shown, r"\r500 keys.*\r1500 keys.*\r3000 keys")
        self.assertEqual(len(self.names()), 3000)
        self.assertEqual(self.names("--search", "002999"), ["key 002999"])
        out = self.folder / "out.txt"
        self.assertEqual(self.gateway.ask("key", "export", out)["exported"], 3000)
        self.assertEqual(out.read_text(), path.read_text())

    def begin_import(self, path):
        return subprocess.Popen([harness.SEALGATE, "key", "import", path, "--json", "-c",
                                 self.gateway.ini], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def test_an_interrupted_import_says_what_is_stored(self):
        path = self.key_file(20000)
        for running in self.both_ways():
            process = self.begin_import(path)
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=harness.PATIENCE)
            summary = json.loads(out)
            self.assertEqual(process.returncode, 1)
            self.assertIn("interrupted", summary["error"])
            self.assertLess(summary["added"] + summary["replaced"], 20000)
            stored = len(self.names())
            if not running:
                self.assertEqual(stored, summary["added"])
                first = stored
            else:
                self.assertEqual(stored, first + summary["added"])

    def test_kill_9_while_importing_harms_nothing(self):
        path = self.key_file(20000)
        chance = random.Random(4)
        self.gateway.command("key", "add", "first", self.certificate("first"))
        stored = 1
        for number in range(10):
            # Whom it hits: the command, with or without a gateway, or the gateway.
            running = number % 3 != 0
            if running:
                self.gateway.start()
            process = self.begin_import(path)
            time.sleep(chance.uniform(0.02, 0.6))
            if number % 3 == 2:
                self.gateway.kill()
                out, _ = process.communicate(timeout=harness.PATIENCE)
                self.assertNotEqual(process.returncode, 0)
                summary = json.loads(out)
                told = summary["added"] + summary["replaced"]
            else:
                told = 0
                process.kill()
                process.communicate()
                self.gateway.stop()
            names = self.names()
            self.assertGreaterEqual(len(names), max(stored, told))
            stored = len(names)
            self.assertIn("first", names)
            for name in chance.sample(names, min(5, stored)):
                self.assertEqual(self.gateway.ask("key", "show", name)["usable"], "ok")

    def test_a_store_in_use_without_a_gateway_is_waited_for(self):
        path = self.key_file(3000)
        process = self.begin_import(path)
        time.sleep(0.1)
        self.gateway.command("key", "add", "other", self.certificate("other"))
        out, _ = process.communicate(timeout=4 * harness.PATIENCE)
        self.assertEqual(json.loads(out)["added"], 3000)
        self.assertEqual(len(self.names()), 3001)

    # ---- the repository's configuration ---------------------------------------------------------

    def test_reload_changes_the_capacity(self):
        self.gateway.start()
        self.assertEqual(self.gateway.ask("status")["keys"]["capacity_bytes"], 512 << 20)
        text = self.gateway.ini.read_text()
        self.gateway.ini.write_text(text + "\n[key-repository]\ncapacity = 32M\npersist = no\n")
        answer = self.gateway.ask("reload")
        self.assertEqual(self.gateway.ask("status")["keys"]["capacity_bytes"], 32 << 20)
        self.assertIn("persist", "".join(answer["needs_restart"]))

    def test_a_bad_configuration_is_78(self):
        self.gateway.ini.write_text("[gateway]\nhostnaem = x\n")
        self.refused("key", "list", status=78)


if __name__ == "__main__":
    harness.main()
