"""From a model to answers and their scores."""


rule compute_logits:
    """Run the model over every window of the dev questions."""
    input:
        code=code("compute_logits.py", without=PACE),
        engine=of("engine", engine_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
    output:
        "<results>/{run}/{engine}-{precision}/logits.safetensors",
    log:
        "<logs>/{run}/compute_logits/{engine}-{precision}.log",
    benchmark:
        "<benchmarks>/{run}/compute_logits/{engine}-{precision}.jsonl"
    threads: WHOLE_MACHINE
    params:
        model=subpath(input.weights, parent=True),
    shell:
        "python {input.code[0]} --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model} --features {input.features} --threads {threads}"
        " --output {output} &> {log}"


rule predict:
    """Decode logits into answers, as run_squad.py does."""
    input:
        code=code("predict.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        features=of("run", EXPERIMENT.features_file, "dev"),
        vocab="<results>/{run}/model/vocab.txt",
        logits="<results>/{run}/{engine}-{precision}/logits.safetensors",
    output:
        predictions="<results>/{run}/{engine}-{precision}/predictions.json",
        nbest="<results>/{run}/{engine}-{precision}/nbest_predictions.json",
    log:
        "<logs>/{run}/predict/{engine}-{precision}.log",
    params:
        options=options(config["decoding"].items()),
    shell:
        "python {input.code[0]} --dataset {input.dataset} --features {input.features}"
        " --logits {input.logits} --vocab {input.vocab} --predictions {output.predictions}"
        " --nbest {output.nbest} {params.options} &> {log}"


rule evaluate:
    """Score answers: exact match and F1, checked against the official script where there is one."""
    input:
        code=code("evaluate.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        official=of("run", EXPERIMENT.official_evaluator),
        predictions="<results>/{run}/{engine}-{precision}/predictions.json",
    output:
        "<results>/{run}/{engine}-{precision}/metrics.json",
    log:
        "<logs>/{run}/evaluate/{engine}-{precision}.log",
    params:
        options=options(config["evaluation"].items()),
        official=of("run", EXPERIMENT.official_option),
    shell:
        "python {input.code[0]} --dataset {input.dataset} --predictions {input.predictions}"
        " --output {output} {params.options} {params.official} &> {log}"
