# SPDX-License-Identifier: GPL-3.0-or-later
"""What the system tests stand on: a gateway and a sink of their own, on ports of their own.

Nothing here shares code with the gateway: mails are taken apart by Python, signatures judged by the
openssl command. Every process that a test starts ends with the test.
"""

import base64
import contextlib
import email
import email.policy
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("SEALGATE_SOURCE_DIR",
                                     pathlib.Path(__file__).resolve().parents[2]))
BIN = pathlib.Path(os.environ.get("SEALGATE_BIN_DIR", SOURCE / "build/release/bin"))
CORPUS = pathlib.Path(os.environ.get("SEALGATE_CORPUS_DIR", SOURCE / "../shared/corpus"))
DATA = SOURCE / "tests/data"
SEALGATE = BIN / "sealgate"
SEALLOAD = BIN / "sealload"
PATIENCE = float(os.environ.get("SEALGATE_TEST_PATIENCE", "60"))  # seconds; machines are busy

CONFIGURATION = """
[gateway]
hostname = gate.example.com
data-dir = {data}

[listener:private]
address = 127.0.0.1:{port}
type = private
certificate = none
default-policy = RELAYED

[sending-profile:sign]
mode = sign
certificate = {certificate}
sign-mode = {sign_mode}
sender-match = {sender_match}

[content-filter:sign-all]
direction = outgoing
actions = smime-gateway("sign");

[mail-policy:DEFAULT]
direction = outgoing
content-filters = sign-all

[smtp-routes]
ALL = [127.0.0.1]:{next_hop}

[bounce-profile:default]
retry-first = 1s
retry-max = 2s

[log]
mail-log = {data}/mail.log
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, what, seconds=None):
    end = time.monotonic() + (seconds or PATIENCE)
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited in vain for {what}")


def sealgate(*arguments, check=True):
    done = subprocess.run([SEALGATE, *map(str, arguments)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)
    if check and done.returncode != 0:
        raise AssertionError(f"sealgate {' '.join(map(str, arguments))}: {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def end_process(process, number=signal.SIGTERM):
    """Ends a process that a test started and says how it ended."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"{process.args[0]} does not end") from None
    return process.returncode


class Gateway:
    """A gateway with a configuration and data of its own."""

    def __init__(self, folder, next_hop, certificate="demo", sign_mode="detached",
                 sender_match="from", more="", text=None):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.port = free_port()
        self.ini = self.folder / "gate.ini"
        self.values = {"data": self.data, "port": self.port, "next_hop": next_hop,
                       "certificate": certificate, "sign_mode": sign_mode,
                       "sender_match": sender_match}
        self.write((text or CONFIGURATION) + more)
        self.process = None

    def write(self, text):
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, value in self.values.items():
            text = text.replace("{" + name + "}", str(value))
        self.ini.write_text(text)

    def command(self, *arguments, check=True):
        return sealgate(*arguments, "-c", self.ini, check=check)

    def ask(self, *arguments):
        return json.loads(self.command(*arguments, "--json").stdout)

    def new_certificate(self, name, key, days=365,
                        domains="example.com,example.net,example.org"):
        self.command("cert", "new", name, "--cn", name, "--key", key, "--san-dns", domains,
                     "--days", days)

    def certificate(self, name="demo"):
        return self.data / "certificates" / name / "chain.pem"

    def start(self):
        self.log = open(self.folder / "gateway.out", "ab")
        self.process = subprocess.Popen([SEALGATE, "run", "-c", self.ini], stdout=self.log,
                                        stderr=self.log, stdin=subprocess.DEVNULL)
        wait_until(lambda: self.process.poll() is not None or self.is_ready(), "the gateway")
        if self.process.poll() is not None:
            raise AssertionError("the gateway did not start:\n"
                                 + (self.folder / "gateway.out").read_text())
        return self

    def is_ready(self):
        """The control socket is the last thing that a gateway opens."""
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as probe:
            probe.settimeout(1)
            return probe.connect_ex(str(self.data / "control.sock")) == 0 and answers(self.port)

    def stop(self, number=signal.SIGTERM, expected=0):
        if self.process is None:
            return None
        status = end_process(self.process, number)
        self.process = None
        self.log.close()
        # A crash, a failed CHECK, and a sanitizer's report (leaks are found at the end) show here.
        if number == signal.SIGTERM and status != expected:
            raise AssertionError(f"the gateway ended with {status}:\n"
                                 + (self.folder / "gateway.out").read_text()[-8000:])
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def mail_log(self):
        path = self.data / "mail.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def queue(self):
        return self.ask("queue", "list")["messages"]


