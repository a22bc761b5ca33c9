"""The captures that the benchmarks run on: made once by bench-generate, kept in a cache folder.

A capture's name holds profile, scale, seed and a fingerprint of the generator: the hash of a tiny capture that it makes now. A
generator that makes other bytes therefore makes new captures, a mere rebuild does not; the old ones of the same profile are
then removed. Beside each capture stands a .json with the numbers of its summary.
"""
import json
import os
import re
import shutil
import subprocess

PROFILES = ('mixed', 'web', 'small', 'exotic', 'open')
FULL_SIZE = {'mixed': 1.0e9, 'web': 2.2e9, 'small': 2.2e9, 'exotic': 0.42e9, 'open': 1.0e9}  # bytes at scale 1
SUMMARY = re.compile(r'(\d+) packets, (\d+) bytes, (\d+) flows, .* ([\d.]+) s, hash (\w+)')


class Failure(Exception):
    """Something the user can mend; its text says what."""


def folder_default():
    base = os.environ.get('XDG_CACHE_HOME') or os.path.join(os.path.expanduser('~'), '.cache')
    return os.path.join(base, 'seine-bench')


def tool_path(build, name):
    """The program in the build folder's tests/bench, or on the PATH."""
    path = os.path.join(build, 'tests', 'bench', name)
    if os.access(path, os.X_OK):
        return path
    path = shutil.which(name)
    if path is None:
        raise Failure('%s is not in %s: build first (ninja -C %s), or name the folder with --build'
                      % (name, os.path.join(build, 'tests', 'bench'), build))
    return path


def _generate(generator, profile, scale, seed, path):
    """Numbers of the capture that was written."""
    run = subprocess.run([generator, '--seed', str(seed), '--scale', repr(scale), profile, path],
                         capture_output=True, text=True, check=False)
    found = SUMMARY.search(run.stdout)
    if run.returncode != 0 or found is None:
        raise Failure('%s failed: %s' % (generator, (run.stderr or run.stdout).strip()))
    return {'packets': int(found.group(1)), 'bytes': int(found.group(2)), 'sessions': int(found.group(3)),
            'seconds': float(found.group(4)), 'hash': found.group(5)}


def capture_make(generator, folder, profile, scale, seed=1):
    """Path and numbers of the capture; made when it is not there yet."""
    os.makedirs(folder, exist_ok=True)
    start = '%s-%g-%d-' % (profile, scale, seed)
    fingerprint = _generate(generator, profile, 0.001, seed, os.devnull)['hash'][:8]
    path = os.path.join(folder, start + fingerprint + '.pcap')
    if os.path.exists(path) and os.path.exists(path + '.json'):
        with open(path + '.json', encoding='utf-8') as file:
            return path, json.load(file)
    for name in os.listdir(folder):
        if name.startswith(start):
            os.remove(os.path.join(folder, name))
    needed = FULL_SIZE[profile] * scale * 1.1
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise Failure('%s has %.1f GB free and the capture needs %.1f GB: name another folder with --dir'
                      % (folder, free / 1e9, needed / 1e9))
    partial = path + '.partial'
    numbers = _generate(generator, profile, scale, seed, partial)
    os.rename(partial, path)
    with open(path + '.json', 'w', encoding='utf-8') as file:
        json.dump(numbers, file)
    return path, numbers


def capture_warm(path):
    """Reads the file once, so that every tool finds it in the page cache."""
    with open(path, 'rb', buffering=0) as file:
        block = bytearray(1 << 20)
        while file.readinto(block):
            pass
