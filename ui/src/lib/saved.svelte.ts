/* saved.svelte.ts: views of the store that this user may see. */
import { get } from './api.svelte';

export interface View {
    id: string;
    name: string;
    expression: string;
    user?: string;
    users?: string;
    roles?: string[];
    editRoles?: string[];
    sessionsColConfig?: { visibleHeaders?: unknown; order?: unknown } | null;
}

class Views {
    list = $state.raw<View[]>([]);
    error = $state('');
    async load(): Promise<void> {
        try {
            this.list = (await get<{ data: View[] }>('views')).data ?? [];
            this.error = '';
        } catch (error) {
            this.error = (error as Error).message;
        }
    }
    find(idOrName: string): View | undefined {
        return this.list.find((v) => v.id === idOrName) ?? this.list.find((v) => v.name === idOrName);
    }
}
export const views = new Views();
