"""Captures of TCP connections that a real pair of kernels does not produce on demand, and of sessions over long times.

A connection is written by Talk: one method per event, with sequence numbers kept for both sides. RFC 9293.
"""
import struct

from frames import IP4, IP6, UDP, Packet, ethernet, ip4, ip6, pcap_bytes, tcp, udp

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
REQUEST = b'GET /page?id=7 HTTP/1.1\r\nHost: tcp.example\r\nUser-Agent: talk/1\r\n\r\n'
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz'
START = 1767225600_000_000_000
MILLI = 1_000_000
SECOND = 1000 * MILLI


class Talk:
    """The frames of one connection; c_/s_ say who sends. A frame may be taken out or put elsewhere afterwards."""

    def __init__(self, port=40000, client_seq=1000, server_seq=5000, v6=False, start=START):
        self.port, self.seq, self.v6, self.time = port, {'c': client_seq, 's': server_seq}, v6, start
        self.packets = []

    def send(self, who, flags, data=b'', step=MILLI, seq=None, ack=None, **fields):
        """One segment at the current place; seq/ack given are used as they are and do not move the place."""
        other = 's' if who == 'c' else 'c'
        ends = ('2001:db8:1::10', '2001:db8:2::80') if self.v6 else ('192.0.2.10', '198.51.100.80')
        ports = (self.port, 80)
        if who == 's':
            ends, ports = ends[::-1], ports[::-1]
        place = self.seq[who] if seq is None else seq
        seen = (self.seq[other] if flags & ACK else 0) if ack is None else ack
        segment = tcp(*ports, place, seen, flags, data, source=ends[0], target=ends[1], **fields)
        packet = ip6(6, segment, *ends) if self.v6 else ip4(6, segment, *ends)
        if seq is None:
            self.seq[who] += len(data) + (1 if flags & (SYN | FIN) else 0)
        self.time += step
        macs = (bytes.fromhex('00005e00530a'), bytes.fromhex('00005e005301'))
        self.packets.append(
            Packet(self.time, ethernet(IP6 if self.v6 else IP4, packet, *(macs if who == 'c' else macs[::-1])))
        )
        return self

    def open(self):
        return self.send('c', SYN).send('s', SYN | ACK).send('c', ACK)

    def say(self, who, data, size=0):
        """Data, in segments of a size when one is given, acknowledged by the other side."""
        for offset in range(0, len(data), size or len(data)):
            self.send(who, ACK | PSH, data[offset : offset + (size or len(data))])
        return self.send('s' if who == 'c' else 'c', ACK)

    def close(self):
        return self.send('c', FIN | ACK).send('s', FIN | ACK).send('c', ACK)

    def usual(self):
        return self.open().say('c', REQUEST).say('s', ANSWER).close()

    def without(self, *numbers):
        self.packets = [packet for number, packet in enumerate(self.packets) if number not in numbers]
        return self

    def order(self, *numbers):
        """The same times, the frames in another order."""
        frames = [self.packets[number].data for number in numbers]
        for packet, frame in zip(self.packets, frames):
            packet.data = frame
        return self

    def pcap(self):
        return pcap_bytes(self.packets)


def usual_in_parts(port=40000, **options):
    """0-2 handshake, 3-6 the request in four segments, 7 ACK, 8-11 the answer in four, 12 ACK, 13-15 the end."""
    return Talk(port, **options).open().say('c', REQUEST, 18).say('s', ANSWER, 24).close()


def overlaps():
    """Segments that cover bytes already sent: equal, longer, shorter, different, and reaching back before the start."""
    talk = Talk(40010).open()
    base = talk.seq['c']
    talk.send('c', ACK, REQUEST[:20]).send('c', ACK, REQUEST[:20], seq=base)  # the same again
    talk.send('c', ACK, REQUEST[:40], seq=base)  # and more
    talk.send('c', ACK, REQUEST[30:50], seq=base + 30)  # half old, half new
    talk.send('c', ACK, b'X' * 20, seq=base + 20)  # old bytes with other content
    talk.send('c', ACK | PSH, REQUEST[45:], seq=base + 45)
    talk.seq['c'] = base + len(REQUEST)
    return talk.send('s', ACK).say('s', ANSWER).close().pcap()


