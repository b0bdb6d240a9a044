# Short names for plain commands, which README.md also gives for conda and for Windows.
#     make run PYTHON=python3.12    another interpreter
#     make run TORCH=cpu            PyTorch's builds for the processor alone (Linux)
#     make test WORKERS=4           more tests side by side
PYTHON ?= python3
TORCH ?=
WORKERS ?= 2
ONLY ?=
VENV := .venv
BIN := $(VENV)/bin
UV := $(if $(shell command -v uv 2>/dev/null),uv)
INSTALL := $(if $(UV),uv pip install --python $(BIN)/python,$(BIN)/python -m pip install)
CPU_ONLY := $(if $(UV),--torch-backend cpu,--index-url https://download.pytorch.org/whl/cpu)
PYTEST := MEDTL_HEADLESS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

ifeq ($(TORCH),cpu)
COST := about 1 GB on disk, with PyTorch for the processor alone
else ifeq ($(TORCH),)
COST := about 6 GB on disk on Linux, where PyTorch comes with CUDA (TORCH=cpu: about 1 GB), and about 1 GB elsewhere
else
$(error TORCH=$(TORCH) is not known: say TORCH=cpu for PyTorch without CUDA, or leave TORCH out)
endif

.PHONY: run test slow test-all lab data check book browser bench figures clean
.DEFAULT_GOAL := run

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "medtl needs Python 3.11 or newer, and $(PYTHON) is older or missing: install a newer one, or name it: make run PYTHON=python3.12"; exit 1; }
ifeq ($(UV),)
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module: on Debian or Ubuntu run 'sudo apt install python3-venv', then make again."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
else
	uv venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV)
endif
	@echo "Installing the course and its libraries into $(VENV): $(COST). The first time takes a few minutes."
	$(if $(TORCH),$(INSTALL) $(CPU_ONLY) torch torchvision)
	$(INSTALL) -e ".[test]"
	@touch $@

$(VENV)/book $(VENV)/browser $(VENV)/dev: $(VENV)/installed
	@echo "Installing the packages that only 'make $(if $(filter dev,$(@F)),check,$(@F))' needs ..."
	$(INSTALL) -e ".[$(@F)]"
	@touch $@

run: $(VENV)/installed  ## execute every notebook, print one table
	$(BIN)/python -m medtl_helpers run

test: $(VENV)/installed  ## unit tests, and every notebook through nbval
	$(PYTEST) -m "not slow"

slow: $(VENV)/installed  ## what make test leaves out: each claim with its method broken, every cell run twice, ...
	$(PYTEST) -m slow tests

test-all: test slow  ## make test, then make slow

lab: $(VENV)/installed  ## open the course in JupyterLab
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

data: $(VENV)/installed  ## fetch real data: make data, or make data ONLY="pneumonia heart"
	$(BIN)/python -m medtl_helpers data $(ONLY)

check: $(VENV)/dev  ## style, spelling and types of the code
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/codespell
	$(BIN)/python -m mypy

book: $(VENV)/book  ## build the site from the executed notebooks, into _run/book/html
	$(BIN)/python book/build.py

browser: $(VENV)/browser  ## look at the book in Chromium: alt texts, contrast, phone width, dead links
	$(PYTEST) --dist load tests/test_browser.py

bench: $(VENV)/installed  ## measure ratios and growth, in about ten minutes; FULL=1: more rounds, further, and the whole course
	$(BIN)/python benchmarks/ratios.py $(if $(FULL),--full)
	$(BIN)/python benchmarks/scale.py $(if $(FULL),--full)
	$(if $(FULL),$(BIN)/python benchmarks/streams.py)
	$(if $(FULL),$(BIN)/python benchmarks/medmnist_way.py)
	$(if $(FULL),$(BIN)/python -m medtl_helpers run --record-times)

figures: $(VENV)/installed  ## write the README's figures and table anew from the executed notebooks, and the guide's sketches
	$(BIN)/python book/figures.py
	$(BIN)/python book/sketches.py

clean:  ## remove what make made here (fetched data stay)
	rm -rf $(VENV) _run build dist *.egg-info
