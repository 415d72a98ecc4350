/* ring FILE: opens FILE by io_uring(7), without a library. `ring --can` only makes a ring. */
#include "note.h"
#include <linux/io_uring.h>

static void *shared(int ring, size_t size, off_t offset) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
    must(at != MAP_FAILED, "mmap");
    return at;
}

int main(int argc, char **argv) {
    struct io_uring_params with = {0};
    if (argc != 2) errx(2, "usage: ring FILE | --can");
    int ring = syscall(SYS_io_uring_setup, 1, &with);
    must(ring >= 0, "io_uring_setup");
    if (!strcmp(argv[1], "--can")) return 0;
    note();
    char *sent = shared(ring, with.sq_off.array + sizeof(unsigned), IORING_OFF_SQ_RING);
    char *done = shared(ring, with.cq_off.cqes + with.cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
    struct io_uring_sqe *entry = shared(ring, sizeof *entry, IORING_OFF_SQES);
    *entry = (struct io_uring_sqe){
        .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (uintptr_t)argv[1], .open_flags = O_RDONLY};
    unsigned *tail = (unsigned *)(sent + with.sq_off.tail);
    ((unsigned *)(sent + with.sq_off.array))[0] = 0;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
    int result = ((struct io_uring_cqe *)(done + with.cq_off.cqes))->res;
    errno = result < 0 ? -result : 0;
    show(result);
    return 0;
}
