# Short names for what people do here. `make demo` and `make test` need nothing but Python 3.11 or newer and make.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3,$(shell $(p) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(p))))
VENV := .venv
BIN := $(VENV)/bin
JOBS := glue-ingest glue-transform rs-query trigger
PACKAGES := $(JOBS) local-cloud orchestration
ENV ?= local
ELT := $(BIN)/elt
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --durations 30

.PHONY: help init demo test test-fast across campaign setup checkov lint types format package package-tests lowest lowest-tests same-python docs images lock run-pipeline backfill status logs-glue verify plan apply destroy clean

demo: $(VENV)/.demo  ## The whole pipeline on this machine, on a generated month
	$(ELT) demo

help:  ## What there is to make
	@sed -n "s/^\([a-z][a-z-]*\):.*##  *\(.*\)/\1@\2/p" $(firstword $(MAKEFILE_LIST)) | awk -F@ '{ printf "%-14s %s\n", $$1, $$2 }'

init:  ## Nothing has to be initialised: what to do instead
	@echo "there is nothing to initialise: make demo sets up and runs all on this machine, make plan and make apply deploy ENV=dev or ENV=prod"

test: $(VENV)/.dev  ## All tests, and which took longest
	$(PYTEST)

test-fast: $(VENV)/.dev  ## The tests that start no process, for the loop while working
	$(PYTEST) -m "not process"

setup: $(VENV)/.demo  ## What `elt` needs, and no more

across: $(VENV)/.dev  ## The tests across packages
	$(PYTEST) tests

campaign: $(VENV)/.dev  ## make campaign KILLS=200 [SEED=1 WORKERS=2]: kills at random moments, and whether all is right after each
	PYTHONPATH=tests $(BIN)/python -m campaign --kills $(or $(KILLS),200) --seed $(or $(SEED),1) --workers $(or $(WORKERS),2)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --quiet --offline --pedantic .github

CHECKOV := .venv-checkov
checkov: $(VENV)/.dev $(CHECKOV)/.done  ## The templates against checkov's rules; it gets an environment of its own
	CHECKOV=$(CURDIR)/$(CHECKOV)/bin/checkov $(BIN)/pytest tests/test_checkov.py

types: $(VENV)/.dev
	$(BIN)/mypy

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

package: $(VENV)/.dev  ## make package PACKAGE=rs-query: lint, types, the same wheel twice, and it alone in a new environment
	@test -n "$(PACKAGE)" || { echo "make: PACKAGE is missing: make package PACKAGE=rs-query" >&2; exit 2; }
	.ci/package '$(PACKAGE)' $(BIN)

same-python: | $(VENV)/bin/python
	@test "$$($(PYTHON) -V)" = "$$($(BIN)/python -V)" || { echo "make: $(VENV) has another Python than $(PYTHON); add VENV=.venv-other" >&2; exit 2; }

# On a Python too old for the rest of the project, with what the jobs' own tests need: VENV=.venv-3.9 PYTHON=python3.9.
OLD := $(shell $(PYTHON) -c 'import sys; print(int(sys.version_info < (3, 11)))' 2>/dev/null)
package-tests: same-python $(VENV)/$(if $(filter 1,$(OLD)),.jobs,.dev)  ## make package-tests PACKAGE=rs-query [PYTHON=python3.9 VENV=.venv-3.9]
	@test -n "$(PACKAGE)" || { echo "make: PACKAGE is missing: make package-tests PACKAGE=rs-query" >&2; exit 2; }
	$(BIN)/python -m pytest --durations 15 packages/$(PACKAGE)

lowest:  ## make lowest PACKAGE=rs-query: its tests with the lowest versions that it declares, on the oldest Python it supports
	@test -n "$(PACKAGE)" || { echo "make: PACKAGE is missing: make lowest PACKAGE=rs-query" >&2; exit 2; }
	$(MAKE) lowest-tests VENV=.venv-lowest-$(PACKAGE) PYTHON=python$(shell sed -n 's/^requires-python = ">=\(.*\)"/\1/p' packages/$(PACKAGE)/pyproject.toml)

