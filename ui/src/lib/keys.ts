/* keys.ts: keys of the whole page. Pages add theirs by `bind`; the overlay and the help print from the same list. */
export interface Key {
    key: string;
    does: string;
    run: (event: KeyboardEvent) => void;
    group: string;
}

const bound = new Set<Key[]>();

export function bind(keys: Key[]): () => void {
    bound.add(keys);
    return () => bound.delete(keys);
}
export function all(): Key[] {
    return [...bound].flat();
}

function typing(target: EventTarget | null): boolean {
    const e = target as HTMLElement | null;
    return !!e?.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable], .editor');
}

let first = '';
let firstAt = 0;

/** Whether the first of two letters was typed: the next belongs to it, also where it means something else alone. */
export function begun(): boolean {
    return first !== '' && Date.now() - firstAt < 1200;
}

/** Keys of two letters, such as "g s", are typed one after the other. */
export function press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.composedPath()[0] ?? event.target)) {
        return;
    }
    const now = Date.now();
    const pair = begun() ? first + ' ' + event.key : '';
    first = '';
    const found = all().find((k) => k.key === pair) ?? all().find((k) => k.key === event.key);
    const begins = all().some((k) => k.key.startsWith(event.key + ' '));
    if (found) {
        event.preventDefault();
        found.run(event);
    } else if (begins) {
        first = event.key;
        firstAt = now;
    }
}
