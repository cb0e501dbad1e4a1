"""From URLs to tokenised questions and a checkpoint that loads in `transformers`."""


rule generate_demo:
    """Make the demo's passages, questions and untrained checkpoint."""
    input:
        code=code("generate_demo.py"),
        world=files_in("bertsquad/demo/world"),
    output:
        train="<resources>/demo/demo-train.json",
        dev="<resources>/demo/demo-dev.json",
        checkpoint="<resources>/demo/demo_uncased_L-2_H-128_A-2.zip",
    log:
        "<logs>/generate_demo.log",
    shell:
        "python {input.code[0]:q} --train {output.train:q} --dev {output.dev:q}"
        " --checkpoint {output.checkpoint:q} --seed 0 &> {log:q}"


rule download:
    """Fetch one artifact and verify it."""
    input:
        local=of("artifact", EXPERIMENT.local_source),
    output:
        "<resources>/downloads/{artifact}",
    log:
        "<logs>/download/{artifact}.log",
    localrule: True
    resources:
        # Mirrors and offline mode say how, not what: as resources they never cause a rerun.
        source=of("artifact", EXPERIMENT.download_source),
    params:
        # The command is no tracked input: a newer one would fetch the same verified bytes.
        command=os.path.join(SCRIPTS_SHOWN, "download.py"),
        identity=of("artifact", EXPERIMENT.identity),
    shell:
        "python {params.command:q} {params.identity} {resources.source} --output {output:q} &> {log:q}"


rule unzip:
    """Take one member out of a downloaded archive."""
    input:
        code=code("unzip.py"),
        archive="<resources>/downloads/{archive}",
    output:
        "<resources>/unzipped/{archive}/{member}",
    log:
        "<logs>/unzip/{archive}/{member}.log",
    localrule: True
    shell:
        "python {input.code[0]:q} --archive {input.archive:q} --member {wildcards.member:q}"
        " --output {output:q} &> {log:q}"


rule fetch_model:
    """Fetch a model's folder from a hub; an interrupted transfer goes on where it was."""
    output:
        # Its name is the last one written. Beside it are the files, which a new try continues.
        "<resources>/hub/{checkpoint}/fetched.json",
    log:
        "<logs>/fetch_model/{checkpoint}.log",
    localrule: True
    resources:
        source=of("checkpoint", EXPERIMENT.hub_source),
    params:
        command=os.path.join(SCRIPTS_SHOWN, "fetch_model.py"),
        identity=of("checkpoint", EXPERIMENT.hub_identity),
        folder=subpath(output[0], parent=True),
    shell:
        "python {params.command:q} {params.identity} {resources.source} --output {params.folder:q}"
        " &> {log:q}"


rule convert_checkpoint:
    """Bring a checkpoint of any origin into the form that `transformers` loads."""
    input:
        code=code("convert_checkpoint.py"),
        checkpoint=of("checkpoint", EXPERIMENT.checkpoint_files),
    output:
        weights="<resources>/checkpoints/{checkpoint}/model.safetensors",
        config="<resources>/checkpoints/{checkpoint}/config.json",
        vocab="<resources>/checkpoints/{checkpoint}/vocab.txt",
        tokenizer="<resources>/checkpoints/{checkpoint}/tokenizer_config.json",
    log:
        "<logs>/convert_checkpoint/{checkpoint}.log",
    params:
        folder=subpath(output.weights, parent=True),
        options=of("checkpoint", EXPERIMENT.checkpoint_options),
    shell:
        "python {input.code[0]:q} {params.options} --output {params.folder:q} &> {log:q}"


rule select_questions:
    """Cut a dataset down to some of its questions."""
    input:
        code=code("select_questions.py"),
        dataset=of("dataset split", EXPERIMENT.whole_questions_file),
    output:
        "<resources>/selections/{dataset}/{split}.json",
    log:
        "<logs>/select_questions/{dataset}-{split}.log",
    params:
        selection=of("dataset split", EXPERIMENT.selection),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} {params.selection} --output {output:q}"
        " &> {log:q}"


rule featurize:
    """Cut passages into windows of word pieces, each passage tokenised once."""
    input:
        code=code("featurize.py"),
        dataset=of("dataset split", EXPERIMENT.questions_file),
        vocab="<resources>/checkpoints/{checkpoint}/vocab.txt",
    output:
        "<resources>/features/{dataset}-{split}/{checkpoint}"
        "-length{length}-stride{stride}-query{query}{casing}.safetensors",
    log:
        "<logs>/featurize/{dataset}-{split}/{checkpoint}-length{length}-stride{stride}-query{query}{casing}.log",
    threads: 4
    params:
        training=of("split", training_option),
        negative=of("dataset split", NEGATIVES.training_option),
        casing=of("casing", casing_option),
    shell:
        "python {input.code[0]:q} --dataset {input.dataset:q} --vocab {input.vocab:q} --output {output:q}"
        " --max-seq-length {wildcards.length} --doc-stride {wildcards.stride}"
        " --max-query-length {wildcards.query} {params.training} {params.negative}"
        " --processes {threads} {params.casing} &> {log:q}"
