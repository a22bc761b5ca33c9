// compare.mjs: asks DuckDB what the expressions of a folder (main.c) find, and compares the counts with ours.
//
//     node compare.mjs FOLDER MODULES
//
// MODULES: a node_modules folder with @duckdb/node-api. One TAP case per expression. The SQL is made from the tree beside
// each expression; our language is not parsed here, and none of our code runs.
import {createRequire} from 'node:module';
import {readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';

const [folder, modules] = process.argv.slice(2);
const {DuckDBInstance} = createRequire(resolve(modules, 'x.js'))('@duckdb/node-api');
const lines = (name) => readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line);

// --- documents ---

// An address as 32 hexadecimal digits, IPv4 inside IPv6, so that the order of texts is that of addresses.
function ipHex(text) {
  if (!text.includes(':')) {
    const bytes = text.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
    return '00000000000000000000ffff' + bytes.join('');
  }
  const [head, tail] = text.split('::').map((half) => (half ? half.split(':') : []));
  const groups = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.map((group) => group.padStart(4, '0')).join('');
}

// All values at a path, in order; a key may itself have dots in it, and objects may stand in lists.
function valuesAt(node, path) {
  if (Array.isArray(node)) {
    return node.flatMap((element) => valuesAt(element, path));
  }
  if (path === '') {
    return [node];
  }
  if (node === null || typeof node !== 'object') {
    return [];
  }
  return Object.keys(node).flatMap((key) => {
    if (key === path) {
      return valuesAt(node[key], '');
    }
    return path.startsWith(key + '.') ? valuesAt(node[key], path.slice(key.length + 1)) : [];
  });
}

const converters = {number: Number, double: Number, flag: Number, ip: ipHex, text: String, object: () => 'object'};
const columnTypes = {number: 'DOUBLE[]', double: 'DOUBLE[]', flag: 'DOUBLE[]', ip: 'VARCHAR[]', text: 'VARCHAR[]', object: 'VARCHAR[]'};

// --- SQL ---

const quoted = (text) => "'" + text.replaceAll("'", "''") + "'";
const columns = new Map(); // path → name of the column

function column(path) {
  if (!columns.has(path)) {
    columns.set(path, 'c' + columns.size);
  }
  return columns.get(path);
}

const has = (list, condition) => `coalesce(len(list_filter(${list}, lambda x: ${condition})) > 0, false)`;

function range(value, item, literal) {
  const parts = [];
  for (const [key, sign] of [['low', '>='], ['above', '>'], ['high', '<='], ['below', '<']]) {
    if (key in item) {
      parts.push(`${value} ${sign} ${literal(item[key])}`);
    }
  }
  return '(' + parts.join(' AND ') + ')';
}

const escaped = (text) => [...text].map((c) => (/[A-Za-z0-9_]/.test(c) || c > '\x7f' ? c : '\\x' + c.charCodeAt(0).toString(16).padStart(2, '0'))).join('');
const fullMatch = (pattern, fold) => `regexp_full_match(x, ${quoted('(?s)(?:' + pattern + ')')}, '${fold ? 'i' : 'c'}')`;

function network(item) {
  const bits = BigInt(item.bits + (item.ip.includes(':') ? 0 : 96));
  const rest = (1n << (128n - bits)) - 1n;
  const ip = BigInt('0x' + ipHex(item.ip));
  const hex = (n) => quoted(n.toString(16).padStart(32, '0'));
  return `x BETWEEN ${hex(ip & ~rest)} AND ${hex(ip | rest)}`;
}

// What a value x must be to be in the item.
function itemCondition(item, test) {
  if ('words' in item) {
    const apart = '[\\x00-/:-@\\[-^\\x60{-\\x7f]';
    return `regexp_matches(x, ${quoted(`(?s)(?:^|${apart})` + item.words.map(escaped).join(apart + '+') + `(?:${apart}|$)`)}, 'i')`;
  }
  if ('regex' in item) {
    return fullMatch(item.regex, test.fold);
  }
  switch (item.k) {
    case 'number':
      return range(test.scale > 1 ? `(x / ${test.scale})` : 'x', item, String);
    case 'text':
      return test.fold ? `lower(x) = ${quoted(item.v.toLowerCase())}` : `x = ${quoted(item.v)}`;
    case 'wildcard':
      return fullMatch(item.v.map((piece) => ('is' in piece ? escaped(piece.is) : piece.any === '*' ? '.*' : '.')).join(''), test.fold);
    case 'net':
      return network(item);
    case 'ips':
      return range('x', item, (ip) => quoted(ipHex(ip)));
    case 'family':
      return (item.v === 6 ? 'NOT ' : '') + `x BETWEEN '00000000000000000000ffff00000000' AND '00000000000000000000ffffffffffff'`;
    case 'port':
      return 'true';
    default:
      throw new Error('unknown item ' + JSON.stringify(item));
  }
}

