/* api.svelte.ts: requests. An answer is data or an ApiError with a sentence; a server that went away is told once, for the
 * whole page, and asked again until it is back. */
import { base } from './url.svelte';

export type Params = Record<string, string | number | boolean | null | undefined>;

export class ApiError extends Error {
    constructor(
        message: string,
        readonly status: number,
    ) {
        super(message);
    }
}

/** Whether the server answers, and how often it came back: what loads reads `back`, and so loads again. */
export const server = $state({ gone: false, back: 0, login: false });

let asking = 0;
function goneAway(): void {
    server.gone = true;
    if (asking) {
        return;
    }
    const ask = async () => {
        try {
            const answer = await fetch(base + 'api/appversion', { cache: 'no-store' });
            if (answer.status < 500) {
                asking = 0;
                server.gone = false;
                server.back++;
                return;
            }
        } catch {
            // still away
        }
        asking = window.setTimeout(ask, 2000);
    };
    asking = window.setTimeout(ask, 1000);
}

export function query(params: Params): string {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(params)) {
        if (value !== null && value !== undefined && value !== '') {
            search.set(name, String(value));
        }
    }
    const text = search.toString();
    return text ? '?' + text : '';
}

export function address(path: string, params: Params = {}): string {
    return base + 'api/' + path + query(params);
}
export function absolute(path: string, params: Params = {}): string {
    return new URL(address(path, params), location.href).href;
}

/** What requests that change something carry: a page of another site could not. */
export function token(): Record<string, string> {
    const found = /(?:^|; )ARKIME-COOKIE=([^;]*)/.exec(document.cookie);
    return found ? { 'x-arkime-cookie': decodeURIComponent(found[1]) } : {};
}

const SAID: Record<number, string> = {
    401: 'You are not logged in.',
    403: 'You have no right to this.',
    404: 'The server does not know this.',
    413: 'That is too large for the server.',
    429: 'Too many requests: wait a moment.',
    503: 'The server is too busy: try again.',
};

async function answer(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
        response = await fetch(path, { credentials: 'same-origin', ...init });
    } catch (error) {
        if ((error as Error).name === 'AbortError') {
            throw error;
        }
        goneAway();
        throw new ApiError('The server does not answer.', 0);
    }
    if (response.status === 401) {
        server.login = true;
    }
    if (!response.ok) {
        let said = '';
        try {
            const body = await response.json();
            said = String(body.text ?? body.error ?? '');
        } catch {
            // no JSON: the status has to do
        }
        throw new ApiError(said || SAID[response.status] || `The server answered ${response.status}.`, response.status);
    }
    return response;
}

export async function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
    const response = await answer(address(path, params), { signal, headers: token() });
    let body;
    try {
        body = await response.json();
    } catch (error) {
        if ((error as Error).name === 'AbortError') {
            throw error;
        }
        throw new ApiError('The answer was cut off.', 0);
    }
    // Searches say what was wrong with a status of 200, as Arkime's do.
    if (body && typeof body === 'object' && typeof body.error === 'string' && !('ok' in body) && !('mode' in body)) {
        throw new ApiError(body.error, 200);
    }
    if (body && body.success === false && typeof body.text === 'string') {
        throw new ApiError(body.text, 200);
    }
    return body as T;
}

export async function text(path: string, params: Params = {}, signal?: AbortSignal): Promise<string> {
    return (await answer(address(path, params), { signal, headers: token() })).text();
}

export async function send<T>(method: string, path: string, body: unknown = {}, params: Params = {}): Promise<T> {
    const once = () =>
        answer(address(path, params), {
            method,
            headers: { 'content-type': 'application/json', ...token() },
            body: method === 'DELETE' ? undefined : JSON.stringify(body),
        });
    const response = await once().catch(async (error: ApiError) => {
        // The token against requests of other sites has become old while the page stood open. It was refused before anything
        // was done; reading anything brings a new one.
        if (error.status === 500 && /^(Missing token|Timeout - )/.test(error.message)) {
            await get('user/settings');
            return once();
        }
        throw error;
    });
    const said = await response.json().catch(() => ({}));
    if (said && said.success === false) {
        throw new ApiError(String(said.text ?? 'The server refused.'), 200);
    }
    return said as T;
}

/** One thing that is loaded, again and again: the last answer stays on the page until the next is there. */
export class Loader<T> {
    value = $state.raw<T | undefined>(undefined);
    error = $state<ApiError | null>(null);
    busy = $state(false);
    /** When the request began; 0: none is under way. */
    since = $state(0);
    cancelled = $state(false);
    private control: AbortController | null = null;

    async run(load: (signal: AbortSignal) => Promise<T>): Promise<void> {
        this.control?.abort();
        const control = new AbortController();
        this.control = control;
        this.busy = true;
        this.cancelled = false;
        this.since = Date.now();
        try {
            const value = await load(control.signal);
            if (this.control === control) {
                this.value = value;
                this.error = null;
            }
        } catch (error) {
            if (this.control === control && (error as Error).name !== 'AbortError') {
                this.error = error instanceof ApiError ? error : new ApiError(String(error), 0);
            }
        } finally {
            if (this.control === control) {
                this.busy = false;
                this.since = 0;
                this.control = null;
            }
        }
    }

    cancel(): void {
        this.control?.abort();
        this.control = null;
        this.busy = false;
        this.since = 0;
        this.cancelled = true;
    }
}
