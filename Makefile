# One checkout, two commands: `make run` and `make test`. Both need Python >= 3.11, pip and make;
# everything else goes into .venv once, and again when pyproject.toml or the lock changes.
#
#   make run                        the simulated machine; keys and coins are typed
#   make run PURCHASES=20 SEED=7    20 customers, then the closing table
#   make run VIRTUAL=1 PURCHASES=N  the same daemon in virtual time
#   make run MACHINE=cctalk         other payment devices: plain, one-tender, waferstar, cctalk
#   make run KAFKA_BOOTSTRAP=h:p    with a real broker instead of the embedded one
#   make test [PYTEST_ARGS=...]     all tests
#   make test-kafka                 against Apache Kafka and PostgreSQL, killed again and again
#   make lint                       ruff, formatting, mypy --strict, import directions
#   make bench                      the table of measured figures
#   make bench-stream               figures of the event stream with real Kafka and PostgreSQL
#   make demo-fleet                 three machines, the backend behind them, an alert on a webhook
#   make explore SEEDS=0:60         whole histories of machines from seeds, everything broken
#   make chaos KILLS=50 SEED=1      kill the daemon again and again, then check the books
#   make power-cuts                 sales cut at every instant, compared with the table of README
#   make fuzz SECONDS=60 SEED=1     arbitrary and damaged bytes for all decoders and device machines
#   make crashstates SEED=1         what a power cut may leave of the books, reopened (needs strace)
#   make mutants                    known bugs, planted one by one: each has to be caught

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

PURCHASES ?=
SEED ?=
VIRTUAL ?=
MACHINE ?=
KAFKA_BOOTSTRAP ?=
KILLS ?=
SEEDS ?=
HOURS ?=
SECONDS ?=
EVERY ?=
PYTEST_ARGS ?=
BENCH_ARGS ?=
FUZZ_ARGS ?=

# $(call option,--name,VARIABLE): the option with its value, or nothing.
option = $(if $(strip $($(2))),$(1) '$(strip $($(2)))')
# $(call switch,--name,VARIABLE): the option alone, unless the variable is empty or 0.
switch = $(if $(filter-out 0,$(strip $($(2)))),$(1))

.PHONY: run test test-kafka lint bench bench-stream chaos explore demo-fleet fuzz crashstates \
	mutants power-cuts clean

run: $(STAMP)
	@$(BIN)/python -m hw_sim run $(call option,--purchases,PURCHASES) $(call option,--seed,SEED) \
		$(call switch,--virtual,VIRTUAL) $(call option,--bootstrap,KAFKA_BOOTSTRAP) \
		$(call option,--machine,MACHINE)

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

test-kafka: $(STAMP)
	$(BIN)/python -m pytest -m "real_server or campaign" $(PYTEST_ARGS)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/house/test_imports.py

bench: $(STAMP)
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

bench-stream: $(STAMP)
	@$(BIN)/python -m tests.bench.stream $(BENCH_ARGS); stream=$$?; \
	$(BIN)/python -m tests.bench.consuming $(BENCH_ARGS) && exit $$stream

explore: $(STAMP)
	@$(BIN)/python -m hw_sim explore --seeds '$(or $(strip $(SEEDS)),0:20)' --jobs 2 \
		$(call option,--hours,HOURS)

chaos: $(STAMP)
	@$(BIN)/python -m hw_sim chaos $(call option,--kills,KILLS) $(call option,--seed,SEED)

power-cuts: $(STAMP)
	@$(BIN)/python -m hw_sim section9 $(call option,--every,EVERY)

fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz $(call option,--seconds,SECONDS) $(call option,--seed,SEED) \
		$(FUZZ_ARGS)

crashstates: $(STAMP)
	@$(BIN)/python -m tests.crashstates $(call option,--seed,SEED)

mutants: $(STAMP)
	@$(BIN)/python -m tests.mutants

demo-fleet: $(STAMP)
	@$(BIN)/python -m hw_sim demo-fleet $(call option,--purchases,PURCHASES)

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# PYTHON=/path/to/python chooses one; otherwise the first of these that is new enough.
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

# Debian splits ensurepip off (python3-venv): without it the environment is made bare and the
# machine's own pip fills it.
$(STAMP): pyproject.toml requirements.lock
	@found=; for python in $(CANDIDATES); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "make: vendd needs Python 3.11 or newer; none among: $(CANDIDATES)." >&2; \
		echo "make: install one, or name it: make $(or $(MAKECMDGOALS),run) PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi; \
	rm -rf $(VENV); \
	echo "Preparing $(VENV) with $$("$$found" --version); this happens once."; \
	if "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
		"$$found" -m venv $(VENV) && pip="$(BIN)/python -m pip"; \
	elif "$$found" -c 'import venv' 2>/dev/null && "$$found" -m pip --version >/dev/null 2>&1; then \
		"$$found" -m venv --without-pip $(VENV) && pip="$$found -m pip --python $(BIN)/python"; \
	else \
		echo "make: $$found can make no environment: venv or pip is missing." >&2; \
		echo "make: on Debian and Raspberry Pi OS: apt-get install python3-venv" >&2; \
		exit 1; \
	fi || exit 1; \
	$$pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[fleet,mqtt,sim,test]' || { \
		echo "make: the packages could not be installed; the lines above say why." >&2; exit 1; }; \
	touch $@