function anySql(test) {
  const parts = [];
  test.paths.forEach((path, number) => {
    const list = column(path);
    for (const item of test.items) {
      if (test.count) {
        parts.push(`coalesce(len(${list}) > 0 AND ${range(`len(${list})`, item, String)}, false)`);
      } else if (!('port' in item)) {
        parts.push(has(list, itemCondition(item, test)));
      } else if (test.ports[number] !== '-') {
        parts.push(`(${has(list, itemCondition(item, test))} AND ${has(column(test.ports[number]), `x = ${item.port}`)})`);
      }
    }
  });
  return parts.length ? '(' + parts.join(' OR ') + ')' : 'false';
}

function sumSql(term) {
  if ('c' in term) {
    return `${term.c}::DOUBLE`;
  }
  if ('f' in term) {
    return `(${column(term.f)}[1]` + (term.ms ? ' / 1000.0)' : ')');
  }
  const [left, right] = term.of.map(sumSql);
  return term.op === '/' ? `(${left} / nullif(${right}, 0))` : `(${left} ${term.op} ${right})`;
}

function compareSql(test) {
  const op = test.op === '==' ? '=' : test.op;
  if (test.kind === 'sum') {
    return `coalesce(${sumSql(test.left)} ${op} ${sumSql(test.right)}, false)`;
  }
  const [left, right] = [test.left, test.right].map((term) => ('c' in term ? `[${term.c}::DOUBLE]` : column(term.f)));
  const [x, y] = test.kind === 'text' ? ['lower(x)', 'lower(y)'] : ['x', 'y'];
  return has(left, `coalesce(len(list_filter(${right}, lambda y: ${x} ${op} ${y})) > 0, false)`);
}

function sql(node) {
  switch (node.t) {
    case 'and':
      return '(' + node.of.map(sql).join(' AND ') + ')';
    case 'or':
      return '(' + node.of.map(sql).join(' OR ') + ')';
    case 'not':
      return `(NOT ${sql(node.of[0])})`;
    case 'any':
      return anySql(node);
    case 'exists':
      return '(' + node.paths.map((path) => `coalesce(len(${column(path)}) > 0, false)`).join(' OR ') + ')';
    case 'compare':
      return compareSql(node);
    default:
      throw new Error('unknown node ' + node.t);
  }
}

// --- run ---

const types = new Map(JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8')).map(({path, type}) => [path, type]));
const questions = lines('expressions.jsonl').map((line) => JSON.parse(line));
for (const question of questions) {
  question.sql = sql(question.tree);
}

const flat = join(folder, 'flat.jsonl');
const rows = lines('sessions.jsonl').map((line) => {
  const session = JSON.parse(line);
  const row = {};
  for (const [path, name] of columns) {
    const values = valuesAt(session, path).map(converters[types.get(path)]);
    row[name] = values.length ? values : null;
  }
  return JSON.stringify(row);
});
writeFileSync(flat, rows.join('\n') + '\n');

const connection = await (await DuckDBInstance.create(':memory:', {threads: '2', memory_limit: '1GB'})).connect();
const shape = [...columns].map(([path, name]) => `${name}: '${columnTypes[types.get(path)]}'`).join(', ');
await connection.run(`CREATE TABLE s AS SELECT * FROM read_json(${quoted(flat)}, format = 'newline_delimited', columns = {${shape}})`);

let failed = 0;
console.log('1..' + questions.length);
for (const [index, question] of questions.entries()) {
  let found;
  try {
    const answer = await connection.runAndReadAll(`SELECT count(*) FROM s WHERE ${question.sql}`);
    found = Number(answer.getRows()[0][0]);
  } catch (error) {
    found = String(error).split('\n')[0];
  }
  const ours = Object.entries(question).filter(([key]) => key === 'match' || key === 'segments');
  const good = ours.every(([, count]) => count === found);
  failed += !good;
  console.log(`${good ? 'ok' : 'not ok'} ${index + 1} - ${question.text.replace(/[#\n\\]/g, '.').slice(0, 100)}`);
  if (!good) {
    console.log(`#   ${question.text}\n#   DuckDB ${found}, ${ours.map(([key, count]) => `${key} ${count}`).join(', ')}\n#   ${question.sql}`);
  }
}
process.exit(failed ? 1 : 0);
