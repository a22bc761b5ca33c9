"""Captures of other link types and of layer-2 encapsulations, around packets that were recorded on Ethernet.

Each function is a capture: it takes the recorded packets and returns the bytes of the file. Sources of the layouts:
tcpdump.org/linktypes.html, IEEE 802.1Q/802.1ad/802.2/802.11, RFC 1661, 2427, 2516, 3032, 4385, 8300.
"""
import struct
import zlib

from frames import IP4, IP6, MPLS, QINQ, VLAN, Packet, ethernet, ip4, mapped, packets, pcap_bytes, turned, udp, vlan


def inner(frame):
    """(ethertype, packet) of an untagged frame."""
    return int.from_bytes(frame[12:14], 'big'), frame[14:]


def around(frame, kind, payload):
    return frame[:12] + struct.pack('>H', kind) + payload


def tagged(*tags):
    """A change that puts VLAN tags, (ethertype, id) outermost first, in front of the payload."""

    def change(frame):
        kind, payload = inner(frame)
        for tpid, number in reversed(tags):
            kind, payload = tpid, vlan(kind, payload, number)
        return around(frame, kind, payload)

    return change


def labelled(*labels, lead=b''):
    """A change that puts an MPLS label stack, and what may follow it, in front of the payload."""

    def change(frame):
        payload = inner(frame)[1]
        stack = b''.join(
            struct.pack('>I', label << 12 | (number == len(labels) - 1) << 8 | 64)
            for number, label in enumerate(labels)
        )
        return around(frame, MPLS, stack + lead + payload)

    return change


def pseudowire(frame):
    """The whole frame behind a label and a control word (RFC 4448)."""
    return around(frame, MPLS, struct.pack('>2I', 3001 << 12 | 0x140, 0) + frame)


def ppp_protocol(frame):
    return {IP4: b'\0\x21', IP6: b'\0\x57'}[inner(frame)[0]]


def pppoe(frame):
    payload = inner(frame)[1]
    return around(
        frame, 0x8864, struct.pack('>2B2H', 0x11, 0, 0x0042, 2 + len(payload)) + ppp_protocol(frame) + payload
    )


def pppoe_discovery():
    tags = b'\x01\x01\0\0' + b'\x01\x03\0\x04host'
    return [
        ethernet(0x8863, struct.pack('>2B2H', 0x11, code, session, len(tags)) + tags)
        for code, session in ((9, 0), (7, 0), (0x19, 0), (0x65, 0x42), (0xA7, 0x42))
    ]


def snap(frame):
    kind, payload = inner(frame)
    data = b'\xaa\xaa\x03\0\0\0' + struct.pack('>H', kind) + payload
    return around(frame, len(data), data)


def llc_others():
    stp = b'\x42\x42\x03' + bytes(2) + b'\0\0\0' + bytes(32)
    xid = b'\0\x01\xaf\x81\x01\0'
    isis = b'\xfe\xfe\x03\x83\x1b\x01\0\x0f\x01\0\0' + bytes(20)
    test = b'\0\0\xf3' + bytes(8)
    return [
        ethernet(len(data), data + bytes(46 - len(data) if len(data) < 46 else 0)) for data in (stp, xid, isis, test)
    ]


def nsh(next_protocol, payload):
    """RFC 8300 with a fixed-length context (MD type 1)."""
    return struct.pack('>HBBI', 0x0FC6, 1, next_protocol, 0x00012AFF) + bytes(range(16)) + payload


def nsh_frame(frame):
    kind, payload = inner(frame)
    return around(frame, 0x894F, nsh(2 if kind == IP6 else 1, payload))


def nsh_ethernet(frame):
    return around(frame, 0x894F, nsh(3, frame))


def cisco_metadata(frame):
    kind, payload = inner(frame)
    return around(frame, 0x8909, struct.pack('>2B2H', 1, 1, 0x0012, 5) + struct.pack('>H', kind) + payload)


def padded(frame):
    return frame + bytes(max(0, 60 - len(frame))) + b'\xde\xad\xbe\xef'


