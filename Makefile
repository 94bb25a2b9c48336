# The front door. Everything real is in tools/; this finds a Python and hands over.
# Needs make and Python 3.11 or newer with venv; everything else is installed into .venv and frontend/node_modules.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev wheel demo test check format lock messages screenshots clean

# Each candidate is run, not merely found: a version manager's shim can be on the path and still fail.
FIND_PYTHON = set -- python3 python3.13 python3.12 python3.11 /usr/bin/python3; \
	if [ -n "$$PYTHON" ]; then set -- "$$PYTHON"; fi; \
	for p in "$$@"; do \
	  if "$$p" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	  then python="$$p"; break; fi; done; \
	if [ -z "$$python" ]; then \
	  echo "Xiezhi needs Python 3.11 or newer with its venv and ensurepip modules; none that runs was found." >&2; \
	  echo "On Debian: apt-get install python3 python3-venv    or name one: make PYTHON=/path/to/python3" >&2; \
	  exit 1; fi
RUN = .venv/bin/python

help: ## this list
	@echo 'make TARGET, where TARGET is one of'
	@sed -n 's/^\([a-z-]*\):[^#]*## /  \1\t/p' Makefile | expand -t 14
	@echo 'make demo PORT=8080 DATABASE_URL=postgres://user:password@host/name uses another port or database.'

setup: ## what running Xiezhi needs, into .venv
	@$(FIND_PYTHON); exec "$$python" tools/bootstrap.py base

setup-dev: ## everything that working on Xiezhi needs, into .venv
	@$(FIND_PYTHON); exec "$$python" tools/bootstrap.py dev

wheel: setup ## build assets and catalogues, then dist/xiezhi-….whl, which needs no Node to install
	@exec $(RUN) tools/wheel.py

demo: setup ## set up, load the demo district and serve it on 127.0.0.1 (PORT, 8000 unless told)
	@exec $(RUN) -m xiezhi demo $(if $(PORT),--port "$(PORT)")

test: setup-dev ## set up and run the whole suite: SQLite, PostgreSQL, browser journeys
	@exec $(RUN) tools/run_tests.py

check: setup-dev ## format, lint, types, import contracts, templates, migrations, generated docs, catalogues
	@exec $(RUN) tools/check.py

format: setup-dev ## lay out code and templates as `make check` wants them
	@exec $(RUN) tools/check.py --fix

messages: setup-dev ## bring the message catalogues up to date with the source
	@exec $(RUN) tools/messages.py update

screenshots: setup-dev ## take the journeys' screenshots into docs/images, made small
	@exec $(RUN) tools/screenshots.py

lock: setup-dev ## resolve requirements/*.in and frontend/package.json again, newest versions
	@exec $(RUN) tools/lock.py

clean: ## remove what set-up and builds made (.venv, node_modules, built assets, caches); data in var/ stays
	@rm -rf .venv frontend/node_modules src/xiezhi/foundation/ui/static/ui/dist src/xiezhi/static build \
	  .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
	@find src -name '*.mo' -delete
