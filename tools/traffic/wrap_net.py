"""Captures of tunnels over IP, of fragments and of transports that this kernel does not speak.

Each function is a capture built around recorded packets or from nothing. Layouts: RFC 2784/2890/2637 (GRE), 2003, 4213,
draft-foschiano-erspan, 4302/4303 (AH, ESP), 7348 (VXLAN), 8926 (Geneve), 3GPP 29.060/29.281 (GTP), 8200 (IPv6
extension headers), 9260 (SCTP), 791 and 5722 (fragments).
"""
import struct

from frames import (
    IP4,
    IP6,
    SCTP,
    UDP,
    VLAN,
    checksum,
    chunk,
    ethernet,
    ip4,
    ip6,
    mapped,
    packets,
    pcap_bytes,
    sctp,
    tcp,
    turned,
    udp,
    vlan,
)
from wrap_link import inner, nsh, ppp_protocol, tagged

OUTER = ('203.0.113.1', '203.0.113.2')
OUTER6 = ('2001:db8:a::1', '2001:db8:a::2')
MACS = (bytes.fromhex('00005e0053e1'), bytes.fromhex('00005e0053e2'))


def carry4(protocol, make):
    """A change that puts make(frame) into an outer IPv4 packet of this protocol, back and forth like the inner ones."""

    def change(frame, answer):
        ends = OUTER[::-1] if answer else OUTER
        macs = MACS[::-1] if answer else MACS
        return ethernet(IP4, ip4(protocol, make(frame), *ends, ttl=60), *macs)

    return change


def carry6(protocol, make):
    def change(frame, answer):
        ends = OUTER6[::-1] if answer else OUTER6
        return ethernet(IP6, ip6(protocol, make(frame), *ends), *(MACS[::-1] if answer else MACS))

    return change


def over_udp(port, make, source=49152):
    """UDP tunnels: the well-known port is the target's in both directions."""

    def change(frame, answer):
        ends = OUTER[::-1] if answer else OUTER
        return ethernet(IP4, ip4(UDP, udp(source, port, make(frame), *ends), *ends), *(MACS[::-1] if answer else MACS))

    return change


def packet_of(frame):
    return inner(frame)[1]


def gre(flags, extra=b'', kind=None, body=packet_of):
    def make(frame):
        return struct.pack('>2H', flags, inner(frame)[0] if kind is None else kind) + extra + body(frame)

    return make


def gre_checksum(frame):
    head = struct.pack('>2H', 0x8000, inner(frame)[0])
    total = checksum(head + bytes(4) + packet_of(frame))
    return head + struct.pack('>2H', total, 0) + packet_of(frame)


def gre_pptp(frame):
    body = b'\xff\x03' + ppp_protocol(frame) + packet_of(frame)
    return struct.pack('>2H2HI', 0x3001, 0x880B, len(body), 7, 1) + body


def gre_routing(frame):
    route = struct.pack('>H2B', IP4, 0, 4) + bytes([203, 0, 113, 9]) + bytes(4)
    return struct.pack('>2H', 0x4000, inner(frame)[0]) + bytes(4) + route + packet_of(frame)


def erspan(version):
    def make(frame):
        if version == 1:
            return struct.pack('>2H', 0, 0x88BE) + frame
        if version == 2:
            return struct.pack('>2HI', 0x1000, 0x88BE, 5) + struct.pack('>HHI', 0x1000 | 100, 0x0007, 3) + frame
        head = struct.pack('>HHIHH', 0x2000 | 100, 0x0007, 0x01020304, 0, 0x0001)
        return struct.pack('>2HI', 0x1000, 0x22EB, 5) + head + struct.pack('>2I', 0x04000000, 9) + frame

    return make


def frame_relay_in_gre(frame):
    return struct.pack('>2H', 0, 0x6559) + b'\x18\x41\x03\xcc' + packet_of(frame)


def vxlan(frame):
    return struct.pack('>2I', 0x08000000, 4711 << 8) + frame


def vxlan_vlan(frame):
    return vxlan(tagged((VLAN, 12))(frame))


def vxlan_gpe(next_protocol, body):
    def make(frame):
        return struct.pack('>4BI', 0x0C, 0, 0, next_protocol, 99 << 8) + body(frame)

    return make


