/* The hot loop of the seccomp sensor: a thread of the supervisor that never needs Python's lock. It receives each held
 * call and lets go at once what cannot matter. It is a pre-filter, and decides nothing else: whatever may concern a
 * secret is handed over raw and still held, and the handlers in Python (agentguard/sense/seccomp/handlers.py) look again.
 *
 *   an open   of a file whose name may be a secret's, or whose inode is in the table     handed over
 *             by a path that leads through what /proc says of a process                  handed over
 *             of any other file, of a folder, of nothing at all                          let go
 *   an exec   that will succeed: recorded here, told later                               let go
 *             by a path that leads through what /proc says of a process                  handed over
 *   a connect to the proxy                                                               let go
 *   a sendto or sendmsg that names no receiver, but for a thread that asks for names     let go
 *             that names one of whom Python has told                                     let go
 *   the rest                                                                             handed over
 *
 * Records and held calls go through one queue, in the order in which they were received: Python knows a process before
 * it hears of what the process opened. Numbers of the kernel's interface come from Python (agentguard/sense/seccomp/
 * abi.py), so that there is one table of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "table.h"

#define API __attribute__((visibility("default")))

enum {
	AG_LOOP_ABI = 3,           /* raised with every change of what Python and this file share */
	PAGE = 4096,               /* a read of memory never crosses one: the next may be a hole (larger pages do no harm) */
	PAGES = 64,                /* pages of the caller kept while its call is looked at */
	MAX_STRINGS = 4096,        /* of an argument list or an environment */
	MAX_BLOCK = 1 << 20,       /* bytes of one */
	VIEWS = 4096,              /* threads whose view is remembered */
	PARENTS = 64,              /* processes remembered as parents, each with a descriptor */
	PROGRAMS = 256,            /* files remembered as no script */
	ENVIRONMENTS = 4096,
	RECEIVERS = 1024,          /* of messages that name theirs */
	FASTOPEN = 0x20000000,     /* MSG_FASTOPEN: the message opens a connection */
	ASKERS = 256,              /* threads that have connected to where names are looked up */
	FIRST_LINE = 256,          /* BINPRM_BUF_SIZE: the kernel reads no more of a script's first line */
	DEPTH = 64,                /* of a chain of parents */
	VIEW_NS = 1000000000,      /* how long a thread's view is believed: a thread id is not used again in that time */
	FOLDERS = 4096,            /* folders known to mean the same to every process */
	FOLDER_NS = 100000000,     /* how long that is believed: a folder may give way to a link */
	NO_MAGICLINKS = 0x02,      /* openat2(2): ELOOP for the links to files that /proc has (cwd, root, exe, fd/N) */
	NO_SYMLINKS = 0x04,        /* ELOOP for any link */
	IN_ROOT = 0x10,            /* the folder is the root; EXDEV for the links to files that /proc has */
	GATHER_NS = 20000000,      /* how long execs wait for more: to wake Python costs more than to tell of one */
	HAS_MOUNT = 0x1000,        /* STATX_MNT_ID, which older headers do not have; and where it lies in struct statx */
	MOUNT_AT = 0x90,
};

/* How long after its connect a thread may take to send: a question (some resolvers keep a socket); over QUIC. */
static const uint64_t ASKER_NS = 30000000000, QUIC_NS = 3000000000;
static const uint64_t RECEIVER_NS = 1000000000; /* how long a receiver is known: a thread id is not used again in that time */

/* --- what is shared with Python: agentguard/sense/seccomp/native.py --------------------------------------------- */

enum ag_kind { AG_HAND_OVER, AG_OPEN, AG_OPENAT, AG_EXECVE, AG_EXECVEAT, AG_CONNECT, AG_SENDTO, AG_SENDMSG, AG_VIEW };

struct ag_call {
	uint32_t arch;
	int32_t number;
	uint32_t kind;
};

struct ag_config {
	uint32_t abi;
	int32_t listener;
	int32_t root_pid;
	uint32_t arch;             /* the machine's own; any other has pointers of 4 bytes */
	uint64_t receive, send, is_valid; /* ioctl requests */
	uint32_t go_on;            /* flag of the answer */
	uint32_t calls_count;
	const struct ag_call *calls;
	int64_t openat2, pidfd_open; /* system calls */
	const struct ag_table *table;
	void *shared;              /* where a notification is received; behind it the ids of those that are held */
	uint64_t shared_size;
	uint64_t decoy_device, decoy_inode;
	uint64_t queue_bytes;      /* of records that may wait */
	uint64_t patience_ns;      /* for room in the queue; then a record is lost, and counted */
};

struct ag_notification {       /* struct seccomp_notif */
	uint64_t id;
	int32_t tid;
	uint32_t flags;
	int32_t number;
	uint32_t arch;
	uint64_t instruction;
	uint64_t arguments[6];
};
_Static_assert(sizeof(struct ag_notification) == 80, "as the kernel has it");

struct ag_response {           /* struct seccomp_notif_resp */
	uint64_t id;
	int64_t value;
	int32_t error;
	uint32_t flags;
};

enum { AG_HELD = 1, AG_EXEC = 2, AG_MARK = 3 };

struct ag_record {
	uint32_t type;
	uint32_t size;             /* of what follows */
};

enum { AG_HAS_ENVIRONMENT = 1, AG_MAY_GAIN = 2 };

struct ag_exec {               /* followed by the parts, one after another */
	uint64_t time_ns;          /* since the epoch */
	uint64_t start_time;       /* clock ticks since boot */
	int32_t tid, pid, parent;
	uint32_t flags;
	uint32_t uid, gid;         /* the caller's effective ones, where AG_MAY_GAIN is set */
	uint32_t program, line, cwd, arguments, environment, links; /* lengths of the parts */
};

struct ag_link {               /* a parent that Python has not been told of; followed by its program */
	uint64_t start_time;
	int32_t pid, parent;
	uint32_t program;
	uint32_t unused;
};

/* --- state ------------------------------------------------------------------------------------------------------ */

struct node {
	struct node *next;
	struct ag_record record;   /* and what follows it */
};

struct page {
	uint64_t address;          /* of the page; 1: none */
	char bytes[PAGE];
};

struct place {
	uint64_t mount, inode;
};

struct view {
	int32_t tid;
	int same;
	uint64_t until_ns;
};

struct folder {
	uint64_t tag;              /* 0: none */
	uint64_t until_ns;
};

