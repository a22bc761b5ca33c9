// elastic.mjs: puts the sessions of a folder (main.c) into OpenSearch, asks it what our expressions became in its query
// language, and compares the counts with those of the in-memory matcher.
//
//     node elastic.mjs FOLDER URL
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

const [folder, url] = process.argv.slice(2);
const lines = (name) => readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line);

async function ask(method, path, body) {
  const type = path.includes('_bulk') ? 'application/x-ndjson' : 'application/json';
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const reply = await fetch(url + path, {method, body: text, headers: {'content-type': type}});
  const answer = await reply.json();
  if (!reply.ok || answer.errors) {
    throw new Error(`${method} ${path}: ${JSON.stringify(answer).slice(0, 600)}`);
  }
  return answer;
}

const elasticTypes = {number: {type: 'long'}, double: {type: 'double'}, flag: {type: 'boolean'}, ip: {type: 'ip'}, text: {type: 'keyword'}};
const times = new Set(['@timestamp', 'firstPacket', 'lastPacket', 'packetRange.gte', 'packetRange.lte']);

function mapping() {
  const root = {};
  for (const {path, type} of JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8'))) {
    if (type === 'object') {
      continue; // made by its members
    }
    const put = (name, field) => {
      const parts = name.split('.');
      const last = parts.pop();
      let at = root;
      for (const part of parts) {
        at[part] ??= {properties: {}};
        at = at[part].properties;
      }
      at[last] = field;
    };
    const field = times.has(path) ? {type: 'date'} : {...elasticTypes[type]};
    if (['http.host', 'dns.host', 'http.uri'].includes(path)) {
      field.copy_to = path + 'Tokens';
      put(path + 'Tokens', {type: 'text', analyzer: 'words'});
    }
    put(path, field);
  }
  return root;
}

const words = {tokenizer: {words: {type: 'pattern', pattern: '[^A-Za-z0-9_\\u0080-\\uffff]+'}},
               analyzer: {words: {type: 'custom', tokenizer: 'words', filter: ['lowercase']}}};
const index = 'sessions-' + process.pid;
await ask('PUT', '/' + index, {settings: {number_of_shards: 1, number_of_replicas: 0, analysis: words}, mappings: {properties: mapping()}});
await ask('POST', `/${index}/_bulk?refresh=true`, lines('sessions.jsonl').map((line) => '{"index":{}}\n' + line + '\n').join(''));
const lookups = {1: {ip: ['10.0.0.0/16', '8.8.0.1']}, 2: {number: [22, 53]}, 3: {string: ['www.example.com', 'localhost']}};
for (const [id, values] of Object.entries(lookups)) {
  await ask('PUT', `/lookups/_doc/${id}?refresh=true`, values);
}

const questions = lines('expressions.jsonl').map((line) => JSON.parse(line)).filter((question) => question.elastic);
let failed = 0;
console.log('1..' + questions.length);
for (const [number, question] of questions.entries()) {
  let found;
  try {
    found = (await ask('POST', `/${index}/_count`, {query: {bool: {filter: [question.elastic]}}})).count;
  } catch (error) {
    found = String(error);
  }
  const good = found === question.match;
  failed += !good;
  console.log(`${good ? 'ok' : 'not ok'} ${number + 1} - OpenSearch: ${question.text.replace(/[#\n\\]/g, '.').slice(0, 100)}`);
  if (!good) {
    console.log(`#   ${question.text}\n#   OpenSearch ${found}, match ${question.match}\n#   ${JSON.stringify(question.elastic)}`);
  }
}
process.exit(failed ? 1 : 0);
