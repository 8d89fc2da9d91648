#ifndef NDX_ALLOCATOR_H
#define NDX_ALLOCATOR_H

#include <stddef.h>

/// Memory that vectors like, in pages of 2 MB where it is large and the system has them: they are got at once, and found at once.
/// Returns `bytes` that start on a boundary of 64, with anything in them, to be given back by `free`; ends the program if there are none.
void *ndx_allocate_large(size_t bytes);

/// Gives the system back what was freed and the allocator kept. Does nothing where the allocator is not glibc's.
void ndx_allocator_trim(void);

#endif
