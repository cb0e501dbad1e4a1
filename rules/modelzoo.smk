"""The guide's own commands: Intel's Model Zoo launcher, run as it was, and its results made ours."""


rule modelzoo:
    """The guide's commands as they were: run, judged, scored, converted."""
    input:
        of("", or_exit, MODELZOO.targets),


rule modelzoo_command:
    """Show the launcher's commands and what comes of them, and run nothing."""
    input:
        code=code("modelzoo_command.py"),
    log:
        "<logs>/modelzoo_command.log",
    localrule: True
    params:
        steps=of("", MODELZOO.described),
        image=options([("image", MODELZOO.section.get("image"))]),
    shell:
        "python {input.code[0]:q} --steps {params.steps:q} {params.image} 2>&1 | tee {log:q}"


rule unpack_modelzoo:
    """Take the launcher and bert_large out of the Model Zoo's archive."""
    input:
        code=code("unpack_modelzoo.py"),
        archive="<resources>/downloads/{archive}",
    output:
        "<resources>/modelzoo/{archive}/benchmarks/launch_benchmark.py",
    log:
        "<logs>/unpack_modelzoo/{archive}.log",
    params:
        folder=subpath(output[0], ancestor=2),
    shell:
        "python {input.code[0]:q} --archive {input.archive:q} --output {params.folder:q} &> {log:q}"


# The three ways in which the launcher is run have one job and different files.
rule modelzoo_benchmark:
    """Time the launcher's inference, as the guide does."""
    input:
        launcher=MODELZOO.launcher_files(),
        vocab=of("step", MODELZOO.member, "vocab"),
        config=of("step", MODELZOO.member, "config"),
        weights=of("step", MODELZOO.weights_files),
        dev=of("step", MODELZOO.questions, "dev"),
        train=of("step", MODELZOO.train_files),
    output:
        command="<results>/modelzoo/{step}/command.txt",
        log="<results>/modelzoo/{step}/launcher.log",
        run="<results>/modelzoo/{step}/run.json",
    log:
        "<logs>/modelzoo/{step}.log",
    wildcard_constraints:
        step=any_of(MODELZOO.names("benchmark")),
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        # Under profiles/docker, too: it starts a container of its own.
        shell_exec="bash",
        # What a container may do says how, not what.
        container_options=MODELZOO.container_options(),
    params:
        # As with downloads: a newer command of ours would have the launcher do the same. What
        # decides is what it is told, the words.
        command=os.path.join(SCRIPTS_SHOWN, "run_modelzoo.py"),
        words=of("step", MODELZOO.words),
        launcher=of("", MODELZOO.launcher),
        image=options([("image", MODELZOO.section.get("image"))]),
        settings=of("step", MODELZOO.settings),
        weights=of("step", MODELZOO.weights),
        folder=subpath(output.run, parent=True),
        train=of("step", MODELZOO.train_option),
    shell:
        "python {params.command:q} --settings {params.settings:q} --launcher {params.launcher:q}"
        " {params.image} {resources.container_options} --vocab {input.vocab:q} --bert-config {input.config:q}"
        " --weights {params.weights:q} {params.train} --dev-questions {input.dev:q}"
        " --output {params.folder:q} &> {log:q}"


use rule modelzoo_benchmark as modelzoo_predict with:
    """Answer all questions by the launcher."""
    output:
        command="<results>/modelzoo/{step}/command.txt",
        log="<results>/modelzoo/{step}/launcher.log",
        run="<results>/modelzoo/{step}/run.json",
        predictions="<results>/modelzoo/{step}/predictions.json",
        nbest="<results>/modelzoo/{step}/nbest_predictions.json",
    wildcard_constraints:
        step=any_of(MODELZOO.names("accuracy")),


use rule modelzoo_benchmark as modelzoo_train with:
    """Fine-tune by the launcher, and answer all questions with the result."""
    output:
        command="<results>/modelzoo/{step}/command.txt",
        log="<results>/modelzoo/{step}/launcher.log",
        run="<results>/modelzoo/{step}/run.json",
        predictions="<results>/modelzoo/{step}/predictions.json",
        nbest="<results>/modelzoo/{step}/nbest_predictions.json",
        index="<results>/modelzoo/{step}/model.ckpt.index",
        weights="<results>/modelzoo/{step}/model.ckpt.data-00000-of-00001",
    wildcard_constraints:
        step=any_of(MODELZOO.names("training")),


rule read_modelzoo_log:
    """What the launcher printed, as JSON: speeds corrected and summed."""
    input:
        code=code("read_modelzoo_log.py"),
        log="<results>/modelzoo/{step}/launcher.log",
        run="<results>/modelzoo/{step}/run.json",
    output:
        "<results>/modelzoo/{step}/result.json",
    log:
        "<logs>/modelzoo/{step}/read_log.log",
    wildcard_constraints:
        step=any_of(MODELZOO.steps),
    shell:
        "python {input.code[0]:q} --log {input.log:q} --run {input.run:q} --output {output:q} &> {log:q}"


rule evaluate_modelzoo:
    """Score what the launcher predicted; the guide never does."""
    input:
        code=code("evaluate.py"),
        dataset=of("step", MODELZOO.questions, "dev"),
        official=of("step", MODELZOO.evaluator),
        predictions="<results>/modelzoo/{step}/predictions.json",
    output:
        "<results>/modelzoo/{step}/metrics.json",
    log:
        "<logs>/modelzoo/{step}/evaluate.log",
    wildcard_constraints:
        step=any_of(MODELZOO.names("training", "accuracy")),
    params:
        options=SCORING,
        official=of("step", MODELZOO.official_option),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} --predictions {input.predictions:q}"
        " --output {output:q} {params.options} {params.official} &> {log:q}"


rule convert_modelzoo:
    """Bring what the launcher trained into the form that `transformers` loads."""
    input:
        code=code("convert_checkpoint.py"),
        index="<results>/modelzoo/{step}/model.ckpt.index",
        weights="<results>/modelzoo/{step}/model.ckpt.data-00000-of-00001",
        config=of("step", MODELZOO.member, "config"),
        vocab=of("step", MODELZOO.member, "vocab"),
    output:
        weights="<results>/modelzoo/{step}/model/model.safetensors",
        config="<results>/modelzoo/{step}/model/config.json",
        vocab="<results>/modelzoo/{step}/model/vocab.txt",
        tokenizer="<results>/modelzoo/{step}/model/tokenizer_config.json",
    log:
        "<logs>/modelzoo/{step}/convert.log",
    wildcard_constraints:
        step=any_of(MODELZOO.names("training")),
    params:
        folder=subpath(output.weights, parent=True),
        gelu=of("step", MODELZOO.gelu),
    shell:
        "python {input.code[0]:q} --origin intel --weights {input.index:q} --config {input.config:q}"
        " --vocab {input.vocab:q} --layer-norm-eps 1e-3 --gelu {params.gelu}"
        " --output {params.folder:q} &> {log:q}"
