"""Two hosts that are none: network namespaces, joined by a pair of virtual interfaces."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ADDRESSES = ("10.77.0.1", "10.77.0.2")


def why_not() -> str | None:
    """Why network namespaces cannot be had here, or None."""
    if shutil.which("ip") is None:
        return "there is no `ip`: apt-get install iproute2"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    name = f"bertsquad-try-{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if tried.returncode:
        return f"no network namespaces here: {tried.stderr.strip()}"
    subprocess.run(["ip", "netns", "delete", name], check=True)
    return None


@dataclass(frozen=True)
class TwoHosts:
    names: tuple[str, str]  # of the namespaces
    interfaces: tuple[str, str]

    def command(self, host: int, command: list[str]) -> list[str]:
        """What runs a command on host 0 or 1."""
        return ["ip", "netns", "exec", self.names[host], *command]

    def remote_shell(self, folder: Path) -> Path:
        """A command that is called as ssh is: `shell 10.77.0.2 'command line'`."""
        script = folder / "remote_shell"
        script.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = {ADDRESSES[1]} ] || exit 99\n'
            f'exec ip netns exec {self.names[1]} sh -c "$2"\n'
        )
        script.chmod(0o755)
        return script

    def cut(self) -> None:
        """Take the network away: no packet arrives, and no connection is closed."""
        ip("-n", self.names[0], "link", "set", self.interfaces[0], "down")

    def mend(self) -> None:
        ip("-n", self.names[0], "link", "set", self.interfaces[0], "up")


@contextmanager
def two_hosts() -> Iterator[TwoHosts]:
    tag = os.getpid() % 100_000  # interface names have at most 15 characters
    hosts = TwoHosts((f"bertsquad-a-{tag}", f"bertsquad-b-{tag}"), (f"bs-a-{tag}", f"bs-b-{tag}"))
    made = []
    try:
        for name in hosts.names:
            ip("netns", "add", name)
            made.append(name)
        a, b = hosts.interfaces
        ip("link", "add", a, "netns", hosts.names[0], "type", "veth",
           "peer", "name", b, "netns", hosts.names[1])  # fmt: skip
        for name, interface, address in zip(hosts.names, hosts.interfaces, ADDRESSES, strict=True):
            ip("-n", name, "address", "add", f"{address}/24", "dev", interface)
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", interface, "up")
        yield hosts
    finally:
        for name in made:
            ip("netns", "delete", name)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)
