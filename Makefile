# The two commands of a newcomer: `make demo` and `make test`. Both set everything up by themselves.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= auto
# torch's own index has the CPU build; PyPI's Linux wheel would bring several GB of CUDA libraries.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
PIP    := $(BIN)/python -m pip --disable-pip-version-check --retries 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test keras-suite test-exports test-oracle test-hdfs fuzz bench bench-peers check format docs clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 13

setup: $(VENV)/.installed ## make .venv with the package (editable) and its tools

$(VENV)/.installed: pyproject.toml setup.py $(wildcard csrc/*) requirements/constraints.txt requirements/dev.txt
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install -q --no-deps --extra-index-url $(TORCH_INDEX) -c requirements/constraints.txt torch
	$(PIP) install -q -c requirements/constraints.txt -e '.[plot,s3,hdfs,http,tensorboard,onnx,connect,tune]' -r requirements/dev.txt
	touch $@

demo: setup ## the main job: a Keras 1.2.2 LeNet, loaded, trained on MNIST, evaluated, saved
	$(BIN)/python examples/mnist_cnn.py --epochs $(or $(EPOCHS),3) --output $(or $(OUTPUT),demo)

test: setup ## all tests but those of test-oracle
	$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

test-oracle: setup ## what we write, opened by the real Keras 1.2.2 (its Python in KERAS122_PYTHON); 10 minutes
	$(BIN)/python -m pytest -m oracle $(ARGS)

test-exports: setup ## every golden in every format of today: ONNX, torch.export, Keras 3; 15 minutes
	$(BIN)/python -m pytest -m exports -n $(JOBS) tests/export $(ARGS)

test-hdfs: setup ## models in a real HDFS: make test-hdfs HDFS=hdfs://host:port [WEBHDFS=webhdfs://host:port]
	HDFS=$(HDFS) WEBHDFS=$(WEBHDFS) $(BIN)/python -m pytest -m hdfs tests/remote $(ARGS)

fuzz: setup ## look for damaged files that are neither read nor refused: make fuzz SECONDS=600
	$(PIP) install -q -c requirements/constraints.txt -r requirements/fuzz.txt
	$(BIN)/python -m tests.fuzz.fuzz_formats -max_total_time=$(or $(SECONDS),60)

keras-suite: setup ## Keras 1.2.2's own examples and tests, read from KERAS122_SOURCE
	$(BIN)/python -m tests.keras.suite $(ARGS)

bench: setup ## how fast it is beside its peers, into docs/benchmarks.md: make bench [ONLY=lenet]
	$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY)) $(ARGS)

bench-peers: setup ## make the environments of the peers, in BENCH_CACHE
	$(BIN)/python -m benchmarks.peers

check: setup ## format, lint, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## make docs/layers.md and the end of docs/exports.md from the layers
	$(BIN)/bigdl layers > docs/layers.md
	sed -i '/^## Layers$$/,$$d' docs/exports.md
	$(BIN)/bigdl formats >> docs/exports.md

clean: ## remove what setup, demo and tests made
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache src/bigdl/native/*.so
