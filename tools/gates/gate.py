"""What every gate shares: arguments, the list of C files, a C lexer, exceptions, and the report.

A gate prints one `file:line: problem` per finding and ends with 0 (clean), 1 (problems) or 77 (cannot apply here, with the
reason). Exceptions live in tools/gates/exceptions.txt; one that excuses nothing is a problem of its own, so the list can
only shrink. The lexer knows comments, strings and preprocessor lines, not the grammar: that is enough for facts
such as "this name is called" or "this function takes seven parameters", and it does not depend on a compiler's flags.
"""
import argparse
import os
import re
import sys

SKIP = 77
C_FOLDERS = ('src', 'include', 'tests', 'tools')
TOKEN = re.compile(r'[A-Za-z_]\w*|0[xX][0-9a-fA-F]+|\d+|->|\+\+|--|\S')


class Exceptions:
    """Lines `gate path[:symbol] reason`."""

    def __init__(self, root, gate):
        self.path = os.path.join(root, 'tools', 'gates', 'exceptions.txt')
        self.entries = {}
        self.broken = []
        if not os.path.exists(self.path):
            return
        with open(self.path, encoding='utf-8') as lines:
            for number, line in enumerate(lines, 1):
                words = line.split(None, 2)
                if not words or words[0].startswith('#') or words[0] != gate:
                    continue
                if len(words) < 3 or not words[2].strip():
                    self.broken.append((number, 'an exception needs: gate, path[:symbol], reason'))
                elif words[1] in self.entries:
                    self.broken.append((number, 'the same exception is listed twice: ' + words[1]))
                else:
                    self.entries[words[1]] = [number, 0]

    def excuses(self, path, symbol):
        for key in (path + ':' + symbol, path):
            if key in self.entries:
                self.entries[key][1] += 1
                return True
        return False

    def unused(self):
        return [(number, 'unused exception, remove it: ' + key) for key, (number, used) in self.entries.items() if not used]


class Gate:
    def __init__(self, name, about):
        parser = argparse.ArgumentParser(prog='tools/gates/' + name, description=about)
        parser.add_argument('--root', default=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                            help='the tree to check (default: this one)')
        parser.add_argument('--build', default=None, help='the release build (default: ROOT/build)')
        arguments = parser.parse_args()
        self.name = name
        self.root = os.path.abspath(arguments.root)
        self.build = os.path.abspath(arguments.build or os.path.join(self.root, 'build'))
        self.exceptions = Exceptions(self.root, name)
        self.problems = set()

    def problem(self, path, line, symbol, text):
        """Report a finding; `symbol` is what an exception may name after the path."""
        if not self.exceptions.excuses(path, symbol):
            self.problems.add((path, line, text))

    def skip(self, reason):
        print('%s: skipped: %s' % (self.name, reason))
        sys.exit(SKIP)

    def finish(self):
        listed = os.path.relpath(self.exceptions.path, self.root)
        for number, text in self.exceptions.broken + self.exceptions.unused():
            self.problems.add((listed, number, text))
        for path, line, text in sorted(self.problems):
            print('%s:%d: %s' % (path, line, text))
        sys.exit(1 if self.problems else 0)

    def read(self, path):
        """Text of a file below the root; empty when it is not there."""
        try:
            with open(os.path.join(self.root, path), encoding='utf-8', errors='replace') as stream:
                return stream.read()
        except FileNotFoundError:
            return ''

    def files(self, folders=C_FOLDERS, suffixes=('.c', '.h')):
        """Paths below the root, sorted. Hidden folders are not entered."""
        found = []
        for folder in folders:
            for base, inner, names in os.walk(os.path.join(self.root, folder)):
                inner[:] = [name for name in inner if not name.startswith('.')]
                found += [os.path.relpath(os.path.join(base, name), self.root) for name in names if name.endswith(suffixes)]
        return sorted(found)


