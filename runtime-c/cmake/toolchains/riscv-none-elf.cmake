# snn::device for a 32-bit RISC-V: cmake --toolchain cmake/toolchains/riscv-none-elf.cmake -DSNN_ARCH=rv32imac
set(SNN_ARCH rv32imc CACHE STRING "-march")
set(SNN_CROSS riscv64-unknown-elf- CACHE STRING "Prefix of the tools")
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES SNN_ARCH SNN_CROSS)
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_C_COMPILER ${SNN_CROSS}gcc)
# Freestanding: the bare compiler may come without a C library; the host engine, snn::runtime, needs one.
set(CMAKE_C_FLAGS_INIT "-march=${SNN_ARCH} -mabi=ilp32 -mcmodel=medany -ffreestanding")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
