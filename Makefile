# make train: set up, then train, evaluate and export a character model.
# make test:  set up, then run the tests.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# TensorFlow for an NVIDIA GPU where there is one; elsewhere the CPU build,
# half the size, where there is one of those.
ifneq ($(shell command -v nvidia-smi),)
TENSORFLOW := tensorflow-gpu
else ifeq ($(shell uname -sm),Linux x86_64)
TENSORFLOW := tensorflow-cpu
else
TENSORFLOW := tensorflow
endif

SETUP := $(VENV)/.recipes
SETUP_TEST := $(VENV)/.test
SETUP_DEV := $(VENV)/.dev
REQUIREMENTS := setup.cfg pyproject.toml constraints.txt
INSTALL = $(BIN)/python -m pip install --quiet -c constraints.txt

.PHONY: train test lint types backends clean

train: $(SETUP)
	$(BIN)/python -m recipes.char_text $(ARGS)

test: $(SETUP_TEST)
	$(BIN)/python -m pytest $(ARGS)

lint: $(SETUP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(SETUP_DEV)
	$(BIN)/mypy

# The layers' tests on Keras's other backends.
backends: $(SETUP_DEV)
	KERAS_BACKEND=jax $(BIN)/python -m pytest $(ARGS)
	KERAS_BACKEND=torch $(BIN)/python -m pytest $(ARGS)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(SETUP): $(BIN)/python $(REQUIREMENTS)
	@echo "Setting up in $(VENV), once: this downloads about 500 MB."
	$(INSTALL) -e '.[$(TENSORFLOW),recipes]'
	@touch $@

$(SETUP_TEST): $(SETUP)
	$(INSTALL) -e '.[$(TENSORFLOW),recipes,test]'
	@touch $@

$(SETUP_DEV): $(SETUP_TEST)
	$(INSTALL) -e '.[$(TENSORFLOW),recipes,test,dev,jax,torch]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache *.egg-info
