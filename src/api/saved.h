/* saved.h: what users keep in the control database: views, shortcuts, shareables, notifiers; and the history of
 * requests.
 *
 * Everything kept is a row of one table: common members in columns, what only its kind has as a JSON object in `body`.
 * Lists of users and roles are lines of text. Who may see and change a row: saved_may_use, saved_may_edit (the owner
 * and those it is shared with; arkimeAdmin everything).
 *
 * Owner: caller. Thread: any; the control database's lock is taken inside. Cost: a statement or two. Failure: -errno;
 * -ENOENT nothing of that id, -EEXIST the name is taken, -EDQUOT a ceiling below is reached.
 */
#ifndef SEINE_API_SAVED_H
#define SEINE_API_SAVED_H

#include "auth/auth.h"
#include "base/buf.h"
#include "base/json.h"
#include "query/outside.h"
#include "store/control.h"

struct call;
struct endpoint_family;

/* Ceilings: what one user, and all together, may keep of a kind; bytes of texts; entries of a list of users or roles.
 */
#define SAVED_PER_USER 1000
#define SAVED_PER_KIND 20000
#define SAVED_NAME_MAX 256
#define SAVED_DESCRIPTION_MAX 4096
#define SAVED_EXPRESSION_MAX ((size_t)64 << 10)
#define SAVED_VALUES_MAX ((size_t)1 << 20)
#define SAVED_DATA_MAX ((size_t)256 << 10)
#define SAVED_LIST_MAX 1000
#define SAVED_LIST_NAME_MAX 64
#define SAVED_ID_SIZE 21 /* 20 hexadecimal digits, NUL */

/* Kept in the database by number: new ones go to the end. */
enum saved_kind { SAVED_VIEW, SAVED_SHORTCUT, SAVED_SHAREABLE, SAVED_NOTIFIER, SAVED_CRON };

struct saved {
    enum saved_kind kind;
    struct span id, name, owner;
    struct span type; /* of shortcuts, shareables, notifiers */
    struct span description;
    struct span body; /* a JSON object */
    struct span users, roles;
    struct span edit_users, edit_roles;
    int64_t created, updated; /* ms since 1970 */
};

/* The tables. Called once before anything else here; again is fine. */
int saved_prepare(struct control *c, struct err *ret_err);

/* Rows copied out of the database; spans point into `text`. */
struct saved_rows {
    struct saved *rows;
    size_t count, cap;
    struct buf text;
};
void saved_rows_init(struct saved_rows *s);
void saved_rows_done(struct saved_rows *s);
/* All of a kind, in the order of their names. -E2BIG: more than 64 MiB. */
int saved_all(struct control *c, enum saved_kind kind, struct saved_rows *ret);
/* One row, at rows[0]. */
int saved_by_id(struct control *c, enum saved_kind kind, struct span id, struct saved_rows *ret);
int saved_by_name(struct control *c, enum saved_kind kind, struct span name, struct saved_rows *ret);

/* Makes id and times. `unique`: no second row of the kind has this name (SAVED_SHORTCUT: of anybody, others: of the
 * owner). */
int saved_insert(struct control *c, const struct saved *s, int64_t now, char ret_id[SAVED_ID_SIZE]);
int saved_update(struct control *c, const struct saved *s, int64_t now);
int saved_delete(struct control *c, enum saved_kind kind, struct span id);

/* `name` is one of the lines. */
bool lines_have(struct span lines, struct span name);
/* Lines as a JSON array of text, and joined by commas as one text. */
void lines_write(struct json *j, struct span lines);
void lines_write_joined(struct json *j, struct span lines);

bool saved_may_use(const struct saved *s, const struct principal *who);
bool saved_may_edit(const struct saved *s, const struct principal *who);

/* --- for the query layer --- */

/* The expression of the view of this id or name that `who` may use; an own one before a shared one. */
int saved_view(struct control *c, const struct principal *who, struct span id_or_name, struct buf *ret_expression);

extern const char *const shortcut_type_names[]; /* by enum shortcut_type */
/* The shortcuts that `who` may use and whose name is `pattern`, which may hold `*` and `?`. A negative answer of `each`
 * ends it and is returned. What it gets is borrowed. */
int saved_shortcuts(struct control *c, const struct principal *who, struct span pattern, query_shortcut_fn each,
                    void *ctx);

/* --- for families.c --- */

extern const struct endpoint_family view_family, shortcut_family, shareable_family, notifier_family, cron_family,
    history_family;

#endif