struct parent {
	int32_t pid;
	int descriptor;            /* pidfd: tells whether it still is the process that was looked at */
	uint64_t start_time;
	int told;                  /* the program it runs has been read and told */
};

struct asker {
	int32_t tid;
	uint64_t until_ns;
};

struct receiver {              /* whom a socket of a thread sends to, hashed */
	uint64_t hash;             /* 0: none */
	uint64_t until_ns;         /* as long as it is known; 0: Python looks at it now, in the call `id` */
	uint64_t id;
};

struct program {
	uint64_t device, inode;
	struct timespec changed;
};

struct text {
	char *bytes;
	size_t length, room;
};

struct ag_loop {
	struct ag_config config;
	pthread_t thread;
	struct ag_notification *notification; /* in the shared page: the keeper finds there what we held when we died */
	_Atomic uint64_t *held;
	size_t held_count;

	pthread_mutex_t lock;      /* of what follows, up to the blank line */
	pthread_cond_t filled, room;
	struct node *first, **last, *taken;
	uint64_t waiting_bytes;
	int ended, error, alone, stalled;
	int urgent;                /* somebody is held, or the queue is full: Python must not wait for more */

	_Atomic uint32_t port;     /* of the proxy; 0: none */
	_Atomic uint64_t lost;

	struct page pages[PAGES];
	struct view views[VIEWS];
	struct folder folders[FOLDERS];
	struct parent parents[PARENTS];
	struct program programs[PROGRAMS];
	struct asker askers[ASKERS];
	struct receiver receivers[RECEIVERS]; /* locked */
	uint64_t environments[ENVIRONMENTS];
	size_t environments_used;
	uint64_t seed[2];
	uint64_t no_view_until_ns;
	struct place root;         /* our own */
	char path[PATH_MAX + 1], full[PATH_MAX], target[PATH_MAX], cwd[PATH_MAX], line[FIRST_LINE];
	struct text arguments, environment, links;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static struct timespec in_ns(uint64_t delay)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + delay;
	return (struct timespec){(time_t)(end / 1000000000u), (long)(end % 1000000000u)};
}

/* --- the caller's memory ---------------------------------------------------------------------------------------- */

/* The byte at an address and how many follow it on its page; NULL when it cannot be read. */
static const char *at(struct ag_loop *loop, int32_t tid, uint64_t address, size_t *left)
{
	uint64_t start = address & ~(uint64_t)(PAGE - 1);
	struct page *page = &loop->pages[start / PAGE % PAGES];
	if (page->address != start) {
		struct iovec here = {page->bytes, PAGE}, there = {(void *)(uintptr_t)start, PAGE};
		page->address = 1;
		if (process_vm_readv(tid, &here, 1, &there, 1, 0) != PAGE)
			return NULL;
		page->address = start;
	}
	*left = PAGE - (address - start);
	return page->bytes + (address - start);
}

static void forget_pages(struct ag_loop *loop)
{
	for (size_t i = 0; i < PAGES; i++)
		loop->pages[i].address = 1;
}

static int append(struct text *text, const void *bytes, size_t length)
{
	if (text->length + length > text->room) {
		size_t room = (text->length + length) * 2;
		char *grown = realloc(text->bytes, room);
		if (!grown)
			return 0;
		text->bytes = grown, text->room = room;
	}
	if (length)
		memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	return 1;
}

/* A string with its NUL, cut at `limit` bytes. Not 1: it cannot be read. */
static int read_text(struct ag_loop *loop, int32_t tid, uint64_t address, struct text *text, size_t limit)
{
	for (size_t got = 0; got < limit;) {
		size_t left;
		const char *bytes = at(loop, tid, address, &left);
		if (!bytes)
			return 0;
		if (left > limit - got)
			left = limit - got;
		const char *end = memchr(bytes, 0, left);
		size_t length = end ? (size_t)(end - bytes) : left;
		if (!append(text, bytes, length))
			return 0;
		if (end)
			break;
		got += length, address += length;
	}
	return append(text, "", 1);
}

/* A path of the caller in loop->path. Its length; -1 when it cannot be read, PATH_MAX when it has no end. */
static ssize_t read_path(struct ag_loop *loop, int32_t tid, uint64_t address)
{
	size_t length = 0;
	while (length < PATH_MAX) {
		size_t left = PAGE - (address & (PAGE - 1));
		if (left > PATH_MAX - length)
			left = PATH_MAX - length;
		if (!length && left > 256) /* nearly every path ends within this */
			left = 256;
		struct iovec here = {loop->path + length, left}, there = {(void *)(uintptr_t)address, left};
		ssize_t got = process_vm_readv(tid, &here, 1, &there, 1, 0);
		if (got <= 0)
			return -1;
		const char *end = memchr(loop->path + length, 0, (size_t)got);
		if (end)
			return end - loop->path;
		length += (size_t)got, address += (uint64_t)got;
	}
	loop->path[PATH_MAX] = 0;
	return PATH_MAX;
}

/* The strings of a list that ends with NULL (argv, envp), each with its NUL. What cannot be read is left out. */
static void read_list(struct ag_loop *loop, int32_t tid, uint64_t address, int wide, struct text *text)
{
	size_t width = wide ? 8 : 4;
	text->length = 0;
	for (size_t i = 0; address && i < MAX_STRINGS && text->length < MAX_BLOCK; i++, address += width) {
		uint64_t pointer = 0;
		for (size_t done = 0; done < width;) { /* an array need not be aligned: it may lie across two pages */
			size_t left;
			const char *bytes = at(loop, tid, address + done, &left);
			if (!bytes)
				return;
			if (left > width - done)
				left = width - done;
			memcpy((char *)&pointer + done, bytes, left); /* little endian, as all machines are that we know */
			done += left;
		}
		if (!pointer)
			return;
		size_t before = text->length;
		if (!read_text(loop, tid, pointer, text, MAX_BLOCK - before)) {
			text->length = before;
			append(text, "", 1);
		}
	}
}

/* --- what a path means to the caller: agentguard/sense/seccomp/paths.py ------------------------------------------ */

static ssize_t link_of(const char *path, char *target, size_t room)
{
	ssize_t length = readlink(path, target, room - 1);
	if (length >= 0)
		target[length] = 0;
	return length;
}

