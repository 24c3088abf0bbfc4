/* How a function is compiled for several instruction sets. */
#ifndef SNN_CLONES_H
#define SNN_CLONES_H

#if defined(__x86_64__) && defined(__linux__)
#define SNN_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SNN_CLONES
#endif

/* The iterations of the loop that follows do not depend on each other. */
#define SNN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")

#endif
