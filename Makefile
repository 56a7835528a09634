# make test is all that a fresh machine with Go, git and Debian's packages needs.
GO ?= go
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOFUMPT = mvdan.cc/gofumpt@v0.12.0
GOVULNCHECK = golang.org/x/vuln/cmd/govulncheck@v1.9.0
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

.PHONY: help build test deps lint vuln cross ci release fuzz crash soak bench obs

help: ## list what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

build: ## the program, for this machine
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o hawker ./cmd/hawker

deps: ## the programs that tests need: gcc, PostgreSQL, Chromium, ffmpeg, nginx
	@scripts/test-deps

# SQLite is C that was translated to Go. Its memory is not Go's, so the race detector sees nothing there, and to ask it at each
# access takes four times as long. What calls it is watched as everything else is. vet is lint's; the slowest packages go first.
RACE = -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc=-race=false -vet=off
SLOW = ./internal/sqldb ./web ./web/viewer ./cmd/hawker ./internal/live

test: deps ## every test, with the race detector
	$(GO) test $(RACE) -timeout 20m $(SLOW) ./...

lint: ## vet, staticcheck, gofumpt
	$(GO) vet ./...
	$(GO) vet -tags obs ./relay
	$(GO) run $(STATICCHECK) ./...
	@out="$$($(GO) run $(GOFUMPT) -l .)" && test -z "$$out" || { echo "not formatted (gofumpt -w):"; echo "$$out"; exit 1; }

vuln: ## known vulnerabilities, where the list of them can be reached
	@scripts/vuln '$(GO)' '$(GOVULNCHECK)'

cross: ## build and vet for Windows and macOS
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOOS=windows GOARCH=amd64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/hawker
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) build -o /dev/null ./cmd/hawker

ci: test lint vuln cross ## what a change must pass

release: ## archives for Linux, macOS and Windows in dist/, with checksums
	@scripts/release '$(GO)' '$(VERSION)'

fuzz: ## every fuzz target for a minute
	@scripts/fuzz '$(GO)' 60s

KILLS ?= 200
NODES ?= 100
RANDOM ?= 500

crash: ## the till killed, doubled, cut off and driven at random, for long (KILLS=200 NODES=100 RANDOM=500)
	HAWKER_TEST_KILLS=$(KILLS) HAWKER_TEST_NODES=$(NODES) HAWKER_TEST_RANDOM=$(RANDOM) \
		$(GO) test -v -count=1 -timeout 0 -run 'Kill|TwoNodes|TwoProcesses|TwoHubs|ExpiryRacesPayment|Random|Failures' ./internal/sqldb/ ./internal/live/proof/

SOAK ?= 20m

soak: ## the relay with 50 destinations, one of them stalled, for SOAK=20m: how its memory grows
	$(GO) run ./cmd/hawker bench relay --case stalled-50 --each $(SOAK)

bench: ## benchmarks of the hot paths
	$(GO) test -run '^$$' -bench . -benchmem ./rules/ ./commerce/... ./internal/sqldb/ ./relay/...

obs: ## OBS Studio publishes to the relay, on a screen in memory (installs obs-studio and xvfb); a minute
	@scripts/test-deps obs-studio=obs xvfb=Xvfb
	$(GO) test -tags obs -v -count=1 -run '^TestOBS$$' ./relay
