# Everything one types here. `make` alone lists it.
CARGO ?= cargo
# One feature set for building, testing and linting, so that nothing is compiled twice.
FEATURES = --workspace --all-features

.PHONY: help demo test test-all test-cluster test-image image bench check services tools

help: ## lists the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 16

demo: ## builds both programs and serves the seed charts on http://127.0.0.1:8080 until Ctrl-C
	@sh scripts/demo

test: programs ## runs every test and story but the longest ones
	$(CARGO) test $(FEATURES) --no-fail-fast

test-all: programs ## runs the longest stories too
	scripts/install-tools image
	CHARTROOM_TEST_ALL=1 $(CARGO) test $(FEATURES) --no-fail-fast

test-cluster: ## installs charts on a real Kubernetes API server (builds one: minutes the first time)
	scripts/install-tools cluster
	$(CARGO) build $(FEATURES) --all-targets
	CHARTROOM_TEST_CLUSTER=1 $(CARGO) test $(FEATURES) --test stories -- cluster served_apis

test-image: ## builds the server's image and runs it shut in as in a strict cluster (as root)
	scripts/install-tools image
	$(CARGO) build $(FEATURES) --all-targets
	CHARTROOM_TEST_IMAGE=1 $(CARGO) test $(FEATURES) --test stories container

image: ## builds the server's image as an OCI layout in target/image and smoke-tests it (as root)
	scripts/install-tools image
	$(CARGO) build --release --package server --package packager
	docker/build-image target/release/chartroom target/image
	docker/smoke-test target/image target/release/chartpack

bench: ## measures Chartroom beside its peers and writes the report
	scripts/install-tools bench
	$(CARGO) build --release --workspace --bins
	$(CARGO) run --release --package bench

check: ## checks formatting and lints, warnings denied
	$(CARGO) fmt --all --check
	$(CARGO) clippy $(FEATURES) --all-targets -- --deny warnings

services: tools ## runs Postgres and MinIO for work by hand and prints the variables to export, until Ctrl-C
	@scripts/services

tools: ## installs what the tests need beside Rust
	scripts/install-tools test

# The stories run the built programs, which `cargo test` alone does not build.
.PHONY: programs
programs: tools
	$(CARGO) build $(FEATURES) --all-targets
