/* kept.ts: kinds of things that users keep in the store, as tables: what one is made of, how the API takes it, what its list
 * shows. parts/Kept.svelte draws any of them. */
import type { Head } from '../parts/List.svelte';
import { moment } from './prefs.svelte';
import { shown } from './text';

export type Form = Record<string, string | boolean>;
export type KeptRow = Record<string, unknown>;

export interface FormField {
    key: string;
    title: string;
    /** many: some of the options, their ids joined by commas. */
    kind?: 'text' | 'mono' | 'expression' | 'area' | 'select' | 'many' | 'check' | 'secret';
    options?: [string, string][];
    needed?: boolean;
    hint?: string;
    /** A regular expression the whole text must fit, and what to say when it does not. */
    pattern?: string;
    says?: string;
    /** Only when one is made. */
    fresh?: boolean;
    /** Only while the form says so. */
    when?: (form: Form) => boolean;
}

export interface Kind {
    /** One of it, in the words of the page. */
    word: string;
    title: string;
    /** What it is for; code in backquotes. */
    about: string;
    /** Paths of the API: of all, and of one. */
    all: string;
    one: string;
    change: 'PUT' | 'POST';
    id: 'id' | 'key';
    /** Who may change it besides its owner; notifiers have none. */
    editors: boolean;
    fields: FormField[];
    heads: Head[];
    start: Form;
    body?: (form: Form) => Record<string, unknown>;
    form?: (row: KeptRow) => Form;
}

const time = (key: string, unit = 1000) => (row: KeptRow) => (typeof row[key] === 'number' && row[key] > 0 ? moment((row[key] as number) * unit) : '');

export const viewKind: Kind = {
    word: 'view',
    title: 'Views',
    about: 'An expression, and columns, under a name. In expressions `view == NAME`.',
    all: 'views',
    one: 'view',
    change: 'PUT',
    id: 'id',
    editors: true,
    fields: [
        { key: 'name', title: 'Name', needed: true },
        { key: 'expression', title: 'Expression', kind: 'expression', needed: true },
    ],
    heads: [
        { key: 'name', title: 'Name' },
        { key: 'expression', title: 'Expression', kind: 'mono' },
        { key: 'user', title: 'Owner' },
    ],
    start: {},
};

export const shortcutKind: Kind = {
    word: 'shortcut',
    title: 'Shortcuts',
    about: 'A list of values under a name. In expressions `ip == $NAME`.',
    all: 'shortcuts',
    one: 'shortcut',
    change: 'PUT',
    id: 'id',
    editors: true,
    fields: [
        { key: 'name', title: 'Name', kind: 'mono', needed: true, pattern: '[\\w\\-]+', says: 'Letters, digits, _ and -' },
        { key: 'type', title: 'Type', kind: 'select', options: [['ip', 'addresses, networks'], ['string', 'texts'], ['number', 'numbers']] },
        { key: 'description', title: 'What it is' },
        { key: 'value', title: 'Values, one a line', kind: 'area', needed: true },
    ],
    heads: [
        { key: 'name', title: 'Name', kind: 'mono', text: (r) => '$' + shown(r.name) },
        { key: 'type', title: 'Type' },
        { key: 'value', title: 'Values', kind: 'mono', text: (r) => shown(String(r.value ?? '').replace(/\n/g, ', '), 200) },
        { key: 'description', title: 'What it is' },
        { key: 'userId', title: 'Owner' },
    ],
    start: { type: 'ip' },
};

/** One that a periodic query tells, and that the list does not name. */
export const UNKNOWN_NOTIFIER = 'one that is gone, or not shared with you';

export interface Notifier {
    id: string;
    name: string;
    type: string;
}

/** What a form keeps of a list of ids. */
const joined = (ids: unknown): string => (Array.isArray(ids) ? ids.join(',') : '');

