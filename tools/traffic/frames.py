"""Packets and captures as bytes: builders for headers with right checksums, a pcap reader and a pcap writer.

Everything is a function of its arguments, without clock or randomness: what is built from it is always the same.
"""
import ipaddress
import struct

CLIENT, SERVER = bytes.fromhex('00005e00530a'), bytes.fromhex('00005e005314')
ETHERNET = 1
IP4, IP6, ARP, VLAN, QINQ, MPLS = 0x0800, 0x86DD, 0x0806, 0x8100, 0x88A8, 0x8847
UDP, TCP, SCTP = 17, 6, 132


def address(text):
    return ipaddress.ip_address(text).packed


def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def ethernet(kind, payload, source=CLIENT, target=SERVER):
    return target + source + struct.pack('>H', kind) + payload


def vlan(kind, payload, tag, priority=0):
    """What follows a VLAN ethertype."""
    return struct.pack('>2H', priority << 13 | tag, kind) + payload


def ip4(protocol, payload, source='192.0.2.10', target='198.51.100.20', **fields):
    """An IPv4 packet; fields: ttl, ident, fragment (flags and offset), options, tos, length (a lie), ihl (a lie)."""
    options = fields.get('options', b'')
    size = 20 + len(options)
    head = bytearray(
        struct.pack(
            '>2B3H2BH',
            0x40 | fields.get('ihl', size // 4),
            fields.get('tos', 0),
            fields.get('length', size + len(payload)),
            fields.get('ident', 1),
            fields.get('fragment', 0),
            fields.get('ttl', 64),
            protocol,
            0,
        )
        + address(source)
        + address(target)
        + options
    )
    head[10:12] = struct.pack('>H', checksum(bytes(head)))
    return bytes(head) + payload


def ip6(protocol, payload, source='2001:db8:1::10', target='2001:db8:2::20', **fields):
    return (
        struct.pack(
            '>IH2B',
            0x60000000 | fields.get('label', 0),
            fields.get('length', len(payload)),
            protocol,
            fields.get('ttl', 64),
        )
        + address(source)
        + address(target)
        + payload
    )


def pseudo(protocol, length, source, target):
    source, target = address(source), address(target)
    if len(source) == 4:
        return source + target + struct.pack('>2H', protocol, length)
    return source + target + struct.pack('>I3xB', length, protocol)


def udp(sport, dport, data, source='192.0.2.10', target='198.51.100.20', length=None):
    head = struct.pack('>4H', sport, dport, 8 + len(data) if length is None else length, 0)
    total = checksum(pseudo(UDP, 8 + len(data), source, target) + head + data) or 0xFFFF
    return head[:6] + struct.pack('>H', total) + data


def tcp(sport, dport, sequence, acknowledged, flags, data=b'', **fields):
    """A TCP segment; fields: source, target, window, options (4n bytes), offset (a lie), more (reserved bits)."""
    options = fields.get('options', b'')
    offset = fields.get('offset', 5 + len(options) // 4)
    head = (
        struct.pack(
            '>2H2I2B3H',
            sport,
            dport,
            sequence & 0xFFFFFFFF,
            acknowledged & 0xFFFFFFFF,
            offset << 4 | fields.get('more', 0),
            flags,
            fields.get('window', 8192),
            0,
            0,
        )
        + options
    )
    around = pseudo(
        TCP, len(head) + len(data), fields.get('source', '192.0.2.10'), fields.get('target', '198.51.100.20')
    )
    return head[:16] + struct.pack('>H', checksum(around + head + data)) + head[18:] + data


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def sctp(sport, dport, tag, *chunks):
    head = struct.pack('>2H2I', sport, dport, tag, 0)
    body = b''.join(chunk + bytes(-len(chunk) % 4) for chunk in chunks)
    return head[:8] + struct.pack('<I', crc32c(head + body)) + body


def chunk(kind, flags, data):
    return struct.pack('>2BH', kind, flags, 4 + len(data)) + data


class Packet:
    """One packet: time in nanoseconds, bytes, and its length on the wire when that is larger."""

    def __init__(self, time, data, wire=None):
        self.time, self.data, self.wire = time, data, len(data) if wire is None else wire


def packets(*frames, start=1767225600_000_000_000, step=1_000_000):
    """Packets a step (in nanoseconds) apart."""
    return [Packet(start + number * step, data) for number, data in enumerate(frames)]


def pcap_read(path):
    """The packets of a classic little-endian microsecond file, as tcpdump writes it here."""
    with open(path, 'rb') as stream:
        data = stream.read()
    assert data[:4] == b'\xd4\xc3\xb2\xa1' and struct.unpack_from('<I', data, 20)[0] == ETHERNET, path
    out, at = [], 24
    while at < len(data):
        seconds, micro, captured, wire = struct.unpack_from('<4I', data, at)
        out.append(Packet((seconds * 1_000_000 + micro) * 1000, data[at + 16 : at + 16 + captured], wire))
        at += 16 + captured
    return out


def pcap_head(link=ETHERNET, order='<', nano=False, snaplen=262144):
    return struct.pack(order + 'I2H4I', 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, link)


def pcap_record(packet, order='<', nano=False):
    unit = 1 if nano else 1000
    seconds, rest = divmod(packet.time, 1_000_000_000)
    return struct.pack(order + '4I', seconds, rest // unit, len(packet.data), packet.wire) + packet.data


def pcap_bytes(list_of_packets, link=ETHERNET, order='<', nano=False, snaplen=262144):
    return pcap_head(link, order, nano, snaplen) + b''.join(
        pcap_record(packet, order, nano) for packet in list_of_packets
    )


def mapped(list_of_packets, change):
    """The same packets at the same times, each frame replaced by change(frame)."""
    return [Packet(packet.time, change(packet.data)) for packet in list_of_packets]


def turned(list_of_packets, change):
    """As mapped(), with change(frame, answer): answer says that the packet goes against the first one's direction."""
    first = list_of_packets[0].data[6:12]
    return [Packet(packet.time, change(packet.data, packet.data[6:12] != first)) for packet in list_of_packets]
