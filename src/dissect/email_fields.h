/* email_fields.h: the fields of mail by name; SMTP and other mail protocols put theirs by dissect_as(d,
 * DISSECTOR_EMAIL). The order is that of the table in email.c.
 */
#ifndef SEINE_DISSECT_EMAIL_FIELDS_H
#define SEINE_DISSECT_EMAIL_FIELDS_H

enum email_field {
    EMAIL_HOST,
    EMAIL_AGENT,
    EMAIL_SRC,
    EMAIL_DST,
    EMAIL_SUBJECT,
    EMAIL_ID,
    EMAIL_CONTENT_TYPE,
    EMAIL_MIME_VERSION,
    EMAIL_FILENAME,
    EMAIL_MD5,
    EMAIL_SHA256,
    EMAIL_FILE_CONTENT_TYPE,
    EMAIL_IP,
    EMAIL_HEADER,
    EMAIL_HEADER_FIELD,
    EMAIL_HEADER_VALUE,
    EMAIL_BODY_MAGIC,
    EMAIL_SMTP_HELLO,
};

#endif
