/* kept.h: what the endpoints of saved things have in common: lists, rights, answers.
 *
 * Functions that answer false have filled the reply already. Thread: any.
 */
#ifndef SEINE_API_KEPT_H
#define SEINE_API_KEPT_H

#include "api/input.h"
#include "api/saved.h"

/* Members of one row, without its brackets. */
typedef void (*kept_write_fn)(struct json *j, const struct saved *s, const struct call *c);

struct kept_kind {
    enum saved_kind kind;
    const char *word; /* in answers: "view" */
    kept_write_fn write;
    bool admins_only; /* only arkimeAdmin makes, changes and deletes */
};

/* The sharing members of a request; done by kept_share_done. */
struct kept_share {
    struct buf users, roles, edit_users, edit_roles, invalid;
};
void kept_share_done(struct kept_share *s);
/* Reads `users`, `roles`, `editRoles` (names as given; NULL: there is none) over what `row` has; then `row` borrows. */
struct kept_share_names {
    const char *users, *roles, *edit_users, *edit_roles;
};
bool kept_share_read(struct call *c, const struct kept_share_names *names, struct kept_share *ret, struct saved *row);

/* The row named by the first part of the path, which the caller may use (`edit`: change); at ret->rows[0]. */
bool kept_find(struct call *c, const struct kept_kind *kind, bool edit, struct saved_rows *ret);
/* {"data":[...],"recordsTotal":n,"recordsFiltered":n}. `fits` may be NULL. */
typedef bool (*kept_fits_fn)(const struct saved *s, const struct call *c);
void kept_list(struct call *c, const struct kept_kind *kind, kept_fits_fn fits, uint64_t length);
/* Stores a new or changed row and answers {"success":true,"text":...,"<word>":{...},"invalidUsers":[...]}. */
void kept_create(struct call *c, const struct kept_kind *kind, const struct saved *row, const struct kept_share *share);
void kept_change(struct call *c, const struct kept_kind *kind, const struct saved *row, const struct kept_share *share);
void kept_answer(struct call *c, const struct kept_kind *kind, const char *done, const struct saved *row,
                 const struct kept_share *share);
void kept_delete(struct call *c, const struct kept_kind *kind);

/* Answers a failure of saved.h. */
void kept_fail(struct call *c, const struct kept_kind *kind, struct span name, int code);
/* The members of a JSON object, without its brackets, as further members. */
void kept_splice(struct json *j, struct span object);
/* One member of the JSON object in `body`, as text (strings) or as it stands; {NULL, 0}: not there. */
struct span body_member(struct span body, const char *key, struct buf *scratch);

#endif
