"""Fine-tuning."""

from bertsquad.training.hyperparameters import hyperparameters


rule finetune:
    """Fine-tune a checkpoint on a dataset's training questions; an interrupted run resumes."""
    input:
        code=code("finetune.py", without=NEVER_DECIDES_RESULTS),
        features=of("run", EXPERIMENT.training_features),
        checkpoint=of("run", EXPERIMENT.checkpoint_folder_files),
    output:
        weights="<results>/{run}/model/model.safetensors",
        config="<results>/{run}/model/config.json",
        vocab="<results>/{run}/model/vocab.txt",
        tokenizer="<results>/{run}/model/tokenizer_config.json",
        log="<results>/{run}/training_log.jsonl",
    log:
        "<logs>/{run}/finetune.log",
    benchmark:
        "<benchmarks>/{run}/finetune.jsonl"
    threads: of("run", EXPERIMENT.training_threads, WHOLE_MACHINE)
    resources:
        mem_mb=of("run", MEMORY.training),
        # Who computes, what is computed twice, and when the state is saved have no part in what
        # comes out: as resources they never cause a rerun.
        distribution=EXPERIMENT.distribution(),
        activations=of("run", EXPERIMENT.run_options, ["activation_checkpointing"]),
        saving=EXPERIMENT.saving(),
    params:
        checkpoint=of("run", EXPERIMENT.checkpoint_folder),
        features=of("run", EXPERIMENT.training_features_option),
        model=subpath(output.weights, parent=True),
        state=subpath(output.log, parent=True),
        options=of(
            "run", EXPERIMENT.run_options, [each.name for each in hyperparameters()]
        ),
    shell:
        "python {input.code[0]:q} --checkpoint {params.checkpoint:q} {params.features}"
        " --output {params.model:q} --log {output.log:q} --state {params.state:q}/training_state"
        " --threads {threads} {resources.distribution} {resources.activations} {resources.saving} {params.options} &> {log:q}"
