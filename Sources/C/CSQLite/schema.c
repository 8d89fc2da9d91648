#include "schema.h"

#include <ctype.h>
#include <string.h>

// In a program by SQLite's own names, in an extension by the pointers that it is given.
#include <sqlite3ext.h>
#ifndef SQLITE_CORE
extern const sqlite3_api_routines *sqlite3_api;
#endif

enum { MOST_DEFINITIONS = 64, MOST_TEXTS = 3 };

/// One table, index or view as a store may have it.
typedef struct {
    char *type, *name, *table;
    char *texts[MOST_TEXTS];
    int text_count, is_found;
} definition;

typedef struct {
    definition all[MOST_DEFINITIONS];
    int count;
} definitions;

/// As stores of 0.2 and earlier have it. SQLite up to 3.40 takes its functions for harmful.
static const char json_top_activation[] =
    "CREATE VIEW top_activation AS "
    "SELECT t.neuron_id, e.key + 1 AS rank, e.value ->> 0 AS image_id, CAST(e.value ->> 1 AS REAL) AS value, "
    "(e.value ->> 2) / l.width AS y, (e.value ->> 2) % l.width AS x "
    "FROM layer l "
    "JOIN top_list t ON t.neuron_id >= l.first_neuron AND t.neuron_id < l.first_neuron + l.channels "
    "JOIN json_each(t.list) e";

// MARK: Texts

static int is_word(char byte) {
    return isalnum((unsigned char)byte) || (byte && strchr("_$'\"`", byte)) || (unsigned char)byte >= 0x80;
}

/// SQL without comments and without spaces that part nothing; to be freed, NULL where there is no memory.
static char *normalised(const char *sql) {
    char *result = sqlite3_malloc64(strlen(sql) + 1), *end = result;
    if (!result) return NULL;
    int is_parted = 0;
    while (*sql) {
        if (sql[0] == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
            is_parted = 1;
            continue;
        }
        char byte = *sql++;
        if (byte == ' ' || (byte >= 9 && byte <= 13)) {
            is_parted = 1;
            continue;
        }
        if (is_parted && end > result && is_word(end[-1]) && is_word(byte)) *end++ = ' ';
        is_parted = 0;
        *end++ = byte;
        if (byte != '\'' && byte != '"' && byte != '`') continue;
        // What is quoted stays as it is, to the next quote.
        const char *quote = strchr(sql, byte);
        size_t count = quote ? (size_t)(quote - sql) + 1 : strlen(sql);
        memcpy(end, sql, count);
        end += count;
        sql += count;
    }
    *end = 0;
    return result;
}

/// `text` with its first `old` replaced; to be freed, NULL where there is no memory.
static char *edited(const char *text, const char *old, const char *new) {
    const char *place = strstr(text, old);
    if (!place) return sqlite3_mprintf("%s", text);
    return sqlite3_mprintf("%.*s%s%s", (int)(place - text), text, new, place + strlen(old));
}

// MARK: What a store may have

static definition *find(definitions *all, const char *name) {
    for (int i = 0; i < all->count; i++)
        if (!strcmp(all->all[i].name, name)) return &all->all[i];
    return NULL;
}

static void release(definition *one) {
    sqlite3_free(one->type);
    sqlite3_free(one->name);
    sqlite3_free(one->table);
    for (int i = 0; i < one->text_count; i++) sqlite3_free(one->texts[i]);
}

static void drop(definitions *all, definition *one) {
    if (!one) return;
    release(one);
    definition *last = &all->all[--all->count];
    *one = *last;
    // Whoever is added next takes its place, without its texts.
    memset(last, 0, sizeof *last);
}

static int add_text(definition *into, char *text) {
    if (!text) return SQLITE_NOMEM;
    into->texts[into->text_count++] = text;
    return SQLITE_OK;
}

/// Of a normalised statement that begins with "CREATE TABLE name".
static int add(definitions *all, const char *text, int length) {
    static const char *const types[] = {"table", "index", "view"}, *const words[] = {"TABLE ", "INDEX ", "VIEW "};
    if (strncmp(text, "CREATE ", 7)) return SQLITE_OK;
    if (all->count == MOST_DEFINITIONS) return SQLITE_ERROR;
    for (int i = 0; i < 3; i++) {
        const char *name = text + 7 + strlen(words[i]);
        if (strncmp(text + 7, words[i], strlen(words[i]))) continue;
        int name_length = (int)strcspn(name, " (");
        const char *table = i == 1 ? name + name_length + strlen(" ON ") : name;
        definition *new = &all->all[all->count++];
        new->type = sqlite3_mprintf("%s", types[i]);
        new->name = sqlite3_mprintf("%.*s", name_length, name);
        new->table = sqlite3_mprintf("%.*s", (int)strcspn(table, " ("), table);
        if (!new->type || !new->name || !new->table) return SQLITE_NOMEM;
        return add_text(new, sqlite3_mprintf("%.*s", length, text));
    }
    return SQLITE_OK;
}

