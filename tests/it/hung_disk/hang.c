/* Preloaded into a program: what it reads, writes and syncs below the folder HANG_BELOW waits while the file HANG_WHILE
 * is there, as on a disk that does not answer. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static int is_below(int fd)
{
    const char *folder = getenv("HANG_BELOW");
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (folder == NULL || length < 0)
        return 0;
    path[length] = 0;
    return strncmp(path, folder, strlen(folder)) == 0;
}

static void hang(int fd)
{
    const char *flag = getenv("HANG_WHILE");
    while (flag != NULL && access(flag, F_OK) == 0 && is_below(fd))
        usleep(10 * 1000);
}

#define HANGS(type, name, parameters, number, ...)                                                                     \
    type name parameters                                                                                               \
    {                                                                                                                  \
        hang(fd);                                                                                                      \
        return (type)syscall(number, __VA_ARGS__);                                                                     \
    }

HANGS(ssize_t, read, (int fd, void *to, size_t count), SYS_read, fd, to, count)
HANGS(ssize_t, write, (int fd, const void *from, size_t count), SYS_write, fd, from, count)
HANGS(ssize_t, pread, (int fd, void *to, size_t count, off_t at), SYS_pread64, fd, to, count, at)
HANGS(ssize_t, pread64, (int fd, void *to, size_t count, off64_t at), SYS_pread64, fd, to, count, at)
HANGS(ssize_t, pwrite, (int fd, const void *from, size_t count, off_t at), SYS_pwrite64, fd, from, count, at)
HANGS(ssize_t, pwrite64, (int fd, const void *from, size_t count, off64_t at), SYS_pwrite64, fd, from, count, at)
HANGS(int, fsync, (int fd), SYS_fsync, fd)
HANGS(int, fdatasync, (int fd), SYS_fdatasync, fd)
HANGS(int, sync_file_range, (int fd, off64_t from, off64_t count, unsigned flags), SYS_sync_file_range, fd, from, count, flags)
