// The input says what rows a store has: lengths, counts, ids and checksums that no writer would write, among some that one would.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "activation_table.h"
#include "checksum.h"
#include "columns.h"
#include "questions.h"

typedef struct {
    const uint8_t *data;
    size_t size;
} input;

static uint8_t next(input *in) {
    if (in->size == 0) return 0;
    in->size--;
    return *in->data++;
}

/// Mostly a small number from `usual` on, sometimes one that nobody expects.
static int64_t number(input *in, int64_t usual) {
    static const int64_t odd[] = {
        -1, 0, 1, 255, 256, 65536, 1 << 20, (1 << 20) - 1, INT32_MAX, UINT32_MAX, (int64_t)UINT32_MAX + 1, (int64_t)1 << 40,
        INT64_MAX, INT64_MIN, INT64_MAX >> 20 << 20, 4294967294,
    };
    uint8_t dice = next(in);
    if (dice < 224) return usual;
    return dice < 240 ? usual + (int8_t)next(in) : odd[dice - 240];
}

static float value(input *in) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 0, 1, 1, 2, 3e38f, 1e-45f};
    uint8_t dice = next(in);
    return dice < sizeof odd / sizeof *odd ? odd[dice] : ((float)dice - 128) / 16;
}

static void insert(sqlite3 *connection, const char *sql, int count, const int64_t *numbers, const char *text) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(connection, sql, -1, &statement, NULL) != SQLITE_OK) return;
    for (int i = 0; i < count; i++) sqlite3_bind_int64(statement, i + 1, numbers[i]);
    if (text) sqlite3_bind_text(statement, count + 1, text, -1, SQLITE_TRANSIENT);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

static void insert_row(sqlite3 *connection, input *in, int64_t key, uint32_t lanes, uint32_t width, uint32_t cells) {
    uint8_t bytes[8 * 16];
    float values[16];
    uint32_t count = lanes < 16 ? lanes : 16;
    for (uint32_t i = 0; i < count; i++) values[i] = value(in);
    memcpy(bytes, values, count * 4);
    for (uint32_t i = 0; i < count * width; i++) bytes[count * 4 + i] = next(in) % (cells > 255 ? 4 : cells + 1);
    uint8_t dice = next(in);
    int64_t values_length = dice == 1 ? number(in, count * 4) : count * 4;
    int64_t positions_length = dice == 2 ? next(in) : count * width;
    if (values_length < 0 || values_length > count * 4) values_length = count * 4;
    if (positions_length > count * width) positions_length = count * width;
    double maximum = ndx_column_maximum(values, count);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(connection, "INSERT OR REPLACE INTO activation_block VALUES (?, ?, ?, ?, ?, ?)", -1, &statement, NULL))
        return;
    sqlite3_bind_int64(statement, 1, key);
    sqlite3_bind_int64(statement, 2, dice == 3 ? number(in, count) : count);
    if (dice != 4) sqlite3_bind_double(statement, 3, dice == 5 ? value(in) : dice == 6 ? 1e300 : maximum);
    uint32_t crc = ndx_checksum(0, bytes, count * 4 + count * width);
    sqlite3_bind_int64(statement, 4, dice == 7 ? number(in, crc) : crc);
    if (dice == 8) sqlite3_bind_text(statement, 5, (const char *)bytes, (int)values_length, SQLITE_TRANSIENT);
    else if (dice != 9) sqlite3_bind_blob(statement, 5, bytes, (int)values_length, SQLITE_TRANSIENT);
    if (dice == 10) sqlite3_bind_zeroblob(statement, 6, 1 << 16);
    else if (dice != 11) sqlite3_bind_blob(statement, 6, bytes + count * 4, (int)positions_length, SQLITE_TRANSIENT);
    sqlite3_step(statement);
    sqlite3_finalize(statement);
}

/// As in schema.sql, without what keeps wrong types out.
static const char tables[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value);"
    "CREATE TABLE layer(ordinal, first_neuron, channels, height, width, position_bytes, name);"
    "CREATE TABLE image(id INTEGER PRIMARY KEY, path);"
    "CREATE TABLE activation_block(id INTEGER PRIMARY KEY, n, value_max REAL, checksum, value, position)";

static void make(sqlite3 *connection, input *in) {
    ask(connection, "PRAGMA application_id = 1313101873");
    sqlite3_exec(connection, tables, NULL, NULL, NULL);
    uint32_t block = 1 + next(in) % 8, images = next(in) % 24, layers = 1 + next(in) % 3, first = 0;
    static const uint32_t sides[] = {1, 2, 20, 300}, widths[] = {0, 1, 2, 4};
    uint32_t channels[3], kinds[3];
    for (uint32_t i = 0; i < layers; i++) {
        channels[i] = 1 + next(in) % 4;
        kinds[i] = next(in) % 4;
        int64_t side = sides[kinds[i]];
        int64_t row[] = {
            i, number(in, first), number(in, channels[i]), number(in, side), number(in, side), number(in, widths[kinds[i]])};
        char name[] = {(char)('a' + i), 0};
        insert(connection, "INSERT INTO layer VALUES (?, ?, ?, ?, ?, ?, ?)", 6, row, name);
        first += channels[i];
    }
    int64_t facts[] = {number(in, block), number(in, first)};
    insert(connection, "INSERT INTO meta VALUES ('block_images', ?)", 1, facts, NULL);
    insert(connection, "INSERT INTO meta VALUES ('neurons', ?)", 1, facts + 1, NULL);
    ask(connection, "INSERT INTO meta VALUES ('byte_order', 'little'), ('checksum', 'crc32c')");
    for (uint32_t i = 0; i < images; i++) {
        int64_t id = number(in, i);
        if (next(in) < 240) insert(connection, "INSERT OR IGNORE INTO image VALUES (?, 'p')", 1, &id, NULL);
    }
    for (uint32_t b = 0; b * block < images; b++) {
        uint32_t lanes = images - b * block < block ? images - b * block : block, neuron = 0;
        for (uint32_t i = 0; i < layers; i++)
            for (uint32_t channel = 0; channel < channels[i]; channel++, neuron++) {
                uint32_t side = sides[kinds[i]];
                insert_row(connection, in, number(in, (int64_t)b << 20 | neuron), lanes, widths[kinds[i]], side * side);
            }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 1 << 14) return 0;
    input in = {data, size};
    sqlite3 *connection = open_limited();
    ask(connection, "BEGIN");
    make(connection, &in);
    if (next(&in) % 2) ask(connection, "COMMIT");
    if (ndx_activation_register(connection, next(&in) % 2 ? NULL : tables) == SQLITE_OK) {
        ask_questions(connection);
        // The store changes under a statement that is being read.
        sqlite3_stmt *open = NULL;
        sqlite3_prepare_v2(connection, "SELECT * FROM activation ORDER BY image_id", -1, &open, NULL);
        sqlite3_step(open);
        ask(connection, next(&in) % 2 ? "DELETE FROM image WHERE id % 3 = 1" : "UPDATE layer SET channels = channels + 1");
        ask(connection, "SELECT count(*) FROM activation WHERE layer = 'a'");
        ask(connection, "ROLLBACK");
        for (int i = 0; i < 20 && sqlite3_step(open) == SQLITE_ROW; i++) sqlite3_column_text(open, 0);
        sqlite3_finalize(open);
        ask(connection, "ATTACH ':memory:' AS other");
        ask(connection, "SELECT * FROM activation('other')");
        ask(connection, "DETACH other");
        ask(connection, "SELECT count(*), max(value) FROM activation");
    }
    if (sqlite3_close(connection) != SQLITE_OK) __builtin_trap();
    return 0;
}
