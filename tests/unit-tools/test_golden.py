#!/usr/bin/env python3
"""tools/golden: that each of its checks can fail, with a program in place of seine that says what it is told. Prints TAP."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
TOOL = os.path.join(HERE, '..', '..', 'tools', 'golden')
# Documents from `documents.json` beside it, changed by what the command line asks for
PROGRAM = """#!/usr/bin/env python3
import json, os, sys
here = os.path.dirname(os.path.abspath(__file__))
rules = json.load(open(os.path.join(here, 'rules.json')))
if sys.argv[1] == 'fields':
    print(json.dumps(rules['fields']))
    sys.exit(0)
name, workers = sys.argv[-1], sys.argv[sys.argv.index('--workers') + 1]
if rules.get('crash') == name:
    sys.stderr.write('==1==ERROR: AddressSanitizer: heap-use-after-free\\n')
    sys.exit(99)
data = sys.stdin.buffer.read() if name == '-' else open(name, 'rb').read()
if data[:2] == b'\\x1f\\x8b':
    import gzip
    data = gzip.decompress(data)
documents = json.loads(json.dumps(rules['documents']))
for document in documents:
    document['length'] = len(data)
    document['protocol'] = rules.get('named', {}).get(name, document['protocol'])
    if workers in rules.get('workers', []):
        document['protocol'] = ['udp']
    if name.endswith('.gz') and rules.get('packed'):
        document['protocol'] = ['gz']
    if len(data) != rules['size'] and rules.get('segments'):
        document['protocol'] = ['cut']
    print(json.dumps(document))
