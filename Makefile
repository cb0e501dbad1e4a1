# make run: everything, from installation to report. make test: see it proven.
PYTHON ?= python3
VENV := .venv
SNAKEMAKE := $(VENV)/bin/snakemake

.PHONY: run speed test test-fast doctor image sif test-services lint format clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(SNAKEMAKE) --cores all --quiet host reason rules
	@$(VENV)/bin/python scripts/show_results.py --summary results/summary.csv --report results/report.html

# What this machine can do: BERT-Large by every engine and precision, in ten minutes, nothing downloaded.
speed: $(VENV)/.run
	@$(SNAKEMAKE) speed --cores all --quiet host reason rules

test: lint
	$(VENV)/bin/python -m pytest

test-fast: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m "not slow and not services"

# What this machine is, and what would spoil a run on it: make doctor CONFIG=config/guide.yaml
doctor: $(VENV)/.run
	@$(VENV)/bin/python scripts/doctor.py $(if $(CONFIG),--configfile $(CONFIG))

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

$(VENV)/.run: envs/requirements.txt envs/constraints.txt envs/install.py
	@$(PYTHON) envs/install.py $(VENV) envs/requirements.txt
	@touch $@

$(VENV)/.test: envs/test.txt envs/test-data.txt $(VENV)/.run
	@$(PYTHON) envs/install.py $(VENV) envs/requirements.txt envs/test.txt --no-deps envs/test-data.txt
	@touch $@

clean:
	rm -rf results .snakemake
