# SPDX-License-Identifier: GPL-3.0-or-later
"""Other programs that read CMS: openssl, NSS's cmsutil, gpgsm, and Bouncy Castle.

Each opens one layer at a time, many at once: `peer.open(jobs)` fills in what was read. None of them
shares code with the gateway.
"""

import concurrent.futures
import dataclasses
import pathlib
import re
import shutil
import subprocess

import harness

JARS = [pathlib.Path("/usr/share/java") / f"{name}.jar"
        for name in ("bcprov", "bcpkix", "bcmail", "bcutil")]


@dataclasses.dataclass
class Recipient:
    """Whose certificate a mail is encrypted to, and the key that opens it."""
    name: str
    certificate: pathlib.Path
    key: pathlib.Path


@dataclasses.dataclass
class Job:
    """One layer: signed (with its content apart, when detached) or encrypted to `recipient`."""
    cms: pathlib.Path
    out: pathlib.Path
    content: pathlib.Path = None
    recipient: Recipient = None
    said: str = ""  # why not; empty: it was opened

    def result(self):
        return self.out.read_bytes() if not self.said else None


def run(*command, **more):
    return subprocess.run([str(word) for word in command], capture_output=True, check=False,
                          stdin=more.pop("stdin", subprocess.DEVNULL if "input" not in more
                                         else None), **more)


def must(*command, **more):
    done = run(*command, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done


def run_java(program, arguments):
    """One of tests/data/java's programs, with Bouncy Castle; its lines."""
    done = must("java", "-XX:TieredStopAtLevel=1", "--class-path", ":".join(map(str, JARS)),
                harness.DATA / "java" / program, *arguments)
    return done.stdout.decode(errors="replace").splitlines()


class Peer:
    """`folder` is its own; `root` is what signers lead to."""

    def __init__(self, folder, root, recipients):
        self.folder = folder / self.NAME.replace(" ", "-")
        self.folder.mkdir(mode=0o700)
        self.root = root
        self.recipients = recipients
        self.prepare()

    def prepare(self):
        pass

    def finish(self):
        pass

    def open(self, jobs):
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for job, done in zip(jobs, pool.map(self.open_one, jobs)):
                said = (done.stdout + done.stderr).decode(errors="replace").strip()
                job.said = "" if done.returncode == 0 else said or f"exit {done.returncode}"

    def pkcs12(self, recipient):
        """In the old form, which all of them read."""
        path = self.folder / f"{recipient.name}.p12"
        must("openssl", "pkcs12", "-export", "-legacy", "-passout", "pass:secret", "-name",
             recipient.name, "-in", recipient.certificate, "-inkey", recipient.key, "-out", path)
        return path


class Openssl(Peer):
    NAME = "OpenSSL"

    @staticmethod
    def missing():
        return None if shutil.which("openssl") else "openssl is not installed"

    def open_one(self, job):
        if job.recipient:
            return run("openssl", "cms", "-decrypt", "-binary", "-inform", "DER", "-in", job.cms,
                       "-inkey", job.recipient.key, "-recip", job.recipient.certificate, "-out",
                       job.out)
        return run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", job.cms,
                   "-CAfile", self.root, "-out", job.out,
                   *(["-content", job.content] if job.content else []))


class Nss(Peer):
    NAME = "NSS"

    @staticmethod
    def missing():
        return None if shutil.which("cmsutil") else "libnss3-tools is not installed"

    def prepare(self):
        self.store = f"sql:{self.folder}"
        must("certutil", "-N", "--empty-password", "-d", self.store)
        must("certutil", "-A", "-n", "root", "-t", "CT,C,C", "-a", "-i", self.root, "-d",
             self.store)
        for recipient in self.recipients:
            must("pk12util", "-W", "secret", "-d", self.store, "-i", self.pkcs12(recipient))

    def open_one(self, job):
        return run("cmsutil", "-D", "-d", self.store, "-i", job.cms, "-o", job.out,
                   *(["-c", job.content] if job.content else []))


class Gpgsm(Peer):
    NAME = "GnuPG"

    @staticmethod
    def missing():
        return None if shutil.which("gpgsm") else "gpgsm is not installed"

    def prepare(self):
        shown = must("openssl", "x509", "-noout", "-fingerprint", "-sha1", "-in", self.root)
        fingerprint = shown.stdout.decode().strip().partition("=")[2]
        (self.folder / "trustlist.txt").write_text(f"{fingerprint} S relax\n")
        (self.folder / "gpgsm.conf").write_text("disable-crl-checks\n")
        must("gpgsm", "--batch", "--homedir", self.folder, "--import", self.root)
        for recipient in self.recipients:
            if recipient.name in ("p256", "p384"):
                continue  # it imports no EC keys
            path = self.pkcs12(recipient)
            # GnuPG 2.2.40 fails to decrypt for a rare salt, and its agent may ask again for ever.
            for _ in range(5):
                done = self.gpgsm("--import", path)
                # Unchanged: two of MimeKit's certificates have one key.
                if re.search(rb"secret keys (imported|unchanged): +1", done.stdout + done.stderr):
                    break
                path = self.pkcs12(recipient)
            else:
                raise AssertionError(f"gpgsm --import: {done.stderr}")

    def gpgsm(self, *arguments):
        return run("timeout", "15", "gpgsm", "--batch", "--yes", "--pinentry-mode", "loopback",
                   "--passphrase-fd", "0", "--homedir", self.folder, *arguments,
                   input=b"secret\n")

    def open_one(self, job):
        if job.recipient:
            return self.gpgsm("-o", job.out, "--decrypt", job.cms)
        if job.content:
            shutil.copy(job.content, job.out)
            return self.gpgsm("--verify", job.cms, job.content)
        return self.gpgsm("-o", job.out, "--verify", job.cms)

    def finish(self):
        run("gpgconf", "--homedir", self.folder, "--kill", "all")


class BouncyCastle(Peer):
    NAME = "Bouncy Castle"

    @staticmethod
    def missing():
        if not shutil.which("javac"):
            return "no JDK"
        return None if all(jar.exists() for jar in JARS) else "libbcmail-java is absent"

    def open(self, jobs):
        signed = [job for job in jobs if not job.recipient]
        encrypted = [job for job in jobs if job.recipient]
        lines = []
        if signed:
            lines += run_java("VerifyCms.java",
                              [self.root, *(word for job in signed
                                            for word in (job.cms, job.content or "-", job.out))])
        if encrypted:
            lines += run_java("DecryptCms.java",
                              [word for job in encrypted
                               for word in (job.cms, job.recipient.key, job.out)])
        for job, line in zip(signed + encrypted, lines, strict=True):
            job.said = "" if line == "ok" else line


PEERS = [Openssl, Nss, Gpgsm, BouncyCastle]