def overlap_ahead():
    """A later segment is there first; the one that fills the hole also covers its beginning with other bytes."""
    talk = Talk(40011).open()
    base = talk.seq['c']
    talk.send('c', ACK, REQUEST[20:40], seq=base + 20).send('c', ACK, REQUEST[:20] + b'YYYYY', seq=base).send(
        'c', ACK | PSH, REQUEST[40:], seq=base + 40
    )
    talk.seq['c'] = base + len(REQUEST)
    return talk.send('s', ACK).say('s', ANSWER).close().pcap()


def odd_flags():
    packets = []
    for number, flags in enumerate(
        (
            0,
            FIN,
            FIN | PSH | URG,
            0xFF,
            SYN | FIN,
            SYN | RST,
            RST,
            RST | ACK,
            ACK,
            PSH,
            SYN | ACK,
            SYN | ECE | CWR,
            FIN | ACK,
        )
    ):
        packets += Talk(41000 + number, start=START + number * SECOND).send('c', flags).packets
    return pcap_bytes(
        packets
        + Talk(41100, start=START + 60 * SECOND)
        .send('c', SYN, more=1)
        .send('s', SYN | ACK, more=1)
        .send('c', ACK, more=1)
        .packets
    )


def resets():
    """A reset outside the window, one at the right place, and data after it."""
    talk = Talk(40020).open().say('c', REQUEST)
    talk.send('s', RST, seq=talk.seq['s'] + 100000).say('s', ANSWER).send('s', RST | ACK)
    return talk.send('c', ACK, b'too late').pcap()


def second_connection():
    """The same ports again with another beginning: after the end, and without one."""
    first = Talk(40021).usual()
    again = Talk(40021, 900000, 800000, start=first.time + SECOND).usual()
    open_end = Talk(40022, start=START).open().say('c', REQUEST)
    over = Talk(40022, 700000, 600000, start=open_end.time + SECOND).usual()
    return pcap_bytes(
        sorted(first.packets + again.packets + open_end.packets + over.packets, key=lambda packet: packet.time)
    )


def both_open():
    """Both sides send a SYN first."""
    talk = Talk(40023)
    talk.send('c', SYN).send('s', SYN)
    talk.send('c', SYN | ACK, seq=1000, ack=5001).send('s', SYN | ACK, seq=5000, ack=1001)
    return talk.say('c', REQUEST).say('s', ANSWER).close().pcap()


def retried_syn():
    talk = Talk(40024).send('c', SYN)
    talk.send('c', SYN, seq=1000, step=SECOND).send('c', SYN, seq=1000, step=2 * SECOND)
    talk.send('s', SYN | ACK).send('s', SYN | ACK, seq=5000, ack=1001).send('c', ACK)
    return talk.say('c', REQUEST).say('s', ANSWER).close().pcap()


def data_in_syn():
    return (
        Talk(40025)
        .send('c', SYN, REQUEST, options=b'\x02\x04\x05\xb4\x22\x02\x01\x01')
        .send('s', SYN | ACK, ack=1001 + len(REQUEST))
        .send('c', ACK)
        .say('s', ANSWER)
        .close()
        .pcap()
    )


def wrap():
    """Sequence numbers that pass 2^32 inside the data of both sides, out of order there."""
    talk = usual_in_parts(40026, client_seq=0xFFFFFFFF - 20, server_seq=0xFFFFFFFF - 30)
    return talk.order(0, 1, 2, 4, 3, 6, 5, 7, 9, 8, 11, 10, 12, 13, 14, 15).pcap()


