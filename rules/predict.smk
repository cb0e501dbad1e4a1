"""From a model to answers and their scores."""

from bertsquad.experiment.shards import Shards

SHARDS = Shards(EXPERIMENT)


rule quantize:
    """Make a model an INT8 one for an engine, calibrated on some training features if it asks."""
    input:
        code=code("quantize.py", without=NEVER_DECIDES_RESULTS),
        quantizer=of("engine", quantizer_code),
        features=of("run engine", EXPERIMENT.calibration_features),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
    output:
        # The engine names the files; beside them is calibration.json.
        directory("<results>/{run}/{engine}-int8/quantized"),
    log:
        "<logs>/{run}/quantize/{engine}.log",
    benchmark:
        "<benchmarks>/{run}/quantize/{engine}.jsonl"
    threads: of("engine", quantizer_threads)
    resources:
        mem_mb=of("run", MEMORY.inference),
    params:
        model=subpath(input.weights, parent=True),
        features=of("run engine", EXPERIMENT.calibration_option),
    shell:
        "python {input.code[0]:q} --engine {wildcards.engine} --model {params.model:q}"
        " {params.features} --threads {threads} --output {output:q} &> {log:q}"


rule compute_logits:
    """Run the model over every window of the dev questions."""
    input:
        code=code("compute_logits.py", without=NEVER_DECIDES_RESULTS),
        engine=of("engine", engine_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
    output:
        "<results>/{run}/{engine}-{precision}/logits.safetensors",
    log:
        "<logs>/{run}/compute_logits/{engine}-{precision}.log",
    benchmark:
        "<benchmarks>/{run}/compute_logits/{engine}-{precision}.jsonl"
    wildcard_constraints:
        run=any_of(SHARDS.whole_runs()),
    threads: WHOLE_MACHINE
    resources:
        mem_mb=of("run", MEMORY.inference),
    params:
        model=subpath(input.weights, parent=True),
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
    shell:
        "python {input.code[0]:q} --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model:q} --features {input.features:q} --threads {threads}"
        " --output {output:q} {params.quantized} &> {log:q}"


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
    wildcard_constraints:
        run=any_of(NEGATIVES.other_runs()),
    params:
        options=NEGATIVES.decoding_options(),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} --features {input.features:q}"
        " --logits {input.logits:q} --vocab {input.vocab:q} --predictions {output.predictions:q}"
        " --nbest {output.nbest:q} {params.options} &> {log:q}"


use rule predict as predict_with_negative with:
    output:
        predictions="<results>/{run}/{engine}-{precision}/predictions.json",
        nbest="<results>/{run}/{engine}-{precision}/nbest_predictions.json",
        null_odds="<results>/{run}/{engine}-{precision}/null_odds.json",
    wildcard_constraints:
        run=any_of(NEGATIVES.runs()),
    params:
        options=of("run engine precision", NEGATIVES.negative_decoding_options),


rule evaluate:
    """Score answers: exact match and F1, checked against the official script where there is one."""
    input:
        code=code("evaluate.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        official=of("run", EXPERIMENT.official_evaluator),
        null_odds=of("run engine precision", NEGATIVES.null_odds),
        predictions="<results>/{run}/{engine}-{precision}/predictions.json",
    output:
        "<results>/{run}/{engine}-{precision}/metrics.json",
    log:
        "<logs>/{run}/evaluate/{engine}-{precision}.log",
    params:
        options=SCORING,
        official=of("run", EXPERIMENT.official_option),
        negative=of("run", NEGATIVES.scoring_option),
        null_odds=of("run engine precision", NEGATIVES.na_prob_options),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} --predictions {input.predictions:q}"
        " --output {output:q} {params.options} {params.official} {params.negative}"
        " {params.null_odds} &> {log:q}"


rule compare_answers:
    """What an engine and precision changes in answers, scores and logits, beside FP32."""
    input:
        code=code("compare_answers.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        reference_predictions=of("run", EXPERIMENT.of_reference, "predictions.json"),
        reference_logits=of("run", EXPERIMENT.of_reference, "logits.safetensors"),
        predictions="<results>/{run}/{engine}-{precision}/predictions.json",
        logits="<results>/{run}/{engine}-{precision}/logits.safetensors",
    output:
        "<results>/{run}/{engine}-{precision}/comparison.json",
    log:
        "<logs>/{run}/compare_answers/{engine}-{precision}.log",
    params:
        evaluation=options(config["evaluation"].items()),
        decoding=options(
            [("max_answer_length", config["decoding"]["max_answer_length"])]
        ),
        negative=of("run", NEGATIVES.scoring_option),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q}"
        " --reference-predictions {input.reference_predictions:q}"
        " --reference-logits {input.reference_logits:q} --predictions {input.predictions:q}"
        " --logits {input.logits:q} {params.evaluation} {params.decoding} {params.negative}"
        " --output {output:q} &> {log:q}"
