# make run: everything, from installation to report. make test: see it proven.
PYTHON ?= python3
VENV := .venv
SNAKEMAKE := $(VENV)/bin/snakemake

.PHONY: run test test-fast lint format clean
.DEFAULT_GOAL := run

run: $(VENV)/.run
	@$(SNAKEMAKE) --cores all --quiet host reason rules
	@$(VENV)/bin/python scripts/show_results.py --summary results/summary.csv --report results/report.html

test: lint
	$(VENV)/bin/python -m pytest

test-fast: $(VENV)/.test
	$(VENV)/bin/python -m pytest -m "not slow"

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
