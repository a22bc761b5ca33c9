/* http_fields.h: the fields of HTTP by name, for other protocols that put some of them (TLS: the host of the SNI).
 *
 * Use: `struct dissect http = dissect_as(d, ...); put_text(&http, HTTP_HOST, name);`. The order is that of the table in
 * http.c.
 */
#ifndef SEINE_DISSECT_HTTP_FIELDS_H
#define SEINE_DISSECT_HTTP_FIELDS_H

enum http_field {
    HTTP_HOST,
    HTTP_URI,
    HTTP_PATH,
    HTTP_KEY,
    HTTP_VALUE,
    HTTP_METHOD,
    HTTP_CLIENT_VERSION,
    HTTP_SERVER_VERSION,
    HTTP_STATUS,
    HTTP_USER_AGENT,
    HTTP_XFF,
    HTTP_REQUEST_HEADER,
    HTTP_REQUEST_HEADER_FIELD,
    HTTP_REQUEST_HEADER_VALUE,
    HTTP_RESPONSE_HEADER,
    HTTP_RESPONSE_HEADER_FIELD,
    HTTP_RESPONSE_HEADER_VALUE,
    HTTP_COOKIE_KEY,
    HTTP_COOKIE_VALUE,
    HTTP_AUTH_TYPE,
    HTTP_USER,
    HTTP_BODY_MAGIC,
    HTTP_MD5,
    HTTP_SHA256,
    HTTP_REQUEST_BODY,
    /* Requests by method; the order of enum http_method. */
    HTTP_METHOD_DELETE,
    HTTP_METHOD_GET,
    HTTP_METHOD_HEAD,
    HTTP_METHOD_POST,
    HTTP_METHOD_PUT,
    HTTP_METHOD_CONNECT,
    HTTP_METHOD_OPTIONS,
    /* Expressions only. */
    HTTP_ANY_HEADER,
    HTTP_ANY_HEADER_VALUE,
    HTTP_ANY_VERSION,
    HTTP_FIELDS,
};

#endif
