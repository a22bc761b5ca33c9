// harness.mjs: a server over a store, a browser on it, cases in TAP. What the page complains about fails the case it
// happened in: errors of scripts, and everything that the Content-Security-Policy refused. Waits are ceilings, never
// measures. With SLOW=N the page's processor is N times slower and answers of the API come late and out of order: what a
// case waits for too little is found so.
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
export async function until(what, text, ms = 30000) {
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

// What is left behind is taken away at the end, the last first.
const leftovers = [];
process.on('exit', () => leftovers.reverse().forEach((remove) => remove()));

export function folder() {
    const made = mkdtempSync(join(tmpdir(), 'seine-browser-'));
    leftovers.push(() => rmSync(made, { recursive: true, force: true }));
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
    leftovers.push(stop);
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

export function addUser(store, password, ...args) {
    execFileSync(SEINE, ['user', 'add', '--store', store, ...args], { input: password + '\n', stdio: ['pipe', 'ignore', 'pipe'] });
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
    const slow = Number(process.env.SLOW ?? 0);
    if (slow > 1) {
        await context.route('**/api/**', async (route) => {
            await new Promise((done) => setTimeout(done, Math.random() * 150 * slow));
            await route.continue().catch(() => undefined);
        });
    }
    // How many answers the page waits for: see quiet().
    await context.addInitScript(() => {
        const ask = window.fetch;
        window.asking = 0;
        window.fetch = (...request) => {
            window.asking++;
            return ask(...request).finally(() => window.asking--);
        };
    });
    const page = await context.newPage();
    if (slow > 1) {
        await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slow });
    }
    page.setDefaultTimeout(30000);
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

/** Until the page has what it asked the API for, and asks for nothing more. */
export async function quiet(page) {
    let still = 0;
    await until(async () => {
        still = (await page.evaluate(() => window.asking)) ? 0 : still + 1;
        return still > 3;
    }, 'the page has all answers');
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

export async function shot(page, name) {
    await page.screenshot({ path: join(SHOTS, name + '.png') });
}
