"""Settings of the operating system that change a measurement."""

import pytest

from bertsquad.machine.kernel import (
    frequency_governor,
    measurement_environment,
    operating_system,
    selected_word,
    transparent_huge_pages,
    turbo,
)
from machine.trees import write

CPU = "sys/devices/system/cpu"


def test_the_chosen_word_is_the_one_in_brackets():
    assert selected_word("always [madvise] never\n") == "madvise"


def test_no_chosen_word_is_an_error():
    with pytest.raises(ValueError, match="no choice is marked"):
        selected_word("always madvise never")


def test_transparent_huge_pages(tmp_path):
    files = {"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"}
    assert transparent_huge_pages(write(tmp_path, files)) == "always"


def test_one_governor_for_all(tmp_path):
    files = {f"{CPU}/cpu{n}/cpufreq/scaling_governor": "performance\n" for n in range(4)}
    assert frequency_governor(write(tmp_path, files)) == "performance"


def test_governors_that_differ_are_all_named(tmp_path):
    files = {
        f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n",
        f"{CPU}/cpu1/cpufreq/scaling_governor": "performance\n",
    }
    assert frequency_governor(write(tmp_path, files)) == "performance, powersave"


def test_a_hidden_governor_says_why(tmp_path):
    with pytest.raises(LookupError, match="virtual machines and containers hide it"):
        frequency_governor(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "on"),
    [
        ("intel_pstate/no_turbo", "0\n", True),
        ("intel_pstate/no_turbo", "1\n", False),
        ("cpufreq/boost", "1\n", True),
        ("cpufreq/boost", "0\n", False),
    ],
)
def test_turbo_of_intel_and_others(tmp_path, name, text, on):
    assert turbo(write(tmp_path, {f"{CPU}/{name}": text})) is on


def test_the_distribution_by_its_own_name(tmp_path):
    files = {"etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'}
    assert operating_system(write(tmp_path, files)) == "Debian GNU/Linux 12 (bookworm)"


def test_a_system_without_os_release_has_a_name_anyway(tmp_path):
    assert operating_system(tmp_path)


def test_only_variables_that_are_set_and_matter():
    environment = {"OMP_NUM_THREADS": "2", "LD_PRELOAD": "libtcmalloc.so", "HOME": "/root"}
    assert measurement_environment(environment) == {
        "OMP_NUM_THREADS": "2",
        "LD_PRELOAD": "libtcmalloc.so",
    }
