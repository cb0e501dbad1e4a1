"""Which folders a container must see, each at the path it has outside."""

import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from bertsquad.console.errors import UserError
from bertsquad.containers.environment import certificate_files

# An image has its own; a folder of the host in their place would leave no system to run.
_OF_THE_SYSTEM = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin"),
    *("/sys", "/usr"),
)


def folders_to_mount(
    working_directory: Path,
    repository: Path,
    others: Iterable[str | os.PathLike[str]],
    temporary: Iterable[str | os.PathLike[str]] = (),
) -> list[Path]:
    """Absolute folders, none inside another, that hold everything a step reads or writes.

    One of `others` that does not exist yet brings the folder it will be made in. A folder that is,
    or directly contains, a link to elsewhere (results on another disk) brings what the link leads
    to. Folders of the system are left out: the image has its own.
    """
    wanted: dict[Path, None] = {}
    for folder in (working_directory, repository, *others):
        wanted |= dict.fromkeys(_with_link_targets(_nearest_existing(Path(folder).absolute())))
    for folder in temporary:
        wanted |= dict.fromkeys((Path(folder).absolute(), Path(folder).resolve()))
    present = [path for path in wanted if path.exists() and not _of_the_system(path)]
    return [
        path
        for path in sorted(present)
        if not any(path != other and path.is_relative_to(other) for other in present)
    ]


def bind_variables(
    environment: Mapping[str, str],
    working_directory: Path,
    repository: Path,
    others: Iterable[str | os.PathLike[str]],
) -> dict[str, str]:
    """The folders as variables: BERTSQUAD_MOUNTS for scripts/docker_shell.py, and APPTAINER_BIND,
    which Apptainer reads itself, with what the user has put there.

    Apptainer has no way to write a path with a comma or a colon.
    """
    folders = folders_to_mount(working_directory, repository, others)
    temporary = Path(tempfile.gettempdir())
    certificates = [path for path in certificate_files(environment) if Path(path).is_file()]
    bound = [str(path) for path in (*folders, temporary) if path.exists()] + certificates
    given = environment.get("APPTAINER_BIND", "").split(",")
    usable = [path for path in bound if not {",", ":"} & set(path)]
    return {
        "BERTSQUAD_MOUNTS": folder_list(folders),
        "APPTAINER_BIND": ",".join(dict.fromkeys(filter(None, [*given, *usable]))),
    }


def folder_list(folders: Iterable[str | os.PathLike[str]]) -> str:
    """Folders as the text of a variable: JSON, since a path may hold a colon."""
    return json.dumps([str(folder) for folder in folders])


def read_folder_list(text: str) -> list[str]:
    """The folders of such a text, or of one that joins them with colons, as people write it."""
    if text.startswith("["):
        found = json.loads(text)
        return [str(folder) for folder in found]
    return [part for part in text.split(":") if part]


def check_apptainer(folders: Iterable[str | os.PathLike[str]]) -> None:
    """`UserError` for a folder that Apptainer cannot be told to mount."""
    for folder in map(str, folders):
        if {",", ":"} & set(folder):
            raise UserError(
                f"{folder}: Apptainer cannot mount a folder with a comma or a colon in its path; "
                "rename it, or work in another one"
            )


def check_place(folder: Path) -> None:
    """`UserError` for a folder that must be mounted and would hide the image's own system."""
    if _of_the_system(folder):
        raise UserError(
            f"{folder}: a container cannot have this folder of the system at its own path; work in "
            "another folder, for example below your home"
        )


def _nearest_existing(path: Path) -> Path:
    """The path itself, or the innermost folder above it that exists."""
    return next(each for each in (path, *path.parents) if each.exists())


def _with_link_targets(folder: Path) -> list[Path]:
    """The folder, where it really is, and where the links directly in it lead."""
    found = [folder, folder.resolve()]
    if folder.is_dir():
        for entry in os.scandir(folder):
            target = Path(entry.path).resolve() if entry.is_symlink() else folder
            # A link to a file needs that file alone, not the whole folder it is in.
            if not target.is_relative_to(folder.resolve()):
                found.append(target)
    return found


def _of_the_system(path: Path) -> bool:
    """Whether the path is the root, or belongs to the image's own system."""
    return path == Path("/") or any(path.is_relative_to(part) for part in _OF_THE_SYSTEM)
