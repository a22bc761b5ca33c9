"""The same few packets in every file format that is read, packed in every way, and damaged in every way.

pcap: draft-ietf-opsawg-pcap; pcapng: draft-ietf-opsawg-pcapng. The names say what is inside; damaged files begin with
`damaged-`. zstd and lz4 come from the programs of that name, the rest from Python's library.
"""
import bz2
import gzip
import io
import lzma
import struct
import subprocess
import tarfile
import zipfile

from frames import ETHERNET, Packet, pcap_bytes, pcap_head, pcap_record

NOTES = b'These are notes, not a capture.\n'
STAMP = 1767225600  # of members in archives
MAX = 0xFFFFFFFF


# --- pcapng ---


class Section:
    """Blocks of one section in one byte order."""

    def __init__(self, order='<', length=-1, options=()):
        self.order = order
        self.data = b''
        self.block(0x0A0D0D0A, self.pack('I2Hq', 0x1A2B3C4D, 1, 0, length) + self.options(options))

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def options(self, options):
        out = b''.join(self.pack('2H', code, len(value)) + value + bytes(-len(value) % 4) for code, value in options)
        return out + self.pack('2H', 0, 0) if options else b''

    def block(self, kind, body, first=None, last=None):
        """A block; first and last are lies about its length."""
        size = 12 + len(body)
        self.data += (
            self.pack('2I', kind, size if first is None else first)
            + body
            + self.pack('I', size if last is None else last)
        )
        return self

    def interface(self, link=ETHERNET, snaplen=262144, options=()):
        return self.block(1, self.pack('2HI', link, 0, snaplen) + self.options(options))

    def enhanced(self, packet, interface=0, unit=1000, offset=0, options=(), captured=None):
        """An enhanced packet block; unit is the length of a tick in nanoseconds, offset in seconds."""
        ticks = (packet.time - offset * 1_000_000_000) // unit
        return self.ticked(packet, ticks, interface, options, captured)

    def ticked(self, packet, ticks, interface=0, options=(), captured=None):
        data = packet.data
        head = self.pack(
            '5I', interface, ticks >> 32, ticks & MAX, len(data) if captured is None else captured, packet.wire
        )
        return self.block(6, head + data + bytes(-len(data) % 4) + self.options(options))

    def simple(self, packet):
        return self.block(3, self.pack('I', packet.wire) + packet.data + bytes(-len(packet.data) % 4))

    def obsolete(self, packet, interface=0, drops=0xFFFF):
        ticks = packet.time // 1000
        head = self.pack('2H4I', interface, drops, ticks >> 32, ticks & MAX, len(packet.data), packet.wire)
        return self.block(2, head + packet.data + bytes(-len(packet.data) % 4))

    def all(self, packets, **fields):
        for packet in packets:
            self.enhanced(packet, **fields)
        return self


