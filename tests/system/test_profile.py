#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`sealgate profile export | import | check`."""

import json
import shutil
import unittest

import harness

TWO = """# kept
[sending-profile:new]
mode = encrypt
cipher = aes-256-gcm

[sending-profile:sign]
mode = sign
certificate = demo
digest = sha512
"""


class ProfileTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.gateway = self.make_gateway(25, sender_match="off")
        self.gateway.new_certificate("demo", "p256")
        self.file = self.folder / "two.ini"
        self.file.write_text(TWO)

    def call(self, *arguments, status=0, path=None):
        done = harness.sealgate(*arguments, "-c", path or self.gateway.ini, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def options(self, name, path=None):
        shown = self.call("profile", "show", name, "--json", path=path).stdout
        return json.loads(shown)["options"]

    def test_imports_what_is_new_and_refuses_what_is_there(self):
        before = self.gateway.ini.read_text()
        answer = json.loads(self.call("profile", "import", self.file, "--json").stdout)
        self.assertEqual((answer["added"], answer["replaced"], answer["in_effect"]),
                         (["new"], [], False))
        self.assertEqual(answer["refused"], [{"name": "sign", "reason": "exists"}])
        self.assertEqual(self.options("new")["cipher"], "aes-256-gcm")
        self.assertEqual(self.options("sign")["digest"], "sha256")
        self.assertTrue(self.gateway.ini.read_text().startswith(before))
        backup = self.gateway.ini.with_name(self.gateway.ini.name + ".bak")
        self.assertEqual(backup.read_text(), before)
        after = self.gateway.ini.read_text()
        self.assertIn("refused 2", self.call("profile", "import", self.file, status=1).stdout)
        self.assertEqual(self.gateway.ini.read_text(), after)

    def test_replaces_and_a_running_gateway_hears_of_it(self):
        self.gateway.start()
        answer = json.loads(self.call("profile", "import", self.file, "--replace",
                                      "--json").stdout)
        self.assertEqual((answer["added"], answer["replaced"], answer["refused"],
                          answer["in_effect"]), (["new"], ["sign"], [], True))
        self.assertEqual(self.options("sign")["digest"], "sha512")
        self.call("config", "check")
        self.assertIn("Configuration applied", self.gateway.mail_log())

    def test_into_a_directory(self):
        folder = self.folder / "conf.d"
        folder.mkdir()
        shutil.copy(self.gateway.ini, folder / "10-base.ini")
        base = (folder / "10-base.ini").read_text()
        self.call("profile", "import", self.file, path=folder)
        self.assertEqual((folder / "10-base.ini").read_text(), base)
        self.assertIn("[sending-profile:new]", (folder / "90-imported-profiles.ini").read_text())
        self.call("profile", "import", self.file, "--replace", path=folder)
        self.assertEqual(self.options("sign", path=folder)["digest"], "sha512")
        self.assertNotIn("[sending-profile:sign]", (folder / "10-base.ini").read_text())
        self.assertEqual((folder / "10-base.ini.bak").read_text(), base)
        imported = (folder / "90-imported-profiles.ini").read_text()
        self.assertEqual(imported.count("[sending-profile:new]"), 1)

    def test_tells_every_fault_and_changes_nothing(self):
        before = self.gateway.ini.read_text()
        cases = [
            (["mode = sing", "unknown key", "none-such"],
             "[sending-profile:x]\nmode = sing\n[sending-profile:y]\nmode = sign\n"
             "certificate = none-such\ncolour = red\n"),
            (["no sending profile"], "[gateway]\nhostname = evil.example\n"),
            (["no sending profile in it"], ""),
            (["two.ini:3"], "\n\nnonsense\n"),
            (["directory"], "[sending-profile:x]\nmode = encrypt\nkey-sources = directory:no\n"),
        ]
        for wanted, text in cases:
            with self.subTest(text=text):
                self.file.write_text(text)
                done = self.call("profile", "import", self.file, status=78)
                for words in wanted:
                    self.assertIn(words.replace("mode = sing", "sing"), done.stderr)
                self.assertEqual(self.gateway.ini.read_text(), before)
        self.call("profile", "import", self.folder / "missing", status=1)

    def test_what_is_exported_can_be_imported(self):
        self.call("profile", "import", self.file, "--replace")
        out = self.folder / "out.ini"
        self.call("profile", "export", out)
        self.assertEqual(out.read_text(), self.call("profile", "export", "-").stdout)
        self.assertNotIn("sign-mode", out.read_text())  # what is as by itself is not said
        shown = {name: self.options(name) for name in ("new", "sign")}
        self.call("profile", "import", out, "--replace")
        self.assertEqual({name: self.options(name) for name in ("new", "sign")}, shown)
        self.assertEqual(self.call("profile", "export", "-").stdout, out.read_text())

    def test_check_knows_what_a_profile_needs(self):
        self.call("profile", "import", self.file, "--replace")
        checked = self.call("profile", "check", "new").stdout
        self.assertIn("aes-256-gcm", checked)
        self.assertIn("local", checked)
        self.call("profile", "check", "sign")
        self.call("profile", "check", "none", status=1)


if __name__ == "__main__":
    harness.main()
