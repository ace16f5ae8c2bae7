# The commands of the README. Everything they need comes from the package registries into .venv
# and node_modules; a machine needs Python >= 3.11, make and git.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PROTOS_OUT ?= protos/gen
SBOM ?= sbom.json
PROTOS := $(sort $(wildcard protos/subid/v1/*.proto))
export PATH := $(CURDIR)/$(BIN):$(PATH)
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/$(VENV)

.PHONY: demo test check protos bench accuracy fuzz canary sbom audit clean

demo: $(VENV)/.synced
	telco-sim demo $(ARGS)

test: $(VENV)/.synced node_modules/.package-lock.json
	pytest -n 2 $(ARGS)

bench: $(VENV)/.synced
	python -m tests.benchmarks $(ONLY)

# Chip files, requests, policy packs and all else that is parsed, broken on purpose, millions of them with ARGS="--runs 250000". The tests run some too.
fuzz: $(VENV)/.synced
	uv sync --frozen --all-extras --group fuzz --quiet
	python -m tests.fuzz $(ARGS)

# Plays the whole simulation, then looks for its people in all that the service left behind.
canary: $(VENV)/.synced
	python -m tests.canary $(ARGS)

# Needs the photographs in ../shared/data/faces; writes docs/reference/accuracy.md.
accuracy: $(VENV)/.synced
	python -m tests.benchmarks.accuracy $(ARGS)

check: $(VENV)/.synced node_modules/.package-lock.json
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	npx --no-install buf lint
	npx --no-install buf format --diff --exit-code --path protos/subid
	python -m tests.checks.generated_code
	python -m tests.checks.vocabulary
	python -m tests.checks.migrations
	python -m tests.checks.docs
	python -m tests.checks.permissions
	python -m tests.checks.secrets
	python -m tests.checks.supply_chain
	hadolint Containerfile

# What an installation runs, each with its version and digests, as CycloneDX (ECMA-424).
sbom: $(VENV)/.synced
	uv export --frozen --no-dev --all-extras --no-emit-project --quiet | \
	  cyclonedx-py requirements - --pyproject pyproject.toml --validate --output-reproducible \
	  --spec-version 1.6 --output-format JSON --output-file $(SBOM)

# Known weaknesses of what an installation runs. Asks the advisory database, so it needs the network.
audit: $(VENV)/.synced
	uv export --frozen --no-dev --all-extras --no-emit-project --quiet --output-file audit.txt
	pip-audit --requirement audit.txt --disable-pip --require-hashes; \
	  status=$$?; rm -f audit.txt; exit $$status

protos: $(VENV)/.synced
	rm -rf $(PROTOS_OUT)
	mkdir -p $(PROTOS_OUT)
	python -m grpc_tools.protoc -Iprotos -Iprotos/third_party --python_out=$(PROTOS_OUT) \
	  --pyi_out=$(PROTOS_OUT) --grpc_python_out=$(PROTOS_OUT) $(PROTOS)
	python -m grpc_tools.protoc -Iprotos/third_party --python_out=$(PROTOS_OUT) \
	  --pyi_out=$(PROTOS_OUT) buf/validate/validate.proto

# `uv sync` removes what the lock file does not know; pip stays because the lock knows it. Compiled
# once: where Python may not keep what it compiles, each start of a process would do it all again.
$(VENV)/.synced: pyproject.toml uv.lock
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --require-hashes -r requirements-uv.txt; }
	$(BIN)/uv sync --frozen --all-extras --compile-bytecode --quiet
	$(BIN)/python -m compileall -q biometrics identity protos telco_sim
	touch $@

# Not `npm ci`: it demands an entry for each platform's build of buf, and a registry mirror may lack
# some of them; `--no-save` keeps to the lock file all the same.
node_modules/.package-lock.json: package.json package-lock.json $(VENV)/.synced
	npm install --no-save --no-audit --no-fund --ignore-scripts --loglevel=error
	touch $@

clean:
	rm -rf $(VENV) node_modules
