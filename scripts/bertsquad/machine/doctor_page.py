"""The doctor's page: a machine and its checks as text for a terminal."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bertsquad.machine.checks import Check, memory_mib
from bertsquad.machine.cpu import NATIVE_FLAGS, lacks_vnni
from bertsquad.machine.reading import format_cpu_list, value
from bertsquad.machine.threads import Threads

_LABEL = 13
# ECMA-48: bold, green, yellow, red, plain.
BOLD, GREEN, YELLOW, RED, PLAIN = "\033[1m", "\033[32m", "\033[33m", "\033[31m", "\033[0m"
_MARKS = {"fine": ("ok", GREEN), "note": ("note", ""), "warning": ("WARN", YELLOW)} | {
    "unknown": ("?", ""),
    "impossible": ("STOP", RED),
}


@dataclass(frozen=True, slots=True)
class Page:
    """How text is set: its width in characters, and whether colours are wanted."""

    width: int = 80
    colour: bool = False

    def heading(self, text: str) -> str:
        return f"\n{BOLD}{text}{PLAIN}" if self.colour else f"\n{text}"

    def fact(self, label: str, text: str) -> str:
        """`  label        text`, continued under the text."""
        return self.hang(f"  {label:<{_LABEL}}", text)

    def check(self, check: Check) -> str:
        """A finding behind its mark; what to do about it on a line of its own."""
        return self.marked(check.level, check.finding, check.remedy)

    def marked(self, level: str, finding: str, remedy: str = "") -> str:
        mark, colour = _MARKS[level]
        text = self.hang(f"  {mark:<5} ", sentence(finding))
        if remedy:
            text += "\n" + self.hang(" " * 8 + "-> ", remedy)
        if self.colour and colour:
            return text.replace(mark, f"{colour}{mark}{PLAIN}", 1)
        return text

    def hang(self, start: str, text: str) -> str:
        return textwrap.fill(
            text,
            self.width,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_on_hyphens=False,
            break_long_words=False,
        )


def sentence(text: str) -> str:
    """With a capital letter."""
    return text[:1].upper() + text[1:]


def machine_lines(machine: dict[str, Any], page: Page) -> list[str]:
    """What it is, what it computes natively, and the defaults that follow."""
    return [
        page.heading("This machine"),
        page.fact("processor", processor(machine)),
        page.fact("cores", cores(machine)),
        page.fact("memory", memory(machine)),
        page.fact("allowed", allowed(machine)),
        page.fact("system", _system(machine)),
        page.fact("software", _software(machine)),
        page.heading("Computes natively"),
        *(page.fact(name, text) for name, text in _natively(machine)),
    ]


def default_lines(machine: dict[str, Any], page: Page) -> list[str]:
    """The threads that will be used, and the processors they are kept on."""
    defaults = value(machine, "defaults")
    if defaults is None:
        return [
            page.heading("Defaults"),
            page.fact("threads", "unknown, as the processors are"),
        ]
    team = Threads(defaults["threads"], tuple(defaults["cpus"]), tuple(defaults["sockets"]))
    return [page.heading("Defaults"), page.fact("threads", str(team))]


def check_lines(checks: Iterable[Check], page: Page) -> list[str]:
    """The good news first, and what needs doing last, where it is read."""
    checks = list(checks)
    lines = []
    for title, levels in (
        ("Looked at, and fine", ("fine",)),
        ("Good to know", ("note",)),
        ("Could not be read", ("unknown",)),
        ("Spoils a run or a measurement", ("warning",)),
    ):
        found = [page.check(check) for check in checks if check.level in levels]
        if found:
            lines += [page.heading(title), *found]
    return lines


def processor(machine: dict[str, Any]) -> str:
    name = value(machine, "cpu", "model") or "unknown"
    return f"{name}, in a virtual machine" if value(machine, "cpu", "hypervisor") else str(name)


def cores(machine: dict[str, Any]) -> str:
    count, threads = value(machine, "cpu", "cores"), value(machine, "cpu", "threads_per_core")
    if not count:
        logical = value(machine, "cpu", "logical")
        return f"unknown; {logical} processors" if logical else "unknown"
    parts = [
        f"{count} on {_plural(value(machine, 'cpu', 'sockets'), 'socket')}",
        f"{_plural(threads, 'hardware thread')} each",
    ]
    if nodes := value(machine, "cpu", "numa_nodes"):
        parts.append(_plural(nodes, "NUMA node"))
    last = (value(machine, "cpu", "caches") or {}).get("L3")
    if last:
        each = f"{last['instances']} x " if last["instances"] > 1 else ""
        parts.append(f"L3 {each}{last['size_kib'] / 1024:g} MiB")
    return "; ".join(parts)


def memory(machine: dict[str, Any]) -> str:
    most = memory_mib(machine)
    if most is None:
        return "unknown"
    whole = value(machine, "memory_mib")
    limit = f", the limit of its control group; the machine has {_gib(whole)}"
    return _gib(most) + (limit if whole is not None and most < whole else "")


def allowed(machine: dict[str, Any]) -> str:
    cpus, quota = value(machine, "allowed_cpus"), value(machine, "cgroup", "cpu_quota")
    if cpus is None:
        return "unknown"
    where = f"processor{'s' if len(cpus) != 1 else ''} {format_cpu_list(cpus)}"
    return f"{where}; {'no quota' if quota is None else f'a quota of {quota:g} processors'}"


def _system(machine: dict[str, Any]) -> str:
    parts = (value(machine, "operating_system"), value(machine, "kernel"))
    container = "in a container" if machine.get("container") else None
    return ", ".join(str(part) for part in (*parts, container) if part)


def _software(machine: dict[str, Any]) -> str:
    names = ("python", "libc", "torch", "numpy", "onnxruntime", "openvino")
    found = [(name, value(machine, "versions", name)) for name in names]
    return ", ".join(text if name == "libc" else f"{name} {text}" for name, text in found if text)


def _natively(machine: dict[str, Any]) -> list[tuple[str, str]]:
    """Each precision, with the instructions that multiply it."""
    native, flags = value(machine, "native_precisions"), value(machine, "cpu", "flags")
    if native is None:
        return [("fp32", "yes"), ("others", "unknown: the processor does not tell")]
    lines = [("fp32", "yes")]
    for name, instructions in NATIVE_FLAGS.items():
        by = ", ".join(flag for flag in flags or [] if flag in instructions)
        how = f"yes, by {by}" if name in native else "no, emulated and slow"
        if name == "int8" and lacks_vnni(flags or []):
            how += ", without VNNI: less gain"
        lines.append((name, how))
    return lines


def _plural(count: int, name: str) -> str:
    return f"{count} {name}{'s' if count != 1 else ''}"


def _gib(mebibytes: int) -> str:
    return f"{mebibytes / 1024:.1f} GiB"
