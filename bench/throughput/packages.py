# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers from Debian packages that cannot be installed beside Postfix: run unpacked.

Debian's mail servers conflict with each other, and their paths are compiled in. So packages are
downloaded into a cache and unpacked there, and a server runs in a mount namespace of its own, where
the unpacked files lie over /usr and /etc, and /var/spool, /var/log and /run are folders of the run.
Outside of it nothing changes: no file, no user, no service. It wants root, as Postfix does.
"""

import os
import pathlib
import re
import shutil
import subprocess

CACHE = pathlib.Path(os.environ.get("SEALGATE_DEPS_DIR",
                                    pathlib.Path(os.environ.get("XDG_CACHE_HOME",
                                                                pathlib.Path.home() / ".cache"))
                                    / "sealgate")) / "peers"

# In the namespace, before the server: $1 is the folder with the layers, the rest is the command.
MOUNTS = """
set -e
layers=$1
shift
mount -t overlay overlay -o "lowerdir=$layers/etc:/etc" /etc
mount -t overlay overlay -o "lowerdir=$layers/usr:/usr" /usr
for folder in spool log lib; do mount --bind "$layers/var/$folder" "/var/$folder"; done
mount --bind "$layers/run" /run
exec "$@"
"""


# Whether a package that is not in the cache may be fetched.
may_download = True


class Unavailable(Exception):
    """Why a peer is not in this run."""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Unavailable(f"{' '.join(map(str, command[:3]))}: {' '.join(last)}")
    return done.stdout


def fetch(package):
    """The folder where this machine's version of a package is unpacked."""
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get")
    found = re.search(r"Candidate: (\S+)", run("apt-cache", "policy", package))
    if not found or found.group(1) == "(none)":
        raise Unavailable(f"no package {package}")
    folder = CACHE / f"{package}_{found.group(1).replace(':', '%3a')}"
    if folder.is_dir():
        return folder
    if not may_download:
        raise Unavailable(f"{package} is not in {CACHE}, and --no-download was said")
    CACHE.mkdir(parents=True, exist_ok=True)
    work = CACHE / f".work-{package}-{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        run("apt-get", "download", "-q", package, cwd=work)
        run("dpkg-deb", "-x", next(work.glob("*.deb")), work / "files")
        (work / "files").rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def add_accounts(etc, accounts):
    """passwd and group of this machine, and these accounts under numbers that nobody has."""
    passwd = pathlib.Path("/etc/passwd").read_text()
    group = pathlib.Path("/etc/group").read_text()
    taken = {int(line.split(":")[2]) for line in (passwd + group).splitlines() if line.count(":")}
    numbers = {}
    for name in accounts:
        number = next(n for n in range(61000, 62000) if n not in taken)
        taken.add(number)
        numbers[name] = number
        passwd += f"{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"
        group += f"{name}:x:{number}:\n"
    (etc / "passwd").write_text(passwd)
    (etc / "group").write_text(group)
    return numbers


class Unpacked:
    """Packages laid over the system, in a folder of the run."""

    def __init__(self, folder, packages, accounts):
        if os.geteuid() != 0:
            raise Unavailable("wants root")
        self.layers = pathlib.Path(folder)
        for inner in ("etc", "usr", "run", "var/spool", "var/log", "var/lib"):
            (self.layers / inner).mkdir(parents=True)
        for package in packages:
            files = fetch(package)
            for inner in ("etc", "usr", "var/lib"):
                if (files / inner).is_dir():
                    shutil.copytree(files / inner, self.layers / inner, symlinks=True,
                                    dirs_exist_ok=True)
            if (files / "lib").is_dir() and not (files / "lib").is_symlink():
                shutil.copytree(files / "lib", self.layers / "usr/lib", symlinks=True,
                                dirs_exist_ok=True)
        self.numbers = add_accounts(self.layers / "etc", accounts)

    def command(self, arguments):
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", MOUNTS, "sh",
                self.layers, *arguments]

    def check_libraries(self, program):
        """A library that a package wants and this machine lacks is named."""
        missing = [line.split()[0] for line in run(*self.command(["ldd", program])).splitlines()
                   if "not found" in line]
        if missing:
            raise Unavailable(f"{program} wants {', '.join(missing)}")
