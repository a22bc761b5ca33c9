/* url.svelte.ts: the URL is the state. A page is one part of the path; everything a colleague must have to see the same
 * is in the query. */

export const base = new URL('.', location.href).pathname;

function pageOf(): string {
    return location.pathname.slice(base.length) || 'start';
}

class Url {
    page = $state(pageOf());
    params = $state.raw(new URLSearchParams(location.search));

    constructor() {
        addEventListener('popstate', () => this.read());
    }

    private read(): void {
        this.page = pageOf();
        this.params = new URLSearchParams(location.search);
    }

    get(name: string, fallback = ''): string {
        return this.params.get(name) ?? fallback;
    }

    /** The address of a page. Parameters in `keep` stay (the query does, unless told otherwise). */
    to(page: string, changes: Record<string, string | null | undefined> = {}, keep: readonly string[] = QUERY): string {
        const next = new URLSearchParams();
        for (const name of keep) {
            const value = this.params.get(name);
            if (value !== null) {
                next.set(name, value);
            }
        }
        return base + (page === 'start' ? '' : page) + this.string(next, changes);
    }

    private string(next: URLSearchParams, changes: Record<string, string | null | undefined>): string {
        for (const [name, value] of Object.entries(changes)) {
            if (value === null || value === undefined || value === '') {
                next.delete(name);
            } else {
                next.set(name, value);
            }
        }
        const text = next.toString();
        return text ? '?' + text : '';
    }

    go(page: string, changes: Record<string, string | null | undefined> = {}, keep: readonly string[] = QUERY): void {
        history.pushState(null, '', this.to(page, changes, keep));
        this.read();
    }

    /** Changes parameters of this page. `quietly`: no entry of its own for the back button. */
    set(changes: Record<string, string | null | undefined>, quietly = false): void {
        const text = location.pathname + this.string(new URLSearchParams(this.params), changes);
        if (text === location.pathname + location.search) {
            return;
        }
        history[quietly ? 'replaceState' : 'pushState'](null, '', text);
        this.read();
    }
}

/** What asks for sessions; goes along from page to page. */
export const QUERY = ['expression', 'date', 'startTime', 'stopTime', 'bounding', 'view'] as const;

export const url = new Url();

/** Follows links of the application without loading the page anew. */
export function follow(event: MouseEvent): void {
    const link = (event.target as Element | null)?.closest?.('a');
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) {
        return;
    }
    if (link.target || link.rel === 'external' || link.hasAttribute('download') || link.origin !== location.origin) {
        return;
    }
    const path = link.pathname;
    if (!path.startsWith(base) || path.slice(base.length).includes('/') || path.slice(base.length).startsWith('api')) {
        return;
    }
    event.preventDefault();
    history.pushState(null, '', link.href);
    dispatchEvent(new PopStateEvent('popstate'));
    document.getElementById('page')?.scrollTo(0, 0);
}
