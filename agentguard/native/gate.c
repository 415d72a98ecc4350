/* The gate: preloaded into every program of the agent's tree, it lets those opens pass that are of no secret file.
 *
 * The seccomp filter holds every open for the supervisor, which costs more than the open itself. A filter cannot follow
 * a path, but it does see from which address a call is made. So there is one page of code, at an address that is drawn
 * for each session, whose openat the filter lets pass; and this library, which asks two questions: before it calls that
 * page, may the name be a secret file's, and after, is what was opened in the session's table (table.h)? When either is
 * so, when the name is a link's, when anything is in doubt, the very call that the program made is made outside the
 * gate, and is held, looked at and told like any other. Nothing else passes: not the dynamic loader's own opens, not
 * libc's (fopen, locales), not a static program's. Those are held as before: slower, and as exact.
 *
 * It runs in programs that are not ours, in their signal handlers too: no lock, no allocation, no libc (of it, only
 * errno is asked for, so that glibc and musl both load it). Its load is paid at every exec: two pages are written.
 * agentguard/sense/seccomp/gate.py makes the copy of it that one session uses. x86_64 and aarch64; the latter is
 * written from its tables and has not been run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "table.h"

#undef open64 /* musl has it as another spelling of open */
#undef openat64

#define EXPORT __attribute__((visibility("default")))
#define LONGEST_PATH 1024

/* What is written into the session's copy of this library: found there by its magic. All zeros: no gate. */
struct session {
	char magic[16];
	uint64_t address;    /* of the gate, page aligned */
	uint64_t page;       /* size of a page of this machine */
	uint64_t table_size; /* in bytes */
	uint64_t after_call; /* offset, in the gate, of what follows its call: what the filter compares */
	char table[LONGEST_PATH];
};

/* In assembler, so that the compiler cannot know what it holds; beside the code, so that no further page is read. */
__asm__(".text\n"
	".balign 8\n"
	"session:\n"
	"	.ascii \"AgentGuard gate\\0\"\n"
	"	.quad 0, 0, 0, after_call - gate\n"
	"	.zero 1024\n"
	".previous\n");
extern const struct session session __attribute__((visibility("hidden")));

/* openat(directory, path, flags, mode), alone in its page: the page is moved to the session's address. */
#if defined(__x86_64__)
#define LARGEST_PAGE "4096"
__asm__(".section .gate, \"ax\"\n"
	".balign " LARGEST_PAGE "\n"
	"gate:\n"
	"	endbr64\n"
	"	mov %rcx, %r10\n"
	"	mov $257, %eax\n"
	"	syscall\n"
	"after_call:\n"
	"	ret\n"
	".balign " LARGEST_PAGE ", 0xcc\n"
	".previous\n");
#elif defined(__aarch64__)
#define LARGEST_PAGE "65536"
__asm__(".section .gate, \"ax\"\n"
	".balign " LARGEST_PAGE "\n"
	"gate:\n"
	"	hint #34\n" /* bti c, in words that every assembler knows */
	"	mov x8, #56\n"
	"	svc #0\n"
	"after_call:\n"
	"	ret\n"
	".balign " LARGEST_PAGE "\n"
	".previous\n");
#else
#error "the gate knows x86_64 and aarch64"
#endif
extern const char gate[] __attribute__((visibility("hidden")));

static const struct ag_table *table; /* null: there is no gate, every open is held */

static long call(long number, long a, long b, long c, long d, long e, long f)
{
#if defined(__x86_64__)
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result = number;
	__asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
#else
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d, x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#endif
}

static long through_gate(int directory, const char *path, int flags, mode_t mode)
{
	return ((long (*)(int, const char *, int, mode_t))session.address)(directory, path, flags, mode);
}

static int move_page(void)
{
	long at = (long)session.address, from = (long)gate, size = (long)session.page;
	unsigned char resident[1];
	if (call(SYS_mincore, at, size, (long)resident, 0, 0, 0) != -ENOMEM)
		return 0; /* something is there */
	long how = MREMAP_MAYMOVE | MREMAP_FIXED;
	long moved = call(SYS_mremap, from, size, size, how | MREMAP_DONTUNMAP, at, 0); /* who walks our text finds no hole */
	if (moved == -EINVAL)
		moved = call(SYS_mremap, from, size, size, how, at, 0); /* before Linux 5.13 */
	return moved == at;
}

