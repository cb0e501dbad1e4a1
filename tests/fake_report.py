"""A report made of made-up results, and what a test reads of it."""

import re
from html.parser import HTMLParser

from bertsquad.reporting import gallery, style
from bertsquad.reporting.figures import (
    accuracy,
    latency,
    lengths,
    offline,
    throughput,
    tradeoff,
    training_loss,
)
from bertsquad.reporting.page.render import render as render_page
from bertsquad.reporting.summary import tables, training_log
from bertsquad.reporting.summary.comparisons import read_change
from bertsquad.reporting.summary.summary import Summary
from fake_results import CHECKSUMS, MACHINE, config

VOID = {"meta", "br", "link", "img", "input", "hr"}


class Page(HTMLParser):
    """The page's elements, text, ids and references; `broken` names tags closed out of order."""

    def __init__(self, html):
        super().__init__()
        self.open, self.broken, self.ids, self.loads, self.links = [], [], [], [], []
        self.tags, self.words = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            elif name == "href" and tag == "a":
                self.links.append(value)
            elif name in ("src", "srcset", "href", "xlink:href", "action", "data", "poster"):
                self.loads.append(value)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))


def draw(results, folder):
    """All figures of some results."""
    table = tables.summarize(
        results.metrics, results.cells, results.logs, comparisons=results.comparisons
    )
    summary = Summary(table)
    logs = {
        training_log.run_of_log(path): training_log.read_training_log(path) for path in results.logs
    }
    jobs = {
        "accuracy": (accuracy, summary),
        "throughput": (throughput, summary),
        "latency": (latency, summary),
        "offline": (offline, summary),
        "tradeoff": (tradeoff, summary),
        "training_loss": (training_loss, logs),
        "lengths": (lengths, results.features),
    }
    with style.styled():
        for name, (module, data) in jobs.items():
            drawing = module.draw(data)
            facts = {} if isinstance(drawing, str) else gallery.facts_of(module, summary)
            style.save(drawing, folder / f"{name}.svg", module.TITLE, facts)
    return {name: folder / f"{name}.svg" for name in jobs}


def render(results, *, figures=None, settings=None, machine=MACHINE, **options):
    """The page of some results; without `figures` it has none, which is faster."""
    settings = settings or config()
    table = tables.summarize(
        results.metrics,
        results.cells,
        results.logs,
        settings,
        comparisons=results.comparisons,
    )
    return render_page(
        Summary(table),
        figures=figures or {},
        machine=machine,
        config=settings,
        inputs=CHECKSUMS,
        changes=[read_change(path) for path in results.comparisons],
        **options,
    )
