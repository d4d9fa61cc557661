# make demo    install into .venv and run the five-minute tour
# make test    install into .venv and run all tests
# make docs    install into .venv and write the documentation to site/
PYTHON ?= python3
VENV ?= .venv
CONSTRAINTS ?= constraints.txt
BIN = $(VENV)/bin
PLUGINS = $(wildcard plugins/*)
PIP = $(BIN)/pip install --quiet --disable-pip-version-check $(if $(CONSTRAINTS),-c $(CONSTRAINTS))
# One builder for all, in place of an environment for each of them.
EDITABLE = --no-build-isolation $(foreach plugin,$(PLUGINS),-e $(plugin))
PROJECTS = pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)

# Where the shell says that no byte code be written, every process of a test would compile torch anew: seconds each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo test types behaviour docs lint wheels clean

install: $(VENV)/installed

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(PROJECTS) | $(BIN)/python
	@echo "installing zoo and its plugins into $(VENV): 1 to 2 minutes and 2 GB the first time"
	$(PIP) hatchling editables setuptools wheel
	$(PIP) -e ".[all]" $(EDITABLE)
	touch $@

# Not compiled by pip: Python compiles what is imported, a small part of it.
$(VENV)/tested: $(PROJECTS) | $(BIN)/python
	@echo "installing zoo, its plugins and what the tests need into $(VENV): 1 to 2 minutes and 2 GB the first time"
	$(PIP) hatchling editables setuptools wheel
	$(PIP) --no-compile -e ".[dev,docs]" $(EDITABLE)
	touch $(VENV)/installed $@

demo: $(VENV)/installed
	$(BIN)/zoo demo

test: $(VENV)/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) --no-print-directory --jobs 2 types behaviour

types: $(VENV)/tested
	$(BIN)/pyright --pythonpath $(BIN)/python

behaviour: $(VENV)/tested
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadgroup --no-loadscope-reorder \
		--durations 20

docs: $(VENV)/tested
	$(BIN)/mkdocs build --strict

lint: $(VENV)/tested
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheels: $(VENV)/tested
	for project in . $(PLUGINS); do $(BIN)/python -m build --wheel --outdir dist $$project; done

clean:
	rm -rf $(VENV) dist build site
