"""The order in which Snakemake takes the benchmark's cells."""

import re


def planned(fresh, *options: str) -> list[tuple[int, int, str]]:
    """Priority, repeat and output of every cell that is to be measured."""
    done = fresh.snakemake("-n", "timings", *options)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    found = []
    for job in re.split(r"^\[", told, flags=re.M):
        if "rule benchmark_inference:" not in job:
            continue
        output = re.search(r"^    output: (\S+)$", job, re.M)[1]
        priority = int(re.search(r"^    priority: (-?\d+)$", job, re.M)[1])
        found.append((priority, int(re.search(r"repeat(\d+)", output)[1]), output))
    return sorted(found, reverse=True)


def test_cells_come_at_random_one_repeat_after_the_other_and_after_all_else(fresh):
    cells = planned(fresh, "--config", 'benchmark={"repeats": 3, "batch_sizes": [1, 32]}')
    assert [priority for priority, *_ in cells] == list(range(-10, -10 - 90, -1))
    assert [repeat for _, repeat, _ in cells] == [1] * 30 + [2] * 30 + [3] * 30
    names = [output.rpartition("-repeat")[0] for *_, output in cells]
    orders = [names[start : start + 30] for start in (0, 30, 60)]
    assert orders[0] != sorted(orders[0])
    assert orders[0] != orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(orders[2])


def test_another_seed_is_another_order_of_the_same_cells(fresh):
    cells = planned(fresh)
    others = planned(fresh, "--config", 'benchmark={"order_seed": 1, "batch_sizes": [1, 32]}')
    assert [c[2] for c in cells] != [c[2] for c in others]
    assert sorted(c[2] for c in cells) == sorted(c[2] for c in others)
