/* exports.svelte.ts: forms in which what is seen can be taken along. */
import { absolute, address, get, send, type Params } from './api.svelte';
import { menu, notice } from './menu.svelte';
import { clock } from './prefs.svelte';
import { copied } from './values';

export interface Form {
    name: string;
    title: string;
    path: string;
    file: string;
    packets?: boolean;
}

const forms: Form[] = [
    { name: 'csv', title: 'CSV', path: 'sessions/csv', file: 'sessions.csv' },
    { name: 'jsonl', title: 'JSON Lines', path: 'sessions/jsonl', file: 'sessions.jsonl' },
    { name: 'parquet', title: 'Parquet', path: 'sessions/parquet', file: 'sessions.parquet' },
    { name: 'pcap', title: 'Packets, pcap', path: 'sessions/pcap/sessions.pcap', file: 'sessions.pcap', packets: true },
    { name: 'pcapng', title: 'Packets, pcapng', path: 'sessions/pcapng', file: 'sessions.pcapng', packets: true },
];

class Offered {
    /** Paths that this server has; null: not yet known. */
    paths = $state.raw<Set<string> | null>(null);
    async load(): Promise<void> {
        try {
            const api = await get<{ paths: Record<string, unknown> }>('openapi.json');
            this.paths = new Set(Object.keys(api.paths ?? {}));
        } catch {
            this.paths = new Set();
        }
    }
    get forms(): Form[] {
        return forms.filter((f) => f.name !== 'parquet' || this.paths?.has('/api/sessions/parquet'));
    }
}
export const offered = new Offered();

export function link(form: Form, params: Params): string {
    return address(form.path, params);
}
/** The shell's line that asks for an address. The browser's cookie is not in it: a token of the user's is, or stands for one that
 * the shell knows. In one word, -H and all, because zsh does not cut what a variable gives. */
export function fetching(where: string, token = ''): string {
    const who = token ? `-H"Authorization: Bearer ${token}"` : '${SEINE_TOKEN:+-H"Authorization: Bearer $SEINE_TOKEN"}';
    return `curl -fsS ${who} '${where.replace(/'/g, '%27')}'`;
}
export function curl(form: Form, params: Params, token = ''): string {
    return `${fetching(absolute(form.path, params), token)} -o ${form.file}`;
}

/** Rights and seconds of a token that a copied line has. */
const LINE_RIGHTS = ['read', 'pcap', 'payload', 'email', 'files'];
const LINE_SECONDS = 3600;

/** Offers to copy a line for the shell: as it is, or with a token made for it. */
export function offerLine(event: MouseEvent, line: (token: string) => string): void {
    menu.show(event.currentTarget as HTMLElement, line(''), [
        { label: 'Copy this line', note: 'needs SEINE_TOKEN in the shell', run: () => copied(line('')) },
        {
            label: 'Copy it with a new token in it',
            note: 'reads only, for an hour',
            run: () =>
                void send<{ token: string }>('POST', 'user/tokens', { name: 'a copied line', rights: LINE_RIGHTS, validSeconds: LINE_SECONDS }).then(
                    (made) => copied(line(made.token), `With a token until ${clock(Date.now() + LINE_SECONDS * 1000).slice(0, 5)}`),
                    (error: Error) => notice.say(`No token could be made: ${error.message}`, true),
                ),
        },
    ]);
}
