// test_3_keys.mjs: from the first page to the bytes of one session, without a mouse.
import { check, expect, shot, until } from './harness.mjs';
import { count, rows } from './test_2_work.mjs';

/** Types g and another key until they led there: two keys belong together only when they follow each other quickly. */
async function pair(page, key, path) {
    await until(async () => {
        await page.keyboard.press('g');
        await page.keyboard.press(key);
        return new URL(page.url()).pathname === path;
    }, `g ${key} leads to ${path}`);
}

export default async function ({ page }) {
    await check('keys: ? lists them, Escape closes the list', async () => {
        await page.goto('/');
        await page.locator('main h1').waitFor();
        await page.keyboard.press('?');
        await page.locator('dialog[open]').waitFor();
        await shot(page, 'keys');
        await page.keyboard.press('Escape');
        await until(async () => (await page.locator('dialog[open]').count()) === 0, 'closed');
    });
    await check('keys: search, walk, open, read packets, exclude a value', async () => {
        await pair(page, 's', '/sessions');
        await until(async () => (await count(page)).startsWith('94'), 'rows');
        await page.keyboard.press('/');
        await page.keyboard.type('ip.src == 192.0.2.66');
        await page.keyboard.press('Enter');
        await until(() => page.url().includes('192.0.2.66'), 'searched');
        await until(async () => !(await count(page)).startsWith('94'), 'counted');
        const before = parseInt(await count(page), 10);
        await page.keyboard.press('Escape');
        await until(async () => page.evaluate(() => document.activeElement?.getAttribute('role') === 'treegrid'), 'the table has the focus');
        await page.keyboard.press('j');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('k');
        await until(async () => (await page.locator('.tr.cursor').getAttribute('aria-rowindex')) === '3', 'the second row');
        await page.keyboard.press('Enter');
        await page.locator('section.detail dl').first().waitFor();
        await page.keyboard.press('Tab');
        await until(async () => page.evaluate(() => !!document.activeElement?.closest('section.detail, .th')), 'Tab goes on');
        await page.locator('[data-first]').focus();
        await page.keyboard.press('Enter');
        await until(async () => (await page.locator('section.detail').count()) === 0, 'closed again');
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('ArrowRight');
        await page.keyboard.press('x');
        await until(() => new URL(page.url()).searchParams.get('expression')?.includes('protocols !='), 'excluded');
        await until(async () => parseInt(await count(page), 10) < before, 'fewer');
        await page.keyboard.press('m');
        await page.locator('[role=menu]').waitFor();
        await until(() => page.evaluate(() => document.activeElement?.getAttribute('role') === 'menuitem'), 'the menu has the focus');
        await page.keyboard.press('ArrowDown');
        await page.keyboard.press('Escape');
        await until(async () => (await page.locator('[role=menu]').count()) === 0, 'menu closed');
    });
    await check('keys: Tab takes what is offered, t goes through the details, Escape closes the exports', async () => {
        await page.goto('/sessions');
        await until(async () => (await count(page)).startsWith('94'), 'rows');
        await page.keyboard.press('/');
        await page.keyboard.type('ip.sr');
        await page.keyboard.press('Tab');
        await until(async () => (await page.locator('.cm-content').innerText()) === 'ip.src ', 'what was offered is written');
        await page.keyboard.type('== 192.0.2.66');
        await page.keyboard.press('Enter');
        await until(() => new URL(page.url()).searchParams.get('expression') === 'ip.src == 192.0.2.66', 'searched');
        await page.locator('[data-first]').focus();
        await page.keyboard.press('t');
        await until(() => new URL(page.url()).searchParams.get('tab') === 'packets', 'packets');
        await page.keyboard.press('t');
        await page.keyboard.press('t');
        await until(() => !new URL(page.url()).searchParams.has('tab'), 'fields again');
        await page.keyboard.press('E');
        await until(async () => page.evaluate(() => !!document.activeElement?.closest('.pop')), 'the exports have the focus');
        await page.keyboard.press('Escape');
        await until(async () => (await page.locator('.pop').count()) === 0, 'closed');
        await until(() => page.evaluate(() => document.activeElement?.getAttribute('role') === 'treegrid'), 'the table has the focus');
    });
    await check('keys: the timeline is zoomed by arrows', async () => {
        await page.goto('/sessions');
        await until(async () => (await count(page)).startsWith('94'), 'rows');
        await page.locator('.graph path.src').first().waitFor();
        await page.locator('.graph svg').focus();
        for (const key of ['ArrowRight', 'ArrowRight', 'Shift+ArrowRight', 'Shift+ArrowRight', 'Enter']) {
            await page.keyboard.press(key);
        }
        await until(() => page.url().includes('startTime='), 'zoomed');
    });
    await check('keys: every page is reached by two', async () => {
        for (const [key, path] of Object.entries({ o: '/', v: '/spiview', y: '/hierarchy', c: '/connections', m: '/map', f: '/files', t: '/stats', r: '/history', e: '/settings', h: '/help' })) {
            await page.evaluate(() => document.activeElement?.blur());
            await pair(page, key, path);
        }
    });
    await check('keys: also from the table, whose own keys are among them', async () => {
        for (const [key, path] of Object.entries({ c: '/connections', m: '/map', o: '/' })) {
            await page.goto('/sessions');
            await until(async () => (await count(page)).startsWith('94'), 'rows');
            await page.locator('[data-first]').focus();
            await pair(page, key, path);
        }
    });
    void rows;
}
