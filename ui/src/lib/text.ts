/* text.ts: how values are shown. Whatever traffic carried is text here: what would be invisible, move other text or turn
 * its direction is written as an escape. */

const HIDDEN =
    // eslint-disable-next-line no-control-regex
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

export function shown(value: unknown, limit = Infinity): string {
    let text = typeof value === 'string' ? value : value === null || value === undefined ? '' : String(value);
    if (text.length > limit) {
        text = text.slice(0, limit) + '…';
    }
    return text
        .replace(/[\n\t]/g, (c) => (c === '\n' ? '\\n' : '\\t'))
        .replace(HIDDEN, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

const plain = new Intl.NumberFormat('en');
export function number(n: number): string {
    return plain.format(n);
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
export function bytes(n: number): string {
    let i = 0;
    while (Math.abs(n) >= 1000 && i < UNITS.length - 1) {
        n /= 1000;
        i++;
    }
    return (i === 0 || Math.abs(n) >= 100 ? Math.round(n) : n.toFixed(1)) + ' ' + UNITS[i];
}

export function short(n: number): string {
    const steps: [number, string][] = [
        [1e12, 'T'],
        [1e9, 'G'],
        [1e6, 'M'],
        [1e4, 'k'],
    ];
    for (const [size, unit] of steps) {
        if (Math.abs(n) >= size) {
            const v = n / (unit === 'k' ? 1e3 : size);
            return (v >= 100 ? Math.round(v) : v.toFixed(1)) + ' ' + unit;
        }
    }
    return plain.format(Math.round(n * 100) / 100);
}

/** Milliseconds as what people say. */
export function lasting(ms: number): string {
    if (ms < 1000) {
        return Math.round(ms) + ' ms';
    }
    if (ms < 60000) {
        return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s';
    }
    const s = Math.round(ms / 1000);
    if (s < 3600) {
        return Math.floor(s / 60) + ' min ' + String(s % 60).padStart(2, '0') + ' s';
    }
    if (s < 86400) {
        return Math.floor(s / 3600) + ' h ' + String(Math.floor((s % 3600) / 60)).padStart(2, '0') + ' min';
    }
    return Math.floor(s / 86400) + ' d ' + Math.floor((s % 86400) / 3600) + ' h';
}

export function plural(n: number, one: string, many = one + 's'): string {
    return number(n) + ' ' + (n === 1 ? one : many);
}

export async function copy(text: string): Promise<boolean> {
    try {
        await navigator.clipboard.writeText(text);
        return true;
    } catch {
        // Without a secure context there is no clipboard object: the old way still works.
        const area = document.createElement('textarea');
        area.value = text;
        area.className = 'offscreen';
        document.body.append(area);
        area.select();
        const done = document.execCommand('copy');
        area.remove();
        return done;
    }
}

/** An action of forms that appear because they were asked for: the first thing to fill in has the focus. */
export function entered(node: HTMLElement): void {
    node.querySelector<HTMLElement>('input:not(:disabled), select, textarea, a')?.focus();
}