lowest-tests: same-python $(VENV)/.lowest
	$(BIN)/python -m pytest --durations 15 packages/$(PACKAGE)

run-pipeline: $(VENV)/.demo  ## make run-pipeline YEAR=2024 MONTH=09 [ENV=dev] [SOURCE=folder or URL]
	@test -n "$(MONTH)" || { echo "make: MONTH is missing: make run-pipeline YEAR=2024 MONTH=09" >&2; exit 2; }
	$(ELT) run yellow-trips --month '$(YEAR)-$(MONTH)' --env '$(ENV)' $(if $(SOURCE),--source '$(SOURCE)')

backfill: $(VENV)/.demo  ## make backfill FROM=2023-01 TO=2024-12 [PIPELINE=green-trips] [ENV=dev] [SOURCE=folder or URL]
	@test -n "$(TO)" || { echo "make: TO is missing: make backfill FROM=2023-01 TO=2024-12" >&2; exit 2; }
	$(ELT) backfill '$(or $(PIPELINE),yellow-trips)' --from '$(FROM)' --to '$(TO)' --env '$(ENV)' $(if $(SOURCE),--source '$(SOURCE)')

status logs-glue verify plan apply destroy: $(VENV)/.demo

status:  ## Recent executions
	$(ELT) status --env '$(ENV)'

logs-glue:  ## What the newest execution's jobs log
	$(ELT) logs --follow --env '$(ENV)'

verify:  ## The warehouse against the manifests
	$(ELT) verify yellow-trips --env '$(ENV)'

plan:  ## What a deployment would change
	$(ELT) plan --env '$(ENV)'

apply:  ## Deploy the checkout
	$(ELT) deploy --env '$(ENV)'

destroy:  ## Delete what is deployed and holds no data
	$(ELT) destroy --env '$(ENV)'

# --- set-up: one virtual environment with every package in it; the demo's needs first, the tests' on top --------

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "make: Python 3.11 or newer is needed; none of python3.11, 3.12, 3.13 and python3 is" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

# The last line fetches what Glue jobs install (requirements/glue.txt), so that nothing later needs the network.
$(VENV)/.demo: requirements/demo.txt requirements/glue.txt requirements/aws $(PACKAGES:%=packages/%/pyproject.toml) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/demo.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(PACKAGES:%=--editable packages/%)
	install -m 755 requirements/aws $(BIN)/aws
	$(BIN)/python -m orchestration.releases.building.wheelhouse
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/.jobs: requirements/jobs.txt $(JOBS:%=packages/%/pyproject.toml) | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/jobs.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation $(JOBS:%=--editable packages/%)
	@touch $@

$(VENV)/.lowest: requirements/lowest/$(PACKAGE).txt $(VENV)/$(if $(filter 1,$(OLD)),.jobs,.dev)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/lowest/$(PACKAGE).txt
	@touch $@

$(CHECKOV)/.done: requirements/checkov.txt $(VENV)/bin/python
	$(PYTHON) -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/checkov.txt
	@touch $@

docs: $(VENV)/.demo  ## docs/cli.md from the commands' help, docs/redshift-functions.md from the warehouse's table
	$(BIN)/python docs/generate_cli.py > docs/cli.md
	$(BIN)/python docs/generate_redshift_functions.py > docs/redshift-functions.md

# --no-sandbox: Chromium has none for root, and what it shows is this project's own.
images:  ## docs/images from the page of the last demo, with Chromium
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1200,668 --virtual-time-budget=4000 \
		--screenshot=docs/images/reviews.png "file://$${LOCAL_CLOUD_STATE:-$(CURDIR)/.elt}/dashboards/reviews-local.html"

lock:  ## Pin what the packages require, with hashes: what is pinned stays if it fits, with UPGRADE=1 the newest is taken
	$(PYTHON) -m pip install --quiet uv
	cd requirements && ./lock $(if $(UPGRADE),--upgrade)

clean:
	rm -rf $(VENV) $(CHECKOV) .venv-lowest-* dist packages/*/dist
