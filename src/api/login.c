/* login.c: logging in by a form and out again. The page is plain HTML, so that it works before anything is loaded. */
#include <errno.h>
#include <stdio.h>

#include "api/input.h"
#include "api/shared.h"
#include "auth/totp.h"
#include "base/util.h"

static void html_text(struct buf *out, const char *text) {
    for (; *text; text++) {
        switch (*text) {
        case '<':
            buf_add_text(out, "&lt;");
            break;
        case '&':
            buf_add_text(out, "&amp;");
            break;
        case '"':
            buf_add_text(out, "&quot;");
            break;
        default:
            buf_add_byte(out, (uint8_t)*text);
        }
    }
}

static const char *base(const struct call *c) {
    return *c->api->http->base_path ? c->api->http->base_path : "/";
}

static bool mode_has_form(struct call *c) {
    enum auth_mode mode = auth_mode(c->api->auth);
    return mode == AUTH_FORM || mode == AUTH_BASIC_FORM;
}

static void page_write(struct call *c, const char *problem) {
    struct buf *out = reply_body(c->reply);
    const char *to = call_text(c, "to", "");
    reply_type(c->reply, "text/html; charset=utf-8");
    buf_add_text(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Log in</title>\n"
                      "<meta name=\"viewport\" content=\"width=device-width\"></head><body><main><h1>Seine</h1>\n<p>");
    html_text(out, auth_message(c->api->auth));
    buf_add_text(out, "</p>\n<p role=\"alert\">");
    html_text(out, problem);
    buf_add_text(out, "</p>\n<form method=\"post\" action=\"");
    html_text(out, base(c));
    buf_add_text(
        out,
        "api/login\"><p><label>User <input name=\"username\" autocomplete=\"username\" required autofocus>"
        "</label></p>\n<p><label>Password <input name=\"password\" type=\"password\""
        " autocomplete=\"current-password\" required></label></p>\n<p><label>One-time password <input name=\"code\""
        " inputmode=\"numeric\" autocomplete=\"one-time-code\" maxlength=\"6\"></label> <small>if you have set one"
        " up</small></p>\n<input type=\"hidden\" name=\"to\" value=\"");
    html_text(out, auth_path_is_local(to) ? to : "");
    buf_add_text(out, "\"><p><button>Log in</button></p></form></main></body></html>\n");
}

static void login_page(struct call *c) {
    if (!mode_has_form(c)) {
        call_fail(c, 404, "This server does not use a login form");
        return;
    }
    page_write(c, "");
}

static bool is_page_form(const struct call *c) {
    const char *type = request_header(c->request, "Content-Type");
    return type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0;
}

static void login_refuse(struct call *c, int status, const char *text) {
    if (is_page_form(c)) {
        reply_status(c->reply, status);
        page_write(c, text);
    } else {
        call_fail(c, status, "%s", text);
    }
}

/* The second factor of those who have one; 1, 0, -EAGAIN as auth_password. */
static int second_factor(struct call *c, const char *id) {
    struct user_keys keys = auth_user_keys(c->api->auth);
    int state = totp_state(c->api->control, id);
    if (state == TOTP_NONE || state == TOTP_PENDING) {
        return 1;
    }
    int code = state == TOTP_ON ? totp_take(c->api->control, &keys, id, TOTP_ON, call_text(c, "code", ""), input_now())
                                : state;
    if (code < 0) {
        auth_refused(c->api->auth, c->request, id);
    }
    return code == 0 ? 1 : code == -EAGAIN ? -EAGAIN : 0;
}

static void login(struct call *c) {
    const char *id = call_text(c, "username", ""), *password = call_text(c, "password", "");
    if (!mode_has_form(c)) {
        call_fail(c, 404, "This server does not use a login form");
        return;
    }
    int right = strlen(id) <= USER_ID_MAX ? auth_password(c->api->auth, c->request, id, password) : 0;
    right = right == 1 ? second_factor(c, id) : right;
    if (right != 1) {
        login_refuse(c, right == -EAGAIN ? 429 : 401,
                     right == -EAGAIN ? "Too many failed logins: wait a minute"
                                      : "User, password or one-time password is wrong");
        return;
    }
    if (auth_login(c->api->auth, c->request, c->reply, id) < 0) {
        login_refuse(c, 500, "The login could not be stored");
        return;
    }
    if (is_page_form(c)) {
        const char *to = call_text(c, "to", "");
        reply_header(c->reply, "Location", auth_path_is_local(to) ? to : base(c));
        reply_status(c->reply, 302);
    } else {
        call_done(c, "Logged in");
    }
}

static void logout(struct call *c) {
    const char *elsewhere = auth_logout_url(c->api->auth);
    auth_logout(c->api->auth, c->request, c->reply);
    reply_header(c->reply, "Location", *elsewhere ? elsewhere : base(c));
    reply_status(c->reply, 302);
}

static const struct parameter login_parameters[] = {
    {"username", PARAM_TEXT, NULL, "Id of the user"},
    {"password", PARAM_TEXT, NULL, "Password"},
    {"code", PARAM_TEXT, NULL, "One-time password of those who have set one up"},
    {"to", PARAM_TEXT, NULL, "Path to go on to, for forms"},
    {NULL},
};

static const struct endpoint list[] = {
    {"/auth", NULL, API_GET | API_OPEN, 0, login_page, NULL, "Login page",
     "HTML; only with authMode form or basic+form."},
    {"/api/login", NULL, API_POST | API_OPEN, 0, login, login_parameters, "Log in by a form",
     "A cookie that is good for a day. For a form (urlencoded) 302 to where the user wanted to go, else "
     "`{success:true}`; 401 when user, password or one-time password are wrong, 429 after too many failures."},
    {"/logout", "/api/logout", API_GET | API_POST | API_OPEN, 0, logout, NULL, "Log out",
     "The cookie and what stands behind it are gone; 302 to the start."},
};

const struct endpoint_family login_family = {"Login", list, ARRAY_LEN(list)};
