#include "table.h"

#include <string.h>

#include "activation_table.h"
#include "cursor.h"
#include "plan.h"
#include "schema.h"

enum { APPLICATION_ID = 0x4E445831, KNOWN_VERSION = 6 };

/// What `PRAGMA name.what` says; 0 if it says nothing.
static int pragma(ndx_table *table, const char *name, const char *what, int64_t *into) {
    *into = 0;
    sqlite3_stmt *row = NULL;
    char *sql = sqlite3_mprintf("PRAGMA \"%w\".%s", name, what);
    if (!sql) return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(table->connection, sql, -1, &row, NULL);
    sqlite3_free(sql);
    if (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) *into = sqlite3_column_int64(row, 0);
    if (code == SQLITE_OK) code = sqlite3_finalize(row);
    return code == SQLITE_OK ? code : ndx_fail_sqlite(&table->base.zErrMsg, table->connection, name);
}

/// Whether a database is a store; one of a newer version is a failure.
static int inspect(ndx_table *table, const char *name, int *is_store) {
    int64_t id = 0, version = 0;
    int code = pragma(table, name, "application_id", &id);
    if (code == SQLITE_OK) code = pragma(table, name, "user_version", &version);
    *is_store = code == SQLITE_OK && id == APPLICATION_ID;
    if (*is_store && version > KNOWN_VERSION)
        return ndx_fail(
            &table->base.zErrMsg, SQLITE_ERROR,
            "%s is a store of version %lld, and this activation table knows versions up to %d; use one of a newer neurodex", name,
            (long long)version, KNOWN_VERSION);
    return code;
}

/// The only database that is a store.
static int find(ndx_table *table, char **into) {
    sqlite3_stmt *row = NULL;
    int code = sqlite3_prepare_v2(table->connection, "PRAGMA database_list", -1, &row, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(row, 1);
        int is_store = 0;
        code = !name ? SQLITE_NOMEM : strcmp(name, "temp") ? inspect(table, name, &is_store) : SQLITE_OK;
        if (!is_store || code != SQLITE_OK) continue;
        if (*into) {
            code = ndx_fail(
                &table->base.zErrMsg, SQLITE_ERROR,
                "%s and %s are both stores; say which one: activation('%s') or activation('%s')", *into, name, *into, name);
        } else {
            *into = sqlite3_mprintf("%s", name);
            if (!*into) code = SQLITE_NOMEM;
        }
    }
    sqlite3_finalize(row);
    if (code != SQLITE_DONE)
        return table->base.zErrMsg ? code : ndx_fail_sqlite(&table->base.zErrMsg, table->connection, "PRAGMA database_list");
    if (!*into) return ndx_fail(&table->base.zErrMsg, SQLITE_ERROR, "no database of this connection is a neurodex store");
    return SQLITE_OK;
}

int ndx_table_store(ndx_table *table, const char *name, ndx_store **into) {
    char *only = NULL;
    int code = SQLITE_OK, is_store = 1;
    if (!table->schema) name = name ? name : "main";
    else if (name) code = inspect(table, name, &is_store);
    else code = find(table, &only);
    if (code == SQLITE_OK && !is_store)
        code = ndx_fail(&table->base.zErrMsg, SQLITE_ERROR, "%s is no neurodex store", name);
    if (code == SQLITE_OK)
        code = ndx_store_open(table->connection, only ? only : name, table->schema, &table->stores, into, &table->base.zErrMsg);
    sqlite3_free(only);
    return code;
}

static int connect(
    sqlite3 *connection, void *schema, int count, const char *const *arguments, sqlite3_vtab **into, char **message
) {
    (void)count, (void)arguments, (void)message;
    int code = sqlite3_declare_vtab(connection, NDX_DECLARATION);
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(connection, SQLITE_VTAB_INNOCUOUS);
    ndx_table *table = sqlite3_malloc64(sizeof *table);
    if (!table) return SQLITE_NOMEM;
    memset(table, 0, sizeof *table);
    table->connection = connection;
    table->schema = schema;
    *into = &table->base;
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *base) {
    ndx_table *table = (ndx_table *)base;
    while (table->stores) {
        ndx_store *store = table->stores;
        table->stores = store->next;
        ndx_store_close(store);
    }
    sqlite3_free(table);
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect,
    .xBestIndex = ndx_plan,
    .xDisconnect = disconnect,
    .xOpen = ndx_cursor_open,
    .xClose = ndx_cursor_close,
    .xFilter = ndx_cursor_filter,
    .xNext = ndx_cursor_next,
    .xEof = ndx_cursor_eof,
    .xColumn = ndx_cursor_column,
    .xRowid = ndx_cursor_rowid,
};

int ndx_activation_register(sqlite3 *connection, const char *schema) {
    int code = sqlite3_create_module_v2(connection, "activation", &module, (void *)schema, NULL);
    if (code != SQLITE_OK || schema) return code;
    // Declared now, before there is an authorizer, which would be asked as if a table was being created.
    sqlite3_stmt *statement = NULL;
    code = sqlite3_prepare_v2(connection, "PRAGMA table_info(activation)", -1, &statement, NULL);
    sqlite3_finalize(statement);
    return code;
}

#ifndef SQLITE_CORE
/// The text of schema.sql, which `make extension` makes an array of.
extern const char ndx_schema[];

/// What the main database has of the name `activation`, which SQLite would take instead of the table here: "main has a table …", or
/// NULL for nothing.
static char *hidden_by(sqlite3 *connection) {
    sqlite3_stmt *row = NULL;
    char *result = NULL;
    int code = sqlite3_prepare_v2(
        connection, "SELECT type, name FROM main.sqlite_schema WHERE name COLLATE NOCASE = 'activation'", -1, &row, NULL);
    if (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) {
        const char *type = (const char *)sqlite3_column_text(row, 0), *name = (const char *)sqlite3_column_text(row, 1);
        const char *path = sqlite3_db_filename(connection, "main");
        char *words = ndx_schema_words(NDX_SCHEMA_FOREIGN, type ? type : "", name ? name : "", path && *path ? path : "main");
        result = words ? sqlite3_mprintf("main %z", words) : NULL;
    }
    sqlite3_finalize(row);
    return result;
}

/// What SQLite looks for in a file named `activation`.
__attribute__((visibility("default")))
int sqlite3_activation_init(sqlite3 *connection, char **message, const sqlite3_api_routines *api) {
    SQLITE_EXTENSION_INIT2(api);
    if (sqlite3_libversion_number() < 3038000) {
        *message = sqlite3_mprintf("the activation table needs SQLite 3.38 or newer, and this is %s", sqlite3_libversion());
        return SQLITE_ERROR;
    }
    if ((*message = hidden_by(connection))) return SQLITE_ERROR;
    return ndx_activation_register(connection, ndx_schema);
}
#endif
