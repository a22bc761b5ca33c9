#!/usr/bin/env python3
"""Write a MaxMind database (format 2.0, records of 24 bits) of a few networks.

    mmdb.py OUT.mmdb TYPE < JSON    {"NETWORK": {value}, ...}: IPv6 networks, or IPv4 ones (at ::a.b.c.d/96)
"""
import ipaddress
import json
import struct
import sys


class Short(int):
    """One that is stored in 16 bits."""


def control(kind, size):
    head = bytes([(kind << 5 if kind < 8 else 0) | min(size, 29)]) + (b'' if kind < 8 else bytes([kind - 7]))
    return head + (bytes([size - 29]) if size >= 29 else b'')


def encode(value):
    if isinstance(value, dict):
        return control(7, len(value)) + b''.join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b''.join(encode(v) for v in value)
    if isinstance(value, Short):
        return control(5, 2) + value.to_bytes(2, 'big')
    if isinstance(value, int):
        number = value.to_bytes((value.bit_length() + 7) // 8, 'big')
        return control(6 if value < 1 << 32 else 9, len(number)) + number
    text = value.encode()
    return control(2, len(text)) + text


def main():
    path, kind = sys.argv[1:3]
    networks = json.load(sys.stdin)
    nodes, data = [[None, None]], b''
    for text, value in networks.items():
        network = ipaddress.ip_network(text)
        bits, length = int(network.network_address), network.prefixlen + (96 if network.version == 4 else 0)
        node = 0
        for depth in range(length - 1):
            side = bits >> (127 - depth) & 1
            if nodes[node][side] is None:
                nodes.append([None, None])
                nodes[node][side] = len(nodes) - 1
            node = nodes[node][side]
        nodes[node][bits >> (128 - length) & 1] = ('data', len(data))
        data += encode(value)

    def record(to):
        number = len(nodes) if to is None else to if isinstance(to, int) else len(nodes) + 16 + to[1]
        return struct.pack('>I', number)[1:]

    tree = b''.join(record(left) + record(right) for left, right in nodes)
    meta = {'binary_format_major_version': Short(2), 'binary_format_minor_version': Short(0), 'build_epoch': 1 << 40,
            'database_type': kind, 'description': {'en': 'test'}, 'ip_version': Short(6), 'languages': ['en'],
            'node_count': len(nodes), 'record_size': Short(24)}
    with open(path, 'wb') as out:
        out.write(tree + bytes(16) + data + b'\xab\xcd\xefMaxMind.com' + encode(meta))


main()
