/* exports.svelte.ts: forms in which what is seen can be taken along. */
import { absolute, address, get, type Params } from './api.svelte';

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
/** The shell's line that asks for an address. The browser's cookie is not in it; a token of the user's is, when the shell knows
 * one. In one word, -H and all, because zsh does not cut what a variable gives. */
export function fetching(where: string): string {
    return `curl -fsS \${SEINE_TOKEN:+-H"Authorization: Bearer $SEINE_TOKEN"} '${where.replace(/'/g, '%27')}'`;
}
export function curl(form: Form, params: Params): string {
    return `${fetching(absolute(form.path, params))} -o ${form.file}`;
}
