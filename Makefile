# make train: set up, then train, evaluate and export a character model.
# make test:  set up, then run the tests; make thorough, their longer forms.
# make web:   build the page for recipes.live.
# make docs:  write the pages' notebooks.
# make site:  build the site of the documentation.
# make dist:  build wheel and sdist into dist/.
# make address ADDRESS=https://github.com/me/keras-gatelstm: write the
#             repository's address into every file that names it.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

# TensorFlow for an NVIDIA GPU where there is one; elsewhere the CPU build,
# half the size, where there is one of those.
ifneq ($(shell nvidia-smi -L 2>/dev/null),)
TENSORFLOW := tensorflow-gpu
else ifeq ($(shell uname -sm),Linux x86_64)
TENSORFLOW := tensorflow-cpu
else
TENSORFLOW := tensorflow
endif

SETUP := $(VENV)/.recipes
SETUP_TEST := $(VENV)/.test
SETUP_DEV := $(VENV)/.dev
SETUP_BACKENDS := $(VENV)/.backends
REQUIREMENTS := setup.cfg pyproject.toml constraints.txt

# Python compiles what is imported, once: to compile all that is installed takes
# a minute, and to compile TensorFlow anew in each process eight seconds.
unexport PYTHONDONTWRITEBYTECODE
INSTALL = $(BIN)/python -m pip install --quiet --no-compile -c constraints.txt

# All cores, a file of tests to a worker, in the order of pyproject.toml. Each
# worker computes in one thread: there is one for each core.
PYTEST := pytest -n auto --dist loadfile --no-loadscope-reorder
test thorough backends: export OMP_NUM_THREADS := 1
test thorough backends: export TF_NUM_INTRAOP_THREADS := 1

# What recipes.live puts a model into.
PAGE := web/dist/page.js
PAGE_SOURCES := $(wildcard web/*.js* web/public/* web/src/* web/src/*/*)

.DELETE_ON_ERROR:
.PHONY: train test thorough lint types backends web docs site dist address
.PHONY: clean

train: $(SETUP)
	$(BIN)/python -m recipes.char_text $(ARGS)

test: $(SETUP_TEST)
	$(BIN)/python -m $(PYTEST) $(ARGS)

thorough: $(SETUP_BACKENDS)
	$(BIN)/python -m $(PYTEST) -m thorough $(ARGS)
	THOROUGH=1 $(BIN)/python -m $(PYTEST) tests/test_properties.py \
	tests/export/test_properties.py
	THOROUGH=1 $(MAKE) backends ARGS="tests -m 'thorough or not thorough'"

lint: $(SETUP_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(SETUP_DEV)
	$(BIN)/mypy

# The layers' tests on Keras's other backends, one by one to a worker. JAX
# compiles each layer of each test; with a cache, those that are the same are
# compiled once, and it is told to compile in a hurry. The flag is one of the
# JAX of constraints.txt.
backends: PYTEST := pytest -n auto --dist worksteal
backends: ARGS := tests
backends: $(SETUP_BACKENDS)
	JAX_COMPILATION_CACHE_DIR=$(abspath $(VENV))/.jax-cache \
	JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
	JAX_DISABLE_MOST_OPTIMIZATIONS=1 \
	XLA_FLAGS=--xla_cpu_use_fusion_emitters=false \
	KERAS_BACKEND=jax $(BIN)/python -m $(PYTEST) $(ARGS)
	KERAS_BACKEND=torch $(BIN)/python -m $(PYTEST) $(ARGS)

$(BIN)/python:
	$(PYTHON) -m venv --clear $(VENV)

$(SETUP): $(BIN)/python $(REQUIREMENTS)
	@echo "Setting up in $(VENV), once: this downloads about 500 MB."
	$(INSTALL) -e '.[$(TENSORFLOW),recipes]'
	@touch $@

# In one go, and so what make train needs too.
$(SETUP_TEST): $(BIN)/python $(REQUIREMENTS)
	$(INSTALL) -e '.[$(TENSORFLOW),recipes,test]'
	# It would bring a second TensorFlow, of another name, over this one.
	$(INSTALL) --no-deps tensorflow-serving-api
	@touch $(SETUP) $@

$(SETUP_DEV): $(SETUP_TEST)
	$(INSTALL) -e '.[$(TENSORFLOW),test,dev]'
	@touch $@

$(SETUP_BACKENDS): $(SETUP_TEST)
	$(INSTALL) -e '.[$(TENSORFLOW),test,jax,torch]'
	@touch $@

web: $(PAGE)

# By the machine's Node.js, or else by that of PyPI.
$(PAGE): $(PAGE_SOURCES) | $(BIN)/python
	command -v npm > /dev/null || $(INSTALL) -e '.[web]'
	cd web && PATH="$$PATH:$(abspath $(BIN))" && \
	npm ci --ignore-scripts --no-audit --no-fund && npm run build

docs: $(SETUP_TEST)
	$(BIN)/python docs/notebook.py docs/lesson.md docs/tutorials/*.md

# mkdocs tells of a successor in every build.
site: $(SETUP_DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Without what earlier builds left: setuptools would pack it again.
dist: $(SETUP_TEST)
	rm -rf build dist *.egg-info
	$(BIN)/python -m build --no-isolation

# The address in use is that of setup.cfg: the project can move again. Colab's
# address of a notebook has its path alone.
address: export OLD = $(shell sed -n 's/^url = //p' setup.cfg)
address: export NEW = $(ADDRESS)
address:
	@case "$$NEW" in (https://?*/?*/?*[!/]) ;; (*) \
	echo 'make address ADDRESS=https://github.com/OWNER/NAME' >&2; exit 2;; esac
	git grep -lIF "$$OLD" | xargs perl -pi \
	-e 'BEGIN { ($$o, $$n) = map { s{https://[^/]+/}{}r } @ENV{"OLD", "NEW"} }' \
	-e 's/\Q$$ENV{OLD}\E/$$ENV{NEW}/g; s{(colab\S+/github)/\Q$$o\E}{$$1/$$n}g'

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache *.egg-info
	rm -rf build dist site web/dist web/node_modules
