"""Logits in parts, for sets that outgrow one machine: `logits.shards` of the configuration."""


rule compute_logits_shard:
    """Run the model over one part of the windows of the dev questions."""
    input:
        code=code("compute_logits_shard.py", without=NEVER_DECIDES_RESULTS),
        engine=of("engine", engine_code),
        features=of("run", EXPERIMENT.features_file, "dev"),
        quantized=of("run engine precision", EXPERIMENT.quantized),
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
    output:
        "<results>/{run}/{engine}-{precision}/shards/{shard}-of-{shards}.safetensors",
    log:
        "<logs>/{run}/compute_logits_shard/{engine}-{precision}/{shard}-of-{shards}.log",
    benchmark:
        "<benchmarks>/{run}/compute_logits_shard/{engine}-{precision}/{shard}-of-{shards}.jsonl"
    wildcard_constraints:
        run=any_of(SHARDS.cut_runs()),
        shard=r"\d+",
        shards=r"\d+",
    threads: WHOLE_MACHINE
    resources:
        mem_mb=of("run", MEMORY.inference),
    params:
        model=subpath(input.weights, parent=True),
        quantized=of("run engine precision", EXPERIMENT.quantized_option),
    shell:
        "python {input.code[0]:q} --shard {wildcards.shard} --shards {wildcards.shards}"
        " --engine {wildcards.engine} --precision {wildcards.precision}"
        " --model {params.model:q} --features {input.features:q} --threads {threads}"
        " --output {output:q} {params.quantized} &> {log:q}"


rule join_logits:
    """Make one file of the logits of all parts."""
    input:
        code=code("join_logits.py", without=NEVER_DECIDES_RESULTS),
        parts=of("run engine precision", SHARDS.files),
    output:
        "<results>/{run}/{engine}-{precision}/logits.safetensors",
    log:
        "<logs>/{run}/join_logits/{engine}-{precision}.log",
    wildcard_constraints:
        run=any_of(SHARDS.cut_runs()),
    localrule: True
    shell:
        "python {input.code[0]:q} --parts {input.parts:q} --output {output:q} &> {log:q}"
