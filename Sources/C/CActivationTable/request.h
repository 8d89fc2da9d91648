// What the arguments of xFilter ask for.
#ifndef NDX_REQUEST_H
#define NDX_REQUEST_H

#include "bounds.h"
#include "catalog.h"

typedef struct {
    ndx_range channels, neurons, images;
    ndx_interval values;
    const char *name;                 // of the store; null: the only one
    int64_t limit, offset;            // −1: none
    // The arguments themselves, for the names of layers; see plan.h.
    const char *text;
    int count;
    sqlite3_value **arguments;
} ndx_request;

typedef struct {
    uint32_t *ids;                    // ascending
    size_t count, capacity;
} ndx_neurons;

/// Reads the arguments, which have to stay. To be freed whatever is returned.
int ndx_request_read(ndx_request *asked, const char *text, int count, sqlite3_value **arguments);

void ndx_request_free(ndx_request *asked);

/// Fills in the neurons that are asked for.
int ndx_request_neurons(const ndx_request *asked, const ndx_catalog *catalog, ndx_neurons *neurons);

#endif
