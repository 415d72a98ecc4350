/* A 32-bit program without a C library: i386 PIDS FILE. It notes its process id and shows the file. */
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
    return result;
}

enum { EXIT = 1, READ = 3, WRITE = 4, OPEN = 5, GETPID = 20, WRITE_ONLY = 1, APPEND = 02000 };

static void note(const char *path) {
    char digits[16];
    int at = sizeof digits;
    long pid = call(GETPID, 0, 0, 0), out = call(OPEN, (long)path, WRITE_ONLY | APPEND, 0);
    for (digits[--at] = '\n'; pid; pid /= 10) digits[--at] = '0' + pid % 10;
    call(WRITE, out, (long)(digits + at), sizeof digits - at);
}

__attribute__((used)) static void run(long *stack) {
    char buffer[4096];
    note((const char *)stack[2]);
    long fd = call(OPEN, stack[3], 0, 0), got = call(READ, fd, (long)buffer, sizeof buffer);
    if (got > 0) call(WRITE, 1, (long)buffer, got);
    call(EXIT, got > 0 ? 0 : 1, 0, 0);
}

/* The stack holds argc, then argv. */
__asm__(".globl _start\n_start:\n mov %esp, %eax\n push %eax\n call run\n");
