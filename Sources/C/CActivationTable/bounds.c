#include "bounds.h"

#include <math.h>
#include <stdlib.h>

/// What a number is compared with: SQLite takes a text that looks like a number for one, and puts all others after every number.
typedef struct {
    enum { NOTHING, INTEGER, REAL, ABOVE_ALL } kind;
    int64_t integer;
    double real;
} operand;

static operand operand_of(sqlite3_value *value) {
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return (operand){INTEGER, sqlite3_value_int64(value), 0};
    case SQLITE_FLOAT: return (operand){REAL, 0, sqlite3_value_double(value)};
    case SQLITE_NULL: return (operand){NOTHING, 0, 0};
    case SQLITE_TEXT: {
        // A copy, for SQLite turns what it takes for a number into one.
        sqlite3_value *copy = sqlite3_value_dup(value);
        operand found = {ABOVE_ALL, 0, 0};
        int type = copy ? sqlite3_value_numeric_type(copy) : SQLITE_NULL;
        if (type == SQLITE_INTEGER) found = (operand){INTEGER, sqlite3_value_int64(copy), 0};
        if (type == SQLITE_FLOAT) found = (operand){REAL, 0, sqlite3_value_double(copy)};
        sqlite3_value_free(copy);
        return found;
    }
    default: return (operand){ABOVE_ALL, 0, 0};
    }
}

static const double two63 = 9223372036854775808.0;

void ndx_range_reset(ndx_range *range) {
    sqlite3_free(range->members);
    *range = (ndx_range){INT64_MIN, INT64_MAX, NULL, 0};
}

static void leave_nothing(ndx_range *range) {
    range->first = 1;
    range->last = 0;
}

static void at_least(ndx_range *range, double bound) {
    if (bound >= two63) leave_nothing(range);
    else if (bound > -two63 && (int64_t)bound > range->first) range->first = (int64_t)bound;
}

static void at_most(ndx_range *range, double bound) {
    if (bound < -two63) leave_nothing(range);
    else if (bound < two63 && (int64_t)bound < range->last) range->last = (int64_t)bound;
}

void ndx_range_narrow(ndx_range *range, char op, sqlite3_value *value) {
    operand other = operand_of(value);
    switch (other.kind) {
    case NOTHING: leave_nothing(range); return;
    case ABOVE_ALL:
        if (op != '<' && op != '{') leave_nothing(range);
        return;
    case REAL:
        if (op == '=' && floor(other.real) != other.real) leave_nothing(range);
        else if (op == '=' || op == '}') at_least(range, ceil(other.real));
        else if (op == '>') at_least(range, floor(other.real) == other.real ? other.real + 1 : ceil(other.real));
        if (op == '=' || op == '{') at_most(range, floor(other.real));
        else if (op == '<') at_most(range, floor(other.real) == other.real ? other.real - 1 : floor(other.real));
        return;
    case INTEGER: break;
    }
    int64_t bound = other.integer;
    if ((op == '>' && bound == INT64_MAX) || (op == '<' && bound == INT64_MIN)) {
        leave_nothing(range);
        return;
    }
    if (op == '>') bound++;
    if (op == '<') bound--;
    if ((op == '=' || op == '>' || op == '}') && bound > range->first) range->first = bound;
    if ((op == '=' || op == '<' || op == '{') && bound < range->last) range->last = bound;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int ndx_range_narrow_to(ndx_range *range, sqlite3_value *list) {
    size_t count = 0, capacity = 0;
    int64_t *members = sqlite3_malloc64(sizeof *members);
    if (!members) return SQLITE_NOMEM;
    sqlite3_value *value;
    int code = sqlite3_vtab_in_first(list, &value);
    for (; code == SQLITE_OK && value; code = sqlite3_vtab_in_next(list, &value)) {
        ndx_range one = {INT64_MIN, INT64_MAX, NULL, 0};
        ndx_range_narrow(&one, '=', value);
        if (one.first != one.last || (range->members && !ndx_range_has(range, one.first))) continue;
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            int64_t *more = sqlite3_realloc64(members, capacity * sizeof *members);
            if (!more) {
                code = SQLITE_NOMEM;
                break;
            }
            members = more;
        }
        members[count++] = one.first;
    }
    if (code != SQLITE_OK && code != SQLITE_DONE) {
        sqlite3_free(members);
        return code;
    }
    qsort(members, count, sizeof *members, ascending);
    sqlite3_free(range->members);
    range->members = members;
    range->count = count;
    return SQLITE_OK;
}

int ndx_range_has(const ndx_range *range, int64_t number) {
    if (number < range->first || number > range->last) return 0;
    return !range->members || bsearch(&number, range->members, range->count, sizeof number, ascending) != NULL;
}

ndx_interval ndx_interval_all(void) {
    return (ndx_interval){-INFINITY, INFINITY, 1};
}

/// −1, 0 or 1 as a float is less than, equal to or greater than a number.
static int compare(float value, operand other) {
    if (other.kind == REAL) return (value > other.real) - (value < other.real);
    if (value >= two63) return 1;
    if (value < -two63) return -1;
    // An integer of a float's size that is no float lies between two of them; both are integers.
    int64_t whole = (int64_t)value;
    if (whole != other.integer) return whole > other.integer ? 1 : -1;
    float rest = value - (float)whole;
    return (rest > 0) - (rest < 0);
}

void ndx_interval_narrow(ndx_interval *interval, char op, sqlite3_value *value) {
    static const ndx_interval nothing = {INFINITY, -INFINITY, 0};
    operand other = operand_of(value);
    interval->has_nan = 0;
    if (other.kind == NOTHING || (other.kind == ABOVE_ALL && op != '<' && op != '{')) *interval = nothing;
    if (other.kind == NOTHING || other.kind == ABOVE_ALL) return;

    // The float nearest to the number, and from it the first that meets the comparison.
    float nearest = other.kind == REAL ? (float)other.real : (float)other.integer;
    int sign = compare(nearest, other);
    if (op == '=' && sign != 0) *interval = nothing;
    if (op == '=' || op == '}' || op == '>') {
        float low = sign < 0 || (op == '>' && sign == 0) ? nextafterf(nearest, INFINITY) : nearest;
        if (op == '>' && sign == 0 && nearest == INFINITY) *interval = nothing;
        else if (low > interval->low) interval->low = low;
    }
    if (op == '=' || op == '{' || op == '<') {
        float high = sign > 0 || (op == '<' && sign == 0) ? nextafterf(nearest, -INFINITY) : nearest;
        if (op == '<' && sign == 0 && nearest == -INFINITY) *interval = nothing;
        else if (high < interval->high) interval->high = high;
    }
}
