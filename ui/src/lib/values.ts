/* values.ts: what can be done with a value: the items of its menu. */
import { actions } from './actions.svelte';
import { address } from './api.svelte';
import { columns } from './columns.svelte';
import { and, or, test } from './expr';
import { countable, pathOf, type Field } from './fields.svelte';
import { menu, notice, type Item } from './menu.svelte';
import { query } from './query.svelte';
import { copy, shown } from './text';
import { url } from './url.svelte';

export function cut(text: string, length: number): string {
    return text.length > length ? text.slice(0, length - 1) + '…' : text;
}

/** Asks for something else: on a page without a table of sessions this leads to one. */
export function ask(expression: string): void {
    if (['sessions', 'spiview', 'spigraph', 'hierarchy', 'connections', 'map'].includes(url.page)) {
        query.set({ expression });
    } else {
        url.go('sessions', { expression });
    }
}

export function copied(text: string, what = 'Copied'): void {
    void copy(text).then((done) => notice.say(done ? `${what}: ${cut(shown(text), 60)}` : 'The browser did not let it be copied.', !done));
}

export function valueMenu(anchor: HTMLElement, field: Field | undefined, value: string | number, text = String(value)): void {
    const items: Item[] = [];
    if (field) {
        const is = test(field, value);
        const not = test(field, value, '!=');
        const short = cut(shown(is), 44);
        items.push(
            { label: 'And', note: short, run: () => ask(and(query.expression, is)) },
            { label: 'And not', note: cut(shown(not), 44), run: () => ask(and(query.expression, not)) },
        );
        if (query.expression) {
            items.push({ label: 'Or', note: short, run: () => ask(or(query.expression, is)) });
        }
        items.push(
            { label: 'Only this', run: () => ask(is) },
            { label: 'Only this, in a new tab', href: url.to('sessions', { expression: is }) },
        );
    }
    items.push({ label: 'Copy', apart: true, run: () => copied(text) });
    if (field) {
        items.push({ label: 'Copy as expression', run: () => copied(test(field, value)) });
        items.push(...actions.items(field, String(value)), ...fieldItems(field));
    }
    menu.show(anchor, cut(shown(text), 60), items);
}

/** Items that lead from a field elsewhere. */
export function fieldItems(field: Field): Item[] {
    const items: Item[] = [];
    if (countable(field)) {
        items.push(
            { label: 'Values over time', note: field.friendlyName, apart: true, href: url.to('spigraph', { exp: field.exp }) },
            { label: 'All values with counts', note: field.friendlyName, href: url.to('spiview', { spi: pathOf(field) }) },
        );
    }
    const shown = columns.ids.includes(pathOf(field));
    if (field.type !== 'notreal') {
        items.push({ label: shown ? 'Not as a column' : 'As a column of the sessions', run: () => columns.toggle(pathOf(field)) });
    }
    if (countable(field)) {
        items.push({ label: 'Values as text, in a new tab', href: address('unique', { ...query.params, exp: field.exp, counts: 1 }) });
    }
    items.push({ label: 'Has any value', note: field.exp + ' == EXISTS!', run: () => ask(and(query.expression, field.exp + ' == EXISTS!')) });
    return items;
}
