# Watchword. `make` or `make help` says what there is; only Go is needed.

STATICCHECK_VERSION := v0.8.2
FUZZTIME ?= 60s
BENCHTIME ?= 1s
GO ?= go

.DEFAULT_GOAL := help
.PHONY: help run test lint fuzz bench build

help: ## Show this list
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## Watch a simulated account, or that of OP_EVENTS_TOKEN where it is set
	@if [ -n "$$OP_EVENTS_TOKEN" ]; then exec ./bin/watchword run; else exec ./bin/watchword demo; fi

test: ## Run all tests
	$(GO) test -timeout 10m ./...

lint: bin/staticcheck-$(STATICCHECK_VERSION) ## Check formatting, go vet, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted (gofmt -w):" $$unformatted; exit 1; fi
	$(GO) vet ./...
	./bin/staticcheck-$(STATICCHECK_VERSION) ./...

fuzz: ## Run every fuzz target for FUZZTIME (default 60s) each
	@GO="$(GO)" .ci/fuzz $(FUZZTIME)

bench: ## Run the benchmarks and print them as a table with ratios
	@mkdir -p bin
	@$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) -timeout 30m ./... > bin/bench.txt 2>&1 || { cat bin/bench.txt; exit 1; }
	@awk -f .ci/bench.awk bin/bench.txt

build: ## Build ./bin/watchword
	$(GO) build -o bin/watchword ./cmd/watchword

bin/staticcheck-$(STATICCHECK_VERSION):
	GOBIN=$(CURDIR)/bin $(GO) install honnef.co/go/tools/cmd/staticcheck@$(STATICCHECK_VERSION)
	mv bin/staticcheck $@
