/* detail.ts: shapes of one session's fields and packets. */
export interface DetailField {
    path: string;
    exp?: string;
    title: string;
    help?: string;
    type: string;
    hint?: string | null;
    category?: string | null;
    values: (string | number | boolean)[];
    texts?: string[];
    total?: number;
}
export interface DetailGroup {
    name: string;
    title: string;
    fields?: DetailField[];
    objects?: { path: string; title: string; items: DetailField[][] }[];
}
export interface SessionDetail {
    id: string;
    node: string;
    rootId?: string;
    files: string[];
    groups: DetailGroup[];
}

export interface Frame {
    n: number;
    time: number;
    side: 'src' | 'dst';
    captured: number;
    wire: number;
    file?: string;
    position?: number;
    summary?: string;
    layers?: { name: string; text: string; offset: number; length: number }[];
    flags?: string;
    payload?: { offset: number; length: number };
    data: string;
}
export interface StreamItem {
    n: number;
    time: number;
    side: 'src' | 'dst';
    bytes: number;
    gap?: number;
    data: string;
    text?: string;
    cut?: boolean;
    decoded?: boolean;
}
export interface CarvedFile {
    n: number;
    side: 'src' | 'dst';
    kind: string;
    name?: string;
    type?: string;
    bytes: number;
    md5?: string;
    sha256?: string;
    coding?: string;
    url: string;
}
export interface Packets {
    id: string;
    node: string;
    src: { ip: string; port: number };
    dst: { ip: string; port: number };
    mode: 'frames' | 'streams';
    total: number;
    shown: number;
    lost: number;
    error?: string;
    frames?: Frame[];
    items?: StreamItem[];
    files?: CarvedFile[];
}

export function decode64(text: string): Uint8Array {
    const raw = atob(text ?? '');
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) {
        bytes[i] = raw.charCodeAt(i);
    }
    return bytes;
}

/** Lines of 16 bytes: offset, hex, characters. */
export function hexLines(bytes: Uint8Array, offsets = true): string {
    const out: string[] = [];
    for (let at = 0; at < bytes.length; at += 16) {
        let hex = '';
        let text = '';
        for (let i = at; i < at + 16; i++) {
            if (i < bytes.length) {
                hex += bytes[i].toString(16).padStart(2, '0') + (i % 8 === 7 ? '  ' : ' ');
                text += bytes[i] >= 32 && bytes[i] < 127 ? String.fromCharCode(bytes[i]) : '.';
            } else {
                hex += i % 8 === 7 ? '    ' : '   ';
            }
        }
        out.push((offsets ? at.toString(16).padStart(6, '0') + '  ' : '') + hex + ' ' + text);
    }
    return out.join('\n');
}

/** A character a byte; what is not ASCII is a point. */
function asciiOf(bytes: Uint8Array): string {
    const parts: string[] = [];
    for (const b of bytes) {
        parts.push(b === 10 || b === 13 || b === 9 || (b >= 32 && b < 127) ? String.fromCharCode(b) : '·');
    }
    return parts.join('');
}

/** Bytes as text. `way`: ascii; utf8, with a mark for what is none; else UTF-8 where all of it is, or ASCII. What cannot be seen
 * is a point, what would move or turn other text an escape. */
export function textOf(bytes: Uint8Array, way = 'text'): string {
    let text: string;
    try {
        text = way === 'ascii' ? asciiOf(bytes) : new TextDecoder('utf-8', { fatal: way !== 'utf8' }).decode(bytes);
    } catch {
        text = asciiOf(bytes);
    }
    return text
        .replace(/\r\n/g, '\n')
        .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '·')
        .replace(/[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

/** Text that is kept as the hex of its bytes; null: its bytes are no text. */
export function textOfHex(hex: string): string | null {
    if (!/^([0-9a-f]{2})+$/i.test(hex)) {
        return null;
    }
    const bytes = Uint8Array.from(hex.match(/../g)!, (two) => parseInt(two, 16));
    try {
        const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
        return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? null : text;
    } catch {
        return null;
    }
}