/* The mount of a folder and its inode there: together they are one place in one mount namespace. 0: not known. */
static int place_of(const char *path, struct place *place)
{
	struct statx found;
	memset(&found, 0, sizeof found);
	if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_INO | HAS_MOUNT, &found) < 0)
		return 0;
	memcpy(&place->mount, (char *)&found + MOUNT_AT, sizeof place->mount);
	place->inode = found.stx_ino;
	return (found.stx_mask & HAS_MOUNT) != 0;
}

/* Whether a thread has our root and mounts. Believed for a second, and not at all while somebody changes views. An
 * exec changes neither. */
static int shares_view(struct ag_loop *loop, int32_t tid)
{
	struct view *view = &loop->views[(uint32_t)tid % VIEWS];
	uint64_t now = now_ns(CLOCK_MONOTONIC_COARSE);
	if (view->tid == tid && now < view->until_ns)
		return view->same;
	char name[48];
	struct place root;
	snprintf(name, sizeof name, "/proc/%d/root", tid);
	if (!place_of(name, &root))
		return 1; /* it hides, and so does its memory; or it has gone */
	int same = root.mount == loop->root.mount && root.inode == loop->root.inode;
	if (now >= loop->no_view_until_ns)
		*view = (struct view){tid, same, now + VIEW_NS};
	return same;
}

/* Threads share a root, and the call that changes it has not been made yet. */
static void forget_views(struct ag_loop *loop)
{
	memset(loop->views, 0, sizeof loop->views);
	loop->no_view_until_ns = now_ns(CLOCK_MONOTONIC_COARSE) + VIEW_NS;
}

/* The next part of a path, passing over what means nothing. NULL at its end. */
static const char *part(const char **path, size_t *length)
{
	const char *start = *path;
	for (;;) {
		while (*start == '/')
			start++;
		if (start[0] != '.' || (start[1] && start[1] != '/'))
			break;
		start++;
	}
	*length = strcspn(start, "/");
	*path = start + *length;
	return *length ? start : NULL;
}

static int is(const char *text, size_t length, const char *word)
{
	return text && length == strlen(word) && !memcmp(text, word, length);
}

/* Paths that mean another file to each process: /proc/self, /dev/fd, /dev/stdin. 1 when loop->full has the caller's,
 * -1 when that is too long. */
static int own_process(struct ag_loop *loop, int32_t tid, const char *path)
{
	size_t length;
	const char *rest = path, *word = part(&rest, &length);
	int written = 0;
	if (is(word, length, "proc")) {
		word = part(&rest, &length);
		if (!is(word, length, "self") && !is(word, length, "thread-self"))
			return 0;
		written = snprintf(loop->full, sizeof loop->full, "/proc/%d%s", tid, rest);
	} else if (is(word, length, "dev")) {
		static const char *const standard[] = {"stdin", "stdout", "stderr"};
		word = part(&rest, &length);
		if (is(word, length, "fd"))
			written = snprintf(loop->full, sizeof loop->full, "/proc/%d/fd%s", tid, rest);
		for (int i = 0; i < 3 && !written; i++)
			if (is(word, length, standard[i]))
				written = snprintf(loop->full, sizeof loop->full, "/proc/%d/fd/%d%s", tid, i, rest);
		if (!written)
			return 0;
	} else {
		return 0;
	}
	return written < (int)sizeof loop->full ? 1 : -1;
}

static int open_at(struct ag_loop *loop, int base, const char *path, uint64_t flags, uint64_t resolve)
{
	struct { uint64_t flags, mode, resolve; } how = {O_PATH | O_CLOEXEC | flags, 0, resolve};
	return (int)syscall((long)loop->config.openat2, base, path, &how, sizeof how);
}

/* Of any proc file system: ours, or that of another container. */
static int is_of_proc(int descriptor)
{
	struct statfs found;
	return !fstatfs(descriptor, &found) && found.f_type == 0x9fa0; /* PROC_SUPER_MAGIC */
}

/* Whether what we do not find is not there for the caller either: /proc/self/fd/9 may be, and not for us. So where no
 * link was crossed, or where the last folder is there and outside /proc, and has no link of that name. */
static int is_missing(struct ag_loop *loop, int base, char *path, uint64_t resolve)
{
	int found = open_at(loop, base, path, 0, resolve | NO_SYMLINKS);
	if (found < 0 && errno == ENOENT)
		return 1;
	if (found < 0)
		found = open_at(loop, base, path, O_NOFOLLOW, resolve);
	char *end = strrchr(path, '/');
	if (found >= 0) { /* a link to nothing; or it has just come */
		close(found);
		return 0;
	}
	if (!end || end == path)
		return 1;
	*end = 0;
	found = open_at(loop, base, path, 0, resolve);
	*end = '/';
	if (found < 0)
		return 0;
	int outside = !is_of_proc(found);
	close(found);
	return outside;
}

/* A file as every process sees it. ELOOP: it may be another file to the caller, or the links have no end. */
static int open_plain(struct ag_loop *loop, int base, char *path, uint64_t flags, uint64_t resolve)
{
	int found = open_at(loop, base, path, flags, resolve);
	if (found < 0 && (errno == EXDEV || (errno == ENOENT && !is_missing(loop, base, path, resolve))))
		errno = ELOOP;
	return found;
}

static void close_quietly(int descriptor)
{
	int error = errno;
	close(descriptor);
	errno = error;
}

static void folder_of(int32_t tid, int directory, char *name, size_t room)
{
	if (directory == AT_FDCWD)
		snprintf(name, room, "/proc/%d/cwd", tid);
	else
		snprintf(name, room, "/proc/%d/fd/%d", tid, directory);
}

/* The file in loop->path, of a caller with another root or other mounts: links stay inside its root. ELOOP as above. */
static int open_inside(struct ag_loop *loop, int32_t tid, int directory)
{
	char *path = loop->path;
	char name[48];
	int own = own_process(loop, tid, path);
	errno = ENAMETOOLONG;
	if (own)
		return own > 0 ? open_plain(loop, AT_FDCWD, loop->full, 0, NO_MAGICLINKS) : -1;
	snprintf(name, sizeof name, "/proc/%d/root", tid);
	if (path[0] != '/') {
		/* The folder's name is one of our own view: what lies above the caller's root is taken off. */
		char folder[48];
		ssize_t above = link_of(name, loop->target, sizeof loop->target);
		folder_of(tid, directory, folder, sizeof folder);
		ssize_t length = link_of(folder, loop->cwd, sizeof loop->cwd);
		if (above < 0 || length < 0)
			return -1;
		if (above == 1 || strncmp(loop->cwd, loop->target, (size_t)above) || (loop->cwd[above] && loop->cwd[above] != '/'))
			above = 0;
		int written = snprintf(loop->full, sizeof loop->full, "%s/%s", loop->cwd + above, path);
		if (written >= (int)sizeof loop->full) {
			errno = ENAMETOOLONG;
			return -1;
		}
		path = loop->full;
	}
	int root = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	int descriptor = open_plain(loop, root, path, 0, IN_ROOT);
	close_quietly(root);
	return descriptor;
}

