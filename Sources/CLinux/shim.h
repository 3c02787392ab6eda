// The Linux calls and flags that the C library hides unless _GNU_SOURCE is defined, which Swift's own C module does not
// do. Each goes straight to the kernel, so it works alike with glibc and musl.

#ifndef DV_LINUX_SHIM_H
#define DV_LINUX_SHIM_H

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__aarch64__) || defined(__arm__)
enum { dv_O_DIRECT = 0200000 };
#else
enum { dv_O_DIRECT = 040000 };
#endif
enum { dv_O_NOATIME = 01000000 };

// _IOW(0x94, 9, int), the same on every architecture whose ioctl direction bits are the common ones.
static const unsigned long dv_FICLONE = 0x40049409ul;

/// Renames, and fails with EEXIST rather than replace.
static inline int dv_rename_noreplace(int from_directory, const char *from, int to_directory, const char *to) {
  return (int)syscall(SYS_renameat2, from_directory, from, to_directory, to, 1u /* RENAME_NOREPLACE */);
}

/// Reads directory entries as the kernel lays them out: inode u64, offset i64, record length u16, type u8, name, NUL.
static inline ssize_t dv_getdents64(int directory, void *buffer, size_t capacity) {
  return (ssize_t)syscall(SYS_getdents64, directory, buffer, capacity);
}

/// Reserves room on the disk without changing the file's length.
static inline int dv_fallocate_keep_size(int file, int64_t offset, int64_t length) {
  return (int)syscall(SYS_fallocate, file, 1 /* FALLOC_FL_KEEP_SIZE */, offset, length);
}

/// Opens `path` relative to `directory` so that neither `..` nor a symbolic link anywhere in it leads out.
static inline int dv_openat_beneath(int directory, const char *path, int flags, unsigned mode) {
#ifdef SYS_openat2
  struct { uint64_t flags, mode, resolve; } how = {
    (uint64_t)(unsigned)flags, (flags & O_CREAT) ? mode : 0, 0x08 | 0x04 /* RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS */
  };
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
#else
  errno = ENOSYS;
  return -1;
#endif
}

/// Reads at `offset`, or at the file's position if it is -1, and leaves in the page cache only what was there before
/// (Linux 6.14). Fails with EOPNOTSUPP, EINVAL or ENOSYS where the kernel or the file system cannot.
static inline ssize_t dv_read_uncached(int file, void *buffer, size_t count, int64_t offset) {
#ifdef SYS_preadv2
  struct iovec part = { buffer, count };
  // The kernel takes the offset as two longs, of which 64-bit machines use the first.
  return (ssize_t)syscall(SYS_preadv2, file, &part, 1l, (long)offset, (long)(offset >> 63), 0x80 /* RWF_DONTCACHE */);
#else
  errno = ENOSYS;
  return -1;
#endif
}

/// Returns how many processors this process may run on, or -1.
static inline int dv_affinity_count(void) {
  unsigned char set[1024] = {0};
  long bytes = syscall(SYS_sched_getaffinity, 0, sizeof set, set);
  if (bytes < 0) return -1;
  int count = 0;
  for (long i = 0; i < bytes; i++) count += __builtin_popcount(set[i]);
  return count;
}

/// Makes a pipe whose ends no program started later inherits.
static inline int dv_pipe_cloexec(int ends[2]) { return (int)syscall(SYS_pipe2, ends, O_CLOEXEC); }

/// Makes two connected sockets, whose ends no program started later inherits.
static inline int dv_socketpair_cloexec(int ends[2]) { return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends); }

/// Sends a line feed, without a signal if nobody is there to read it.
static inline void dv_send_line(int socket) { (void)send(socket, "\n", 1, MSG_NOSIGNAL); }

/// Has a program that is spawned lead a session of its own.
static const short dv_spawn_session_flag = 0x80;

int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);

/// Has a program that is spawned start in `directory`.
static inline int dv_spawn_in_directory(posix_spawn_file_actions_t *actions, const char *directory) {
  return posix_spawn_file_actions_addchdir_np(actions, directory);
}

pid_t wait4(pid_t, int *, int, struct rusage *);

/// Waits for a child and returns its ID, or 0 if it still runs and `options` has WNOHANG.
static inline pid_t dv_wait4(pid_t process, int *status, int options, struct rusage *usage) {
  return wait4(process, status, options, usage);
}

/// Bounds the number of heaps that the allocator keeps, each of which holds on to what was freed in it, and has blocks of
/// some megabytes come from them: what goes back to the kernel costs a page fault every 4 KiB when it is needed again.
static inline void dv_limit_heaps(int count) {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, count);
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 64 << 20);
#else
  (void)count;
#endif
}

#endif