def far_ahead():
    """More held segments than any reader should keep: 400 of 10 bytes, the first one missing, then there."""
    talk = Talk(40027).open()
    base = talk.seq['c']
    for number in range(1, 400):
        talk.send('c', ACK, b'%09d\n' % number, seq=base + number * 10, step=MILLI // 10)
    talk.send('c', ACK, b'%09d\n' % 0, seq=base)
    talk.seq['c'] = base + 4000
    return talk.send('s', ACK).close().pcap()


def kept_alive():
    """One byte before the place, as keepalive probes send it, and a window probe behind a closed window."""
    talk = Talk(40028).open().say('c', REQUEST).say('s', ANSWER[:30])
    talk.send('c', ACK, b'\0', seq=talk.seq['c'] - 1, step=30 * SECOND).send('s', ACK).send(
        'c', ACK, seq=talk.seq['c'] - 1, step=30 * SECOND
    ).send('s', ACK)
    talk.send('c', ACK, window=0).send('s', ACK, ANSWER[30:31]).send('c', ACK, window=0, ack=talk.seq['s'] - 1)
    return talk.say('s', ANSWER[31:]).close().pcap()


def long_session(every, count, port):
    """An exchange every so many seconds: over the limits for idle and for long-open sessions."""
    talk = Talk(port).open()
    for number in range(count):
        talk.send('c', ACK | PSH, b'ping %03d\n' % number, step=every * SECOND).send(
            's', ACK | PSH, b'pong %03d\n' % number
        ).send('c', ACK)
    return talk.close().pcap()


def query(ident, port, time):
    data = struct.pack('>6H', ident, 0x0100, 1, 0, 0, 0) + b'\x04time\x07example\0\0\1\0\1'
    return Packet(
        time, ethernet(IP4, ip4(UDP, udp(port, 53, data, '192.0.2.10', '198.51.100.53'), '192.0.2.10', '198.51.100.53'))
    )


def captures(dns, _, http):
    parts = usual_in_parts
    order = range(16)
    return {
        'tcp/usual-in-parts': parts().pcap(),
        'tcp/usual-in-parts6': parts(v6=True).pcap(),
        'tcp/no-syn': parts().without(0, 1, 2).pcap(),
        'tcp/no-first-syn': parts().without(0).pcap(),
        'tcp/no-syn-ack': parts().without(1).pcap(),
        'tcp/client-only': parts().without(1, 7, 8, 9, 10, 11, 14).pcap(),
        'tcp/server-only': parts().without(0, 2, 3, 4, 5, 6, 12, 13, 15).pcap(),
        'tcp/lost-in-request': parts().without(4).pcap(),
        'tcp/lost-in-answer': parts().without(9).pcap(),
        'tcp/lost-first-of-answer': parts().without(8).pcap(),
        'tcp/lost-in-both': parts().without(5, 10).pcap(),
        'tcp/out-of-order': parts().order(0, 1, 2, 6, 5, 4, 3, 7, 11, 8, 10, 9, 12, 13, 14, 15).pcap(),
        'tcp/syn-ack-before-syn': parts().order(1, 0, *order[2:]).pcap(),
        'tcp/data-before-syn': parts().order(3, 0, 1, 2, *order[4:]).pcap(),
        'tcp/fin-before-data': parts().order(*order[:11], 12, 14, 11, 13, 15).pcap(),
        'tcp/answer-before-request': parts().order(0, 1, 2, 8, 9, 10, 11, 12, 3, 4, 5, 6, 7, 13, 14, 15).pcap(),
        'tcp/overlaps': overlaps(),
        'tcp/overlap-ahead': overlap_ahead(),
        'tcp/odd-flags': odd_flags(),
        'tcp/resets': resets(),
        'tcp/second-connection': second_connection(),
        'tcp/both-open': both_open(),
        'tcp/retried-syn': retried_syn(),
        'tcp/data-in-syn': data_in_syn(),
        'tcp/wrap': wrap(),
        'tcp/far-ahead': far_ahead(),
        'tcp/probes': kept_alive(),
        'tcp/no-end': Talk(40030).open().say('c', REQUEST).say('s', ANSWER).pcap(),
        'tcp/idle-10-minutes': long_session(600, 3, 40031),
        'tcp/open-40-minutes': long_session(120, 20, 40032),
        'tcp/two-tuples-one-transport': pcap_bytes(Talk(40033).usual().packets + [query(1, 40033, START + SECOND)]),
        'tcp/backwards-clock': pcap_bytes(
            [
                Packet(packet.time - number * 3 * MILLI, packet.data)
                for number, packet in enumerate(parts(40034).packets)
            ]
        ),
        'udp/same-tuple-later': pcap_bytes(
            [query(1, 5353, START), query(2, 5353, START + 30 * SECOND), query(3, 5353, START + 200 * SECOND)]
        ),
        'http/no-handshake': pcap_bytes(http[3:]),
        'http/first-half': pcap_bytes(http[:5]),
        'dns/answer-only': pcap_bytes(dns[1:]),
        'dns/answer-first': pcap_bytes([Packet(dns[0].time, dns[1].data), Packet(dns[1].time, dns[0].data)]),
    }
