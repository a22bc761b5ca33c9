/* query.svelte.ts: what is asked: expression, time and view from the URL, as the API takes them; and what the store
 * says about itself while it grows. */
import { address, server, type Params } from './api.svelte';
import { url } from './url.svelte';

export interface State {
    version: number;
    rows: number;
    matching: number;
    first: number;
    last: number;
}

class Query {
    expression = $derived(url.get('expression'));
    view = $derived(url.get('view'));
    date = $derived(url.get('date'));
    startTime = $derived(url.get('startTime'));
    stopTime = $derived(url.get('stopTime'));
    bounding = $derived(url.get('bounding'));
    /** Asked again with everything else the same. */
    again = $state(0);

    isAll = $derived(!this.startTime && !this.stopTime && (!this.date || this.date === '-1'));

    /** Nothing narrows it. */
    isEverything = $derived(this.isAll && !this.expression && !this.view);

    params: Params = $derived({
        expression: this.expression || null,
        view: this.view || null,
        bounding: this.bounding || null,
        ...(this.startTime || this.stopTime
            ? { startTime: this.startTime || null, stopTime: this.stopTime || null }
            : { date: this.date || '-1' }),
    });

    /** Changes when something else is asked. */
    key = $derived(JSON.stringify(this.params) + this.again + server.back);

    /** First and last moment of what is asked, in ms; null while the store has not said what it holds. */
    window: [number, number] | null = $derived.by(() => {
        void this.again;
        if (this.startTime || this.stopTime) {
            const from = this.startTime ? Number(this.startTime) * 1000 : live.state?.first ?? 0;
            const to = this.stopTime ? Number(this.stopTime) * 1000 : Date.now();
            return [from, to];
        }
        if (this.date && this.date !== '-1') {
            const now = Date.now();
            return [now - Number(this.date) * 36e5, now];
        }
        const s = live.state;
        return s && s.rows > 0 && s.first && s.last ? [Math.floor(s.first / 1000) * 1000, Math.ceil((s.last + 1) / 1000) * 1000] : null;
    });

    set(changes: Record<string, string | null>, quietly = false): void {
        url.set({ ...changes, open: null, at: null }, quietly);
    }
    /** Loads again, also when nothing was changed. */
    repeat(): void {
        this.again++;
    }
}

/** Server-sent events about the store. Nothing on the page moves by them: they only tell that there is more. */
class Live {
    state = $state.raw<State | null>(null);
    /** The store when it was first told of for this question. */
    seen = $state.raw<State | null>(null);
    /** What was told before the page asked: its answer knows that, and may have fewer sessions where a window moves with time. */
    private known = $state.raw<State | null>(null);
    connected = $state(false);
    private source: EventSource | null = null;
    private asked = '';

    follow(params: Params): void {
        const where = address('live', params);
        if (where === this.asked && this.source) {
            return;
        }
        this.source?.close();
        this.asked = where;
        this.seen = this.known = null;
        const source = new EventSource(where);
        this.source = source;
        source.addEventListener('state', (event) => {
            try {
                this.state = JSON.parse((event as MessageEvent).data) as State;
                this.seen ??= this.state;
                this.connected = true;
            } catch {
                // not a state: the next one will be
            }
        });
        source.onerror = () => {
            this.connected = false;
        };
    }
    stop(): void {
        this.source?.close();
        this.source = null;
        this.asked = '';
    }
    /** A page asks, now. */
    asks(): void {
        this.known = this.state;
    }
    /** Sessions that fit and are not among the `shown` ones: they came since the page asked. */
    fresh(shown: number): number {
        return this.state && this.seen && this.state !== this.known ? Math.max(0, this.state.matching - shown) : 0;
    }
}

export const live = new Live();
export const query = new Query();
