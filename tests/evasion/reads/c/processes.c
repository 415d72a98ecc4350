/* processes HOW FILE: who opens is not who it seems to be. */
#include "note.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

enum { THREADS = 16, FLOOD = 10000 };

static void *in_thread(void *path) {
    show(open(path, O_RDONLY));
    return NULL;
}

static void threads(char *path, int count) {
    pthread_t all[THREADS];
    note();
    for (int i = 0; i < count; i++) must(!pthread_create(&all[i], NULL, in_thread, path), "thread");
    for (int i = 0; i < count; i++) pthread_join(all[i], NULL);
}

/* execve() from a thread that is not the main one: the process takes that thread's place. */
static void *exec_in_thread(void *path) {
    execlp("cat", "cat", (char *)path, (char *)NULL);
    return NULL;
}

static void spawn(char *path) {
    extern char **environ;
    char *argv[] = {"noted", "cat", path, NULL};
    pid_t child;
    must(!posix_spawnp(&child, "noted", NULL, NULL, argv, environ), "posix_spawn");
    waitpid(child, NULL, 0);
}

static void by_vfork(char *path) {
    pid_t child = vfork();
    if (child == 0) {
        execlp("noted", "noted", "cat", path, (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

/* Two forks, no exec: whoever reads has no living parent of the session, and the one between was never seen. */
static void orphan(char *path) {
    int done[2];
    char byte;
    must(pipe(done) == 0, "pipe");
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        while (getppid() == child) usleep(1000);
        usleep(50000);
        close(done[0]);
        note();
        show(open(path, O_RDONLY));
        _exit(0);
    }
    close(done[1]);
    waitpid(child, NULL, 0);
    must(read(done[0], &byte, 1) == 0, "wait");
}

/* The program is a file in memory. */
static void from_memory(char *path) {
    extern char **environ;
    char buffer[65536];
    char *argv[] = {"calls", "open", path, NULL};
    int from = open(getenv("CALLS"), O_RDONLY), to = syscall(SYS_memfd_create, "nothing", 0);
    ssize_t got;
    must(from >= 0 && to >= 0, "memfd");
    while ((got = read(from, buffer, sizeof buffer)) > 0) must(write(to, buffer, got) == got, "write");
    fexecve(to, argv, environ);
    err(1, "fexecve");
}

static void filtered(char *path) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    must(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    must(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), "seccomp");
    note();
    show(open(path, O_RDONLY));
}

static void traced(char *path) {
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        note();
        show(open(path, O_RDONLY));
        _exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) ptrace(PTRACE_SYSCALL, child, NULL, NULL);
}

/* One read among ten thousand opens of harmless files. */
static void flood(char *path) {
    note();
    for (int i = 0; i < FLOOD; i++) {
        if (i == FLOOD / 2) show(open(path, O_RDONLY));
        int fd = open("harmless", O_RDONLY);
        must(fd >= 0, "harmless");
        close(fd);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) errx(2, "usage: processes HOW FILE");
    char *how = argv[1], *path = argv[2];
    pthread_t thread;
    if (!strcmp(how, "thread")) threads(path, 1);
    else if (!strcmp(how, "threads")) threads(path, THREADS);
    else if (!strcmp(how, "spawn")) spawn(path);
    else if (!strcmp(how, "vfork")) by_vfork(path);
    else if (!strcmp(how, "orphan")) orphan(path);
    else if (!strcmp(how, "memory")) from_memory(path);
    else if (!strcmp(how, "filtered")) filtered(path);
    else if (!strcmp(how, "traced")) traced(path);
    else if (!strcmp(how, "flood")) flood(path);
    else if (!strcmp(how, "exec-in-thread")) {
        note();
        pthread_create(&thread, NULL, exec_in_thread, path);
        pthread_join(thread, NULL);
    } else {
        if (!strcmp(how, "renamed")) prctl(PR_SET_NAME, "kworker/0:1");
        if (!strcmp(how, "unlinked")) must(!unlink("mine"), "unlink");
        if (!strcmp(how, "hidden")) must(!prctl(PR_SET_DUMPABLE, 0), "dumpable");
        note();
        show(open(path, O_RDONLY));
    }
    return 0;
}
