// How a statement's conditions and order become a scan of blocks: what xBestIndex decides and xFilter carries out.
#ifndef NDX_PLAN_H
#define NDX_PLAN_H

#include "table.h"

/// In which order rows come.
enum {
    NDX_BY_BLOCK,      // as they lie in the file: block, neuron, image
    NDX_BY_NEURON,     // neuron, image
    NDX_BY_IMAGE,      // image, neuron
    NDX_STRONGEST,     // value descending, image, neuron
    NDX_WEAKEST,       // value ascending, image, neuron
};

/// idxNum is the order. idxStr has two characters for each argument of xFilter: a column (as 'a' + its number), 'k' for LIMIT
/// or 'o' for OFFSET; and the operator of bounds.h, or 'i' for a list of IN.
int ndx_plan(sqlite3_vtab *base, sqlite3_index_info *info);

#endif
