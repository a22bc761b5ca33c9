/* smtp_auth.c: LOGIN, PLAIN (RFC 4616), CRAM-MD5 (RFC 2195) and XOAUTH2 as they stand in SMTP. Only the name is taken;
 * passwords, digests and tokens are not looked at.
 */
#include "dissect/smtp_auth.h"

#include "base/util.h"
#include "dissect/text.h"

bool auth_login_user(struct arena *scratch, struct span line, struct span *ret_user) {
    return text_base64(scratch, line, ret_user);
}

bool auth_plain_user(struct arena *scratch, struct span line, struct span *ret_user) {
    struct span all;
    if (!text_base64(scratch, line, &all)) {
        return false;
    }
    size_t first = span_find_byte(all, 0, '\0');
    size_t second = first == SPAN_NONE ? SPAN_NONE : span_find_byte(all, first + 1, '\0');
    if (second == SPAN_NONE) {
        return false;
    }
    *ret_user = span_sub(all, first + 1, second - first - 1);
    return ret_user->len > 0;
}

bool auth_cram_user(struct arena *scratch, struct span line, struct span *ret_user) {
    struct span all;
    if (!text_base64(scratch, line, &all)) {
        return false;
    }
    size_t blank = all.len;
    while (blank > 0 && span_byte(all, blank) != ' ') {
        blank--;
    }
    *ret_user = span_sub(all, 0, blank);
    return blank > 0;
}

bool auth_oauth_user(struct arena *scratch, struct span line, struct span *ret_user) {
    struct span all;
    if (!text_base64(scratch, line, &all) || !span_starts(all, SPAN_LITERAL("user="))) {
        return false;
    }
    *ret_user = span_sub(all, 5, MIN(span_find_byte(all, 5, 1), all.len) - 5);
    return ret_user->len > 0;
}
