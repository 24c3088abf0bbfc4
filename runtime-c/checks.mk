# Checks of the firmware engine beyond its tests. Included by Makefile. A check whose tool is missing says so and passes, or
# fails where SNN_REQUIRE_TOOLS=1.
#   make test-images   images right, wrong, cut off and hostile
#   make test-fire     spikes of the neurons that may fire against those of all
#   make test-clock    events with time, by hand and against the host engine
#   make test-design   the numbers of DESIGN.md's worked example against the engine
#   make bench-engines the nets of `make bench` on both engines, in turn
#   make test-32       the host engine where size_t has 32 bits, emulated
#   make test-device   PAIRS="MODEL.snnpb MODEL.snnimg ...": images against their models on the host engine, sanitized
#   make eva           Frama-C's Eva: no overflow, no bad shift, no access out of bounds, for every input
#   make misra         MISRA C:2012 by cppcheck, against the deviations of MISRA.md
#   make stack         the deepest stack of every entry, against tests/stack_budget.csv; tests/check_stack shows the paths
#   make text          bytes of code at -Os as linked, against tests/text_budget.csv
#   make symbols       what the engine's objects ask of a library, on every target
#   make warnings      four compilers, the house's warnings as errors
#   make fuzz-device   SECONDS of libFuzzer on images, and on calls in any order
#   make checks        all of them but fuzzing
FUZZ_SANITIZE = -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
BUILD_IMAGE = tests/firmware/build_image.c tests/firmware/build_model.c tests/firmware/image_specs.c
IMAGE_SUPPORT = $(BUILD_IMAGE) tests/firmware/exercise.c
IMAGE_FLAGS = $(TEST_FLAGS) -Ifirmware -DSNN_KERNELS=0
DEVICE_INPUTS = $(wildcard firmware/*.[ch] include/snn/*.h tests/firmware/*.[ch])

checks: test-images test-fire test-clock test-design test-32 eva misra stack text symbols cycles warnings

$(B)/tests/test_images $(B)/tests/test_image_check: $(B)/tests/%: $(DEVICE_INPUTS) $(B)/libsnn.a
	@mkdir -p $(@D)
	$(CC) -O2 $(IMAGE_FLAGS) $(EXTRA) tests/firmware/$*.c $(IMAGE_SUPPORT) $(wildcard firmware/*.c) $(B)/libsnn.a -o $@

# Once more as the smallest engine.
$(B)/tests/test_images_small: $(DEVICE_INPUTS) $(B)/libsnn.a
	@mkdir -p $(@D)
	$(CC) -O2 $(IMAGE_FLAGS) -DSNN_DEVICE_GENERAL=0 -DSNN_DEVICE_STREAMING=0 $(EXTRA) tests/firmware/test_images.c $(IMAGE_SUPPORT) \
	    $(wildcard firmware/*.c) $(B)/libsnn.a -o $@

test-images: $(B)/tests/test_images $(B)/tests/test_images_small $(B)/tests/test_image_check
	@$(B)/tests/test_images
	@$(B)/tests/test_image_check
	@$(B)/tests/test_images_small

$(B)/tests/test_clock: $(DEVICE_INPUTS) $(B)/libsnn.a
	@mkdir -p $(@D)
	$(CC) -O2 $(IMAGE_FLAGS) $(EXTRA) tests/firmware/test_clock.c $(BUILD_IMAGE) $(wildcard firmware/*.c) $(B)/libsnn.a -o $@

# With the turns of the loops that a compiler gets for speed, and for size.
$(B)/tests/test_fire_O2 $(B)/tests/test_fire_Os: $(B)/tests/test_fire_%: $(DEVICE_INPUTS)
	@mkdir -p $(@D)
	$(CC) -$* $(IMAGE_FLAGS) $(EXTRA) tests/firmware/test_fire.c firmware/fire.c -o $@

test-fire: $(B)/tests/test_fire_O2 $(B)/tests/test_fire_Os
	@$(B)/tests/test_fire_O2
	@$(B)/tests/test_fire_Os

test-clock: $(B)/tests/test_clock
	@$(B)/tests/test_clock

$(B)/tests/test_design: $(DEVICE_INPUTS)
	@mkdir -p $(@D)
	$(CC) -O2 $(IMAGE_FLAGS) $(EXTRA) tests/firmware/test_design.c $(BUILD_IMAGE) $(wildcard firmware/*.c) -o $@

test-design: $(B)/tests/test_design
	@tests/check_design $(B)/tests/test_design

# The host engine where size_t has 32 bits.
test-32:
	@tests/need test-32 arm-linux-gnueabihf-gcc qemu-arm || exit $$(($$? - 1)); mkdir -p $(B)/tests && \
	    arm-linux-gnueabihf-gcc -O2 -static $(TEST_FLAGS) tests/test_steps.c tests/reference.c tests/models.c $(CORE) \
	    -o $(B)/tests/test_steps_32 && qemu-arm $(B)/tests/test_steps_32

$(B)/tests/bench_engines: $(DEVICE_INPUTS) $(B)/libsnn.a
	@mkdir -p $(@D)
	$(CC) -O3 $(IMAGE_FLAGS) $(EXTRA) tests/firmware/bench_engines.c $(BUILD_IMAGE) $(wildcard firmware/*.c) \
	    $(B)/libsnn.a -o $@

bench-engines: $(B)/tests/bench_engines
	@$(B)/tests/bench_engines

test: test-images test-fire test-clock test-design
run-tests: test-images test-fire test-clock test-design

test-device: $(B)/tests/test_device
	@$(B)/tests/test_device $(PAIRS)

$(B)/tests/test_device: $(DEVICE_INPUTS) $(CORE) $(LOADER)
	@mkdir -p $(@D)
	$(CC) -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all $(TEST_FLAGS) -DSNN_KERNELS=0 tests/firmware/test_device.c \
	    $(wildcard firmware/*.c) $(CORE) $(LOADER) $(LIBS) -o $@

eva:
	@tests/need eva frama-c || exit $$(($$? - 1)); tests/eva/run

misra:
	@tests/need misra cppcheck python3 || exit $$(($$? - 1)); tests/check_misra cppcheck

stack:
	@tests/need stack python3 || exit $$(($$? - 1)); tests/check_stack tests/stack_budget.csv

text:
	@tests/need text python3 || exit $$(($$? - 1)); tests/check_text tests/text_budget.csv

symbols:
	@tests/check_device_symbols "$(CC)" $(B)

cycles:
	@tests/need cycles python3 || exit $$(($$? - 1)); tests/check_cycles "$(CC)" $(B)

warnings:
	@tests/check_warnings $(B)

$(B)/fuzz/seeds: tests/firmware/write_seeds.c $(DEVICE_INPUTS)
	@mkdir -p $@
	$(CC) $(IMAGE_FLAGS) tests/firmware/write_seeds.c $(BUILD_IMAGE) -o $(B)/fuzz/write_seeds
	$(B)/fuzz/write_seeds $@
	@touch $@

fuzz-device: $(B)/fuzz/seeds
	@mkdir -p $(B)/fuzz/images $(B)/fuzz/events
	$(FUZZ_CC) -O1 -g $(FUZZ_SANITIZE) $(IMAGE_FLAGS) tests/fuzz_image.c $(IMAGE_SUPPORT) $(wildcard firmware/*.c) -o $(B)/fuzz/fuzz_image
	$(FUZZ_CC) -O1 -g $(FUZZ_SANITIZE) $(IMAGE_FLAGS) tests/fuzz_events.c $(BUILD_IMAGE) $(wildcard firmware/*.c) \
	    $(CORE) -o $(B)/fuzz/fuzz_events
	$(B)/fuzz/fuzz_image -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 -max_len=8192 -verbosity=0 \
	    -print_final_stats=1 $(B)/fuzz/images $(B)/fuzz/seeds
	$(B)/fuzz/fuzz_events -max_total_time=$(SECONDS) -timeout=10 -max_len=1024 -verbosity=0 -print_final_stats=1 \
	    $(B)/fuzz/events

.PHONY: checks test-images test-clock test-design test-32 bench-engines eva misra stack text symbols cycles warnings fuzz-device
