"""ro-crate-metadata.json: a Provenance Run Crate 0.5 (over RO-Crate 1.1) of a certified run.

https://w3id.org/ro/wfrun/provenance/0.5; the Snakefile is the workflow, a rule a step, a command a
tool, a job an action. Ids of actions follow from the run's chain and the step's id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bertsquad.certificate.crate.actions import ENGINE_RUN, add_job, add_run, add_workflow
from bertsquad.certificate.crate.entities import (
    Sources,
    file_entity,
    input_entity,
    left_out_entity,
    licence_entity,
)
from bertsquad.certificate.crate.graph import METADATA, TERMS, WORKFLOW, Entity, Facts, Graph, ref
from bertsquad.certificate.crate.payload import CODE, RESULTS, LeftOut
from bertsquad.certificate.schema import Certificate

PREVIEW = "ro-crate-preview.html"
ATTESTATION = "attestation.json"
_CRATE = "https://w3id.org/ro/crate/1.1"
_RUN = "https://w3id.org/ro/wfrun"
_WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who made the run, as they wish to be named."""

    name: str = "whoever made this run, who gave no name"
    orcid: str | None = None  # an address
    affiliation: str | None = None
    affiliation_url: str | None = None


def metadata(
    certificate: Certificate,
    payload: Mapping[str, Facts],
    left_out: Iterable[LeftOut],
    elsewhere: Mapping[str, str],
    pinned: Mapping[str, str],
    *,
    agent: Agent,
    published: str,
) -> Entity:
    """The whole document.

    `payload` are the files of data/ by name, but for this document; those without a SHA-256 come
    after it. `elsewhere` has the payload's names of files of the certificate that are not in
    results/, `pinned` the versions of packages that the code asks for. `published` is an ISO 8601
    date.
    """
    graph = Graph(elsewhere, pinned)
    who = _add_agent(graph, agent)
    sources = Sources.of(certificate)
    for name, source in certificate["inputs"].items():
        graph.add(input_entity(name, source))
    for each in left_out:
        graph.add(left_out_entity(each, certificate))
    for name, facts in payload.items():
        if not name.startswith(CODE):
            graph.add(file_entity(name, facts, sources))
    add_workflow(graph, certificate, payload)
    actions = [add_job(graph, step, certificate, who) for step in certificate["steps"]]
    run = add_run(graph, certificate, who)
    _add_parts(graph, payload)
    licences = dict.fromkeys(["Apache-2.0", *sources.licences])
    for licence in {source["license"] for source in certificate["inputs"].values()} - {None}:
        graph.add(licence_entity(str(licence)))
    graph.add(
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"bertsquad run {certificate['chain_sha256'][:8]}",
            "description": _description(certificate, sources.credit),
            "datePublished": published,
            "license": [graph.add(licence_entity(name)) for name in licences],
            "author": who,
            "publisher": who,
            "mainEntity": {"@id": WORKFLOW},
            "conformsTo": [graph.add(each) for each in _profiles()],
            "hasPart": [{"@id": CODE}, {"@id": RESULTS}]
            + [ref(n) for n in sorted(payload) if not n.startswith((CODE, RESULTS))],
            "mentions": [run, *actions, {"@id": ENGINE_RUN}],
            "identifier": certificate["chain_sha256"],
        }
    )
    graph.add(
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": [{"@id": _CRATE}, {"@id": _WORKFLOW_CRATE}],
        }
    )
    ordered = [graph.entities[key] for key in sorted(graph.entities, key=_place)]
    return {"@context": [f"{_CRATE}/context", f"{TERMS}/context"], "@graph": ordered}


def _place(key: str) -> tuple[int, str]:
    """The descriptor first, then the root, then the rest by id."""
    return ({METADATA: 0, "./": 1}.get(key, 2), key)


def _description(certificate: Certificate, credit: str) -> str:
    steps, scores = len(certificate["steps"]), len(certificate["scores"])
    return (
        f"A run of the workflow bertsquad: {steps} steps, {scores} scored models, code, "
        f"configuration and results.{' ' + credit if credit else ''}"
    )


def _profiles() -> list[Entity]:
    named = {"process": "Process", "workflow": "Workflow", "provenance": "Provenance"}
    profiles = [
        {
            "@id": f"{_RUN}/{key}/0.5",
            "@type": "CreativeWork",
            "name": f"{name} Run Crate",
            "version": "0.5",
        }
        for key, name in named.items()
    ]
    of_workflows = {"@type": "CreativeWork", "name": "Workflow RO-Crate", "version": "1.0"}
    return [*profiles, {"@id": _WORKFLOW_CRATE, **of_workflows}]


def _add_agent(graph: Graph, agent: Agent) -> Entity:
    """A person where an affiliation or ORCID says so, else an organization of this name."""
    if not (agent.orcid or agent.affiliation):
        return graph.add({"@id": "#agent", "@type": "Organization", "name": agent.name})
    group = None
    if agent.affiliation:
        group = graph.add(
            {
                "@id": agent.affiliation_url or "#affiliation",
                "@type": "Organization",
                "name": agent.affiliation,
                "url": agent.affiliation_url,
            }
        )
    person = {"@type": "Person", "name": agent.name, "affiliation": group}
    return graph.add({"@id": agent.orcid or "#agent", **person})


def _add_parts(graph: Graph, payload: Mapping[str, Facts]) -> None:
    """The two folders."""
    of_code = [key for key in graph.entities if key.startswith(CODE) and "#" not in key]
    results = [ref(name) for name in sorted(payload) if name.startswith(RESULTS)]
    graph.add(
        {
            "@id": CODE,
            "@type": "Dataset",
            "name": "The code of the run",
            "description": "The whole repository; the commands that ran are listed",
            "license": {"@id": "https://spdx.org/licenses/Apache-2.0"},
            "hasPart": [{"@id": key} for key in sorted(of_code)],
        }
    )
    graph.add(
        {
            "@id": RESULTS,
            "@type": "Dataset",
            "name": "The results folder",
            "description": "All that the run made, but for resources and what is too large",
            "hasPart": results,
        }
    )