/// Replaces a text of every definition that is named.
static int edit(definitions *all, const char *const *names, const char *old, const char *new) {
    for (; *names; names++) {
        definition *one = find(all, *names);
        if (!one) continue;
        char *text = edited(one->texts[0], old, new);
        if (!text) return SQLITE_NOMEM;
        sqlite3_free(one->texts[0]);
        one->texts[0] = text;
    }
    return SQLITE_OK;
}

/// That a class of the label's name was predicted, in the view of images.
static const char is_named[] = " OR(SELECT k.name FROM class k WHERE k.id=b.class_id)=c.name";

/// The view of images as stores of 0.2 have it, in which every condition on a label pays for the class of its name.
static char *joined_image_info(const char *text) {
    char *named = edited(text, is_named, " OR k.name=c.name");
    return named ? sqlite3_mprintf("%z LEFT JOIN class k ON k.id=b.class_id", named) : NULL;
}

/// From those of the present version to those of an older one, and what stores of this one may have from older ones.
static int adapt(definitions *all, int version) {
    static const char checksum[] = ",checksum INTEGER NOT NULL";
    static const char *const since_4[] = {"run", "skipped_image", "cam_head", NULL}, *const info[] = {"image_info", NULL};
    static const char *const since_3[] = {"image", "neuron_statistics", "top_list", NULL};
    static const char *const since_2[] = {"explanation", "explanation_by_image", "cam_head", NULL};
    definition *image = find(all, "image"), *top = find(all, "top_activation"), *images = find(all, "image_info");
    int code = top ? add_text(top, normalised(json_top_activation)) : SQLITE_OK;
    if (version < 4) {
        if (code == SQLITE_OK) code = edit(all, since_4, checksum, "");
        if (code == SQLITE_OK) code = edit(all, info, is_named, "");
    } else if (images && code == SQLITE_OK) {
        code = add_text(images, joined_image_info(images->texts[0]));
    }
    if (version < 3) {
        if (code == SQLITE_OK) code = edit(all, since_3, checksum, "");
    } else if (image && code == SQLITE_OK) {
        // Brought here from version 2.
        code = add_text(image, edited(image->texts[0], checksum, ",checksum INTEGER NOT NULL DEFAULT 0"));
    }
    if (version < 5) drop(all, find(all, "thumbnail"));
    static const char *const since_6[] = {"attribute", "image_attribute", NULL};
    for (const char *const *name = since_6; version < 6 && *name; name++) drop(all, find(all, *name));
    for (const char *const *name = since_2; version < 2 && *name; name++) drop(all, find(all, *name));
    return code;
}

/// All that `schema` defines, and what ANALYZE makes, which may be there or not.
static int read(definitions *all, const char *schema, int version) {
    char *text = normalised(schema);
    if (!text) return SQLITE_NOMEM;
    int code = SQLITE_OK;
    for (const char *next = text; *next && code == SQLITE_OK;) {
        int length = (int)strcspn(next, ";");
        code = add(all, next, length);
        next += length + (next[length] != 0);
    }
    sqlite3_free(text);
    if (code == SQLITE_OK) code = adapt(all, version);
    static const char *const made[] = {
        "CREATE TABLE sqlite_stat1(tbl,idx,stat)", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    };
    for (int i = 0; i < 2 && code == SQLITE_OK; i++) {
        code = add(all, made[i], (int)strlen(made[i]));
        if (code == SQLITE_OK) all->all[all->count - 1].is_found = 1;
    }
    return code;
}

// MARK: What it has

static int report(ndx_schema_finding *finding, int kind, const char *type, const char *name) {
    finding->kind = kind;
    finding->type = sqlite3_mprintf("%s", type ? type : "object");
    finding->name = sqlite3_mprintf("%s", name ? name : "");
    return finding->type && finding->name ? SQLITE_OK : SQLITE_NOMEM;
}

/// One row of `sqlite_schema`: type, name, tbl_name, sql.
static int judge(sqlite3_stmt *row, definitions *all, ndx_schema_finding *finding) {
    const char *columns[4];
    for (int i = 0; i < 4; i++) columns[i] = (const char *)sqlite3_column_text(row, i);
    const char *type = columns[0], *name = columns[1], *table = columns[2], *sql = columns[3];
    if (!type || !name || !table) return report(finding, NDX_SCHEMA_UNDEFINED, type, name);
    if (!sql) {
        // An index that is part of its table's definition.
        static const char prefix[] = "sqlite_autoindex_";
        size_t length = strlen(table);
        int is_part = !strcmp(type, "index") && !strncmp(name, prefix, strlen(prefix))
            && !strncmp(name + strlen(prefix), table, length) && name[strlen(prefix) + length] == '_';
        return is_part ? SQLITE_OK : report(finding, NDX_SCHEMA_UNDEFINED, type, name);
    }
    definition *wanted = find(all, name);
    if (!wanted) return report(finding, NDX_SCHEMA_FOREIGN, type, name);
    wanted->is_found = 1;
    if (strcmp(wanted->type, type) || strcmp(wanted->table, table))
        return report(finding, NDX_SCHEMA_DIFFERENT, wanted->type, name);
    char *text = normalised(sql);
    if (!text) return SQLITE_NOMEM;
    int place = 0;
    while (place < wanted->text_count && strcmp(wanted->texts[place], text)) place++;
    sqlite3_free(text);
    if (place == wanted->text_count) return report(finding, NDX_SCHEMA_DIFFERENT, wanted->type, name);
    if (place > 0 && !strcmp(name, "top_activation")) finding->has_json_views = 1;
    return SQLITE_OK;
}