def power_of_two(section, packets):
    """if_tsresol with its high bit: ticks of 2^-20 s."""
    section.interface(options=[(9, b'\x94')])
    for packet in packets:
        section.ticked(packet, packet.time * (1 << 20) // 1_000_000_000)
    return section


def two_interfaces(packets):
    """Ethernet in nanoseconds and raw IP in milliseconds, an hour off by if_tsoffset; the second appears late."""
    section = Section().interface(options=[(2, b'eth0'), (9, b'\x09')])
    section.enhanced(packets[0], unit=1)
    section.interface(link=101, options=[(2, b'tun0'), (9, b'\x03'), (14, section.pack('q', 3600))])
    for number, packet in enumerate(packets[1:], 1):
        if number % 2:
            section.enhanced(Packet(packet.time, packet.data[14:]), 1, 1_000_000, 3600)
        else:
            section.enhanced(packet, 0, 1)
    return section.data


def with_everything(packets):
    """Every option and block that may be there beside packets."""
    section = Section(options=[(1, b'a comment on the section'), (2, b'hardware'), (3, b'Linux'), (4, b'wrap-traffic')])
    section.interface(
        options=[
            (2, b'eth0'),
            (3, b'the first'),
            (4, bytes([192, 0, 2, 10, 255, 255, 255, 0])),
            (6, bytes.fromhex('00005e00530a')),
            (8, section.pack('Q', 10**9)),
            (9, b'\x06'),
            (11, b'\0udp'),
            (12, b'Linux'),
            (13, b'\4'),
        ]
    )
    section.interface(link=147, options=[(2, b'never used')])
    section.block(
        4, section.pack('2H', 1, 17) + bytes([192, 0, 2, 10]) + b'client.local\0\0\0\0' + section.pack('2H', 0, 0)
    )
    section.block(0x0A, section.pack('2I', 0x544C534B, 4) + b'keys')
    section.block(0x0BAD, section.pack('I', 32473) + b'custom bytes')
    section.block(0x7FFFFFFF, b'unknown block...')
    options = [
        (1, b'a comment on a packet'),
        (2, section.pack('I', 1)),
        (3, b'\x02' + bytes(4)),
        (4, section.pack('Q', 3)),
        (2988, section.pack('I', 32473) + b'own'),
    ]
    section.enhanced(packets[0], options=options)
    section.enhanced(packets[1], options=[(1, 'zweiter Kommentar: größer'.encode()), (1, b'and a second one')])
    section.all(packets[2:])
    section.block(
        5, section.pack('3I', 0, 0, 0) + section.options([(4, section.pack('Q', 4)), (5, section.pack('Q', 1))])
    )
    return section.data


def pcapng_captures(packets):
    good = lambda order='<': Section(order).interface().all(packets).data
    cut = [Packet(packet.time, packet.data[:60], packet.wire) for packet in packets]
    snap = Section().interface(snaplen=60)
    for packet in cut:
        snap.simple(packet)
    simple, old, mixed = Section().interface(), Section().interface(), Section('>').interface(options=[(9, b'\x06')])
    for packet in packets:
        simple.simple(packet)
        old.obsolete(packet, drops=2)
    mixed.enhanced(packets[0]).obsolete(packets[1]).simple(packets[2]).enhanced(packets[3])
    known = Section('<', length=len(Section().interface().all(packets[:2]).data) - 28)
    known.interface().all(packets[:2])
    late = Section().interface().all(packets[:2])
    return {
        'pcapng': good(),
        'pcapng-big': good('>'),
        'pcapng-simple': simple.data,
        'pcapng-simple-cut': snap.data,
        'pcapng-obsolete': old.data,
        'pcapng-mixed-blocks': mixed.data,
        'pcapng-two-interfaces': two_interfaces(packets),
        'pcapng-options': with_everything(packets),
        'pcapng-power-of-two': power_of_two(Section(), packets).data,
        'pcapng-two-sections': Section().interface().all(packets[:2]).data
        + Section('>').interface(link=101).all([Packet(one.time, one.data[14:]) for one in packets[2:]]).data,
        'pcapng-section-lengths': known.data + Section('>').interface().all(packets[2:]).data,
        'pcapng-no-packets': Section().interface().data,
        'pcapng-header-only': Section().data,
        'pcapng-cut-packets': Section().interface(snaplen=60).all(cut).data,
        'pcapng-negative-offset': Section()
        .interface(options=[(14, struct.pack('<q', -86400))])
        .all(packets, offset=-86400)
        .data,
        'pcapng-minor-version': good()[:14] + b'\x02\0' + good()[16:],
        'pcapng-empty-sections': (Section().data * 3) + late.data,
    }


def pcapng_damage(packets):
    def broken(change, order='<'):
        """Two good packets, what change() adds, and two more good packets."""
        section = Section(order).interface().all(packets[:2])
        change(section)
        return section.all(packets[2:]).data

    good = Section().interface().all(packets).data
    return {
        'damaged-ng-length-too-long': broken(lambda one: one.block(6, bytes(40), first=4000)),
        'damaged-ng-length-huge': broken(lambda one: one.block(6, bytes(40), first=0xFFFFFFF0)),
        'damaged-ng-length-8': broken(lambda one: one.block(0x99, b'', first=8)),
        'damaged-ng-length-zero': broken(lambda one: one.block(0x99, b'', first=0)),
        'damaged-ng-length-odd': broken(lambda one: one.block(0x99, b'abc')),
        'damaged-ng-lengths-differ': broken(lambda one: one.block(6, one.pack('5I', 0, 0, 0, 4, 4) + b'abcd', last=99)),
        'damaged-ng-captured-too-long': broken(lambda one: one.enhanced(packets[0], captured=5000)),
        'damaged-ng-captured-huge': broken(lambda one: one.enhanced(packets[0], captured=MAX)),
        'damaged-ng-captured-zero': broken(lambda one: one.enhanced(Packet(packets[0].time, b'', 90))),
        'damaged-ng-unknown-interface': broken(lambda one: one.enhanced(packets[0], interface=7)),
        'damaged-ng-option-too-long': broken(
            lambda one: one.block(6, one.pack('5I', 0, 0, 0, 4, 4) + b'abcd' + one.pack('2H', 1, 500) + b'x' * 8)
        ),
        'damaged-ng-short-packet-block': broken(
            lambda one: one.block(6, bytes(8)).block(2, bytes(4)).block(3, b'').block(1, b'')
        ),
        'damaged-ng-garbage': broken(
            lambda one: setattr(one, 'data', one.data + bytes((n * 73) % 251 for n in range(400)))
        ),
        'damaged-ng-resolution': Section()
        .interface(options=[(9, b'\x7f')])
        .all(packets[:2], interface=0)
        .interface(options=[(9, b'\xff')])
        .all(packets[2:], interface=1)
        .data,
        'damaged-ng-no-interface': Section().all(packets).data,
        'damaged-ng-order': b'\x0a\x0d\x0d\x0a' + struct.pack('<2I', 28, 0x12345678) + bytes(16) + good[28:],
        'damaged-ng-version-9': good[:12] + b'\x09\0' + good[14:],
        'damaged-ng-cut-in-block': good[:-30],
        'damaged-ng-cut-in-header': good[:20],
        'damaged-ng-cut-in-length': good[:-2],
        'damaged-ng-time': Section()
        .interface()
        .ticked(packets[0], MAX << 32 | MAX)
        .ticked(packets[1], 0)
        .all(packets[2:])
        .data,
        'damaged-ng-packet-before-section': good[28:],
        'damaged-ng-section-length': Section('<', length=12345).interface().all(packets).data,
    }


# --- pcap ---


def pcap_captures(packets):
    nano = [Packet(packet.time + 7 + number, packet.data) for number, packet in enumerate(packets)]
    cut = [Packet(packet.time, packet.data[:60], packet.wire) for packet in packets]
    return {
        'pcap-little-us': pcap_bytes(packets),
        'pcap-little-ns': pcap_bytes(nano, nano=True),
        'pcap-big-us': pcap_bytes(packets, order='>'),
        'pcap-big-ns': pcap_bytes(nano, order='>', nano=True),
        'pcap-cut-packets': pcap_bytes(cut, snaplen=60),
        'pcap-no-packets': pcap_head(),
        'pcap-check-sequence-bits': pcap_bytes(
            [Packet(one.time, one.data + b'\1\2\3\4') for one in packets], link=0x24000001
        ),
        'pcap-snaplen-zero': pcap_bytes(packets, snaplen=0),
        'pcap-modified': struct.pack('<I2H4I', 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
        + b''.join(pcap_record(one)[:16] + struct.pack('<IH2B', 1, 0x0800, 0, 0) + one.data for one in packets),
    }


def pcap_damage(packets):
    records = [pcap_record(packet) for packet in packets]
    head, whole = pcap_head(), pcap_bytes(packets)

    def lying(captured, wire, place=2):
        bad = struct.pack('<4I', packets[place].time // 10**9, 0, captured, wire) + packets[place].data
        return head + b''.join(records[:place]) + bad + b''.join(records[place:])

    def stamped(seconds, part):
        return head + records[0] + struct.pack('<2I', seconds, part) + records[1][8:] + b''.join(records[2:])

    return {
        'damaged-empty': b'',
        'damaged-one-byte': b'\xd4',
        'damaged-magic-only': whole[:4],
        'damaged-half-header': whole[:12],
        'damaged-text': NOTES,
        'damaged-zeros': bytes(500),
        'damaged-magic': b'\xde\xad\xbe\xef' + whole[4:],
        'damaged-version': whole[:4] + struct.pack('<2H', 9, 9) + whole[8:],
        'damaged-cut-in-packet': whole[:-20],
        'damaged-cut-in-record': whole[: -len(packets[-1].data) - 7],
        'damaged-captured-huge': lying(MAX, MAX),
        'damaged-captured-beyond-end': lying(5000, 5000),
        'damaged-captured-more-than-wire': lying(len(packets[2].data), 20),
        'damaged-captured-zero': head
        + records[0]
        + pcap_record(Packet(packets[1].time, b'', 0))
        + b''.join(records[1:]),
        'damaged-captured-a-bit-long': lying(len(packets[2].data) + 10, len(packets[2].data) + 10),
        'damaged-captured-negative': lying(0x80000001, 100),
        'damaged-garbage-in-middle': head
        + records[0]
        + bytes((n * 91 + 5) % 253 for n in range(333))
        + b''.join(records[1:]),
        'damaged-time-max': stamped(MAX, MAX),
        'damaged-time-zero': stamped(0, 0),
        'damaged-microseconds': stamped(packets[1].time // 10**9, 5_000_000),
        'damaged-trailing-bytes': whole + b'\0\0\0',
    }


# --- packed ---


def program(*command):
    def pack(data):
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout

    return pack


zstd, lz4 = program('zstd', '-q', '-19', '-c'), program('lz4', '-q', '-9', '-c')


def gz(data):
    return gzip.compress(data, 9, mtime=0)


def tar(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.USTAR_FORMAT) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), STAMP
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def zipped(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def packed_captures(packets, http):
    small, web = pcap_bytes(packets), pcap_bytes(http)
    ng = Section().interface().all(packets).data
    members = [
        ('one.pcap', small),
        ('notes.txt', NOTES),
        ('deep/er/two.pcapng', Section('>').interface().all(http).data),
        ('empty.pcap', b''),
        ('three.cap', web[:-30]),
    ]
    return {
        'packed.pcap.gz': gz(web),
        'packed.pcap.zst': zstd(web),
        'packed.pcap.xz': lzma.compress(web),
        'packed.pcap.bz2': bz2.compress(web),
        'packed.pcap.lz4': lz4(web),
        'packed.pcapng.gz': gz(ng),
        'packed.pcapng.zst': zstd(ng),
        'packed-in-two-parts.pcap.gz': gz(web[:700]) + gz(web[700:]),
        'packed-twice.pcap.gz.xz': lzma.compress(gz(small)),
        'packed-without-ending.pcap': gz(small),
        'several.tar': tar(members),
        'several.tar.gz': gz(tar(members)),
        'several.tar.zst': zstd(tar(members)),
        'several.zip': zipped(members),
        'packed-inside.zip': zipped([('inner.pcap.gz', gz(small)), ('plain.pcap', web)]),
        'damaged-cut.pcap.gz': gz(web)[:-400],
        'damaged-sum.pcap.gz': gz(web)[:-8] + bytes(8),
        'damaged-middle.pcap.gz': gz(web)[:300] + bytes(40) + gz(web)[340:],
        'damaged-cut.pcap.zst': zstd(web)[:-300],
        'damaged-cut.pcap.xz': lzma.compress(web)[:-300],
        'damaged-cut.pcap.bz2': bz2.compress(web)[:-100],
        'damaged-cut.pcap.lz4': lz4(web)[:-300],
        'damaged-text.txt.gz': gz(NOTES),
        'damaged-nothing.gz': gz(b''),
        'damaged-header-only.gz': gz(web)[:10],
        'damaged-no-captures.tar.gz': gz(tar([('notes.txt', NOTES)])),
        'damaged-cut.tar.gz': gz(tar(members))[:-500],
        'damaged-cut.zip': zipped(members)[:600],
        'folder/a.pcap': small,
        'folder/b/c.pcapng': ng,
        'folder/b/d.pcap.gz': gz(web),
        'folder/notes.txt': NOTES,
        'folder/e.cap': web,
    }


def captures(dns, dns6, http):
    packets = dns + dns6
    out = {}
    for name, data in {**pcap_captures(packets), **pcap_damage(packets)}.items():
        out['formats/%s.pcap' % name] = data
    for name, data in {**pcapng_captures(packets), **pcapng_damage(packets)}.items():
        out['formats/%s.pcapng' % name] = data
    for name, data in packed_captures(packets, http).items():
        out['formats/' + name] = data
    return out
