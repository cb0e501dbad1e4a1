"""sources.py: a command is itself and every local module it imports."""

import ast
from pathlib import Path

import pytest

from bertsquad.experiment.sources import (
    NEVER_DECIDES_RESULTS,
    _imported_names,
    local_sources,
)

ROOT = Path(__file__).resolve().parents[2]


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def names(folder: Path, script: str) -> list[str]:
    return [str(path.relative_to(folder)) for path in local_sources(folder / script)]


def test_imports_are_followed_through_packages_functions_and_each_other(tmp_path: Path):
    write(
        tmp_path,
        {
            "go.py": "import os, json\ndef main():\n    from lib.a import work\n",
            "lib/__init__.py": "",
            "lib/a.py": "from lib import b\nimport numpy\n",
            "lib/b.py": "import lib.sub.c\n",
            "lib/sub/__init__.py": "",
            "lib/sub/c.py": "from lib.a import work\n",
            "lib/unused.py": "",
        },
    )
    assert names(tmp_path, "go.py") == [
        "go.py",
        "lib/__init__.py",
        "lib/a.py",
        "lib/b.py",
        "lib/sub/__init__.py",
        "lib/sub/c.py",
    ]


def test_a_package_counts_with_the_c_files_beside_it(tmp_path: Path):
    write(
        tmp_path,
        {
            "go.py": "from lib.kernels import table\n",
            "other.py": "from lib import other\n",
            "lib/__init__.py": "",
            "lib/other.py": "",
            "lib/kernels/__init__.py": "",
            "lib/kernels/table.py": "",
            "lib/kernels/add.c": '#include "team.h"\n',
            "lib/kernels/team.h": "",
            "lib/kernels/notes.txt": "",
        },
    )
    assert names(tmp_path, "go.py") == [
        "go.py",
        "lib/__init__.py",
        "lib/kernels/__init__.py",
        "lib/kernels/add.c",
        "lib/kernels/table.py",
        "lib/kernels/team.h",
    ]
    assert names(tmp_path, "other.py") == ["other.py", "lib/__init__.py", "lib/other.py"]


def test_imports_are_found_in_every_kind_of_block(tmp_path: Path):
    blocks = """
try:
    import a
except ImportError:
    import b
else:
    import c
finally:
    import d
match a:
    case 1:
        import e
    case _:
        with a:
            class F:
                async def f():
                    for x in a:
                        while x:
                            if x: import f
                            elif a: import g
                            else: import h
"""
    write(tmp_path, {"go.py": blocks, **{f"{name}.py": "" for name in "abcdefgh"}})
    assert names(tmp_path, "go.py") == ["go.py", *(f"{name}.py" for name in "abcdefgh")]


def test_a_script_without_local_imports_is_alone(tmp_path: Path):
    write(tmp_path, {"go.py": "import sys\n", "sys_helper.py": ""})
    assert names(tmp_path, "go.py") == ["go.py"]


def test_plotting_never_retrains():
    plot = names(ROOT / "scripts", "plot.py")
    train = names(ROOT / "scripts", "finetune.py")
    assert "bertsquad/training/loop.py" in train
    assert not {
        "bertsquad/training/loop.py",
        "bertsquad/model/bert.py",
        "bertsquad/answers/metrics.py",
    } & set(plot)
    assert not [name for name in train if "reporting" in name or "metrics" in name]


def test_a_folder_left_out_takes_along_what_only_it_imports(tmp_path: Path):
    write(
        tmp_path,
        {
            "go.py": "import lib.pace.cores\nimport lib.work\n",
            "lib/__init__.py": "",
            "lib/work.py": "import lib.both\n",
            "lib/both.py": "",
            "lib/alone.py": "",
            "lib/pace/__init__.py": "",
            "lib/pace/cores.py": "import lib.alone, lib.both\n",
        },
    )
    sources = local_sources(tmp_path / "go.py", without=("lib/pace",))
    assert [str(path.relative_to(tmp_path)) for path in sources] == [
        "go.py",
        "lib/__init__.py",
        "lib/both.py",
        "lib/work.py",
    ]


