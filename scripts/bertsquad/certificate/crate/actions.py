"""The workflow of a crate: its steps and commands, what each job did, and the run as a whole."""

from collections.abc import Mapping
from urllib.parse import quote

from bertsquad.certificate.crate.entities import licence_entity, media_type
from bertsquad.certificate.crate.graph import (
    TERMS,
    WORKFLOW,
    Entity,
    Facts,
    Graph,
    identifier,
    iso,
    last_end,
    ref,
)
from bertsquad.certificate.crate.payload import CODE
from bertsquad.certificate.schema import Certificate, Step

_LANGUAGE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
_BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_SNAKEMAKE = "https://snakemake.github.io"
_BY_CONTENT = "https://identifiers.org/swh:1:cnt:"  # Software Heritage's, of a file
_DONE = "http://schema.org/CompletedActionStatus"
ENGINE_RUN = "#engine-run"


def add_workflow(graph: Graph, certificate: Certificate, payload: Mapping[str, Facts]) -> None:
    """The Snakefile with a step for each rule and a tool for each command."""
    version = certificate["project"]["version"] or "unknown"
    language = {
        "@id": _LANGUAGE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": "https://doi.org/10.12688/f1000research.29032.2",
        "url": _SNAKEMAKE,
        "version": _version_of_snakemake(certificate, graph),
    }
    steps: list[Entity] = []
    tools: list[Entity] = []
    for rule in dict.fromkeys(step["rule"] for step in certificate["steps"]):
        tool = _add_tool(graph, rule, certificate, payload, version)
        tools.append(tool)
        steps.append(
            graph.add(
                {
                    "@id": f"{WORKFLOW}#{quote(rule)}",
                    "@type": "HowToStep",
                    "name": rule,
                    "position": str(len(steps) + 1),
                    "workExample": tool,
                }
            )
        )
    graph.add(
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "bertsquad",
            "description": "Fine-tune, score and time BERT on SQuAD",
            "url": {"@id": "README.md"},
            "version": version,
            "conformsTo": graph.add(
                {
                    "@id": _BIOSCHEMAS,
                    "@type": "CreativeWork",
                    "name": "Bioschemas ComputationalWorkflow",
                    "version": "1.0",
                }
            ),
            "programmingLanguage": graph.add(language),
            "license": graph.add(licence_entity("Apache-2.0")),
            "encodingFormat": "text/plain",
            "hasPart": list({tool["@id"]: tool for tool in tools}.values()),
            "step": steps,
            **_hashes(payload.get(WORKFLOW)),
        }
    )


def _version_of_snakemake(certificate: Certificate, graph: Graph) -> str:
    """As recorded, else as the code pins it."""
    recorded = certificate["environment"]["packages"].get("snakemake")
    return recorded or graph.pinned.get("snakemake", "unknown")


def _hashes(facts: Facts | None) -> Entity:
    return {} if facts is None else {"sha256": facts.sha256, "contentSize": str(facts.bytes)}


def _script_of(rule: str, certificate: Certificate) -> str | None:
    """The command of a rule, from the code that its steps recorded."""
    for step in certificate["steps"]:
        modules = certificate["code"].get(step["code_sha256"] or "", {})
        own = [name for name in modules if "/" not in name]
        if step["rule"] == rule and own:
            return min(own, key=lambda name: (name != f"{rule}.py", name))
    return None


def _add_tool(
    graph: Graph,
    rule: str,
    certificate: Certificate,
    payload: Mapping[str, Facts],
    version: str,
) -> Entity:
    """The command that a rule runs: a file of the code, or by the rule's name where nothing was
    recorded of it."""
    script = f"{CODE}scripts/{_script_of(rule, certificate) or rule + '.py'}"
    facts = payload.get(script)
    if facts is None:
        return graph.add(
            {
                "@id": f"urn:bertsquad:rule:{quote(rule)}",
                "@type": "SoftwareApplication",
                "name": rule,
                "softwareVersion": version,
                "url": WORKFLOW,
            }
        )
    graph.add(
        {
            "@id": quote(script),
            "@type": "File",
            "name": script.rpartition("/")[2],
            "encodingFormat": media_type(script),
            **_hashes(facts),
        }
    )
    return graph.add(
        {
            # An intrinsic identifier: it follows from the content, and leads to where it is kept.
            "@id": f"{_BY_CONTENT}{facts.blob}",
            "@type": "SoftwareSourceCode",
            "name": script.removeprefix(CODE),
            "version": version,
            "programmingLanguage": "Python",
            "license": graph.add(licence_entity("Apache-2.0")),
            "url": ref(script),
        }
    )


