/* Let writes below a folder fail, from the n-th on. For LD_PRELOAD.
 *
 * FAIL_BELOW  the folder
 * FAIL_FROM   number of the first write that fails, from 1; 0 for none
 * FAIL_WITH   the error's number: 28, a full disk, or 30, read-only
 * FAIL_COUNT  a file of 8 bytes: how many there were, of all processes
 *
 * A write is a call that opens a file to write, makes or renames a file or a
 * folder, or hands over data. On a read-only disk nothing is deleted either.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *below;
static long from;
static int with;
static long *count;

__attribute__((constructor)) static void set_up(void) {
    const char *path = getenv("FAIL_COUNT");
    below = getenv("FAIL_BELOW");
    if (!path || !below) return;
    from = atol(getenv("FAIL_FROM"));
    with = atoi(getenv("FAIL_WITH"));
    int file = open(path, O_RDWR);
    if (file < 0) return;
    void *at = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at != MAP_FAILED) count = at;
    close(file);
}

/* Whether this write, one more, is to fail. */
static int fails(void) {
    if (__sync_add_and_fetch(count, 1) < from || !from) return 0;
    errno = with;
    return 1;
}

static int is_below(const char *path) {
    return !strncmp(path, below, strlen(below));
}

static int fails_at(int folder, const char *path) {
    char link[64], whole[4096];
    if (!count) return 0;
    if (*path == '/') return is_below(path) && fails();
    if (folder == AT_FDCWD) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = readlink(link, whole, sizeof whole - 1);
    if (length < 0) return 0;
    whole[length] = 0;
    return is_below(whole) && fails();
}

static int fails_in(int file) { return file > 2 && fails_at(file, ""); }

/* Nothing is written by a deletion; a read-only disk refuses it. */
static int is_kept(int folder, const char *path) {
    return count && with == EROFS && from && *count >= from &&
           fails_at(folder, path);
}

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))
#define WRITES (O_WRONLY | O_RDWR | O_CREAT)

#define OPEN(name)                                            \
    int name(const char *path, int flags, ...) {              \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                         \
        if (flags & WRITES && fails_at(AT_FDCWD, path)) return -1; \
        return REAL(name)(path, flags, mode);                 \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                          \
    int name(int folder, const char *path, int flags, ...) {  \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                         \
        if (flags & WRITES && fails_at(folder, path)) return -1; \
        return REAL(name)(folder, path, flags, mode);         \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                           \
    FILE *name(const char *path, const char *mode) {          \
        if (strpbrk(mode, "wa+") && fails_at(AT_FDCWD, path)) return NULL; \
        return REAL(name)(path, mode);                        \
    }
FOPEN(fopen)
FOPEN(fopen64)

ssize_t write(int file, const void *data, size_t size) {
    return fails_in(file) ? -1 : REAL(write)(file, data, size);
}

ssize_t writev(int file, const struct iovec *data, int parts) {
    return fails_in(file) ? -1 : REAL(writev)(file, data, parts);
}

ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return fails_in(file) ? -1 : REAL(pwrite)(file, data, size, at);
}

ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return fails_in(file) ? -1 : REAL(pwrite64)(file, data, size, at);
}

ssize_t sendfile(int to, int source, off_t *at, size_t size) {
    return fails_in(to) ? -1 : REAL(sendfile)(to, source, at, size);
}

ssize_t sendfile64(int to, int source, off64_t *at, size_t size) {
    return fails_in(to) ? -1 : REAL(sendfile64)(to, source, at, size);
}

size_t fwrite(const void *data, size_t size, size_t items, FILE *file) {
    return fails_in(fileno(file)) ? 0 : REAL(fwrite)(data, size, items, file);
}

int mkdir(const char *path, mode_t mode) {
    return fails_at(AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode);
}

int mkdirat(int folder, const char *path, mode_t mode) {
    return fails_at(folder, path) ? -1 : REAL(mkdirat)(folder, path, mode);
}

int rename(const char *old, const char *path) {
    return fails_at(AT_FDCWD, path) ? -1 : REAL(rename)(old, path);
}

int renameat(int from_folder, const char *old, int folder, const char *path) {
    return fails_at(folder, path)
               ? -1
               : REAL(renameat)(from_folder, old, folder, path);
}

int unlink(const char *path) {
    return is_kept(AT_FDCWD, path) ? -1 : REAL(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags) {
    return is_kept(folder, path) ? -1 : REAL(unlinkat)(folder, path, flags);
}

int rmdir(const char *path) {
    return is_kept(AT_FDCWD, path) ? -1 : REAL(rmdir)(path);
}
