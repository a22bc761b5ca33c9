/* prefs.svelte.ts: what a reader chose about looks. Kept by this browser; everything else is in the URL or the store. */

export type Theme = 'system' | 'light' | 'dark';
interface Kept {
    theme: Theme;
    zone: string;
    columns: string[];
    metric: string;
    timeline: boolean;
    spi: string[];
    widths: Record<string, number>;
}

export const DEFAULT_COLUMNS = [
    'firstPacket',
    'duration',
    'protocol',
    'source.ip',
    'source.port',
    'destination.ip',
    'destination.port',
    'network.packets',
    'network.bytes',
    'info',
];

const KEY = 'seine';
const initial: Kept = { theme: 'system', zone: 'local', columns: [], metric: 'sessions', timeline: true, spi: [], widths: {} };

function read(): Kept {
    try {
        const kept = JSON.parse(localStorage.getItem(KEY) ?? '{}');
        const whole = { ...initial };
        // What an older version left behind, or someone edited, counts only where it has the right shape.
        for (const name of Object.keys(initial) as (keyof Kept)[]) {
            const value = kept?.[name];
            if (typeof value === typeof initial[name] && Array.isArray(value) === Array.isArray(initial[name])) {
                (whole as Record<string, unknown>)[name] = value;
            }
        }
        whole.columns = whole.columns.filter((c) => typeof c === 'string');
        return whole;
    } catch {
        return { ...initial };
    }
}

export const prefs = $state<Kept>(read());

export function keep(change: Partial<Kept>): void {
    Object.assign(prefs, change);
    try {
        localStorage.setItem(KEY, JSON.stringify(prefs));
    } catch {
        // Private windows may refuse: the choice holds until the page closes.
    }
    apply();
}

export function apply(): void {
    document.documentElement.dataset.theme = prefs.theme;
}

// --- time in the chosen zone ---

export function zoneName(): string {
    return prefs.zone === 'local' ? Intl.DateTimeFormat().resolvedOptions().timeZone : prefs.zone;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function parts(ms: number, zone: string): Record<string, string> {
    let format = formats.get(zone);
    if (!format) {
        format = new Intl.DateTimeFormat('en', {
            timeZone: zone,
            hourCycle: 'h23',
            year: 'numeric',
            month: '2-digit',
            day: '2-digit',
            hour: '2-digit',
            minute: '2-digit',
            second: '2-digit',
        });
        formats.set(zone, format);
    }
    return Object.fromEntries(format.formatToParts(ms).map((p) => [p.type, p.value]));
}

export function date(ms: number): string {
    const p = parts(ms, zoneName());
    return `${p.year}-${p.month}-${p.day}`;
}
export function clock(ms: number, millis = false): string {
    const p = parts(ms, zoneName());
    const rest = ((Math.floor(ms) % 1000) + 1000) % 1000;
    return `${p.hour}:${p.minute}:${p.second}` + (millis ? '.' + String(rest).padStart(3, '0') : '');
}
export function moment(ms: number, millis = false): string {
    return date(ms) + ' ' + clock(ms, millis);
}

/** Minutes east of UTC at that moment. */
export function offset(ms: number, zone = zoneName()): number {
    const p = parts(ms, zone);
    const there = Date.UTC(+p.year, +p.month - 1, +p.day, +p.hour, +p.minute, +p.second);
    return Math.round((there - Math.floor(ms / 1000) * 1000) / 60000);
}
export function offsetText(ms: number): string {
    const m = offset(ms);
    const a = Math.abs(m);
    const rest = a % 60 ? ':' + String(a % 60).padStart(2, '0') : '';
    return m === 0 ? 'UTC' : 'UTC' + (m < 0 ? '−' : '+') + Math.floor(a / 60) + rest;
}

/** Milliseconds of "2026-01-14 09:00[:00]", "2026-01-14", "-1h", "now", an ISO time with zone, or seconds. null: no time. */
export function momentParse(text: string): number | null {
    text = text.trim();
    if (text === 'now') {
        return Date.now();
    }
    const ago = /^-?(\d+(?:\.\d+)?)\s*([smhdw])$/.exec(text);
    if (ago) {
        const unit = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }[ago[2] as 's'];
        return Date.now() - Number(ago[1]) * unit;
    }
    if (/^\d{9,10}$/.test(text)) {
        return Number(text) * 1000;
    }
    const m = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?:[ T]+(\d{1,2})(?::(\d{2})(?::(\d{2})(\.\d+)?)?)?)?$/.exec(text);
    if (m) {
        const utc = Date.UTC(+m[1], +m[2] - 1, +m[3], +(m[4] ?? 0), +(m[5] ?? 0), +(m[6] ?? 0)) + Number(m[7] ?? 0) * 1000;
        if (+m[2] > 12 || +m[3] > 31 || +(m[4] ?? 0) > 24 || Number.isNaN(utc)) {
            return null;
        }
        const first = utc - offset(utc) * 60000;
        return utc - offset(first) * 60000;
    }
    const other = /\d{4}.*(Z|[+-]\d{2}:?\d{2})$/.test(text) ? Date.parse(text) : NaN;
    return Number.isNaN(other) ? null : other;
}
