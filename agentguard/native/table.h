/* The table of secret files, as the native loop and the preloaded gate read it: a file in the session's run folder,
 * mapped read-only by every process of the tree and written by the supervisor alone (agentguard/sense/watch_table.py
 * holds the writer, and tests/unit/sense/test_watch_table.py holds the two to each other).
 *
 * Readers take no lock. Each fact is one aligned 64-bit word, so none can be seen half written: a file is the hash of
 * its device and inode, a name the hash of its bytes. A chance collision only means that an open is looked at that
 * need not be. All integers are of the machine's own byte order.
 */
#ifndef AGENTGUARD_TABLE_H
#define AGENTGUARD_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define AG_TABLE_MAGIC 0x31454c4241544741ull /* "AGTABLE1" read as a little-endian word */

enum { AG_EMPTY = 0, AG_DELETED = 1 };

struct ag_table {
	uint64_t magic;
	uint32_t closed;        /* not 0: nothing passes the gate; every open is held and looked at */
	uint32_t file_slots;    /* a power of two */
	uint32_t files_at;      /* offset of uint64_t[file_slots] from the start of the table */
	uint32_t name_slots;    /* a power of two */
	uint32_t names_at;      /* offset of uint64_t[name_slots] */
	uint32_t edges_at;      /* offset of the starts, then the ends: a length byte and the text, one after another */
	uint32_t starts;        /* how many */
	uint32_t ends;
	uint8_t first[32];      /* bit set of the first bytes of the starts: rules out nearly every name at once */
	uint8_t last[32];       /* bit set of the last bytes of the ends */
};

/* What a name is compared as: its hash begins with this. */
enum ag_part {
	AG_NAME = 'n',          /* the last part of a path */
	AG_PARENT = 'p',        /* the folder in which it lies */
	AG_FOLDER = 'f',        /* any folder above it */
};

static inline uint64_t ag_file_tag(uint64_t device, uint64_t inode)
{
	uint64_t hash = inode ^ device * 0x9e3779b97f4a7c15ull; /* splitmix64's finaliser */
	hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9ull;
	hash = (hash ^ hash >> 27) * 0x94d049bb133111ebull;
	hash ^= hash >> 31;
	return hash < 2 ? hash + 2 : hash;
}

static inline uint64_t ag_name_tag(enum ag_part part, const char *text, size_t length)
{
	uint64_t hash = (0xcbf29ce484222325ull ^ (uint64_t)part) * 0x100000001b3ull; /* FNV-1a */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3ull;
	return hash < 2 ? hash + 2 : hash;
}

static inline int ag_holds(const struct ag_table *table, uint32_t at, uint32_t slots, uint64_t tag)
{
	const volatile uint64_t *slot = (const volatile uint64_t *)((const char *)table + at);
	for (uint32_t i = 0, place = (uint32_t)(tag >> 32); i < slots; i++, place++) {
		uint64_t found = slot[place & (slots - 1)];
		if (found == tag)
			return 1;
		if (found == AG_EMPTY)
			return 0;
	}
	return 0;
}

static inline int ag_holds_file(const struct ag_table *table, uint64_t device, uint64_t inode)
{
	return ag_holds(table, table->files_at, table->file_slots, ag_file_tag(device, inode));
}

static inline int ag_holds_name(const struct ag_table *table, enum ag_part part, const char *text, size_t length)
{
	return ag_holds(table, table->names_at, table->name_slots, ag_name_tag(part, text, length));
}

static inline int ag_in_set(const uint8_t set[32], char byte)
{
	return set[(uint8_t)byte >> 3] >> ((uint8_t)byte & 7) & 1;
}

static inline int ag_same(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i])
			return 0;
	return 1;
}

static inline int ag_edge_matches(const struct ag_table *table, const char *name, size_t length)
{
	int starts = ag_in_set(table->first, name[0]), ends = ag_in_set(table->last, name[length - 1]);
	if (!starts && !ends)
		return 0;
	const char *edge = (const char *)table + table->edges_at;
	for (uint32_t i = 0; i < table->starts + table->ends; i++) {
		size_t size = (uint8_t)*edge++;
		const char *at = i < table->starts ? name : name + length - size;
		if (size <= length && ag_same(at, edge, size))
			return 1;
		edge += size;
	}
	return 0;
}

/* Whether the patterns of secret files may name this path. It never says no to a path that they name; to be exact is
 * the caller's, who asks the patterns themselves. The path is not resolved. Length without the final NUL. */
static inline int ag_may_be_named(const struct ag_table *table, const char *path, size_t length)
{
	size_t start = 0;
	size_t parent = 0, parent_length = 0;
	for (size_t i = 0; i < length; i++) {
		if (path[i] != '/')
			continue;
		if (i > start) {
			parent = start, parent_length = i - start;
			if (ag_holds_name(table, AG_FOLDER, path + parent, parent_length))
				return 1;
		}
		start = i + 1;
	}
	if (start == length) /* it ends with a slash: a folder */
		return 0;
	if (ag_holds_name(table, AG_NAME, path + start, length - start))
		return 1;
	if (parent_length && ag_holds_name(table, AG_PARENT, path + parent, parent_length))
		return 1;
	return ag_edge_matches(table, path + start, length - start);
}

#endif