sys.stderr.write('seine: %s: at byte 7: damaged\\nseine: 2 packets, 1 sessions\\n' % name)
sys.exit(rules.get('exit', 0))
"""


def side(packets, size):
    return {'packets': packets, 'bytes': size}


def document(**more):
    return {
        'id': 'one',
        '@timestamp': 5,
        'firstPacket': 1,
        'packetRange': {'gte': 1, 'lte': 2},
        'source': side(1, 60),
        'destination': side(2, 140),
        'network': side(3, 200),
        'client': {'bytes': 1},
        'server': {'bytes': 2},
        'totDataBytes': 3,
        'protocol': ['tcp'],
        'protocolCnt': 1,
        **more,
    }


def capture():
    """A pcap with one TCP segment of six bytes behind Ethernet and IPv4."""
    tcp = struct.pack('>2H2I2B3H', 1000, 80, 1, 1, 0x50, 0x18, 100, 0, 0) + b'abcdef'
    ip = struct.pack('>2B3H2BH4s4s', 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, b'\xc0\0\2\1', b'\xc0\0\2\2') + tcp
    frame = bytes(12) + b'\x08\0' + ip
    return struct.pack('<I2H4I', 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack('<4I', 1, 0, len(frame), len(frame)) + frame


class Golden(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.root = os.path.join(self.folder, 'golden')
        os.makedirs(os.path.join(self.root, 'group'))
        self.write('golden/golden.ini', '')
        self.write('golden/group/x.pcap', capture())
        self.write('seine', PROGRAM)
        os.chmod(os.path.join(self.folder, 'seine'), 0o755)
        self.rules = {'documents': [document()], 'size': len(capture())}
        self.run_tool('--accept')

    def write(self, name, content):
        with open(os.path.join(self.folder, name), 'wb' if isinstance(content, bytes) else 'w') as stream:
            stream.write(content)

    def expected(self):
        with open(os.path.join(self.root, 'group', 'x.json'), encoding='utf-8') as stream:
            return json.load(stream)

    def run_tool(self, *options, paths=True):
        self.write('rules.json', json.dumps(self.rules))
        command = [TOOL, os.path.join(self.folder, 'seine')] + ([os.path.join(self.root, 'group')] if paths else [])
        run = subprocess.run(command + ['--root=' + self.root] + list(options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(run.stderr, '')
        return run.returncode, run.stdout

    def good(self, *options, **more):
        code, out = self.run_tool(*options, **more)
        self.assertEqual(code, 0, out)
        return out

    def bad(self, word, *options, **more):
        code, out = self.run_tool(*options, **more)
        self.assertEqual(code, 1, out)
        self.assertIn('not ok', out)
        self.assertIn(word, out)

    def test_accepted(self):
        self.assertIn('1..4', self.good('--workers=1,2', '--segments', '--packed=gz,stdin'))
        kept = self.expected()
        self.assertEqual(kept['exit'], 0)
        self.assertEqual(kept['notes'], ['seine: x.pcap: at byte 7: damaged'])
        self.assertNotIn('id', kept['documents'][0])
        self.assertNotIn('@timestamp', kept['documents'][0])

    def test_another_value(self):
        self.rules['documents'] = [document(protocol=['udp'])]
        self.bad('+   "protocol": ["udp"]')

    def test_another_exit_code(self):
        self.rules['exit'] = 5
        self.bad('+ "exit": 5')

    def test_missing_and_stray_expectations(self):
        os.rename(os.path.join(self.root, 'group', 'x.json'), os.path.join(self.root, 'group', 'y.json'))
        self.bad('x.json is missing')
        self.bad('no capture belongs to it')

    def test_workers(self):
        self.rules['workers'] = ['4']
        self.good('--workers=1,2')
        self.bad('with 4 workers:', '--workers=1,2,4')

    def test_segments(self):
        self.rules['segments'] = True
        self.bad('rewritten by split1:', '--segments')
        self.write('golden/segments-exceptions.txt', 'group/x.pcap for a test\n')
        self.assertIn('# SKIP for a test', self.good('--segments'))
        self.rules['segments'] = False
        self.bad('not needed', '--segments')

    def test_packed(self):
        self.rules['packed'] = True
        self.bad('as gz', '--packed=gz,stdin')

    def test_crash(self):
        self.rules['crash'] = 'x.pcap'
        self.bad('AddressSanitizer')

    def test_inconsistent(self):
        for more, word in (
            ({'protocolCnt': 2}, 'the count of protocolCnt is not its length'),
            ({'network': side(4, 200)}, 'network.packets is not the sum'),
            ({'totDataBytes': 9}, 'totDataBytes is not the sum'),
            ({'packetRange': {'gte': 3, 'lte': 2}}, 'packetRange runs backwards'),
            ({'rootId': 'another'}, 'rootId is no id'),
        ):
            self.rules['documents'] = [document(**more)]
            self.run_tool('--accept')
            self.bad(word)
        self.rules['documents'] = [document(), document()]
        self.run_tool('--accept')
        self.bad('the same id')

    def test_same(self):
        self.write('golden/group/z.pcap', capture())
        self.write('golden/same.txt', 'group/x.pcap group/z.pcap # equal\n')
        self.run_tool('--accept')
        self.good()
        self.rules['named'] = {'z.pcap': ['udp']}
        self.run_tool('--accept')
        self.bad('group/z.pcap differs:')

    def test_coverage(self):
        self.rules['fields'] = [{'path': 'protocol', 'type': 'keyword'}, {'path': 'client.bytes', 'type': 'integer'}]
        self.good('--coverage', paths=False)
        self.rules['fields'].append({'path': 'dns.host', 'type': 'keyword'})
        self.bad('no golden document has dns.host', '--coverage', paths=False)
        self.write('golden/coverage-exceptions.txt', 'dns.host for a test\n')
        self.good('--coverage', paths=False)
        self.write('golden/coverage-exceptions.txt', 'dns.host for a test\nprotocol for a test\nno.such for a test\n')
        self.bad('protocol is in a golden document', '--coverage', paths=False)
        self.bad('there is no field no.such', '--coverage', paths=False)


class Tap(unittest.TextTestResult):
    """A line of TAP for each test."""

    def line(self, word, test, said=''):
        print('%s %d - %s' % (word, self.testsRun, test.id().split('.')[-1]))
        for part in said.split('\n') if said else ():
            print('# ' + part)

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
