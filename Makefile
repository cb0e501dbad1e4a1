# `make help` lists what can be made.
PYTHON ?= python3
VENV := .venv
SNAKEMAKE := $(VENV)/bin/snakemake

.PHONY: plan-time help install run speed trust compare bench twin plans test tests test-fast fuzz kills mutants coverage doctor image sif test-services test-browser lint format rulegraph clean
.DEFAULT_GOAL := run

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "make %-14s %s\n", $$1, $$2}'

install: $(VENV)/.run ## the environment alone, with .venv/bin/bertsquad

# make run CONFIG=my.yaml
run: $(VENV)/.run ## everything, from installation to report: the demo (make alone does the same)
	@$(SNAKEMAKE) --cores all --quiet host reason rules $(if $(CONFIG),--configfile $(CONFIG))
	@$(VENV)/bin/python scripts/show_results.py --summary results/summary.csv --report results/report.html --certificate results/certificate.json

speed: $(VENV)/.run ## what this machine can do: BERT-Large by every engine and precision, in a quarter of an hour
	@$(SNAKEMAKE) speed --cores all --quiet host reason rules

# In pieces: make trust SECONDS=1800, again until all trials are done.
trust: $(VENV)/.run ## what a verdict on this machine is worth: sides that are equal, sides that are not
	@test -f results/trust/noise.json || $(VENV)/bin/python scripts/noise.py --output results/trust/noise.json
	@$(VENV)/bin/python scripts/check_verdicts.py --results results/trust --noise results/trust/noise.json \
		--page docs/results/trust $(if $(SECONDS),--seconds $(SECONDS))

# make compare A=results B=../other/results REQUIRE=inputs,settings,code,predictions,f1
compare: $(VENV)/.run ## does a run reproduce another, and where do they part? A=results B=../other/results
	@$(VENV)/bin/python scripts/compare_runs.py "$(A)" "$(B)" --page compare.html --json compare.json \
		$(if $(REQUIRE),--require $(REQUIRE)) $(if $(MARGIN),--margin $(MARGIN)) $(if $(BAND),--band $(BAND))

# A file's tests stay together: they share what is slow to make. Files with slow tests come first
# (tests/conftest.py), not those with many tests.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test: lint tests ## lint, types, and all tests but those of services

tests: $(VENV)/.test ## all tests but those of services
	$(VENV)/bin/python -m pytest $(SIDE_BY_SIDE)

test-fast: $(VENV)/.test ## tests that take seconds
	$(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not services and not browser"

fuzz: $(VENV)/.test ## 100,000 damaged files of each kind; the tests try 2,000
	FUZZ_INPUTS=100000 $(VENV)/bin/python -m pytest tests/fuzz

# KILLS_SEED=1 draws other moments.
kills: $(VENV)/.test ## 100 kills at random moments of training, writing, downloading, unzipping
	KILLS=100 $(VENV)/bin/python -m pytest tests/commands/test_random_kills.py

# make mutants ONLY="optimizer schedule"
MUTANTS := .venv-mutants
mutants: $(VENV)/.test $(MUTANTS)/.installed ## changes to a few modules that no test notices, an hour
	@$(VENV)/bin/python tests/mutants.py --tool $(MUTANTS)/bin $(ONLY)

$(MUTANTS)/.installed: envs/mutants.txt envs/install.py
	@$(PYTHON) envs/install.py $(MUTANTS) envs/mutants.txt
	@touch $@

coverage: $(VENV)/.test ## tests that take seconds, and the lines that none of them ran
	$(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not services and not browser" --cov=scripts --cov-report=term-missing:skip-covered

# make doctor CONFIG=config/guide.yaml
doctor: $(VENV)/.run ## what this machine is, and what would spoil a run on it
	@$(VENV)/bin/python scripts/doctor.py $(if $(CONFIG),--configfile $(CONFIG))

# Parts, and fewer turns of each contender: make bench ONLY="inference-fp32 data" ROUNDS=8
# This tree beside one of its commits: make bench ONLY=inference-fp32 BASE=v1.0
PEERS := .venv-bench
bench: squad $(VENV)/.test $(PEERS)/.peers $(PEERS)/.tensorflow ## this project beside other software, on real SQuAD (SQUAD_DIR), an hour or two
	@$(VENV)/bin/python scripts/benchmark_peers.py --results results/bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY)) $(if $(BASE),--base $(BASE))
	@$(if $(BASE),,$(VENV)/bin/python scripts/report_bench.py --results results/bench \
		--page docs/results/benchmarks.md --figure docs/results/benchmarks.svg)

