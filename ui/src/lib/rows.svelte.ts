/* rows.svelte.ts: the rows of a table of any length: pages are asked for where one looks, and the oldest are forgotten. */
import { ApiError, get, type Params } from './api.svelte';

export type Row = Record<string, unknown> & { id: string; node?: string; firstPacket?: number; lastPacket?: number };

const PAGE = 100;
const KEPT = 60;

export class Rows {
    total = $state(0);
    /** All sessions of the store. */
    all = $state(0);
    busy = $state(false);
    since = $state(0);
    cancelled = $state(false);
    /** Whether any answer is here for what is asked. */
    ready = $state(false);
    error = $state.raw<ApiError | null>(null);
    /** Grows when rows came: what draws them reads it. */
    version = $state(0);
    private pages = new Map<number, Row[]>();
    private wanted = new Map<number, AbortController>();
    private params: Params = {};
    private generation = 0;

    /** Asks for something else. What is there stays until the first rows are. */
    reset(params: Params): void {
        this.params = params;
        this.generation++;
        this.wanted.forEach((control) => control.abort());
        this.wanted.clear();
        this.cancelled = false;
        this.busy = true;
        this.since = Date.now();
        void this.load(0, true);
    }

    at(index: number): Row | undefined {
        return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
    }

    /** Rows [from, to) are looked at. */
    look(from: number, to: number): void {
        if (!this.ready || this.cancelled) {
            return;
        }
        const first = Math.floor(Math.max(0, from) / PAGE);
        const last = Math.floor(Math.max(0, Math.min(to, this.total) - 1) / PAGE);
        for (const [page, control] of this.wanted) {
            if (page < first - 1 || page > last + 1) {
                control.abort();
                this.wanted.delete(page);
            }
        }
        for (let page = first; page <= last; page++) {
            const known = this.pages.get(page);
            if (known) {
                // To the end of the line of what is forgotten.
                this.pages.delete(page);
                this.pages.set(page, known);
            } else if (!this.wanted.has(page)) {
                void this.load(page, false);
            }
        }
    }

    private async load(page: number, fresh: boolean): Promise<void> {
        const control = new AbortController();
        const generation = this.generation;
        this.wanted.set(page, control);
        try {
            const answer = await get<{ data: Row[]; recordsFiltered: number; recordsTotal: number }>(
                'sessions',
                { ...this.params, start: page * PAGE, length: PAGE },
                control.signal,
            );
            if (generation !== this.generation) {
                return;
            }
            if (fresh) {
                this.pages.clear();
                this.total = answer.recordsFiltered;
                this.all = answer.recordsTotal;
                this.ready = true;
            }
            this.pages.set(page, answer.data);
            while (this.pages.size > KEPT) {
                this.pages.delete(this.pages.keys().next().value!);
            }
            this.error = null;
            this.version++;
        } catch (error) {
            if (generation === this.generation && (error as Error).name !== 'AbortError') {
                this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
            }
        } finally {
            if (generation === this.generation) {
                this.wanted.delete(page);
                if (fresh) {
                    this.busy = false;
                    this.since = 0;
                }
            }
        }
    }

    /** Tags and the like were changed: the rows that are here are asked for again, nothing moves. */
    renew(): void {
        for (const page of [...this.pages.keys()]) {
            void this.load(page, false);
        }
    }

    cancel(): void {
        this.generation++;
        this.wanted.forEach((control) => control.abort());
        this.wanted.clear();
        this.busy = false;
        this.since = 0;
        this.cancelled = true;
    }
}
