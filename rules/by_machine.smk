"""Answers and scores of a kind of machine, where `machines` asks for its accuracy."""

ON_MACHINE = "<results>/{run}/{engine}-{precision}/machines/{machine}/"
MODEL_ON_MACHINE = "run engine precision machine"


use rule compute_logits as compute_logits_on_machine with:
    output:
        f"{ON_MACHINE}logits.safetensors",
    log:
        "<logs>/{run}/compute_logits_on_machine/{engine}-{precision}/{machine}.log",
    benchmark:
        "<benchmarks>/{run}/compute_logits_on_machine/{engine}-{precision}/{machine}.jsonl"
    wildcard_constraints:
        run=any_of(config["runs"]),
        machine=any_of(MACHINES.scored),
    resources:
        **MACHINES.resources(FOR_ALL_JOBS, mem_mb=of("run", MEMORY.inference)),


use rule predict as predict_on_machine with:
    input:
        code=code("predict.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        features=of("run", EXPERIMENT.features_file, "dev"),
        vocab="<results>/{run}/model/vocab.txt",
        logits=f"{ON_MACHINE}logits.safetensors",
    output:
        predictions=f"{ON_MACHINE}predictions.json",
        nbest=f"{ON_MACHINE}nbest_predictions.json",
    log:
        "<logs>/{run}/predict_on_machine/{engine}-{precision}/{machine}.log",
    wildcard_constraints:
        run=any_of(NEGATIVES.other_runs()),
        machine=any_of(MACHINES.scored),
    resources:
        **MACHINES.resources(FOR_ALL_JOBS),


use rule predict_on_machine as predict_with_negative_on_machine with:
    output:
        predictions=f"{ON_MACHINE}predictions.json",
        nbest=f"{ON_MACHINE}nbest_predictions.json",
        null_odds=f"{ON_MACHINE}null_odds.json",
    wildcard_constraints:
        run=any_of(NEGATIVES.runs()),
        machine=any_of(MACHINES.scored),
    params:
        options=of(MODEL_ON_MACHINE, NEGATIVES.negative_decoding_options),


use rule evaluate as evaluate_on_machine with:
    input:
        code=code("evaluate.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        official=of("run", EXPERIMENT.official_evaluator),
        null_odds=of(MODEL_ON_MACHINE, NEGATIVES.null_odds),
        predictions=f"{ON_MACHINE}predictions.json",
    output:
        f"{ON_MACHINE}metrics.json",
    log:
        "<logs>/{run}/evaluate_on_machine/{engine}-{precision}/{machine}.log",
    wildcard_constraints:
        machine=any_of(MACHINES.scored),
    resources:
        **MACHINES.resources(FOR_ALL_JOBS),
    params:
        options=SCORING,
        official=of("run", EXPERIMENT.official_option),
        negative=of("run", NEGATIVES.scoring_option),
        null_odds=of(MODEL_ON_MACHINE, NEGATIVES.na_prob_options),


use rule compare_answers as compare_answers_on_machine with:
    # Beside the same engine and precision where all is computed once.
    input:
        code=code("compare_answers.py"),
        dataset=of("run", EXPERIMENT.dev_questions),
        reference_predictions="<results>/{run}/{engine}-{precision}/predictions.json",
        reference_logits="<results>/{run}/{engine}-{precision}/logits.safetensors",
        predictions=f"{ON_MACHINE}predictions.json",
        logits=f"{ON_MACHINE}logits.safetensors",
    output:
        f"{ON_MACHINE}comparison.json",
    log:
        "<logs>/{run}/compare_answers_on_machine/{engine}-{precision}/{machine}.log",
    wildcard_constraints:
        machine=any_of(MACHINES.scored),