/* The file in loop->path, of a caller that shares our view. ELOOP as above. */
static int open_here(struct ag_loop *loop, int32_t tid, int directory, uint64_t flags, uint64_t resolve)
{
	char name[48];
	if (loop->path[0] == '/') {
		int own = own_process(loop, tid, loop->path);
		errno = ENAMETOOLONG;
		return own < 0 ? -1 : open_plain(loop, AT_FDCWD, own ? loop->full : loop->path, flags, resolve);
	}
	folder_of(tid, directory, name, sizeof name);
	int base = open(name, O_PATH | O_CLOEXEC);
	if (base < 0)
		return -1;
	int found = open_plain(loop, base, loop->path, flags, resolve);
	close_quietly(base);
	return found;
}

/* What the folder of a path in loop->path is remembered by; 0: it has none, it is but a name. */
static uint64_t folder_tag(const struct ag_loop *loop, int32_t tid, int directory, size_t length)
{
	while (length && loop->path[length - 1] != '/')
		length--;
	if (length < 2)
		return 0;
	uint64_t tag = loop->seed[0];
	if (loop->path[0] != '/')
		tag ^= (uint64_t)(uint32_t)tid << 32 | (uint32_t)directory;
	for (size_t i = 0; i < length; i += 8) {
		uint64_t word = 0;
		memcpy(&word, loop->path + i, length - i < 8 ? length - i : 8);
		tag = (tag ^ word) * 0x9e3779b97f4a7c15ull;
		tag ^= (tag >> 29) + loop->seed[1];
	}
	return tag ? tag : 1;
}

/* Whether the folder of a path in loop->path is the same to every process: no link on the way leads through what /proc
 * says of one. Believed for a moment, for it costs as much as to look at the file. */
static int is_plain(struct ag_loop *loop, int32_t tid, int directory, size_t length)
{
	uint64_t tag = folder_tag(loop, tid, directory, length);
	if (!tag)
		return 1;
	struct folder *folder = &loop->folders[tag % FOLDERS];
	uint64_t now = now_ns(CLOCK_MONOTONIC_COARSE);
	if (folder->tag == tag && now < folder->until_ns)
		return 1;
	int found = open_here(loop, tid, directory, O_NOFOLLOW, NO_MAGICLINKS);
	if (found >= 0 && is_of_proc(found)) { /* it may be in the folder of one, whose other files the caller's may lack */
		close(found);
		found = open_here(loop, tid, directory, O_NOFOLLOW, NO_SYMLINKS);
		if (found < 0)
			return 1;
	}
	if (found < 0 && errno != ENOENT)
		return errno != ELOOP;
	*folder = (struct folder){tag, now + FOLDER_NS};
	if (found >= 0)
		close(found);
	return 1;
}

/* The caller's path as one of ours, for a caller that shares our view. NULL: too long to be said so. */
static const char *translate(struct ag_loop *loop, int32_t tid, int directory, const char *path, size_t length)
{
	if (path[0] == '/') {
		int own = own_process(loop, tid, path);
		return own ? (own > 0 ? loop->full : NULL) : path;
	}
	folder_of(tid, directory, loop->full, 48);
	size_t prefix = strlen(loop->full);
	if (prefix + 1 + length >= sizeof loop->full)
		return NULL;
	loop->full[prefix] = '/';
	memcpy(loop->full + prefix + 1, path, length + 1);
	return loop->full;
}

static ssize_t name_of(struct ag_loop *loop, int descriptor)
{
	char link[48];
	snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
	return link_of(link, loop->target, sizeof loop->target);
}

/* --- opens ------------------------------------------------------------------------------------------------------ */

/* Whether Python must look at this open. */
static int open_matters(struct ag_loop *loop, int32_t tid, int directory, uint64_t pointer)
{
	const struct ag_table *table = loop->config.table;
	struct stat info;
	int linked = -1;
	ssize_t length = read_path(loop, tid, pointer);
	if (length < 0)
		return 1;
	if (length == 0 || length == PATH_MAX)
		return 0; /* ENOENT, ENAMETOOLONG */
	if (*(const volatile uint32_t *)&table->closed)
		return 1;
	if (shares_view(loop, tid)) {
		const char *path = translate(loop, tid, directory, loop->path, (size_t)length);
		if (!path || !is_plain(loop, tid, directory, (size_t)length))
			return 1;
		if (lstat(path, &info) < 0) /* nearly always a file: no dearer than following */
			return 0;
		if (S_ISLNK(info.st_mode) && (linked = open_here(loop, tid, directory, 0, NO_MAGICLINKS)) < 0)
			return errno == ELOOP;
	} else {
		linked = open_inside(loop, tid, directory);
		if (linked < 0)
			return errno == ELOOP || errno == ENAMETOOLONG;
	}
	int matters;
	if (linked >= 0 && fstat(linked, &info) < 0)
		matters = 1;
	else if (ag_holds_file(table, info.st_dev, info.st_ino))
		matters = 1;
	else if (info.st_dev == loop->config.decoy_device && info.st_ino == loop->config.decoy_inode)
		matters = 1;
	else if (S_ISDIR(info.st_mode))
		matters = 0;
	else if (ag_may_be_named(table, loop->path, (size_t)length))
		matters = 1;
	else if (linked >= 0) {
		ssize_t named = name_of(loop, linked); /* the file may have a telling name of its own */
		matters = named < 0 || ag_may_be_named(table, loop->target, (size_t)named);
	} else
		matters = 0;
	if (linked >= 0)
		close(linked);
	return matters;
}

static int is_for_names(uint16_t port)
{
	return port == 53 || port == 5353 || port == 5355;
}

/* A thread that connects to where names are looked up is about to ask, on that socket; to port 443, perhaps to speak
 * QUIC. (Only Python looks whether it was UDP: a socket that belongs to somebody else is not asked in a microsecond.) */
