// Preloaded into dv by the campaigns: counts its calls to the file system, and makes one of them go wrong.
//
// TORTURE_COUNTER names a file of 8 bytes, mapped into memory: how many calls of the chosen classes were made.
// TORTURE_FAULT is CLASSES:K:WHAT, where CLASSES is a sum of the numbers below, K counts from 1 over all threads (0: none), and
// WHAT is an errno, `short` (half of what was asked is read or written), `kill` (SIGKILL before the call), or `lose` (an fsync
// fails with EIO and, as kernels may do, what was written to the file is gone).
//
// Only calls on regular files and directories count, of the program itself (not of git that it runs), outside the system's folders.

#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, CREATE = 2, READ = 4, WRITE = 8, SYNC = 16, CLOSE = 32, NAME = 64, LOOK = 128 };

static _Atomic uint64_t *counter;
static int classes;
static uint64_t position;
static const char *what = "";
extern char *program_invocation_short_name;

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("TORTURE_COUNTER"), *fault = getenv("TORTURE_FAULT");
  if (!path || !fault || strcmp(program_invocation_short_name, getenv("TORTURE_PROGRAM") ?: "dv") != 0) return;
  char *end;
  classes = (int)strtol(fault, &end, 10);
  position = strtoull(end + 1, &end, 10);
  what = end + 1;
  int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
  if (file < 0) return;
  void *memory = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (memory != MAP_FAILED) counter = memory;
}

static int is_file(int descriptor) {
  struct stat info;
  int kept = errno;
  int result = syscall(SYS_newfstatat, descriptor, "", &info, AT_EMPTY_PATH);
  errno = kept;
  return result == 0 && (S_ISREG(info.st_mode) || S_ISDIR(info.st_mode)) && descriptor > 2;
}

static int is_ours(const char *path) {
  static const char *const system[] = {"/proc", "/sys", "/etc", "/usr", "/lib", "/dev/null", "/dev/urandom", "/run"};
  if (path) for (size_t i = 0; i < sizeof system / sizeof *system; i++) if (strncmp(path, system[i], strlen(system[i])) == 0) return 0;
  return 1;
}

// Counts a call; returns 0 to go on, -1 with errno set to fail, 1 to do half of it, 2 to lose what was written.
static int meet(int class) {
  if (!counter || !(class & classes)) return 0;
  if (atomic_fetch_add(counter, 1) + 1 != position) return 0;
  if (strcmp(what, "kill") == 0) { kill(getpid(), SIGKILL); for (;;) pause(); }
  if (strcmp(what, "short") == 0) return 1;
  if (strcmp(what, "lose") == 0) return 2;
  errno = atoi(what);
  return -1;
}

#define NEXT(name) ({ static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name); next; })
#define PATH(class, path) do { if (is_ours(path) && meet(class) < 0) return -1; } while (0)
#define FILE_(class, descriptor) do { if (counter && is_file(descriptor) && meet(class) < 0) return -1; } while (0)

static int opening(int flags) { return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? OPEN | CREATE : OPEN; }

#define OPENER(name, parameters, ...) \
  int name parameters { \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
    PATH(opening(flags), path); \
    return NEXT(name)(__VA_ARGS__, mode); \
  }
OPENER(open, (const char *path, int flags, ...), path, flags)
OPENER(open64, (const char *path, int flags, ...), path, flags)
OPENER(openat, (int at, const char *path, int flags, ...), at, path, flags)
OPENER(openat64, (int at, const char *path, int flags, ...), at, path, flags)
int creat(const char *path, mode_t mode) { PATH(OPEN | CREATE, path); return NEXT(creat)(path, mode); }
DIR *opendir(const char *path) { if (is_ours(path) && meet(OPEN) < 0) return NULL; return NEXT(opendir)(path); }
struct dirent *readdir(DIR *directory) { if (meet(LOOK) < 0) return NULL; return NEXT(readdir)(directory); }

int close(int file) {
  int result = counter && is_file(file) ? meet(CLOSE) : 0;
  int code = errno;
  if (result >= 0) return NEXT(close)(file);
  // Linux frees the descriptor in any case.
  NEXT(close)(file);
  errno = code;
  return -1;
}

#define MOVER(name, class, parameters, ...) \
  ssize_t name parameters { \
    int result = counter && is_file(file) ? meet(class) : 0; \
    if (result < 0) return -1; \
    if (result == 1 && count > 1) count /= 2; \
    return NEXT(name)(__VA_ARGS__); \
  }
MOVER(read, READ, (int file, void *buffer, size_t count), file, buffer, count)
MOVER(pread, READ, (int file, void *buffer, size_t count, off_t offset), file, buffer, count, offset)
MOVER(pread64, READ, (int file, void *buffer, size_t count, off64_t offset), file, buffer, count, offset)
MOVER(write, WRITE, (int file, const void *buffer, size_t count), file, buffer, count)
MOVER(pwrite, WRITE, (int file, const void *buffer, size_t count, off_t offset), file, buffer, count, offset)
MOVER(pwrite64, WRITE, (int file, const void *buffer, size_t count, off64_t offset), file, buffer, count, offset)