@pytest.mark.parametrize("script", ["finetune.py", "quantize.py", "compute_logits.py"])
def test_what_people_read_and_the_choice_of_threads_are_not_tracked(script: str):
    whole = local_sources(ROOT / "scripts" / script)
    tracked = local_sources(ROOT / "scripts" / script, without=NEVER_DECIDES_RESULTS)
    left_out = {path.parent.name for path in set(whole) - set(tracked)} - {"experiment"}
    assert left_out == {"console", "machine"}


def test_only_through_them_nothing_else_is_left_out():
    """Code that decides a result must not hide behind a folder that is not tracked."""
    library = ROOT / "scripts/bertsquad"
    untracked = [ROOT / "scripts" / name for name in NEVER_DECIDES_RESULTS]
    shared = {library / "__init__.py", library / "files.py"}  # which every command tracks
    files = [file for path in untracked for file in ([path] if path.is_file() else path.glob("*"))]
    for path in (file for file in files if file.suffix == ".py"):
        reached = local_sources(path, folder=ROOT / "scripts")
        assert all(
            file in shared or any(file.is_relative_to(folder) for folder in untracked)
            for file in reached
        ), path
    for script in ("finetune.py", "quantize.py", "compute_logits.py", "featurize.py"):
        assert shared <= set(
            local_sources(ROOT / "scripts" / script, without=NEVER_DECIDES_RESULTS)
        )


def test_c_files_beside_a_module_are_part_of_it(tmp_path: Path):
    write(
        tmp_path,
        {
            "go.py": "import fast\n",
            "fast/__init__.py": "",
            "fast/sum.c": "",
            "fast/sum.h": "",
            "fast/notes.txt": "",
            "slow/product.c": "",
        },
    )
    sources = local_sources(tmp_path / "go.py")
    assert [str(path.relative_to(tmp_path)) for path in sources] == [
        "go.py",
        "fast/__init__.py",
        "fast/sum.c",
        "fast/sum.h",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a, b\n", ["a.py", "b.py"]),
        ("if True: import a\n", ["a.py"]),
        ("x = 1; import a\n", ["a.py"]),
        ("from a import x; import b\n", ["a.py", "b.py"]),
        ("import \\\n    a\n", ["a.py"]),
        ("from lib import (\n    one as x,  # one\n    two,\n)\n", ["lib/one.py", "lib/two.py"]),
        ("from lib import one as x, two\n", ["lib/one.py", "lib/two.py"]),
        ("import a as x  # import b\n", ["a.py"]),
        ("import a\r\nimport b\r\n", ["a.py", "b.py"]),
        ('"""\nimport a\n"""\nimport b\n', ["b.py"]),
        ("x = '''\nimport a\n'''\nimport b\n", ["b.py"]),
        ('x = \'"""\'\nimport b\n', ["b.py"]),
        ("import a\n" + "# from" + " x" * 1000 + "!\n", ["a.py"]),
        ("from a import " + "x" * 1000 + "!\n", SyntaxError),
    ],
)
def test_imports_are_found_however_they_are_written(tmp_path: Path, text: str, expected):
    files = {"go.py": text, "a.py": "", "b.py": "", "lib/one.py": "", "lib/two.py": ""}
    write(tmp_path, files)
    if expected is SyntaxError:
        with pytest.raises(SyntaxError):
            names(tmp_path, "go.py")
    else:
        assert names(tmp_path, "go.py") == ["go.py", *expected]


@pytest.mark.parametrize("folder", ["scripts", "tests"])
def test_each_file_of_the_project_is_read_as_python_reads_it(folder: str):
    for path in sorted((ROOT / folder).rglob("*.py")):
        found = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        assert _imported_names(path) == found, path