static void note_asker(struct ag_loop *loop, int32_t tid, uint16_t port)
{
	int names = is_for_names(port);
	if (names || port == 443)
		loop->askers[(uint32_t)tid % ASKERS] =
			(struct asker){tid, now_ns(CLOCK_MONOTONIC_COARSE) + (names ? ASKER_NS : QUIC_NS)};
}

static int is_asker(struct ag_loop *loop, int32_t tid)
{
	const struct asker *asker = &loop->askers[(uint32_t)tid % ASKERS];
	return asker->tid == tid && now_ns(CLOCK_MONOTONIC_COARSE) < asker->until_ns;
}

/* Anything but a connection to the proxy. */
static int connect_matters(struct ag_loop *loop, int32_t tid, uint64_t pointer, uint64_t length)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	union { struct sockaddr any; struct sockaddr_in four; struct sockaddr_in6 six; } address = {0};
	uint32_t port = atomic_load(&loop->port);
	size_t size = length < sizeof address ? (size_t)length : sizeof address;
	size_t left = PAGE - (pointer & (PAGE - 1));
	struct iovec here = {&address, size < left ? size : left}, there = {(void *)(uintptr_t)pointer, here.iov_len};
	if (process_vm_readv(tid, &here, 1, &there, 1, 0) != (ssize_t)size)
		return 1;
	if (address.any.sa_family == AF_INET && size >= 8) {
		note_asker(loop, tid, ntohs(address.four.sin_port));
		return !port || ntohs(address.four.sin_port) != port || (ntohl(address.four.sin_addr.s_addr) >> 24) != 127;
	}
	if (address.any.sa_family == AF_INET6 && size >= 24) {
		note_asker(loop, tid, ntohs(address.six.sin6_port));
		return !port || ntohs(address.six.sin6_port) != port ||
		       (!IN6_IS_ADDR_LOOPBACK(&address.six.sin6_addr) &&
		        (memcmp(&address.six.sin6_addr, mapped, 12) || address.six.sin6_addr.s6_addr[12] != 127));
	}
	return 1;
}

