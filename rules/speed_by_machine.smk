"""What each kind of machine can do, where the configuration has `machines`."""

SPEED_ON_MACHINE = "<results>/speed/machines/{machine}/"


use rule measure_ceilings as measure_ceilings_on_machine with:
    output:
        f"{SPEED_ON_MACHINE}ceilings.json",
    log:
        "<logs>/measure_ceilings_on_machine/{machine}.log",
    resources:
        **MACHINES.resources(FOR_ALL_JOBS),


use rule measure_speed as measure_speed_on_machine with:
    # A precision that the kind lacks makes a cell that says so: its own processor tells.
    output:
        "<results>/{run}/{engine}-{precision}/benchmark/{machine}/"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.json",
    log:
        "<logs>/{run}/benchmark_inference/{engine}-{precision}/{machine}/"
        "{scenario}/batch{batch}-threads{threads}-repeat{repeat}.log",
    resources:
        **MACHINES.resources(
            FOR_ALL_JOBS,
            pace=of(CELL, SPEED_PACE.options),
            place=of(CELL, SPEED_PACE.place),
            mem_mb=of("run", MEMORY.inference),
        ),


use rule summarize_speed as summarize_speed_on_machine with:
    input:
        code=code("summarize_speed.py"),
        ceilings=f"{SPEED_ON_MACHINE}ceilings.json",
        model="<resources>/speed/model/config.json",
        cells=of("machine", SPEED.cells_of),
    output:
        table=report(
            f"{SPEED_ON_MACHINE}speed.csv",
            caption="../report/speed.rst",
            category="Speed",
            labels={"what": "table", "machine": "{machine}"},
        ),
        figure=report(
            f"{SPEED_ON_MACHINE}speed.svg",
            caption="../report/speed.rst",
            category="Speed",
            labels={"what": "figure", "machine": "{machine}"},
        ),
        text=f"{SPEED_ON_MACHINE}speed.txt",
    log:
        "<logs>/summarize_speed_on_machine/{machine}.log",
    params:
        machine=of("machine", MACHINES.named),
