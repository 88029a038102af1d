# 1688sync. `make help` lists the targets; everything runs from .venv, which any of them makes when it is missing.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
BENCH_STAMP := .devstack/bench-venv/.installed
DIRECTUS_STAMP := .devstack/bench-directus/.installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test lint lock soak fuzz bench bench-quick openapi messages docs clean

# Checks that only import the project need settings, but no server answers behind these.
lint openapi messages docs: export IGNORE_ENV_FILES = 1
lint openapi messages docs: export SECRET_KEY = not-a-secret-0123456789-abcdefghijklmnopqrstuvwxyz
lint openapi messages docs: export JWT_SIGNING_KEY = not-a-secret-either-0123456789-abcdefghijklmnop
lint openapi messages docs: export CREDENTIALS_KEYS = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
lint openapi messages docs: export DATABASE_URL = postgresql://nobody@127.0.0.1:1/none
lint openapi messages docs: export REDIS_URL = redis://127.0.0.1:1/0

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP)  ## Make .venv and install the locked packages

$(STAMP): requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11, 2))' 2>/dev/null || \
		{ echo "1688sync needs Python 3.11.2 or later; name one with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; install it with: apt-get install python3-venv" >&2; exit 1; }
	@$(RUN) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the locked packages into $(VENV) (a minute or two, once) ..."
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r requirements-dev.lock
	@touch $@

demo: $(STAMP)  ## Run everything and sync 3,000 products [PORT=8000] [ONESHOT=1]
	@exec $(RUN) -m devstack.demo

# The tests start dozens of processes; where Python may keep no bytecode, each would compile the whole project first.
test: $(STAMP)  ## Run the tests [ARGS="tests/system -k name"]
	@$(RUN) -m compileall -q -x '/\.' .
	@$(RUN) -m pytest -n auto --maxprocesses 8 --dist loadfile -m "not soak" $(ARGS)

lint: $(STAMP)  ## Check style, types, imports and migrations
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	$(VENV)/bin/lint-imports
	$(RUN) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

lock: $(STAMP)  ## Resolve requirements*.txt into the hashed lock files
	$(VENV)/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11.0 --no-emit-index-url --no-emit-find-links \
		requirements-dev.txt -o requirements-dev.lock
	$(VENV)/bin/uv pip compile --quiet --upgrade --generate-hashes --python-version 3.11.0 --no-emit-index-url --no-emit-find-links \
		requirements.txt -o requirements.lock -c requirements-dev.lock

soak: $(STAMP)  ## Break everything at length and write docs/reliability.md [SCALE=10]
	@mkdir -p var && rm -f var/figures.json
	@FAULT_SCALE=$(or $(SCALE),10) FAULT_FIGURES=$(CURDIR)/var/figures.json $(RUN) -m pytest -v tests/faults tests/flow -m "soak or not soak" $(ARGS)
	@FAULT_SCALE=$(or $(SCALE),10) $(RUN) -m devstack.documents.reliability var/figures.json

fuzz: $(STAMP)  ## Call the API as nobody would, as four roles [EXAMPLES=50]
	@FUZZ_BOUNDS=1 FUZZ_ROLES=plain_user,viewer,operator,admin FUZZ_EXAMPLES=$(or $(EXAMPLES),50) \
		$(RUN) -m pytest -n auto --maxprocesses 8 tests/contracts/test_fuzz.py --hypothesis-profile default $(ARGS)

# dlt is large and needed here only; without it the rest is measured all the same.
$(BENCH_STAMP): benchmarks/requirements.txt
	@mkdir -p .devstack && $(PYTHON) -m venv $(@D) && \
		$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r $< && touch $@

# Of what it would build, only the sandbox is needed to start: no driver for other databases.
$(DIRECTUS_STAMP): benchmarks/peers/directus/package.json
	@mkdir -p $(@D) && cp $< $(@D) && cd $(@D) && npm install --ignore-scripts --no-audit --no-fund --loglevel=error && \
		npm rebuild isolated-vm --loglevel=error && touch .installed

bench: $(STAMP)  ## Measure it beside others and write docs/performance.md [SIZE=1000000] [ROUNDS=3] [SECONDS=3] [ONLY=reads]
	@$(MAKE) --no-print-directory $(BENCH_STAMP) || echo "dlt could not be installed; it is left out" >&2
	@$(MAKE) --no-print-directory $(DIRECTUS_STAMP) || echo "Directus could not be installed; it is left out" >&2
	@$(RUN) -m benchmarks --document docs/performance.md $(if $(SIZE),--size $(SIZE)) $(if $(ROUNDS),--rounds $(ROUNDS)) \
		$(if $(SECONDS),--seconds $(SECONDS)) $(if $(ONLY),--only "$(ONLY)") $(ARGS)

bench-quick: $(STAMP)  ## The same in a short form whose numbers mean nothing
	@$(RUN) -m benchmarks --quick --folder .devstack/bench-quick --results var/bench-quick.json $(ARGS)

openapi: $(STAMP)  ## Write the API contract the tests compare with
	for version in v1 v2; do \
		$(RUN) manage.py spectacular --validate --fail-on-warn --lang en --format openapi-json --api-version $$version \
			--file tests/contracts/openapi_$$version.json || exit 1; \
	done

messages: $(STAMP)  ## Collect and compile the translations
	@command -v msgfmt >/dev/null || { echo "gettext is missing; install it with: apt-get install gettext" >&2; exit 1; }
	$(RUN) manage.py makemessages --locale zh_Hans --no-location --no-obsolete --ignore $(VENV) --ignore tests
	$(RUN) manage.py compilemessages --locale zh_Hans --ignore $(VENV)

docs: $(STAMP)  ## Write the documents that come from the code
	DJANGO_SETTINGS_MODULE=config.settings $(RUN) -m devstack.documents

clean:  ## Remove the virtual environment, the demo's data and all caches
	@[ ! -f .devstack/pg.home ] || rm -rf "$$(cat .devstack/pg.home)"
	[ ! -f .devstack/bench/pg.home ] || rm -rf "$$(cat .devstack/bench/pg.home)"
	[ ! -f .devstack/bench-quick/pg.home ] || rm -rf "$$(cat .devstack/bench-quick/pg.home)"
	rm -rf $(VENV) .devstack staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
