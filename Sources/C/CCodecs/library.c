#include "library.h"

#include <dlfcn.h>
#include <string.h>

int codec_library_open(const char *const *names, const codec_symbol *symbols, size_t count) {
  for (; *names; names++) {
    void *library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    if (!library) continue;
    size_t found = 0;
    for (; found < count; found++) {
      void *function = dlsym(library, symbols[found].name);
      if (!function) break;
      memcpy(symbols[found].place, &function, sizeof function);
    }
    if (found == count) return 1;
    dlclose(library);
  }
  return 0;
}
