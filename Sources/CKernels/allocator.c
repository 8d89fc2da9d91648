#include "allocator.h"

#ifdef __linux__
#include <malloc.h>
#endif

void ndx_allocator_trim(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
