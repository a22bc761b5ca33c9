/* actions.svelte.ts: entries that the server adds to the menus of values: by field or category, an address with the value in it,
 * or something to ask and tell. */
import { get } from './api.svelte';
import { pathOf, type Field } from './fields.svelte';
import { notice, type Item } from './menu.svelte';
import { query } from './query.svelte';
import { shown } from './text';
import { base } from './url.svelte';

interface Action {
    name: string;
    category?: string;
    fields?: string;
    url?: string;
    actionType?: string;
    notUsers?: unknown;
}

class Actions {
    private list: Action[] = [];
    async load(): Promise<void> {
        try {
            this.list = Object.values(await get<Record<string, Action>>('valueactions'));
        } catch {
            // Menus go without them.
        }
    }

    items(field: Field, value: string): Item[] {
        const words = (text: unknown) => ([] as string[]).concat((text as string | string[]) ?? []).flatMap((t) => t.split(',')).map((t) => t.trim());
        const own = [field.exp, field.dbField, pathOf(field)];
        return this.list
            .filter((a) => words(a.fields).some((f) => own.includes(f)) || words(field.category).some((c) => words(a.category).includes(c)))
            .map((a, i) => ({ ...this.item(a, value), apart: i === 0 }));
    }

    private item(a: Action, value: string): Item {
        if (a.actionType === 'httpAuthorizationDecode') {
            return { label: a.name, run: () => notice.say(shown(decoded(value), 400)) };
        }
        const to = base + this.fill(a.url ?? '', value);
        return a.actionType === 'fetch' ? { label: a.name, run: () => void told(to, value) } : { label: a.name, href: /^https?:/.test(a.url ?? '') ? this.fill(a.url!, value) : to };
    }

    /** Every value goes in as text of an address: what traffic carried cannot make another one of it. */
    private fill(address: string, value: string): string {
        const p = query.params;
        const date = p.startTime || p.stopTime ? `startTime=${p.startTime ?? 0}&stopTime=${p.stopTime ?? Math.floor(Date.now() / 1000)}` : `date=${p.date ?? -1}`;
        const host = /^(?:\w+:\/\/)?([^/:?#]+)/.exec(value)?.[1] ?? value;
        const known: Record<string, string> = {
            TEXT: encodeURIComponent(value),
            URIEncodedText: encodeURIComponent(value),
            UCTEXT: encodeURIComponent(value.toUpperCase()),
            URL: encodeURIComponent(value),
            HOST: encodeURIComponent(host),
            EXPRESSION: encodeURIComponent(query.expression),
            DATE: date,
        };
        return address.replace(/%(\w+)%/g, (all, name: string) => known[name] ?? all);
    }
}

function decoded(value: string): string {
    const packed = /^\s*Basic\s+([\w+/=]+)/i.exec(value)?.[1];
    try {
        return packed ? atob(packed) : value;
    } catch {
        return value;
    }
}

async function told(where: string, value: string): Promise<void> {
    try {
        const answer = await fetch(where, { credentials: 'same-origin' });
        const text = await answer.text();
        notice.say(`${shown(value, 80)}: ${shown(text, 300)}`, !answer.ok);
    } catch {
        notice.say('The server does not answer.', true);
    }
}

export const actions = new Actions();
