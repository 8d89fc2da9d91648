// What a comparison of SQL leaves of a column: `channel >= 3`, `value < '1.5'`, with SQLite's rules for types.
#ifndef NDX_BOUNDS_H
#define NDX_BOUNDS_H

#include <stddef.h>
#include <stdint.h>

#include "sqlite.h"

/// Integers first ... last, and of them only the `count` that `members` lists in ascending order, if it is not null.
typedef struct {
    int64_t first, last;
    int64_t *members;
    size_t count;
} ndx_range;

/// Floats low ... high; NaN too while nothing was said of the value, since NaN is NULL and meets no comparison.
typedef struct {
    float low, high;
    int has_nan;
} ndx_interval;

void ndx_range_reset(ndx_range *range);
int ndx_range_has(const ndx_range *range, int64_t number);

/// Narrows a range by `column op value`; `op` is '=', '<', '>', '{' for at most or '}' for at least.
void ndx_range_narrow(ndx_range *range, char op, sqlite3_value *value);

/// Narrows a range by `column IN (list)`, which SQLite hands over whole. Returns SQLite's code.
int ndx_range_narrow_to(ndx_range *range, sqlite3_value *list);

ndx_interval ndx_interval_all(void);
void ndx_interval_narrow(ndx_interval *interval, char op, sqlite3_value *value);

static inline int ndx_interval_has(ndx_interval interval, float value) {
    return (value >= interval.low && value <= interval.high) || (interval.has_nan && value != value);
}

#endif
