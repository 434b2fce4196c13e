/*
 * Lets one call that writes a checkpoint fail. Preloaded into a process; the file $FAULT_PLAN holds "<round> <n> <errno>": of each round, the
 * n-th open, write, fsync or rename on the way of a checkpoint to the disk, its folder's included, fails with that errno. A write that fails
 * has written half of its bytes before.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int temporary = -1, folder = -1, last_round = -1, calls = 0, failing = 0, reason = 0;

static void read_plan(void) {
  const char *path = getenv("FAULT_PLAN");
  FILE *plan = path ? fopen(path, "r") : NULL;
  int round = -1;
  if (plan == NULL) return;
  if (fscanf(plan, "%d %d %d", &round, &failing, &reason) == 3 && round != last_round) {
    last_round = round;
    calls = 0;
  }
  fclose(plan);
}

static int fails(void) {
  if (++calls != failing) return 0;
  errno = reason;
  return 1;
}

static int ends_with(const char *path, const char *end) {
  size_t a = strlen(path), b = strlen(end);
  return a >= b && strcmp(path + a - b, end) == 0;
}

static int open_any(const char *name, const char *path, int flags, mode_t mode) {
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, name);
  int is_temporary = (flags & O_CREAT) && ends_with(path, ".safetensors.tmp");
  int is_folder = (flags & O_DIRECTORY) && strstr(path, "checkpoints") != NULL;
  if (is_temporary) read_plan();
  if ((is_temporary || is_folder) && fails()) return -1;
  int fd = real(path, flags, mode);
  if (is_temporary) temporary = fd;
  if (is_folder) folder = fd;
  return fd;
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_any("open64", path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t count) {
  ssize_t (*real)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");
  if (fd == temporary && fd >= 0 && fails()) {
    int kept = errno;
    real(fd, data, count / 2);
    errno = kept;
    return -1;
  }
  return real(fd, data, count);
}

int fsync(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
  if (fd >= 0 && (fd == temporary || fd == folder) && fails()) return -1;
  return real(fd);
}

int rename(const char *from, const char *to) {
  int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
  if (ends_with(from, ".safetensors.tmp") && fails()) return -1;
  return real(from, to);
}

int close(int fd) {
  int (*real)(int) = dlsym(RTLD_NEXT, "close");
  if (fd == temporary) temporary = -1;
  if (fd == folder) folder = -1;
  return real(fd);
}