def add_job(
    graph: Graph,
    step: Step,
    certificate: Certificate,
    who: Entity,
) -> Entity:
    """A job and what controlled it; a reference to the job."""
    how = graph.entities[f"{WORKFLOW}#{quote(step['rule'])}"]
    tool = how["workExample"]
    image = _add_image(graph, certificate)
    options = [text for text in step["params"].values() if text.startswith("--")]
    command = " ".join(["python", graph.entities[tool["@id"]]["name"], *options])
    action = graph.add(
        {
            "@id": identifier(certificate, f"job {step['id']}"),
            "@type": "CreateAction",
            "name": step["id"],
            "description": command,
            "instrument": tool,
            "agent": who,
            "object": [graph.used(name) for name in sorted(step["inputs"])],
            "result": [graph.used(name) for name in sorted(step["outputs"])],
            "startTime": iso(step["started"]),
            "endTime": iso(step["ended"]),
            "actionStatus": _DONE,
            "containerImage": image,
        }
    )
    graph.add(
        {
            "@id": identifier(certificate, f"control {step['id']}"),
            "@type": "ControlAction",
            "name": f"start {step['id']}",
            "instrument": {"@id": how["@id"]},
            "object": action,
        }
    )
    return action


def _add_image(graph: Graph, certificate: Certificate) -> Entity | None:
    """The container that steps ran in."""
    image = certificate["environment"]["container"]
    if not image or not isinstance(image.get("image"), str):
        return None
    registry, _, name = image["image"].rpartition("/")
    apptainer = image.get("engine") == "apptainer"
    digest = str(image.get("image_sha256") if apptainer else image.get("image_id"))
    return graph.add(
        {
            "@id": "#image",
            "@type": "ContainerImage",
            "additionalType": {"@id": f"{TERMS}#{'SIFImage' if apptainer else 'DockerImage'}"},
            "registry": registry or "none: built on this machine",
            "name": name,
            "sha256": digest.removeprefix("sha256:"),
        }
    )


def add_run(graph: Graph, certificate: Certificate, who: Entity) -> Entity:
    """The run as one action of the workflow, and Snakemake's part in it."""
    steps = certificate["steps"]
    made = {name for step in steps for name in step["outputs"]}
    used = {name for step in steps for name in step["inputs"]}
    run = graph.add(
        {
            "@id": identifier(certificate, "run"),
            "@type": "CreateAction",
            "name": f"Run of bertsquad, {certificate['chain_sha256'][:8]}",
            "description": certificate["command"] or "snakemake",
            "instrument": {"@id": WORKFLOW},
            "agent": who,
            "object": [graph.used(name) for name in sorted(used - made)],
            "result": [graph.used(name) for name in sorted(made)],
            "startTime": iso(min((s["started"] for s in steps if s["started"]), default=None)),
            "endTime": iso(last_end(certificate)),
            "actionStatus": _DONE,
        }
    )
    engine = {
        "@id": _SNAKEMAKE,
        "@type": "SoftwareApplication",
        "name": "Snakemake",
        "softwareVersion": _version_of_snakemake(certificate, graph),
        "url": _SNAKEMAKE,
    }
    control = [{"@id": identifier(certificate, f"control {step['id']}")} for step in steps]
    graph.add(
        {
            "@id": ENGINE_RUN,
            "@type": "OrganizeAction",
            "name": "Snakemake's run",
            "instrument": graph.add(engine),
            "object": control,
            "result": run,
        }
    )
    return run
