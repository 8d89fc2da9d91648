#include "questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const questions[] = {
    "SELECT * FROM activation",
    "SELECT *, neuron_id, schema, rowid FROM activation('main') WHERE layer = 'a'",
    "SELECT * FROM activation WHERE layer = 'a' AND channel = 0 ORDER BY value DESC LIMIT 3",
    "SELECT * FROM activation WHERE layer = 'a' AND channel = 0 ORDER BY value DESC, image_id LIMIT 2 OFFSET 1",
    "SELECT * FROM activation WHERE layer = 'b' AND channel >= 1 ORDER BY value LIMIT 4",
    "SELECT * FROM activation ORDER BY value DESC, image_id, neuron_id LIMIT 5",
    "SELECT * FROM activation WHERE value >= 1.5 AND value < 1e30",
    "SELECT image_id, sum(value) FROM activation WHERE layer = 'a' AND channel IN (0, 1, 5) GROUP BY image_id",
    "SELECT channel, max(value), min(y), max(x) FROM activation WHERE layer = 'b' GROUP BY channel",
    "SELECT DISTINCT layer, channel FROM activation",
    "SELECT neuron_id, count(*) FROM activation GROUP BY neuron_id",
    "SELECT * FROM activation WHERE image_id = 0",
    "SELECT * FROM activation WHERE image_id BETWEEN 1 AND 9223372036854775807 ORDER BY image_id",
    "SELECT * FROM activation WHERE neuron_id = 1 AND image_id > 0 AND value <= '2'",
    "SELECT value, path FROM activation a JOIN image i ON i.id = image_id WHERE neuron_id = 0 ORDER BY value DESC LIMIT 3",
    "SELECT a.value, b.value FROM activation a JOIN activation b USING (image_id) WHERE a.neuron_id = 0 AND b.neuron_id = 1",
    "SELECT * FROM layer l JOIN activation a ON a.layer = l.name AND a.channel = l.ordinal",
};

/// A condition as the table is given it, and as SQLite checks it by itself.
static const char *const pairs[][2] = {
    {"value >= 1", "+value >= 1"},
    {"layer = 'a'", "+layer = 'a'"},
    {"layer = 'b' AND channel > 0", "+layer = 'b' AND +channel > 0"},
    {"image_id = 2", "+image_id = 2"},
    {"neuron_id IN (0, 2, 3)", "+neuron_id IN (0, 2, 3)"},
    {"value = 0 AND image_id < 5", "+value = 0 AND +image_id < 5"},
    {"layer = 'a' AND value < 0.5", "+layer = 'a' AND +value < 0.5"},
};

enum { STEPS = 20, STEP = 1000, ROWS = 1000 };

static int count_down(void *steps) {
    return --*(int *)steps < 0;
}

/// Runs a statement; `text` becomes its first column of its first row.
static int run(sqlite3 *connection, const char *sql, char text[64]) {
    int steps = STEPS, rows = 0;
    sqlite3_progress_handler(connection, STEP, count_down, &steps);
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
    while (code == SQLITE_OK && rows < ROWS && sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const char *found = (const char *)sqlite3_column_text(statement, i);
            if (text && i == 0 && rows == 0) snprintf(text, 64, "%s", found ? found : "NULL");
        }
        rows++;
    }
    int last = sqlite3_finalize(statement);
    sqlite3_progress_handler(connection, 0, NULL, NULL);
    return code != SQLITE_OK ? code : rows == ROWS ? SQLITE_INTERRUPT : last;
}

int ask(sqlite3 *connection, const char *sql) {
    return run(connection, sql, NULL);
}

void ask_questions(sqlite3 *connection) {
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) ask(connection, questions[i]);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char answers[2][64] = {"", ""};
        int codes[2];
        for (int j = 0; j < 2; j++) {
            char sql[256];
            snprintf(
                sql, sizeof sql, "SELECT count(*) || ' ' || total(image_id * 3 + neuron_id) || ' ' || ifnull(max(value), 'none')"
                " FROM activation WHERE %s", pairs[i][j]);
            codes[j] = run(connection, sql, answers[j]);
        }
        if (codes[0] == SQLITE_OK && codes[1] == SQLITE_OK && strcmp(answers[0], answers[1])) {
            fprintf(stderr, "WHERE %s: %s\nWHERE %s: %s\n", pairs[i][0], answers[0], pairs[i][1], answers[1]);
            abort();
        }
    }
}

sqlite3 *open_limited(void) {
    sqlite3 *connection = NULL;
    if (sqlite3_open(":memory:", &connection) != SQLITE_OK) abort();
    sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_limit(connection, SQLITE_LIMIT_VDBE_OP, 25000);
    sqlite3_hard_heap_limit64(256 << 20);
    return connection;
}
