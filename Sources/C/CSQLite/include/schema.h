// That a store's tables, indexes and views are those that schema.sql defines, and no others.
#ifndef NDX_SCHEMA_H
#define NDX_SCHEMA_H

struct sqlite3;

enum {
    NDX_SCHEMA_SOUND,
    NDX_SCHEMA_FOREIGN,    // it has what neurodex does not make
    NDX_SCHEMA_DIFFERENT,  // something is defined in another way
    NDX_SCHEMA_UNDEFINED,  // something has no definition
    NDX_SCHEMA_MISSING,    // it lacks something
};

/// The first thing that is not as it should be.
typedef struct {
    int kind;
    char *type, *name;     // a trigger, gone; NULL if all is sound
    int has_json_views;    // one of its views is that of stores of 0.2 and earlier, which calls JSON functions
} ndx_schema_finding;

/// Compares everything that a database of a connection defines, word for word whatever stands between the words, with `schema`,
/// the text of schema.sql, as the file's version has it. What ANALYZE makes counts for nothing. Nothing of a file is run.
///
/// Returns SQLite's code: that of a failure to read. The finding is to be freed whatever is returned.
int ndx_schema_check(struct sqlite3 *connection, const char *database, const char *schema, ndx_schema_finding *finding);

void ndx_schema_free(ndx_schema_finding *finding);

/// What there is to say of something foreign, after the file's name, or of something else, after "it is damaged:". To be freed by
/// `sqlite3_free`; NULL where there is no memory.
char *ndx_schema_words(int kind, const char *type, const char *name, const char *path);

#endif
