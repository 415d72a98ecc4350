/* A program that looks for the gate in its own memory and calls it: calls_gate connect|execve|open|openat */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
/* The gate's address is in /proc/self/maps; its call is where the bytes 0f 05 c3 are. */
static long at_gate(long number, long a, long b, long c) {
    static uintptr_t call;
    if (!call) {
        FILE *maps = fopen("/proc/self/maps", "r");
        char line[512];
        while (!call && fgets(line, sizeof line, maps))
            if (strstr(line, "r-xp") && strstr(line, "gate.so") && !strncmp(line, "55", 2))
                call = (uintptr_t)memmem((void *)strtoul(line, 0, 16), 4096, "\x0f\x05\xc3", 3);
        if (!call) abort();
    }
    long answer = number;
    register long r10 __asm__("r10") = 0;
    __asm__ volatile("call *%[call]" : "+a"(answer) : [call] "r"(call), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return answer;
}
int main(int n, char **v) {
    (void)n;
    if (!strcmp(v[1], "connect")) {
        struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(9) };
        there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        at_gate(SYS_connect, socket(AF_INET, SOCK_STREAM, 0), (long)&there, sizeof there);
    } else if (!strcmp(v[1], "execve")) {
        char *words[] = { "cat", "plain", 0 }, *none[] = { 0 };
        at_gate(SYS_execve, (long)"/bin/cat", (long)words, (long)none);
    } else if (!strcmp(v[1], "open")) {
        printf("%d\n", at_gate(SYS_open, (long)".env", O_RDONLY, 0) >= 0);
    } else {
        printf("%d\n", at_gate(SYS_openat, AT_FDCWD, (long)".env", O_RDONLY) >= 0);
    }
    return 0;
}
