#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Alerts reach people: by mail at a sink, at a webhook, in `sealgate alerts`."""

import http.server
import json
import re
import threading
import unittest

from harness import SystemTest, parse, wait_until

ALERTS = """
[alerts]
to = operator@example.org, second@example.org
webhook = http://127.0.0.1:{hook}/services/T0/secret
throttle = {throttle}
"""


class Hook:
    """A webhook that keeps what it is told and answers with `statuses`, then with 200."""

    def __init__(self):
        self.posts = []
        self.statuses = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((self.path, self.headers["Content-Type"], json.loads(body)))
                self.send_response(hook.statuses.pop(0) if hook.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class AlertsTest(SystemTest):
    def setUp(self):
        super().setUp()
        self.hook = Hook()
        self.addCleanup(self.hook.stop)
        self.sink = self.start_sink()

    def make(self, throttle="1h", **more):
        alerts = ALERTS.replace("{hook}", str(self.hook.port)).replace("{throttle}", throttle)
        return self.make_gateway(self.sink.port, more=alerts, **more)

    def alerts(self):
        return self.gateway.ask("alerts")["alerts"]

    def break_configuration(self):
        good = self.gateway.ini.read_text()
        self.gateway.ini.write_text(good + "\n[gateway]\nno-such-key = 1\n")
        done = self.gateway.command("reload", check=False)
        self.assertEqual(done.returncode, 78)
        self.assertIn("no-such-key", done.stderr)
        self.assertTrue(self.alerts(), "a broken file keeps nobody from looking")
        self.gateway.ini.write_text(good)

    def set_throttle(self, value):
        self.gateway.ini.write_text(re.sub(r"throttle = \w+", f"throttle = {value}",
                                           self.gateway.ini.read_text()))
        self.gateway.command("reload")

    def test_a_refused_reload_is_told_everywhere(self):
        self.gateway = self.make().start()
        self.assertEqual(self.alerts(), [])
        self.assertIn("no alerts", self.gateway.command("alerts").stdout)
        self.break_configuration()

        line = "[Warning-gate.example.com] (System) config.rejected: a changed configuration was " \
               "not applied, the old one stays in force; its error: "
        log = wait_until(lambda: re.search(r" Warning: (.*config\.rejected.*)",
                                           self.gateway.mail_log()), "the log's line").group(1)
        self.assertTrue(log.startswith(line), log)
        self.assertIn("no-such-key", log)

        mails = self.sink.wait_for(1)
        self.assertEqual(mails[0]["sender"], "")
        self.assertEqual(mails[0]["recipients"].split(","),
                         ["operator@example.org", "second@example.org"])
        mail = parse(self.sink.content(mails[0]))
        self.assertEqual(mail["From"], "<postmaster@gate.example.com>")
        self.assertEqual(" ".join(mail["Subject"].split()), log)
        self.assertEqual(mail["Auto-Submitted"], "auto-generated")
        self.assertEqual(mail.get_content_type(), "text/plain", "no filter has signed it")
        text = mail.get_payload(decode=True).decode()
        self.assertIn("no-such-key", text)
        self.assertIn("Alert:    config.rejected", text)

        wait_until(lambda: self.hook.posts, "a post")
        path, kind, told = self.hook.posts[0]
        self.assertEqual((path, kind), ("/services/T0/secret", "application/json"))
        self.assertEqual(told["alert"], "config.rejected")
        self.assertEqual(told["severity"], "warning")
        self.assertEqual(told["host"], "gate.example.com")
        self.assertEqual(told["text"], log)

        shown = self.alerts()
        self.assertEqual([alert["text"] for alert in shown], [log])
        human = self.gateway.command("alerts").stdout
        self.assertIn("warning  config.rejected: a changed configuration", human)

        shown_configuration = self.gateway.command("config", "show").stdout
        self.assertIn(f"webhook = http://127.0.0.1:{self.hook.port}/***\n", shown_configuration)
        self.assertIn("from = postmaster@gate.example.com\n", shown_configuration)
        self.assertNotIn("secret", shown_configuration + self.gateway.mail_log())

    def test_the_same_alert_is_throttled(self):
        self.gateway = self.make().start()
        for _ in range(3):
            self.break_configuration()
        wait_until(lambda: self.hook.posts, "a post")
        self.sink.wait_for(1)
        self.assertEqual([alert["repeated"] for alert in self.alerts()], [2])
        self.assertIn("(and 2 more like it)", self.gateway.command("alerts").stdout)
        counters = self.gateway.ask("status")["counters"]
        self.assertEqual(counters["sealgate_alerts_raised_total"], 1)
        self.assertEqual(counters["sealgate_alerts_throttled_total"], 2)

        self.set_throttle("0")
        self.break_configuration()
        wait_until(lambda: len(self.hook.posts) == 2, "a second post")
        self.assertEqual(self.hook.posts[1][2]["missed"], 2)
        mails = self.sink.wait_for(2)
        self.assertIn(b"\r\n2 more like it were held back",
                      self.sink.content(mails[1]))
        self.assertEqual(len(self.hook.posts), 2)
        self.assertEqual(len(self.alerts()), 2)

    def test_a_certificate_that_expires_soon(self):
        self.gateway = self.make(certificate="ours")
        self.gateway.new_certificate("ours", "p256", days=6)
        self.gateway.start()
        wait_until(lambda: self.hook.posts, "a post")
        told = self.hook.posts[0][2]
        self.assertEqual((told["alert"], told["severity"]),
                         ("certificate.expires-soon", "warning"))
        self.assertRegex(told["message"],
                         r"^certificate ours \(serial [0-9A-F]+\), used by sending profile sign, "
                         r"expires in [56] days, at ")
        self.sink.wait_for(1)
        self.gateway.command("reload")
        self.assertEqual(len(self.alerts()), 1, "once for each step")

    def test_a_webhook_that_fails_is_told_in_the_log(self):
        self.hook.statuses = [500]
        self.gateway = self.make().start()
        self.break_configuration()
        wait_until(lambda: "The webhook did not take alert config.rejected: HTTP status 500; it is "
                   "told once more later" in self.gateway.mail_log(), "the log's line")
        self.sink.wait_for(1)

    def test_nobody_is_told_when_nobody_is_named(self):
        self.gateway = self.make_gateway(self.sink.port).start()
        self.break_configuration()
        self.assertEqual(len(self.alerts()), 1)
        wait_until(lambda: "config.rejected" in self.gateway.mail_log(), "the log's line")
        self.assertEqual(self.gateway.queue(), [])

    def test_without_a_gateway(self):
        self.gateway = self.make()
        done = self.gateway.command("alerts", check=False)
        self.assertEqual(done.returncode, 69)


if __name__ == "__main__":
    unittest.main()
