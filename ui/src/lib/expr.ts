/* expr.ts: writes expressions: a value as the language quotes it, and tests joined to what is there. */
import { isTime, type Field } from './fields.svelte';

/** A value as text of the language, meaning exactly itself. */
export function quoted(value: string): string {
    if (/^[A-Za-z0-9_.:@][A-Za-z0-9_.:@+-]*$/.test(value) && value !== 'EXISTS!') {
        return value;
    }
    if (value.endsWith('\\') || /\\["*?,/[\]]/.test(value)) {
        // A backslash before these would be an escape: a regular expression says it without doubt.
        return '/' + value.replace(/[\\^$.*+?()[\]{}|/"]/g, '\\$&') + '/';
    }
    return '"' + value.replace(/["*?]/g, '\\$&') + '"';
}

export function test(field: Field, value: string | number, operator = '=='): string {
    if (isTime(field) && typeof value === 'number') {
        return `${field.exp} ${operator} "${new Date(value).toISOString()}"`;
    }
    const text = String(value);
    return `${field.exp} ${operator} ${text === '' ? '""' : quoted(text)}`;
}

/** Whether `||` stands outside of quotes and parentheses: then the whole has to be bracketed before `&&` is added. */
export function isLoose(expression: string): boolean {
    let depth = 0;
    let quote = '';
    for (let i = 0; i < expression.length; i++) {
        const c = expression[i];
        if (c === '\\') {
            i++;
        } else if (quote) {
            quote = c === quote ? '' : quote;
        } else if (c === '"') {
            quote = c;
        } else if (c === '(') {
            depth++;
        } else if (c === ')') {
            depth--;
        } else if (c === '|' && depth === 0) {
            return true;
        }
    }
    return false;
}

export function and(expression: string, more: string): string {
    const there = expression.trim();
    if (!there || there === '*') {
        return more;
    }
    return `${isLoose(there) ? `(${there})` : there} && ${isLoose(more) ? `(${more})` : more}`;
}

export function or(expression: string, more: string): string {
    const there = expression.trim();
    return there && there !== '*' ? `${there} || ${more}` : more;
}
