# Two commands are all a fresh machine needs: make run, make test.
# make check is exactly what CI runs.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-print-directory

GO       ?= go
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -s -w -X main.version=$(VERSION)
# gin without MessagePack: 6 MB less of the binary, 1.5 MB less of memory. No
# HTTP/2, which no listener of ours offers: 0.5 MB less.
STATIC   := CGO_ENABLED=0 $(GO) build -trimpath -tags nomsgpack,nethttpomithttp2 -ldflags '$(LDFLAGS)'
# The lean agent must fit on devices with little flash. It is smaller where nobody
# would notice: nothing is inlined in packages that set a session up or talk to
# people, or that do little beside the system call of each packet or picture (net,
# ice, uapi), 1 MB less, and functions are aligned as on ARM64, 0.15 MB less.
COLD     := crypto/tls crypto/x509 encoding/asn1 encoding/gob encoding/json encoding/xml flag fmt log/slog \
            math/big net/http regexp/... github.com/go-jose/... github.com/goccy/... github.com/pion/sdp/... \
            net/url mime/... encoding/pem text/... html/... github.com/huin/goupnp/... golang.org/x/net/dns/... \
            github.com/coder/websocket github.com/pion/webrtc/... github.com/pion/dtls/... github.com/pion/turn/... \
            reflect os strings crypto/rsa crypto/internal/fips140/rsa crypto/ecdsa crypto/internal/fips140/ecdsa \
            crypto/elliptic crypto/ecdh crypto/hpke vendor/golang.org/x/crypto/cryptobyte/... \
            log strconv bufio context path/... os/... github.com/pion/ice/... github.com/pion/rtcp \
            ./camera/agent ./internal/cli ./internal/config ./internal/trust ./internal/access ./internal/accesslog \
            ./internal/discovery ./internal/nat/... ./internal/tlsfile ./internal/spool ./internal/fragment ./signaling/... \
            ./camera/v4l2 ./camera/v4l2/uapi
ALIGN    := $(if $(filter amd64,$(shell $(GO) env GOARCH)),-funcalign=16)
LEAN     := $(subst -s -w,-s -w $(ALIGN),$(STATIC)) $(COLD:%=-gcflags=%=-l)
# What makes H.264 of raw pictures is in C: the tag device, with x264 or OpenH264.
DEVICE   := CGO_ENABLED=1 $(GO) build -trimpath -tags device,nomsgpack,nethttpomithttp2 -ldflags '$(LDFLAGS)'
HAS_X264 := pkg-config --exists x264 2>/dev/null
NO_X264  := echo 'libx264 or pkg-config is not installed; on Debian: apt-get install build-essential pkg-config libx264-dev'
LEAN_MAX := 15000000
BROWSER  := internal/e2e/browser
FUZZTIME ?= 30s

.DEFAULT_GOAL := help
.PHONY: help run build lean device test check e2e nat nat-kernel v4l2 attacks powercut bench lint fmt vet cross types fuzz soak clean node-modules

help: ## print this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## /\1\t/' | expand -t 10

run: ## start the demo: it prints one link
	@$(GO) run ./cmd/sightline demo

build: lean ## static binaries in bin/
	$(STATIC) -o bin/sightline ./cmd/sightline

lean:
	@mkdir -p bin
	$(LEAN) -o bin/sightline-camera ./cmd/sightline-camera

device: ## bin/ for cameras that need an encoder: with cgo and libx264, and so under the GPL
	@$(HAS_X264) || { $(NO_X264); exit 1; }
	@mkdir -p bin
	$(DEVICE) -o bin/sightline ./cmd/sightline
	$(DEVICE) -o bin/sightline-camera ./cmd/sightline-camera

# The whole matrix on the real kernel takes three minutes of waiting: make nat-kernel
# and make e2e run it, make test only the ways that it is made of. The soak of remote
# recording has no short form: make soak runs it. Real drivers need a machine that is
# emulated: make v4l2 and make e2e boot it.
LONG := ^(TestV4L2|TestSoak_EveryPicture|TestMatrix_With|TestChromium|TestAddressChange_WhilePlaying|TestSignaling_EndsForGood)

test: bin/testsum ## all tests; what needs a missing tool is skipped, and the last line counts
	@device=(-- -race -timeout 20m -tags device ./camera/v4l2/encoder -- -race -timeout 20m -tags device,openh264 ./camera/v4l2/encoder); \
	if ! $(HAS_X264); then $(NO_X264); [ "$${CI:-}" != true ]; device=(); fi; \
	bin/testsum -web web -- -race -timeout 20m -skip '$(LONG)' ./... "$${device[@]}"

e2e: bin/testsum node-modules ## browser and real cameras; nothing is skipped
	@CI=true bin/testsum -- -count=1 -timeout 30m -skip '^TestSoak_EveryPicture' ./internal/e2e/...

