// A list of the strongest as JSON text, and back: [[image,value,position],…], strongest first.
#ifndef NDX_LISTS_H
#define NDX_LISTS_H

#include <stddef.h>

#include "columns.h"

/// Bytes that one entry takes at most, its comma included: two numbers of ten digits, a float of fifteen characters, "[,,],".
enum { NDX_LIST_ENTRY = 40 };

/// Writes a sorted list to `text`, which has room for NDX_LIST_ENTRY * count + 2 bytes, and returns its length. A value is the
/// shortest decimal that reads back as the same float; infinities are 9e999 and -9e999, and -0 is 0. NaN is never listed.
size_t ndx_list_write(const ndx_top *entries, size_t count, char *text);

/// Reads the first `limit` entries of a list and returns how many there were; -1 if the text is not such a list.
ptrdiff_t ndx_list_read(const char *text, size_t length, size_t limit, ndx_top *entries);

#endif
