/* handing HOW FILE: the file comes as a descriptor, or without a name. */
#include "note.h"
#include <sys/socket.h>

static void send_fd(int socket, int fd) {
    char byte = 0, space[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(head), &fd, sizeof fd);
    must(sendmsg(socket, &message, 0) == 1, "sendmsg");
}

static int receive_fd(int socket) {
    int fd;
    char byte, space[CMSG_SPACE(sizeof fd)];
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    must(recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message) != NULL, "recvmsg");
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
    return fd;
}

/* The child opens, the parent reads. */
static void passed(const char *path) {
    int ends[2];
    must(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends), "socketpair");
    if (fork() == 0) {
        note();
        int fd = open(path, O_RDONLY);
        must(fd >= 0, "open");
        send_fd(ends[1], fd);
        _exit(0);
    }
    show(receive_fd(ends[0]));
    wait(NULL);
}

/* Take a descriptor out of another process: it does not even know. */
static int taken_from(pid_t owner, int fd) {
    int process = syscall(SYS_pidfd_open, owner, 0);
    must(process >= 0, "pidfd_open");
    return syscall(SYS_pidfd_getfd, process, fd, 0);
}

static void taken(const char *path) {
    int ready[2];
    char byte = 0;
    must(!pipe(ready), "pipe");
    pid_t child = fork();
    if (child == 0) {
        note();
        int fd = dup2(open(path, O_RDONLY), 100);
        must(fd == 100 && write(ready[1], &byte, 1) == 1, "open");
        pause();
    }
    must(read(ready[0], &byte, 1) == 1, "wait");
    show(taken_from(child, 100));
    kill(child, SIGKILL);
    wait(NULL);
}

struct handle {
    struct file_handle head;
    unsigned char space[MAX_HANDLE_SZ];
};

static void by_handle(const char *path) {
    struct handle handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
    int mount;
    note();
    must(!name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0), "name_to_handle_at");
    show(open_by_handle_at(open(".", O_RDONLY | O_DIRECTORY), &handle.head, O_RDONLY));
}

/* A file without a name gets one, and is read by it. */
static void temporary(const char *path) {
    char link[64];
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    struct stat info;
    int from = open("content.txt", O_RDONLY);
    must(fd >= 0 && from >= 0 && !fstat(from, &info), "O_TMPFILE");
    must(copy_file_range(from, NULL, fd, NULL, info.st_size, 0) == info.st_size, "copy");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    must(!linkat(AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW), "linkat");
    close(fd);
    note();
    show(open(path, O_RDONLY));
}

/* The name is gone, a descriptor is left, and the file is opened once more through it. */
static void deleted(const char *path) {
    char name[64];
    int fd = open(path, O_PATH);
    must(fd >= 0 && !unlink(path), "unlink");
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    note();
    show(open(name, O_RDONLY));
}

int main(int argc, char **argv) {
    if (argc < 3) errx(2, "usage: handing HOW FILE [PID FD]");
    if (!strcmp(argv[1], "passed")) passed(argv[2]);
    else if (!strcmp(argv[1], "taken")) taken(argv[2]);
    else if (!strcmp(argv[1], "handle")) by_handle(argv[2]);
    else if (!strcmp(argv[1], "temporary")) temporary(argv[2]);
    else if (!strcmp(argv[1], "deleted")) deleted(argv[2]);
    else if (!strcmp(argv[1], "outside") && argc == 5) {
        note();
        show(taken_from(atoi(argv[3]), atoi(argv[4])));
    } else errx(2, "unknown way");
    return 0;
}
