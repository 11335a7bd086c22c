/* Preloaded into the daemon: makes every fsync and fdatasync slower and writes down when it
 * happened. BENCH_FSYNC_DELAY_US: added to each call, after it. BENCH_FSYNC_LOG: one line per
 * call, "begin end path", seconds of CLOCK_MONOTONIC (the clock of asyncio's loops). */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int slowed(long call, int fd)
{
    const char *delay = getenv("BENCH_FSYNC_DELAY_US"), *path = getenv("BENCH_FSYNC_LOG");
    double begin = now();
    int result = (int)syscall(call, fd), error = errno, log;
    if (delay != NULL && atol(delay) > 0) {
        struct timespec rest = {atol(delay) / 1000000, atol(delay) % 1000000 * 1000};
        while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
            ;
    }
    if (path != NULL && (log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) >= 0) {
        char link[64], target[512] = "?", line[640];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, target, sizeof target - 1);
        if (length >= 0)
            target[length] = '\0';
        int size = snprintf(line, sizeof line, "%.6f %.6f %s\n", begin, now(), target);
        if (write(log, line, (size_t)size) < 0)
            perror("fsync log");
        close(log);
    }
    errno = error;
    return result;
}

int fsync(int fd) { return slowed(SYS_fsync, fd); }
int fdatasync(int fd) { return slowed(SYS_fdatasync, fd); }
