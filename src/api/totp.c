/* totp.c: one-time passwords of administrators: setting one up, confirming it, and giving it up again (auth/totp.h). */
#include "auth/totp.h"

#include <errno.h>

#include "api/input.h"
#include "api/self.h"
#include "api/shared.h"
#include "base/util.h"
#include "http/client.h"

/* A stolen token, or another server, must not be able to shut its owner out. */
static bool is_administrator(struct call *c) {
    static const char *const roles[] = {"arkimeAdmin", "cont3xtAdmin", "wiseAdmin", "usersAdmin"};
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(roles) && !any; i++) {
        any = principal_has_role(c->who, roles[i]);
    }
    if (!any) {
        call_fail(c, 403, "One-time passwords are for administrators");
    } else if (c->who->by_token || c->who->by_server) {
        call_fail(c, 403, "One-time passwords are not managed with a token: log in");
    } else if (totp_state(c->api->control, c->who->id) == -ENOENT) {
        call_fail(c, 403, "Nobody is logged in");
    } else {
        return true;
    }
    return false;
}

static void refuse(struct call *c, int code) {
    static const struct {
        int code, status;
        const char *text;
    } answers[] = {{-EACCES, 403, "The code is wrong, or was used before"},
                   {-EAGAIN, 429, "Too many codes: wait a minute"},
                   {-EEXIST, 403, "A one-time password is set up already: disable it first"},
                   {-ENOENT, 403, "No one-time password is set up"},
                   {-EBADMSG, 500, "The one-time password was stored with another secret: disable it"}};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (answers[i].code == code) {
            call_fail(c, answers[i].status, "%s", answers[i].text);
            return;
        }
    }
    call_fail(c, 500, "One-time passwords cannot be read");
}

static void status(struct call *c) {
    if (!is_administrator(c)) {
        return;
    }
    enum auth_mode mode = auth_mode(c->api->auth);
    int state = totp_state(c->api->control, c->who->id);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "enabled");
    json_bool(&j, state == TOTP_ON);
    json_key(&j, "pending");
    json_bool(&j, state == TOTP_PENDING);
    json_key(&j, "asked");
    json_bool(&j, mode == AUTH_FORM || mode == AUTH_BASIC_FORM);
    json_close(&j, '}');
}

static void set_up(struct call *c) {
    char secret[TOTP_SECRET_TEXT];
    struct buf uri;
    if (!is_administrator(c)) {
        return;
    }
    struct user_keys keys = auth_user_keys(c->api->auth);
    int code = totp_set_up(c->api->control, &keys, c->who->id, secret);
    if (code < 0) {
        refuse(c, code);
        return;
    }
    buf_init(&uri, 1024);
    buf_add_text(&uri, "otpauth://totp/Seine:");
    percent_encode(span_text(c->who->id), &uri);
    buf_printf(&uri, "?secret=%s&issuer=Seine&algorithm=SHA1&digits=%d&period=%d", secret, TOTP_DIGITS, TOTP_STEP_S);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "secret");
    json_cstr(&j, secret);
    json_key(&j, "uri");
    json_text(&j, buf_span(&uri));
    json_close(&j, '}');
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(uri.data, uri.len);
    buf_done(&uri);
}

static int code_take(struct call *c, enum totp_state wanted) {
    struct user_keys keys = auth_user_keys(c->api->auth);
    int code = totp_take(c->api->control, &keys, c->who->id, wanted, call_text(c, "code", ""), input_now());
    if (code < 0) {
        auth_refused(c->api->auth, c->request, c->who->id);
        refuse(c, code);
    }
    return code;
}

static void confirm(struct call *c) {
    if (is_administrator(c) && code_take(c, TOTP_PENDING) == 0) {
        call_done(c, "The login form asks for a one-time password from now on");
    }
}

/* Who lost the telephone asks another administrator, or `seine user totp-off`. */
static void disable(struct call *c) {
    const char *other = call_text(c, "userId", NULL);
    char id[USER_ID_MAX + 1];
    if (!is_administrator(c) || !self_user(c, id)) {
        return;
    }
    if (other && strcmp(id, c->who->id) != 0) {
        if (!user_may_be_changed(c, id)) {
            return;
        }
    } else if (totp_state(c->api->control, id) == TOTP_ON && code_take(c, TOTP_ON) < 0) {
        return;
    }
    int code = totp_remove(c->api->control, id);
    if (code < 0) {
        refuse(c, code);
    } else {
        call_done(c, "The one-time password is gone");
    }
}

static const struct parameter code_parameter[] = {{"code", PARAM_TEXT, NULL, "Six digits"}, {NULL}};
static const struct parameter disable_parameters[] = {
    {"code", PARAM_TEXT, NULL, "Six digits; not needed for others' (userId), nor before it was confirmed"},
    {"userId", PARAM_TEXT, NULL, "Another user's; needs usersAdmin"},
    {NULL},
};

static const struct endpoint list[] = {
    {"/api/user/totp/status", NULL, API_GET, 0, status, NULL, "Whether there is a one-time password",
     "`{success, enabled, pending, asked}`; pending: set up and not confirmed; asked: this server has a login form, "
     "which "
     "asks for it. 403 for those who are no administrators."},
    {"/api/user/totp/setup", NULL, API_POST | API_TOKEN | API_HISTORY, 0, set_up, NULL, "Set up a one-time password",
     "`{success, secret, uri}`: for an application that makes codes (RFC 6238: six digits, SHA-1, 30 s). It counts "
     "once it "
     "is confirmed; until then each call makes a new one. 403 when there is one already."},
    {"/api/user/totp/confirm", NULL, API_POST | API_TOKEN | API_HISTORY, 0, confirm, code_parameter,
     "Confirm it by a first code", "`{success, text}`; 403 for a wrong code, 429 after five in a minute."},
    {"/api/user/totp/disable", NULL, API_POST | API_TOKEN | API_HISTORY, 0, disable, disable_parameters,
     "Give up the one-time password", "`{success, text}`; 403 for a wrong code, 429 after five in a minute."},
};

const struct endpoint_family totp_family = {"One-time passwords", list, ARRAY_LEN(list)};
