# The firmware engine for one target, installation, and the checks of all that packages it. Included by Makefile.
#   make TARGET=cortex-m4                     build/cortex-m4/libsnn_device.a, by the cross compiler
#   make install PREFIX=/usr/local DESTDIR=   libraries, headers and .pc files; WITH_LOADER=no leaves the loader out
#   make install TARGET=cortex-m4 PREFIX=...  the firmware engine of that target, its headers and .pc file
#   make packaging                            builds and runs what tests/packaging says; SNN_REQUIRE_TOOLS=1 skips nothing
# Choices of a build: CROSS (prefix of the tools), FLOAT_ABI (soft, softfp, hard; that of the firmware),
# KERNELS (a name of firmware/kernels.h, such as PORTABLE), DEVICE_OPT, EXTRA (such as -DSNN_DEVICE_GENERAL=0).
TARGETS = cortex-m0 cortex-m3 cortex-m4 cortex-m7 cortex-m33 cortex-m55 rv32imc rv32imac host
DEVICE_OPT = -O2
PREFIX = /usr/local
WITH_LOADER = yes

DEVICE_TARGET := $(or $(TARGET),host)
ifeq ($(filter $(DEVICE_TARGET),$(TARGETS)),)
$(error no TARGET "$(DEVICE_TARGET)"; there are: $(TARGETS))
endif
ifneq ($(filter cortex-%,$(DEVICE_TARGET)),)
CROSS = arm-none-eabi-
# The vectors of a Cortex-M55 are registers of its floating-point unit: without one there are none.
FLOAT_ABI = $(if $(filter cortex-m55,$(DEVICE_TARGET)),hard,soft)
TARGET_FLAGS = -mcpu=$(DEVICE_TARGET) -mthumb -mfloat-abi=$(FLOAT_ABI)
else ifneq ($(filter rv32%,$(DEVICE_TARGET)),)
# Freestanding: the bare compiler may come without a C library, and none is needed.
CROSS = riscv64-unknown-elf-
TARGET_FLAGS = -march=$(DEVICE_TARGET) -mabi=ilp32 -mcmodel=medany -ffreestanding
endif
KERNEL_NAMES := $(shell sed -nE 's/^.define SNN_KERNELS_(\w+) [0-9]+$$/\1/p' firmware/kernels.h)
ifneq ($(filter-out $(KERNEL_NAMES),$(KERNELS)),)
$(error no KERNELS "$(KERNELS)"; there are: $(KERNEL_NAMES))
endif
DEVICE_CC = $(if $(CROSS),$(CROSS)gcc,$(CC))
DEVICE_AR = $(if $(CROSS),$(CROSS),)ar
DEVICE_FLAGS = $(DEVICE_OPT) -std=c99 $(WARN) -Iinclude -ffunction-sections -fdata-sections \
    $(TARGET_FLAGS) $(if $(KERNELS),-DSNN_KERNELS=SNN_KERNELS_$(KERNELS)) $(EXTRA)
DEVICE = $(wildcard firmware/*.c)
DB = $(B)/$(DEVICE_TARGET)
VERSION = $(shell awk '$$2 == "SNN_VERSION_MAJOR" {a = $$3} $$2 == "SNN_VERSION_MINOR" {b = $$3} END {print a "." b ".0"}' \
    include/snn/snn.h)

device: $(DB)/libsnn_device.a

# Flags are part of what an object depends on: another choice builds anew.
$(DB)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(DEVICE_CC) $(DEVICE_FLAGS)' | cmp -s - $@ || echo '$(DEVICE_CC) $(DEVICE_FLAGS)' >$@

$(DB)/firmware/%.o: firmware/%.c $(wildcard include/snn/*.h firmware/*.h) $(DB)/flags
	@mkdir -p $(@D)
	$(DEVICE_CC) $(DEVICE_FLAGS) -c $< -o $@

$(DB)/libsnn_device.a: $(DEVICE:%.c=$(DB)/%.o)
	@rm -f $@
	$(DEVICE_AR) rcs $@ $^

INSTALLED = device
ifeq ($(TARGET),)
INSTALLED += runtime
ifeq ($(WITH_LOADER),yes)
INSTALLED += loader
endif
endif
ROOT = $(DESTDIR)$(PREFIX)

install: $(INSTALLED:%=install-%)

install-headers:
	install -d $(ROOT)/include/snn $(ROOT)/lib/pkgconfig
	install -m 644 include/snn/*.h $(ROOT)/include/snn

# $(1): archive, $(2): name of its .pc file
define install_library
install -m 644 $(1) $(ROOT)/lib
sed -e 's|@PC_PREFIX@|$(PREFIX)|' -e 's|@PC_LIBDIR@|$${prefix}/lib|' -e 's|@PC_INCLUDEDIR@|$${prefix}/include|' \
    -e 's|@PC_VERSION@|$(VERSION)|' pkgconfig/$(2).pc.in >$(ROOT)/lib/pkgconfig/$(2).pc
endef

install-device: $(DB)/libsnn_device.a install-headers
	$(call install_library,$<,snn-device)

install-runtime: $(B)/libsnn.a install-headers
	$(call install_library,$<,snn)

install-loader: $(B)/libsnn_loader.a install-headers
	install -m 644 loader/include/snn_loader.h $(ROOT)/include
	$(call install_library,$<,snn-loader)

packaging:
	@B="$(B)" CC="$(CC)" tests/packaging/run

FORCE:

.PHONY: device install install-headers install-device install-runtime install-loader packaging FORCE
