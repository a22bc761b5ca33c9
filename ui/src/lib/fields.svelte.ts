/* fields.svelte.ts: the registry of fields, as the server prints it. The page knows no field beside it, except the few
 * that every session has. */
import { get } from './api.svelte';

export interface Field {
    exp: string;
    dbField: string;
    dbField2?: string;
    fieldECS?: string;
    friendlyName: string;
    group: string;
    help: string;
    type: string;
    category?: string | string[];
    aliases?: string[];
    noFacet?: boolean | string;
    regex?: string;
    /** What the expression box does to a value before it asks, as Arkime names it. */
    transform?: string;
}

class Registry {
    list = $state.raw<Field[]>([]);
    error = $state('');
    private byExp = new Map<string, Field>();
    private byPath = new Map<string, Field>();

    async load(): Promise<void> {
        try {
            const list = await get<Field[]>('fields', { array: true });
            const paths = new Map<string, Field>();
            const names = new Map<string, Field>();
            for (const f of list) {
                names.set(f.exp, f);
                for (const alias of f.aliases ?? []) {
                    names.set(alias, f);
                }
                for (const path of [f.dbField, f.dbField2, f.fieldECS]) {
                    if (path && !paths.has(path)) {
                        paths.set(path, f);
                    }
                }
            }
            this.byExp = names;
            this.byPath = paths;
            this.list = list;
            this.error = '';
        } catch (error) {
            this.error = (error as Error).message;
        }
    }

    exp(name: string): Field | undefined {
        void this.list;
        return this.byExp.get(name);
    }
    /** By the name in documents. */
    path(name: string): Field | undefined {
        void this.list;
        return this.byPath.get(name);
    }
    any(name: string): Field | undefined {
        return this.exp(name) ?? this.path(name);
    }
}

export const fields = new Registry();

/** The name under which documents have the field. */
export function pathOf(f: Field): string {
    return f.fieldECS ?? f.dbField2 ?? f.dbField;
}

/** Whether values can be counted: text, addresses and numbers can; unions and objects have none of their own. */
export function countable(f: Field): boolean {
    return f.type !== 'notreal' && f.type !== 'object' && f.type !== 'viewand' && !/(all|\.cnt)$/.test(f.dbField) && String(f.noFacet) !== 'true';
}

export function isTime(f: Field | undefined): boolean {
    return f?.type === 'seconds' || f?.type === 'date' || f?.type === 'time';
}

/** What a document holds under a dotted path: members may themselves have dots in their names. */
export function dig(doc: unknown, path: string): unknown {
    if (doc === null || typeof doc !== 'object') {
        return undefined;
    }
    if (Array.isArray(doc)) {
        const found = doc.flatMap((item) => {
            const v = dig(item, path);
            return v === undefined ? [] : Array.isArray(v) ? v : [v];
        });
        return found.length ? found : undefined;
    }
    const object = doc as Record<string, unknown>;
    if (Object.hasOwn(object, path)) {
        return object[path];
    }
    for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        const head = path.slice(0, dot);
        if (Object.hasOwn(object, head)) {
            const found = dig(object[head], path.slice(dot + 1));
            if (found !== undefined) {
                return found;
            }
        }
    }
    return undefined;
}
