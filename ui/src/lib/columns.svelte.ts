/* columns.svelte.ts: the columns of the table of sessions: from the URL, else as kept by this browser, else the usual ones. */
import { fields, dig, pathOf, type Field } from './fields.svelte';
import { DEFAULT_COLUMNS, keep, prefs } from './prefs.svelte';
import { url } from './url.svelte';

export interface Column {
    id: string;
    title: string;
    help: string;
    field?: Field;
    /** What `order` of the API calls it; none: cannot be sorted by. */
    sort?: string;
    kind: 'time' | 'duration' | 'bytes' | 'number' | 'text' | 'info';
    width: number;
}

const WIDTH: Record<Column['kind'], number> = { time: 188, duration: 92, bytes: 78, number: 70, text: 130, info: 320 };

function kindOf(f: Field): Column['kind'] {
    if (f.type === 'seconds' || f.type === 'date' || f.type === 'time') {
        return 'time';
    }
    if (/bytes/i.test(pathOf(f)) && f.type === 'integer') {
        return 'bytes';
    }
    return f.type === 'integer' || f.type === 'float' || f.type === 'signed' ? 'number' : 'text';
}

/** null: no field has this name (a column of an older version, or of another store). */
export function columnMake(id: string): Column | null {
    if (id === 'info') {
        return { id, title: 'Info', help: 'Tags, names, addresses of pages: what the session was about', kind: 'info', width: prefs.widths[id] ?? WIDTH.info };
    }
    if (id === 'duration') {
        return { id, title: 'Lasted', help: 'From the first packet to the last', kind: 'duration', sort: 'length', width: prefs.widths[id] ?? WIDTH.duration };
    }
    const field = fields.any(id);
    if (!field) {
        // Without the registry the columns still show what documents hold, under its names there.
        return fields.error && !fields.list.length ? { id, title: id, help: id, kind: id.endsWith('Packet') ? 'time' : 'text', width: prefs.widths[id] ?? WIDTH[id.endsWith('Packet') ? 'time' : 'text'] } : null;
    }
    const kind = kindOf(field);
    const path = pathOf(field);
    const usual = field.type === 'ip' ? 124 : /port/i.test(path) && kind === 'number' ? 74 : path === 'protocol' ? 110 : WIDTH[kind];
    return { id: path, title: field.friendlyName, help: `${field.help} (${field.exp})`, field, sort: path, kind, width: prefs.widths[path] ?? usual };
}

class Columns {
    ids: string[] = $derived.by(() => {
        const asked = url.get('columns');
        return asked ? asked.split(',') : prefs.columns.length ? prefs.columns : DEFAULT_COLUMNS;
    });
    list: Column[] = $derived.by(() => {
        if (!fields.list.length && !fields.error) {
            return [];
        }
        const seen = new Set<string>();
        return this.ids.flatMap((id) => {
            const c = columnMake(id);
            return c && !seen.has(c.id) && seen.add(c.id) ? [c] : [];
        });
    });
    unknown: string[] = $derived(fields.list.length ? this.ids.filter((id) => !columnMake(id)) : []);

    set(ids: string[]): void {
        const usual = ids.join() === DEFAULT_COLUMNS.join();
        keep({ columns: usual ? [] : ids });
        url.set({ columns: usual ? null : ids.join() }, true);
    }
    toggle(id: string): void {
        this.set(this.ids.includes(id) ? this.ids.filter((other) => other !== id) : [...this.ids, id]);
    }
    move(id: string, before: number): void {
        const at = this.ids.indexOf(id);
        if (at >= 0) {
            const next = this.ids.filter((other) => other !== id);
            next.splice(Math.max(0, before > at ? before - 1 : before), 0, id);
            this.set(next);
        }
    }
    /** Names to ask the API for. */
    asked: string = $derived.by(() => {
        const names = new Set(['firstPacket', 'lastPacket', 'node', 'source.ip', 'destination.ip']);
        for (const c of this.list) {
            if (c.id === 'info') {
                infoFields().forEach((f) => names.add(pathOf(f)));
                names.add('tags');
            } else if (c.id !== 'duration') {
                names.add(c.id);
            }
        }
        return [...names].join();
    });
}

/** What says best what a session was about: fields that name places, hosts and people. By category, as the registry has it. */
let infoOf: Field[] | null = null;
let infoList: Field[] = [];
export function infoFields(): Field[] {
    if (infoList !== fields.list) {
        infoList = fields.list;
        const rank = (f: Field): number => {
            const c = ([] as string[]).concat(f.category ?? []).flatMap((x) => x.split(','));
            return c.includes('url') ? 0 : c.includes('host') ? 1 : c.includes('user') ? 2 : 9;
        };
        infoOf = fields.list
            .filter((f) => rank(f) < 9 && f.type !== 'notreal' && f.type !== 'object' && !/(all|Tokens|Cnt)$/.test(f.dbField))
            .sort((a, b) => rank(a) - rank(b));
    }
    return infoOf ?? [];
}

export function infoValues(row: unknown): { field: Field; value: string }[] {
    const found: { field: Field; value: string }[] = [];
    const seen = new Set<string>();
    for (const field of infoFields()) {
        const value = dig(row, pathOf(field));
        for (const v of Array.isArray(value) ? value : value === undefined ? [] : [value]) {
            const text = String(v);
            // A host that a shown page's address begins with says nothing more.
            if (text && !seen.has(text) && ![...seen].some((s) => s.startsWith(text + '/') || s === text)) {
                seen.add(text);
                found.push({ field, value: text });
                if (found.length >= 8) {
                    return found;
                }
            }
        }
    }
    return found;
}

export const columns = new Columns();

/** In the form in which views keep columns. */
export function columnsOf(): { visibleHeaders: string[]; order: string[][] } {
    const order = url.get('order', 'firstPacket:asc');
    return { visibleHeaders: columns.ids, order: order.split(',').map((o) => o.split(':')) };
}

/** Columns of a view; answers with a sentence when not all of it could be used. */
export function restoreColumns(kept: { visibleHeaders?: unknown; order?: unknown }): string {
    const ids = Array.isArray(kept.visibleHeaders) ? kept.visibleHeaders.filter((id): id is string => typeof id === 'string') : null;
    if (!ids) {
        return 'The columns of this view were kept by another version and are left as they are.';
    }
    const good = ids.filter((id) => columnMake(id));
    if (good.length) {
        columns.set(good);
    }
    if (Array.isArray(kept.order) && kept.order.every((o) => Array.isArray(o) && o.length === 2)) {
        url.set({ order: kept.order.map((o) => o.join(':')).join() }, true);
    }
    const lost = ids.filter((id) => !columnMake(id));
    return lost.length ? `This view has columns that this store does not know: ${lost.join(', ')}. They are left out.` : '';
}
