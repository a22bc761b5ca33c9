/* upload.c: captures sent by a form, as they come, into the store. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/intake.h"
#include "api/lists.h"
#include "base/util.h"

#define TAGS_MAX 4096

struct upload {
    struct call *call;
    struct intake intake;
    bool open, done; /* a file is being written; and was */
    struct buf tags;
};

static int part_take(void *ctx, const struct request_part *part) {
    struct upload *u = ctx;
    int code = 0;
    if (strcmp(part->name, "tags") == 0) {
        buf_add_span(&u->tags, part->bytes);
        return u->tags.overflowed ? err_set(&u->intake.err, -EINVAL, "tags are at most %d bytes", TAGS_MAX) : 0;
    }
    if (!part->filename && strcmp(part->name, "file") != 0) {
        return 0; /* another field */
    }
    if (part->offset == 0 && u->open) {
        return err_set(&u->intake.err, -EINVAL, "one capture at a time");
    }
    if (!u->open) {
        code = intake_open(&u->intake, u->call, "upload", part->filename ? part->filename : "");
        u->open = code == 0;
    }
    return code < 0 ? code : intake_write(&u->intake, part->bytes);
}

bool upload_is_open(const struct call *c) {
    const struct api_settings *settings = c->api->settings;
    for (size_t i = 0; c->api->import && settings->upload && i < settings->upload_roles.count; i++) {
        if (principal_has_role(c->who, settings->upload_roles.items[i])) {
            return true;
        }
    }
    return false;
}

static bool may_upload(struct call *c) {
    bool taken = c->api->import && c->api->settings->upload, may = upload_is_open(c);
    if (!may) {
        call_fail(c, 403,
                  taken ? "You do not have permission to access this resource"
                        : "This server takes no captures: the setting upload=true lets it");
    }
    return may;
}

static void answer(struct call *c, const struct import_result *r) {
    char text[160];
    struct json j = call_json(c);
    (void)snprintf(text, sizeof(text), "%llu packets, %llu sessions", (unsigned long long)r->packets,
                   (unsigned long long)r->sessions);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "text");
    json_cstr(&j, text);
    json_key(&j, "packets");
    json_u64(&j, r->packets);
    json_key(&j, "sessions");
    json_u64(&j, r->sessions);
    if (r->warning[0]) {
        json_key(&j, "warning");
        json_cstr(&j, r->warning);
    }
    json_close(&j, '}');
}

static void upload(struct call *c) {
    struct upload u = {.call = c, .intake = {.fd = -1}};
    struct import_result result;
    if (!may_upload(c)) {
        return;
    }
    buf_init(&u.tags, TAGS_MAX);
    buf_add_span(&u.tags, request_param(c->request, "tags"));
    int code = request_form(c->request, part_take, &u);
    if (code == 0 && !u.open) {
        code = err_set(&u.intake.err, -EINVAL, "a form (multipart/form-data) with the capture as `file` is expected");
    }
    if (code == 0 && !tags_are_good(buf_span(&u.tags))) {
        code = err_set(&u.intake.err, -EINVAL, "tags may hold letters, digits, - _ : and commas between them");
    }
    code = code < 0 ? code : intake_import(&u.intake, buf_span(&u.tags), &result);
    if (code == 0) {
        answer(c, &result);
    } else if (code != -EPIPE) {
        call_fail(c, intake_status(code), "%s",
                  u.intake.err.text[0] ? u.intake.err.text
                                       : "a form (multipart/form-data) with the capture as `file` is expected");
    }
    intake_close(&u.intake);
    buf_done(&u.tags);
}

static const struct parameter upload_parameters[] = {
    {"file", PARAM_TEXT, NULL, "the capture, as a file of the form: pcap or pcapng, also compressed or in an archive"},
    {"tags", PARAM_LIST, NULL, "tags that its sessions get"},
    {0},
};

static const struct endpoint uploads[] = {
    {"/api/upload", "/upload", API_POST | API_TOKEN | API_HISTORY | API_STREAMS, RIGHT_ANY | RIGHT_WRITE, upload,
     upload_parameters, "Import a capture",
     "`{success,text,packets,sessions,warning?}` once it is read; it is kept in the store's folder. With the setting "
     "`upload`, for those with one of `uploadRoles`, else 403; 413 larger than `uploadFileSizeLimit`; 409 while the "
     "server reads captures or another program writes the store; 400 when it is no capture; 507 when the disk is "
     "full."},
};

const struct endpoint_family upload_family = {"Captures that come in", uploads, ARRAY_LEN(uploads)};
