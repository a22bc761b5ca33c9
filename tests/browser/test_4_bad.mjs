// test_4_bad.mjs: what goes wrong has its sentence, and the work on the page stays.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check, expect, folder, load, open, SAMPLE, serve, shot, until } from './harness.mjs';
import { count, rows, search } from './test_2_work.mjs';

export default async function ({ page, chrome, server, store }) {
    await check('an expression with an error: told at its column, rows stay', async () => {
        await page.goto('/sessions');
        await until(async () => (await count(page)).startsWith('94'), 'rows');
        await search(page, 'ip.src == 192.0.2.66 &&');
        await page.locator('.error', { hasText: /Column \d+/ }).waitFor();
        await page.locator('.rest [role=alert]').waitFor();
        expect((await rows(page).count()) > 10, 'the rows of before are still there');
        await shot(page, 'error-expression');
    });
    await check('a field that does not exist: the nearest name is offered', async () => {
        await search(page, 'htp.uri == x');
        await until(async () => /http\.uri/.test(await page.locator('.error').innerText()), 'http.uri is offered');
        await page.locator('.cm-lintRange-error').first().waitFor();
    });
    await check('a time without sessions says so, and what there would be', async () => {
        await page.goto('/sessions?startTime=1000000000&stopTime=1000003600');
        await page.locator('.empty').waitFor();
        await until(async () => /94 sessions that fit/.test(await page.locator('.empty').innerText()), 'all times are offered');
        await shot(page, 'empty');
        await page.locator('.empty a').first().click();
        await until(async () => (await count(page)).startsWith('94'), 'rows');
    });
    await check('a page that does not exist, and a session that is gone', async () => {
        await page.goto('/nothing-here');
        expect((await page.locator('main').innerText()).includes('no page'), 'told');
        await page.goto('/session?id=991231-AAAAAAAAAAAAAAAAAAAAAA&node=x');
        await page.locator('[role=alert]').waitFor();
    });
    await check('a view of an older version: unknown columns are named and left out', async () => {
        const cookie = async () => (await page.context().cookies()).find((c) => c.name === 'ARKIME-COOKIE')?.value;
        await page.goto('/sessions');
        await until(async () => (await count(page)).startsWith('94'), 'rows');
        const token = await cookie();
        const made = await page.request.post('/api/view', {
            headers: token ? { 'x-arkime-cookie': decodeURIComponent(token) } : {},
            data: { name: 'old', expression: 'protocols == dns', users: '', roles: [], sessionsColConfig: { visibleHeaders: ['firstPacket', 'gone.field', 'info'], order: [['firstPacket', 'asc']] } },
        });
        expect(made.ok(), await made.text());
        await page.reload();
        await until(async () => (await page.getByLabel('View', { exact: true }).locator('option').allInnerTexts()).includes('old'), 'the view is listed');
        await page.getByLabel('View', { exact: true }).selectOption({ label: 'old' });
        await until(async () => /gone\.field/.test(await page.locator('.notice').innerText()), 'the column is named');
        await until(async () => (await page.locator('.th').count()) === 2, 'two columns are left');
        expect((await rows(page).count()) > 10, 'and rows');
        await page.goto('/sessions?view=no-such-view');
        await page.locator('.rest [role=alert], .empty').first().waitFor();
        await page.evaluate(() => localStorage.clear());
    });
    await check('packets that are gone: the fields stay, the page says it', async () => {
        const other = folder();
        const capture = join(folder(), 'taken-away.pcap');
        copyFileSync(SAMPLE, capture);
        load(other, capture);
        rmSync(capture);
        const second = await serve(other);
        const there = await open(chrome, second.url);
        try {
            await there.goto('/sessions?tab=packets');
            await rows(there).first().waitFor();
            await rows(there).first().click({ position: { x: 5, y: 5 } });
            await until(async () => /gone|removed|no longer/i.test(await there.locator('section.detail').innerText()), 'told');
            await shot(there, 'packets-gone');
            await there.getByRole('tab', { name: 'Fields' }).click();
            await there.locator('section.detail dl').first().waitFor();
        } finally {
            await there.context().close();
            await second.stop();
        }
    });
    await check('a server that goes away and comes back: told, asked again, nothing lost', async () => {
        const first = await serve(store);
        const there = await open(chrome, first.url);
        try {
            await there.goto('/sessions?expression=' + encodeURIComponent('protocols == tcp'));
            await rows(there).nth(5).waitFor();
            const before = await rows(there).first().innerText();
            await first.stop();
            await there.locator('.cm-content').click();
            await there.keyboard.press('End');
            await there.keyboard.type(' && bytes > 100');
            await there.keyboard.press('Escape');
            await there.getByRole('button', { name: 'Search' }).click();
            await there.locator('.banner').waitFor();
            expect((await rows(there).first().innerText()) === before, 'the rows are still there');
            await shot(there, 'server-gone');
            const again = await serve(store, [], first.port);
            await until(async () => (await there.locator('.banner').count()) === 0, 'back', 20000);
            await until(async () => /\d+ sessions/.test(await count(there)) && (await there.locator('.rest [role=alert]').count()) === 0, 'and searched again');
            expect((await there.locator('.cm-content').innerText()).includes('bytes > 100'), 'what was typed is there');
            await again.stop();
        } finally {
            await there.context().close();
        }
    });
    void server;
}
