# Everything a person does with a checkout. Needs Python >= 3.11 (< 3.14), git and make; the rest is fetched.
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
RUN := .venv/bin/python -m
SYNC := $(UV) sync --frozen --quiet --inexact --no-default-groups --extra airflow --extra desk
AS_OF ?=
PORT ?= 8080

.PHONY: help night airflow test lint format docs pictures bench campaign portable wheel pythons secrets clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

night: .venv/.night openmp  ## run the nightly DAG through Airflow for data/sample, print the plan
	@$(RUN) echelon_airflow.night $(if $(AS_OF),--as-of $(AS_OF))
	@.venv/bin/echelon report $(if $(AS_OF),--as-of $(AS_OF))

airflow: .venv/.server openmp  ## serve Airflow's scheduler, UI and API on 127.0.0.1:$(PORT)
	@$(RUN) echelon_airflow.server --port $(PORT)

test: .venv/.dev openmp  ## run every test
	.venv/bin/pytest -q -n 2 --dist loadfile --durations=15

lint: .venv/.dev  ## check style, types, import directions and container files
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/hadolint Dockerfile
	.venv/bin/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: .venv/.dev  ## rewrite sources in the project's style
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

docs: .venv/.dev  ## rewrite the generated documents and the default settings
	$(RUN) pipeline.contracts.docs

pictures: .venv/.dev openmp  ## take the pictures of the desk's documentation by its browser tests
	@mkdir -p docs/pictures
	ECHELON_SCREENSHOTS=docs/pictures .venv/bin/pytest -q -n 0 tests/browser/test_desk.py

campaign: .venv/.dev openmp  ## spoilt inputs, kills at every step, 60 nights; CI runs tests/faults
	.venv/bin/python -m benchmarks.input_faults --count 1000 --nights 100
	.venv/bin/python -m benchmarks.kills

bench: .venv/.dev openmp  ## measure the optimizer; docs/operations.md names the other benchmarks
	.venv/bin/python benchmarks/optimize.py --items 10000

portable: .venv/.dev openmp  ## plan the sample and run the tests as other processors would
	.venv/bin/python -m benchmarks.portable
	.venv/bin/python -m benchmarks.portable --tests tests

wheel: .venv/.dev  ## build dist/*.whl, which carries what `echelon init` lays out
	$(UV) build --quiet --wheel --out-dir dist

pythons: wheel  ## plan a night and run core tests under every Python from 3.11 to 3.13 that is here
	.venv/bin/python -m benchmarks.pythons

secrets:  ## print the secrets that docker-compose.yml requires: make -s secrets > .env
	@python3 echelon_airflow/home.py

clean:  ## remove the environment, local Airflow and planned nights
	rm -rf .venv .uv .airflow data/runs

.uv/bin/uv:
	python3 -m venv .uv
	.uv/bin/pip install --quiet uv

.venv/.night: pyproject.toml uv.lock | $(UV)
	$(SYNC)
	@touch $@

.venv/.server: pyproject.toml uv.lock | $(UV)
	$(SYNC) --extra server
	@touch $@

.venv/.dev: pyproject.toml uv.lock | $(UV)
	$(UV) sync --frozen --quiet --all-extras --group dev
	@touch $@

.PHONY: openmp
openmp:  # LightGBM needs the system's OpenMP library, which gcc brings, but a bare machine lacks
	@.venv/bin/python -c "import ctypes; ctypes.CDLL('libgomp.so.1')" 2>/dev/null || \
	(test "$$(id -u)" = 0 && apt-get -qq update && apt-get -qq install -y libgomp1) || \
	(echo "libgomp.so.1 is missing. Next: sudo apt-get install libgomp1 (or your system's OpenMP)."; exit 1)
