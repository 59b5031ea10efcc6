# Everything a person does with Groundswell; `make` alone lists it. Paths are relative, so a path with a space is fine.
.DEFAULT_GOAL := help
.PHONY: help run test check stop clean alerts psql sql export airflow status rebuild up setup lint audit lock bench faults distclean

PY := .venv/bin/python
GROUNDSWELL := .venv/bin/groundswell
# Three processes for two cores, which wait for servers now and then; each has servers of its own and takes whole
# files of tests, the longest first. Exit code 5 of pytest: ARGS chose no test of this part, which is no failure.
PYTEST := $(PY) -m pytest -q --durations 25
SPREAD := -n 3 --dist loadfile --no-loadscope-reorder
OR_NONE := || test $$? -eq 5
# It measures seconds to recover, so nothing runs beside it.
ALONE := tests/faults/test_kills.py
INSTALLED := test -x $(PY) || { echo "Nothing is set up here yet: run make setup."; exit 0; }
# Variables of the command line reach the programs through the environment, so their values may hold spaces and quotes.
export FROM TO PYTHON POSTS CLOCK SPEED RATE LIMIT Q TABLE OUT STACK ARGS SEED ONLY KILLS
ifdef LOCAL
export GROUNDSWELL_LOCAL := $(LOCAL)
endif
# Java reads file names by the locale: without one it could not open a path with letters beyond ASCII.
ifeq ($(LC_ALL)$(LC_CTYPE)$(LANG),)
export LC_ALL := C.UTF-8
endif

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: export RUN_STARTED := $(shell date +%s)
# The first run shows its alerts before it makes later starts faster.
run: SETUP := --quick
run: setup ## load a simulated history, replay a day, show alerts; POSTS=file: your own (CLOCK= SPEED= RATE= LIMIT=)
	@exec $(PY) -m deploy.local.run

test: setup ## all tests on real servers; ONLY=tests/unit/test_x.py: that alone; ARGS= goes to pytest (STACK=containers)
ifdef ONLY
	@$(PYTEST) $$ONLY $$ARGS
else
	@$(PYTEST) $(SPREAD) tests/unit $$ARGS $(OR_NONE)
	@$(PYTEST) $(ALONE) $$ARGS $(OR_NONE)
	@$(PYTEST) $(SPREAD) tests --ignore=tests/unit --ignore=$(ALONE) $$ARGS $(OR_NONE)
endif

check: lint ## lint, types and the quick unit tests, in under a minute
	@$(PY) -m pytest -q -n 2 -m "not slow" tests/unit

stop: ## stop everything that runs; the data stays
	@$(INSTALLED) && $(PY) -m deploy.local down

clean: ## stop everything and delete the data, the logs and the credentials
	@$(INSTALLED) && $(PY) -m deploy.local clean

alerts: setup ## follow the alerts as they open and resolve, until Ctrl-C
	@exec $(PY) -m deploy.local exec $(GROUNDSWELL) alerts --follow

psql: setup ## a psql prompt on the tables; Q="select ..." runs one query
	@exec $(PY) -m deploy.local psql $${Q:+"$$Q"}

sql: setup ## a DuckDB prompt on archive (raw_posts) and tables together; Q="select ..." runs one query
	@exec $(PY) -m deploy.local sql $${Q:+"$$Q"}

export: setup ## a query (Q="select ...") or a table (TABLE=posts) to OUT=file.csv or file.parquet, else to the screen
	@exec $(PY) -m deploy.local exec $(GROUNDSWELL) export $${Q:+--query "$$Q"} $${TABLE:+--table "$$TABLE"} --out "$${OUT:--}" $$ARGS

airflow: setup ## Airflow's scheduler and web page, until Ctrl-C
	@exec $(PY) -m deploy.local airflow

status: ## what runs, its memory and data, and how far it is: posts, lag, alerts, tables
	@$(INSTALLED) && $(PY) -m deploy.local status || test $$? -eq 3

rebuild: setup ## after the loss of Postgres: tables, statistics and alerts from the archive (FROM=2026-01-05 TO=2026-01-11)
	@exec $(PY) -m deploy.local exec $(GROUNDSWELL) rebuild $${FROM:+--from "$$FROM"} $${TO:+--to "$$TO"}

up: setup ## start Kafka, S3, Postgres and the page
	@$(PY) -m deploy.local up

setup: ## install the Python packages and the Java archives, once
	@$(PY) -S -E -m deploy.local.setup.install --check $(SETUP) 2>/dev/null || sh deploy/local/setup/setup.sh $(SETUP)

lint: setup ## style, types and dead code
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@$(PY) -m vulture

audit: setup ## look up known vulnerabilities of the packages (asks the network)
	@$(PY) -m tools.advisories

lock: setup ## resolve the dependencies again: both lock files and settings.example.env
	@$(PY) -m pip install --quiet uv
	@.venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links requirements.in -o requirements.lock
	@$(PY) -m tools.lock_jars
	@$(PY) -m tools.settings_example

bench: setup ## measure the speed of producer, archive and detection; ARGS=latency: from sending to the alert row
	@exec $(PY) -m benchmarks $${ARGS:-throughput}

faults: setup ## break the pipeline in many ways and prove that nothing is lost or doubled (SEED= ONLY=F1,F3 KILLS=100)
	@exec $(PY) -m tests.faults $${SEED:+--seed "$$SEED"} $${ONLY:+--only "$$ONLY"} $${KILLS:+--kills "$$KILLS"}

distclean: ## like clean, and remove the virtual environment and the Java archives
	@if [ -x $(PY) ]; then $(PY) -m deploy.local clean; fi
	@rm -rf .venv .local
