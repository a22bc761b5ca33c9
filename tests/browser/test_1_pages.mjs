// test_1_pages.mjs: every page shows what the sample holds, in both themes and on a phone; nothing on it keeps people with a
// keyboard or a screen reader out (axe-core: no serious finding).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { check, complaints, expect, open, quiet, shot, until } from './harness.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const PAGES = [
    // name, address, what must be on it
    ['start', '', 'main h1'],
    ['sessions', 'sessions', '[role=gridcell]'],
    ['session-open', 'sessions?expression=protocols%20%3D%3D%20smtp', '[role=gridcell]'],
    ['spiview', 'spiview?groups=general,dns', 'dd .v'],
    ['spigraph', 'spigraph', 'li .name'],
    ['hierarchy', 'hierarchy', 'path.tile'],
    ['treemap', 'hierarchy?shape=treemap', 'rect.tile'],
    ['connections', 'connections', 'canvas'],
    ['map', 'map', 'main p'],
    ['files', 'files', 'table td'],
    ['stats', 'stats', 'dl.figures dd'],
    ['history', 'history', 'main h1'],
    ['users', 'users', 'main h1'],
    ['settings', 'settings', 'main h1'],
    ['settings-periodic', 'settings?part=periodic&new=protocols%20%3D%3D%20dns&tags=names', 'form.edit'],
    ['settings-tokens', 'settings?part=tokens', 'main form'],
    ['help', 'help', 'table td'],
];

/** Serious findings of axe-core. Run by the driver, which the page's policy does not bind. */
export async function findings(page) {
    const context = await page.context().newCDPSession(page);
    await context.send('Page.setBypassCSP', { enabled: true });
    await page.evaluate(axe);
    const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    await context.detach();
    return result.violations
        .filter((v) => v.impact === 'serious' || v.impact === 'critical')
        .map((v) => `${v.id}: ${v.help} (${v.nodes.length}): ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + (n.any[0]?.message ?? '')).join(' | ')}`);
}

async function goTo(page, [name, address, needed]) {
    await page.goto('/' + address);
    await page.locator(needed).first().waitFor();
    if (name === 'session-open') {
        await page.locator('[role=row]').nth(1).click({ position: { x: 5, y: 5 } });
        await page.locator('section.detail dl').first().waitFor();
    }
    await quiet(page);
}

export default async function ({ page, chrome, server }) {
    for (const entry of PAGES) {
        await check(`page ${entry[0]}: light, and nobody is kept out`, async () => {
            await goTo(page, entry);
            await shot(page, entry[0]);
            const found = await findings(page);
            expect(!found.length, found.join('\n'));
        });
    }
    const dark = await open(chrome, server.url, { colorScheme: 'dark' });
    for (const entry of PAGES) {
        await check(`page ${entry[0]}: dark`, async () => {
            await goTo(dark, entry);
            await shot(dark, entry[0] + '-dark');
            const found = await findings(dark);
            expect(!found.length, found.join('\n'));
            const ground = await dark.evaluate(() => getComputedStyle(document.body).backgroundColor);
            const [r, g, b] = ground.match(/\d+/g).map(Number);
            expect(r + g + b < 150, 'the ground is dark: ' + ground);
        });
    }
    await dark.context().close();
    const phone = await open(chrome, server.url, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
    for (const entry of PAGES.slice(0, 4)) {
        await check(`page ${entry[0]}: on a phone it does not scroll sideways`, async () => {
            await goTo(phone, entry);
            await shot(phone, entry[0] + '-phone');
            const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            expect(wide <= 0, `the page is ${wide} pixels wider than the screen`);
        });
    }
    await phone.context().close();
    await check('a line of the first page leads on wherever it is clicked', async () => {
        await page.goto('/');
        const line = page.locator('[data-card=beacons] li').first();
        await line.waitFor();
        const { width, height } = await line.boundingBox();
        await line.click({ position: { x: width / 2, y: height / 2 } });
        await until(() => new URL(page.url()).searchParams.get('expression')?.includes('198.51.100.83'), 'its sessions');
    });
    await check('every number of the first page leads to sessions', async () => {
        await page.goto('/');
        await page.locator('[data-card] li').first().waitFor();
        const cards = await page.locator('[data-card]').evaluateAll((all) =>
            all.flatMap((card) => [...card.querySelectorAll('li a.n')].slice(0, 2).map((a) => [card.dataset.card, a.getAttribute('href'), a.textContent])),
        );
        expect(cards.length >= 8, 'there are cards: ' + cards.length);
        for (const [card, href, value] of cards) {
            const asked = new URL(href, server.url);
            expect(asked.searchParams.get('expression'), `${card} has an expression`);
            const answer = await page.request.get(`/api/sessions?date=-1&length=0&expression=${encodeURIComponent(asked.searchParams.get('expression'))}`);
            const body = await answer.json();
            expect(!body.error && body.recordsFiltered > 0, `${card} ${value}: ${href} finds ${body.error ?? body.recordsFiltered}`);
        }
    });
    await check('the bundle is at most 1.5 MB compressed, and nothing comes from elsewhere', async () => {
        // Each once: a browser whose requests are held back keeps nothing.
        const sent = new Map();
        const hosts = new Set();
        const fresh = await open(chrome, server.url);
        const sizes = [];
        fresh.on('request', (request) => hosts.add(new URL(request.url()).host));
        fresh.on('requestfinished', (request) => {
            if (new URL(request.url()).pathname.includes('/assets/')) {
                sizes.push(request.sizes().then((s) => sent.set(request.url(), Math.max(sent.get(request.url()) ?? 0, s.responseBodySize))));
            }
        });
        for (const [, address, needed] of PAGES) {
            await fresh.goto('/' + address);
            await fresh.locator(needed).first().waitFor();
            await quiet(fresh);
            await Promise.all(sizes);
        }
        await fresh.context().close();
        const sum = [...sent.values()].reduce((a, b) => a + b, 0);
        console.log(`# bundle as sent: ${sum} bytes`);
        expect(sum > 50000 && sum <= 1.5 * 2 ** 20, `${sum} bytes`);
        expect(hosts.size === 1, 'hosts: ' + [...hosts].join(' '));
    });
    await check('the policy is strict: no inline script, no eval', async () => {
        const answer = await page.request.get('/sessions');
        const policy = answer.headers()['content-security-policy'] ?? '';
        expect(/default-src 'self'/.test(policy) && !/unsafe|\*/.test(policy), policy);
        await page.goto('/');
        const ran = await page.evaluate(() => {
            const s = document.createElement('script');
            s.textContent = 'window.inlineRan = 1';
            document.body.append(s);
            return window.inlineRan === 1;
        });
        expect(!ran, 'an inline script ran');
        // That refusal is what was wanted.
        await until(() => complaints.length > 0, 'the refusal is told');
        complaints.length = 0;
    });
}