def blank(text, strings=True, directives=False):
    """`text` with comments, string and character contents, and optionally preprocessor lines, turned into spaces.
    Offsets and line numbers stay what they were."""
    def hide(piece):
        return re.sub(r'[^\n]', ' ', piece)

    def replace(match):
        piece = match.group(0)
        if piece.startswith('/'):
            return hide(piece)
        return piece[0] + hide(piece[1:-1]) + piece[-1] if strings and len(piece) > 1 else piece

    text = re.sub(r'//(?:\\\n|[^\n])*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', replace, text, flags=re.S)
    if directives:
        text = re.sub(r'^[ \t]*#(?:\\\n|[^\n])*', lambda match: hide(match.group(0)), text, flags=re.M)
    return text


def first_branches(text):
    """`text` with what stands between #else or #elif and its #endif turned into spaces."""
    kept, hidden = [], []
    for line in text.split('\n'):
        word = re.match(r'\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b', line)
        word = word.group(1) if word else ''
        if word in ('if', 'ifdef', 'ifndef'):
            hidden.append(bool(hidden and hidden[-1]))
        elif word in ('elif', 'else') and hidden:
            hidden[-1] = True
        kept.append('' if hidden and hidden[-1] else line)
        if word == 'endif' and hidden:
            hidden.pop()
    return '\n'.join(kept)


def code(text):
    """What the measures look at: no comments, strings, directives or attributes, braces balanced if that is possible."""
    plain = blank(text)
    for candidate in (plain, first_branches(plain)):
        candidate = blank(candidate, directives=True)
        candidate = re.sub(r'\b__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)', lambda match: re.sub(r'[^\n]', ' ', match.group(0)), candidate)
        if candidate.count('{') == candidate.count('}'):
            return candidate
    return candidate


def tokens(text):
    """[(token, line)] of blanked text."""
    found = []
    for number, line in enumerate(text.split('\n'), 1):
        found += [(token, number) for token in TOKEN.findall(line)]
    return found


def opening(toks, close):
    """Index of the ( that matches the ) at `close`, or -1."""
    depth = 0
    for index in range(close, -1, -1):
        depth += {')': 1, '(': -1}.get(toks[index][0], 0)
        if depth == 0:
            return index
    return -1


def closing(toks, start, pair='()'):
    """Index of the bracket that closes the one at `start`, or len(toks)."""
    depth = 0
    for index in range(start, len(toks)):
        depth += {pair[0]: 1, pair[1]: -1}.get(toks[index][0], 0)
        if depth == 0:
            return index
    return len(toks)


def parameters(toks):
    """Number of parameters in the tokens between the parentheses."""
    words = [token for token, _ in toks]
    if not words or words == ['void']:
        return 0
    depth = count = 0
    for word in words:
        depth += {'(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1}.get(word, 0)
        count += word == ',' and depth == 0
    return count + 1


def functions(text):
    """([(name, first line, last line, parameters)], balanced) of a C file. Bodies of macros are not functions."""
    toks = tokens(code(text))
    found, index = [], 0
    while index < len(toks):
        if toks[index][0] == '{':
            if index >= 2 and toks[index - 1][0] == '"' and any(toks[i][0] == 'extern' for i in range(max(0, index - 3), index)):
                index += 1
                continue
            head = function_head(toks, index)
            end = closing(toks, index, '{}')
            if end == len(toks):
                return found, False
            if head is not None:
                name, start, stop = head
                found.append((toks[name][0], toks[name][1], toks[end][1], parameters(toks[start + 1:stop])))
            index = end
        index += 1
    return found, True


def function_head(toks, brace):
    """(name, '(', ')') as indices for the function whose body opens at `brace`; None for a struct, table and the like."""
    index = brace - 1
    while index > 0 and toks[index][0] == ')':
        start = opening(toks, index)
        if start <= 0:
            return None
        word = toks[start - 1][0]
        if word == '__attribute__' or re.fullmatch(r'_[a-z]\w*_', word):
            index = start - 2
        elif re.fullmatch(r'[A-Za-z_]\w*', word):
            return start - 1, start, index
        else:
            return None
    return None