def lldp():
    def tlv(kind, data):
        return struct.pack('>H', kind << 9 | len(data)) + data

    body = (
        tlv(1, b'\4' + bytes.fromhex('00005e005301'))
        + tlv(2, b'\5port1')
        + tlv(3, b'\0\x78')
        + tlv(5, b'switch-1')
        + tlv(0, b'')
    )
    return ethernet(0x88CC, body, target=bytes.fromhex('0180c200000e'))


def sll(frame, answer, version=1):
    kind, payload = inner(frame)
    if version == 2:
        return struct.pack('>2HIH2B', kind, 0, 3, 1, 0 if answer else 4, 6) + frame[6:12] + bytes(2) + payload
    return struct.pack('>3H', 0 if answer else 4, 1, 6) + frame[6:12] + bytes(2) + struct.pack('>H', kind) + payload


def sll_vlan(frame, answer):
    kind, payload = inner(frame)
    return sll(frame, answer)[:14] + struct.pack('>H', VLAN) + vlan(kind, payload, 77)


def family(order, four, six):
    def change(frame):
        kind, payload = inner(frame)
        return struct.pack(order + 'I', four if kind == IP4 else six) + payload

    return change


def radiotap(body, flags=None):
    """A radiotap header with nothing in it, or with the flags field alone."""
    head = struct.pack('<2BHI', 0, 0, 8, 0) if flags is None else struct.pack('<2BHIB', 0, 0, 9, 2, flags)
    return head + body


def wifi(frame, answer, qos=False, protected=False, between=False):
    """An 802.11 data frame: to the access point, or from it for an answer; between two of them with four addresses."""
    kind, payload = inner(frame)
    base, target, source = bytes.fromhex('00005e0053ff'), frame[:6], frame[6:12]
    direction = 3 if between else 2 if answer else 1
    addresses = {1: (base, source, target), 2: (target, base, source), 3: (base, base, target)}[direction]
    head = (
        struct.pack('<2BH', 0x88 if qos else 0x08, direction | (0x40 if protected else 0), 44)
        + b''.join(addresses)
        + struct.pack('<H', 16)
    )
    head += (source if between else b'') + (b'\0\0' if qos else b'')
    body = bytes(range(8)) + payload[::-1] if protected else b'\xaa\xaa\x03\0\0\0' + struct.pack('>H', kind) + payload
    return head + body


def wifi_all(frame, answer):
    return radiotap(wifi(frame, answer))


def wifi_mixed(list_of_packets):
    """QoS data, data with an FCS, four addresses, a protected frame, a beacon and an acknowledgement."""
    out = turned(list_of_packets, lambda frame, answer: radiotap(wifi(frame, answer, qos=True)))
    out += turned(list_of_packets, lambda frame, answer: radiotap(wifi(frame, answer) + b'\1\2\3\4', flags=0x10))
    out += turned(list_of_packets, lambda frame, answer: radiotap(wifi(frame, answer, between=True)))
    out += turned(list_of_packets[:1], lambda frame, answer: radiotap(wifi(frame, answer, protected=True)))
    beacon = b'\x80\0\0\0' + b'\xff' * 6 + bytes(12) + b'\0\0' + bytes(12) + b'\0\x04wifi'
    last = list_of_packets[-1].time
    return out + [Packet(last, radiotap(beacon)), Packet(last, radiotap(b'\xd4\0\0\0' + bytes(6)))]


def frame_relay(frame):
    kind, payload = inner(frame)
    return b'\x18\x41\x03' + (b'\xcc' if kind == IP4 else b'\x8e') + payload


def frame_relay_snap(frame):
    kind, payload = inner(frame)
    return b'\x18\x41\x03\0\x80\0\0\0' + struct.pack('>H', kind) + payload


def nflog(frame):
    kind, payload = inner(frame)

    def tlv(number, data):
        return struct.pack('<2H', 4 + len(data), number) + data + bytes(-len(data) % 4)

    return (
        struct.pack('>2BH', 2 if kind == IP4 else 10, 0, 5)
        + tlv(1, struct.pack('>HBx', kind, 1))
        + tlv(10, b'seine\0')
        + tlv(9, payload)
    )


