/* Loops of the decoder (agentguard/detect/decode.py, decode_runs.py) that are thirty times quicker in C: a request of an
 * agent is JSON full of escapes. They do what their Python twins do, byte for byte (tests/unit/detect compares them);
 * where they were not compiled, the twins serve. No allocation, no state: any number of threads.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* All ones in the lanes that hold a character of a word: of base64 of either alphabet, a full stop or an equals sign. */
static lanes in_word(lanes bytes)
{
    lanes letter = (bytes | 0x20) - 'a', digit = bytes - '-'; /* the hyphen, the stop and the slash come before the digits */
    return (lanes)(letter < 26) | (lanes)(digit < 13) | (lanes)(bytes == '+') | (lanes)(bytes == '_') |
           (lanes)(bytes == '=');
}

/* The same, of one byte. */
static const uint8_t is_word[256] = {
    ['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    ['-'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, ['+'] = 1, ['_'] = 1, ['='] = 1,
};

/* Bit n: whether lane n, all ones or all zeros, is all ones. */
static uint64_t mask_of(lanes which)
{
#ifdef __SSE2__
    return (uint64_t)_mm_movemask_epi8((__m128i)which);
#else
    uint64_t bits = 0, words[LANES / 8];
    which &= 1;
    memcpy(words, &which, LANES);
    for (size_t word = 0; word < LANES / 8; word++) /* the lowest bit of each byte, gathered */
        bits |= (words[word] * 0x0102040810204080u) >> 56 << 8 * word;
    return bits;
#endif
}

/* Bit n: whether byte n of the block belongs to a kind. */
static inline uint64_t members(const uint8_t *block, lanes (*kind)(lanes))
{
    uint64_t bits = 0;
    for (size_t at = 0; at < BLOCK; at += LANES) {
        lanes bytes;
        memcpy(&bytes, block + at, LANES);
        bits |= mask_of(kind(bytes)) << at;
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

#define SAMPLE 64

/* Whether every fourth byte of a sample may be the first of a group of base64 that holds text (`_sample_promising`). */
static int may_be_text(const uint8_t *at, const uint8_t *end)
{
    if (end - at > SAMPLE)
        end = at + SAMPLE;
    size_t all = 0, first = 0, zero = 0;
    for (; at < end; at += 4, all++) {
        first += (*at >= 'I' && *at <= 'Z') || (*at >= 'a' && *at <= 'f');
        zero += *at == 'A';
    }
    return 2 * (all - first) <= all || 3 * zero >= all;
}

static uint32_t sextet(uint8_t byte)
{
    if (byte >= 'a')
        return byte - 'a' + 26u;
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A' + 0u;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52u;
    return byte == '+' || byte == '-' ? 62 : 63;
}

/* Whether bytes may be UTF-8 cut at both ends (`_is_utf8`, but for forms that are longer than need be). */
static int may_be_utf8(const uint8_t *at, const uint8_t *end)
{
    for (int cut = 0; cut < 4 && at < end && (*at & 0xC0) == 0x80; cut++)
        at++;
    while (at < end) {
        uint8_t lead = *at++;
        int more = lead < 0x80 ? 0 : (lead & 0xE0) == 0xC0 ? 1 : (lead & 0xF0) == 0xE0 ? 2 : (lead & 0xF8) == 0xF0 ? 3 : -1;
        for (; more > 0 && at < end && (*at & 0xC0) == 0x80; more--)
            at++;
        if (more && end - at > 4)
            return 0;
    }
    return 1;
}

/* Whether a sample of base64 may decode to text, in UTF-8 or UTF-16 (`_plausible`). */
static int decodes_to_text(const uint8_t *at, const uint8_t *end)
{
    uint8_t text[SAMPLE / 4 * 3];
    size_t size = 0, zeros = 0, control = 0;
    if (end - at > SAMPLE)
        end = at + SAMPLE;
    for (; end - at >= 4; at += 4) {
        uint32_t group = sextet(at[0]) << 18 | sextet(at[1]) << 12 | sextet(at[2]) << 6 | sextet(at[3]);
        for (int shift = 16; shift >= 0; shift -= 8)
            text[size++] = (uint8_t)(group >> shift);
    }
    for (size_t byte = 0; byte < size; byte++) {
        zeros += !text[byte];
        control += (text[byte] < ' ' && !memchr("\t\n\r\x1b", text[byte], 4)) || text[byte] == 0x7f;
    }
    return (!control && may_be_utf8(text, text + size)) || 3 * zeros >= size;
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
    size_t length = (size_t)(end - at), middle = length / 8 * 4;
    for (size_t offset = 0; offset < 4; offset++, at++) {
        if (compressed(at) || (may_be_text(at, end) && decodes_to_text(at, end)))
            return 1;
        if (length > 2 * SAMPLE && may_be_text(at + middle, end) && decodes_to_text(at + middle, end))
            return 1;
    }
    return 0;
}

struct spans {
    const uint8_t *in;
    size_t size, shortest, line, most, found;
    size_t *to;
};

typedef void take(void *, size_t start, size_t end);

static void add_span(void *to, size_t start, size_t end)
{
    struct spans *spans = to;
    size_t length = end - start;
    if (length < spans->shortest || spans->found == spans->most)
        return;
    int goes_on = length >= spans->line && end < spans->size && (spans->in[end] == '\n' || spans->in[end] == '\r');
    if (!goes_on && !worth(spans->in + start, spans->in + end))
        return;
    spans->to[2 * spans->found] = start;
    spans->to[2 * spans->found + 1] = end;
    spans->found++;
}

/* Hand over the runs of `shortest` bytes or more that end within a block at `base`, of which one began at `open`, before it
 * or at its start. Returns where the run begins that is open at its end.
 */
static inline size_t block_runs(uint64_t bits, size_t base, size_t open, size_t shortest, take *add, void *to)
{
    if (bits == UINT64_MAX)
        return open;
    size_t lead = (size_t)__builtin_ctzll(~bits);
    if (base + lead - open >= shortest)
        add(to, open, base + lead);
    size_t tail = (size_t)__builtin_clzll(~bits);
    bits &= UINT64_MAX << lead;
    uint64_t begun = begin_runs(tail ? bits & (UINT64_MAX >> tail) : bits, shortest);
    while (begun) {
        size_t start = (size_t)__builtin_ctzll(begun);
        size_t length = (size_t)__builtin_ctzll(~(bits >> start));
        add(to, base + start, base + start + length);
        begun &= UINT64_MAX << start << length;
    }
    return base + BLOCK - tail;
}

/* The block at `base`; of the last one a copy, with zeros behind the end. */
static inline const uint8_t *block_at(const uint8_t *in, size_t size, size_t base, uint8_t *last)
{
    if (size - base >= BLOCK)
        return in + base;
    memset(last, 0, BLOCK);
    return memcpy(last, in + base, size - base);
}

/* Runs of base64 characters, `shortest` or longer: start and end of each into `spans`, of the first `most` of them that
 * begin at `from` or later, where no run is cut; only what is worth a look, and what may go on over a line end: runs of
 * `line` bytes or more. Returns how many.
 */
EXPORT size_t agentguard_runs(
    const uint8_t *in, size_t size, size_t from, size_t shortest, size_t line, size_t most, size_t *to)
{
    struct spans spans = {in, size, shortest, line, most, 0, to};
    uint8_t last[BLOCK];
    size_t open = from;
    for (size_t base = from; base < size && spans.found < most; base += BLOCK)
        open = block_runs(members(block_at(in, size, base, last), in_run), base, open, shortest, add_span, &spans);
    if (open < size && spans.found < most)
        add_span(&spans, open, size);
    return spans.found;
}

struct words {
    const uint8_t *in;
    size_t size, line, done; /* where the last word ended that was taken */
    uint8_t *to;
};

/* Where the word is that the line behind one that ends at `end` begins with, blanks aside; 0 when there is none. */
static size_t line_behind(const struct words *words, size_t end)
{
    end += end < words->size && words->in[end] == '\r';
    if (end >= words->size || words->in[end] != '\n')
        return 0;
    for (end++; end < words->size && (words->in[end] == ' ' || words->in[end] == '\t');)
        end++;
    return end < words->size && is_word[words->in[end]] ? end : 0;
}

static void add_word(void *to, size_t start, size_t end)
{
    struct words *words = to;
    if (start < words->done)
        return;
    for (;;) {
        memcpy(words->to, words->in + start, end - start);
        words->to += end - start;
        size_t next = end - start >= words->line ? line_behind(words, end) : 0;
        if (!next)
            break;
        *words->to++ = '\n';
        for (start = end = next; end < words->size && is_word[words->in[end]];)
            end++;
    }
    *words->to++ = ' ';
    words->done = end;
}

/* The words of `shortest` characters or more, a blank behind each, to `out`, which has room for a byte more than `size`.
 * Behind one of `line` characters or more that ends its line, the word that the next line begins with, behind a line end.
 * Returns how many bytes were written.
 */
EXPORT size_t agentguard_words(const uint8_t *in, size_t size, size_t shortest, size_t line, uint8_t *out)
{
    struct words words = {in, size, line, 0, out};
    uint8_t last[BLOCK];
    size_t open = 0;
    for (size_t base = 0; base < size; base += BLOCK)
        open = block_runs(members(block_at(in, size, base, last), in_word), base, open, shortest, add_word, &words);
    if (open + shortest <= size)
        add_word(&words, open, size);
    return (size_t)(words.to - out);
}

static int two_hex_digits(const uint8_t *at, const uint8_t *end)
{
    return end - at >= 2 && hex_digit(at[0]) >= 0 && hex_digit(at[1]) >= 0;
}

/* The first place from `from` on where a percent sign stands before two hex digits; `size` when there is none. */
EXPORT size_t agentguard_percent(const uint8_t *in, size_t size, size_t from)
{
    const uint8_t *end = in + size;
    for (const uint8_t *at = in + from; at < end && (at = memchr(at, '%', (size_t)(end - at))); at++)
        if (two_hex_digits(at + 1, end))
            return (size_t)(at - in);
    return size;
}

/* Bytes of the code behind a backslash that stands for a letter, a digit or a sign, or for a slash; 0: there is none. */
static size_t plain_code(const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at);
    if (left >= 1 && at[0] == '/')
        return 1;
    if (left >= 3 && at[0] == 'x')
        return at[1] >= '2' && at[1] <= '7' && hex_digit(at[2]) >= 0 ? 3 : 0;
    if (left >= 5 && at[0] == 'u' && at[1] == '0' && at[2] == '0')
        return at[3] >= '2' && at[3] <= '7' && hex_digit(at[4]) >= 0 ? 5 : 0;
    return 0;
}

/* Whether a token goes on: four characters of one, or up to four backslashes before a further code. */
static int goes_on(const uint8_t *at, const uint8_t *end)
{
    size_t left = (size_t)(end - at), slashes = 0, token = 0;
    while (slashes < 4 && slashes < left && at[slashes] == '\\')
        slashes++;
    if (slashes)
        return slashes < left && (at[slashes] == 'u' || at[slashes] == 'x' || at[slashes] == '/');
    while (token < 4 && token < left && is_word[at[token]] && at[token] != '.')
        token++;
    return token == 4;
}

/* The first place where an escape stands that a token goes on behind; `size` when there is none. */
EXPORT size_t agentguard_escape(const uint8_t *in, size_t size)
{
    const uint8_t *end = in + size;
    for (const uint8_t *at = in; at < end && (at = memchr(at, '\\', (size_t)(end - at))); at++) {
        size_t code = plain_code(at + 1, end);
        if (code && goes_on(at + 1 + code, end))
            return (size_t)(at - in);
    }
    return size;
}

/* Percent codes resolved, those of a percent sign before another code at once. `out` holds `size` bytes; returns how many
 * were written.
 */
EXPORT size_t agentguard_unpercent(const uint8_t *in, size_t size, uint8_t *out)
{
    const uint8_t *end = in + size;
    uint8_t *to = out;
    while (in < end) {
        const uint8_t *percent = memchr(in, '%', (size_t)(end - in));
        size_t plain = (size_t)((percent ? percent : end) - in);
        memcpy(to, in, plain);
        to += plain;
        if (!percent)
            break;
        in = percent + 1;
        const uint8_t *code = in;
        while (end - code >= 4 && code[0] == '2' && code[1] == '5' && two_hex_digits(code + 2, end))
            code += 2;
        if (two_hex_digits(code, end)) {
            *to++ = (uint8_t)(hex_digit(code[0]) * 16 + hex_digit(code[1]));
            in = code + 2;
        } else {
            *to++ = '%';
        }
    }
    return (size_t)(to - out);
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

/* What follows looks at text as JSON, or a program, writes strings, and puts together what was taken apart. The rules are
 * those of agentguard/detect/pieces.py.
 */

#define NONE UINT32_MAX
#define MOST_INDEX_DIGITS 9

struct piece {
    uint32_t start, end; /* without its quotes */
    uint32_t next;       /* the piece that goes on where this one ends */
    uint32_t follows;    /* whether it goes on where another one ends */
};

struct slot {
    uint32_t used, name, length, index; /* a name, and the number that the last index before it had */
    uint32_t last;                      /* the last piece of that name */
};

struct strings {
    const uint8_t *in;
    uint32_t size, found, mask, most_gap;
    uint8_t quote;
    struct piece *pieces;
    struct slot *slots;
    uint32_t block;         /* the block that was looked at last, */
    uint64_t quotes, lines; /* and where its quotes and line ends are */
};

static int blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static int alphanumeric(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26 || (uint8_t)(byte - '0') < 10;
}

static void look_at_block(struct strings *text, uint32_t block)
{
    uint8_t last[BLOCK];
    const uint8_t *bytes = block_at(text->in, text->size, block, last);
    text->block = block, text->quotes = text->lines = 0;
    for (size_t at = 0; at < BLOCK; at += LANES) {
        lanes some;
        memcpy(&some, bytes + at, LANES);
        text->quotes |= mask_of((lanes)(some == text->quote)) << at;
        text->lines |= mask_of((lanes)(some == '\n')) << at;
    }
}

/* The next quote from `at` on, or line end if that is asked for too; the size when there is none. */
static inline uint32_t next_mark(struct strings *text, uint32_t at, int line_too)
{
    while (at < text->size) {
        uint32_t block = at - at % BLOCK;
        if (block != text->block)
            look_at_block(text, block);
        uint64_t marks = (text->quotes | (line_too ? text->lines : 0)) & UINT64_MAX << at % BLOCK;
        if (marks)
            return block + (uint32_t)__builtin_ctzll(marks);
        at = block + BLOCK;
    }
    return text->size;
}

/* Where the string ends whose first byte is at `at`; NONE when its line, or the text, ends first. */
static uint32_t closing(struct strings *text, uint32_t at)
{
    for (uint32_t from = at;;) {
        uint32_t end = next_mark(text, from, 1), slashes = 0;
        if (end == text->size || text->in[end] == '\n')
            return NONE;
        while (end - slashes > at && text->in[end - slashes - 1] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return end;
        from = end + 1;
    }
}

/* The next quote that opens a string: none behind a backslash, no single one behind a letter. (So no byte is looked at
 * for more than two strings: between an opening quote and the one that could close it, none opens.)
 */
static uint32_t opening(struct strings *text, uint32_t at)
{
    for (;; at++) {
        at = next_mark(text, at, 0);
        if (at == text->size || !at)
            return at;
        uint8_t before = text->in[at - 1];
        if (before != '\\' && (text->quote == '"' || !alphanumeric(before)))
            return at;
    }
}

/* Whether only blanks and signs that join or separate strings lie between, and few of them. */
static int adjacent(const struct strings *text, uint32_t from, uint32_t to)
{
    if (to - from > text->most_gap)
        return 0;
    for (; from < to; from++)
        if (!blank(text->in[from]) && !memchr(",+.&\\", text->in[from], 5))
            return 0;
    return 1;
}

/* Of a name's first and last bytes: names are short, and a text has few. */
static uint32_t hash_of(const uint8_t *name, uint32_t length, uint32_t index)
{
    uint64_t first = 0, last = 0;
    size_t some = length < sizeof first ? length : sizeof first;
    memcpy(&first, name, some);
    memcpy(&last, name + length - some, some);
    uint64_t mixed = ((first ^ length) * 0x9e3779b97f4a7c15u ^ (last + index)) * 0xff51afd7ed558ccdu;
    return (uint32_t)(mixed >> 32);
}

static struct slot *slot_of(const struct strings *text, uint32_t name, uint32_t length, uint32_t index)
{
    for (uint32_t at = hash_of(text->in + name, length, index);; at++) {
        struct slot *slot = text->slots + (at & text->mask);
        if (!slot->used)
            *slot = (struct slot){1, name, length, index, NONE};
        if (slot->length == length && slot->index == index && !memcmp(text->in + slot->name, text->in + name, length))
            return slot;
    }
}

static void link_to(struct strings *text, uint32_t before, uint32_t piece)
{
    while (text->pieces[before].next != NONE)
        before = text->pieces[before].next;
    text->pieces[before].next = piece;
    text->pieces[piece].follows = 1;
}

/* Whether this may be a piece of text: it is not longer than a gap, holds none of the signs between values, and ends in
 * no blank, as what stands between two strings of a program does.
 */
static int words(const struct strings *text, uint32_t from, uint32_t to)
{
    if (from >= to || to - from > text->most_gap || blank(text->in[to - 1]))
        return 0;
    for (; from < to; from++)
        if (memchr(",:()[]{}\n", text->in[from], 9))
            return 0;
    return 1;
}

/* The number at `at`; `before` when there is none. */
static uint32_t number(const struct strings *text, uint32_t at, uint32_t before)
{
    uint32_t value = 0, digits = 0;
    for (; at < text->size && (uint8_t)(text->in[at] - '0') < 10 && digits < MOST_INDEX_DIGITS; at++, digits++)
        value = value * 10 + text->in[at] - '0';
    return digits ? value : before;
}

/* Enter a string; whether it goes on where another ends depends on its name, or on what lies before it. */
static uint32_t enter(struct strings *text, uint32_t start, uint32_t end, struct slot *named, uint32_t previous)
{
    uint32_t piece = text->found++;
    text->pieces[piece] = (struct piece){start, end, NONE, 0};
    if (named) {
        if (named->last != NONE)
            link_to(text, named->last, piece);
        named->last = piece;
    } else if (previous != NONE && adjacent(text, text->pieces[previous].end + 1, start - 1)) {
        link_to(text, previous, piece);
    }
    return piece;
}

static void find_pieces(struct strings *text)
{
    uint32_t index = 0, previous = NONE, ended = NONE; /* the last piece; where the last string of any kind ended */
    uint32_t name = 0, length = 0, value = NONE;       /* the name before a colon, and where its value begins */
    for (uint32_t at = 0; (at = opening(text, at)) < text->size;) {
        uint32_t start = at + 1, end = closing(text, start);
        at = start;
        if (end == NONE)
            continue;
        if (ended != NONE && end > start && adjacent(text, start, end) && !adjacent(text, ended + 1, start - 1) &&
            words(text, ended + 1, start - 1)) { /* `x = "sk-" + "abc"` in quotes: we took the outside for the inside */
            previous = enter(text, ended + 1, start - 1, NULL, NONE);
            ended = start - 1;
            at = end;
            continue;
        }
        at = ended = end;
        at++;
        uint32_t behind = at;
        while (behind < text->size && blank(text->in[behind]))
            behind++;
        if (behind < text->size && text->in[behind] == ':') {
            for (behind++; behind < text->size && blank(text->in[behind]);)
                behind++;
            name = start, length = end - start, value = behind, previous = NONE;
            if (length >= 5 && !memcmp(text->in + end - 5, "index", 5))
                index = number(text, value, index);
            continue;
        }
        previous = enter(text, start, end, value == start - 1 ? slot_of(text, name, length, index) : NULL, previous);
    }
}

/* Quotes of one kind. */
EXPORT size_t agentguard_quotes(const uint8_t *in, size_t size, uint8_t quote)
{
    size_t quotes = 0;
    for (size_t at = 0; at < size;) {
        size_t end = at + UINT8_MAX < size ? at + UINT8_MAX : size;
        uint8_t some = 0; /* cannot overflow, and is summed in lanes of a byte */
        for (; at < end; at++)
            some += in[at] == quote;
        quotes += some;
    }
    return quotes;
}

/* Of a string of which only its ends count: how many bytes of its start, up to a space behind the nearest. */
static uint32_t head_of(const uint8_t *string, uint32_t nearest, uint32_t most)
{
    const uint8_t *space = memchr(string + nearest, ' ', most - nearest);
    return space ? (uint32_t)(space - string) : most;
}

/* And of its end, where `end` is. */
static uint32_t tail_of(const uint8_t *end, uint32_t nearest, uint32_t most)
{
    for (uint32_t tail = nearest; tail < most; tail++)
        if (end[-(ptrdiff_t)tail - 1] == ' ')
            return tail;
    return most;
}

/* Strings in quotes of one kind that belong together, joined, a space behind each set; of a long one its two ends. `pieces` has room
 * for as many as there are quotes, `slots` for `mask` + 1, which is more, all zero. `out` holds `size` bytes; returns how many
 * were written.
 */
EXPORT size_t agentguard_join(
    const uint8_t *in, uint32_t size, uint8_t quote, struct piece *pieces, struct slot *slots, uint32_t mask,
    uint32_t most_gap, uint32_t nearest, uint32_t most, uint8_t *out)
{
    struct strings text = {in, size, 0, mask, most_gap, quote, pieces, slots, NONE, 0, 0};
    uint8_t *to = out;
    find_pieces(&text);
    for (uint32_t head = 0; head < text.found; head++) {
        if (pieces[head].follows || pieces[head].next == NONE)
            continue;
        for (uint32_t at = head; at != NONE; at = pieces[at].next) {
            uint32_t start = pieces[at].start, length = pieces[at].end - start;
            int whole = length <= 2 * most;
            uint32_t first = whole ? length : head_of(in + start, nearest, most);
            memcpy(to, in + start, first);
            to += first;
            if (!whole) {
                uint32_t last = tail_of(in + pieces[at].end, nearest, most);
                *to++ = ' ';
                memcpy(to, in + pieces[at].end - last, last);
                to += last;
            }
        }
        *to++ = ' ';
    }
    return (size_t)(to - out);
}

static const uint8_t *past_blanks(const uint8_t *at, const uint8_t *end)
{
    while (at < end && blank(*at))
        at++;
    return at;
}

/* Behind a number of up to three decimal digits, or of two hex digits behind 0x, that is the code of a printable ASCII
 * character or of a blank; NULL where there is none.
 */
static const uint8_t *code(const uint8_t *at, const uint8_t *end, uint8_t *byte)
{
    unsigned value = 0;
    const uint8_t *start = at;
    if (end - at >= 4 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        int high = hex_digit(at[2]), low = hex_digit(at[3]);
        if (high < 0 || low < 0)
            return NULL;
        value = (unsigned)(high * 16 + low);
        at += 4;
    } else {
        for (; at < end && at - start < 3 && (uint8_t)(*at - '0') < 10; at++)
            value = value * 10 + *at - '0';
    }
    *byte = (uint8_t)value;
    return at > start && ((value >= ' ' && value <= '~') || (value < ' ' && blank(*byte))) ? at : NULL;
}

/* All ones in the lanes that hold a bracket. */
static lanes opens_list(lanes bytes)
{
    return (lanes)(bytes == '[') | (lanes)(bytes == '(');
}

/* All ones in the lanes that hold a digit or a blank. */
static lanes in_list(lanes bytes)
{
    return (lanes)((bytes - '0') < 10) | (lanes)(bytes == ' ') | (lanes)(bytes - '\t' < 5);
}

/* Whether a list of character codes may begin behind some bracket: one, and a comma. */
EXPORT size_t agentguard_lists(const uint8_t *in, size_t size)
{
    uint8_t last[BLOCK], byte;
    for (size_t base = 0; base < size; base += BLOCK) {
        const uint8_t *block = block_at(in, size, base, last);
        uint64_t opens = members(block, opens_list);
        if (!opens)
            continue;
        opens &= members(block, in_list) >> 1 | (uint64_t)1 << (BLOCK - 1);
        for (; opens; opens &= opens - 1) {
            const uint8_t *at = in + base + __builtin_ctzll(opens) + 1, *end = in + size;
            at = code(past_blanks(at, end), end, &byte);
            at = at ? past_blanks(at, end) : end;
            if (at < end && *at == ',')
                return 1;
        }
    }
    return 0;
}

/* Lists of `shortest` character codes or more, behind a bracket of this kind: the characters, a line for each list, to
 * `out`, which holds `size` bytes. Returns how many were written.
 */
EXPORT size_t agentguard_codes(const uint8_t *in, size_t size, uint8_t bracket, size_t shortest, uint8_t *out)
{
    const uint8_t *end = in + size, *at = in;
    uint8_t *to = out;
    while (at < end && (at = memchr(at, bracket, (size_t)(end - at)))) {
        uint8_t *start = to;
        const uint8_t *next = past_blanks(++at, end);
        while (next && (next = code(next, end, to))) {
            to++;
            at = next = past_blanks(next, end);
            next = next < end && *next == ',' ? past_blanks(next + 1, end) : NULL;
        }
        if ((size_t)(to - start) < shortest)
            to = start;
        else
            *to++ = '\n';
    }
    return (size_t)(to - out);
}

static int printable(uint8_t byte)
{
    return (byte >= ' ' && byte < 0x7f) || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Whether two neighbours can be a character of UTF-16 and its other byte. */
static int wide(const uint8_t *at)
{
    return (!at[0] && printable(at[1])) || (!at[1] && printable(at[0]));
}

/* Runs of `shortest` characters or more of ASCII in UTF-16, either byte order: the characters, a line end between two
 * runs, to `out`, which holds `size` bytes. Returns how many were written. Every such run has a pair at a multiple of
 * `shortest`, so only those are looked at.
 */
EXPORT size_t agentguard_narrow(const uint8_t *in, size_t size, size_t shortest, uint8_t *out)
{
    uint8_t *to = out;
    size_t done = 0;
    for (size_t at = 0; at + 1 < size; at += shortest) {
        if (at < done || !wide(in + at))
            continue;
        size_t start = at, end = at + 2;
        while (start > done && wide(in + start - 1))
            start--;
        while (end < size && wide(in + end - 1))
            end++;
        end -= (end - start) % 2;
        done = end;
        if (end - start < 2 * shortest)
            continue;
        if (to > out)
            *to++ = '\n';
        for (size_t next = start + !in[start]; next < end; next += 2)
            *to++ = in[next];
    }
    return (size_t)(to - out);
}
