"""What to deploy, and what it costs: from the cells of this machine, and of others."""


rule export_cells:
    """Write cells.json: what this machine can do, as one file that other machines' plans read."""
    input:
        code=code("export_cells.py"),
        cells=PLAN.cells(),
        metrics=PLAN.metrics(),
        comparisons=PLAN.comparisons(),
        features=PLAN.features(),
        models=PLAN.models(),
        machine="<results>/machine.json",
    output:
        "<results>/cells.json",
    log:
        "<logs>/export_cells.log",
    localrule: True
    params:
        runs=of("", PLAN.run_options),
    shell:
        "python {input.code[0]:q} {params.runs} --cells {input.cells:q}"
        " --metrics {input.metrics:q} --comparisons {input.comparisons:q}"
        " --machine {input.machine:q} --output {output:q} &> {log:q}"