twin: $(VENV)/.test ## how well a server's queue is predicted: 60 runs, twenty minutes on a quiet machine
	$(VENV)/bin/python tests/fixtures/measure_twin.py measure --folder results/twin
	$(VENV)/bin/python tests/fixtures/measure_twin.py report --folder results/twin --output docs/results/trust

# In pieces: make plans SECONDS=140, again until all are checked. Needs SQUAD_DIR: a folder with SQuAD
# 1.1, on which MiniLM is trained first (SECONDS=0: only that).
plans: $(VENV)/.test ## do plans hold: eight of them run as servers, half an hour on a quiet machine
	$(VENV)/bin/python tests/fixtures/measure_plans.py measure --folder results/plans $(if $(SECONDS),--seconds $(SECONDS))
	$(VENV)/bin/python tests/fixtures/measure_plans.py report --folder results/plans --output docs/results/plan

.PHONY: squad
squad:
	@test -f "$$SQUAD_DIR/dev-v1.1.json" -a -f "$$SQUAD_DIR/train-v1.1.json" || { echo "SQUAD_DIR is '$$SQUAD_DIR';" \
		"expected the folder of dev-v1.1.json and train-v1.1.json:" \
		"download them from https://rajpurkar.github.io/SQuAD-explorer/dataset/"; exit 2; }

$(PEERS)/.%: envs/install.py envs/constraints.txt
	@$(PYTHON) envs/install.py $(PEERS)/$* envs/peers$(if $(filter tensorflow,$*),-tensorflow).txt
	@touch $@
$(PEERS)/.peers: envs/peers.txt
$(PEERS)/.tensorflow: envs/peers-tensorflow.txt

plan-time: $(VENV)/.run ## how long a large plan takes: 40 options, 4 classes of length, 5 kinds of machines
	@PYTHONPATH=scripts $(VENV)/bin/python tests/planner/measure_time.py

# make image BASE=python:3.11-slim-bookworm@sha256:...
image: $(VENV)/.run ## the environment as a Docker image, for profiles/docker
	$(VENV)/bin/python scripts/build_image.py --tag bertsquad $(if $(BASE),--base $(BASE))

sif: image ## the environment as one file for Apptainer, for profiles/apptainer
	$(VENV)/bin/python scripts/build_sif.py --tag bertsquad --output envs/bertsquad.sif

# As root on Debian; elsewhere it says what is missing.
# Where the validators of a crate cannot be installed, their tests are skipped and say so.
VALIDATORS := .venv-validators
test-services: $(VENV)/.test ## tests with a Docker engine, the image, Apptainer, Slurm, two hosts, validators of crates
	-@test -f $(VALIDATORS)/.installed || $(MAKE) --no-print-directory $(VALIDATORS)/.installed
	$(VENV)/bin/python -m pytest -m services tests/services

# Its packages differ from those of envs/constraints.txt.
$(VALIDATORS)/.installed: envs/validators.txt
	@$(PYTHON) -m venv $(VALIDATORS)
	@$(VALIDATORS)/bin/pip install --quiet --disable-pip-version-check --requirement envs/validators.txt
	@touch $@

# Debian's chromium, which is installed by apt where this runs as root; elsewhere it says what is missing.
test-browser: $(VENV)/.test ## the report in a real browser: dark, narrow, printed, accessible
	$(VENV)/bin/python -m pytest -m browser tests/browser

lint: $(VENV)/.test ## style, types, and Snakemake's own linter
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/snakefmt --check Snakefile rules
	$(VENV)/bin/mypy
	$(SNAKEMAKE) --lint

format: $(VENV)/.test ## bring code and generated tables into form
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format
	$(VENV)/bin/snakefmt Snakefile rules
	$(VENV)/bin/python scripts/document_config.py config/README.md

$(VENV)/.run: envs/requirements.txt envs/constraints.txt envs/install.py
	@$(PYTHON) envs/install.py $(VENV) envs/requirements.txt
	@touch $@

$(VENV)/.test: envs/test.txt envs/test-data.txt $(VENV)/.run
	@$(PYTHON) envs/install.py $(VENV) envs/requirements.txt envs/test.txt --no-deps envs/test-data.txt
	@touch $@

# Without the arrows that follow from others; graphviz brings tred and dot.
rulegraph: $(VENV)/.run ## draw the rules again: docs/images/rulegraph.svg
	$(SNAKEMAKE) --rulegraph | tred | dot -Tsvg > docs/images/rulegraph.svg

clean: ## remove all results
	rm -rf results .snakemake
