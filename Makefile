# Every target only calls plain Python and pip commands; README.md shows them for conda and for Windows.
# Another interpreter: make run PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ONLY ?=

.PHONY: run test lab data book bench figures clean
.DEFAULT_GOAL := run

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "medtl needs Python 3.11 or newer, and $(PYTHON) is older or missing: install a newer one, or name it: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "This Python has no venv module: on Debian or Ubuntu run 'sudo apt install python3-venv', then make again."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing the packages (torch is several GB; this takes a few minutes the first time) ..."
	$(BIN)/python -m pip install --quiet -e ".[test]"
	@touch $@

run: $(VENV)/installed  ## execute every notebook, print one table
	$(BIN)/python -m medtl_helpers run

test: $(VENV)/installed  ## unit tests, and every notebook through nbval
	MEDTL_HEADLESS=1 $(BIN)/python -m pytest

lab: $(VENV)/installed  ## open the course in JupyterLab
	$(BIN)/python -m jupyter lab --ServerApp.root_dir=. notebooks/00_start_here.ipynb

data: $(VENV)/installed  ## fetch real data: make data, or make data ONLY="pneumonia heart"
	$(BIN)/python -m medtl_helpers data $(ONLY)

$(VENV)/book: $(VENV)/installed
	@echo "Installing what builds the book ..."
	$(BIN)/python -m pip install --quiet -e ".[book]"
	@touch $@

book: $(VENV)/book  ## build the site from the executed notebooks, into _run/book/html
	$(BIN)/python book/build.py

bench: $(VENV)/installed  ## measure ratios and growth, in about ten minutes; FULL=1: more rounds, further, and the whole course
	$(BIN)/python benchmarks/ratios.py $(if $(FULL),--full)
	$(BIN)/python benchmarks/scale.py $(if $(FULL),--full)
	$(if $(FULL),$(BIN)/python benchmarks/medmnist_way.py)
	$(if $(FULL),$(BIN)/python -m medtl_helpers run --record-times)

figures: $(VENV)/installed  ## write the README's figures and table anew from the executed notebooks, and the guide's sketches
	$(BIN)/python book/figures.py
	$(BIN)/python book/sketches.py

clean:  ## remove what make made here (fetched data stay)
	rm -rf $(VENV) _run build dist *.egg-info