class Sink:
    """`sealload sink`, with what it kept."""

    FIELDS = ["id", "recipients", "bytes", "kind", "about", "sender", "file", "verdict",
              "form", "layers", "body", "opened_by"]

    def __init__(self, folder, *options, keep=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.kept = self.folder / "mails"
        self.ledger = self.folder / "received"
        self.port = free_port()
        self.options = [*options, *(["--keep", self.kept] if keep else [])]
        self.process = None

    def start(self):
        self.errors = open(self.folder / "sink.err", "ab")
        self.process = subprocess.Popen(
            [SEALLOAD, "sink", "--listen", f"127.0.0.1:{self.port}", "--received", self.ledger,
             "--json", *self.options],
            stdout=subprocess.PIPE, stderr=self.errors,
            stdin=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port), "the sink")
        return self

    def stop(self):
        if self.process is None:
            return None
        end_process(self.process)
        summary = json.loads(self.process.stdout.read())
        self.process.stdout.close()
        self.errors.close()
        self.process = None
        return summary

    def rows(self, kind=None):
        if not self.ledger.exists():
            return []
        lines = self.ledger.read_text(errors="replace").splitlines()
        rows = [dict(zip(self.FIELDS, line.split("\t"))) for line in lines]
        return [row for row in rows if kind in (None, row["kind"])]

    def content(self, row):
        return (self.kept / row["file"]).read_bytes()

    def wait_for(self, count, kind=None):
        wait_until(lambda: len(self.rows(kind)) >= count, f"{count} mails at the sink, there are "
                   f"{len(self.rows(kind))}")
        return self.rows(kind)


