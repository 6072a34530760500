GO       ?= go
PYTHON   ?= python3
FUZZTIME ?= 20000x
BENCH    ?= .
BIN      ?= bin
DIST     ?= dist

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT   := $(shell git rev-parse HEAD 2>/dev/null)
export SOURCE_DATE_EPOCH ?= $(or $(shell git log -1 --format=%ct 2>/dev/null),0)
LDFLAGS  := -s -w -buildid= -X main.version=$(VERSION) -X main.commit=$(COMMIT)
SOURCES  := $(wildcard cmd collector config examples flasharray integration publisher)
DEMO     := '$(BIN)/poolcast' --config-file examples/cinder.conf --simulate
GOTEST   := $(GO) test -race -shuffle=on
# The build tags of our own: each stands alone in its //go:build line.
TAGS     := $(shell grep -rhE --include='*.go' '^//go:build [a-z]+$$' $(SOURCES) | cut -d ' ' -f 2 | sort -u | paste -sd ,)

.DEFAULT_GOAL := help
.PHONY: help go build demo demo-json man package release reproducible unit test check brokers conformance cloud outcome bench fuzz golden lint cover clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

go:
	@integration/go '$(GO)'

build: go ## Build bin/poolcast: static, and the same bytes for the same commit
	@CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o '$(BIN)/poolcast' ./cmd/poolcast

demo: build ## Show three simulated arrays, and where a volume would go; needs Go only
	@$(DEMO) --dry-run --output table
	@echo
	@echo "A volume of 100 GiB, of a type that requires total_volumes <= 600:"
	@$(DEMO) --log-level error place --size 100 --availability-zone dc1 --property capabilities:total_volumes='<= 600'
	@echo "Their reports as JSON: make demo-json"

demo-json: build ## Print what three simulated arrays would report, as JSON
	@$(DEMO) --dry-run

man: build ## Write manual pages and shell completions to dist
	@'$(BIN)/poolcast' man --into '$(DIST)'

package: build ## Build the Debian package in dist
	@GO='$(GO)' VERSION='$(VERSION)' examples/debian/build '$(BIN)/poolcast' '$(DIST)'

release: go ## Build binaries, Debian packages, checksums and a list of contents in dist/release
	@GO='$(GO)' VERSION='$(VERSION)' COMMIT='$(COMMIT)' MAKE='$(MAKE)' examples/debian/release '$(DIST)/release'

reproducible: go ## Build binary and package twice, in two places, and compare them
	@GO='$(GO)' VERSION='$(VERSION)' COMMIT='$(COMMIT)' examples/debian/reproducible

unit: go ## Test with Go only, in under a minute
	@$(GOTEST) ./...

test: go ## Test everything, with a real RabbitMQ and a real cinder-scheduler
	@integration/setup
	@$(MAKE) --no-print-directory check
	@$(GOTEST) -count=1 -timeout 30m -parallel 4 -tags integration ./...

check: go ## Check formatting and run go vet over every build tag
	@unformatted=$$(gofmt -l $(SOURCES)); \
	if [ -n "$$unformatted" ]; then echo "gofmt -w these files:" $$unformatted >&2; exit 1; fi
	@$(GO) vet -tags $(TAGS) ./...

# The tests run as root in network and mount namespaces of their own, which the
# kernel removes with them. RUN names tests, SCHEDULER releases of cinder-scheduler.
brokers: ## Test on brokers and clusters of three Debian releases (BROKER=13 NODES=three SCHEDULER=pypi RUN=…)
	@set -e; roots=$$(integration/roots $(if $(BROKER),$(sort $(BROKER) $(or $(SCHEDULER),$(if $(RUN),,12 13 pypi))))); \
	mkdir -p '$(DIST)'; POOLCAST_ROOTS="$$roots" POOLCAST_RECORD='$(abspath $(DIST))/brokers.txt' $(GO) test -race -count=1 -v -timeout 90m -tags integration,brokers \
		-exec 'unshare --net --mount --pid --fork --kill-child --mount-proc' \
		-run '^TestBrokers$$/^$(or $(BROKER),.*)$$/^$(or $(NODES),.*)$$/$(if $(RUN),$(if $(findstring /,$(RUN)),$(RUN),($(RUN))),$(if $(SCHEDULER),^scheduler$$))/$(if $(SCHEDULER),^$(SCHEDULER)$$)' ./integration

conformance: ## Compare with the newest Cinder and py-pure-client of PyPI, also in a whole cloud
	@integration/setup cloud
	@set -e; python="$$POOLCAST_PYTHON"; \
	if [ -z "$$python" ]; then $(MAKE) --no-print-directory .venv/complete; python='$(CURDIR)/.venv/bin/python'; fi; \
	old="$$POOLCAST_PYTHON_28"; \
	if [ -z "$$old" ]; then $(MAKE) --no-print-directory .venv-28/complete; old='$(CURDIR)/.venv-28/bin/python'; fi; \
	POOLCAST_PYTHON="$$python" POOLCAST_PYTHON_28="$$old" $(GO) test -count=1 -v -timeout 45m -tags conformance ./integration/conformance/...

