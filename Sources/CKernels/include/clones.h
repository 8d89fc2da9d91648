// ND_CLONES marks a function that is compiled once for each generation of processor; the best that the machine can run
// is chosen when the program is loaded.
#ifndef NEURODEX_CLONES_H
#define NEURODEX_CLONES_H

#if defined(__x86_64__) && defined(__linux__) && defined(__clang__)
#define ND_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ND_CLONES
#endif

#endif
