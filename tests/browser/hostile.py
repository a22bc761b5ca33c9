#!/usr/bin/env python3
"""Write a capture whose values are made to hurt a page: markup, scripts, marks that turn text around, 16 KB in one value,
bytes that are no UTF-8.

    tests/browser/hostile.py OUT.pcap
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'tools', 'traffic'))
from frames import IP4, UDP, Packet, ethernet, ip4, pcap_bytes, udp     # noqa: E402
from wrap_tcp import MILLI, SECOND, START, Talk                         # noqa: E402

SCRIPT = b'<script>window.hurt=1</script>'
IMAGE = b'"><img src=x onerror=window.hurt=2>'
TURNED = 'exe.\u202etxt.\u2066evil\u2069\u200f'.encode()
BROKEN = b'\xff\xfe\xc3(\xa0\x80broken'
LONG = b'long-' + b'A' * 16384
ANSWER = (b'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: ' + SCRIPT + b'\r\nContent-Length: %d\r\n\r\n%s')


def http(port, path, host, agent, more=b'', start=START):
    body = SCRIPT + IMAGE + BROKEN + TURNED + b'{{7*7}} ${7*7}'
    request = b'GET /' + path + b' HTTP/1.1\r\nHost: ' + host + b'\r\nUser-Agent: ' + agent + b'\r\n' + more + b'\r\n'
    return Talk(port, start=start).open().say('c', request, 1400).say('s', ANSWER % (len(body), body)).close().packets


def question(label, time):
    name = b''.join(bytes([len(part)]) + part for part in (label, b'example')) + b'\0'
    data = struct.pack('>6H', 7, 0x0100, 1, 0, 0, 0) + name + struct.pack('>2H', 1, 1)
    return Packet(time, ethernet(IP4, ip4(UDP, udp(5353, 53, data))))


def packets():
    found = []
    for number, value in enumerate((SCRIPT, IMAGE, TURNED, BROKEN, LONG)):
        start = START + number * SECOND
        plain = value.replace(b' ', b'%20')
        found += http(41000 + number, plain, b'host' + (value if len(value) < 200 else b''), value,
                      b'Cookie: a=' + value[:200] + b'\r\nReferer: javascript:alert(1)\r\n', start)
        found.append(question(value[:60], start + 500 * MILLI))
    return sorted(found, key=lambda packet: packet.time)


def main():
    with open(sys.argv[1], 'wb') as stream:
        stream.write(pcap_bytes(packets()))


main()
