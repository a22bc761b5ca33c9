/* upload.svelte.ts: captures on their way to the server, one after the other; they go on while other pages are looked at.
 * XMLHttpRequest, since fetch does not say how much was sent. */
import { address, get, token } from './api.svelte';
import { plural } from './text';

export interface Capture {
    id: number;
    name: string;
    size: number;
    file: File;
    tags: string;
    state: 'waits' | 'sending' | 'reading' | 'done' | 'failed' | 'cancelled';
    sent: number;
    /** What became of it. */
    says: string;
}

interface Answer {
    success?: boolean;
    text?: string;
    packets?: number;
    sessions?: number;
    warning?: string;
}

export const TAGS = '[\\w:\\-]+(\\s*,\\s*[\\w:\\-]+)*';

/** Why the server did not take it. `said` is its own sentence. */
function refused(status: number, said: string): string {
    const more = said ? `: ${said}` : '';
    switch (status) {
        case 0:
            return 'The connection broke off before the server had answered. Is the capture larger than the server takes?';
        case 400:
            return `Not read${more || ': it is no capture'}.`;
        case 401:
            return 'You are not logged in.';
        case 403:
            return 'You may not send captures to this server.';
        case 409:
            return `The server is busy${more}. Try again when it is done.`;
        case 413:
            return `Too large${more}.`;
        case 507:
            return `There is no room for it${more}. Nothing of it was kept.`;
        default:
            return `Not taken${more || `: the server answered ${status}`}.`;
    }
}

/** Who closes the page is asked first. */
const stay = (e: Event) => e.preventDefault();

class Uploads {
    list = $state<Capture[]>([]);
    /** How many were read: what lists captures reads it, and so lists again. */
    done = $state(0);
    private next = 0;
    private request: XMLHttpRequest | null = null;
    private working = false;

    add(files: File[], tags: string): void {
        for (const file of files) {
            this.list.push({ id: ++this.next, name: file.name, size: file.size, file, tags, state: 'waits', sent: 0, says: '' });
        }
        void this.work();
    }
    again(c: Capture): void {
        Object.assign(c, { state: 'waits', sent: 0, says: '' });
        void this.work();
    }
    /** Until the last byte is sent; then the server reads it, whoever waits. */
    cancel(c: Capture): void {
        if (c.state === 'waits' || c.state === 'sending') {
            const sending = c.state === 'sending';
            Object.assign(c, { state: 'cancelled', says: 'Cancelled: nothing of it was kept.' });
            if (sending) {
                this.request?.abort();
            }
        }
    }
    forget(c: Capture): void {
        this.list = this.list.filter((other) => other.id !== c.id);
    }

    private async work(): Promise<void> {
        if (this.working) {
            return;
        }
        this.working = true;
        window.addEventListener('beforeunload', stay);
        for (let c; (c = this.list.find((one) => one.state === 'waits')); ) {
            c.state = 'sending';
            // The token may have become old while the page stood open; reading anything brings a new one.
            await get('user/settings').catch(() => undefined);
            // It may have been cancelled meanwhile.
            if ((c.state as Capture['state']) === 'sending') {
                await this.send(c);
            }
        }
        window.removeEventListener('beforeunload', stay);
        this.working = false;
    }
    private send(c: Capture): Promise<void> {
        return new Promise((over) => {
            const request = new XMLHttpRequest();
            const form = new FormData();
            form.append('tags', c.tags);
            form.append('file', c.file, c.name);
            request.upload.onprogress = (e) => (c.sent = Math.min(e.loaded, c.size));
            request.upload.onload = () => {
                if (c.state === 'sending') {
                    Object.assign(c, { state: 'reading', sent: c.size });
                }
            };
            request.onloadend = () => {
                this.request = null;
                if (c.state !== 'cancelled') {
                    this.finish(c, request);
                }
                over();
            };
            request.open('POST', address('upload'));
            for (const [name, value] of Object.entries(token())) {
                request.setRequestHeader(name, value);
            }
            this.request = request;
            request.send(form);
        });
    }
    private finish(c: Capture, request: XMLHttpRequest): void {
        let said: Answer = {};
        try {
            said = JSON.parse(request.responseText) as Answer;
        } catch {
            // no JSON: the status has to do
        }
        if (request.status === 200 && said.success) {
            c.state = 'done';
            c.says = `${plural(said.sessions ?? 0, 'session')}, ${plural(said.packets ?? 0, 'packet')}${said.warning ? `; ${said.warning}` : ''}`;
            this.done++;
        } else {
            c.state = 'failed';
            c.says = refused(request.status, (said.text ?? '').replace(/\.$/, ''));
        }
    }
}

export const uploads = new Uploads();
