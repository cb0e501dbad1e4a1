"""How fast a model answers."""

# Words for the report, and which modes there are: all of it that decides a cell is in the params.
MODE_TABLE = ("bertsquad/benchmark/modes.py",)

# The wildcards that name a cell.
CELL = "run engine precision scenario batch threads repeat"
SERVED_CELL = "run engine precision scenario layout load repeat"


CELL_CODE = code("benchmark_inference.py", without=(*CONSOLE, *MODE_TABLE))


rule benchmark_inference:
    """Time one cell: an engine and precision, a scenario, a batch size, a thread count."""
    input:
        code=CELL_CODE,
        parts=of("engine scenario", parts_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
        texts=of("run scenario", EXPERIMENT.benchmark_texts),
    output:
        f"<results>/{{run}}/{{engine}}-{{precision}}/benchmark/{MACHINES.folder}"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.json",
    log:
        f"<logs>/{{run}}/benchmark_inference/{{engine}}-{{precision}}/{MACHINES.folder}"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.log",
    # At random, one repeat after the other, and after everything else that could run beside it.
    priority: of(CELL, PACE.priority)
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        **MACHINES.resources(
            FOR_ALL_JOBS,
            # No parameter: another order, or more patience, is no reason to measure again.
            pace=of(CELL, PACE.options),
            place=of(CELL, PACE.place),
            mem_mb=of("run", MEMORY.inference),
        ),
    params:
        model=subpath(input.weights, parent=True),
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
        options=of("scenario", EXPERIMENT.scenario_options),
        goal=of("scenario", EXPERIMENT.goal),  # a cell depends on it; no tracked file holds it
        texts=of("run scenario", EXPERIMENT.texts_option),
    shell:
        "python {input.code[0]:q} --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model:q} --features {input.features:q} --scenario {wildcards.scenario}"
        " --batch-size {wildcards.batch} --threads {wildcards.threads} --at-most {threads}"
        " --repeat {wildcards.repeat} {resources.pace} --place {resources.place} {params.options} {params.texts} {params.quantized}"
        " --output {output:q} &> {log:q}"


rule benchmark_serving:
    """Time one cell under load: an engine and precision in a layout, saturated or as a server."""
    input:
        code=code("benchmark_serving.py", without=(*CONSOLE, *MODE_TABLE)),
        engine=of("engine", engine_code),
        mode=of("scenario", mode_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
        trace=of("scenario", SERVED.trace),
    output:
        cell=f"<results>/{{run}}/{{engine}}-{{precision}}/benchmark/{MACHINES.folder}"
        "{scenario}/layout{layout}-{load}-repeat{repeat}.json",
        samples=f"<results>/{{run}}/{{engine}}-{{precision}}/benchmark/{MACHINES.folder}"
        "{scenario}/layout{layout}-{load}-repeat{repeat}-samples.npz",
    log:
        f"<logs>/{{run}}/benchmark_serving/{{engine}}-{{precision}}/{MACHINES.folder}"
        "{scenario}/layout{layout}-{load}-repeat{repeat}.log",
    priority: of(SERVED_CELL, PACE.priority)
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        **MACHINES.resources(
            FOR_ALL_JOBS,
            pace=of(SERVED_CELL, PACE.options),
            place=of(SERVED_CELL, PACE.place),
            mem_mb=of("run", MEMORY.inference),
        ),
    params:
        model=subpath(input.weights, parent=True),
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
        options=of("scenario", SERVED.options),
    shell:
        "python {input.code[0]:q} --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model:q} --features {input.features:q} --scenario {wildcards.scenario}"
        " --layout {wildcards.layout} --load {wildcards.load} --at-most {threads}"
        " --repeat {wildcards.repeat} {resources.pace} --place {resources.place} {params.options} {params.quantized}"
        " --output {output.cell:q} &> {log:q}"
