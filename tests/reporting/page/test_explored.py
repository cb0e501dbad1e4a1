"""What the report says of a race of layouts."""

import pytest

from bertsquad.console.errors import UserError
from bertsquad.planner.explored import Explored
from bertsquad.reporting.page.explored import explored_facts, raced
from fake_report import Page, render
from fake_results import demo
from made_race import CONFIRMED, race_data


def found(**changes) -> Explored:
    return Explored("results/explore/demo.json", race_data(**changes))


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_the_winner_has_its_rate_its_ends_and_its_f1():
    told = raced(found())
    assert told.winner == (
        "torch bf16 2x1x1 carries 41.5 questions a second with p99 within 130 ms (40.0 to 43.0 by "
        "90 % of resampled services), F1 87.96 %."
    )
    assert told.race == "3 cells raced for 2.5 of 10.0 minutes: one is left."
    assert told.confirmed == (
        "Confirmed: as a server at 50 requests/s it had p99 118 ms of 1,012 requests (predicted "
        "100 to 128), within the SLO of 130 ms."
    )


def test_what_was_not_confirmed_and_an_slo_of_its_own_are_said():
    late = CONFIRMED | {"status": "beyond", "measured_ms": 140.0}
    told = raced(found(confirmed=late, slo_given=False))
    assert told.confirmed.startswith("Not confirmed: as a server at 50 requests/s it had p99 140")
    assert told.race.endswith("one is left; plan.slo.ms is not set, so it is five median services.")


def test_every_cell_has_a_row_and_every_round_those_that_went_on():
    told = raced(found())
    assert texts(told.cells) == [
        ["torch bf16 2x1x1", "41.5", "40.0", "43.0", "87.96", "3", "70", "kept for the plan"],
        [
            *("torch fp32 1x1x2", "20.0", "19.0", "21.0", "88.00", "1", "10"),
            "dropped after 10 s: at most 21/s, best at least 40",
        ],
        ["openvino int8 1x1x2", "–", "–", "–", "–", "0", "0", "the processor has no int8"],
    ]
    assert texts(told.rounds) == [
        ["1", "10.0", "3", "2", "torch bf16 2x1x1, torch bf16 1x1x2"],
        ["2", "20.0", "2", "1", "torch bf16 2x1x1"],
    ]


def test_a_disturbed_winner_is_marked():
    rows = [race_data()["raced"][0] | {"disturbed_by": "busy 1.4 CPUs"}]
    told = raced(found(raced=rows))
    assert told.cells.marks == ["disturbed"]
    assert texts(told.cells)[0][-1] == "kept, but disturbed: busy 1.4 CPUs"


def test_a_race_of_before_rounds_were_kept_has_no_table_of_them():
    data = race_data()
    for name in ("history", "confirmed", "f1"):
        del data[name]
    told = raced(Explored("demo.json", data))
    assert (told.rounds, told.confirmed) == (None, "")
    assert told.winner.endswith("F1 not scored.")


def test_the_command_that_plans_from_it_is_that_of_the_report():
    facts = explored_facts([found()], "cp a.json b.json\nsnakemake --cores 4 --configfile b.json")
    assert facts["plan_command"] == (
        "cp a.json b.json && snakemake --cores 4 plan --configfile b.json"
    )


def test_another_shape_is_one_line_that_names_the_file():
    with pytest.raises(UserError, match=r"results/explore/demo\.json: not as this version writes"):
        raced(found(raced=[{}]))


def test_the_section_is_there_only_where_something_was_raced(tmp_path):
    results = demo(tmp_path)
    page = Page(render(results, explored=[found()]))
    assert (page.broken, "#explored" in page.links, "explored" in page.ids) == ([], True, True)
    assert "Which layout" in page.text
    assert "snakemake --cores all plan" in page.text
    assert "explored" not in Page(render(results)).ids