/* Before the program itself runs, and before it can forbid itself any of these calls. */
__attribute__((constructor)) static void set_up(void)
{
	if (!session.address || !move_page())
		return;
	long file = through_gate(AT_FDCWD, session.table, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (file < 0)
		return;
	long mapped = call(SYS_mmap, 0, (long)session.table_size, PROT_READ, MAP_SHARED, file, 0);
	call(SYS_close, file, 0, 0, 0, 0, 0);
	if (mapped < 0 && mapped > -4096)
		return;
	if (((const struct ag_table *)mapped)->magic == AG_TABLE_MAGIC)
		table = (const struct ag_table *)mapped;
}

static int is_closed(const struct ag_table *in)
{
	return *(const volatile uint32_t *)&in->closed != 0;
}

static int is_secret(const struct ag_table *in, const struct stat *file)
{
	return S_ISREG(file->st_mode) && ag_holds_file(in, file->st_dev, file->st_ino);
}

/* Whether the filter lets it pass anyhow, or a second try would not mean the same as the first. */
static int needs_no_gate(int flags)
{
	return flags & (O_PATH | O_DIRECTORY) || (flags & O_ACCMODE) == O_WRONLY || (flags & O_EXCL && flags & O_CREAT);
}

/* A pointer that leads nowhere is the kernel's to refuse, and not ours to fall over. This call reads eight bytes there
 * and then finds that it was not told what to do with them. */
static int can_be_read(const char *path)
{
	return call(SYS_rt_sigprocmask, -1, (long)path, 0, 8, 0, 0) == -EINVAL;
}

/* Whether it cannot be of a secret file, as far as its name and how it is made tell. */
static int may_pass(const char *path, int flags)
{
	if (!table || needs_no_gate(flags) || is_closed(table) || !can_be_read(path))
		return 0;
	size_t length = 0;
	while (path[length])
		length++;
	return !ag_may_be_named(table, path, length);
}

/* A descriptor, or a negative errno. O_NOFOLLOW, because the name of a link says nothing of the file: ELOOP sends it
 * out of the gate, and the supervisor looks where it leads. To look at the name first would cost a path walk more, half
 * of what the gate costs at all. The flag is seen in F_GETFL and changes nothing in what the descriptor does. */
static long pass(int directory, const char *path, int flags, mode_t mode)
{
	struct stat file;
	long opened = through_gate(directory, path, flags | O_NOFOLLOW, mode);
	if (opened < 0)
		return opened;
	if (!call(SYS_fstat, opened, (long)&file, 0, 0, 0, 0) && !is_secret(table, &file))
		return opened;
	call(SYS_close, opened, 0, 0, 0, 0, 0);
	return -ELOOP;
}

static int result(long answer)
{
	if (answer >= 0)
		return (int)answer;
	errno = (int)-answer;
	return -1;
}

static int open_it(int directory, const char *path, int flags, mode_t mode)
{
	if (may_pass(path, flags)) {
		long answer = pass(directory, path, flags, mode);
		if (answer != -ELOOP)
			return result(answer);
	}
	return result(call(SYS_openat, directory, (long)path, flags, mode, 0, 0));
}

static int makes_a_file(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

#define MODE_AFTER(last) \
	mode_t mode = 0; \
	if (makes_a_file(flags)) { \
		va_list more; \
		va_start(more, last); \
		mode = va_arg(more, mode_t); \
		va_end(more); \
	}

EXPORT int open(const char *path, int flags, ...)
{
	MODE_AFTER(flags)
	return open_it(AT_FDCWD, path, flags, mode);
}

EXPORT int openat(int directory, const char *path, int flags, ...)
{
	MODE_AFTER(flags)
	return open_it(directory, path, flags, mode);
}

/* What a program built with _FORTIFY_SOURCE calls when it gives no mode: libc ends it when one was needed. */
EXPORT int __open_2(const char *path, int flags)
{
	if (makes_a_file(flags))
		__builtin_trap();
	return open_it(AT_FDCWD, path, flags, 0);
}

EXPORT int __openat_2(int directory, const char *path, int flags)
{
	if (makes_a_file(flags))
		__builtin_trap();
	return open_it(directory, path, flags, 0);
}

#define SAME_AS(name) __attribute__((alias(name), visibility("default")))
int open64(const char *, int, ...) SAME_AS("open");
int openat64(int, const char *, int, ...) SAME_AS("openat");
int __open64_2(const char *, int) SAME_AS("__open_2");
int __openat64_2(int, const char *, int) SAME_AS("__openat_2");
