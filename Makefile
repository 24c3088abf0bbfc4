# The README's commands and what stands behind them.
#
#   make demo    trains on simulated event-camera recordings, exports, runs, checks and reports: a few minutes from nothing
#   make test    everything that is tested
#   make bench   throughput, latency and size tables, with the machine's own limits beside them
#   make targets-report   every model on every emulated board; writes the table of targets/README.md
#   make deps    installs what the others need from Debian's packages; they call it themselves

BUILD := .build/release
DEMO := runs/demo

.PHONY: demo test bench targets-report deps lint

demo: deps
	swift build -c release --product snn-train
	swift build -c release --product snn-export
	swift build -c release --product snn-run
	swift build -c release --product snn-check
	rm -rf $(DEMO)
	$(BUILD)/snn-train models/moving-shapes/recipe.yaml --out $(DEMO)
	$(BUILD)/snn-export $(DEMO)/model.snnpb --from $(DEMO) --c-source $(DEMO)/c
	$(BUILD)/snn-check $(DEMO)/model.snnpb --data moving-shapes
	$(BUILD)/snn-run $(DEMO)/model.snnpb --data moving-shapes

test: deps
	scripts/test

bench: deps
	swift build -c release --product snn-bench
	swift build -c release --product snn-run
	$(BUILD)/snn-bench --json bench.json
	$(MAKE) -C runtime-c bench

targets-report: deps
	swift build -c release --product snn-check
	targets/report

deps:
	scripts/deps

lint:
	swift format lint --strict --recursive Package.swift Sources Tests
