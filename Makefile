# `make` alone shows what there is to do. All it needs is Python 3.11 to 3.13, make and git.

# Where the program and its packages go.
VENV ?= .venv
# The Python to make it with; empty: the newest on the PATH that will do.
PYTHON ?=
# The edition that `make demo` sends; empty: the sample that comes with the program.
DIGEST ?=
# More options for the tool behind a target.
DRILL ?=
LOCK ?=
PYTEST ?=

export VENV PYTHON

bin := $(VENV)/bin
mail_tools := tests/mailcheck/node_modules
mail_pages := .mailcheck

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help install dev demo up drill test lint types imports pytest mailcheck screenshots lock wheel clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Put the program into .venv/bin/distributor (PYTHON=path chooses the Python)
	@scripts/venv runtime

dev: ## Install the tools and the packages of the tests as well
	@scripts/venv dev

demo: install ## Send the sample digest to sample subscribers (DIGEST=path.md: another one)
	@$(bin)/distributor demo $(if $(DIGEST),"$(DIGEST)")

up: install ## Run everything on this machine until Ctrl-C
	@$(bin)/distributor up

drill: install ## Kill programs 50 times under a send to 20,000 and prove that nobody is lost (DRILL="--seed 7")
	@$(bin)/distributor drill --recipients 20000 --kills 50 $(DRILL)

test: dev ## Check style, types and imports, then run all tests
	@$(MAKE) --no-print-directory --keep-going lint types imports pytest

lint: dev ## Check style
	@$(bin)/ruff check --quiet
	@$(bin)/ruff format --check --quiet

types: dev ## Check types
	@$(bin)/mypy --no-error-summary

imports: dev ## Check who imports whom
	@$(bin)/lint-imports --no-logo

pytest: dev ## Run all tests (PYTEST="-k word": some of them)
	@$(bin)/pytest --numprocesses 3 --dist worksteal $(PYTEST)

mailcheck: dev $(mail_tools) ## Judge the email with others' tools: caniemail, html-validate, axe, SpamAssassin
	@$(bin)/pytest tests/mailcheck

screenshots: dev $(mail_tools) ## Make the pictures of emails in docs/images anew
	@$(bin)/python -m tests.mailcheck.editions $(mail_pages)
	@node tests/mailcheck/screenshots.mjs docs/images $(mail_pages)/*.html

$(mail_tools): tests/mailcheck/package-lock.json
	@npm ci --prefix tests/mailcheck --no-audit --no-fund --silent
	@touch $@

lock: dev ## Write the locks anew (LOCK=--upgrade: with the newest versions)
	@scripts/lock $(LOCK)

wheel: dev ## Build the wheel and the source archive into dist/
	@$(bin)/hatchling build

clean: ## Remove everything that can be made again; the data in var/ stays
	rm -rf .venv .venv-* dist build $(mail_tools) $(mail_pages) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find channels distributor tests -name __pycache__ -type d -prune -exec rm -rf {} +
