# The developer's targets; `make` alone lists them. Each does one thing and calls a script in tests/tools.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
# Options of the tool behind a target: make unit ARGS="-k choose", make lab-test ARGS="--destroy never"
ARGS :=

# The tools see the tree as the collection that it is, and never the user's own collections.
COLLECTIONS := $(CURDIR)/.build/collections
export ANSIBLE_COLLECTIONS_PATH := $(COLLECTIONS)
export PYTHONPATH := $(COLLECTIONS)
export PATH := $(CURDIR)/$(BIN):$(PATH)
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/.cache/hypothesis
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: venv venv-demo
venv: link ## the developer's tools, in .venv
	@tests/tools/venv $(VENV) tests/requirements.txt

venv-demo: link
	@tests/tools/venv .venv-demo tests/requirements-demo.txt

# ansible_collections/mailops/smtp, as the import paths want it, is this directory.
.PHONY: link
link:
	@mkdir -p $(COLLECTIONS)/ansible_collections/mailops .cache
	@[ $(COLLECTIONS)/ansible_collections/mailops/smtp -ef . ] || \
		ln -sfnT ../../../.. $(COLLECTIONS)/ansible_collections/mailops/smtp

.PHONY: demo demo-down
demo: ## the whole way on real hosts: probe, deploy, verify
	@tests/tools/demo up

demo-down: ## take the demo's hosts down
	@tests/tools/demo down

##

