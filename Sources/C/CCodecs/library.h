// Libraries that are looked for when a picture of their kind first comes: the program runs without them.
#ifndef NEURODEX_LIBRARY_H
#define NEURODEX_LIBRARY_H

#include <pthread.h>
#include <stddef.h>

typedef struct {
  const char *name;
  void *place; // of a pointer to the function
} codec_symbol;

/// Opens the first of `names` (which ends with NULL) that is there and has all the functions. False where none does.
int codec_library_open(const char *const *names, const codec_symbol *symbols, size_t count);

#define CODEC_POINTER(name) __typeof__(&name) name;
#define CODEC_SYMBOL(name) {#name, &lib.name},

/// Declares a library by its functions, `FUNCTIONS(X)` being `X(first) X(second)`, and the names it may have: `lib` has a pointer to each of them
/// once `is_there()`, which looks for it when it is first asked, by whatever thread.
#define CODEC_LIBRARY(FUNCTIONS, ...)                                                                                          \
  static struct { FUNCTIONS(CODEC_POINTER) } lib;                                                                              \
  static int is_open;                                                                                                          \
  static void open_library(void) {                                                                                             \
    static const codec_symbol symbols[] = {FUNCTIONS(CODEC_SYMBOL)};                                                           \
    static const char *const names[] = {__VA_ARGS__, NULL};                                                                    \
    is_open = codec_library_open(names, symbols, sizeof symbols / sizeof *symbols);                                            \
  }                                                                                                                            \
  static int is_there(void) {                                                                                                  \
    static pthread_once_t once = PTHREAD_ONCE_INIT;                                                                            \
    pthread_once(&once, open_library);                                                                                         \
    return is_open;                                                                                                            \
  }

#endif