/* Whether a receiver is not known. Who asks for names is looked at each time, and so is who opens a connection. */
static int receiver_matters(struct ag_loop *loop, uint64_t descriptor, uint64_t pointer, uint64_t length, uint64_t flags)
{
	const struct ag_notification *call = loop->notification;
	uint64_t address[4] = {0}; /* of the lengths that a struct sockaddr_in6 needs, and more */
	size_t size = length < sizeof address ? (size_t)length : sizeof address;
	struct iovec here = {address, size}, there = {(void *)(uintptr_t)pointer, size};
	if ((flags & FASTOPEN) || process_vm_readv(call->tid, &here, 1, &there, 1, 0) != (ssize_t)size)
		return 1;
	if (is_for_names((uint16_t)ntohs((uint16_t)(address[0] >> 16))))
		return 1; /* the port is the second word of every Internet address */
	uint64_t hash = loop->seed[0] ^ (uint32_t)call->tid ^ descriptor << 32;
	for (size_t i = 0; i < sizeof address / sizeof *address; i++) {
		hash = (hash ^ address[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= (hash >> 29) + loop->seed[1];
	}
	hash = hash ? hash : 1;
	struct receiver *receiver = &loop->receivers[hash % RECEIVERS];
	pthread_mutex_lock(&loop->lock);
	int known = receiver->hash == hash && now_ns(CLOCK_MONOTONIC_COARSE) < receiver->until_ns;
	if (!known)
		*receiver = (struct receiver){hash, 0, call->id};
	pthread_mutex_unlock(&loop->lock);
	return !known;
}

/* struct msghdr begins with the name and its length. */
static int sendmsg_matters(struct ag_loop *loop, const uint64_t *arguments)
{
	const struct ag_notification *call = loop->notification;
	int wide = call->arch == loop->config.arch;
	uint64_t head[2] = {0};
	struct iovec here = {head, wide ? 12 : 8}, there = {(void *)(uintptr_t)arguments[1], here.iov_len};
	if (process_vm_readv(call->tid, &here, 1, &there, 1, 0) != (ssize_t)here.iov_len)
		return 1;
	uint64_t name = wide ? head[0] : (uint32_t)head[0], length = wide ? (uint32_t)head[1] : head[0] >> 32;
	return name ? receiver_matters(loop, arguments[0], name, length, arguments[2]) : is_asker(loop, call->tid);
}

static int sendto_matters(struct ag_loop *loop, const uint64_t *arguments)
{
	return arguments[4] ? receiver_matters(loop, arguments[0], arguments[4], (uint32_t)arguments[5], arguments[3])
	                    : is_asker(loop, loop->notification->tid);
}

/* --- the queue -------------------------------------------------------------------------------------------------- */

static void respond(struct ag_loop *loop, struct ag_response response)
{
	ioctl(loop->config.listener, loop->config.send, &response); /* ENOENT: the task died meanwhile */
}

static void answer(struct ag_loop *loop, uint64_t id)
{
	respond(loop, (struct ag_response){.id = id, .flags = loop->config.go_on});
}

static int is_valid(struct ag_loop *loop, uint64_t id)
{
	return ioctl(loop->config.listener, loop->config.is_valid, &id) == 0;
}

static _Atomic uint64_t *slot_of(struct ag_loop *loop, uint64_t id)
{
	for (size_t i = 0; i < loop->held_count; i++)
		if (atomic_load(&loop->held[i]) == id)
			return &loop->held[i];
	return NULL;
}

/* Locked. Waits while there is no room; not for ever, and not again before Python has taken something. */
static int make_room(struct ag_loop *loop, uint64_t size, uint64_t id)
{
	struct timespec until = in_ns(loop->config.patience_ns);
	while (!loop->alone && !loop->stalled) {
		if (id ? slot_of(loop, 0) != NULL : !loop->waiting_bytes || loop->waiting_bytes + size <= loop->config.queue_bytes)
			return 1;
		loop->urgent = 1;
		pthread_cond_signal(&loop->filled);
		if (pthread_cond_timedwait(&loop->room, &loop->lock, &until) == ETIMEDOUT)
			loop->stalled = 1;
	}
	return 0;
}

/* Puts a record at the end of the queue; with an id, of a call that stays held. 0: there was no room for it. */
static int enqueue(struct ag_loop *loop, struct node *node, uint64_t id)
{
	uint64_t size = sizeof *node + node->record.size;
	pthread_mutex_lock(&loop->lock);
	int entered = make_room(loop, size, id);
	if (entered) {
		if (id)
			atomic_store(slot_of(loop, 0), id);
		node->next = NULL;
		int wake = !loop->first;
		if (node->record.type != AG_EXEC)
			wake = loop->urgent = 1;
		*loop->last = node, loop->last = &node->next;
		loop->waiting_bytes += size;
		if (wake)
			pthread_cond_signal(&loop->filled);
	} else if (!loop->alone) {
		atomic_fetch_add(&loop->lost, 1);
	}
	pthread_mutex_unlock(&loop->lock);
	if (!entered)
		free(node);
	return entered;
}

static struct node *new_node(uint32_t type, size_t size)
{
	struct node *node = malloc(sizeof *node + size);
	if (node)
		node->record = (struct ag_record){type, (uint32_t)size};
	return node;
}

/* Gives the call in hand to Python, still held. 0: it must be let go. */
static int hand_over(struct ag_loop *loop)
{
	struct node *node = new_node(AG_HELD, sizeof *loop->notification);
	if (!node) {
		atomic_fetch_add(&loop->lost, 1);
		return 0;
	}
	memcpy(node + 1, loop->notification, sizeof *loop->notification);
	return enqueue(loop, node, loop->notification->id);
}

/* --- execs ------------------------------------------------------------------------------------------------------ */

/* Parent and start time, of /proc/PID/stat: proc(5). */
static int read_stat(int32_t pid, int32_t *parent, uint64_t *start_time)
{
	char name[48], text[1024];
	snprintf(name, sizeof name, "/proc/%d/stat", pid);
	int file = open(name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return 0;
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	if (length <= 0)
		return 0;
	text[length] = 0;
	char *field = strrchr(text, ')'); /* the name may hold spaces and brackets */
	for (int number = 2; field && number < 22; number++) {
		field = strchr(field + 1, ' ');
		if (field && number == 3)
			*parent = (int32_t)strtol(field + 1, NULL, 10);
	}
	if (!field)
		return 0;
	*start_time = strtoull(field + 1, NULL, 10);
	return 1;
}

/* The process a thread belongs to. */
static int32_t group_of(struct ag_loop *loop, int32_t tid)
{
	int descriptor = (int)syscall((long)loop->config.pidfd_open, tid, 0);
	if (descriptor >= 0) {
		close(descriptor);
		return tid; /* only the leader of a group has one */
	}
	char name[48], text[512];
	snprintf(name, sizeof name, "/proc/%d/status", tid);
	int file = open(name, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return tid;
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	text[length > 0 ? length : 0] = 0;
	const char *field = strstr(text, "\nTgid:");
	return field ? (int32_t)strtol(field + 6, NULL, 10) : tid;
}

static int is_alive(int descriptor)
{
	struct pollfd poll_one = {descriptor, POLLIN, 0};
	return poll(&poll_one, 1, 0) == 0;
}

static int tell_link(struct ag_loop *loop, const struct parent *process, int32_t parent)
{
	char name[48];
	snprintf(name, sizeof name, "/proc/%d/exe", process->pid);
	ssize_t length = link_of(name, loop->target, sizeof loop->target);
	struct ag_link link = {process->start_time, process->pid, parent, length > 0 ? (uint32_t)length : 0, 0};
	return append(&loop->links, &link, sizeof link) && append(&loop->links, loop->target, link.program);
}

/* The chain above a process, as far as Python does not know it: nearest first, in loop->links. */
static void walk(struct ag_loop *loop, int32_t pid)
{
	int32_t own = getpid();
	loop->links.length = 0;
	for (int depth = 0; depth < DEPTH && pid > 1 && pid != own; depth++) {
		struct parent *known = &loop->parents[(uint32_t)pid % PARENTS];
		if (known->pid == pid && is_alive(known->descriptor)) {
			int32_t parent = 0;
			uint64_t start_time;
			if (!known->told && read_stat(pid, &parent, &start_time))
				known->told = tell_link(loop, known, parent);
			return;
		}
		if (known->pid)
			close(known->descriptor);
		*known = (struct parent){.descriptor = (int)syscall((long)loop->config.pidfd_open, pid, 0)};
		if (known->descriptor < 0)
			return;
		int32_t parent;
		known->pid = pid;
		if (!read_stat(pid, &parent, &known->start_time) || !tell_link(loop, known, parent) || !is_alive(known->descriptor)) {
			close(known->descriptor);
			known->pid = 0;
			return;
		}
		known->told = 1;
		if (pid == loop->config.root_pid)
			return;
		pid = parent;
	}
}

/* Whether the environment is one not seen before; remembers it. Seeded: nobody can build one that looks seen. */
static int is_new_environment(struct ag_loop *loop)
{
	uint64_t hash = loop->seed[0] ^ loop->environment.length;
	for (size_t i = 0; i < loop->environment.length; i += 8) {
		uint64_t word = 0;
		size_t left = loop->environment.length - i;
		memcpy(&word, loop->environment.bytes + i, left < 8 ? left : 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= (hash >> 29) + loop->seed[1];
	}
	hash = hash ? hash : 1;
	size_t place = (size_t)(hash >> 32);
	while (loop->environments[place % ENVIRONMENTS]) {
		if (loop->environments[place % ENVIRONMENTS] == hash)
			return 0;
		place++;
	}
	if (++loop->environments_used > ENVIRONMENTS * 3 / 4) {
		memset(loop->environments, 0, sizeof loop->environments);
		loop->environments_used = 1;
	}
	loop->environments[place % ENVIRONMENTS] = hash;
	return 1;
}

/* The first line of a script in loop->line, 0 for a binary; and whether its file gives its caller other ids. */
static size_t look_at_program(struct ag_loop *loop, int descriptor, const struct stat *info, int *may_gain)
{
	struct program *known = &loop->programs[(info->st_ino ^ info->st_dev) % PROGRAMS];
	*may_gain = (info->st_mode & (S_ISUID | S_ISGID)) != 0;
	if (known->device == info->st_dev && known->inode == info->st_ino && known->changed.tv_sec == info->st_ctim.tv_sec &&
	    known->changed.tv_nsec == info->st_ctim.tv_nsec)
		return 0;
	char name[48];
	snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
	int capable = getxattr(name, "security.capability", NULL, 0) > 0;
	int file = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t length = file < 0 ? 0 : read(file, loop->line, sizeof loop->line);
	if (file >= 0)
		close(file);
	*may_gain |= capable;
	if (length >= 2 && loop->line[0] == '#' && loop->line[1] == '!') {
		const char *end = memchr(loop->line, '\n', (size_t)length);
		return end ? (size_t)(end - loop->line) : (size_t)length;
	}
	if (!capable)
		*known = (struct program){info->st_dev, info->st_ino, info->st_ctim};
	return 0;
}

static int open_program(struct ag_loop *loop, int32_t tid, int directory, size_t length)
{
	if (!length) { /* fexecve(): the descriptor is the program */
		folder_of(tid, directory, loop->full, 48);
		return open(loop->full, O_PATH | O_CLOEXEC);
	}
	return shares_view(loop, tid) ? open_here(loop, tid, directory, 0, NO_MAGICLINKS) : open_inside(loop, tid, directory);
}

static void put_exec(struct ag_loop *loop, struct ag_exec *exec)
{
	const struct { const void *bytes; size_t length; } parts[] = {
		{loop->target, exec->program}, {loop->line, exec->line}, {loop->cwd, exec->cwd},
		{loop->arguments.bytes, exec->arguments}, {loop->environment.bytes, exec->environment},
		{loop->links.bytes, exec->links},
	};
	size_t size = sizeof *exec;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		size += parts[i].length;
	struct node *node = new_node(AG_EXEC, size);
	if (!node) {
		atomic_fetch_add(&loop->lost, 1);
		return;
	}
	char *end = (char *)(node + 1);
	memcpy(end, exec, sizeof *exec), end += sizeof *exec;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; end += parts[i++].length)
		if (parts[i].length)
			memcpy(end, parts[i].bytes, parts[i].length);
	enqueue(loop, node, 0);
}

/* Records an exec that will succeed. A shell tries every folder of PATH in turn: what is not there tells nothing. 1:
 * Python must look at it. */
static int record_exec(struct ag_loop *loop, int directory, uint64_t path, uint64_t arguments, uint64_t environment)
{
	struct ag_notification *call = loop->notification;
	int wide = call->arch == loop->config.arch, may_gain;
	struct stat info;
	char name[48];
	ssize_t length = read_path(loop, call->tid, path);
	if (length < 0 || length == PATH_MAX)
		return 0;
	int program = open_program(loop, call->tid, directory, (size_t)length);
	if (program < 0)
		return errno == ELOOP;
	if (fstat(program, &info) < 0 || !S_ISREG(info.st_mode) || !(info.st_mode & 0111)) {
		close(program);
		return 0;
	}
	struct ag_exec exec = {.time_ns = now_ns(CLOCK_REALTIME), .tid = call->tid};
	exec.line = (uint32_t)look_at_program(loop, program, &info, &may_gain);
	forget_pages(loop);
	read_list(loop, call->tid, arguments, wide, &loop->arguments);
	read_list(loop, call->tid, environment, wide, &loop->environment);
	exec.arguments = (uint32_t)loop->arguments.length;
	if (loop->environment.length && is_new_environment(loop)) {
		exec.flags |= AG_HAS_ENVIRONMENT;
		exec.environment = (uint32_t)loop->environment.length;
	}
	if (may_gain) {
		snprintf(name, sizeof name, "/proc/%d", call->tid);
		if (!stat(name, &info))
			exec.flags |= AG_MAY_GAIN, exec.uid = info.st_uid, exec.gid = info.st_gid;
	}
	exec.pid = group_of(loop, call->tid);
	if (read_stat(exec.pid, &exec.parent, &exec.start_time)) {
		struct parent *itself = &loop->parents[(uint32_t)exec.pid % PARENTS];
		if (itself->pid == exec.pid)
			itself->told = 0; /* it is about to run another program */
		if (exec.pid != loop->config.root_pid)
			walk(loop, exec.parent);
		else
			loop->links.length = 0;
	}
	exec.links = (uint32_t)loop->links.length;
	folder_of(call->tid, AT_FDCWD, name, sizeof name);
	ssize_t found = link_of(name, loop->cwd, sizeof loop->cwd);
	exec.cwd = found > 0 ? (uint32_t)found : 0;
	found = name_of(loop, program); /* last: others use the same buffer */
	exec.program = found > 0 ? (uint32_t)found : 0;
	close(program);
	if (is_valid(loop, call->id))
		put_exec(loop, &exec);
	return 0;
}

/* --- the loop --------------------------------------------------------------------------------------------------- */

static enum ag_kind kind_of(const struct ag_loop *loop, const struct ag_notification *call)
{
	for (uint32_t i = 0; i < loop->config.calls_count; i++)
		if (loop->config.calls[i].number == call->number && loop->config.calls[i].arch == call->arch)
			return (enum ag_kind)loop->config.calls[i].kind;
	return AG_HAND_OVER;
}

/* Looks at the call in hand. 1: it stays held, and Python answers it. */
static int look(struct ag_loop *loop)
{
	const struct ag_notification *call = loop->notification;
	const uint64_t *arguments = call->arguments;
	int matters = 1;
	switch (kind_of(loop, call)) {
	case AG_OPEN:
		matters = open_matters(loop, call->tid, AT_FDCWD, arguments[0]);
		break;
	case AG_OPENAT:
		matters = open_matters(loop, call->tid, (int)arguments[0], arguments[1]);
		break;
	case AG_EXECVE:
		matters = record_exec(loop, AT_FDCWD, arguments[0], arguments[1], arguments[2]);
		break;
	case AG_EXECVEAT:
		matters = record_exec(loop, (int)arguments[0], arguments[1], arguments[2], arguments[3]);
		break;
	case AG_CONNECT:
		matters = connect_matters(loop, call->tid, arguments[1], arguments[2]);
		break;
	case AG_SENDTO:
		matters = sendto_matters(loop, arguments);
		break;
	case AG_SENDMSG:
		matters = sendmsg_matters(loop, arguments);
		break;
	case AG_VIEW:
		forget_views(loop);
		break;
	case AG_HAND_OVER:
		break;
	}
	return matters && hand_over(loop);
}

/* Errno of what ended the loop; 0 when the last process of the tree has gone. */
static int serve(struct ag_loop *loop)
{
	struct pollfd listener = {loop->config.listener, POLLIN, 0};
	for (;;) {
		if (poll(&listener, 1, -1) < 0)
			return errno;
		if (!(listener.revents & POLLIN))
			return 0;
		memset(loop->notification, 0, sizeof *loop->notification); /* EINVAL to anything else */
		if (ioctl(loop->config.listener, loop->config.receive, loop->notification) < 0) {
			if (errno == ENOENT || errno == EINTR)
				continue;
			return errno;
		}
		if (!look(loop))
			answer(loop, loop->notification->id);
	}
}

static void *run(void *given)
{
	struct ag_loop *loop = given;
	int error = serve(loop);
	pthread_mutex_lock(&loop->lock);
	loop->ended = 1, loop->error = error;
	pthread_cond_broadcast(&loop->filled);
	pthread_mutex_unlock(&loop->lock);
	return NULL;
}

/* --- for Python ------------------------------------------------------------------------------------------------- */

API uint32_t ag_loop_abi(void)
{
	return AG_LOOP_ABI;
}

static void release(struct ag_loop *loop)
{
	for (struct node *node = loop->first, *next; node; node = next)
		next = node->next, free(node);
	for (size_t i = 0; i < PARENTS; i++)
		if (loop->parents[i].pid)
			close(loop->parents[i].descriptor);
	pthread_cond_destroy(&loop->room);
	pthread_cond_destroy(&loop->filled);
	pthread_mutex_destroy(&loop->lock);
	free(loop->taken);
	free(loop->arguments.bytes);
	free(loop->environment.bytes);
	free(loop->links.bytes);
	free(loop);
}

/* Begins to answer. NULL: the thread could not be made, or the two do not understand each other. What the config
 * points to must stay until ag_loop_close, but for the calls, which must stay as well. */
API struct ag_loop *ag_loop_start(const struct ag_config *config)
{
	if (config->abi != AG_LOOP_ABI || config->table->magic != AG_TABLE_MAGIC)
		return NULL;
	struct ag_loop *loop = calloc(1, sizeof *loop);
	if (!loop)
		return NULL;
	loop->config = *config;
	loop->notification = config->shared;
	loop->held = (_Atomic uint64_t *)((char *)config->shared + sizeof *loop->notification);
	loop->held_count = (config->shared_size - sizeof *loop->notification) / sizeof *loop->held;
	loop->last = &loop->first;
	pthread_mutex_init(&loop->lock, NULL);
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&loop->filled, &monotonic);
	pthread_cond_init(&loop->room, &monotonic);
	pthread_condattr_destroy(&monotonic);
	sigset_t all, before;
	sigfillset(&all);
	int ready = getrandom(loop->seed, sizeof loop->seed, 0) == sizeof loop->seed &&
	            place_of("/", &loop->root); /* Linux 5.8 */
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for Python's threads */
	ready = ready && !pthread_create(&loop->thread, NULL, run, loop);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (ready)
		return loop;
	release(loop);
	return NULL;
}

/* Waits for records: at once when somebody is held, and a moment longer where only execs have come. 0: the last
 * process of the tree has gone, and all that there was has been taken. */
API int ag_loop_wait(struct ag_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	while (!loop->first && !loop->ended)
		pthread_cond_wait(&loop->filled, &loop->lock);
	struct timespec until = in_ns(GATHER_NS);
	while (!loop->urgent && !loop->ended)
		if (pthread_cond_timedwait(&loop->filled, &loop->lock, &until) == ETIMEDOUT)
			break;
	int some = loop->first != NULL;
	pthread_mutex_unlock(&loop->lock);
	return some;
}

/* The next record; it stays until the next call. NULL: there is none now. For one thread; never waits. */
API const struct ag_record *ag_loop_next(struct ag_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	free(loop->taken);
	struct node *node = loop->taken = loop->first;
	if (node) {
		loop->first = node->next;
		loop->waiting_bytes -= sizeof *node + node->record.size;
		loop->stalled = 0;
		pthread_cond_signal(&loop->room);
	}
	if (!loop->first)
		loop->last = &loop->first, loop->urgent = 0;
	pthread_mutex_unlock(&loop->lock);
	return node ? &node->record : NULL;
}

/* Python has told where the message in that call goes: what follows it is let go. */
API void ag_loop_settled(struct ag_loop *loop, uint64_t id)
{
	pthread_mutex_lock(&loop->lock);
	for (size_t i = 0; i < RECEIVERS; i++)
		if (loop->receivers[i].hash && loop->receivers[i].id == id)
			loop->receivers[i].until_ns = now_ns(CLOCK_MONOTONIC_COARSE) + RECEIVER_NS;
	pthread_mutex_unlock(&loop->lock);
}

/* Answers a call that was handed over. */
API void ag_loop_answer(struct ag_loop *loop, uint64_t id, int64_t value, int32_t error, uint32_t flags)
{
	respond(loop, (struct ag_response){id, value, error, flags});
	pthread_mutex_lock(&loop->lock);
	_Atomic uint64_t *slot = slot_of(loop, id);
	if (slot)
		atomic_store(slot, 0);
	pthread_cond_signal(&loop->room);
	pthread_mutex_unlock(&loop->lock);
}

/* Puts a mark into the queue: when it is taken, so was all that was there before. 0: it could not be put. */
API int ag_loop_mark(struct ag_loop *loop)
{
	struct node *node = new_node(AG_MARK, 0);
	return node && enqueue(loop, node, 0);
}

/* Python cannot look any more: lets go all that is held, and from now on everything. */
API void ag_loop_abandon(struct ag_loop *loop)
{
	pthread_mutex_lock(&loop->lock);
	loop->alone = 1;
	for (size_t i = 0; i < loop->held_count; i++) {
		uint64_t id = atomic_exchange(&loop->held[i], 0);
		if (id)
			answer(loop, id);
	}
	pthread_cond_signal(&loop->room);
	pthread_mutex_unlock(&loop->lock);
}

API void ag_loop_set_port(struct ag_loop *loop, uint32_t port)
{
	atomic_store(&loop->port, port);
}

/* Records that there was no room for. */
API uint64_t ag_loop_lost(struct ag_loop *loop)
{
	return atomic_load(&loop->lost);
}

/* Errno of what ended the loop; 0 when the tree did. */
API int ag_loop_error(struct ag_loop *loop)
{
	return loop->error;
}

/* After ag_loop_wait has said that it is over. */
API void ag_loop_close(struct ag_loop *loop)
{
	pthread_join(loop->thread, NULL);
	release(loop);
}
