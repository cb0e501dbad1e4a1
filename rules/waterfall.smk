"""Where the time goes between what the processor reaches and the answers that are delivered."""

# Of the first run that is timed; other runs of its shape lose their time in the same places.
WATERFALL_RUN = PLAN.runs()[:1]


rule measure_waterfall:
    """Measure products, engine, single requests and whole answers of a precision in turns."""
    input:
        code=code("measure_waterfall.py", without=(*CONSOLE, *MODE_TABLE)),
        side=code("waterfall_side.py", without=(*CONSOLE, *MODE_TABLE)),
        engine=of("engine", engine_code),
        ceilings=benchmark_code("ceilings"),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
        texts=of("run", EXPERIMENT.dev_questions),
    output:
        "<results>/{run}/{engine}-{precision}/waterfall.json",
    log:
        "<logs>/{run}/measure_waterfall/{engine}-{precision}.log",
    priority: -1000000
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        pace=pace_options(EXPERIMENT),
        mem_mb=of("run", MEMORY.inference),
    params:
        model=subpath(input.weights, parent=True),
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
    shell:
        "python {input.code[0]:q} --run {wildcards.run} --engine {wildcards.engine}"
        " --precision {wildcards.precision} --model {params.model:q} --features {input.features:q}"
        " --dataset {input.texts:q} --threads all --at-most {threads} {resources.pace}"
        " {params.quantized} --output {output:q} &> {log:q}"


rule show_waterfall:
    """Draw the waterfall of every engine and precision, and say what each step costs."""
    input:
        code=code("show_waterfall.py"),
        measured=[
            EXPERIMENT.place(f"<results>/{run}/{engine}-{precision}/waterfall.json")
            for run in WATERFALL_RUN
            for engine, precision in EXPERIMENT.engine_precisions()
        ],
        comparisons=PLAN.comparisons(),
        served=SERVED.files(),
    output:
        json="<results>/waterfall/waterfall.json",
        text="<results>/waterfall/waterfall.txt",
        figure=report(
            "<results>/waterfall/waterfall.svg",
            caption="../report/waterfall.rst",
            category="Speed",
        ),
    log:
        "<logs>/show_waterfall.log",
    localrule: True
    shell:
        "python {input.code[0]:q} --measured {input.measured:q}"
        " --comparisons {input.comparisons:q} --served {input.served:q} --json {output.json:q}"
        " --text {output.text:q} --figure {output.figure:q} &> {log:q}"


rule waterfall:
    """Where the time goes, for every engine and precision: tables that are printed."""
    input:
        text="<results>/waterfall/waterfall.txt",
        figure="<results>/waterfall/waterfall.svg",
    log:
        "<logs>/waterfall.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"
