/* packed.c: see packed.h.
 *
 * Decision: a file is first tried as a single compressed capture (libarchive's raw format) and only when that shows no
 * capture as an archive, so that packet bytes are never taken for an archive's header. What cannot be read twice
 * (standard input) is tried as both at once. Filters that would start another program are left out,
 * and gzip and zstd come unpacked already (inflate.h).
 */
#include "source/packed.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "source/capture.h"

#define PACKED_READ ((size_t)256 << 10)

struct packed {
    struct stream *inner;
    struct archive *archive;
    enum packed_kind kind;
    bool first; /* the first header was read, its member not handed out yet */
    char *name; /* of the member at hand */
    struct archive_entry *entry;
    uint8_t buffer[PACKED_READ];
};

struct member_stream {
    struct stream base;
    struct packed *packed;
};

static la_ssize_t inner_read(struct archive *a, void *ctx, const void **ret_buffer) {
    struct packed *p = ctx;
    ssize_t got = stream_read(p->inner, p->buffer, sizeof(p->buffer));
    if (got < 0) {
        archive_set_error(a, (int)-got, "%s", p->inner->why[0] ? p->inner->why : strerror((int)-got));
        return -1;
    }
    *ret_buffer = p->buffer;
    return got;
}

static la_int64_t inner_seek(struct archive *a, void *ctx, la_int64_t offset, int whence) {
    struct packed *p = ctx;
    off_t now = lseek(stream_seekable_fd(p->inner), (off_t)offset, whence);
    if (now < 0) {
        archive_set_error(a, errno, "cannot go to another place of the file");
        return ARCHIVE_FATAL;
    }
    return now;
}

static la_int64_t inner_skip(struct archive *a, void *ctx, la_int64_t request) {
    (void)a;
    struct packed *p = ctx;
    int fd = stream_seekable_fd(p->inner);
    off_t was = lseek(fd, 0, SEEK_CUR);
    struct stat st;
    if (was < 0 || fstat(fd, &st) < 0 || request > st.st_size - was || lseek(fd, (off_t)request, SEEK_CUR) < 0) {
        return 0;
    }
    if (p->inner->counter) {
        __atomic_add_fetch(p->inner->counter, (uint64_t)request, __ATOMIC_RELAXED);
    }
    return request;
}

static void why_set(struct packed *p, char ret_why[120]) {
    const char *text = archive_error_string(p->archive);
    snprintf(ret_why, 120, "%s", text ? text : "cannot be unpacked");
}

static void archive_end(struct packed *p) {
    if (p->archive) {
        archive_read_free(p->archive);
        p->archive = NULL;
    }
}

