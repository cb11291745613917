# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of `sealgate smime` share: how it is called, an authority and its people."""

import json
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import harness
from openssl_mail import Authority

TOP_KEYS = {"smime", "verified", "result", "reason", "coverage", "layers"}


def smime(*arguments):
    return subprocess.run([harness.SEALGATE, "smime", *map(str, arguments)], capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=300)


class ToolTest(unittest.TestCase):
    """A folder for the messages."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sealgate-smime-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, content, name="mail.eml"):
        path = self.folder / name
        path.write_bytes(content)
        return path

    def judge(self, message, *options, command="verify"):
        """The JSON answer; its exit status is what it says."""
        if isinstance(message, bytes):
            message = self.write(message)
        done = smime(command, message, *options, "--json")
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertTrue(done.stdout, done.stderr)
        answer = json.loads(done.stdout)
        self.assertEqual(done.returncode, 0 if answer["verified"] else 1)
        self.assertLessEqual(TOP_KEYS, set(answer))
        return answer

    def refuse(self, *arguments, status=1):
        done = smime(*arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(done.stdout, b"")
        return done.stderr.decode()

    def assert_verdict(self, answer, verified, result, reason):
        self.assertEqual((answer["verified"], answer["result"], answer["reason"]),
                         (verified, result, reason), json.dumps(answer, indent=2))


class MadeTest(ToolTest):
    """With an authority and people of its own, made once."""

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="sealgate-smime-pki-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.root = Authority(cls.place / "root")
        cls.alice = cls.root.person("alice", "email:alice@example.com")
        cls.house = cls.root.person("house", "DNS:example.com", "EC:P-256")
        cls.eve = cls.root.person("eve", "email:eve@x.example", "EC:P-256")
        cls.bob = cls.root.person("bob", "email:bob@example.net")
        cls.carol = cls.root.person("carol", "email:carol@example.net", "EC:P-256")
        cls.trust = ("--ca", cls.root.certificate)

    def signer_of(self, answer, layer=-1):
        signers = answer["layers"][layer]["signers"]
        self.assertEqual(len(signers), 1)
        return signers[0]
