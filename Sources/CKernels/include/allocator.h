#ifndef NDX_ALLOCATOR_H
#define NDX_ALLOCATOR_H

/// Gives the system back what was freed and the allocator kept. Does nothing where the allocator is not glibc's.
void ndx_allocator_trim(void);

#endif
