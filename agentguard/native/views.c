/* Loops of the decoder (agentguard/detect/decode.py, decode_runs.py) that are thirty times quicker in C: a request of an
 * agent is JSON full of escapes. They do what their Python twins do, byte for byte (tests/unit/detect compares them);
 * where they were not compiled, the twins serve. No allocation, no state: any number of threads.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* The ASCII character that two hex digits at `at` name; -1 where they do not. */
static int ascii_of(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2 || at[0] < '0' || at[0] > '7')
        return -1;
    int low = hex_digit(at[1]);
    return low < 0 ? -1 : (at[0] - '0') * 16 + low;
}

/* What follows a backslash at `at`: the number of bytes used, and in `byte` what they stand for; 0 when for themselves. */
static size_t escape(const uint8_t *at, const uint8_t *end, uint8_t *byte)
{
    if (at == end)
        return 0;
    switch (*at) {
    case 'n':
        *byte = '\n';
        return 1;
    case 't':
        *byte = '\t';
        return 1;
    case 'r':
        *byte = '\r';
        return 1;
    default:
        break;
    }
    size_t lead = *at == 'x' ? 1 : *at == 'u' && end - at >= 3 && at[1] == '0' && at[2] == '0' ? 3 : 0;
    int code = lead ? ascii_of(at + lead, end) : -1;
    if (code < 0)
        return 0;
    *byte = (uint8_t)code;
    return lead + 2;
}

/* Escapes of JSON, at every depth of nesting at once. `out` holds `size` bytes; returns how many were written. */
EXPORT size_t agentguard_unescape(const uint8_t *in, size_t size, uint8_t *out)
{
    const uint8_t *end = in + size;
    uint8_t *to = out;
    while (in < end) {
        const uint8_t *slash = memchr(in, '\\', (size_t)(end - in));
        size_t plain = (size_t)((slash ? slash : end) - in);
        memcpy(to, in, plain);
        to += plain;
        if (!slash)
            break;
        in = slash + 1;
        size_t used = escape(in, end, to);
        in += used;
        to += used != 0;
    }
    return (size_t)(to - out);
}

#define BLOCK 64
#define LANES 16

typedef uint8_t lanes __attribute__((vector_size(LANES)));

/* All ones in the lanes that hold a base64 character, of either alphabet. */
static lanes in_run(lanes bytes)
{
    lanes letter = (bytes | 0x20) - 'a', digit = bytes - '/'; /* the slash comes before the digits */
    return (lanes)(letter < 26) | (lanes)(digit < 11) | (lanes)(bytes == '+') | (lanes)(bytes == '-') |
           (lanes)(bytes == '_');
}

/* Bit n: whether byte n of the block is a base64 character. */
static uint64_t members(const uint8_t *block)
{
    uint64_t bits = 0;
    for (size_t at = 0; at < BLOCK; at += LANES) {
        lanes bytes;
        memcpy(&bytes, block + at, LANES);
        bytes = in_run(bytes) & 1;
        uint64_t words[LANES / 8];
        memcpy(words, &bytes, LANES);
        for (size_t word = 0; word < LANES / 8; word++) /* the lowest bit of each byte, gathered */
            bits |= (words[word] * 0x0102040810204080u) >> 56 << (at + 8 * word);
    }
    return bits;
}

/* Where runs of `length` ones begin. */
static uint64_t begin_runs(uint64_t bits, size_t length)
{
    for (size_t have = 1; have < length && bits;) {
        size_t step = have < length - have ? have : length - have;
        bits &= step < BLOCK ? bits >> step : 0;
        have += step;
    }
    return bits;
}

/* Whether a run starts as something compressed does in base64 (`_ENCODED_MAGIC`): by two letters. */
static int compressed(const uint8_t *at)
{
    static const char pairs[] = "H4KLeJeNeFeA/TQlUE";
    for (const char *pair = pairs; *pair; pair += 2)
        if (at[0] == pair[0] && at[1] == pair[1])
            return 1;
    return 0;
}

