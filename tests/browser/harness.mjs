// harness.mjs: a server over a store, a browser on it, cases in TAP. What the page complains about fails the case it
// happened in: errors of scripts, and everything that the Content-Security-Policy refused.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const SEINE = process.env.SEINE ?? join(ROOT, 'build', 'seine');
export const SHOTS = join(ROOT, 'build', 'browser');
export const SAMPLE = join(ROOT, 'tests', 'golden', 'sample', 'sample.pcap');

let number = 0;
let bad = 0;
export const complaints = [];

export async function check(title, run) {
    number++;
    complaints.length = 0;
    try {
        await run();
        if (complaints.length) {
            throw new Error('the page complained: ' + complaints.join('; '));
        }
        console.log(`ok ${number} - ${title}`);
    } catch (error) {
        bad++;
        console.log(`not ok ${number} - ${title}`);
        console.log(String(error.stack ?? error).split('\n').map((line) => '# ' + line).join('\n'));
    }
}
export function end() {
    console.log(`1..${number}`);
    process.exitCode = bad ? 1 : 0;
}

export function expect(condition, text) {
    if (!condition) {
        throw new Error(text);
    }
}
export async function until(what, text, ms = 10000) {
    const last = Date.now() + ms;
    for (;;) {
        const value = await what();
        if (value) {
            return value;
        }
        if (Date.now() > last) {
            throw new Error('waited in vain: ' + text);
        }
        await new Promise((done) => setTimeout(done, 50));
    }
}

export function folder() {
    const made = mkdtempSync(join(tmpdir(), 'seine-browser-'));
    process.on('exit', () => rmSync(made, { recursive: true, force: true }));
    return made;
}

/** `seine serve` over the store; answers with its address. Port 0: any free one. */
export async function serve(store, more = [], port = 0) {
    const child = spawn(SEINE, ['serve', '--store', store, '--listen', `127.0.0.1:${port}`, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    const stop = () => {
        if (child.exitCode === null) {
            child.kill('SIGTERM');
        }
    };
    process.on('exit', stop);
    const address = await until(() => /https?:\/\/[\w.:[\]-]+\d/.exec(said)?.[0] ?? (child.exitCode !== null ? 'ended' : null), 'the server says where it listens: ' + said, 20000);
    expect(address !== 'ended', `seine serve ended with ${child.exitCode}: ${said}`);
    return {
        url: address.replace(/\/$/, ''),
        port: Number(new URL(address).port),
        stop: async () => {
            stop();
            await until(() => child.exitCode !== null || child.signalCode !== null, 'the server ends');
        },
    };
}
export function load(store, ...captures) {
    execFileSync(SEINE, ['import', '--store', store, ...captures], { stdio: ['ignore', 'ignore', 'pipe'] });
}

export async function browser() {
    const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => {
        try {
            execFileSync('test', ['-x', path]);
            return true;
        } catch {
            return false;
        }
    });
    if (!found) {
        console.log('chromium is not installed');
        process.exit(77);
    }
    mkdirSync(SHOTS, { recursive: true });
    // As root Chromium needs --no-sandbox; what it opens is our own server.
    return chromium.launch({ executablePath: found, args: [...(process.getuid?.() === 0 ? ['--no-sandbox'] : []), '--disable-dev-shm-usage', '--js-flags=--expose-gc'] });
}

export async function open(where, base, options = {}) {
    const context = await where.newContext({
        baseURL: base,
        viewport: { width: 1280, height: 720 },
        colorScheme: 'light',
        timezoneId: 'Europe/Berlin',
        locale: 'en-GB',
        acceptDownloads: true,
        permissions: ['clipboard-read', 'clipboard-write'],
        ...options,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15000);
    page.on('pageerror', (error) => complaints.push('error: ' + error.message));
    page.on('console', (message) => {
        const text = message.text();
        // A server that is away is part of a case; its refused connections are no complaint.
        if (/Content.Security.Policy|Refused to/i.test(text) || (message.type() === 'error' && !/Failed to load resource|ERR_/.test(text))) {
            complaints.push(text.slice(0, 300));
        }
    });
    return page;
}

export async function shot(page, name) {
    await page.screenshot({ path: join(SHOTS, name + '.png') });
}
