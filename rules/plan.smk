"""What to deploy, and what it costs: from the cells of this machine, and of others."""

if workflow.is_main_process and {"explore", "explore_run"} & set(sys.argv[1:]):
    or_exit(EXPLORE.check, CONFIG_SOURCE)


rule export_cells:
    """Write cells.json: what this machine can do, as one file that other machines' plans read."""
    input:
        code=code("export_cells.py"),
        cells=MACHINES.each(PLAN.cells),
        metrics=PLAN.metrics(),
        comparisons=PLAN.comparisons(),
        features=PLAN.features(),
        models=PLAN.models(),
        explored=EXPLORE.results(),
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
        " --explored {input.explored:q} --machine {input.machine:q}"
        " --output {output:q} &> {log:q}"


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


rule explore_run:
    """Race every engine and precision of a run in layouts, as far as the budget goes."""
    input:
        code=code("explore.py"),
        serving=code("benchmark_serving.py"),
        engines=EXPLORE.engines_of(engine_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run", EXPLORE.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
        metrics=of("run", EXPLORE.metrics),
        comparisons=of("run", EXPLORE.comparisons),
        machine=MACHINES.first(),
    output:
        json="<results>/explore/{run}.json",
        text="<results>/explore/{run}.txt",
    log:
        "<logs>/explore/{run}.log",
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        pace=pace_options(EXPERIMENT),
        mem_mb=of("run", MEMORY.inference),
    params:
        run=of("run", PLAN.run_option),
        options=of("", EXPLORE.options, read_schema(CONFIG_SCHEMA)),
        source=of("", str, CONFIG_SOURCE),
        results=of("", EXPERIMENT.place, "<results>"),
    shell:
        "python {input.code[0]:q} {params.run} {params.options} --source {params.source:q}"
        " --at-most {threads} {resources.pace} --results {params.results:q}"
        " --metrics {input.metrics:q} --comparisons {input.comparisons:q}"
        " --machine {input.machine:q} --folder {params.results:q}/explore"
        " --json {output.json:q} --text {output.text:q} &> {log:q}"


rule explore:
    """Which layouts carry the most within the SLO: a race under a budget of time, printed."""
    input:
        text=EXPLORE.texts(),
        json=EXPLORE.raced(),
    log:
        "<logs>/explore.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"
