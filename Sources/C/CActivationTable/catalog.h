// What a store has: its layers, and which images. Read once for each state of the file, checked, and never changed after.
#ifndef NDX_CATALOG_H
#define NDX_CATALOG_H

#include <stddef.h>
#include <stdint.h>

#include "sqlite.h"

enum {
    NDX_NEURON_BITS = 20,             // of a block's key
    NDX_LARGEST_BLOCK = 1 << 16,      // images; rows of one as large as that would not fit a page by far
};

typedef struct {
    char *name;
    int name_bytes;
    uint32_t first_neuron, channels;
    uint32_t width, cells;            // of the map
    uint8_t position_bytes;
} ndx_layer;

/// Image ids `first ..< end` of images that were removed.
typedef struct {
    uint32_t first, end;
} ndx_gap;

typedef struct {
    int references;
    uint32_t block_images;
    uint32_t lanes;                   // the ids of images are below it
    uint32_t images;
    uint32_t neurons;
    uint32_t layer_count, most_channels;
    ndx_layer *layers;                // by first_neuron, without gaps
    uint32_t gap_count;
    ndx_gap *gaps;                    // by id
} ndx_catalog;

/// Reads and checks a store's tables. `name` is the database's on the connection. Nothing is kept on failure.
int ndx_catalog_load(sqlite3 *connection, const char *name, ndx_catalog **into, char **message);

ndx_catalog *ndx_catalog_retain(ndx_catalog *catalog);
void ndx_catalog_release(ndx_catalog *catalog);

/// The layer that a neuron below `catalog->neurons` belongs to.
const ndx_layer *ndx_catalog_layer(const ndx_catalog *catalog, uint32_t neuron);

/// Images that block `block` has room for; those of the last one are fewer.
uint32_t ndx_catalog_lanes(const ndx_catalog *catalog, uint32_t block);

/// The first id from `id` on that has an image; `lanes` if none has.
uint32_t ndx_catalog_image(const ndx_catalog *catalog, uint32_t id);

/// Marks with 1 which of the `count` image ids from `first` on have an image.
void ndx_catalog_presence(const ndx_catalog *catalog, uint32_t first, uint32_t count, uint8_t *marks);

/// Prepares a statement that reads tables of `name` (up to four "%w" in `format`) and no virtual table, so that nothing goes in
/// circles.
int ndx_prepare(sqlite3 *connection, const char *name, const char *format, sqlite3_stmt **into, char **message);

#endif
