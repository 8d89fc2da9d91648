// Compiles a hot function once for each level of x86-64 and lets the loader choose; elsewhere it is compiled once.
#ifndef NDX_CLONES_H
#define NDX_CLONES_H

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
// The loader would call the choosing function before the sanitizer is there for it.
#define NDX_CLONES
#endif
#endif

#ifdef NDX_CLONES
#elif defined(__x86_64__) && defined(__linux__)
#define NDX_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define NDX_CLONES
#endif

#endif
