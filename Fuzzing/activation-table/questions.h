// Statements over the table `activation`, asked of whatever store the fuzzer made.
#ifndef QUESTIONS_H
#define QUESTIONS_H

#include <sqlite3.h>
#include <stdint.h>

/// Asks everything of a connection on which the table is registered. Answers may be errors; where a statement and the same with
/// conditions that SQLite checks by itself both have an answer, they have to be equal, or the process is aborted.
void ask_questions(sqlite3 *connection);

/// Runs one statement to its end, or to a limit of steps and rows. Returns SQLite's code.
int ask(sqlite3 *connection, const char *sql);

/// A connection in memory with limits that keep one input from taking long.
sqlite3 *open_limited(void);

#endif
