#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the messages of smime_peers.py are what they are said to be: openssl opens every one that
is to be opened, finds the layers that are expected and, innermost, the content that was put in."""

import concurrent.futures
import unittest

import harness
import smime_oracle
import smime_peers


def openssl_cannot(message):
    """Why openssl 3.0 is no judge of it."""
    schemes = {by.get("scheme") for layer in message.layers for by in layer.get("signers", [])}
    if "ed25519" in schemes:
        return "no Ed25519 in CMS"
    return None


class SmimePeersTest(harness.SystemTest):
    def read(self, message):
        """What openssl finds, or what it says."""
        place = self.folder / f"read{id(message)}"
        place.mkdir()
        try:
            return smime_oracle.Oracle(place).open(message.mail, message.keys)
        except AssertionError as said:
            return str(said)

    def test_openssl_finds_what_is_expected(self):
        messages = [message for message in smime_peers.all_messages(self.folder / "made")
                    if message.smime and message.content is not None
                    and not openssl_cannot(message)]
        self.assertGreater(len(messages), 350)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for message, found in zip(messages, pool.map(self.read, messages)):
                with self.subTest(message=message.name):
                    self.assertIsInstance(found, tuple, found)
                    self.assertEqual(found[0], [layer["type"] for layer in message.layers])
                    self.assertEqual(found[1], message.content)


if __name__ == "__main__":
    unittest.main()
