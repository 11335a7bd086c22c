/* Preloaded into a simulated machine's daemon: what a Pi's disk, network and clock may do to it.
 *
 * HARM_PAGE names a file that is shared with the simulator (hw_sim/harm_board.py):
 *   u32 at 0: ms that every fsync takes longer
 *   u32 at 4: not 0: files below HARM_FOLDER take no more bytes (ENOSPC)
 *   u32 at 8: not 0: the broker is gone; connections to HARM_PORTS break and are refused
 *   i64 at 16: ms by which the wall clock is wrong
 * Waits that are told in wall time are corrected: the kernel's clock was not set.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

struct page {
    volatile uint32_t stall_ms, full, cut, unused;
    volatile int64_t clock_ms;
};

static struct page calm;
static struct page *page = &calm;
static char folder[512];
static int ports[8], port_count;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HARM_PAGE"), *below = getenv("HARM_FOLDER");
    char *list = getenv("HARM_PORTS") ? strdup(getenv("HARM_PORTS")) : NULL;
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *shared = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (shared != MAP_FAILED)
        page = shared;
    if (below)
        snprintf(folder, sizeof folder, "%s/", below);
    for (char *one = list ? strtok(list, ",") : NULL; one && port_count < 8; one = strtok(NULL, ","))
        ports[port_count++] = atoi(one);
    free(list);
}

/* --- the disk --------------------------------------------------------------------------------- */

static int slowed(long call, int fd)
{
    int result = (int)syscall(call, fd), error = errno;
    uint32_t ms = page->stall_ms;
    struct timespec rest = {ms / 1000, (long)(ms % 1000) * 1000000};
    while (ms && nanosleep(&rest, &rest) != 0 && errno == EINTR)
        ;
    errno = error;
    return result;
}

int fsync(int fd) { return slowed(SYS_fsync, fd); }
int fdatasync(int fd) { return slowed(SYS_fdatasync, fd); }

static int full(int fd)
{
    char link[64], target[600];
    if (!page->full || !folder[0])
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return 0;
    target[length] = '\0';
    if (strncmp(target, folder, strlen(folder)) != 0)
        return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    return full(fd) ? -1 : syscall(SYS_write, fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, data, size, at);
}

/* --- the broker -------------------------------------------------------------------------------- */

static int ours(const struct sockaddr *to)
{
    if (!page->cut || !to || to->sa_family != AF_INET)
        return 0;
    int port = ntohs(((const struct sockaddr_in *)to)->sin_port);
    for (int n = 0; n < port_count; n++)
        if (ports[n] == port)
            return 1;
    return 0;
}

static int broken(int fd)
{
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (!page->cut || getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return 0;
    if (!ours((struct sockaddr *)&peer))
        return 0;
    shutdown(fd, SHUT_RDWR);
    errno = ECONNRESET;
    return 1;
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
    if (ours(to)) {
        errno = ECONNREFUSED;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, to, size);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
    return broken(fd) ? -1 : syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return broken(fd) ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
    return broken(fd) ? -1 : syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    return broken(fd) ? -1 : syscall(SYS_recvmsg, fd, message, flags);
}

/* --- the clock --------------------------------------------------------------------------------- */

static void moved(struct timespec *at, int64_t ms)
{
    int64_t ns = at->tv_nsec + ms % 1000 * 1000000;
    at->tv_sec += ms / 1000;
    at->tv_sec += ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0;
    at->tv_nsec = (ns + 1000000000) % 1000000000;
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
    int result = (int)syscall(SYS_clock_gettime, clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        moved(at, page->clock_ms);
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *at)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        *at = now.tv_sec;
    return now.tv_sec;
}

static const struct timespec *real(const struct timespec *until, struct timespec *fixed)
{
    *fixed = *until;
    if (until->tv_sec > 1000000000) /* else it is of a clock that counts from the boot */
        moved(fixed, -page->clock_ms);
    return fixed;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    static int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec fixed;
    if (!next)
        next = (int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlsym(
            RTLD_NEXT, "pthread_cond_timedwait");
    return next(cond, mutex, real(until, &fixed));
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex, const struct timespec *restrict until)
{
    static int (*next)(cnd_t *, mtx_t *, const struct timespec *);
    struct timespec fixed;
    if (!next)
        next = (int (*)(cnd_t *, mtx_t *, const struct timespec *))dlsym(RTLD_NEXT, "cnd_timedwait");
    return next(cond, mutex, real(until, &fixed));
}
