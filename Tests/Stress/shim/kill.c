// Kills the program it is loaded into (LD_PRELOAD) at one of the moments at which the state of files on the disk changes: before or after
// each fsync, fdatasync, ftruncate, rename and unlink, and in the middle of a write to a store, of which half is written.
//
//   KILL_LOG=FILE   one letter more in FILE for each moment: s(ync), t(runcate), r(ename), u(nlink), w(rite)
//   KILL_AT=N       at the moment N, from 1; KILL_AFTER=1 once it is over
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_long moments;
static long wanted;
static int is_after, log_file = -1;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("KILL_AT"), *after = getenv("KILL_AFTER"), *log = getenv("KILL_LOG");
    wanted = at ? atol(at) : 0;
    is_after = after && *after == '1';
    if (log) log_file = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }

/// Whether this is the moment.
static int is_now(char kind) {
    if (log_file >= 0) syscall(SYS_write, log_file, &kind, 1);
    return atomic_fetch_add(&moments, 1) + 1 == wanted;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define AT(kind, call)                  \
    int now = is_now(kind);             \
    if (now && !is_after) die();        \
    __typeof__(call) result = call;     \
    if (now) die();                     \
    return result

int fsync(int file) { AT('s', NEXT(fsync)(file)); }
int fdatasync(int file) { AT('s', NEXT(fdatasync)(file)); }
int rename(const char *from, const char *to) { AT('r', NEXT(rename)(from, to)); }
int unlink(const char *path) { AT('u', NEXT(unlink)(path)); }
int ftruncate(int file, off_t size) { AT('t', NEXT(ftruncate)(file, size)); }
#ifdef __USE_LARGEFILE64
int ftruncate64(int file, off64_t size) { AT('t', NEXT(ftruncate64)(file, size)); }
#endif

/// Whether the file is a store, or a journal of one.
static int is_store(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, ".sqlite") != NULL;
}

#define WRITE(file, count, call)                        \
    if (!is_store(file) || !is_now('w')) return call;   \
    count = is_after ? count : count / 2;               \
    if (count > 0 && (call) < 0) die();                 \
    die();                                              \
    return -1

ssize_t write(int file, const void *bytes, size_t count) { WRITE(file, count, NEXT(write)(file, bytes, count)); }
ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) { WRITE(file, count, NEXT(pwrite)(file, bytes, count, at)); }
#ifdef __USE_LARGEFILE64
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) { WRITE(file, count, NEXT(pwrite64)(file, bytes, count, at)); }
#endif
