# make demo: try it.  make test: prove it.  make setup: the environment alone.
PYTHON ?= python3
VENV := .venv
PIP_WHEEL := .ci/pip-26.3-py3-none-any.whl
PIP := $(VENV)/bin/python $(PIP_WHEEL)/pip install --quiet --disable-pip-version-check --no-warn-script-location

.PHONY: help setup demo test lint serve clean lock

help:            ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(VENV)/.runtime   ## the locked environment in .venv, and the command .venv/bin/mingcha

# A Debian python without ensurepip still has `venv --without-pip`; the wheel of pip in .ci/ does the rest.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Mingcha needs Python 3.11 or newer; this is " + sys.version.split()[0])'
	@$(PYTHON) -m venv --without-pip $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing what Mingcha runs on (once, about a minute) ..." >&2
	@$(PIP) --require-hashes --only-binary :all: -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.test: tests/requirements.lock $(VENV)/.runtime
	@echo "Installing what the tests need ..." >&2
	@$(PIP) --require-hashes --only-binary :all: -r tests/requirements.lock
	@touch $@
