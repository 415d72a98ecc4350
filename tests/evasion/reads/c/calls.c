/* calls HOW FILE: opens FILE by one call or another, and reads it by one call or another. */
#include "note.h"
#include <sys/sendfile.h>

/* Of linux/openat2.h, which musl does not bring. */
struct how {
    uint64_t flags, mode, resolve;
};
enum { BENEATH = 0x08, IN_ROOT = 0x10 };

static int by_openat2(const char *path, int directory, uint64_t resolve) {
    struct how how = {.flags = O_RDONLY, .resolve = resolve};
    return syscall(SYS_openat2, directory, path, &how, sizeof how);
}

static int here(void) {
    return open(".", O_RDONLY | O_DIRECTORY);
}

static int again(const char *format, int fd) {
    char name[64];
    snprintf(name, sizeof name, format, fd);
    return open(name, O_RDONLY);
}

#ifdef __x86_64__
/* The 32-bit system call table, from a 64-bit program. Its pointers have 32 bits. */
static int by_int80(const char *path) {
    char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    long result;
    must(low != MAP_FAILED, "mmap");
    strcpy(low, path);
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(5L), "b"(low), "c"((long)O_RDONLY), "d"(0L) : "memory", "r8", "r9", "r10", "r11");
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : (int)result;
}

static int by_instruction(const char *path) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"((long)SYS_open), "D"(path), "S"((long)O_RDONLY), "d"(0L) : "rcx", "r11", "memory");
    errno = result < 0 ? (int)-result : 0;
    return result < 0 ? -1 : (int)result;
}
#endif

static void by_map(int fd) {
    struct stat info;
    must(fd >= 0 && fstat(fd, &info) == 0, "open");
    char *text = mmap(NULL, info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    must(text != MAP_FAILED && write(1, text, info.st_size) == info.st_size, "mmap");
}

/* Standard output is a regular file, so the file's content never passes through this process. */
static void by_kernel(const char *how, int fd) {
    ssize_t moved;
    must(fd >= 0, "open");
    if (!strcmp(how, "sendfile")) {
        moved = sendfile(1, fd, NULL, 4096);
    } else if (!strcmp(how, "copy_file_range")) {
        moved = copy_file_range(fd, NULL, 1, NULL, 4096, 0);
    } else {
        int ends[2];
        must(pipe(ends) == 0, "pipe");
        moved = splice(fd, NULL, ends[1], NULL, 4096, 0);
        if (moved > 0) moved = splice(ends[0], NULL, 1, NULL, moved, 0);
    }
    must(moved > 0, how);
}

int main(int argc, char **argv) {
    if (argc != 3) errx(2, "usage: calls HOW FILE");
    const char *how = argv[1], *path = argv[2];
    note();
    if (!strcmp(how, "open")) show(syscall(SYS_open, path, O_RDONLY));
    else if (!strcmp(how, "raw")) show(syscall(SYS_openat, AT_FDCWD, path, O_RDONLY));
    else if (!strcmp(how, "read-write")) show(open(path, O_RDWR));
    else if (!strcmp(how, "dirfd")) show(openat(here(), path, O_RDONLY));
    else if (!strcmp(how, "openat2")) show(by_openat2(path, AT_FDCWD, 0));
    else if (!strcmp(how, "in-root")) show(by_openat2(path, here(), IN_ROOT));
    else if (!strcmp(how, "beneath")) show(by_openat2(path, here(), BENEATH));
    else if (!strcmp(how, "o-path")) show(again("/proc/self/fd/%d", open(path, O_PATH)));
    else if (!strcmp(how, "dev-fd")) show(again("/dev/fd/%d", open(path, O_PATH)));
    else if (!strcmp(how, "thread-self")) show(again("/proc/thread-self/fd/%d", open(path, O_PATH)));
    else if (!strcmp(how, "open-tree")) show(again("/proc/self/fd/%d", syscall(SYS_open_tree, AT_FDCWD, path, 0)));
#ifdef __x86_64__
    else if (!strcmp(how, "int80")) show(by_int80(path));
    else if (!strcmp(how, "instruction")) show(by_instruction(path));
#endif
    else if (!strcmp(how, "mmap")) by_map(open(path, O_RDONLY));
    else by_kernel(how, open(path, O_RDONLY));
    return 0;
}
