"""What an experiment starts from: checkpoints and datasets, downloads and folders of the user's.

Pure, like bertsquad.experiment.files. Paths may hold <pathvars>, which Snakemake spells out.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsquad.artifacts.catalogue import Catalogue, Plan, Source
from bertsquad.artifacts.locations import file_path, is_network
from bertsquad.artifacts.model_folders import ModelFolder
from bertsquad.experiment.options import options

# Where the first download of a file without a known checksum writes it down. Not under results/:
# it belongs to the experiment, and `rm -r results` must not lose it.
_LOCK_FILE = "config/artifacts.lock.json"


@dataclass(frozen=True)
class Inputs:
    """A resolved configuration, the catalogue, and `place`, which spells out <pathvars>."""

    config: dict[str, Any]
    catalogue: Catalogue
    place: Callable[[str], str]
    also: tuple[str, ...] = ()  # artifacts needed besides those of the runs

    def checkpoint_of(self, run: str) -> str:
        """The name of the checkpoint a run starts from."""
        return str(self.config["runs"][run].get("checkpoint", self.config["checkpoint"]))

    def dataset_of(self, run: str) -> str:
        """The name of the dataset a run is trained and scored on."""
        return str(self.config["runs"][run].get("dataset", self.config["dataset"]))

    # What is downloaded

    def artifact_names(self) -> list[str]:
        """Every artifact the experiment needs, each once."""
        names: dict[str, None] = {}
        for run in self.config["runs"]:
            checkpoint = self.checkpoint_of(run)
            if checkpoint not in self.catalogue.folders:
                names |= dict.fromkeys(self.catalogue.checkpoint(checkpoint).artifacts)
            names |= dict.fromkeys(self.catalogue.dataset(self.dataset_of(run)).artifacts)
        return list(names | dict.fromkeys(self.also))

    def download(self, artifact: str) -> str:
        """The path of an artifact once it is downloaded and verified."""
        return self.place(f"<resources>/downloads/{artifact}")

    def downloads(self) -> list[str]:
        """The verified files behind the experiment."""
        return [self.download(name) for name in self.artifact_names()]

    def folders(self) -> list[str]:
        """Folders, perhaps outside the working directory, that steps read or write."""
        entries = map(self.catalogue.artifact, self.artifact_names())
        urls = (url for entry in entries for url in entry.urls if not is_network(url))
        local = [str(file_path(self.place(url)).parent) for url in urls]
        return [
            self.place("<results>"),
            self.place("<resources>"),
            self.config["drop_folder"],
            *local,
            *(self.place(each.path) for each in self.model_folders()),
            *(str(file_path(each.address)) for each in self.model_folders() if each.is_mirrored),
        ]

    def local_source(self, artifact: str) -> list[str]:
        """The file of the workflow's own that an artifact is a copy of, if it is one."""
        return [self.place(str(path)) for path in self.catalogue.artifact(artifact).made_here]

    def identity(self, artifact: str) -> str:
        """What decides an artifact's content, as options: its checksum or, unknown, the lock."""
        entry = self.catalogue.artifact(artifact)
        lock = None if entry.sha256 or entry.made_here else _LOCK_FILE
        return options([("sha256", entry.sha256), ("size", entry.size), ("lock", lock)])

    def download_source(self, artifact: str) -> str:
        """How to get an artifact, as options."""
        urls = [("url", self.place(url)) for url in self.catalogue.artifact(artifact).urls]
        flags = " --offline" if self.config["offline"] else ""
        return options([*urls, ("drop-folder", self.config["drop_folder"])]) + flags

    def announcement(self) -> tuple[str, bool]:
        """What is still to be downloaded ("" if nothing), and whether it can be."""
        plan, drop_folder = self.download_plan(), Path(self.config["drop_folder"])
        if not plan.missing:
            return "", True
        if self.config["offline"]:
            return plan.to_bring(drop_folder), False
        return plan.describe(), True

    def download_plan(self) -> Plan:
        """What must still come over the network."""
        drop_folder = Path(self.config["drop_folder"])
        downloads = Path(self.place("<resources>/downloads"))
        plan = self.catalogue.bytes_to_download(self.artifact_names(), downloads, drop_folder)
        of_hubs = (
            missing
            for each in self.model_folders()
            for missing in each.missing(Path(self.place(each.path)), drop_folder / each.name)
        )
        return Plan((*plan.missing, *of_hubs))

    def inputs(self) -> dict[str, dict[str, str]]:
        """The catalogue's facts about each input, for the report."""
        entries = map(self.catalogue.artifact, self.artifact_names())
        return {
            entry.name: {
                "url": self.place(entry.urls[0]),
                "license": entry.license,
                "citation": entry.citation,
                "description": entry.description,
            }
            for entry in entries
        }

    # What a checkpoint is converted from

    def model_folders(self) -> list[ModelFolder]:
        """The checkpoints of all runs that are folders, each once."""
        names = dict.fromkeys(map(self.checkpoint_of, self.config["runs"]))
        return [self.catalogue.folders[name] for name in names if name in self.catalogue.folders]

    def source_files(self, source: Source) -> list[str]:
        """The files a checkpoint's part is read from: a download, or members of one."""
        if not source.members:
            return [self.download(source.artifact)]
        folder = self.place(f"<resources>/unzipped/{source.artifact}")
        return [f"{folder}/{member}" for member in source.members]

    def checkpoint_files(self, checkpoint: str) -> list[str]:
        """The files that a checkpoint is converted from."""
        if folder := self.catalogue.folders.get(checkpoint):
            return [self.place(path) for path in folder.inputs]
        entry = self.catalogue.checkpoint(checkpoint)
        sources = (entry.weights, entry.config, entry.vocab)
        return [path for source in sources for path in self.source_files(source)]

    def checkpoint_options(self, checkpoint: str) -> str:
        """How a checkpoint is converted, as options: from which files, and what belongs to its
        origin."""
        if folder := self.catalogue.folders.get(checkpoint):
            return _with_accents(
                options([("model", self.place(folder.path)), ("casing", folder.casing)]),
                folder.strip_accents,
            )
        entry = self.catalogue.checkpoint(checkpoint)
        names = ("origin", "layer_norm_eps", "gelu", "casing")
        (config,), (vocab,) = map(self.source_files, (entry.config, entry.vocab))
        weights = self.checkpoint_weights(checkpoint)
        return _with_accents(
            options(
                [
                    *[("weights", weights), ("config", config), ("vocab", vocab)],
                    *((name, getattr(entry, name)) for name in names),
                ]
            ),
            entry.strip_accents,
        )

    def checkpoint_weights(self, checkpoint: str) -> str:
        """A checkpoint's safetensors file, or the prefix of its TensorFlow files."""
        weights = self.catalogue.checkpoint(checkpoint).weights
        if not weights.members:
            return self.download(weights.artifact)
        return self.place(f"<resources>/unzipped/{weights.artifact}/{weights.member}")

    def hub_identity(self, checkpoint: str) -> str:
        """What decides the content of a hub's model, as options."""
        folder = self.catalogue.folders.get(checkpoint)
        return options(folder.fetched_from if folder else [])

    def hub_source(self, checkpoint: str) -> str:
        """How to get a hub's model, as options."""
        drop_folder = Path(self.config["drop_folder"]) / checkpoint
        flags = " --offline" if self.config["offline"] else ""
        address = self.catalogue.folders[checkpoint].address
        pairs = [("address", address), ("lock", _LOCK_FILE), ("drop_folder", drop_folder)]
        return options(pairs) + flags

    def model_inputs(self) -> list[str]:
        """The files of all model folders, as inputs."""
        return [path for each in self.model_folders() for path in self.checkpoint_files(each.name)]

    def models_option(self) -> str:
        """Where the model folders are and what is known of them, as an option for record_inputs."""
        known_of = {e.name: e.facts | {"path": self.place(e.path)} for e in self.model_folders()}
        return options([("models", json.dumps(known_of, sort_keys=True) if known_of else None)])


def _with_accents(found: str, strip_accents: bool | None) -> str:
    if strip_accents is None:
        return found
    return f"{found} --{'' if strip_accents else 'no-'}strip-accents"
