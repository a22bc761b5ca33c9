/* change.c: tags put on stored sessions and taken off. Changes lie over the rows (control.h). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/ask.h"
#include "api/queries.h"
#include "base/util.h"

#define CHANGE_LENGTH 1000000
#define TAGS_MAX 100
#define TAG_LENGTH_MAX 256

struct change {
    struct ask ask;
    uint64_t *seqs;
    size_t count;
    char *tags[TAGS_MAX];
    size_t tag_count;
};

static void change_done(struct change *x) {
    for (size_t i = 0; i < x->tag_count; i++) {
        free(x->tags[i]);
    }
    free(x->seqs);
    ask_close(&x->ask);
}

/* Keeps the characters that tags are made of. */
static bool add_tag(void *ctx, struct span item) {
    struct change *x = ctx;
    char tag[TAG_LENGTH_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < item.len && len < TAG_LENGTH_MAX; i++) {
        uint8_t c = item.at[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
            c == ':') {
            tag[len++] = (char)c;
        }
    }
    tag[len] = 0;
    if (len && x->tag_count < TAGS_MAX) {
        char *copy = strdup(tag);
        if (copy) {
            x->tags[x->tag_count++] = copy;
        }
    }
    return x->tag_count < TAGS_MAX;
}

static int find_sessions(struct change *x, struct call *c) {
    int code = ask_open(&x->ask, c, &(struct ask_rules){.ids = true, .length = CHANGE_LENGTH});
    if (code == 0) {
        code = ask_run(&x->ask);
    }
    return code < 0 ? code : ask_seqs(&x->ask, &x->seqs, &x->count);
}

static void refuse(struct call *c, const char *text) { /* 200, as clients expect */
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, false);
    json_key(&j, "text");
    json_cstr(&j, text);
    json_close(&j, '}');
}

/* All tags or none. */
static int write_tags(struct change *x, enum overlay_op op) {
    const struct call *c = x->ask.call;
    char why[128] = "";
    control_lock(c->api->control);
    int code = control_begin(c->api->control);
    for (size_t i = 0; code == 0 && i < x->tag_count; i++) {
        struct overlay_change change = {.seqs = x->seqs,
                                        .count = x->count,
                                        .op = op,
                                        .path = "tags",
                                        .value = span_text(x->tags[i]),
                                        .user = c->who->id};
        code = overlay_write(c->api->control, &change, &x->ask.err);
    }
    int ended = control_end(c->api->control, code == 0);
    control_unlock(c->api->control);
    code = code < 0 ? code : ended;
    if (code < 0 && !x->ask.err.text[0]) {
        (void)err_set(&x->ask.err, code, "the tags could not be stored: %s", strerror_r(-code, why, sizeof(why)));
    }
    if (code == 0) {
        (void)store_refresh(c->api->store); /* who asks next sees it */
    }
    return code;
}

static void change_tags(struct call *c, enum overlay_op op) {
    struct change x = {.count = 0};
    (void)call_list(c, "tags", add_tag, &x);
    if (x.tag_count == 0) {
        refuse(c, "No tags specified");
        return;
    }
    int code = find_sessions(&x, c);
    if (code == 0 && x.count == 0) {
        refuse(c, op == OVERLAY_ADD ? "No sessions to add tags to" : "No sessions to remove tags from");
    } else if (code == 0) {
        code = write_tags(&x, op);
    }
    if (code < 0) {
        call_fail(c, ask_status(code), "%s", ask_why(&x.ask, code));
    } else if (x.count) {
        call_done(c, op == OVERLAY_ADD ? "Tags added successfully" : "Tags removed successfully");
    }
    ask_count(&x.ask, x.count);
    change_done(&x);
}

static void add_tags(struct call *c) {
    change_tags(c, OVERLAY_ADD);
}

static void remove_tags(struct call *c) {
    change_tags(c, OVERLAY_REMOVE);
}

static const struct parameter tag_parameters[] = {
    {"tags", PARAM_LIST, NULL, "Tags: letters, digits, `-`, `_`, `:`"},
    {.name = NULL},
};
#define CHANGE_FLAGS (API_POST | API_SESSION_QUERY | API_HISTORY)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/sessions/addtags",
     .aliases = "/addTags",
     .flags = CHANGE_FLAGS | API_TOKEN_BROWSER,
     .rights = RIGHT_ANY | RIGHT_WRITE,
     .function = add_tags,
     .parameters = tag_parameters,
     .title = "Tag sessions",
     .help = "`{success:true,text:\"Tags added successfully\"}`; 200 with `success:false` when no tags are given or no "
             "session is found."},
    {.pattern = "/api/sessions/removetags",
     .aliases = "/removeTags",
     .flags = CHANGE_FLAGS | API_TOKEN_BROWSER,
     .rights = RIGHT_ANY | RIGHT_REMOVE | RIGHT_WRITE,
     .function = remove_tags,
     .parameters = tag_parameters,
     .title = "Take tags off sessions",
     .help = "`{success:true,text:\"Tags removed successfully\"}`"},
};
const struct endpoint_family change_family = {"change", endpoints, ARRAY_LEN(endpoints)};