nat: ## every pair of networks in virtual time, one line a cell; a part of make test
	@cd internal/lab/virtual/matrix && SIGHTLINE_MATRIX=print $(GO) test -count=1

nat-kernel: node-modules ## every kind of router on the real kernel, one line a cell; a part of make e2e, needs root
	@CI=true $(GO) test -count=1 -timeout 9m -v ./internal/e2e/natkernel | { grep -vE '^(=== |ok |PASS)' || true; }

v4l2: ## cameras of real drivers in an emulated machine, one line a case; a part of make e2e, needs root and a Debian
	@CI=true $(GO) test -count=1 -timeout 30m -v ./internal/e2e/v4l2 | { grep --line-buffered -vE '^(=== |ok |PASS| *--- PASS)' || true; } | sed -uE 's/^    (ok  )/\1/'

attacks: ## every attack on the real programs, as they are and without the check that refuses it
	@cd internal/attacks && $(GO) test -count=1 -timeout 9m -run '^TestAttacks$$'

powercut: ## a power cut at every operation of the store, and kill -9 of the real recorder; a short form is a part of make test
	@cd recordings/disk && SIGHTLINE_POWERCUT=full $(GO) test -count=1 -timeout 9m -run PowerCut
	@cd internal/e2e/powercut && SIGHTLINE_POWERCUT=full $(GO) test -count=1 -timeout 30m

bench: ## Go benchmarks; docs/performance.md says how the whole process is measured
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## every fuzz target for FUZZTIME (30s)
	@tags=; if $(HAS_X264); then tags=device; else $(NO_X264); fi; \
	$(GO) list -f '{{.Dir}}' ./... | while read -r dir; do \
	  { grep -ohE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go 2>/dev/null || true; } | sed 's/^func //' | while read -r target; do \
	    echo "$$dir $$target"; \
	    (cd "$$dir" && $(GO) test -tags "$$tags" -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .); \
	  done; \
	done

soak: node-modules ## the browser watches the demo for SOAK (10m); frames, memory and goroutines are checked
	SIGHTLINE_SOAK=$${SOAK:-10m} $(GO) test -count=1 -timeout 0 -run TestSoak -v ./internal/e2e/...

check: fmt vet lint cross types test ## what CI runs

fmt:
	@test -z "$$(gofmt -l $$(git ls-files '*.go') | tee /dev/stderr)" || { echo 'not formatted; run: gofmt -w FILE'; exit 1; }

vet:
	$(GO) vet ./...
	@if $(HAS_X264); then $(GO) vet -tags device ./camera/v4l2/...; else $(NO_X264); [ "$${CI:-}" != true ]; fi

lint: bin/golangci-lint ## golangci-lint, and shellcheck where it is installed
	bin/golangci-lint run ./...
	@if $(HAS_X264); then bin/golangci-lint run --build-tags device ./camera/v4l2/...; else $(NO_X264); [ "$${CI:-}" != true ]; fi
	@if command -v shellcheck >/dev/null; then shellcheck .ci/run; \
	elif [ "$${CI:-}" = true ]; then echo 'shellcheck is not installed'; exit 1; fi

# Without cgo for every platform promised; the lean agent on MIPS as well, and as
# it is released, for its size.
cross: lean
	@size=$$(wc -c <bin/sightline-camera); [ "$$size" -lt $(LEAN_MAX) ] || \
	  { echo "sightline-camera has $$size bytes, not below $(LEAN_MAX)"; exit 1; }
	@for arch in amd64 arm64 arm; do \
	  echo "build linux/$$arch"; CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build ./...; \
	done
	@echo 'build linux/mipsle sightline-camera'
	@CGO_ENABLED=0 GOOS=linux GOARCH=mipsle GOMIPS=softfloat $(GO) build -o /dev/null ./cmd/sightline-camera

types: ## check the types in the web viewer's comments
	@if [ -x web/node_modules/.bin/tsc ]; then web/node_modules/.bin/tsc --noEmit --project web; \
	elif [ "$${CI:-}" = true ]; then echo 'typescript is not installed; run: make node-modules'; exit 1; \
	else echo 'typescript is not installed (make node-modules): types not checked'; fi

# By name and exact version, as package.json has them. Only tests need Node.
node-modules: $(BROWSER)/node_modules/.installed web/node_modules/.installed ## the Node packages of the browser tests and the type check

%/node_modules/.installed: %/package.json
	@npm install --prefix $* --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

bin/testsum: $(wildcard internal/testsum/*.go)
	@mkdir -p bin
	@$(GO) build -o $@ ./internal/testsum

# In a module of its own, so that its hundreds of dependencies are not ours.
bin/golangci-lint: tools/lint/go.mod
	@mkdir -p bin
	cd tools/lint && $(GO) build -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

clean: ## remove what was built
	rm -rf bin dist web/node_modules $(BROWSER)/node_modules internal/e2e/artifacts
