# Needs a Python from 3.11 on; PYTHON=python3.13 make test chooses one, each in an environment of its own.

SUITABLE := import sys; sys.exit(sys.version_info < (3, 11))
ifdef PYTHON
VENV ?= .venv-$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
else
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(SUITABLE)' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
endif
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test check bench docs clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 14

serve: $(VENV)/.has-all ## a demonstration at http://localhost:8000; ARGS="--port 9000" for another port
	mkdir -p build/serve
	cd build/serve && $(abspath $(BIN))/coatcheck dev $(ARGS)

test: $(VENV)/.has-test ## the test-suite; ARGS="-k jwt" for a part; COVERAGE=1 measures branch coverage
	scripts/system-package chromium chromium
	PATH="$$PATH:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)" scripts/system-package postgresql initdb
	PATH="$$PATH:/usr/sbin" scripts/system-package nginx nginx
	scripts/system-package redis-server redis-server
	scripts/system-package systemd systemd-analyze
	scripts/node-modules tests/clients build/clients
	$(BIN)/pytest $(or $(ARGS),-n auto --dist worksteal $(if $(COVERAGE),--cov))

check: $(VENV)/.has-check ## formatting, lint, types, public types, architecture
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" basedpyright
	PATH="$(abspath $(BIN)):$$PATH" basedpyright --verifytypes coatcheck --ignoreexternal
	$(BIN)/pytest -q tests/test_architecture.py

bench: $(VENV)/.has-bench ## measure against other libraries; ARGS="web" for a part
	scripts/system-package wrk wrk
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.has-docs ## the documentation, into build/docs
	$(BIN)/sphinx-build -n -W -q docs build/docs
	@echo "build/docs/index.html"

clean: ## all that the words above made
	rm -rf .venv .venv-* build dist htmlcov .coverage* .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The package, editable and with all extras, and one dependency group. Newer than pyproject.toml: nothing to do.
$(VENV)/.has-%: pyproject.toml scripts/venv
	@test -n "$(PYTHON)" || { echo "No Python from 3.11 on found: apt-get install python3" >&2; exit 1; }
	scripts/venv $(PYTHON) $(VENV) --editable '.[all]' $(if $(filter all,$*),,--group $*)
	@touch $@
