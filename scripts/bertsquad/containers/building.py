"""What building the image needs of this machine: pip's settings, certificates, wheels, labels."""

import ast
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bertsquad.console.errors import UserError

# Where packages come from and what it takes to reach it; the rest of pip's settings is about here.
_INDEX_SETTINGS = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy")
_TIMEOUT_SETTINGS = ("timeout", "default-timeout", "retries")
# What every docker build knows without being declared, and keeps in no layer.
_PROXY_ARGUMENTS = ("http_proxy", "https_proxy", "no_proxy")
_FIRST_WITH_BUILDKIT = 23  # from this version on, BuildKit needs the buildx plugin


def pip_settings(listing: str) -> dict[str, str]:
    """Settings by name from what `pip config list` prints, where the strongest of a name counts:
    environment, then those for `pip install`, then global ones.

    Lines such as `global.index-url='https://...'` and `:env:.cert='...'`.
    """
    strength = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        place, equals, quoted = line.partition("=")
        section, _, name = place.rpartition(".")
        if equals and section in strength:
            given = (strength[section], str(ast.literal_eval(quoted)))
            found[name] = max(found.get(name, given), given, key=lambda pair: pair[0])
    return {name: value for name, (_, value) in found.items()}


def portable_settings(settings: Mapping[str, str]) -> str:
    """A pip.conf for the build: what a build can reach, which folders of this machine are not.

    It may hold passwords: it is for a secret, never for a layer or an argument. "" when empty.
    """
    lines = []
    for name in (*_INDEX_SETTINGS, *_TIMEOUT_SETTINGS):
        kept = [part for part in settings.get(name, "").split() if not _local_folder(part)]
        if kept:
            lines.append(f"{name.removeprefix('default-')} = {' '.join(kept)}")
    return "\n".join(["[global]", *lines, ""]) if lines else ""


def _local_folder(value: str) -> Path | None:
    """The folder of this machine that a location means, if it is one."""
    if value.startswith("file:"):
        return Path(urlsplit(value).path)
    return Path(value) if value.startswith(("/", "~", ".")) else None


def wheels_at_hand(settings: Mapping[str, str], pins: Mapping[str, str]) -> list[Path]:
    """Wheels of pinned versions in the folders where pip is told to look (find-links)."""
    parts = settings.get("find-links", "").split()
    folders = [folder.expanduser() for part in parts if (folder := _local_folder(part))]
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("*.whl"))]
    return [wheel for wheel in wheels if _is_pinned(wheel.name, pins)]


def _is_pinned(wheel: str, pins: Mapping[str, str]) -> bool:
    """Whether a wheel's file name is of a pinned version; a local part (`+cpu`) may follow it."""
    try:
        name, version, *_ = parse_wheel_filename(wheel)
    except InvalidWheelFilename:
        return False
    return name in pins and version.public == str(Version(pins[name]))


def pinned_versions(texts: Iterable[str]) -> dict[str, str]:
    """`name==version` lines of requirement files, by canonical name."""
    pairs = (re.findall(r"^([\w.-]+)==([^\s#;]+)", text, re.MULTILINE) for text in texts)
    return {canonicalize_name(name): version for found in pairs for name, version in found}


def build_command(
    docker: str,
    context: Path,
    tag: str,
    arguments: Mapping[str, str],
    secrets: Mapping[str, Path],
    environment: Mapping[str, str],
    network: str | None,
) -> list[str]:
    """The `docker build` call. Proxies go by name: Docker reads their values itself."""
    command = [docker, "build", "--file", str(context / "envs/Dockerfile"), "--tag", tag]
    for name, value in arguments.items():
        command += ["--build-arg", f"{name}={value}"]
    for name in _PROXY_ARGUMENTS:
        command += [
            part
            for spelled in (name, name.upper())
            if environment.get(spelled)
            for part in ("--build-arg", spelled)
        ]
    for name, path in secrets.items():
        command += ["--secret", f"id={name},src={path}"]
    if network:
        command += ["--network", network]
    return [*command, str(context)]


def has_buildkit(version: str, has_buildx: bool) -> bool:
    """Whether a docker command can build with BuildKit: `version` is the output of
    `docker --version`."""
    number = re.search(r"version (\d+)", version)
    return has_buildx or (number is not None and int(number[1]) < _FIRST_WITH_BUILDKIT)


def public_address(remote: str) -> str:
    """A repository's address without a user or password; "" for a folder of this machine."""
    parts = urlsplit(remote)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, parts.hostname + port, parts.path, "", ""))


def software_version(citation: str) -> str:
    """The version in the text of CITATION.cff."""
    found = re.search(r"^version: (\S+)", citation, re.MULTILINE)
    if not found:
        raise UserError("CITATION.cff: no line `version: ...`; the image is labelled with it")
    return found[1]