LINTS := lint-ansible lint-docs lint-changelog lint-python lint-types lint-yaml lint-shell
IN_PARALLEL := $(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync=target

.PHONY: check lint
check: venv ## in a minute or two, without containers: lint and unit tests
	@$(IN_PARALLEL) unit $(LINTS)

lint: venv ## ruff, mypy, yamllint, ansible-lint, shellcheck, changelog fragments, documentation
	@$(IN_PARALLEL) $(LINTS)

.PHONY: $(LINTS)
lint-ansible:
	$(BIN)/ansible-lint

lint-docs:
	$(BIN)/antsibull-docs lint-collection-docs --plugin-docs --skip-rstcheck .

lint-changelog:
	$(BIN)/antsibull-changelog lint

lint-python:
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check --quiet .

lint-types:
	$(BIN)/mypy

lint-yaml:
	$(BIN)/yamllint --strict .

lint-shell:
	tests/tools/shellcheck

.PHONY: docs
docs: venv ## write the pages of docs/ that are made from data
	@$(BIN)/python tests/tools/pages/checks.py
	@$(BIN)/python tests/tools/pages/distributions.py
	@$(BIN)/python tests/tools/pages/providers.py
	@$(BIN)/python tests/tools/pages/ports.py
	@$(BIN)/python tests/tools/pages/reports.py

.PHONY: format
format: venv ## format the Python code
	$(BIN)/ruff check --fix --unsafe-fixes --select I,UP .
	$(BIN)/ruff format .

.PHONY: unit
unit: venv ## the unit tests
	$(BIN)/pytest -q -n 2 $(ARGS)

.PHONY: coverage mutants
coverage: venv ## what the unit tests alone reach of the checks, the routes and the probe
	tests/tools/coverage $(ARGS)

mutants: venv ## changes to the code that no unit test notices: ARGS="--since main" tries changed lines only
	$(BIN)/python tests/tools/mutants $(ARGS)

.PHONY: sanity
sanity: venv ## ansible-test sanity
	tests/tools/sanity $(VENV) $(ARGS)

.PHONY: build
build: venv ## the collection's tarball, in this directory
	tests/tools/build $(VENV) .

.PHONY: install-test
install-test: venv ## build, install offline, use what was installed
	tests/tools/install-test $(VENV)

.PHONY: importer
importer: venv ## galaxy-importer on the tarball
	tests/tools/importer $(VENV)

.PHONY: unit-pythons
unit-pythons: venv ## unit tests of module_utils on the oldest Python found, 3.8 or later; on each with ARGS=--all
	tests/tools/unit-pythons $(ARGS)

.PHONY: cores
cores: venv ## install-test on the other ansible-cores and sanity on the oldest, as the Pythons found admit
	tests/tools/cores $(VENV)

.PHONY: faults
faults: venv ## the probe against some 380 faults, in network namespaces (root)
	tests/tools/needs nft=nftables ip=iproute2 sysctl=procps unshare=util-linux
	$(BIN)/pytest -q tests/integration/faults $(ARGS)

.PHONY: oracles
oracles: venv ## the probe against swaks, openssl and posttls-finger on some 200 real servers (root)
	$(BIN)/python tests/integration/oracles/run.py --python $(BIN)/python $(ARGS)

.PHONY: podman
podman: venv
	extensions/molecule/lab/lab.py setup

.PHONY: lab-test
lab-test: podman ## the molecule scenario, on real hosts in podman
	cd extensions && molecule test $(ARGS)

.PHONY: verify-test
verify-test: podman ## role verify on hosts broken on purpose, and on odd ones, Debian 12 and 13 (root)
	$(BIN)/pytest -q -n 2 --dist loadgroup tests/integration/verify $(ARGS)

.PHONY: gate-test
gate-test: podman ## runs that would reach nobody, and hosts that never had Postfix, with something in its way (root)
	$(BIN)/pytest -q -s tests/integration/gate $(ARGS)

.PHONY: routes-test
routes-test: podman ## several relays: for senders, for recipients, and one after the other when some are cut off (root)
	$(BIN)/pytest -q -s tests/integration/routes $(ARGS)

.PHONY: send-test
send-test: podman ## smtp_send, with messages that are sent, deferred, bounced, filtered, held and expanded (root)
	$(BIN)/pytest -q -s tests/integration/send $(ARGS)

.PHONY: page-test
page-test: link ## the HTML report in a real browser: clicks, keys, addresses, print, telephones, accessibility (root)
	tests/tools/needs chromium
	@tests/tools/venv .cache/page tests/requirements-page.txt
	.cache/page/bin/python -m pytest -q tests/integration/page $(ARGS)

.PHONY: picture
picture: link ## the picture of the HTML report in docs/ (root)
	tests/tools/needs chromium
	@tests/tools/venv .cache/page tests/requirements-page.txt
	.cache/page/bin/python tests/tools/pages/picture.py

.PHONY: submission-test
submission-test: podman ## users submit mail on 587, 465 and 2525 and it leaves by a relay; strangers do not (root)
	tests/tools/needs nmap
	@tests/tools/venv .cache/sslyze tests/requirements-sslyze.txt
	$(BIN)/pytest -q -s tests/integration/submission $(ARGS)

ON_POSTFIX := $(BIN)/pytest -q -s tests/integration/postfix

.PHONY: postfix-test postfix-crash postfix-load
postfix-test: podman ## postfix_config against some 400 configurations, on Postfix 3.5, 3.7, 3.10 and 3.11 (root)
	$(ON_POSTFIX) --ignore tests/integration/postfix/crash --ignore tests/integration/postfix/load -n 2 --dist loadfile $(ARGS)

postfix-crash: podman ## postfix_config killed at a third of the kinds of step, and at each change; at every single step with ARGS=--all (root)
	$(ON_POSTFIX)/crash $(ARGS)

postfix-load: podman ## postfix_config changes Postfix 20 times, while 10,000 messages go through it (root)
	$(ON_POSTFIX)/load $(ARGS)

.PHONY: variables
variables: podman ## every variable of every role in every form, and deployed on a real host (root)
	$(BIN)/pytest -q tests/integration/variables --ignore tests/integration/variables/suite $(ARGS)

.PHONY: equivalence adoption
equivalence: podman ## the probe's verdict and the fate of a real message, in 25 situations; in all 146 with ARGS=--all (root)
	$(BIN)/pytest -q -s tests/integration/equivalence $(ARGS)

adoption: podman ## sixteen real-life mail servers: before the relay is deployed, after, and the way back (root)
	$(BIN)/pytest -q -s tests/integration/adoption $(ARGS)

# What takes long comes first, and what looks at the clock runs alone.
PARTS := submission-test postfix-test verify-test lab-test gate-test postfix-crash routes-test equivalence adoption \
	oracles sanity cores unit-pythons send-test page-test variables postfix-load check importer install-test

.PHONY: test
test: podman ## everything: all of the above
	@tests/tools/parts $(PARTS) then faults

##

.PHONY: changelog
changelog: venv ## fold the changelog fragments into CHANGELOG.rst
	$(BIN)/antsibull-changelog release --update-existing --reload-plugins --refresh-plugins
	$(BIN)/antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml

.PHONY: clean
clean: ## remove what the targets made
	rm -rf .build .cache .venv .venv-demo .mypy_cache .ruff_cache tests/output mailops-smtp-*.tar.gz
