/* graph.svelte.ts: the timeline and the counts of what is asked; shared by the pages that ask for sessions. */
import { get, Loader } from './api.svelte';
import type { Graph } from './histogram';
import { query } from './query.svelte';

export interface Facets {
    graph?: Graph;
    map?: Record<string, Record<string, number>>;
    recordsTotal: number;
    recordsFiltered: number;
    window: [number, number] | null;
}

/** For "everything" the API's intervals are hours whatever the length, so it is asked with the store's own limits. */
export function windowParams(): Record<string, string | number | null> {
    const w = query.window;
    if (query.isAll && w) {
        return { date: null, startTime: Math.floor(w[0] / 1000), stopTime: Math.ceil(w[1] / 1000) };
    }
    return {};
}

export class FacetLoader extends Loader<Facets> {
    ask(more: Record<string, string | boolean | number> = {}): void {
        const window = query.window;
        const params = { ...query.params, ...windowParams(), facets: 1, length: 0, ...more };
        void this.run(async (signal) => ({ ...(await get<Facets>('sessions', params, signal)), window }));
    }
}