def geneve(options=b'', kind=0x6558, body=lambda frame: frame, version=0):
    def make(frame):
        return struct.pack('>2BHI', version << 6 | len(options) // 4, 0, kind, 0xABCDEF << 8) + options + body(frame)

    return make


def gtp_user(frame):
    return struct.pack('>2BHI', 0x30, 0xFF, len(packet_of(frame)), 0x11223344) + packet_of(frame)


def gtp_extended(frame):
    """Sequence number and a PDU session container (type 0x85)."""
    extra = struct.pack('>H2B', 9, 0, 0x85) + b'\x01\0\x05\0'
    return struct.pack('>2BHI', 0x36, 0xFF, len(extra) + len(packet_of(frame)), 0x11223344) + extra + packet_of(frame)


def gtp_echo():
    v1 = struct.pack('>2BHI', 0x32, 1, 4, 0) + struct.pack('>H2B', 1, 0, 0)
    v2 = struct.pack('>2BHI', 0x40, 1, 9, 1 << 8) + b'\x03\0\x01\0\x07'
    one = [
        ethernet(IP4, ip4(UDP, udp(port, port, data, *OUTER), *OUTER))
        for port, data in ((2152, v1), (2123, v1), (2123, v2), (3386, v1))
    ]
    return packets(*one)


def authenticated(frame):
    """AH in front of the inner packet, itself carried in IPv4 (tunnel mode)."""
    return struct.pack('>2BHII', 4 if inner(frame)[0] == IP4 else 41, 4, 0, 0x100, 1) + bytes(12) + packet_of(frame)


def authenticated_transport(frame):
    """AH between the IP header and its own payload (transport mode)."""
    packet = packet_of(frame)
    body = struct.pack('>2BHII', packet[9], 4, 0, 0x101, 1) + bytes(12) + packet[20:]
    return frame[:14] + ip4(51, body, '192.0.2.10', '198.51.100.20')


def encrypted():
    out = []
    for number in range(6):
        ends = OUTER if number % 3 else OUTER[::-1]
        body = struct.pack('>2I', 0x1000 + (number % 3 == 0), number + 1) + bytes(
            (number * 37 + n * 11) % 256 for n in range(56)
        )
        out.append(ethernet(IP4, ip4(50, body, *ends)))
    out.append(ethernet(IP6, ip6(50, struct.pack('>2I', 0x2000, 1) + bytes(40))))
    nat = struct.pack('>2I', 0x3000, 1) + bytes(range(48))
    out.append(ethernet(IP4, ip4(UDP, udp(4500, 4500, nat, *OUTER), *OUTER)))
    return packets(*out)


def extended(*headers):
    """A change that puts IPv6 extension headers between the header and the payload."""

    def change(frame):
        packet = packet_of(frame)
        body, following = packet[40:], packet[6]
        for kind, data in reversed(headers):
            body = bytes([following]) + data + body
            following = kind
        return frame[:14] + packet[:4] + struct.pack('>H', len(body)) + bytes([following]) + packet[7:40] + body

    return change


HOP = (0, b'\0' + b'\x05\x02\0\0\x01\0')
DESTINATION = (60, b'\1' + b'\x01\x0c' + bytes(12))
ROUTING = (43, b'\x02\0\0' + bytes(4) + b'\x20\x01\x0d\xb8' + bytes(12))
ATOMIC = (44, b'\0\0\0\0\0\0\x09')


def options4(frame):
    packet = packet_of(frame)
    return frame[:14] + ip4(
        packet[9], packet[20:], '192.0.2.10', '198.51.100.53', options=b'\x94\x04\0\0\x07\x07\x04' + bytes(4) + b'\0'
    )


def nested(depth):
    def change(frame):
        body = packet_of(frame)
        for number in range(depth):
            body = ip4(4, body, '10.%d.0.1' % number, '10.%d.0.2' % number)
        return frame[:14] + body

    return change


# --- fragments ---

QUERY = (
    b'\x12\x34\x01\0\0\1\0\0\0\0\0\1\x04long'
    + b''.join(b'\x3f' + bytes([97 + n]) * 63 for n in range(3))
    + b'\x07example\0\0\1\0\1'
    + b'\0\0\x29\x04\xd0\0\0\0\0\0\x40\0\x0c\0\x3c'
    + bytes(60)
)


def cut4(data, size, ident, protocol=UDP, **fields):
    """The IPv4 fragments of a payload; size is a multiple of 8."""
    out = []
    for offset in range(0, len(data), size):
        more = 0x2000 if offset + size < len(data) else 0
        out.append(piece4(data[offset : offset + size], offset, more, ident, protocol, **fields))
    return out


def piece4(data, offset, more, ident, protocol=UDP, **fields):
    return ethernet(
        IP4,
        ip4(
            protocol,
            data,
            fields.get('source', '192.0.2.10'),
            '198.51.100.53',
            ident=ident,
            fragment=more | offset // 8,
        ),
    )


def cut6(data, size, ident, protocol=UDP):
    return [
        piece6(data[offset : offset + size], offset, offset + size < len(data), ident, protocol)
        for offset in range(0, len(data), size)
    ]


def piece6(data, offset, more, ident, protocol=UDP):
    return ethernet(
        IP6,
        ip6(
            44, struct.pack('>2BHI', protocol, 0, offset | bool(more), ident) + data, '2001:db8:1::10', '2001:db8:2::53'
        ),
    )


def query4(number):
    return udp(50000 + number, 53, QUERY, '192.0.2.10', '198.51.100.53')


def query6(number):
    return udp(50000 + number, 53, QUERY, '2001:db8:1::10', '2001:db8:2::53')


def fragments(cut, piece, query):
    """{name: frames}: the same query cut in every way; each name has an identification and a port of its own."""

    def pieces(number, size=64):
        return cut(query(number), size, number)

    other = lambda data: bytes(byte ^ 0x20 for byte in data)
    whole = query(9)
    return {
        'in-order': pieces(1),
        'reversed': pieces(2)[::-1],
        'twice': [one for frame in pieces(3) for one in (frame, frame)],
        'first-missing': pieces(4)[1:],
        'middle-missing': pieces(5)[:1] + pieces(5)[2:],
        'last-missing': pieces(6)[:-1],
        'smallest': cut(query(7), 8, 7),
        'interleaved': [one for pair in zip(pieces(8), cut(query(10), 64, 10)) for one in pair],
        'overlap-later-differs': [
            piece(whole[:128], 0, 0x2000, 9),
            piece(other(whole[64:192]), 64, 0x2000, 9),
            piece(whole[192:], 192, 0, 9),
        ],
        'overlap-earlier-differs': [
            piece(other(query(11)[64:192]), 64, 0x2000, 11),
            piece(query(11)[:128], 0, 0x2000, 11),
            piece(query(11)[192:], 192, 0, 11),
        ],
        'contained': [
            piece(query(12)[:128], 0, 0x2000, 12),
            piece(other(query(12)[32:64]), 32, 0x2000, 12),
            piece(query(12)[128:], 128, 0, 12),
        ],
        'teardrop': [piece(query(13)[:64], 0, 0x2000, 13), piece(query(13)[24:40], 24, 0, 13)],
        'two-ends': [
            piece(query(14)[:64], 0, 0x2000, 14),
            piece(query(14)[64:96], 64, 0, 14),
            piece(query(14)[64:160], 64, 0, 14),
        ],
        'beyond-64k': [piece(query(15)[:64], 0, 0x2000, 15), piece(bytes(1400), 65528, 0, 15)],
        'empty-piece': [
            piece(query(16)[:64], 0, 0x2000, 16),
            piece(b'', 64, 0x2000, 16),
            piece(query(16)[64:], 64, 0, 16),
        ],
        'odd-size': [piece(query(17)[:61], 0, 0x2000, 17), piece(query(17)[64:], 64, 0, 17)],
    }


def fragment_captures():
    out = {}
    for version, cut, piece, query in (('4', cut4, piece4, query4), ('6', cut6, piece6, query6)):
        for name, frames in fragments(cut, piece, query).items():
            out['net/fragments%s-%s' % (version, name)] = pcap_bytes(packets(*frames))
    tcp_data = tcp(40001, 53, 1000, 2000, 0x18, struct.pack('>H', len(QUERY)) + QUERY, target='198.51.100.53')
    mixed = cut4(query4(21), 64, 77)
    others = cut4(tcp_data, 64, 77, protocol=6)
    out['net/fragments4-same-id'] = pcap_bytes(packets(*[one for pair in zip(mixed, others) for one in pair]))
    tags = [tagged((VLAN, 5))(frame) for frame in cut4(query4(22), 64, 78)], [
        tagged((VLAN, 6))(frame) for frame in cut4(query4(23), 64, 78)
    ]
    out['net/fragments4-two-vlans'] = pcap_bytes(packets(*[one for pair in zip(*tags) for one in pair]))
    out['net/fragments4-late'] = pcap_bytes(packets(*cut4(query4(24), 128, 79), step=700_000_000_000))
    out['net/fragments6-atomic'] = pcap_bytes(packets(*cut6(query6(25), 4000, 80)))
    inside = [ethernet(IP4, ip4(4, frame[14:], *OUTER)) for frame in cut4(query4(26), 64, 81)]
    outside = packet_of(ethernet(IP4, ip4(UDP, query4(27), '192.0.2.10', '198.51.100.53')))
    outer = [
        ethernet(
            IP4,
            ip4(
                4,
                outside[offset : offset + 80],
                *OUTER,
                ident=82,
                fragment=(0x2000 if offset + 80 < len(outside) else 0) | offset // 8,
            ),
        )
        for offset in range(0, len(outside), 80)
    ]
    out['net/fragments4-in-tunnel'] = pcap_bytes(packets(*inside))
    out['net/fragments4-of-tunnel'] = pcap_bytes(packets(*outer))
    return out


# --- other transports and damage ---------------------------------------------------------------------------------------


def association(source='192.0.2.10', target='198.51.100.20', make=ip4, kind=IP4):
    """An SCTP association with data of two streams, one message in three chunks, a retransmission, and its end."""

    def out(*chunks, tag=0x0B0B0B0B):
        return ethernet(kind, make(SCTP, sctp(36412, 5000, tag, *chunks), source, target))

    def back(*chunks):
        return ethernet(
            kind, make(SCTP, sctp(5000, 36412, 0x0A0A0A0A, *chunks), target, source), source=MACS[1], target=MACS[0]
        )

    def data(number, stream, sequence, payload, flags=3, protocol=46):
        return chunk(0, flags, struct.pack('>I2HI', number, stream, sequence, protocol) + payload)

    def sack(number):
        return chunk(3, 0, struct.pack('>2I2H', number, 65535, 0, 0))

    init = struct.pack('>2I2HI', 0x0A0A0A0A, 65535, 10, 10, 100)
    answer = struct.pack('>2I2HI', 0x0B0B0B0B, 65535, 10, 10, 500)
    third = data(103, 1, 0, b'middle ', 0)
    return [
        out(chunk(1, 0, init), tag=0),
        back(chunk(2, 0, answer + struct.pack('>2H', 7, 12) + b'a cookie')),
        out(chunk(10, 0, b'a cookie')),
        back(chunk(11, 0, b'')),
        out(data(100, 0, 0, b'GET / HTTP/1.1\r\nHost: sctp.example\r\n\r\n', protocol=0)),
        back(sack(100)),
        back(data(500, 0, 0, b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', protocol=0)),
        out(sack(500)),
        out(data(101, 0, 1, b'second of one packet'), data(104, 1, 0, b'and end', 1)),
        out(data(102, 1, 0, b'beginning ', 2), third),
        out(third),
        back(sack(104)),
        out(chunk(4, 0, struct.pack('>2H', 1, 8) + b'beat')),
        back(chunk(5, 0, struct.pack('>2H', 1, 8) + b'beat')),
        out(chunk(7, 0, struct.pack('>I', 500))),
        back(chunk(8, 0, b'')),
        out(chunk(14, 0, b'')),
    ]


def sctp_odd():
    def out(data):
        return ethernet(IP4, ip4(SCTP, data))

    whole = sctp(1, 2, 3, chunk(0, 3, struct.pack('>I2HI', 1, 0, 0, 0) + b'x'))
    return [
        out(whole[:11]),
        out(whole[:14]),
        out(sctp(1, 2, 3, struct.pack('>2BH', 0, 3, 400) + b'lie')),
        out(sctp(1, 2, 3, struct.pack('>2BH', 0, 3, 0))),
        out(sctp(1, 2, 3, chunk(6, 0, b''))),
        out(sctp(1, 2, 3, *[chunk(200, 0, b'')] * 100)),
    ]


def other_protocols():
    ospf = struct.pack('>2BH', 2, 1, 44) + bytes([192, 0, 2, 10]) + bytes(4) + bytes(12) + bytes(20)
    pim = b'\x20\0\0\0' + struct.pack('>2HH', 1, 2, 105)
    vrrp = b'\x21\x05\x64\x01\0\1\0\0' + bytes([192, 0, 2, 1])
    lite = struct.pack('>4H', 1000, 2000, 8, 0) + b'lite'
    dccp = struct.pack('>2H', 1000, 2000) + bytes(12)
    sizes = (
        (89, ospf, '224.0.0.5'),
        (103, pim, '224.0.0.13'),
        (112, vrrp, '224.0.0.18'),
        (136, lite, '198.51.100.20'),
        (33, dccp, '198.51.100.20'),
        (46, bytes(8), '198.51.100.20'),
        (2, b'\x11\x64\0\0\0\0\0\0', '224.0.0.1'),
        (255, b'raw', '198.51.100.20'),
        (0, b'hop', '198.51.100.20'),
        (59, b'', '198.51.100.20'),
        (132, b'', '198.51.100.20'),
        (94, bytes(20), '198.51.100.20'),
    )
    return [ethernet(IP4, ip4(protocol, data, '192.0.2.10', target)) for protocol, data, target in sizes]


def lying_lengths():
    """Headers whose lengths do not fit the packet or each other, over IPv4, IPv6, TCP and UDP."""
    data = udp(1000, 53, b'\0' * 20)
    six = udp(1000, 53, b'\0' * 20, '2001:db8:1::10', '2001:db8:2::20')
    good = tcp(1000, 80, 1, 1, 0x18, b'GET / HTTP/1.1\r\n\r\n')
    four = [ip4(UDP, data, length=length) for length in (0, 19, 20, 27, 47, 49, 200, 65535)] + [
        ip4(UDP, data, ihl=ihl) for ihl in (0, 4, 6, 15)
    ]
    four += [b'\x05' + ip4(UDP, data)[1:], b'\x65' + ip4(UDP, data)[1:]]
    four += [ip4(UDP, udp(1000, 53, b'\0' * 20, length=length)) for length in (0, 7, 8, 27, 29, 65535)]
    four += [ip4(6, tcp(1000, 80, 1, 1, 0x18, b'data', offset=offset)) for offset in (0, 4, 6, 7, 15)] + [
        ip4(6, good[:size]) for size in (0, 1, 13, 19)
    ]
    sixes = [ip6(UDP, six, length=length) for length in (0, 7, 27, 29, 65535)] + [
        ip6(0, b'\x11'),
        ip6(0, b'\x11\xff' + bytes(6)),
        ip6(60, b'\x3c\0' + bytes(6)),
    ]
    sixes += [ip6(44, b'\x11\0\0'), ip6(43, b'\x11\x40' + bytes(30)), ip6(51, b'\x11\xff' + bytes(10))]
    return [ethernet(IP4, one) for one in four] + [ethernet(IP6, one) for one in sixes]


def cut_everywhere(frame):
    """One frame at each length from nothing to whole."""
    return [frame[:size] for size in range(len(frame) + 1)]


def strange_addresses():
    ends = (
        ('0.0.0.0', '255.255.255.255'),
        ('192.0.2.10', '192.0.2.10'),
        ('127.0.0.1', '127.0.0.2'),
        ('240.0.0.1', '198.51.100.20'),
        ('192.0.2.10', '239.1.1.1'),
    )
    return [ethernet(IP4, ip4(UDP, udp(53, 53, b'', *pair), *pair)) for pair in ends] + [
        ethernet(IP4, ip4(6, tcp(0, 0, 1, 0, 2, source='192.0.2.10', target='192.0.2.10'), '192.0.2.10', '192.0.2.10')),
        ethernet(IP6, ip6(UDP, udp(53, 53, b'', '::', 'ff02::1'), '::', 'ff02::1')),
        ethernet(IP6, ip6(UDP, udp(1, 2, b'', '::1', '::1'), '::1', '::1')),
        ethernet(IP6, ip6(UDP, udp(1, 2, b'', '::ffff:192.0.2.1', 'fe80::1'), '::ffff:192.0.2.1', 'fe80::1')),
    ]


def captures(dns, dns6, http):
    both = dns + dns6
    directed = lambda change, source=both: pcap_bytes(turned(source, change))
    plain = lambda change, source=both: pcap_bytes(mapped(source, change))
    full = lambda frame: frame
    tun = lambda frame: inner(frame)[0] == IP4 and 4 or 41
    ip_in4 = lambda frame, answer: carry4(tun(frame), packet_of)(frame, answer)
    ip_in6 = lambda frame, answer: carry6(tun(frame), packet_of)(frame, answer)
    opaque = b'\x01\x02\x80\x01' + bytes(4)
    out = {
        'net/ip-in-ip4': directed(ip_in4),
        'net/ip-in-ip6': directed(ip_in6, both),
        'net/ipip-http': directed(ip_in4, http),
        'net/ip-nested-3': plain(nested(3), dns),
        'net/ip-nested-40': plain(nested(40), dns),
        'net/gre': directed(carry4(47, gre(0))),
        'net/gre-http': directed(carry4(47, gre(0)), http),
        'net/gre-key-sequence': directed(carry4(47, gre(0x3000, struct.pack('>2I', 42, 1)))),
        'net/gre-checksum': directed(carry4(47, gre_checksum), dns),
        'net/gre-ethernet': directed(carry4(47, gre(0, kind=0x6558, body=full))),
        'net/gre-pptp': directed(carry4(47, gre_pptp)),
        'net/gre-routing': directed(carry4(47, gre_routing), dns),
        'net/gre-frame-relay': directed(carry4(47, frame_relay_in_gre), dns),
        'net/gre-mpls': directed(carry4(47, gre(0, struct.pack('>I', 17 << 12 | 0x140), 0x8847)), dns),
        'net/gre-over-ip6': directed(carry6(47, gre(0)), dns),
        'net/gre-cut': pcap_bytes(
            packets(
                *[
                    carry4(47, lambda frame, size=size: gre(0xF000, bytes(size))(frame)[:size])(dns[0].data, False)
                    for size in range(0, 16, 3)
                ]
            )
        ),
        'net/erspan1': directed(carry4(47, erspan(1))),
        'net/erspan2': directed(carry4(47, erspan(2))),
        'net/erspan3': directed(carry4(47, erspan(3))),
        'net/vxlan-dns': directed(over_udp(4789, vxlan)),
        'net/vxlan-inner-vlan': directed(over_udp(4789, vxlan_vlan), dns),
        'net/vxlan-gpe-ip': directed(
            over_udp(4790, lambda frame: vxlan_gpe(1 if inner(frame)[0] == IP4 else 2, packet_of)(frame))
        ),
        'net/vxlan-gpe-ethernet': directed(over_udp(4790, vxlan_gpe(3, full)), dns),
        'net/vxlan-gpe-nsh': directed(over_udp(4790, vxlan_gpe(4, lambda frame: nsh(3, frame))), dns),
        'net/geneve': directed(over_udp(6081, geneve())),
        'net/geneve-options': directed(over_udp(6081, geneve(opaque * 2)), dns),
        'net/geneve-ip': directed(
            over_udp(6081, lambda frame: geneve(kind=inner(frame)[0], body=packet_of)(frame)), both
        ),
        'net/geneve-bad': directed(over_udp(6081, geneve(version=1)), dns),
        'net/gtp-user': directed(over_udp(2152, gtp_user, 2152)),
        'net/gtp-extended': directed(over_udp(2152, gtp_extended, 2152), dns),
        'net/gtp-control': pcap_bytes(gtp_echo()),
        'net/ah-tunnel': directed(carry4(51, authenticated)),
        'net/ah-transport': plain(authenticated_transport, dns[:1]),
        'net/esp': pcap_bytes(encrypted()),
        'net/ip6-extensions': plain(extended(HOP, DESTINATION, ROUTING), dns6),
        'net/ip6-atomic-fragment': plain(extended(HOP, ATOMIC), dns6),
        'net/ip6-extensions-many': plain(extended(*[DESTINATION] * 30), dns6),
        'net/ip4-options': plain(options4, dns[:1]),
        'net/vxlan-in-gre-in-vlan': directed(
            lambda frame, answer: tagged((VLAN, 9))(
                carry4(47, gre(0, kind=0x6558, body=lambda one: over_udp(4789, vxlan)(one, answer)))(frame, answer)
            ),
            dns,
        ),
        'net/sctp': pcap_bytes(packets(*association())),
        'net/sctp6': pcap_bytes(packets(*association('2001:db8:1::10', '2001:db8:2::20', ip6, IP6))),
        'net/sctp-malformed': pcap_bytes(packets(*sctp_odd())),
        'net/other-protocols': pcap_bytes(packets(*other_protocols())),
        'net/lying-lengths': pcap_bytes(packets(*lying_lengths())),
        'net/cut-everywhere': pcap_bytes(packets(*cut_everywhere(dns[0].data))),
        'net/cut-everywhere6': pcap_bytes(packets(*cut_everywhere(dns6[0].data))),
        'net/strange-addresses': pcap_bytes(packets(*strange_addresses())),
    }
    out.update(fragment_captures())
    return out
