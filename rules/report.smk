"""From measurements to tables, figures and the report."""

FIGURES = [f for f in KNOWN_FIGURES if f != "comparisons" or COMPARISONS.names]

# The report shows example questions with the answers of the first run, engine and precision.
SHOWN_RUN = next(iter(config["runs"]))


rule probe_machine:
    """Describe the machine: what it is, what it can do, what would spoil a measurement."""
    input:
        code=code("probe_machine.py"),
    output:
        MACHINES.probed,
    log:
        MACHINES.probe_log,
    # Before our own work makes the machine look busy.
    priority: 10
    # As its cells: a machine.json of a part of a node, or of another kind, would not be theirs.
    resources:
        **MACHINES.resources(FOR_ALL_JOBS),
    shell:
        "python {input.code[0]:q} --output {output:q} &> {log:q}"


rule doctor:
    """Print what this machine is, what would spoil a run on it, and what to do; make nothing."""
    input:
        code=code("doctor.py"),
    log:
        "<logs>/doctor.log",
    localrule: True
    params:
        config=of("", json.dumps, config),  # a function: its braces are no wildcards
        source=of("", str, CONFIG_SOURCE),
    shell:
        "python {input.code[0]:q} --configfile {params.source:q} --config {params.config:q}"
        " | tee {log:q}"


rule record_inputs:
    """Write down the resolved configuration and the checksum, licence and source of every input."""
    input:
        code=code("record_inputs.py"),
        artifacts=EXPERIMENT.downloads(),
        models=EXPERIMENT.model_inputs(),
    output:
        config="<results>/config.json",
        inputs="<results>/inputs.json",
    log:
        "<logs>/record_inputs.log",
    localrule: True
    params:
        config=of("", json.dumps, config),  # in its own order: the first run is shown
        catalogue=of("", json_text, EXPERIMENT.inputs()),
        models=of("", EXPERIMENT.models_option),
    shell:
        "python {input.code[0]:q} --config {params.config:q} --catalogue {params.catalogue:q}"
        " --artifacts {input.artifacts:q} {params.models} --config-output {output.config:q}"
        " --inputs-output {output.inputs:q} &> {log:q}"


rule summarize:
    """Gather every score and timing into one table, a row per cell."""
    input:
        code=code("summarize.py"),
        metrics=EXPERIMENT.metrics_files(),
        comparisons=EXPERIMENT.comparison_files(),
        cells=[*EXPERIMENT.cell_files(), *SERVED.files()],
        logs=collect("<results>/{run}/training_log.jsonl", run=config["runs"]),
        modelzoo=MODELZOO.result_files(),
        config="<results>/config.json",
        machines=list(MACHINES.files().values()),
    output:
        report(
            "<results>/summary.csv",
            caption="../report/summary.rst",
            category="Results",
        ),
    log:
        "<logs>/summarize.log",
    localrule: True
    params:
        machines=of("", MACHINES.options),
    shell:
        "python {input.code[0]:q} --metrics {input.metrics:q} --comparisons {input.comparisons:q}"
        " --cells {input.cells:q}"
        " --logs {input.logs:q} --modelzoo {input.modelzoo:q} --config {input.config:q}"
        " {params.machines} --output {output:q} &> {log:q}"


rule plot:
    """Draw one figure."""
    input:
        code=code("plot.py"),
        figure=of("figure", figure_code),
        summary="<results>/summary.csv",
        logs=collect("<results>/{run}/training_log.jsonl", run=config["runs"]),
        features=EXPERIMENT.dev_features_files(),
        cells=of("figure", measured_for, EXPERIMENT.cell_files()),
        comparisons=of("figure", compared_for, COMPARISONS.files()),
        noise=of("figure", compared_for, COMPARISONS.noise()),
    output:
        report(
            "<results>/figures/{figure}.svg",
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "<logs>/plot/{figure}.log",
    localrule: True
    params:
        folder=subpath(output[0], parent=True),
        caption=of("figure", figure_caption),  # read by report/figure.rst
    shell:
        "python {input.code[0]:q} --summary {input.summary:q} --logs {input.logs:q}"
        " --features {input.features:q} --cells {input.cells:q}"
        " --comparisons {input.comparisons:q} --noise {input.noise:q} --figures {wildcards.figure}"
        " --output-dir {params.folder:q} &> {log:q}"


rule report:
    """The page to read: answers first, then figures, tables, versions and checksums."""
    input:
        # The page holds durations and sizes as people read them.
        code=code("report.py", without=()),
        templates=files_in("bertsquad/reporting/page/templates"),
        summary="<results>/summary.csv",
        figures=collect("<results>/figures/{figure}.svg", figure=FIGURES),
        waterfall=drawn_waterfall(),
        machines=list(MACHINES.files().values()),
        config="<results>/config.json",
        inputs="<results>/inputs.json",
        dataset=EXPERIMENT.dev_questions(SHOWN_RUN),
        datasets=sorted({EXPERIMENT.dev_questions(run) for run in config["runs"]}),
        answers=EXPERIMENT.answers_files(),
        predictions=EXPERIMENT.metrics_files()[0].replace("metrics", "predictions"),
        comparisons=EXPERIMENT.comparison_files(),
        compared=COMPARISONS.files(),
        noise=COMPARISONS.noise(),
        plan=PLAN.made(),
        raced=EXPLORE.made(),
        certificate="<results>/certificate.json",
    output:
        page=report(
            "<results>/report.html",
            caption="../report/page.rst",
            category="Results",
        ),
        # What the page loads when a reader comes to the explorer.
        questions=directory("<results>/questions"),
    log:
        "<logs>/report.log",
    localrule: True
    params:
        machines=of("", MACHINES.options),
        explored=of("", EXPERIMENT.explored),
        command=of("", report_again),
    shell:
        "python {input.code[0]:q} --summary {input.summary:q} --figures {input.figures:q} {input.waterfall:q}"
        " {params.machines} --config {input.config:q} --checksums {input.inputs:q}"
        " --dataset {input.dataset:q} --predictions {input.predictions:q}"
        " --comparisons {input.comparisons:q}"
        " --compared {input.compared:q} --noise {input.noise:q} --plan {input.plan:q}"
        " --raced {input.raced:q}"
        " --certificate {input.certificate:q}"
        " {params.explored} --command {params.command:q} --output {output.page:q} &> {log:q}"