def source(port, *arguments, check=True, timeout=None):
    """`sealload source --json`; its summary."""
    done = subprocess.run([SEALLOAD, "source", "--target", f"127.0.0.1:{port}", "--json",
                           *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout or 4 * PATIENCE)
    if check and done.returncode != 0:
        raise AssertionError(f"sealload source: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def compare_ledgers(sent, received):
    done = subprocess.run([SEALLOAD, "ledger", sent, received, "--json"], capture_output=True,
                          text=True, check=False)
    return json.loads(done.stdout)


class Client:
    """SMTP by hand: commands as written, bytes as they are."""

    def __init__(self, port, greet=True):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.file = self.socket.makefile("rb")
        self.greeting = self.reply() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def reply(self):
        """The whole reply as text; empty when the server closed."""
        lines = []
        while True:
            line = self.file.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return "\n".join(lines)
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    def send(self, content):
        self.socket.sendall(content)

    def command(self, line):
        self.send(line.encode() + b"\r\n")
        return self.reply()

    def begin(self, sender="sender@example.com", recipient="recipient@example.net"):
        """To the point where DATA has been answered with 354."""
        for line, code in (("EHLO client.example.com", "250"), (f"MAIL FROM:<{sender}>", "250"),
                           (f"RCPT TO:<{recipient}>", "250"), ("DATA", "354")):
            reply = self.command(line)
            if not reply.startswith(code):
                raise AssertionError(f"{line}: {reply}")


def new_openssl_certificate(folder, name, start, end, usage="digitalSignature",
                            names="DNS:example.com"):
    """A self-signed certificate that `sealgate cert new` would not make; [certificate:NAME]."""
    place = pathlib.Path(folder) / f"openssl-{name}"
    place.mkdir(parents=True)
    (place / "index").touch()
    (place / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={place}/index\nnew_certs_dir={place}\n"
        f"rand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n"
        f"[ext]\nsubjectAltName={names}\nkeyUsage={usage}\nextendedKeyUsage=emailProtection\n")
    key, request, chain = place / "key.pem", place / "request.pem", place / "chain.pem"
    subprocess.run(["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                    "-out", request, "-subj", f"/CN={name}"], check=True, capture_output=True)
    subprocess.run(["openssl", "ca", "-batch", "-notext", "-selfsign", "-config", place / "ca.cnf",
                    "-keyfile", key, "-in", request, "-out", chain, "-startdate", start,
                    "-enddate", end, "-extensions", "ext"], check=True, capture_output=True)
    return f"\n[certificate:{name}]\nfile = {chain}\nkey = {key}\n"


class SystemTest(unittest.TestCase):
    """A folder, and processes that end with the test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sealgate-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start_sink(self, *options, name="sink", **more):
        sink = Sink(self.folder / name, *options, **more)
        self.addCleanup(sink.stop)
        return sink.start()

    def make_gateway(self, next_hop, name="gateway", **more):
        gateway = Gateway(self.folder / name, next_hop, **more)
        self.addCleanup(gateway.stop)
        return gateway

    def start_gateway(self, next_hop, **more):
        return self.make_gateway(next_hop, **more).start()


# ---- mails --------------------------------------------------------------------------------------

def with_crlf(content):
    content = re.sub(rb"(?<!\r)\n", b"\r\n", content)
    return content if content.endswith(b"\r\n") else content + b"\r\n"


def split_mail(content):
    """Header fields, raw and in order, and the body; None when the header has no blank line."""
    head, blank, body = content.partition(b"\r\n\r\n")
    if not blank:
        return None
    fields = re.split(rb"\r\n(?![ \t])", head)
    return [field + b"\r\n" for field in fields], body


def field_name(field):
    return field.partition(b":")[0].strip().lower()


def is_mime_field(field):
    return field_name(field).startswith(b"content-")


def entity_of(content):
    """What is signed of a mail that is 7-bit already: its Content-* fields and its body."""
    fields, body = split_mail(content)
    return b"".join(filter(is_mime_field, fields)) + b"\r\n" + body


def parse(content):
    return email.message_from_bytes(content, policy=email.policy.compat32)


def leaves(part, path="0"):
    """The tree of types, and what a reader of each leaf is given, in bytes."""
    kind = part.get_content_type()
    if part.is_multipart():
        yield path, kind
        for number, child in enumerate(part.get_payload()):
            yield from leaves(child, f"{path}.{number}")
    else:
        payload = part.get_payload(decode=True) or b""
        # Line ends at the end of a leaf are the boundary's or nobody's.
        yield path, kind, payload.replace(b"\r\n", b"\n").rstrip(b"\n"), part.get_filename()


# ---- signatures ---------------------------------------------------------------------------------

def content_type_of(content):
    fields, _ = split_mail(content)
    for field in fields:
        if field_name(field) == b"content-type":
            return b" ".join(field.partition(b":")[2].split())
    return b""


def is_signed(content):
    split = split_mail(content)
    if split is None:
        return False
    kind = content_type_of(content).lower()
    return kind.startswith(b"multipart/signed") or (
        kind.startswith(b"application/pkcs7-mime") and b"signed-data" in kind)


def signed_parts(content):
    """(CMS, content or None): the parts of multipart/signed byte for byte, or the opaque one."""
    _, body = split_mail(content)
    kind = content_type_of(content)
    if not kind.lower().startswith(b"multipart/signed"):
        return base64.b64decode(body), None
    boundary = b"--" + re.search(rb'boundary="([^"]+)"', kind).group(1)
    parts = (b"\r\n" + body).split(b"\r\n" + boundary)
    if len(parts) != 4 or not parts[3].startswith(b"--"):
        raise AssertionError(f"multipart/signed of {len(parts) - 2} parts")
    signature = parts[2].partition(b"\r\n\r\n")[2]
    return base64.b64decode(signature), parts[1][2:]


def verify(content, ca_file, folder=None):
    """The signed bytes, when `openssl cms -verify` accepts them; else AssertionError."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        place = pathlib.Path(name)
        cms, detached = signed_parts(content)
        (place / "cms").write_bytes(cms)
        command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", place / "cms",
                   "-CAfile", ca_file, "-out", place / "out"]
        if detached is not None:
            (place / "content").write_bytes(detached)
            command += ["-content", place / "content"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"openssl cms -verify: {done.stderr.strip()}")
        return (place / "out").read_bytes()


def main():
    if not SEALGATE.exists() or not SEALLOAD.exists():
        print(f"skipped: {SEALGATE} or {SEALLOAD} is absent")
        sys.exit(77)
    unittest.main()