/** Who can be told of what it finds comes from the server: the notifiers that the user may use. */
export const cronKind = (notifiers: Notifier[]): Kind => ({
    word: 'periodic query',
    title: 'Periodic queries',
    about: 'Gives tags to sessions as they are stored: every minute it looks at those that came, with the rights of who made it.',
    all: 'crons',
    one: 'cron',
    change: 'POST',
    id: 'key',
    editors: true,
    fields: [
        { key: 'name', title: 'Name', needed: true },
        { key: 'query', title: 'Expression', kind: 'expression', needed: true },
        { key: 'tags', title: 'Tags, by commas', kind: 'mono', needed: true, pattern: '[\\w:\\-]+(\\s*,\\s*[\\w:\\-]+)*', says: 'Letters, digits, - _ : and commas between tags' },
        { key: 'since', title: 'Begins with', kind: 'select', options: [['0', 'sessions stored from now on'], ['24', 'those of the last day too'], ['-1', 'all that are there']], fresh: true },
        { key: 'description', title: 'What it is' },
        { key: 'enabled', title: 'runs', kind: 'check' },
        {
            key: 'notifier',
            title: 'Tells, every ten minutes at most',
            kind: 'many',
            options: notifiers.map((n) => [n.id, n.name]),
            when: (form) => notifiers.length > 0 || !!form.notifier,
        },
    ],
    heads: [
        { key: 'name', title: 'Name' },
        { key: 'query', title: 'Expression', kind: 'mono' },
        { key: 'tags', title: 'Tags', kind: 'mono' },
        { key: 'enabled', title: 'Runs', text: (r) => (r.error ? `failed: ${shown(r.error, 200)}` : r.enabled ? 'yes' : 'no') },
        { key: 'count', title: 'Found', kind: 'number' },
        {
            key: 'notifier',
            title: 'Tells',
            text: (r) => shown(((r.notifier ?? []) as string[]).map((id) => notifiers.find((n) => n.id === id)?.name ?? UNKNOWN_NOTIFIER).join(', '), 200),
        },
        { key: 'lpValue', title: 'Looked up to', text: time('lpValue') },
        { key: 'creator', title: 'Owner' },
    ],
    start: { since: '0', enabled: true },
    body: (f) => ({
        name: f.name,
        query: f.query,
        tags: f.tags,
        description: f.description ?? '',
        enabled: !!f.enabled,
        action: 'tag',
        ...('since' in f ? { since: Number(f.since) } : {}),
        // Who sends other notifiers than there were becomes the query's creator: what is the same is not sent.
        ...((f.notifier ?? '') !== (f.before ?? '') ? { notifier: String(f.notifier).split(',').filter(Boolean) } : {}),
    }),
    form: (r) => ({
        ...Object.fromEntries(['name', 'query', 'tags', 'description'].map((key) => [key, String(r[key] ?? '')])),
        enabled: !!r.enabled,
        notifier: joined(r.notifier),
        before: joined(r.notifier),
    }),
});

export interface NotifierType {
    type: string;
    fields: { name: string; type: string; required: boolean; description: string }[];
}

/** What each type needs comes from the server. */
export function notifierKind(types: Record<string, NotifierType>): Kind {
    const names = Object.keys(types);
    return {
        word: 'notifier',
        title: 'Notifiers',
        about: 'Where messages go when a periodic query finds something. A query names those it tells, of the ones its owner may use.',
        all: 'notifiers',
        one: 'notifier',
        change: 'PUT',
        id: 'id',
        editors: false,
        fields: [
            { key: 'name', title: 'Name', needed: true },
            { key: 'type', title: 'Type', kind: 'select', options: names.map((n) => [n, n]) },
            ...names.flatMap((n) =>
                types[n].fields.map(
                    (f): FormField => ({
                        key: `${n}.${f.name}`,
                        title: f.description,
                        kind: f.type === 'checkbox' ? 'check' : f.type === 'secret' ? 'secret' : 'text',
                        needed: f.required,
                        when: (form) => form.type === n,
                    }),
                ),
            ),
        ],
        heads: [
            { key: 'name', title: 'Name' },
            { key: 'type', title: 'Type' },
            { key: 'lastSent', title: 'Last message', kind: 'time' },
            { key: 'lastError', title: 'What became of it', text: (r) => (r.lastError ? `failed: ${shown(r.lastError, 300)}` : r.lastSent ? 'sent' : '') },
            { key: 'user', title: 'Owner' },
        ],
        start: { type: names[0] ?? '' },
        body: (f) => ({
            name: f.name,
            type: f.type,
            fields: (types[String(f.type)]?.fields ?? []).flatMap(({ name }) => {
                const value = f[`${String(f.type)}.${name}`];
                return value === undefined || value === '' ? [] : [{ name, value }];
            }),
        }),
        form: (r) => ({
            name: String(r.name),
            type: String(r.type),
            ...Object.fromEntries(((r.fields ?? []) as { name: string; value: string | boolean }[]).map((f) => [`${String(r.type)}.${f.name}`, f.value])),
        }),
    };
}
