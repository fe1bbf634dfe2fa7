# Two commands show everything: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PY := .venv/bin/python
KEEP ?=
# Not packed: Lambda has it, or what would need it is not packed either.
OF_THE_RUNTIME := botocore flatbuffers jinja2 markupsafe packaging protobuf pycparser

.PHONY: help demo test lint types unit stacks integration verify package bench bench-peers bench-training bench-history dvc lock setup clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: ## The main job on synthetic data, end to end (KEEP=1 leaves it running)
	@sh local/setup.sh demo
	@$(PY) -m local.demo $(if $(KEEP),--keep)

setup: ## Install what the checks need
	@sh local/setup.sh all

test: setup lint types unit stacks integration ## Lint, types and every test

lint: setup ## Style, and the walls between the rooms
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	.venv/bin/lint-imports --no-cache

types: setup ## Types
	$(PY) -m mypy

unit: setup ## Tests without servers
	$(PY) -m pytest tests/unit -q -n 2

stacks: setup ## The stacks of every stage, synthesized once
	$(PY) -m pytest tests/stacks -q

integration: setup ## Tests on real servers, and end to end
	$(PY) -m pytest tests/integration tests/e2e -q -n 2 --dist loadfile

verify: setup ## Fault suites, and the figures that are promised
	$(PY) -m pytest tests/chaos tests/security tests/load -q

bench: setup ## Measure every promised figure and write it into docs/benchmarks.md
	$(PY) -m tests.load.bench

bench-peers: setup ## Measure Ebb beside MLServer, BentoML, MLflow, FastAPI and Ray Serve (installs them once)
	$(PY) -m tests.load.peers.bench

bench-training: setup ## Measure training: 5 GB of events, profile, search, batch scoring (45 minutes, 10 GB of disk)
	$(PY) -m tests.load.training_bench

bench-history: setup ## History of 50 million rows: as-of reads, months that come and go (needs 40 GB of disk)
	$(PY) -m tests.load.history

package: setup ## Pack layers and functions for Lambda into dist (ARCH=x86-64 for the other processor)
	@$(PY) -m local.package $(if $(ARCH),--arch $(ARCH))

dvc: ## Install DVC into .tools/dvc, for the pipeline in dvc.yaml (docs/dvc.md)
	@sh local/setup.sh dvc

lock: setup ## Resolve the locks anew
	UV=$$(command -v uv || echo .tools/bin/uv); \
	set -- --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url -q; \
	$$UV pip compile "$$@" requirements/all.in -o requirements.txt && \
	$$UV pip compile "$$@" -c requirements.txt requirements/demo.in -o requirements/demo.txt && \
	$$UV pip compile "$$@" -c requirements.txt requirements/jobs.in -o requirements/jobs.txt && \
	$$UV pip compile "$$@" --no-emit-package hydra-core --no-emit-package omegaconf \
		--no-emit-package antlr4-python3-runtime requirements/dvc.in -o requirements/dvc.txt && \
	$$UV pip compile "$$@" requirements/ministack.in -o requirements/ministack.txt && \
	for peer in requirements/peers/*.in; do $$UV pip compile "$$@" "$$peer" -o "$${peer%.in}.txt" || exit 1; done
	UV=$$(command -v uv || echo .tools/bin/uv); \
	set -- --universal --python-version 3.13 --generate-hashes --no-header --no-emit-index-url -q -c requirements.txt; \
	$$UV pip compile "$$@" $(foreach name,$(OF_THE_RUNTIME),--no-emit-package $(name)) \
		layers/runtime/requirements.in -o layers/runtime/requirements.txt && \
	$$UV pip compile "$$@" --no-emit-package typing-extensions lambdas/migrate/requirements.in \
		-o lambdas/migrate/requirements.txt

clean: ## Remove what the targets made
	rm -rf .venv .tools .ebb demo dist cdk.out .pytest_cache .mypy_cache .ruff_cache .hypothesis
