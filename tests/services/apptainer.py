"""Apptainer for the tests: the one installed here, or Debian unstable's in a folder of its own.

Debian 12 has no Apptainer. Unstable has one, linked with a newer C library, so both go into a
private folder and the programs are told to use that library. Unstable moves: when any step fails,
the tests are skipped with its message.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.engine import apt_install, missing_for_services

SUITE = "sid"
PACKAGES = ("apptainer", "libc6", "libseccomp2", "libsqlite3-0")
PROGRAMS = ("usr/bin/apptainer", "usr/lib/*/apptainer/bin/starter")
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
SOURCES = "deb [signed-by={keys}] {mirror} {suite} main\n"


class Failed(Exception):
    """A step that did not work, with the reason."""


@contextmanager
def apptainer_command() -> Iterator[str]:
    """The folder with the command `apptainer`; skips, loudly, where it cannot be had."""
    found = shutil.which("apptainer")
    if found:
        yield str(Path(found).parent)
        return
    if reason := missing_for_services():
        pytest.skip(f"Apptainer is not installed, and getting it {reason}")
    apt_install({"patchelf": "patchelf", "mksquashfs": "squashfs-tools"})
    with tempfile.TemporaryDirectory(prefix="bertsquad-apptainer-") as folder:
        try:
            yield str(unpack(Path(folder)))
        except (Failed, OSError) as error:
            pytest.skip(f"Apptainer cannot be had: {error}")


def unpack(folder: Path) -> Path:
    """Fetch the packages and make them work together; the folder of the command."""
    packages = download(folder / "apt")
    prefix, library = folder / "apptainer", folder / "library"
    run("dpkg-deb", "-x", packages.pop("apptainer"), prefix)
    for package in packages.values():
        run("dpkg-deb", "-x", package, library)
    loader, flat = collect_libraries(library, prefix / "own-libraries")
    for pattern in PROGRAMS:
        for program in prefix.glob(pattern):
            run("patchelf", "--set-interpreter", loader, program)
            run("patchelf", "--force-rpath", "--set-rpath", flat, program)
    settle(prefix)
    run(prefix / "usr/bin/apptainer", "--version")
    return prefix / "usr/bin"


def download(folder: Path) -> dict[str, Path]:
    """The packages of the suite, by name, without touching what apt knows of this machine."""
    for part in ("lists/partial", "cache/archives/partial", "packages"):
        (folder / part).mkdir(parents=True)
    mirror = run("apt-get", "indextargets", "--format", "$(REPO_URI)").split("\n")[0]
    sources = folder / "sources.list"
    sources.write_text(SOURCES.format(keys=KEYS, mirror=mirror, suite=SUITE))
    settings = {
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::Lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    run(*apt, "update")
    run(*apt, "download", *PACKAGES, cwd=folder / "packages")
    files = (folder / "packages").glob("*.deb")
    return {path.name.partition("_")[0]: path for path in files}


def collect_libraries(library: Path, flat: Path) -> tuple[Path, Path]:
    """All shared libraries in one folder, and the loader among them."""
    flat.mkdir()
    for path in library.rglob("*.so*"):
        if path.is_file() and "gconv" not in path.parts:
            shutil.copy(path, flat)
    loaders = sorted(flat.glob("ld-linux*.so*"))
    if not loaders:
        raise Failed(f"no loader in libc6 of {SUITE}")
    return loaders[0], flat


def settle(prefix: Path) -> None:
    """The programs look for etc/ and var/ beside usr/bin and usr/lib; and root in a virtual machine
    may lack capabilities that the default configuration asks for."""
    for place in ("usr", "usr/lib"):
        for name in ("etc", "var"):
            link = prefix / place / name
            if not link.exists():
                link.symlink_to(os.path.relpath(prefix / name, link.parent))
    configuration = prefix / "etc/apptainer/apptainer.conf"
    setting = r"^root default capabilities = .*$"
    text = re.sub(setting, "root default capabilities = no", configuration.read_text(), flags=re.M)
    configuration.write_text(text)


def run(*command: object, cwd: Path | None = None) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        reason = (done.stderr or done.stdout).strip()[-300:]
        raise Failed(f"{Path(str(command[0])).name} {command[-1]}: {reason}")
    return done.stdout
