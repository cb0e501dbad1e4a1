"""The facts of a finished run for other tools, and somebody else's cells measured again."""

from bertsquad.certificate.exports.table import EXPORTS
from bertsquad.experiment.exported import Exported
from bertsquad.experiment.verified import Verified

EXPORTED = Exported(EXPERIMENT)
VERIFIED = Verified(PLAN)
# Which exports there are and what their help says: no export depends on it.
EXPORT_TABLE = ("bertsquad/certificate/exports/table.py",)


rule export_results:
    """Write the facts of this run as another tool reads them, e.g. as a model card."""
    input:
        code=code("export_results.py", without=(*CONSOLE, *EXPORT_TABLE)),
        export=of("export", export_code),
        certificate="<results>/certificate.json",
        summary="<results>/summary.csv",
        machines=list(MACHINES.files().values()),
        cells=EXPORTED.cells(),
        shapes=EXPORTED.shapes(),
    output:
        directory("<results>/exports/{export}"),
    log:
        "<logs>/export_results/{export}.log",
    wildcard_constraints:
        export=any_of(EXPORTS),
    localrule: True
    params:
        models=of("", EXPORTED.models_text),
        folders=of("", EXPORTED.folders),
        machines=of("", MACHINES.options),
    shell:
        "python {input.code[0]:q} --export {wildcards.export} --certificate {input.certificate:q}"
        " --summary {input.summary:q} {params.machines} --cells {input.cells:q}"
        " --models {params.models:q} {params.folders} --output {output:q} &> {log:q}"


rule exports:
    """The facts of this run for other tools: model cards, tables, benchmark files."""
    input:
        collect("<results>/exports/{export}", export=EXPORTS),


rule verify_cells:
    """Measure three cells of somebody else's cells.json again here: consistent or not."""
    input:
        code=code("verify_cells.py"),
        inference=code("benchmark_inference.py"),
        serving=code("benchmark_serving.py"),
        cells=of("", VERIFIED.file),
        features=PLAN.features(),
        models=PLAN.models(),
        quantized=VERIFIED.quantized(),
    log:
        "<logs>/verify_cells.log",
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    params:
        runs=of("", PLAN.run_options),
        results=of("", EXPERIMENT.place, "<results>"),
        options=of("", VERIFIED.options),
    shell:
        "python {input.code[0]:q} {input.cells:q} {params.runs} {params.options}"
        " --results {params.results:q} --output {params.results:q}/verified_cells.json"
        " 2> {log:q} | tee -a {log:q}"


if workflow.is_main_process and "verify_cells" in sys.argv[1:]:
    or_exit(VERIFIED.check, CONFIG_SOURCE, sys.argv[1:])
