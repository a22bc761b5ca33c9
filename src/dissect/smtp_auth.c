/* smtp_auth.c: LOGIN, PLAIN (RFC 4616) and NTLM (MS-NLMP 2.2.1.3) as they stand in SMTP. Only the name is taken;
 * passwords and responses are not looked at.
 */
#include "dissect/smtp_auth.h"

#include "base/cursor.h"
#include "dissect/text.h"

enum { NTLM_AUTHENTICATE = 3, NTLM_UNICODE = 1 };

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

/* UTF-16LE to UTF-8; halves of pairs become question marks. */
static bool utf16_text(struct arena *scratch, struct span text, struct span *ret) {
    uint8_t *to = arena_alloc(scratch, text.len / 2 * 3 + 4);
    size_t len = 0;
    if (!to) {
        return false;
    }
    for (struct cursor c = cursor_over(text); cursor_left(&c) >= 2;) {
        uint32_t code = cursor_u16le(&c);
        if (code >= 0xd800 && code < 0xdc00 && cursor_left(&c) >= 2) {
            struct cursor ahead = c;
            uint32_t low = cursor_u16le(&ahead);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                c = ahead;
            }
        }
        if (code >= 0xd800 && code < 0xe000) {
            code = '?';
        }
        unsigned extra = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        to[len++] = (uint8_t)(extra == 0 ? code : (0xf00u >> (extra + 1) & 0xff) | code >> 6 * extra);
        while (extra-- > 0) {
            to[len++] = (uint8_t)(0x80 | (code >> 6 * extra & 0x3f));
        }
    }
    *ret = span_make(to, len);
    return len > 0;
}

bool auth_ntlm_user(struct arena *scratch, struct span line, struct span *ret_user, bool *ret_last) {
    struct span all;
    *ret_last = false;
    if (!text_base64(scratch, line, &all) || !span_starts(all, span_make("NTLMSSP", 8))) {
        return false;
    }
    struct cursor c = cursor_over(span_from(all, 8));
    if (cursor_u32le(&c) != NTLM_AUTHENTICATE) {
        return false;
    }
    *ret_last = true;
    cursor_skip(&c, 24); /* LM response, NT response, domain: length, room and place of each */
    uint16_t len = cursor_u16le(&c);
    cursor_skip(&c, 2);
    uint32_t offset = cursor_u32le(&c);
    cursor_skip(&c, 16); /* workstation, session key */
    uint32_t flags = cursor_u32le(&c);
    struct span user = span_sub(all, offset, len);
    if (!cursor_ok(&c) || len == 0 || user.len != len) {
        return false;
    }
    if (flags & NTLM_UNICODE) {
        return utf16_text(scratch, user, ret_user);
    }
    *ret_user = user;
    return true;
}
