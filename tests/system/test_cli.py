#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, as an operator uses it, with a gateway running and without."""

import json
import re

import harness

MAIL = (b"From: a@example.com\r\nTo: b@example.net\r\nSubject: x\r\n"
        b"Message-ID: <%d@test>\r\n\r\nx\r\n")


class CliTest(harness.SystemTest):
    def send(self, gateway, number, recipient="b@example.net"):
        with harness.Client(gateway.port) as client:
            client.begin(recipient=recipient)
            client.send(MAIL % number + b".\r\n")
            self.assertTrue(client.reply().startswith("250"))

    def test_config_check_reports_every_error_at_once(self):
        gateway = self.make_gateway(1, text=(
            "[gateway]\nhostname = gate.example.com\ndata-dir = {data}\nmemory-maxx = 2G\n"
            "connections-max = many\n"
            "[listener:a]\naddress = nowhere\nsender-groups = MISSING\n"
            "[sending-profile:p]\nmode = sing\ncertificate = none-such\n"
            "[surprise]\nkey = value\n"
            "[bounce-profile:default]\nretry-first = 1s\nretry-first = 2s\n"))
        done = gateway.command("config", "check", check=False)
        self.assertEqual(done.returncode, 78)
        lines = done.stderr.splitlines()
        for line in lines:
            self.assertRegex(line, r"gate\.ini:\d+: \S|^warning: ")
        for number, words in ((4, "memory-maxx"), (4, "memory-max"), (5, "connections-max"),
                              (7, "nowhere"), (8, "MISSING"), (10, "sing"), ("(9|11)", "none-such"),
                              (12, "surprise"), (16, "retry-first")):
            self.assertRegex(done.stderr, rf"gate\.ini:{number}:.*{words}")
        answer = json.loads(gateway.command("config", "check", "--json", check=False).stdout)
        self.assertEqual(answer["ok"], False)
        self.assertGreaterEqual(len(answer["errors"]), 8)
        started = gateway.command("run", check=False)
        self.assertEqual(started.returncode, 78)
        self.assertEqual(started.stderr.count("gate.ini:"), done.stderr.count("gate.ini:"))
        self.assertFalse((gateway.data / "control.sock").exists())

    def test_config_show_is_whole_and_can_be_read_again(self):
        gateway = self.make_gateway(25)
        shown = gateway.command("config", "show").stdout
        for words in ("[gateway]", "shutdown-grace", "[listener:private]",
                      "[bounce-profile:default]", "message-size-max"):
            self.assertIn(words, shown)
        gateway.ini.write_text(shown)
        self.assertEqual(gateway.command("config", "show").stdout, shown)
        self.assertIsInstance(json.loads(gateway.command("config", "show", "--json").stdout), dict)

    def test_exit_codes(self):
        gateway = self.make_gateway(25)
        self.assertEqual(harness.sealgate("surprise", check=False).returncode, 64)
        self.assertEqual(gateway.command("queue", check=False).returncode, 64)
        for command in (("status",), ("reload",), ("queue", "list")):
            self.assertEqual(gateway.command(*command, check=False).returncode, 69, command)
        gateway.start()
        self.assertEqual(gateway.command("queue", "show", "12345", check=False).returncode, 1)
        self.assertEqual(gateway.command("queue", "retry", check=False).returncode, 64)

    def test_reload(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        text = gateway.ini.read_text()
        self.send(gateway, 1)
        gateway.ini.write_text(text.replace("sign-mode = detached", "sign-mode = opaque"))
        with harness.Client(gateway.port) as old:
            old.begin()
            self.assertEqual(gateway.command("reload").stdout.strip().splitlines()[-1], "reloaded")
            self.send(gateway, 2)
            old.send(MAIL % 3 + b".\r\n")  # under way: it finishes on what it began with
            self.assertTrue(old.reply().startswith("250"))
        rows = {row["id"]: sink.content(row) for row in sink.wait_for(3)}
        kinds = [harness.content_type_of(rows[f"<{n}@test>"]).split(b";")[0] for n in (1, 2, 3)]
        self.assertEqual(kinds, [b"multipart/signed", b"application/pkcs7-mime",
                                 b"multipart/signed"])

    def test_reload_of_a_wrong_file_changes_nothing(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        text = gateway.ini.read_text()
        gateway.ini.write_text(text.replace("sign-mode = detached", "sign-mode = opaque\nx = y"))
        done = gateway.command("reload", check=False)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r"gate\.ini:\d+: .*x")
        self.send(gateway, 1)
        content = sink.content(sink.wait_for(1)[0])
        self.assertTrue(harness.content_type_of(content).startswith(b"multipart/signed"))

    def test_reload_by_signal_and_what_needs_a_restart(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        text = gateway.ini.read_text()
        gateway.ini.write_text(text.replace("sign-mode = detached", "sign-mode = opaque"))
        gateway.process.send_signal(harness.signal.SIGHUP)
        harness.wait_until(lambda: "Configuration applied" in gateway.mail_log(), "the reload")
        self.send(gateway, 1)
        content = sink.content(sink.wait_for(1)[0])
        self.assertTrue(harness.content_type_of(content).startswith(b"application/pkcs7-mime"))
        gateway.ini.write_text(re.sub(r"address = 127\.0\.0\.1:\d+",
                                      f"address = 127.0.0.1:{harness.free_port()}", text))
        self.assertIn("restart", gateway.command("reload").stdout)

    def test_status(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        self.send(gateway, 1)
        sink.wait_for(1)
        self.assertIn("queue", gateway.command("status").stdout)
        self.assertIs(gateway.ask("status")["ok"], True)

    def test_queue(self):
        """While the next hop is down: list, show, delete; then retry, and it is delivered."""
        sink = self.start_sink()
        sink.stop()
        gateway = self.make_gateway(sink.port)
        gateway.write(gateway.ini.read_text().replace("retry-first = 1s", "retry-first = 1h")
                      .replace("retry-max = 2s", "retry-max = 2h"))
        gateway.start()
        for number, recipient in (
                (1, "b@example.net"), (2, "c@example.org"), (3, "d@example.net")):
            self.send(gateway, number, recipient)
        harness.wait_until(lambda: [row["state"] for row in gateway.queue()]
                           == ["deferred"] * 3, "three deferred messages")
        rows = gateway.queue()
        listed = gateway.command("queue", "list").stdout
        for row in rows:
            self.assertIn(str(row["mid"]), listed)
            self.assertEqual(row["sender"], "sender@example.com")
            self.assertIn("refused", row["last_error"])
        self.assertEqual(len(gateway.ask("queue", "list", "--domain", "example.org")["messages"]),
                         1)
        shown = gateway.ask("queue", "show", rows[0]["mid"])["message"]
        self.assertEqual(shown["recipients"][0]["address"], "b@example.net")
        self.assertEqual(gateway.ask("queue", "delete", rows[0]["mid"])["count"], 1)
        self.assertEqual(gateway.ask("queue", "delete", "--domain", "example.org")["count"], 1)
        gateway.kill()
        gateway.start()
        self.assertEqual([row["mid"] for row in gateway.queue()], [rows[2]["mid"]])
        sink.start()
        self.assertEqual(gateway.ask("queue", "retry", "--all")["count"], 1)
        self.assertEqual([row["id"] for row in sink.wait_for(1)], ["<3@test>"])
        harness.wait_until(lambda: not gateway.queue(), "an empty queue")
        self.assertEqual(len(sink.rows()), 1)

    def test_log_of_a_message(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        self.send(gateway, 1)
        sink.wait_for(1)
        harness.wait_until(lambda: "Message finished" in gateway.mail_log(), "the message's end")
        log = gateway.mail_log()
        for pattern in (r"New SMTP ICID \d+ interface private \(127\.0\.0\.1\) address 127\.",
                        r"Start MID 1 ICID \d+", r"MID 1 ICID \d+ From: <sender@example\.com>",
                        r"MID 1 ICID \d+ RID 0 To: <b@example\.net>",
                        r"MID 1 Message-ID '<1@test>'", r'MID 1 Subject "x"',
                        r"MID 1 ready \d+ bytes from <sender@example\.com>",
                        r"MID 1 S/MIME sign profile sign: ok", r"MID 1 queued for delivery",
                        r"New SMTP DCID \d+ interface \S+ address 127\.0\.0\.1 port \d+",
                        r"Delivery start DCID \d+ MID 1 to RID \[0\]",
                        r"MID 1 RID \[0\] Response '2\.0\.0 Ok: taken'",
                        r"Message done DCID \d+ MID 1 to RID \[0\]",
                        r"Message finished MID 1 done"):
            self.assertRegex(log, r"(?m)^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} Info: " + pattern)


if __name__ == "__main__":
    harness.main()
