# Everything a contributor types. Nothing has to be installed first but Python 3.11 or newer, bash, git and make:
# .ci/setup fetches the rest into .venv and .tools, once.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo docs test sam-local check lint types format build artifact lock clean

export SAM_CLI_TELEMETRY := 0

# What is built: by default for the template's own runtime and machine. `make build ARCH=arm64`, `make build PYV=3.13`.
PYV   ?= $(shell sed -n 's/^ *Runtime: python//p' template.yaml)
ARCH  ?= $(shell sed -n 's/^ *Architectures: \[\(.*\)].*/\1/p' template.yaml)
PLAT  ?= $(if $(filter arm64,$(ARCH)),aarch64-manylinux_2_28,x86_64-manylinux2014)
BUILT ?= .aws-sam/build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

demo: ## rotate a real PostgreSQL password three times, and once with a crash in the middle
	@.ci/setup venv
	@.venv/bin/rotators demo $(ARGS)

test: ## the whole test suite, against real servers: make test ARGS="-k finish -x"
	@.ci/setup venv
	@.ci/setup sam
	@.ci/setup aws
	@.ci/setup node
	@.ci/setup docs
	@.ci/setup server postgresql mariadb redis
	@.ci/setup mysql
	@.ci/setup runtime
	@.ci/setup snippets
	@ROTATORS_REQUIRE_SERVERS=1 .venv/bin/python -m pytest $(ARGS)

sam-local: ## rotations through `sam local invoke` and `start-lambda`, in containers: with Docker, or as root on Debian
	@.ci/setup venv
	@.ci/setup sam
	@.ci/setup server postgresql mariadb
	@.venv/bin/python -m tests.sam_local.build .cache/sam-local
	@.ci/container sh -c 'ROTATORS_REQUIRE_CONTAINERS=1 ROTATORS_SAM_BUILT=.cache/sam-local .venv/bin/python -m pytest -n 0 --allow-hosts=127.0.0.1,::1,localhost,$$ROTATORS_GATEWAY $(ARGS) tests/sam_local' || [ $$? = "$(SAM_LOCAL_MAY_EXIT)" ]

check: lint types test ## lint, types and tests: what CI runs

lint:
	@.ci/setup venv
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check

types:
	@.ci/setup venv
	@.venv/bin/mypy

docs: ## the documents as one site, in build/site; a link that leads nowhere fails
	@.ci/setup docs
	@.tools/docs/bin/python docs/write_site.py

format: ## let ruff lay out the code and mend what it can
	@.ci/setup venv
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

build: ## what `sam deploy` uploads, in .aws-sam/build: make build ARCH=arm64
	$(if $(filter x86_64 arm64,$(ARCH)),,$(error ARCH is x86_64 or arm64, not $(ARCH)))
	@.ci/setup sam
	@MAKEFLAGS= PYV=$(PYV) PLAT=$(PLAT) .tools/sam/bin/sam build -b "$(BUILT)" $(ARGS)
	@sed -e 's/^\( *Runtime: python\).*/\1$(PYV)/' -e 's/^\( *- \)x86_64$$/\1$(ARCH)/' -e 's/^\( *- \)arm64$$/\1$(ARCH)/' \
	  "$(BUILT)/template.yaml" >"$(BUILT)/template.new"
	@mv "$(BUILT)/template.new" "$(BUILT)/template.yaml" # what is deployed says what was built

artifact: # called by `sam build`, through src/Makefile
	@PYV=$(PYV) PLAT=$(PLAT) .ci/artifact "$(ARTIFACTS_DIR)"

LOCK = UV_CUSTOM_COMPILE_COMMAND="make lock" "$$(.ci/setup uv)" pip compile --quiet --universal --python-version 3.11 --generate-hashes

lock: ## resolve requirements/*.txt and src/requirements.txt anew: make lock ARGS=--upgrade
	$(LOCK) $(ARGS) pyproject.toml --all-extras --group dev -o requirements/dev.txt
	$(LOCK) $(ARGS) pyproject.toml --extra postgres --extra mysql --extra redis -c requirements/dev.txt -o src/requirements.txt
	$(LOCK) $(ARGS) requirements/build.in -o requirements/build.txt
	$(LOCK) $(ARGS) requirements/sam.in -o requirements/sam.txt
	$(LOCK) $(ARGS) requirements/snippets.in -o requirements/snippets.txt
	$(LOCK) $(ARGS) requirements/aws.in -o requirements/aws.txt
	$(LOCK) $(ARGS) requirements/docs.in -o requirements/docs.txt
	$(LOCK) $(ARGS) requirements/uv.in -o requirements/uv.txt
	! command -v npm >/dev/null || npm install --prefix requirements/node --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --silent

clean: ## remove everything that make has made
	rm -rf .venv .tools .aws-sam .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
