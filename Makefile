# Every target sets itself up: Python 3.11+, Node 20+ and make are all that must be there.
PYTHON ?= python3
BIN := .venv/bin
# jsii prints a box of warnings for Node versions that are past their end of life.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := 18,20,22
export JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION := 1

.PHONY: setup lint synth test rehearse explore proof bench image lock clean

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

# The whole main job: every rollout that the example's file names, on the local AWS, and their report.
rehearse: setup
	@$(BIN)/steelyard rehearse tumour-classifier --all

synth: setup
	@$(BIN)/python app.py

lint: setup
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary app.py endpoints/*/*.py
	@$(BIN)/mypy --no-error-summary -p benchmarks.serving -p benchmarks.judge --exclude /peers/
	@$(BIN)/mypy --no-error-summary -p exploration

test: lint
	@$(BIN)/pytest -q -m "not proof" -n auto --dist loadscope

# Orders of calls in which handlers and state machine could break an invariant: docs/reliability.md.
explore: setup
	@$(BIN)/python -m exploration $(ARGS)

# What is too long for `test`: the real cdk command line, the report in a real browser.
proof: rehearse
	@$(BIN)/pytest -q -m proof

# What serving costs here and elsewhere; every server in an environment of its own, ours too.
PEERS := fastapi mlserver bentoml litserve
BENCHED := $(patsubst %,build/bench/%/.ready,steelyard $(PEERS))
bench: setup $(BENCHED)
	@$(BIN)/python -m benchmarks.serving $(ARGS)

build/bench/steelyard/.ready: requirements/inference.txt
$(patsubst %,build/bench/%/.ready,$(PEERS)): build/bench/%/.ready: benchmarks/serving/requirements/%.txt
build/bench/%/.ready:
	@echo "setting up $* for the comparison"
	@$(PYTHON) -m venv --clear build/bench/$*
	@build/bench/$*/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $^
	@touch $@

# The serving container's image, built and pushed under its immutable tag: docs/image.md.
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
USER_ID ?= 65532
image:
	@test -n "$(REGISTRY)" || \
		{ echo "REGISTRY is not given: make image REGISTRY=ACCOUNT.dkr.ecr.REGION.amazonaws.com"; exit 2; }
	@test -z "$$(git status --porcelain -- inference requirements/inference.txt .dockerignore pyproject.toml)" || \
		{ echo "the container's code is not committed, and its image names a commit: commit it first"; exit 2; }
	@docker buildx version >/dev/null || \
		{ echo "docker has no buildx: docs/image.md says what an image needs"; exit 2; }
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) docker buildx build --file inference/Dockerfile \
		--platform linux/amd64 --provenance=false --sbom=false \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD) \
		--build-arg SOURCE=$(SOURCE) --build-arg USER_ID=$(USER_ID) \
		--build-arg MODEL_VERSION=$(or $(MODEL_VERSION),none) \
		--output type=image,name=$(REGISTRY)/steelyard-inference:$(or $(TAG),$(VERSION)),push=true,oci-mediatypes=false,rewrite-timestamp=true .

# Writes the hash-locked requirements anew, after a change of pyproject.toml.
LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-annotate
OURS := --no-emit-package steelyard pyproject.toml
lock: setup
	@$(LOCK) $(OURS) --extra dev --output-file requirements/dev.txt
	@$(LOCK) $(OURS) --extra train --output-file requirements/train.txt
	@# The image holds the container alone, not what the command line needs.
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["inference"], sep="\n")' | \
		$(LOCK) --output-file requirements/inference.txt -
	@for peer in $(PEERS); do \
		$(LOCK) benchmarks/serving/requirements/$$peer.in --output-file benchmarks/serving/requirements/$$peer.txt; done

clean:
	@rm -rf build cdk.out
