"""From a model to answers and their scores."""


rule quantize_openvino:
    """Make a model an INT8 one for OpenVINO, calibrated on some of its training features."""
    input:
        code=code("quantize.py", without=NEVER_DECIDES_RESULTS),
        quantizer=quantizer_code("openvino"),
        features=of("run", EXPERIMENT.features_file, "train"),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
    output:
        graph="<results>/{run}/openvino-int8/quantized/model.xml",
        weights="<results>/{run}/openvino-int8/quantized/model.bin",
        record="<results>/{run}/openvino-int8/quantized/calibration.json",
    log:
        "<logs>/{run}/quantize_openvino.log",
    benchmark:
        "<benchmarks>/{run}/quantize_openvino.jsonl"
    threads: WHOLE_MACHINE
    params:
        model=subpath(input.weights, parent=True),
        quantized=subpath(output.graph, parent=True),
    shell:
        "python {input.code[0]} --engine openvino --model {params.model}"
        " --features {input.features} --threads {threads} --output {params.quantized} &> {log}"


rule quantize_onnxruntime:
    """Make a model an INT8 one for ONNX Runtime, which needs no calibration."""
    input:
        code=code("quantize.py", without=NEVER_DECIDES_RESULTS),
        quantizer=quantizer_code("onnxruntime"),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
    output:
        graph="<results>/{run}/onnxruntime-int8/quantized/model.onnx",
        weights="<results>/{run}/onnxruntime-int8/quantized/model.onnx.data",
        record="<results>/{run}/onnxruntime-int8/quantized/calibration.json",
    log:
        "<logs>/{run}/quantize_onnxruntime.log",
    params:
        model=subpath(input.weights, parent=True),
        quantized=subpath(output.graph, parent=True),
    shell:
        "python {input.code[0]} --engine onnxruntime --model {params.model}"
        " --threads {threads} --output {params.quantized} &> {log}"


rule compute_logits:
    """Run the model over every window of the dev questions."""
    input:
        code=code("compute_logits.py", without=NEVER_DECIDES_RESULTS),
        engine=of("engine", engine_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized_files),
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
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
    shell:
        "python {input.code[0]} --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model} --features {input.features} --threads {threads}"
        " --output {output} {params.quantized} &> {log}"


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
        options=SCORING,
        official=of("run", EXPERIMENT.official_option),
    shell:
        "python {input.code[0]} --dataset {input.dataset} --predictions {input.predictions}"
        " --output {output} {params.options} {params.official} &> {log}"


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
    shell:
        "python {input.code[0]} --dataset {input.dataset}"
        " --reference-predictions {input.reference_predictions}"
        " --reference-logits {input.reference_logits} --predictions {input.predictions}"
        " --logits {input.logits} {params.evaluation} {params.decoding} --output {output} &> {log}"
