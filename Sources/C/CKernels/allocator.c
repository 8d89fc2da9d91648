#define _GNU_SOURCE  // posix_memalign and madvise, which C alone has not
#include "allocator.h"

#include <stdio.h>
#include <stdlib.h>

#ifdef __linux__
#include <malloc.h>
#include <sys/mman.h>
#endif

enum { LINE = 64, HUGE_PAGE = 2 << 20 };

void *ndx_allocate_large(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, bytes < HUGE_PAGE ? LINE : HUGE_PAGE, bytes < LINE ? LINE : bytes) != 0) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        abort();
    }
#ifdef MADV_HUGEPAGE
    if (bytes >= HUGE_PAGE) madvise(memory, bytes & ~(size_t)(HUGE_PAGE - 1), MADV_HUGEPAGE);
#endif
    return memory;
}

void ndx_allocator_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
