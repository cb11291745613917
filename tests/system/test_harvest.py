#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys of correspondents are taken from the signed mail they send, as the policy says."""

import re
import time
import unittest

from harness import Client, SystemTest, wait_until
from openssl_mail import TEXT, Authority, mail, sign

CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:public]
address = 127.0.0.1:{port}
type = public
certificate = none
default-policy = INCOMING

[recipient-access]
example.net = accept

[mail-flow-policy:INCOMING]
action = accept
smime-verify-decrypt = yes
smime-harvest = yes
{options}

[trust:smime]
ca-files = {authority}

[sending-profile:encrypt]
mode = encrypt

[content-filter:encrypt-all]
direction = outgoing
actions = smime-gateway("encrypt");

[mail-policy:DEFAULT]
direction = outgoing
content-filters = encrypt-all

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
"""

ALICE = "alice@example.com"


class HarvestTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder / "authority")
        self.sink = self.start_sink()
        self.gateway = self.make_gateway(self.sink.port, text=CONFIGURATION)
        self.gateway.values["authority"] = self.authority.certificate
        self.options("")
        self.gateway.start()
        self.sent = 0

    def options(self, lines):
        self.gateway.values["options"] = lines
        self.gateway.write(CONFIGURATION)
        if self.gateway.process:
            self.gateway.command("reload")

    def person(self, number, names=f"email:{ALICE}", **more):
        return self.authority.person(f"person{number}", names, **more)

    def send(self, *signers, sender=ALICE, alter=lambda content: content):
        """The log's lines about it, once it has been delivered."""
        content = alter(mail(sign(TEXT, *signers), sender=sender))
        with Client(self.gateway.port) as client:
            client.begin(sender=sender)
            client.send(content.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
            reply = client.reply()
            self.assertTrue(reply.startswith("250"), reply)
        self.sent += 1
        self.sink.wait_for(self.sent)
        mid = wait_until(lambda: re.findall(r"Message finished MID (\d+) done",
                                            self.gateway.mail_log())[self.sent - 1:],
                         "the end of the message")[0]
        return re.findall(rf"Info: MID {mid} (S/MIME .*)", self.gateway.mail_log())

    def harvested(self, *search):
        keys = self.gateway.ask("key", "harvested", *search)["keys"]
        return {key["owner"]: (key["serial"], key["verified"]) for key in keys}

    def test_a_key_is_harvested_listed_promoted_and_used(self):
        alice = self.person(1)
        lines = self.send(alice)
        serial = alice.serial()
        self.assertIn(f"S/MIME harvested key of {ALICE} serial {serial} (new)", lines)
        self.assertEqual(self.harvested(), {ALICE: (serial, True)})
        self.assertEqual(self.harvested("--search", "ALICE@"), {ALICE: (serial, True)})
        self.assertEqual(self.harvested("--search", serial), {ALICE: (serial, True)})
        self.assertEqual(self.harvested("--search", "bob"), {})
        text = self.gateway.command("key", "harvested").stdout
        self.assertRegex(text, rf"(?m)^{ALICE} .* ok$")

        self.assertNotIn("harvested", str(self.send(alice)), "the same again is nothing new")
        status = self.gateway.ask("status")
        self.assertEqual(status["counters"]["sealgate_keys_harvested_total"], 1)
        self.assertEqual(status["keys"]["harvested"], 1)
        self.assertEqual(status["gauges"]["sealgate_key_repository_keys"], 1)
        self.assertGreater(status["gauges"]["sealgate_key_repository_bytes"], 0)
        self.assertEqual(status["gauges"]["sealgate_key_repository_evictions_total"], 0)

        self.gateway.stop()
        self.assertEqual(self.harvested(), {ALICE: (serial, True)}, "without a gateway")
        self.gateway.start()
        self.assertEqual(self.harvested(), {ALICE: (serial, True)}, "after a restart")

        self.gateway.command("key", "promote", ALICE, "--name", "Alice")
        shown = self.gateway.ask("key", "show", "Alice")
        self.assertEqual((shown["serial"], shown["emails"]), (serial, [ALICE]))
        self.assertIsInstance(shown["capabilities"], list, "what her software said it reads")
        self.assertEqual(self.harvested(), {ALICE: (serial, True)}, "it was copied")

    def test_options_say_what_is_taken(self):
        other = Authority(self.folder / "other")
        stranger = other.person("stranger", f"email:{ALICE},email:x@example.org,DNS:example.com")
        self.send(stranger)
        self.assertEqual(self.harvested(), {}, "untrusted")
        self.options("smime-harvest-unverified = yes")
        self.assertIn("(new)", str(self.send(stranger)))
        self.assertEqual(self.harvested(), {ALICE: (stranger.serial(), False)}, "From alone")
        self.assertRegex(self.gateway.command("key", "harvested").stdout, r"ok, unverified\n")

        alice = self.person(1)
        self.send(alice)
        self.options("smime-harvest-updates = no")
        time.sleep(1.1)  # signing times are of whole seconds
        self.send(alice)
        self.assertEqual(self.harvested(), {ALICE: (stranger.serial(), False)}, "no updates")
        self.options("smime-harvest-updates = yes")
        time.sleep(1.1)
        self.assertIn("(updated)", str(self.send(alice)))
        self.assertEqual(self.harvested(), {ALICE: (alice.serial(), True)})

        self.options("smime-harvest-updates = yes\nsmime-harvest-unverified = yes")
        time.sleep(1.1)
        self.send(stranger)
        self.assertEqual(self.harvested(), {ALICE: (alice.serial(), True)},
                         "a stranger's takes no verified one's place")

    def test_a_mail_that_was_altered_gives_no_key(self):
        alice = self.person(1)
        self.send(alice, alter=lambda content: content.replace(b"Dear", b"Deer"))
        self.assertEqual(self.harvested(), {})
        self.send(alice, sender="eve@example.com")
        self.assertEqual(self.harvested(), {}, "not hers to sign for")

    def test_all_names_of_a_certificate(self):
        gateway = self.person(1, names=f"email:{ALICE},DNS:example.com,DNS:*.example.com")
        self.send(gateway)
        serial = gateway.serial()
        self.assertEqual(self.harvested(), {owner: (serial, True) for owner in
                                            (ALICE, "@example.com", "@*.example.com")})
        self.gateway.command("key", "promote", "@example.com", "--name", "Example")

    def test_keys_that_change_often_raise_an_alert(self):
        self.options("smime-harvest-updates = yes")
        for number in range(4):
            if number > 0:
                time.sleep(1.1)
            lines = self.send(self.person(number))
            self.assertIn("(updated)" if number > 0 else "(new)", str(lines))
            alerts = self.gateway.ask("alerts")["alerts"]
            self.assertEqual(len(alerts), 1 if number >= 2 else 0, number)
        self.assertEqual((alerts[0]["alert"], alerts[0]["subject"], alerts[0]["severity"]),
                         ("smime.key-updated-often", "example.com", "warning"))
        self.assertIn("Warning: [Warning-gate.example.com] (System) smime.key-updated-often: ",
                      self.gateway.mail_log())


if __name__ == "__main__":
    unittest.main()
