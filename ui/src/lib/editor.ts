/* editor.ts: the editor of expressions, by CodeMirror. It stands in a shadow root: there CodeMirror hands its styles over as
 * objects, which the Content-Security-Policy allows, and not as <style> elements, which it refuses. */
import { acceptCompletion, autocompletion, closeBrackets, closeCompletion, closeBracketsKeymap, completionKeymap, completionStatus, moveCompletionSelection, selectedCompletion, startCompletion, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { HighlightStyle, StreamLanguage, bracketMatching, syntaxHighlighting } from '@codemirror/language';
import { linter, type Diagnostic } from '@codemirror/lint';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { get, type Params } from './api.svelte';

interface Offer {
    from: number;
    to: number;
    kind: string;
    items: { text: string; title?: string; help?: string; type?: string }[];
}
export interface Explained {
    ok: boolean;
    error?: string;
    column?: number;
    length?: number;
    hint?: string;
}

/** The API counts bytes of UTF-8, the editor counts UTF-16. */
function bytesBefore(text: string, at: number): number {
    return new TextEncoder().encode(text.slice(0, at)).length;
}
export function placeOf(text: string, bytes: number): number {
    const all = new TextEncoder().encode(text);
    return new TextDecoder().decode(all.slice(0, bytes)).length;
}

const language = StreamLanguage.define<{ after: boolean }>({
    startState: () => ({ after: false }),
    token(stream, state) {
        if (stream.eatSpace()) {
            return null;
        }
        if (stream.match(/^"(?:\\.|[^"\\])*"?/) || stream.match(/^[[\]](?:\\.|[^\\[\]])*[[\]]?/)) {
            state.after = false;
            return 'string';
        }
        if (stream.match(/^(==|!=|<=|>=|=|<|>)/)) {
            state.after = true;
            return 'operator';
        }
        if (stream.match(/^(&&|\|\||&|\||!)/)) {
            state.after = false;
            return 'keyword';
        }
        if (state.after && stream.match(/^\/(?:\\.|[^/\\])*\//)) {
            state.after = false;
            return 'regexp';
        }
        if (stream.match(/^[()]/)) {
            return 'bracket';
        }
        if (stream.match(/^[^\s"()[\]=!<>&|]+/)) {
            const value = state.after;
            state.after = false;
            return value ? 'string' : 'propertyName';
        }
        stream.next();
        return null;
    },
});

const colours = HighlightStyle.define([
    { tag: tags.propertyName, color: 'var(--accent)' },
    { tag: tags.operator, color: 'var(--soft)' },
    { tag: tags.keyword, color: 'var(--ink)', fontWeight: '700' },
    { tag: tags.string, color: 'var(--ink)' },
    { tag: tags.regexp, color: 'var(--ink)', fontStyle: 'italic' },
]);

const theme = EditorView.theme({
    '&': { fontSize: '13px', color: 'var(--ink)', background: 'none' },
    '&.cm-focused': { outline: 'none' },
    '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '20px', maxHeight: '124px', overflow: 'auto' },
    '.cm-content': { padding: '3px 0', caretColor: 'var(--ink)' },
    '.cm-line': { padding: '0 9px' },
    '.cm-cursor': { borderLeftColor: 'var(--ink)' },
    '.cm-placeholder': { color: 'var(--soft)' },
    '.cm-matchingBracket': { background: 'var(--accent-wash)', outline: 'none' },
    '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--bad) 1.3px', textUnderlineOffset: '4px' },
    '.cm-tooltip': { border: '0', borderRadius: '7px', background: 'var(--raised)', color: 'var(--ink)', boxShadow: 'var(--shadow)' },
    '.cm-tooltip-lint': { display: 'none' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12.5px', maxHeight: '320px', minWidth: '260px', padding: '4px' },
    '.cm-tooltip.cm-tooltip-autocomplete > ul > li': { padding: '2px 8px', borderRadius: '4px', lineHeight: '19px' },
    '.cm-tooltip-autocomplete ul li[aria-selected]': { background: 'var(--accent-wash)', color: 'var(--ink)' },
    '.cm-completionDetail': { fontFamily: 'var(--sans)', fontStyle: 'normal', color: 'var(--soft)', marginLeft: '14px' },
    '.cm-completionMatchedText': { textDecoration: 'none', color: 'var(--accent)', fontWeight: '600' },
    '.cm-completionInfo': { fontFamily: 'var(--sans)', fontSize: '12.5px', padding: '7px 11px', maxWidth: '330px' },
    '.cm-completionIcon': { display: 'none' },
});

export interface EditorOptions {
    root: ShadowRoot;
    text: string;
    label: string;
    context: () => Params;
    changed: (text: string) => void;
    enter: () => void;
    leave: () => void;
    explained: (result: Explained) => void;
}

export function editorMake(o: EditorOptions): EditorView {
    const parent = document.createElement('div');
    o.root.append(parent);

    async function offer(context: CompletionContext): Promise<CompletionResult | null> {
        const text = context.state.doc.toString();
        if (!context.explicit && !text) {
            return null;
        }
        const control = new AbortController();
        context.addEventListener('abort', () => control.abort());
        let found: Offer;
        try {
            found = await get<Offer>('complete', { ...o.context(), expression: text, cursor: bytesBefore(text, context.pos), length: 60 }, control.signal);
        } catch {
            return null;
        }
        if (!found.items.length) {
            return null;
        }
        const from = placeOf(text, found.from);
        const to = Math.max(placeOf(text, found.to), context.pos);
        const options: Completion[] = found.items.map((item, i) => ({
            label: item.text,
            detail: item.title,
            info: item.help || undefined,
            boost: -i / 100,
            apply: (view, _completion, start) => {
                const more = found.kind === 'field' || found.kind === 'operator' || found.kind === 'connective' ? ' ' : '';
                const blank = view.state.sliceDoc(to, to + 1) === ' ' ? '' : more;
                view.dispatch({ changes: { from: start, to, insert: item.text + blank }, selection: { anchor: start + (item.text + more).length }, userEvent: 'input.complete' });
                if (more) {
                    setTimeout(() => startCompletion(view));
                }
            },
        }));
        return { from, to, options, filter: false };
    }

    async function explain(view: EditorView): Promise<Diagnostic[]> {
        const text = view.state.doc.toString();
        if (!text.trim()) {
            o.explained({ ok: true });
            return [];
        }
        let result: Explained;
        try {
            result = await get<Explained>('explain', { expression: text });
        } catch {
            return [];
        }
        o.explained(result);
        if (result.ok) {
            return [];
        }
        const from = Math.min(placeOf(text, Math.max(0, (result.column ?? 1) - 1)), text.length);
        const to = Math.min(text.length, Math.max(from + 1, placeOf(text, (result.column ?? 1) - 1 + (result.length ?? 1))));
        return [{ from: Math.min(from, Math.max(0, text.length - 1)), to, severity: 'error', message: result.error ?? '' }];
    }

    // Tab was typed before the answer was there: it takes what the answer offers.
    let tabbed = false;
    function take(view: EditorView): boolean {
        if (selectedCompletion(view.state) === null) {
            moveCompletionSelection(true)(view);
        }
        return acceptCompletion(view);
    }

    return new EditorView({
        root: o.root,
        parent,
        state: EditorState.create({
            doc: o.text,
            extensions: [
                Prec.highest(
                    keymap.of([
                        {
                            key: 'Enter',
                            run: (view) => {
                                if (completionStatus(view.state) === 'active' && view.dom.querySelector('[aria-selected]')) {
                                    return false;
                                }
                                closeCompletion(view);
                                o.enter();
                                return true;
                            },
                        },
                        {
                            // Only while something is offered or asked for; otherwise Tab goes on, as everywhere.
                            key: 'Tab',
                            run: (view) => {
                                const status = completionStatus(view.state);
                                tabbed = status === 'pending';
                                return tabbed || (status === 'active' && take(view));
                            },
                        },
                        { key: 'Mod-Enter', run: () => (o.enter(), true) },
                    ]),
                ),
                history(),
                closeBrackets(),
                bracketMatching(),
                language,
                syntaxHighlighting(colours),
                theme,
                placeholder(innerWidth < 640 ? 'Everything' : 'Everything. For example: protocols == dns && ip.src == 192.0.2.66'),
                // Nothing is chosen until an arrow chooses it, so Enter always searches for what stands there.
                autocompletion({ override: [offer], activateOnTyping: true, selectOnOpen: false, interactionDelay: 0, icons: false, closeOnBlur: true }),
                linter(explain, { delay: 250 }),
                keymap.of([...completionKeymap, ...closeBracketsKeymap, ...historyKeymap, ...defaultKeymap, { key: 'Escape', run: () => (o.leave(), true) }]),
                EditorView.lineWrapping,
                EditorView.domEventHandlers({
                    // Left to itself the browser puts text in place of a selection in a <span style>, which the
                    // Content-Security-Policy reports.
                    beforeinput(event, view) {
                        const { from, to, empty } = view.state.selection.main;
                        if (event.inputType !== 'insertText' || !event.data || empty || view.composing) {
                            return false;
                        }
                        const text = event.data;
                        const insert = () => view.state.update({ changes: { from, to, insert: text }, selection: { anchor: from + text.length }, userEvent: 'input.type' });
                        if (!view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, text, insert))) {
                            view.dispatch(insert());
                        }
                        event.preventDefault();
                        return true;
                    },
                }),
                EditorView.contentAttributes.of({ 'aria-label': o.label, spellcheck: 'false', autocapitalize: 'off', autocorrect: 'off' }),
                EditorState.transactionFilter.of((tr) => {
                    // One line: pasted breaks become blanks.
                    if (!tr.docChanged || tr.newDoc.lines === 1) {
                        return tr;
                    }
                    return [tr, { changes: { from: 0, to: tr.newDoc.length, insert: tr.newDoc.toString().replace(/\s*\n\s*/g, ' ') }, sequential: true }];
                }),
                EditorView.updateListener.of((update) => {
                    if (update.docChanged) {
                        tabbed = false;
                    } else if (tabbed && completionStatus(update.state) !== 'pending') {
                        tabbed = false;
                        setTimeout(() => completionStatus(update.view.state) === 'active' && take(update.view));
                    }
                    if (update.docChanged) {
                        o.changed(update.state.doc.toString());
                    }
                }),
            ],
        }),
    });
}
