"""What proves a run to others: a certificate of all that was done."""


rule make_certificate:
    """Write down what was done, by which code, on what, and every doubt: one number for all."""
    input:
        code=code("certify.py"),
        # All else that is certified follows from these, as the steps' records tell.
        files=[
            "<results>/summary.csv",
            *MACHINES.files().values(),
            "<results>/config.json",
            "<results>/inputs.json",
            *collect("<results>/figures/{figure}.svg", figure=FIGURES),
            *COMPARISONS.files(),
            *COMPARISONS.noise(),
            *MODELZOO.all_files(),
        ],
        # A changed one is certified anew.
        models=collect("<results>/{run}/model/model.safetensors", run=config["runs"]),
        logs=collect("<results>/{run}/training_log.jsonl", run=config["runs"]),
        answers=EXPERIMENT.answers_files(),
        metrics=[*EXPERIMENT.metrics_files(), *MACHINES.answers("metrics.json")],
        comparisons=[
            *EXPERIMENT.comparison_files(),
            *MACHINES.answers("comparison.json"),
        ],
        cells=[*EXPERIMENT.cell_files(), *SERVED.files()],
    output:
        certificate="<results>/certificate.json",
        text="<results>/certificate.txt",
    log:
        "<logs>/make_certificate.log",
    localrule: True
    resources:
        # Neither is a parameter: another command, or a commit, is no reason to certify anew.
        origin=of("", certified_origin),
        command=shlex.join(["snakemake", *sys.argv[1:]]),
    params:
        places=options(
            (name, EXPERIMENT.place(f"<{name}>"))
            for name in ("results", "resources", "logs")
        ),
        scripts=of("", str, SCRIPTS_SHOWN),
    shell:
        "python {input.code[0]:q} {params.places} --scripts {params.scripts:q}"
        " --origin {resources.origin:q} --command {resources.command:q}"
        " --files {input.files:q} --text {output.text:q} --output {output.certificate:q} &> {log:q}"


rule certify:
    """The certificate, printed: what was done, by which code, every doubt, and the number."""
    input:
        certificate="<results>/certificate.json",
        text="<results>/certificate.txt",
    log:
        "<logs>/certify.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"


rule crate:
    """One archive to send: results, code, configuration and certificate. It verifies itself."""
    input:
        code=code("make_crate.py"),
        certificate="<results>/certificate.json",
        report="<results>/report.html",
    log:
        "<logs>/crate.log",
    localrule: True
    params:
        places=options(
            (name, EXPERIMENT.place(f"<{name}>")) for name in ("results", "resources")
        ),
    # The archive's name holds the certificate's number, which nobody knows before.
    shell:
        "python {input.code[0]:q} {params.places} 2>&1 | tee {log:q}"
