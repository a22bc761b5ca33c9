/* menu.svelte.ts: the one menu of the page: what can be done with a value or a field. */
export interface Item {
    label: string;
    /** What it would ask, or where it leads; shown beside the label. */
    note?: string;
    href?: string;
    run?: () => void;
    /** A line is drawn before it. */
    apart?: boolean;
}

class Menu {
    items = $state.raw<Item[]>([]);
    title = $state('');
    x = $state(0);
    y = $state(0);
    anchor: HTMLElement | null = null;
    get open(): boolean {
        return this.items.length > 0;
    }

    show(anchor: HTMLElement, title: string, items: Item[]): void {
        const box = anchor.getBoundingClientRect();
        this.anchor = anchor;
        this.title = title;
        this.x = box.left;
        this.y = box.bottom + 2;
        this.items = items;
    }
    hide(focus = true): void {
        this.items = [];
        if (focus) {
            this.anchor?.focus({ preventScroll: true });
        }
        this.anchor = null;
    }
}

export const menu = new Menu();

/** A sentence for a moment, below; also read out. */
class Notice {
    text = $state('');
    bad = $state(false);
    private timer = 0;
    say(text: string, bad = false): void {
        this.text = text;
        this.bad = bad;
        clearTimeout(this.timer);
        this.timer = window.setTimeout(() => (this.text = ''), bad ? 8000 : 3500);
    }
}
export const notice = new Notice();
