// The input is a database file, byte for byte.
#include <string.h>

#include "activation_table.h"
#include "questions.h"

extern const char ndx_schema[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 512 || size > 1 << 18) return 0;
    sqlite3 *connection = open_limited();
    unsigned char *copy = sqlite3_malloc64(size);
    memcpy(copy, data, size);
    // The table as in the sqlite3 shell, and as in neurodex, which has looked at the file's header by itself.
    if (sqlite3_deserialize(connection, "main", copy, size, size, SQLITE_DESERIALIZE_FREEONCLOSE) == SQLITE_OK
        && ndx_activation_register(connection, size % 2 == 0 ? NULL : ndx_schema) == SQLITE_OK)
        ask_questions(connection);
    sqlite3_close(connection);
    return 0;
}
