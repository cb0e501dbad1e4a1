# make run: everything, from installation to report. make test: see it proven.
PYTHON ?= python3
VENV := .venv
SNAKEMAKE := $(VENV)/bin/snakemake

.PHONY: run speed bench test test-fast doctor image sif test-services lint format clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(SNAKEMAKE) --cores all --quiet host reason rules
	@$(VENV)/bin/python scripts/show_results.py --summary results/summary.csv --report results/report.html

# What this machine can do: BERT-Large by every engine and precision, in ten minutes, nothing downloaded.
speed: $(VENV)/.run
	@$(SNAKEMAKE) speed --cores all --quiet host reason rules

# A file's tests stay together: they share what is slow to make.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile

test: lint
	$(VENV)/bin/python -m pytest $(SIDE_BY_SIDE)

test-fast: $(VENV)/.test
	$(VENV)/bin/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not services"

# What this machine is, and what would spoil a run on it: make doctor CONFIG=config/guide.yaml
doctor: $(VENV)/.run
	@$(VENV)/bin/python scripts/doctor.py $(if $(CONFIG),--configfile $(CONFIG))

# This project beside other software, on real SQuAD (SQUAD_DIR), about 25 minutes: docs/results/benchmarks.md.
# Parts, and fewer turns of each side: make bench ONLY="inference-fp32 data" ROUNDS=8
PEERS := .venv-bench
bench: squad $(VENV)/.test $(PEERS)/.peers $(PEERS)/.tensorflow
	@$(VENV)/bin/python scripts/benchmark_peers.py --results results/bench $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(ONLY),--only $(ONLY))
	@$(VENV)/bin/python scripts/report_bench.py --results results/bench \
		--page docs/results/benchmarks.md --figure docs/results/benchmarks.svg

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

# The environment as a Docker image, and as a file for Apptainer: profiles/docker, profiles/apptainer.
# make image BASE=python:3.11-slim-bookworm@sha256:...
image: $(VENV)/.run
	$(VENV)/bin/python scripts/build_image.py --tag bertsquad $(if $(BASE),--base $(BASE))

sif: image
	$(VENV)/bin/python scripts/build_sif.py --tag bertsquad --output envs/bertsquad.sif

# A Docker engine, the image, Apptainer, two hosts: as root on Debian; elsewhere it says what is missing.
test-services: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m services tests/services

lint: $(VENV)/.test
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/snakefmt --check Snakefile rules
	$(SNAKEMAKE) --lint

format: $(VENV)/.test
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

clean:
	rm -rf results .snakemake
