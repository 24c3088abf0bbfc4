# The README's commands and what stands behind them.
#
#   make demo    trains on simulated event-camera recordings, exports, runs, checks and reports: a few minutes from nothing
#   make commands   builds snn-train, snn-export, snn-run and snn-check into .build/release
#   make test    everything that is tested
#   make bench   throughput, latency and size tables, with the machine's own limits beside them
#   make targets-report   every model on every emulated board; writes the table of targets/README.md
#   make deps    installs everything that the others need from Debian's packages; each of them installs its own part

BUILD := .build/release
DEMO := runs/demo

# Product by product: `swift build` alone also builds the benchmark, what tests share and, at times, the tools of the dependencies;
# protobuf's compiler is 540 files of C++.
build = $(foreach product,$(1),swift build -c release --product $(product) &&) true

.PHONY: demo commands test bench targets-report deps lint

commands:
	scripts/deps demo
	$(call build,snn-train snn-export snn-run snn-check)

demo: commands
	rm -rf $(DEMO)
	$(BUILD)/snn-train models/moving-shapes/recipe.yaml --out $(DEMO)
	$(BUILD)/snn-export $(DEMO)/model.snnpb --from $(DEMO) --c-source $(DEMO)/c
	$(BUILD)/snn-check $(DEMO)/model.snnpb --data moving-shapes
	$(BUILD)/snn-run $(DEMO)/model.snnpb --data moving-shapes

test: deps
	scripts/test

bench:
	scripts/deps bench
	$(call build,snn-bench snn-run)
	$(BUILD)/snn-bench --json bench.json
	$(MAKE) -C runtime-c bench

targets-report:
	scripts/deps targets
	$(call build,snn-check)
	targets/report

deps:
	scripts/deps test

lint:
	swift format lint --strict --recursive Package.swift Sources Tests
