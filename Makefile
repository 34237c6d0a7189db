# Every target sets itself up: Python 3.11+, Node 20+ and make are all that must be there.
PYTHON ?= python3
BIN := .venv/bin
# jsii prints a box of warnings for Node versions that are past their end of life.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20,22
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1

.PHONY: setup lint synth test rehearse proof lock clean

setup: .venv/.ready node_modules/.ready

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11: install a newer one, or name it: make PYTHON=python3.12"; exit 2; }
	@echo "setting up Python packages, about a minute"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

node_modules/.ready: package-lock.json
	@command -v npm >/dev/null || \
		{ echo "npm is not on the PATH: CDK needs Node.js; install Node.js 20 or newer"; exit 2; }
	@echo "setting up Node packages"
	@npm ci --silent
	@touch $@

# The whole main job: three rollouts of the example on the local AWS, and their report.
rehearse: setup
	@$(BIN)/steelyard rehearse tumour-classifier --all

synth: setup
	@$(BIN)/python app.py

lint: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary app.py endpoints/*/*.py

test: lint
	@$(BIN)/pytest -q -m "not proof"

# What is too long for `test`: the real cdk command line, the report in a real browser.
proof: rehearse
	@$(BIN)/pytest -q -m proof

# Writes the hash-locked requirements anew, after a change of pyproject.toml.
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-annotate --no-emit-package steelyard pyproject.toml
lock: setup
	@$(LOCK) --extra dev --output-file requirements/dev.txt
	@$(LOCK) --extra train --output-file requirements/train.txt
	@$(LOCK) --extra inference --output-file requirements/inference.txt

clean:
	@rm -rf build cdk.out
