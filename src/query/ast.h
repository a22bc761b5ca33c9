/* ast.h: the typed tree of an expression, free of any back end.
 *
 * Names are resolved, values typed, `!=` is a NOT, comparisons of one field with constants are ranges, and unions are
 * ORs over members of one kind. What is left: AND, OR, NOT over "some value of some of these fields is in one of these
 * items", EXISTS, and comparisons between fields. Immutable; memory belongs to the query.
 */
#ifndef SEINE_QUERY_AST_H
#define SEINE_QUERY_AST_H

#include "base/span.h"
#include "field/registry.h"
#include "query/outside.h"

enum query_kind {
    QUERY_ALL,
    QUERY_AND,
    QUERY_OR,
    QUERY_NOT,     /* one child */
    QUERY_EXISTS,  /* some field has a value */
    QUERY_TEST,    /* some value of some field is in some item */
    QUERY_COMPARE, /* left op right, for some value of each */
};

enum query_op { QUERY_EQ, QUERY_NE, QUERY_LT, QUERY_LE, QUERY_GT, QUERY_GE };

/* How values of a field are looked at. */
enum query_access {
    ACCESS_VALUE,
    ACCESS_COUNT,    /* the number of values; none when there is no value */
    ACCESS_TOKENS,   /* the words of the text */
    ACCESS_HEX_TEXT, /* the bytes the hexadecimal text stands for */
    ACCESS_SECONDS,  /* milliseconds, in seconds */
    ACCESS_ID,       /* the document's id; no field */
};

struct query_field {
    const struct field *field; /* NULL for ACCESS_ID */
    const struct field *port;  /* of an address, or NULL */
    enum query_access access;
};

/* What the values of a field are compared as. */
enum query_class { CLASS_NUMBER, CLASS_TIME, CLASS_BOOL, CLASS_IP, CLASS_MAC, CLASS_TEXT, CLASS_TOKENS, CLASS_OBJECT };

enum query_item_kind { ITEM_NUMBER, ITEM_IP, ITEM_TEXT, ITEM_WILDCARD, ITEM_REGEX, ITEM_TOKENS };

#define ITEM_NO_PORT (-1)

struct regex;

struct query_item {
    enum query_item_kind kind;
    bool low_open, high_open; /* numbers, addresses: the bound itself is outside */
    bool fold;                /* text: letters of ASCII are compared without case */
    bool quoted;              /* text: it stood in quotes */
    struct span written;      /* text, regex: as it was written, escapes resolved; for back ends that search by text */
    union {
        struct {
            long double low, high; /* times in ms; may be infinite. 64 bits of mantissa hold every value exactly */
        } number;
        struct {
            uint8_t low[16], high[16];
            int32_t port;
            bool any;     /* every address: only the port counts */
            bool outside; /* what is not between low and high */
        } ip;
        struct span text; /* ITEM_WILDCARD: `*`, `?`, and `\` before a literal one of them */
        const struct regex *regex;
        struct {
            struct span *list; /* folded, in order */
            size_t count;
        } words;
    };
};

enum query_term_kind { TERM_CONSTANT, TERM_FIELD, TERM_ADD, TERM_SUBTRACT, TERM_MULTIPLY, TERM_DIVIDE };

/* An operand of a comparison. Times count in seconds in sums. */
struct query_term {
    enum query_term_kind kind;
    long double constant;
    const struct query_field *fields; /* TERM_FIELD; several only when the term stands alone */
    size_t field_count;
    enum query_class class;
    const struct query_term *left, *right;
};
/* What TERM_ADD to TERM_DIVIDE make of two numbers; dividing by 0 gives NAN, which fits nothing. */
long double query_term_apply(enum query_term_kind kind, long double left, long double right);

/* A test that stands for a shortcut, or for files: where its items came from. */
struct query_origin {
    struct span shortcut_id;   /* empty: no shortcut */
    const char *shortcut_path; /* ip, number, string */
    const struct query_file *files;
    size_t file_count;
    bool continued; /* the same shortcut's further items */
};

struct query_node {
    enum query_kind kind;
    union {
        struct {
            struct query_node **children;
            size_t count;
        } list;
        struct {
            const struct query_field *fields;
            size_t field_count;
            const struct query_item *items; /* QUERY_TEST; none fits nothing */
            size_t item_count;
            const struct query_origin *origin; /* NULL: the items stand in the expression */
            bool list;                         /* they stand in a list */
        } test;
        struct {
            const struct query_term *left, *right;
            enum query_op op;
        } compare;
    };
};

#endif
