#!/usr/bin/env python3
"""tools/resegment: the same stream in other pieces, and hands off everything else. Prints TAP."""
import importlib.util
import os
import struct
import sys
import unittest
from importlib.machinery import SourceFileLoader

sys.dont_write_bytecode = True
TOOL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'resegment')
loader = SourceFileLoader('resegment', TOOL)
resegment = importlib.util.module_from_spec(importlib.util.spec_from_loader('resegment', loader))
loader.exec_module(resegment)

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
A, B = (bytes([192, 0, 2, 1]), 1000), (bytes([192, 0, 2, 2]), 80)
A6, B6 = (bytes(15) + b'\1', 1000), (bytes(15) + b'\2', 80)


def sums_right(frame):
    """Whether the IP and TCP checksums of an Ethernet frame without VLAN are right."""
    ip = frame[14:]
    if ip[0] >> 4 == 4:
        pseudo, tcp = ip[12:20] + struct.pack('>2H', 6, len(ip) - 20), ip[20:]
        if resegment.checksum(ip[:20]) != 0:
            return False
    else:
        pseudo, tcp = ip[8:40] + struct.pack('>I3xB', len(ip) - 40, 6), ip[40:]
    return resegment.checksum(pseudo + tcp) == 0


def frame(source, target, sequence, data=b'', flags=ACK, options=b'', vlan=b'', trailer=b'', fragment=0):
    tcp = (
        struct.pack(
            '>2H2I2B3H',
            source[1],
            target[1],
            sequence & 0xFFFFFFFF,
            77,
            (5 + len(options) // 4) << 4,
            flags,
            1024,
            0,
            0,
        )
        + options
        + data
    )
    if len(source[0]) == 4:
        ip = struct.pack('>2B3H2B2x', 0x45, 0, 20 + len(tcp), 9, fragment, 64, 6) + source[0] + target[0]
        kind = b'\x08\x00'
    else:
        ip = struct.pack('>IH2B', 0x60000000, len(tcp), 6, 64) + source[0] + target[0]
        kind = b'\x86\xdd'
    return bytes(12) + vlan + kind + ip + tcp + trailer


def capture(*frames, order='<', magic=0xA1B2C3D4, link=1):
    out = struct.pack(order + 'I2H4I', magic, 2, 4, 0, 0, 65535, link)
    for number, data in enumerate(frames):
        wire, data = data if isinstance(data, tuple) else (len(data), data)
        out += struct.pack(order + '4I', 100 + number, number, len(data), wire) + data
    return out


def frames(data):
    return [record[2] for record in resegment.capture_read(data)[2]]


def run(data, mode):
    return resegment.capture_rewrite(data, mode.split('+'))


def stream(data, source):
    """The bytes of one direction, put together by sequence number behind its SYN."""
    base, held = None, {}
    for one in frames(data):
        segment = resegment.segment_parse(one)
        if not segment or segment.direction[1] != source[0] + struct.pack('>H', source[1]):
            continue
        start = (segment.sequence + (1 if segment.flags & SYN else 0)) & 0xFFFFFFFF
        if base is None:
            base = start
        for number, byte in enumerate(one[segment.data :]):
            held.setdefault((start - base + number) & 0xFFFFFFFF, byte)
    assert sorted(held) == list(range(len(held))), 'holes'
    return bytes(held[place] for place in sorted(held))


TALK = [
    frame(A, B, 0xFFFFFFF8, flags=SYN),
    frame(B, A, 500, flags=SYN | ACK),
    frame(A, B, 0xFFFFFFF9),
    frame(A, B, 0xFFFFFFF9, b'GET / HTTP/1.1\r\n', ACK),
    frame(A, B, 9, b'Host: x\r\n\r\n', ACK | PSH),
    frame(B, A, 501),
    frame(B, A, 501, b'HTTP/1.1 200', ACK),
    frame(A, B, 20),
    frame(B, A, 513, b' OK\r\n\r\n', ACK | PSH | FIN),
]
TALK6 = [frame(A6, B6, 1, flags=SYN), frame(A6, B6, 2, b'abcdefg', ACK | PSH)]


class Split(unittest.TestCase):
    def test_stream_stays(self):
        for talk, ends in ((TALK, (A, B)), (TALK6, (A6, B6))):
            for mode in ('split1', 'split3', 'split3+swap', 'split1+dup', 'dup', 'swap'):
                out = run(capture(*talk), mode)
                self.assertEqual(
                    out == capture(*talk), talk is TALK6 and mode == 'swap'
                )  # one segment: nothing to swap
                for end in ends:
                    self.assertEqual(stream(out, end), stream(capture(*talk), end), mode)

    def test_sizes_flags_and_checksums(self):
        for mode, size in (('split1', 1), ('split3', 3)):
            for talk in (TALK, TALK6):
                out = frames(run(capture(*talk), mode))
                segments = [segment for segment in map(resegment.segment_parse, out) if segment.size]
                self.assertTrue(all(segment.size <= size and sums_right(segment.frame) for segment in segments))
        last = [segment for segment in segments if segment.flags & PSH]
        self.assertEqual([(segment.sequence, segment.size) for segment in last], [(8, 1)])

    def test_fin_and_rst_on_the_last_piece_only(self):
        for flag in (FIN, RST):
            out = frames(run(capture(frame(A, B, 5, b'abcd', ACK | flag)), 'split1'))
            self.assertEqual([bool(one[47] & flag) for one in out], [False, False, False, True])

    def test_syn_with_data(self):
        mss = bytes([2, 4, 5, 0xB4, 1, 3, 3, 7, 4, 2, 1, 1])
        out = [
            resegment.segment_parse(one) for one in frames(run(capture(frame(A, B, 10, b'abc', SYN, mss)), 'split1'))
        ]
        self.assertEqual([(one.sequence, one.flags & SYN) for one in out], [(10, SYN), (12, 0), (13, 0)])
        self.assertEqual(out[0].frame[54:66], mss)
        self.assertEqual(out[1].frame[54:66], bytes([1] * 12))

    def test_vlan_big_endian_nanoseconds(self):
        tagged = frame(A, B, 5, b'abc', vlan=b'\x88\xa8\0\x05\x81\0\0\x06')
        data = capture(tagged, order='>', magic=0xA1B23C4D)
        out = run(data, 'split1')
        self.assertEqual(out[:24], data[:24])
        self.assertEqual([one[12:20] for one in frames(out)], [tagged[12:20]] * 3)


class Swap(unittest.TestCase):
    def test_second_comes_first_and_times_stay(self):
        data = capture(*TALK)
        out = run(data, 'swap')
        self.assertEqual(frames(out), TALK[:3] + [TALK[4], TALK[3], TALK[5], TALK[8], TALK[6], TALK[7]])
        stamps = [record[0] for record in resegment.capture_read(out)[2]]
        self.assertEqual(stamps, sorted(stamps, key=lambda stamp: struct.unpack('<2I', stamp)))

    def test_other_connections_stay(self):
        other = frame((A[0], 1001), B, 7, b'other', ACK)
        out = frames(run(capture(*TALK[:4], other, *TALK[4:]), 'swap'))
        self.assertEqual(out[3:6], [TALK[4], other, TALK[3]])

    def test_not_across_an_answer_nor_a_gap_nor_without_syn(self):
        answer = [TALK[0], TALK[3], TALK[6], TALK[4]]
        gap = [TALK[0], TALK[3], frame(A, B, 10, b'later')]
        same = [TALK[0], TALK[3], TALK[3]]
        for packets in (answer, gap, same, TALK[3:5]):
            self.assertEqual(run(capture(*packets), 'swap'), capture(*packets))


class Unchanged(unittest.TestCase):
    def test_what_is_none_of_our_business(self):
        whole = frame(A, B, 5, b'abcd')
        tunnel = (
            bytes(12)
            + b'\x08\0'
            + b'\x45\0'
            + struct.pack('>H', 20 + len(whole) - 14)
            + bytes(5)
            + b'\x04'
            + bytes(10)
            + whole[14:]
        )
        others = [
            frame(A, B, 5, b'abcd', trailer=b'\0\0'),
            frame(A, B, 5, b'abcd', flags=ACK | URG),
            frame(A, B, 5, b'abcd', fragment=0x2000),
            frame(A, B, 5, b'abcd', fragment=3),
            tunnel,
            (200, whole),
            whole[:-2],
            whole[:30],
            b'',
            bytes(14),
            bytes(12) + b'\x08\x06' + bytes(28),
            bytes(12) + b'\x08\0' + bytes(40),
            frame(A, B, 5),
        ]
        for mode in resegment.MODES:
            self.assertEqual(run(capture(*others), mode), capture(*others), mode)

    def test_header_length_beyond_the_packet(self):
        for nibble in (0x00, 0x40, 0xF0):
            one = bytearray(frame(A, B, 5, b'abcd'))
            one[46] = nibble
            self.assertEqual(run(capture(bytes(one)), 'split1'), capture(bytes(one)))

    def test_cut_last_packet_is_kept(self):
        data = capture(*TALK)[:-5]
        self.assertTrue(run(data, 'split1').endswith(data[-20:]))

    def test_not_a_capture(self):
        for data in (b'', b'text\n', b'\x0a\x0d\x0d\x0a' + bytes(40), capture(link=113), capture()[:20]):
            with self.assertRaises(ValueError):
                run(data, 'dup')


class Tap(unittest.TextTestResult):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.number = 0

    def line(self, word, test, said=''):
        self.number += 1
        print('%s %d - %s' % (word, self.number, test.id().partition('.')[2]))
        for text in said.splitlines():
            print('# ' + text)

    def addSuccess(self, test):
        super().addSuccess(test)
        self.line('ok', test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line('not ok', test, self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self.line('not ok', test, self._exc_info_to_string(err, test))


if __name__ == '__main__':
    tests = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    print('1..%d' % tests.countTestCases())
    with open(os.devnull, 'w', encoding='ascii') as quiet:
        result = unittest.TextTestRunner(stream=quiet, resultclass=Tap).run(tests)
    sys.exit(not result.wasSuccessful())
