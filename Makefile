# make demo: try it.  make test: prove it.  make setup: the environment alone.
VENV := .venv
PIP_WHEEL := .ci/pip-26.3-py3-none-any.whl
PIP := $(VENV)/bin/python $(PIP_WHEEL)/pip install -qq --disable-pip-version-check \
	--no-warn-script-location --root-user-action=ignore --no-input
LOCKED := --require-hashes --only-binary :all:
BIN := $(VENV)/bin

.PHONY: help setup demo test lint serve docs phone lock clean
.DELETE_ON_ERROR:

help:            ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(VENV)/.runtime   ## the locked environment in .venv, and the command .venv/bin/mingcha

demo: $(VENV)/.runtime    ## run everything on this machine with the demonstration evaluation; Ctrl-C stops it
	@$(BIN)/mingcha demo $(ARGS)

serve: $(VENV)/.runtime   ## the same without demonstration data
	@$(BIN)/mingcha serve $(ARGS)

test: $(VENV)/.test $(VENV)/.s3 lint  ## every test, with what it needs installed first
	@bash .ci/browser
	@MINGCHA_ALL_TESTS=1 $(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

lint: $(VENV)/.test       ## style, types and the one-way imports
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports > $(VENV)/lint-imports.txt || { cat $(VENV)/lint-imports.txt; exit 1; }

docs: $(VENV)/.runtime    ## print docs/documents/*.md anew from the scheme files
	@mkdir -p docs/documents
	@$(BIN)/mingcha scheme list | cut -f1 | while read -r id; do $(BIN)/mingcha scheme show $$id > docs/documents/$$id.md; done

phone: $(VENV)/.runtime   ## make static/phone of static/field (developers; needs node and npm)
	@$(BIN)/python .ci/phone.py

lock:            ## write both lock files anew from pyproject.toml (developers; needs uv)
	uv pip compile pyproject.toml --group build $(COMPILE) -o requirements.lock
	uv pip compile pyproject.toml --group build --group test $(COMPILE) -c requirements.lock -o tests/requirements.lock
COMPILE := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

clean:           ## remove the environment and every cache; data/ stays
	@rm -rf $(VENV) build *.egg-info .ruff_cache .mypy_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A Debian python without ensurepip still has `venv --without-pip`; the wheel of pip in .ci/ does the rest.
$(VENV)/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then exec $$python -m venv --without-pip $(VENV); fi; \
	done; echo "Mingcha needs Python 3.11 or newer (make PYTHON=/path/to/python3.11 setup)." >&2; exit 1

$(VENV)/.runtime: requirements.lock pyproject.toml $(PIP_WHEEL) | $(VENV)/bin/python
	@echo "Installing what Mingcha runs on into .venv (once, about a minute) ..." >&2
	@$(PIP) $(LOCKED) -r requirements.lock
	@PYTHONWARNINGS=ignore $(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.test: tests/requirements.lock $(VENV)/.runtime
	@echo "Installing what the tests need into .venv ..." >&2
	@$(PIP) $(LOCKED) -r tests/requirements.lock
	@touch $@

# A real S3 server for the tests of the S3 store, apart: it wants another python-dateutil than we do
$(VENV)/.s3: tests/s3.lock | $(VENV)/bin/python
	@$(VENV)/bin/python -m venv --without-pip $(VENV)/s3
	@$(VENV)/s3/bin/python $(PIP_WHEEL)/pip install -qq --disable-pip-version-check --no-warn-script-location \
		--root-user-action=ignore --no-input $(LOCKED) -r tests/s3.lock
	@touch $@