/* Whether every fourth byte from `at` on may be the first of a group of base64 that holds text (`_sample_promising`). */
static int may_be_text(const uint8_t *at, const uint8_t *end)
{
    size_t all = 0, first = 0, zero = 0;
    for (; at < end; at += 4, all++) {
        first += (*at >= 'I' && *at <= 'Z') || (*at >= 'a' && *at <= 'f');
        zero += *at == 'A';
    }
    return 2 * (all - first) <= all || 3 * zero >= all;
}

/* Whether Python is to look at a run; no where `_decode_run` would find nothing in it, which is so of most names. */
static int worth(const uint8_t *at, const uint8_t *end)
{
    int lower = 0, digit = 0, upper = 0, not_hex = 0, not_base32 = 0;
    for (const uint8_t *byte = at; byte < end; byte++) {
        lower |= *byte >= 'a' && *byte <= 'z';
        upper |= *byte >= 'A' && *byte <= 'Z';
        digit |= *byte >= '0' && *byte <= '9';
        not_hex |= hex_digit(*byte) < 0;
        not_base32 |= !((*byte >= 'A' && *byte <= 'Z') || (*byte >= '2' && *byte <= '7'));
    }
    if (!not_hex || !not_base32)
        return 1;
    if (lower && !upper && !digit)
        return 0;
    for (size_t offset = 0; offset < 4; offset++)
        if (may_be_text(at + offset, end) || compressed(at + offset))
            return 1;
    return 0;
}

struct spans {
    const uint8_t *in;
    size_t shortest, line, most, found;
    size_t *to;
};

static void add(struct spans *spans, size_t start, size_t end)
{
    size_t length = end - start;
    if (length < spans->shortest || spans->found == spans->most)
        return;
    if (length < spans->line && !worth(spans->in + start, spans->in + end))
        return;
    spans->to[2 * spans->found] = start;
    spans->to[2 * spans->found + 1] = end;
    spans->found++;
}

/* The runs that end within a block at `base`, of which one began at `open`, before it or at its start. Returns where the
 * run begins that is open at its end.
 */
static size_t block_runs(struct spans *spans, uint64_t bits, size_t base, size_t open)
{
    if (bits == UINT64_MAX)
        return open;
    size_t lead = (size_t)__builtin_ctzll(~bits);
    add(spans, open, base + lead);
    size_t tail = (size_t)__builtin_clzll(~bits);
    bits &= UINT64_MAX << lead;
    uint64_t begun = begin_runs(tail ? bits & (UINT64_MAX >> tail) : bits, spans->shortest);
    while (begun) {
        size_t start = (size_t)__builtin_ctzll(begun);
        size_t length = (size_t)__builtin_ctzll(~(bits >> start));
        add(spans, base + start, base + start + length);
        begun &= UINT64_MAX << start << length;
    }
    return base + BLOCK - tail;
}

/* Runs of base64 characters, `shortest` or longer: start and end of each into `spans`, of the first `most` of them that
 * begin at `from` or later, where no run is cut. Of those shorter than `line`, which are never part of something wrapped,
 * only what is worth a look. Returns how many.
 */
EXPORT size_t agentguard_runs(
    const uint8_t *in, size_t size, size_t from, size_t shortest, size_t line, size_t most, size_t *to)
{
    struct spans spans = {in, shortest, line, most, 0, to};
    size_t open = from;
    for (size_t base = from; base < size && spans.found < most; base += BLOCK) {
        uint8_t last[BLOCK] = {0};
        const uint8_t *block = in + base;
        if (size - base < BLOCK)
            block = memcpy(last, in + base, size - base);
        open = block_runs(&spans, members(block), base, open);
    }
    if (open < size && spans.found < most)
        add(&spans, open, size);
    return spans.found;
}

/* The first place from `from` on, at the start of the bytes or of a line, whose first two bytes are one of the pairs;
 * `size` when there is none.
 */
EXPORT size_t agentguard_start(const uint8_t *in, size_t size, size_t from, const uint8_t *pairs, size_t count)
{
    for (size_t at = from; at + 1 < size;) {
        for (size_t pair = 0; pair < count; pair++)
            if (in[at] == pairs[2 * pair] && in[at + 1] == pairs[2 * pair + 1])
                return at;
        const uint8_t *end = memchr(in + at, '\n', size - at);
        if (!end)
            return size;
        at = (size_t)(end - in) + 1;
    }
    return size;
}