.venv/complete: integration/requirements.txt
	@$(call environment,.venv)

# A release of Cinder. Those before 27 import what oslo.utils 9 has removed. It is installed
# last, so that pip does not look for older releases of everything else.
.venv-%/complete: integration/requirements.txt
	@$(call environment,.venv-$*,'cinder==$*.*',$(if $(filter 25 26,$*),'oslo.utils<9'))

# environment makes a virtual environment in a folder, with further requirements, and
# those that are installed last.
environment = $(PYTHON) -m venv --clear $(1) || { echo 'make: $(PYTHON) cannot make a virtual environment; apt-get install python3-venv, or set PYTHON' >&2; exit 1; }; \
	echo 'make: installing Cinder of the Python Package Index in $(1)' >&2; \
	{ $(1)/bin/python -m pip install --quiet --disable-pip-version-check --requirement integration/requirements.txt $(2) \
	$(if $(3),&& $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(3)); } || \
	{ echo 'make: pip cannot install Cinder in $(1); see above' >&2; exit 1; }; touch $(1)/complete

# A broker of another release runs in mount and process namespaces of its own, which the
# kernel removes with it.
cloud: build ## Start a whole cloud on this machine, until Ctrl-C (RELEASE=28 BROKER=13)
	@case '$(RELEASE)' in ''|2[5-9]) ;; *) echo 'make cloud: RELEASE is the number of a release of Cinder from 25 to 29, not $(RELEASE)' >&2; exit 1;; esac
	@case '$(BROKER)' in ''|12|13|sid) ;; *) echo 'make cloud: BROKER is a release of Debian with the RabbitMQ to run: 12, 13 or sid, not $(BROKER)' >&2; exit 1;; esac
	@integration/setup cloud
	@$(GO) build -o '$(BIN)/cloud' ./integration/cloud
	@set -e; python=$(if $(RELEASE),,"$$POOLCAST_PYTHON"); \
	if [ -z "$$python" ]; then $(MAKE) --no-print-directory .venv$(RELEASE:%=-%)/complete; python='$(CURDIR)/.venv$(RELEASE:%=-%)/bin/python'; fi; \
	root=$(if $(BROKER),$$(integration/roots $(BROKER))/$(BROKER)); \
	exec $(if $(BROKER),unshare --mount --pid --fork --kill-child --mount-proc) '$(BIN)/cloud' --python "$$python" --poolcast '$(BIN)/poolcast' --broker-root "$$root"

outcome: ## Compare Cinder with and without poolcast on a changing pool (SHORT=1)
	@integration/setup cloud
	@set -e; python="$$POOLCAST_PYTHON"; \
	if [ -z "$$python" ]; then $(MAKE) --no-print-directory .venv/complete; python='$(CURDIR)/.venv/bin/python'; fi; \
	mkdir -p '$(DIST)'; POOLCAST_PYTHON="$$python" POOLCAST_OUTCOME_DIST='$(abspath $(DIST))' \
	$(GO) test -count=1 -v -timeout $(if $(SHORT),10m -short,40m) -tags outcome $(if $(RUN),-run '$(RUN)') ./integration/outcome

bench: ## Measure speed and memory, and decisions beside an installed Cinder (BENCH=name for some)
	@$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	@$(if $(filter .,$(BENCH)),$(GO) test -count=1 -v -timeout 30m -tags bench -run '^(TestDecisionSpeed|TestDecisionBudget|TestAgentBudget)$$' ./integration)

# A number of tries is the same work on every machine. With a duration, go test before
# 1.27 may report "context deadline exceeded" at its end (go.dev/issue/75804). Without
# a bound it tries for a minute to make each new input smaller.
fuzz: ## Fuzz each target FUZZTIME (tries, or a duration)
	@grep -rlE --include='*_test.go' '^func Fuzz' $(SOURCES) | xargs -n 1 dirname | sort -u | while read -r package; do \
		for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]*' $$package/*_test.go | cut -d ' ' -f 2); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x ./$$package || exit 1; \
		done; \
	done

golden: ## Write the golden files anew; look at the difference
	@$(GO) test $$(grep -rlE --include='*_test.go' 'flag\.Bool\("update"' $(filter-out integration,$(SOURCES)) | xargs -n 1 dirname | sort -u | sed 's|^|./|') -update
	@$(GO) test -tags integration -run 'Transcript|LiveCloud|StatusPagePicture' ./integration -update
	@git status --short -- '*testdata*' REFERENCE.md examples/status-page.png

lint: ## Run golangci-lint
	@command -v golangci-lint >/dev/null || { echo 'make lint: golangci-lint is missing; see https://golangci-lint.run/docs/welcome/install/' >&2; exit 1; }
	@golangci-lint run --build-tags $(TAGS) ./...

cover: ## Show how much of the code the Go-only tests reach
	@$(GO) test -coverpkg=./... -coverprofile=cover.out ./...
	@$(GO) tool cover -func=cover.out | tail -n 1

clean: ## Remove what was built
	@rm -rf bin dist .venv .venv-* cover.out