def mpacket(frame):
    return b'\x55' * 7 + b'\xd5' + frame + struct.pack('<I', zlib.crc32(frame))


def ppp(frame):
    return ppp_protocol(frame) + inner(frame)[1]


def unknown_types():
    data = udp(4000, 53, b'never seen')
    return [ethernet(kind, ip4(17, data)) for kind in (0x9000, 0x88E5, 0x0601, 0xFFFF)]


def captures(dns, dns6, http):
    """{name: bytes of the file}"""
    both = dns + dns6
    plain = lambda change, source=both, **options: pcap_bytes(mapped(source, change), **options)
    directed = lambda change, source=both, **options: pcap_bytes(turned(source, change), **options)
    return {
        'net/vlan': plain(tagged((VLAN, 100)), http),
        'net/vlan-stacked': plain(tagged((QINQ, 10), (VLAN, 20))),
        'net/vlan-three': plain(tagged((VLAN, 1), (VLAN, 2), (VLAN, 3))),
        'net/vlan-zero': plain(tagged((VLAN, 0)), dns),
        'net/vlan-ten': plain(tagged(*[(VLAN, number) for number in range(10)]), dns),
        'net/vlan-one-side': directed(lambda frame, answer: tagged((VLAN, 55))(frame) if answer else frame, dns),
        'net/mpls': plain(labelled(16)),
        'net/mpls-stack': plain(labelled(100, 200, 300), dns),
        'net/mpls-pseudowire': plain(pseudowire, dns),
        'net/mpls-no-bottom': plain(lambda frame: around(frame, MPLS, b'\0\x01\0\x40' * 30), dns),
        'net/pppoe': plain(pppoe),
        'net/pppoe-discovery': pcap_bytes(packets(*pppoe_discovery())),
        'net/llc-snap': plain(snap),
        'net/llc-others': pcap_bytes(packets(*llc_others())),
        'net/nsh': plain(nsh_frame),
        'net/nsh-ethernet': plain(nsh_ethernet, dns),
        'net/cisco-metadata': plain(cisco_metadata, dns),
        'net/padding': plain(padded, dns),
        'net/lldp': pcap_bytes(packets(lldp())),
        'net/unknown-ethertypes': pcap_bytes(packets(*unknown_types())),
        'net/link-null': plain(family('<', 2, 30), link=0),
        'net/link-null-big': plain(family('>', 2, 24), link=0),
        'net/link-null-families': plain(family('<', 2, 10), link=0),
        'net/link-loop': plain(family('>', 2, 28), link=108),
        'net/link-raw': plain(lambda frame: frame[14:], link=101),
        'net/link-raw-12': plain(lambda frame: frame[14:], dns, link=12),
        'net/link-ipv4': plain(lambda frame: frame[14:], dns, link=228),
        'net/link-ipv6': plain(lambda frame: frame[14:], dns6, link=229),
        'net/link-sll': directed(sll, http, link=113),
        'net/link-sll-vlan': directed(sll_vlan, dns, link=113),
        'net/link-sll2': directed(lambda frame, answer: sll(frame, answer, 2), link=276),
        'net/link-radiotap': directed(wifi_all, link=127),
        'net/link-radiotap-mixed': pcap_bytes(wifi_mixed(dns), link=127),
        'net/link-ppp': plain(lambda frame: b'\xff\x03' + ppp(frame), link=9),
        'net/link-ppp-bare': plain(ppp, dns, link=9),
        'net/link-ppp-short': plain(lambda frame: ppp(frame)[1:], dns, link=9),
        'net/link-frame-relay': plain(frame_relay, link=107),
        'net/link-frame-relay-snap': plain(frame_relay_snap, dns, link=107),
        'net/link-nflog': plain(nflog, link=239),
        'net/link-mpacket': plain(mpacket, dns, link=274),
        'net/link-unsupported': plain(lambda frame: frame, dns, link=147),
    }
