/* datagram sendmmsg|ring ADDRESS PORT: sends what .env holds as one datagram, with a call that names the receiver in
   memory (sendmmsg(2)) or with none at all (io_uring(7), without a library). `datagram --can` only makes a ring. */
#include "note.h"
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <sys/socket.h>

static void *shared(int ring, size_t size, off_t offset) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, offset);
    must(at != MAP_FAILED, "mmap");
    return at;
}

static void by_ring(int socket, struct msghdr *message) {
    struct io_uring_params with = {0};
    int ring = syscall(SYS_io_uring_setup, 1, &with);
    must(ring >= 0, "io_uring_setup");
    if (!message) return;
    char *sent = shared(ring, with.sq_off.array + sizeof(unsigned), IORING_OFF_SQ_RING);
    struct io_uring_sqe *entry = shared(ring, sizeof *entry, IORING_OFF_SQES);
    *entry = (struct io_uring_sqe){.opcode = IORING_OP_SENDMSG, .fd = socket, .addr = (uintptr_t)message, .len = 1};
    unsigned *tail = (unsigned *)(sent + with.sq_off.tail);
    ((unsigned *)(sent + with.sq_off.array))[0] = 0;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    must(syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1, "io_uring_enter");
}

int main(int argc, char **argv) {
    char text[4096];
    if (argc == 2 && !strcmp(argv[1], "--can")) return by_ring(-1, NULL), 0;
    if (argc != 4) errx(2, "usage: datagram sendmmsg|ring ADDRESS PORT | --can");
    note();
    ssize_t size = read(open(".env", O_RDONLY), text, sizeof text);
    must(size > 0, ".env");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
    must(inet_pton(AF_INET, argv[2], &to.sin_addr) == 1, argv[2]);
    struct iovec part = {.iov_base = text, .iov_len = size};
    struct mmsghdr message = {.msg_hdr = {.msg_name = &to, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1}};
    int out = socket(AF_INET, SOCK_DGRAM, 0);
    must(out >= 0, "socket");
    if (!strcmp(argv[1], "ring"))
        by_ring(out, &message.msg_hdr);
    else
        must(sendmmsg(out, &message, 1, 0) == 1, "sendmmsg");
    return 0;
}
