/* kept.h: what the endpoints of saved things have in common: forms, lists, rights, answers. A kind is a table of what
 * is sent for one (kept_form.c reads it), and functions for what a table can not say.
 *
 * Functions that answer false have filled the reply already. Thread: any.
 */
#ifndef SEINE_API_KEPT_H
#define SEINE_API_KEPT_H

#include "api/input.h"
#include "api/saved.h"

/* Members of one row, without its brackets. */
typedef void (*kept_write_fn)(struct json *j, const struct saved *s, const struct call *c);

/* --- what is sent for one row --- */

enum kept_type { KEPT_TEXT, KEPT_FLAG, KEPT_OBJECT, KEPT_ARRAY };
enum kept_place {
    KEPT_NAME, /* columns every row has */
    KEPT_ROW_TYPE,
    KEPT_DESCRIPTION,
    KEPT_BODY, /* a member of the body, of the same name */
    KEPT_WHOLE_BODY,
};
struct kept_member {
    const char *name;  /* in requests */
    const char *label; /* in answers */
    enum kept_type type;
    enum kept_place place;
    size_t max;           /* bytes */
    const char *missing;  /* the answer (403) when there is none; NULL: it may be left out */
    const char *fallback; /* when a new row is sent without one; NULL: none */
};
#define KEPT_MEMBERS_MAX 8 /* tables have this size; name NULL ends them earlier */

/* With whom a row is shared: names in requests and answers. NULL: it has none. */
struct kept_share_names {
    const char *users, *roles, *edit_users, *edit_roles;
    bool arrays; /* users are an array of text, not one text joined by commas */
};

/* A row being made or changed. */
struct kept_form {
    struct saved row;                     /* as it will be stored */
    const struct saved *before;           /* as it is stored; NULL: it is being made */
    struct span values[KEPT_MEMBERS_MAX]; /* by the kind's members: as sent, else as before; {NULL, 0}: neither */
    struct buf body, texts;               /* `texts`: of values as before */
    struct buf scratch;                   /* what `check` makes of values */
    struct buf users, roles, edit_users, edit_roles, invalid;
};

struct kept_kind {
    enum saved_kind kind;
    const char *word; /* in answers: "view" */
    kept_write_fn write;
    const struct kept_member *members;
    const struct kept_share_names *share;
    bool sent_whole; /* what is needed is needed again in a change; else what is not sent stays */
    /* What no table says: refuses (false, and the reply is filled), or puts another value or owner into the form. NULL:
     * nothing. */
    bool (*check)(struct call *c, struct kept_form *f);
    /* After the row is stored, before the answer; -errno. NULL: nothing. */
    int (*stored)(struct call *c, const struct kept_form *f);
};

/* Reads, stores and answers {"success":true,"text":...,"<word>":{...},"invalidUsers":[...]}. */
void kept_create(struct call *c, const struct kept_kind *kind);
/* The same for the row that the first part of the path names. */
void kept_change(struct call *c, const struct kept_kind *kind);

/* --- rows --- */

/* The row named by the first part of the path, which the caller may use (`edit`: change); at ret->rows[0]. */
bool kept_find(struct call *c, const struct kept_kind *kind, bool edit, struct saved_rows *ret);
/* {"data":[...],"recordsTotal":n,"recordsFiltered":n}. `fits` may be NULL. */
typedef bool (*kept_fits_fn)(const struct saved *s, const struct call *c);
void kept_list(struct call *c, const struct kept_kind *kind, kept_fits_fn fits, uint64_t length);
/* The bare array older clients expect, of those the caller may use (`all`: of all there are). -errno of saved.h. */
int kept_array(const struct call *c, const struct kept_kind *kind, bool all, struct json *j);
void kept_array_answer(struct call *c, const struct kept_kind *kind, bool all);
/* With whom it is shared, as members. */
void kept_share_write(struct json *j, const struct kept_share_names *names, const struct saved *s);
void kept_delete(struct call *c, const struct kept_kind *kind);

/* Answers a failure of saved.h. */
void kept_fail(struct call *c, const struct kept_kind *kind, struct span name, int code);
/* The members of a JSON object, without its brackets, as further members. */
void kept_splice(struct json *j, struct span object);
/* One member of the JSON object in `body`, as text (strings) or as it stands; {NULL, 0}: not there. */
struct span body_member(struct span body, const char *key, struct buf *scratch);

#endif