static int synchronise(int file) {
  int result = counter && is_file(file) ? meet(SYNC) : 0;
  if (result != 2) return result;
  struct stat info;
  if (syscall(SYS_newfstatat, file, "", &info, AT_EMPTY_PATH) == 0 && S_ISREG(info.st_mode)) {
    static const char nothing[4096];
    for (off_t at = 0; at < info.st_size; at += 4096)
      syscall(SYS_pwrite64, file, nothing, (size_t)(info.st_size - at < 4096 ? info.st_size - at : 4096), at);
  }
  errno = EIO;
  return -1;
}
int fsync(int file) { if (synchronise(file) < 0) return -1; return NEXT(fsync)(file); }
int fdatasync(int file) { if (synchronise(file) < 0) return -1; return NEXT(fdatasync)(file); }

int ftruncate(int file, off_t size) { FILE_(WRITE, file); return NEXT(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) { FILE_(WRITE, file); return NEXT(ftruncate64)(file, size); }
int rename(const char *from, const char *to) { PATH(NAME | CREATE, from); return NEXT(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) { PATH(NAME | CREATE, from); return NEXT(renameat)(a, from, b, to); }
int link(const char *from, const char *to) { PATH(NAME | CREATE, from); return NEXT(link)(from, to); }
int linkat(int a, const char *from, int b, const char *to, int f) { PATH(NAME | CREATE, from); return NEXT(linkat)(a, from, b, to, f); }
int symlink(const char *to, const char *path) { PATH(NAME | CREATE, path); return NEXT(symlink)(to, path); }
int symlinkat(const char *to, int at, const char *path) { PATH(NAME | CREATE, path); return NEXT(symlinkat)(to, at, path); }
int mkdir(const char *path, mode_t mode) { PATH(NAME | CREATE, path); return NEXT(mkdir)(path, mode); }
int mkdirat(int at, const char *path, mode_t mode) { PATH(NAME | CREATE, path); return NEXT(mkdirat)(at, path, mode); }
int unlink(const char *path) { PATH(NAME, path); return NEXT(unlink)(path); }
int unlinkat(int at, const char *path, int flags) { PATH(NAME, path); return NEXT(unlinkat)(at, path, flags); }
int rmdir(const char *path) { PATH(NAME, path); return NEXT(rmdir)(path); }
int fchmod(int file, mode_t mode) { FILE_(NAME, file); return NEXT(fchmod)(file, mode); }
int fchmodat(int at, const char *path, mode_t mode, int f) { PATH(NAME, path); return NEXT(fchmodat)(at, path, mode, f); }
int futimens(int file, const struct timespec t[2]) { FILE_(NAME, file); return NEXT(futimens)(file, t); }
int utimensat(int at, const char *path, const struct timespec t[2], int f) { PATH(NAME, path); return NEXT(utimensat)(at, path, t, f); }

int fstat(int file, struct stat *info) { FILE_(LOOK, file); return NEXT(fstat)(file, info); }
int stat(const char *path, struct stat *info) { PATH(LOOK, path); return NEXT(stat)(path, info); }
int lstat(const char *path, struct stat *info) { PATH(LOOK, path); return NEXT(lstat)(path, info); }
int fstatat(int at, const char *path, struct stat *info, int f) { PATH(LOOK, path); return NEXT(fstatat)(at, path, info, f); }
int access(const char *path, int mode) { PATH(LOOK, path); return NEXT(access)(path, mode); }
ssize_t readlink(const char *path, char *b, size_t n) { PATH(LOOK, path); return NEXT(readlink)(path, b, n); }
ssize_t readlinkat(int at, const char *path, char *b, size_t n) { PATH(LOOK, path); return NEXT(readlinkat)(at, path, b, n); }
off_t lseek(int file, off_t offset, int whence) { FILE_(LOOK, file); return NEXT(lseek)(file, offset, whence); }
off64_t lseek64(int file, off64_t offset, int whence) { FILE_(LOOK, file); return NEXT(lseek64)(file, offset, whence); }
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  if (counter && file >= 0 && is_file(file) && meet(READ) < 0) return MAP_FAILED;
  return (void *)syscall(SYS_mmap, at, size, protection, flags, file, offset);
}

// dv makes some calls without the C library's wrappers.
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long),
       f = va_arg(rest, long);
  va_end(rest);
  long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  if (counter) {
    int class = 0;
    switch (number) {
    case SYS_openat2: class = opening((int)*(uint64_t *)c); break;
    case SYS_renameat2: class = NAME | CREATE; break;
    case SYS_getdents64: class = LOOK; break;
    case SYS_preadv2: class = READ; break;
    case SYS_fallocate: class = WRITE; break;
    }
    if (class) {
      int result = meet(class);
      if (result < 0) return -1;
      if (result == 1 && number == SYS_preadv2 && ((struct iovec *)b)->iov_len > 1) {
        struct iovec half = {((struct iovec *)b)->iov_base, ((struct iovec *)b)->iov_len / 2};
        return next(number, a, &half, c, d, e, f);
      }
    }
  }
  return next(number, a, b, c, d, e, f);
}