/* Starts libarchive on the inner stream and reads the first header. 0, -ENOENT: nothing inside, -EBADMSG, -ENOMEM. */
static int archive_begin(struct packed *p, bool formats, char ret_why[120]) {
    struct archive *a = archive_read_new();
    if (!a) {
        return -ENOMEM;
    }
    p->archive = a;
    archive_read_support_filter_xz(a);
    archive_read_support_filter_lzma(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_lz4(a);
    archive_read_support_filter_lzip(a);
    archive_read_support_filter_compress(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    if (formats) {
        archive_read_support_format_tar(a);
        archive_read_support_format_cpio(a);
        archive_read_support_format_zip(a);
        archive_read_support_format_7zip(a);
    }
    archive_read_set_read_callback(a, inner_read);
    if (stream_seekable_fd(p->inner) >= 0) {
        archive_read_set_seek_callback(a, inner_seek);
        archive_read_set_skip_callback(a, inner_skip);
    }
    archive_read_set_callback_data(a, p);
    int rc = archive_read_open1(a);
    if (rc == ARCHIVE_OK || rc == ARCHIVE_WARN) {
        rc = archive_read_next_header(a, &p->entry);
    }
    if (rc == ARCHIVE_EOF) {
        return -ENOENT;
    }
    if (rc < ARCHIVE_WARN) {
        why_set(p, ret_why);
        return -EBADMSG;
    }
    return 0;
}

static ssize_t member_read(struct stream *s, uint8_t *to, size_t n) {
    struct member_stream *m = (struct member_stream *)s;
    for (int attempt = 0; attempt < 8; attempt++) {
        la_ssize_t got = archive_read_data(m->packed->archive, to, n);
        if (got >= 0) {
            return got;
        }
        if (got != ARCHIVE_RETRY && got != ARCHIVE_WARN) {
            break;
        }
    }
    why_set(m->packed, s->why);
    return -EBADMSG;
}

static void member_close(struct stream *s) {
    free((struct member_stream *)s);
}

static int member_open(struct packed *p, struct stream **ret_stream) {
    struct member_stream *m = calloc(1, sizeof(*m));
    if (!m) {
        return -ENOMEM;
    }
    m->base.read = member_read;
    m->base.close = member_close;
    m->packed = p;
    *ret_stream = &m->base;
    return 0;
}

static bool is_raw(const struct packed *p) {
    return archive_format(p->archive) == ARCHIVE_FORMAT_RAW;
}

/* A raw stream with no filter but libarchive's own end of the chain was not compressed at all. */
static bool is_compressed(const struct packed *p) {
    return archive_filter_count(p->archive) > 1;
}

/* Looks into the stream as one compressed file; the archive is then at its first byte again. 1: it is a capture. */
static int try_single(struct packed *p, char ret_why[120]) {
    struct stream *member;
    const uint8_t *head;
    int rc = archive_begin(p, false, ret_why);
    if (rc < 0 || !is_compressed(p)) {
        archive_end(p);
        return rc == -ENOMEM ? rc : 0;
    }
    rc = member_open(p, &member);
    if (rc < 0) {
        return rc;
    }
    ssize_t got = stream_peek(member, 12, &head);
    bool capture = got > 0 && capture_recognise(head, (size_t)got) != CAPTURE_NONE;
    stream_close(member);
    archive_end(p);
    rc = stream_rewind(p->inner);
    if (rc == 0 && capture) {
        rc = archive_begin(p, false, ret_why);
        return rc < 0 ? rc : 1;
    }
    return rc;
}

int packed_open(struct stream *s, bool members, struct packed **ret_packed, char ret_why[120]) {
    struct packed *p = calloc(1, sizeof(*p));
    if (!p) {
        stream_close(s);
        return -ENOMEM;
    }
    p->inner = s;
    ret_why[0] = '\0';
    int rc = 0;
    bool again = stream_seekable_fd(s) >= 0;
    if (members && again) {
        rc = stream_rewind(s);
        if (rc == 0) {
            rc = try_single(p, ret_why);
        }
    }
    if (rc == 0) {
        ret_why[0] = '\0';
        rc = again ? stream_rewind(s) : 0;
        if (rc == 0) {
            rc = archive_begin(p, members, ret_why);
        }
        if (rc == 0 && is_raw(p) && !is_compressed(p)) {
            rc = -ENOENT;
        }
    }
    if (rc < 0) {
        packed_close(p);
        return rc;
    }
    p->kind = is_raw(p) ? PACKED_SINGLE : PACKED_ARCHIVE;
    p->first = true;
    *ret_packed = p;
    return 0;
}

struct packed *packed_close(struct packed *p) {
    if (p) {
        archive_end(p);
        stream_close(p->inner);
        free(p->name);
        free(p);
    }
    return NULL;
}

enum packed_kind packed_kind(const struct packed *p) {
    return p->kind;
}

static int header_next(struct packed *p, char ret_why[120]) {
    if (p->first) {
        p->first = false;
        return 0;
    }
    int rc = archive_read_next_header(p->archive, &p->entry);
    if (rc == ARCHIVE_EOF) {
        return -ENOENT;
    }
    if (rc < ARCHIVE_WARN) {
        why_set(p, ret_why);
        return -EBADMSG;
    }
    return 0;
}

int packed_next(struct packed *p, struct stream **ret_stream, const char **ret_name, char ret_why[120]) {
    int rc;
    ret_why[0] = '\0';
    do {
        rc = header_next(p, ret_why);
        if (rc < 0) {
            return rc;
        }
    } while (p->kind == PACKED_ARCHIVE && archive_entry_filetype(p->entry) != AE_IFREG);
    *ret_name = NULL;
    if (p->kind == PACKED_ARCHIVE) {
        const char *name = archive_entry_pathname(p->entry);
        free(p->name);
        p->name = strdup(name ? name : "?");
        if (!p->name) {
            return -ENOMEM;
        }
        *ret_name = p->name;
    }
    return member_open(p, ret_stream);
}
