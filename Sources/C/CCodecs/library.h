// Libraries that are looked for when a picture of their kind first comes: the program runs without them.
#ifndef NEURODEX_LIBRARY_H
#define NEURODEX_LIBRARY_H

#include <stddef.h>

typedef struct {
  const char *name;
  void *place; // of a pointer to the function
} codec_symbol;

/// Opens the first of `names` (which ends with NULL) that is there and has all the functions. False where none does.
int codec_library_open(const char *const *names, const codec_symbol *symbols, size_t count);

#endif
