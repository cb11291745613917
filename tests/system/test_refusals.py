#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gateway must not do: send unsigned what it cannot sign, take what it should refuse."""

import json

import harness

MAIL = (b"From: %s\r\nTo: b@example.net\r\nSubject: x\r\n"
        b"Message-ID: <%d@test>\r\n\r\nSecret words\r\n")


def mail_from(address, number=1):
    return MAIL % (address, number)


class SignRefusalTest(harness.SystemTest):
    """Not signed, so not sent: a report with the reason instead."""

    def deliver(self, gateway, content, sender="sender@example.com"):
        with harness.Client(gateway.port) as client:
            client.begin(sender=sender)
            client.send(content + b".\r\n")
            reply = client.reply()
            client.command("QUIT")
        return reply

    def check_bounced(self, gateway, sink, content, reason):
        self.assertTrue(self.deliver(gateway, content).startswith("250"))
        rows = sink.wait_for(1)
        harness.wait_until(lambda: "finished" in gateway.mail_log(), "the message's end")
        self.assertEqual([row["kind"] for row in rows], ["dsn"])
        report = sink.content(rows[0])
        self.assertEqual(rows[0]["recipients"], "sender@example.com")
        self.assertIn(reason.encode(), report)
        self.assertIn(b"Status: 5.7", report)
        self.assertIn(reason, gateway.mail_log())
        self.assertEqual(gateway.queue(), [])

    def test_sender_not_covered(self):
        rows = [b"stranger@elsewhere.example", b"a@sub.example.com", b"a@example.net",
                b"a@two.deep.example.net", b"a@example.com.evil.example",
                b"a@example.com, b@elsewhere.example", b"not an address",
                b'"a@example.com" <b@elsewhere.example>']
        for address in rows:
            with self.subTest(address=address):
                name = f"case{rows.index(address)}"
                sink = self.start_sink(name=name + "-sink")
                gateway = self.make_gateway(sink.port, name=name, certificate="mail")
                gateway.new_certificate("mail", "p256", domains="example.com,*.example.net")
                gateway.start()
                self.check_bounced(gateway, sink, mail_from(address), "sender-mismatch")

    def test_certificate_not_valid_now(self):
        for name, start, end, reason in (
                ("old", "20200101000000Z", "20210101000000Z", "expired"),
                ("young", "20990101000000Z", "21000101000000Z", "not-yet-valid")):
            with self.subTest(certificate=name):
                sink = self.start_sink(name=name + "-sink")
                more = harness.new_openssl_certificate(self.folder, name, start, end)
                gateway = self.start_gateway(sink.port, name=name, certificate=name, more=more)
                self.check_bounced(gateway, sink, mail_from(b"a@example.com"), reason)

    def test_sender_match_of_the_envelope(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port, sender_match="envelope")
        self.deliver(gateway, mail_from(b"anybody@elsewhere.example", 1))
        self.deliver(gateway, mail_from(b"a@example.com", 2), sender="x@elsewhere.example")
        rows = {row["kind"]: row for row in sink.wait_for(2)}
        self.assertEqual(rows["mail"]["id"], "<1@test>")
        self.assertEqual(rows["dsn"]["about"], "<2@test>")

    def test_null_sender_is_never_bounced(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        self.deliver(gateway, mail_from(b"stranger@elsewhere.example", 1), sender="")
        self.deliver(gateway, mail_from(b"a@example.com", 2))
        sink.wait_for(1)
        harness.wait_until(lambda: gateway.mail_log().count("Message finished") == 2, "both ends")
        self.assertEqual([row["id"] for row in sink.rows()], ["<2@test>"])

    def test_refused_report_is_the_end(self):
        """The next hop refuses the report about a message it refused: nothing more is made."""
        sink = self.start_sink("--fail", "rcpt=550")
        gateway = self.start_gateway(sink.port)
        self.deliver(gateway, mail_from(b"a@example.com"))
        harness.wait_until(lambda: gateway.mail_log().count("Message finished") == 2, "both ends")
        self.assertEqual(gateway.queue(), [])
        self.assertEqual(sink.rows(), [])

    def test_key_that_becomes_unreadable(self):
        """At start: exit 78. Under way: the reload is refused, and what was loaded still signs."""
        sink = self.start_sink()
        gateway = self.make_gateway(sink.port, certificate="mail")
        gateway.new_certificate("mail", "p256")
        gateway.start()
        key = gateway.certificate("mail").with_name("key.pem")
        good = key.read_text()
        key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
        reload = gateway.command("reload", check=False)
        self.assertEqual(reload.returncode, 78, reload.stdout + reload.stderr)
        self.assertIn("mail", reload.stderr)
        self.deliver(gateway, mail_from(b"a@example.com"))
        harness.verify(sink.content(sink.wait_for(1)[0]), gateway.certificate("mail"))
        gateway.stop()
        checked = gateway.command("config", "check", check=False)
        self.assertEqual(checked.returncode, 78)
        with self.assertRaises(AssertionError):
            gateway.start()
        gateway.stop(expected=78)
        key.write_text(good)
        gateway.start()

    def test_key_of_another_certificate(self):
        sink = self.start_sink()
        one = harness.new_openssl_certificate(self.folder, "one", "20200101000000Z",
                                              "20990101000000Z")
        harness.new_openssl_certificate(self.folder, "two", "20200101000000Z", "20990101000000Z")
        gateway = self.make_gateway(sink.port, certificate="one",
                                    more=one.replace("openssl-one/key", "openssl-two/key"))
        checked = gateway.command("config", "check", check=False)
        self.assertEqual(checked.returncode, 78)
        self.assertRegex(checked.stderr, r"gate\.ini:\d+: .*key")


HOSTS = """
[listener:private]
address = 127.0.0.1:{port}
type = {type}
certificate = none
sender-groups = HERE
default-policy = {default}

[sender-group:HERE]
hosts = 127.0.0.0/8
policy = MINE

[mail-flow-policy:MINE]
{policy}

[gateway]
hostname = gate.example.com
data-dir = {data}

[recipient-access]
example.net = accept
refused@example.net = reject 550 5.1.1 No such user
.example.net = accept

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[log]
mail-log = {data}/mail.log
"""


class SessionRefusalTest(harness.SystemTest):
    def start_with(self, policy, kind="private"):
        self.sink = self.start_sink()
        text = HOSTS.replace("{policy}", policy).replace("{type}", kind)
        return self.start_gateway(self.sink.port, text=text.replace("{default}", "ACCEPTED"))

    def test_reject(self):
        gateway = self.start_with("action = reject")
        with harness.Client(gateway.port) as client:
            self.assertTrue(client.greeting.startswith("554"), client.greeting)
            for line in ("EHLO a.example", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.net>",
                         "DATA", "NOOP"):
                self.assertTrue(client.command(line).startswith("503"), line)
            self.assertTrue(client.command("QUIT").startswith("221"))

    def test_tcp_refuse(self):
        gateway = self.start_with("action = tcp-refuse")
        try:
            with harness.Client(gateway.port) as client:
                self.assertEqual(client.greeting, "")
        except ConnectionError:
            pass  # refused with RST: not a word either

    def test_recipient_access(self):
        gateway = self.start_with("action = accept", "public")
        with harness.Client(gateway.port) as client:
            client.command("EHLO a.example")
            client.command("MAIL FROM:<a@example.com>")
            for address, want in (("b@example.net", "250"), ("refused@example.net", "550 5.1.1"),
                                  ("b@sub.example.net", "250"),
                                  ("b@elsewhere.example", "550 5.7.1"),
                                  ("b@notexample.net", "550 5.7.1")):
                self.assertTrue(client.command(f"RCPT TO:<{address}>").startswith(want), address)

    def test_size(self):
        gateway = self.start_with("action = relay\nmessage-size-max = 64K")
        with harness.Client(gateway.port) as client:
            self.assertIn("SIZE 65536", client.command("EHLO a.example"))
            self.assertTrue(client.command("MAIL FROM:<a@example.com> SIZE=65537")
                            .startswith("552"))
            self.assertTrue(client.command("MAIL FROM:<a@example.com> SIZE=100").startswith("250"))
            client.command("RCPT TO:<b@example.net>")
            client.command("DATA")
            client.send(b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 8000 + b".\r\n")
            self.assertTrue(client.reply().startswith("552"))
            self.assertTrue(client.command("NOOP").startswith("250"))
        self.assertEqual(self.sink.rows(), [])

    def test_counts_per_message_and_connection(self):
        gateway = self.start_with("action = relay\nrecipients-per-message-max = 2\n"
                                  "messages-per-connection-max = 1")
        with harness.Client(gateway.port) as client:
            client.command("EHLO a.example")
            client.command("MAIL FROM:<a@example.com>")
            codes = [client.command(f"RCPT TO:<b{i}@example.net>")[:3] for i in range(3)]
            self.assertEqual(codes, ["250", "250", "452"])
            client.command("DATA")
            client.send(mail_from(b"a@example.com") + b".\r\n")
            self.assertTrue(client.reply().startswith("250"))
            self.assertTrue(client.command("MAIL FROM:<a@example.com>").startswith("421"))


class SmugglingTest(harness.SystemTest):
    """One message per DATA, or a refusal, whatever looks like an end of data in it."""

    SECOND = (b"MAIL FROM:<evil@example.com>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\n"
              b"From: evil@example.com\r\nMessage-ID: <smuggled@test>\r\n\r\nsmuggled\r\n.\r\n")

    def sequences(self):
        path = harness.CORPUS / "smtp-smuggling/sec-consult-eod-sequences.hex.json"
        if not path.exists():
            self.skipTest(f"no corpus at {harness.CORPUS}")
        known = json.loads(path.read_text())
        return [bytes.fromhex(text) for text in sorted({*known["inbound_eod_sequences"],
                                                        *known["outbound_eod_sequences"]})]

    def test_inbound(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        sequences = self.sequences()
        for number, sequence in enumerate(sequences):
            with self.subTest(sequence=sequence), harness.Client(gateway.port) as client:
                client.begin()
                client.send(mail_from(b"a@example.com", number) + b"words" + sequence + self.SECOND)
                reply = client.reply()
                # CR LF NUL "." CR LF is text; the others have a lone CR or LF.
                want = "250" if b"\0" in sequence else "550 5.6.11"
                self.assertTrue(reply.startswith(want), reply)
                self.assertTrue(client.command("NOOP").startswith("250"))  # and no second reply
        accepted = sum(b"\0" in sequence for sequence in sequences)
        rows = sink.wait_for(accepted)
        self.assertEqual(len(rows), accepted)
        self.assertNotIn("<smuggled@test>", [row["id"] for row in rows])
        for row in rows:
            self.assertEqual(row["recipients"], "recipient@example.net")
            harness.verify(sink.content(row), gateway.certificate())

    def test_bdat(self):
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        for number, sequence in enumerate(self.sequences()):
            content = mail_from(b"a@example.com", number) + b"words" + sequence + self.SECOND
            with self.subTest(sequence=sequence), harness.Client(gateway.port) as client:
                client.command("EHLO a.example")
                client.command("MAIL FROM:<a@example.com>")
                client.command("RCPT TO:<recipient@example.net>")
                client.send(b"BDAT %d LAST\r\n" % len(content) + content)
                self.assertTrue(client.reply().startswith(("250", "550 5.6.11")))
                self.assertTrue(client.command("NOOP").startswith("250"))
        self.assertNotIn("<smuggled@test>", [row["id"] for row in sink.rows()])

    def test_true_end_inside_a_pipeline(self):
        """What follows the true end is a command, and a message of its own."""
        sink = self.start_sink()
        gateway = self.start_gateway(sink.port)
        with harness.Client(gateway.port) as client:
            client.begin()
            client.send(mail_from(b"a@example.com") + b".\r\n" + self.SECOND)
            self.assertEqual([client.reply()[:3] for _ in range(5)],
                             ["250", "250", "250", "354", "250"])
        self.assertEqual(sorted(row["id"] for row in sink.wait_for(2)),
                         ["<1@test>", "<smuggled@test>"])


if __name__ == "__main__":
    harness.main()
