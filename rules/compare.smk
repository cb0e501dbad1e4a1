"""Which of two cells is faster, and what this machine can tell apart at all."""


rule compare_speed:
    """Measure two cells by turns in one job: faster, slower, the same, or that it cannot be told."""
    input:
        code=code("compare_speed.py", without=(*CONSOLE, *MODE_TABLE)),
        side=code("take_turns.py", without=(*CONSOLE, *MODE_TABLE)),
        engines=of("comparison", compared_code),
        files=of("comparison", COMPARISONS.inputs),
    output:
        "<results>/comparisons/{comparison}.json",
    log:
        "<logs>/compare_speed/{comparison}.log",
    priority: -1000000
    # A measurement runs alone, and after everything else that could run beside it.
    threads: WHOLE_MACHINE
    resources:
        pace=pace_options(EXPERIMENT),  # no parameter: more patience is no reason to measure again
    params:
        options=of("comparison", COMPARISONS.options),
    shell:
        "python {input.code[0]:q} --name {wildcards.comparison:q} {resources.pace} {params.options}"
        " --at-most {threads} --output {output:q} &> {log:q}"


rule noise:
    """This machine's noise floor: which differences it can tell, in five minutes."""
    input:
        code=code("noise.py", without=(*CONSOLE, *MODE_TABLE)),
        side=code("take_turns.py", without=(*CONSOLE, *MODE_TABLE)),
        engine=noise_code(),
    output:
        "<results>/noise.json",
    log:
        "<logs>/noise.log",
    priority: -1000000
    # A measurement runs alone.
    threads: WHOLE_MACHINE
    resources:
        pace=pace_options(EXPERIMENT),
    params:
        options=noise_options(EXPERIMENT),
    shell:
        "python {input.code[0]:q} {resources.pace} {params.options} --threads all --at-most {threads}"
        " --output {output:q} 2> {log:q}"


rule show_comparisons:
    """Gather all comparisons into a table, with the noise floor beside them."""
    input:
        code=code("show_comparisons.py"),
        comparisons=COMPARISONS.files(),
        noise=COMPARISONS.noise(),
    output:
        table=report(
            "<results>/comparisons.csv",
            caption="../report/comparisons.rst",
            category="Results",
        ),
        text="<results>/comparisons.txt",
    log:
        "<logs>/show_comparisons.log",
    localrule: True
    shell:
        "python {input.code[0]:q} --comparisons {input.comparisons:q} --noise {input.noise:q}"
        " --table {output.table:q} > {output.text:q} 2> {log:q}"


rule comparisons:
    """Which of two cells is faster, for every pair of `comparisons`: a table that is printed."""
    input:
        # The figure is the report's: whatever is drawn waits for the summary of all cells.
        text="<results>/comparisons.txt",
    log:
        "<logs>/comparisons.log",
    localrule: True
    shell:
        "cat {input.text:q} | tee {log:q}"
