# Fine-tune BERT on SQuAD 1.1, score it, time its inference, and report. See README.md.
from snakemake.utils import min_version

min_version("9.20")


pathvars:
    resources="<results>/resources",
    logs="<results>/logs",
    benchmarks="<results>/benchmarks",


include: "rules/common.smk"
include: "rules/record.smk"
include: "rules/cluster.smk"
include: "rules/watch.smk"


# Used by profiles/apptainer alone: the image of envs/Dockerfile as a file.
container: image_file()


include: "rules/machines.smk"
include: "rules/data.smk"
include: "rules/train.smk"
include: "rules/predict.smk"
include: "rules/shards.smk"
include: "rules/by_machine.smk"
include: "rules/benchmark.smk"
include: "rules/modelzoo.smk"
include: "rules/report.smk"
include: "rules/certificate.smk"
include: "rules/speed.smk"
include: "rules/speed_by_machine.smk"
include: "rules/compare.smk"
include: "rules/plan.smk"
include: "rules/exports.smk"
include: "rules/waterfall.smk"


report: "report/workflow.rst"


rule all:
    """Everything: models, answers, scores, timings and the report."""
    default_target: True
    # The report needs them all, but Snakemake makes a deleted file again only where it is asked for.
    input:
        collect("<results>/{run}/model/model.safetensors", run=config["runs"]),
        EXPERIMENT.metrics_files(),
        EXPERIMENT.comparison_files(),
        MACHINES.answers("metrics.json"),
        MACHINES.answers("comparison.json"),
        EXPERIMENT.cell_files(),
        SERVED.files(),
        MODELZOO.all_files(),
        collect("<results>/figures/{figure}.svg", figure=FIGURES),
        "<results>/summary.csv",
        "<results>/certificate.json",
        "<results>/report.html",


rule models:
    """The fine-tuned models alone."""
    input:
        collect("<results>/{run}/model/model.safetensors", run=config["runs"]),


rule accuracy:
    """Exact match and F1 of every run, engine and precision, and what changes against FP32."""
    input:
        EXPERIMENT.metrics_files(),
        EXPERIMENT.comparison_files(),
        MACHINES.answers("metrics.json"),
        MACHINES.answers("comparison.json"),


rule timings:
    """Every cell of the inference benchmark."""
    input:
        EXPERIMENT.cell_files(),
        SERVED.files(),
