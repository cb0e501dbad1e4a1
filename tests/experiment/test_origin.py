"""Which code made something: version, commit, and what no commit holds."""

import subprocess

import pytest

from bertsquad.experiment.origin import origin


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit."""
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1.2.3"\n')
    (folder / "scripts" / "run.py").write_text("pass\n")
    (folder / "README.md").write_text("Read me.\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    git(folder, *who, "commit", "--quiet", "--message", "first")
    return folder


def git(folder, *arguments):
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, check=True)
    return done.stdout.decode()


def test_a_clean_checkout_is_its_version_and_commit(repository):
    found = origin(repository)
    assert found.version == "1.2.3"
    assert found.commit == git(repository, "rev-parse", "HEAD").strip()
    assert (found.changed, found.unknown) == ((), "")


def test_what_no_commit_holds_is_named_where_it_decides_results(repository):
    (repository / "scripts" / "run.py").write_text("print()\n")
    (repository / "scripts" / "néw one.py").write_text("pass\n")
    (repository / "README.md").write_text("Changed.\n")
    assert origin(repository).changed == ("scripts/néw one.py", "scripts/run.py")


def test_a_renamed_file_is_named_once(repository):
    git(repository, "mv", "scripts/run.py", "scripts/ran.py")
    assert origin(repository).changed == ("scripts/ran.py",)


def test_a_folder_inside_a_repository_is_not_that_repository(repository):
    inside = repository / "copies" / "bertsquad"
    inside.mkdir(parents=True)
    found = origin(inside)
    assert (found.version, found.commit) == ("", "")
    assert found.unknown == "these files are not a git repository"


def test_without_git_the_version_is_told_and_the_reason(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = origin(repository)
    assert (found.version, found.commit) == ("1.2.3", "")
    assert found.unknown == "git is not installed here"


def test_a_damaged_repository_is_no_error(repository):
    (repository / ".git" / "HEAD").write_text("nonsense")
    assert origin(repository).unknown == "git does not tell: it failed"
