"""Fine-tuning."""

# What decides the weights, in the order of the options of scripts/finetune.py.
HYPERPARAMETERS = (
    "precision",
    "epochs",
    "batch_size",
    "learning_rate",
    "warmup_proportion",
    "weight_decay",
    "max_grad_norm",
    "hidden_dropout",
    "attention_dropout",
    "head_init",
    "count_steps_by",
    "micro_batch_tokens",
    "seed",
    "ranks",
    "rank_data",
    "rank_gradients",
    "rank_learning_rate",
)


rule finetune:
    """Fine-tune a checkpoint on a dataset's training questions; an interrupted run resumes."""
    input:
        code=code("finetune.py", without=NEVER_DECIDES_RESULTS),
        features=of("run", EXPERIMENT.features_file, "train"),
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
        runtime="7d",
        # Who computes, and what is computed twice, has no part in what comes out: as resources
        # they never cause a rerun.
        distribution=EXPERIMENT.distribution(),
        activations=of("run", EXPERIMENT.hyperparameters, ["activation_checkpointing"]),
    params:
        checkpoint=of("run", EXPERIMENT.checkpoint_folder),
        model=subpath(output.weights, parent=True),
        state=subpath(output.log, parent=True),
        options=of("run", EXPERIMENT.hyperparameters, HYPERPARAMETERS),
    shell:
        "python {input.code[0]} --checkpoint {params.checkpoint} --features {input.features}"
        " --output {params.model} --log {output.log} --state {params.state}/training_state"
        " --threads {threads} {resources.distribution} {resources.activations} {params.options} &> {log}"
