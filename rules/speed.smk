"""What this machine can do: BERT-Large with random weights, nothing downloaded, any config."""

SPEED_PACE = pace_of(SPEED.cells(), SPEED.config["benchmark"])


rule speed:
    """What this machine, or each kind of them, can do: every engine and precision, in a table that is printed."""
    input:
        table=SPEED.made("speed.csv"),
        figure=SPEED.made("speed.svg"),
        text=SPEED.made("speed.txt"),
    log:
        "<logs>/speed.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"


rule generate_random_model:
    """Make BERT-Large of random weights, and features of random tokens as long as SQuAD's."""
    input:
        code=code("generate_random_model.py"),
        lengths=os.path.relpath(SCRIPTS / "bertsquad/benchmark/squad_lengths.json"),
    output:
        weights="<resources>/speed/model/model.safetensors",
        config="<resources>/speed/model/config.json",
        vocab="<resources>/speed/model/vocab.txt",
        tokenizer="<resources>/speed/model/tokenizer_config.json",
        features="<resources>/speed/features.safetensors",
    log:
        "<logs>/generate_random_model.log",
    params:
        model=subpath(output.weights, parent=True),
    shell:
        "python {input.code[0]:q} --model {params.model:q} --features {output.features:q} --seed 0"
        " &> {log:q}"


rule quantize_random_model:
    """Make it an INT8 model for an engine. Of random weights nothing is to be calibrated well."""
    input:
        code=code("quantize.py", without=NEVER_DECIDES_RESULTS),
        quantizer=of("engine", quantizer_code),
        weights="<resources>/speed/model/model.safetensors",
        config="<resources>/speed/model/config.json",
        vocab="<resources>/speed/model/vocab.txt",
        features="<resources>/speed/features.safetensors",
    output:
        directory("<resources>/speed/{engine}-int8"),
    log:
        "<logs>/quantize_random_model/{engine}.log",
    wildcard_constraints:
        engine=any_of(PRECISIONS),
    threads: 1  # so that two engines' are made side by side
    params:
        model=subpath(input.weights, parent=True),
    shell:
        "python {input.code[0]:q} --engine {wildcards.engine} --model {params.model:q}"
        " --features {input.features:q} --count 4 --threads {threads} --output {output:q} &> {log:q}"


rule measure_ceilings:
    """Measure this machine's best matrix products and memory bandwidth."""
    input:
        code=code("measure_ceilings.py"),
    output:
        "<results>/speed/ceilings.json",
    log:
        "<logs>/measure_ceilings.log",
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    params:
        threads=config["speed"]["threads"],
    shell:
        "python {input.code[0]:q} --threads {params.threads} --at-most {threads} --seconds 1"
        " --output {output:q} &> {log:q}"


use rule benchmark_inference as measure_speed with:
    """Measure one cell of an engine and precision: offline, padded, or single requests."""
    input:
        code=code("benchmark_inference.py", without=(*CONSOLE, *MODE_TABLE)),
        engine=of("engine", engine_code),
        mode=of("scenario", mode_code, SPEED),
        ceilings=benchmark_code("ceilings"),
        features="<resources>/speed/features.safetensors",
        quantized=of("run engine precision", SPEED.quantized),
        weights="<resources>/speed/model/model.safetensors",
        config="<resources>/speed/model/config.json",
        vocab="<resources>/speed/model/vocab.txt",
    # Of the machine that it runs on, whatever kinds the experiment has.
    output:
        "<results>/{run}/{engine}-{precision}/benchmark/"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.json",
    log:
        "<logs>/{run}/benchmark_inference/{engine}-{precision}/"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.log",
    wildcard_constraints:
        run="speed",
        engine=any_of(PRECISIONS),
        scenario=any_of(SCENARIOS),
    priority: of(CELL, SPEED_PACE.priority)
    resources:
        pace=of(CELL, SPEED_PACE.options),
        place=of(CELL, SPEED_PACE.place),
        mem_mb=of("run", MEMORY.inference),
    params:
        quantized=of("run engine precision", SPEED.quantized_option),
        options=of("scenario", SPEED.scenario_options),
        goal=of("scenario", SPEED.goal),
        texts="",


rule summarize_speed:
    """Gather every engine's speed into a table and a figure."""
    input:
        code=code("summarize_speed.py"),
        ceilings="<results>/speed/ceilings.json",
        model="<resources>/speed/model/config.json",
        cells=SPEED.cell_files(),
    output:
        table=report(
            "<results>/speed/speed.csv",
            caption="../report/speed.rst",
            category="Speed",
            labels={"what": "table"},
        ),
        figure=report(
            "<results>/speed/speed.svg",
            caption="../report/speed.rst",
            category="Speed",
            labels={"what": "figure"},
        ),
        text="<results>/speed/speed.txt",
    log:
        "<logs>/summarize_speed.log",
    localrule: True
    params:
        machine="",
    shell:
        "python {input.code[0]:q} --ceilings {input.ceilings:q} --model-config {input.model:q}"
        " --cells {input.cells:q} {params.machine}"
        " --table {output.table:q} --figure {output.figure:q}"
        " --text {output.text:q} &> {log:q}"
