// test_7_live.mjs: sessions that come while one reads are told, and nothing moves until one asks for them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, expect, folder, load, open, ROOT, SAMPLE, serve, shot, until } from './harness.mjs';
import { count, rows } from './test_2_work.mjs';

export default async function ({ chrome }) {
    const store = folder();
    load(store, SAMPLE);
    const server = await serve(store);
    const page = await open(chrome, server.url);
    try {
        await check('live: a capture read by another process is told on the page, and shown when asked for', async () => {
            await page.goto('/sessions?order=firstPacket:desc');
            await until(async () => (await count(page)).startsWith('94'), 'rows');
            const first = await rows(page).first().innerText();
            load(store, join(ROOT, 'tests', 'golden', 'http', 'get.pcap'));
            await page.locator('button.fresh').waitFor({ timeout: 20000 });
            expect((await rows(page).first().innerText()) === first, 'nothing moved');
            expect((await count(page)).startsWith('94'), 'the count is that of the rows');
            await shot(page, 'live');
            await page.locator('button.fresh').click();
            await until(async () => parseInt(await count(page), 10) > 94, 'shown');
            await until(async () => (await page.locator('button.fresh').count()) === 0, 'told no more');
        });
        await check('live: figures that are fewer than the store once told are not asked for again and again', async () => {
            // So it is when the window moves with time and sessions leave it.
            const there = await open(chrome, server.url);
            let asked = 0;
            await there.route('**/api/overview*', async (route) => {
                asked++;
                const response = await route.fetch();
                const body = await response.json();
                body.totals.sessions--;
                await route.fulfill({ response, json: body });
            });
            const told = there.waitForResponse((response) => response.url().includes('/api/live'));
            await there.clock.install();
            await there.goto('/');
            await there.locator('[data-card] li').first().waitFor();
            await told;
            await until(() => there.locator('.state i.on').count(), 'the store is told of');
            await there.clock.runFor(3500);
            await until(async () => !(await there.evaluate(() => window.asking)), 'the answer is there');
            const before = asked;
            await there.clock.runFor(60000);
            expect(asked === before, `asked ${asked - before} times more`);
            await there.context().close();
        });
        await check('live: an empty store says so, and fills without a reload', async () => {
            const other = folder();
            const nothing = join(folder(), 'nothing.pcap');
            // The head of a pcap file, and no packets.
            writeFileSync(nothing, Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex'));
            load(other, nothing);
            const second = await serve(other);
            const there = await open(chrome, second.url);
            try {
                await there.goto('/');
                await there.locator('main h1', { hasText: 'empty' }).waitFor();
                load(other, SAMPLE);
                await there.locator('[data-card] li').first().waitFor({ timeout: 20000 });
            } finally {
                await there.context().close();
                await second.stop();
            }
        });
    } finally {
        await page.context().close();
        await server.stop();
    }
}
