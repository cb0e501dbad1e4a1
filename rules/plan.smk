"""What to deploy, and what it costs: from the cells of this machine, and of others."""


rule export_cells:
    """Write cells.json: what this machine can do, as one file that other machines' plans read."""
    input:
        code=code("export_cells.py"),
        cells=MACHINES.each(PLAN.cells),
        metrics=PLAN.metrics(),
        comparisons=PLAN.comparisons(),
        features=PLAN.features(),
        models=PLAN.models(),
        machine=MACHINES.probed,
    output:
        MACHINES.exported,
    log:
        MACHINES.export_log,
    localrule: True
    params:
        runs=of("", PLAN.run_options),
    shell:
        "python {input.code[0]:q} {params.runs} --cells {input.cells:q}"
        " --metrics {input.metrics:q} --comparisons {input.comparisons:q}"
        " --machine {input.machine:q} --output {output:q} &> {log:q}"


rule make_plan:
    """Plan which machines serve the demand of the configuration's `plan`, and at what cost."""
    input:
        code=code("make_plan.py", without=(*CONSOLE, *MODE_TABLE)),
        cells=list(PLAN.machines(read_schema(CONFIG_SCHEMA)).values()),
    output:
        plan="<results>/plan/plan.json",
        text="<results>/plan/plan.txt",
        figure=report(
            "<results>/plan/plan.svg",
            caption="../report/plan.rst",
            category="Plan",
        ),
    log:
        "<logs>/make_plan.log",
    params:
        plan=of("", PLAN.settings_text, read_schema(CONFIG_SCHEMA)),
        machines=of("", PLAN.machine_options, read_schema(CONFIG_SCHEMA)),
        source=of("", str, CONFIG_SOURCE),
    shell:
        "python {input.code[0]:q} --plan {params.plan:q} --source {params.source:q}"
        " {params.machines} --json {output.plan:q} --text {output.text:q}"
        " --figure {output.figure:q} &> {log:q}"


rule plan:
    """What to deploy: the plan, printed."""
    input:
        plan="<results>/plan/plan.json",
        text="<results>/plan/plan.txt",
        figure="<results>/plan/plan.svg",
    log:
        "<logs>/plan.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"


rule check_plan:
    """Run the plan's options for this machine as servers; the record of predictions grows."""
    input:
        code=code("check_plan.py"),
        serving=code("benchmark_serving.py"),
        plan="<results>/plan/plan.json",
        cells=list(PLAN.machines(read_schema(CONFIG_SCHEMA)).values()),
        features=PLAN.features(),
        models=PLAN.models(),
        # Of several kinds it finds out which one this is.
        machine=[] if MACHINES.asked else MACHINES.probed,
    log:
        "<logs>/check_plan.log",
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    params:
        plan=of("", PLAN.settings_text, read_schema(CONFIG_SCHEMA)),
        machines=of("", PLAN.machine_options, read_schema(CONFIG_SCHEMA)),
        here=of("", MACHINES.here),
        runs=of("", PLAN.served_options),
        results=of("", EXPERIMENT.place, "<results>"),
    shell:
        "python {input.code[0]:q} --plan {input.plan:q} --asked {params.plan:q}"
        " {params.machines} {params.here} --results {params.results:q}"
        " {params.runs} --record {params.results:q}/plan/record.jsonl"
        " --runs {params.results:q}/plan/runs 2> {log:q} | tee -a {log:q}"