/// Steps through `format`, with the database's name in it, until `body` finds something.
static int compare(sqlite3 *connection, const char *database, definitions *all, ndx_schema_finding *finding) {
    sqlite3_stmt *row = NULL;
    char *sql = sqlite3_mprintf("SELECT type, name, tbl_name, sql FROM \"%w\".sqlite_schema", database);
    if (!sql) return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(connection, sql, -1, &row, NULL);
    sqlite3_free(sql);
    while (code == SQLITE_OK && finding->kind == NDX_SCHEMA_SOUND && (code = sqlite3_step(row)) == SQLITE_ROW)
        code = judge(row, all, finding);
    sqlite3_finalize(row);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int read_version(sqlite3 *connection, const char *database, int *version) {
    sqlite3_stmt *row = NULL;
    char *sql = sqlite3_mprintf("PRAGMA \"%w\".user_version", database);
    if (!sql) return SQLITE_NOMEM;
    int code = sqlite3_prepare_v2(connection, sql, -1, &row, NULL);
    sqlite3_free(sql);
    if (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW) *version = sqlite3_column_int(row, 0);
    return code == SQLITE_OK ? sqlite3_finalize(row) : code;
}

int ndx_schema_check(sqlite3 *connection, const char *database, const char *schema, ndx_schema_finding *finding) {
    memset(finding, 0, sizeof *finding);
    definitions all;
    memset(&all, 0, sizeof all);
    int version = 0;
    int code = read_version(connection, database, &version);
    if (code == SQLITE_OK) code = read(&all, schema, version);
    if (code == SQLITE_OK) code = compare(connection, database, &all, finding);
    const definition *lacking = NULL;
    for (int i = 0; i < all.count; i++) {
        const definition *one = &all.all[i];
        if (!one->is_found && (!lacking || strcmp(one->name, lacking->name) < 0)) lacking = one;
    }
    if (code == SQLITE_OK && finding->kind == NDX_SCHEMA_SOUND && lacking)
        code = report(finding, NDX_SCHEMA_MISSING, lacking->type, lacking->name);
    for (int i = 0; i < all.count; i++) release(&all.all[i]);
    return code;
}

void ndx_schema_free(ndx_schema_finding *finding) {
    sqlite3_free(finding->type);
    sqlite3_free(finding->name);
}

/// `text` as one word of a shell; to be freed, NULL where there is no memory.
static char *shell_word(const char *text, int is_always_quoted) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:@%=,";
    if (!is_always_quoted && *text && !text[strspn(text, plain)]) return sqlite3_mprintf("%s", text);
    char *result = sqlite3_malloc64(4 * strlen(text) + 3), *end = result;
    if (!result) return NULL;
    *end++ = '\'';
    for (; *text; text++) {
        if (*text == '\'') end = (char *)memcpy(end, "'\\'", 3) + 3;
        *end++ = *text;
    }
    memcpy(end, "'", 2);
    return result;
}

/// How something is taken away; to be freed, NULL where there is no memory.
static char *remedy(const char *type, const char *name, const char *path) {
    char upper[16] = "";
    for (int i = 0; i < 15 && type[i]; i++) upper[i] = (char)toupper((unsigned char)type[i]);
    char *statement = sqlite3_mprintf("DROP %s \"%w\"", upper, name);
    char *word = statement ? shell_word(statement, 1) : NULL, *file = shell_word(path, 0);
    char *result = word && file ? sqlite3_mprintf("sqlite3 %s %s", file, word) : NULL;
    sqlite3_free(statement);
    sqlite3_free(word);
    sqlite3_free(file);
    return result;
}

char *ndx_schema_words(int kind, const char *type, const char *name, const char *path) {
    if (kind == NDX_SCHEMA_DIFFERENT) return sqlite3_mprintf("its %s %s is not defined as neurodex defines it", type, name);
    if (kind == NDX_SCHEMA_UNDEFINED) return sqlite3_mprintf("its %s %s has no definition", type, name);
    if (kind == NDX_SCHEMA_MISSING) return sqlite3_mprintf("it has no %s %s", type, name);
    char *command = remedy(type, name, path);
    char *result = sqlite3_mprintf(
        "has %s %s %s, which no neurodex made, and is not read with it; remove it (%z), and keep tables of your own in another "
        "file, to which SQL can ATTACH this one",
        strcmp(type, "index") ? "a" : "an", type, name, command);
    return result;
}
