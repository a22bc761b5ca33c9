// test_8_packets.mjs: the bytes of a session as one wants them: ways to show them, unpacked, decoded, as pictures, page by page.
import { join } from 'node:path';
import { check, folder, load, open, quiet, ROOT, serve, shot, until } from './harness.mjs';
import { rows, settled } from './test_2_work.mjs';

const session = (expression, more = {}) => '/sessions?' + new URLSearchParams({ expression, ...more });
const first = (page) => page.locator('section.detail article.src pre').first();
const opened = async (page, address) => {
    await page.goto(address);
    await settled(page, '1 session');
    await rows(page).first().click({ position: { x: 5, y: 5 } });
};

export default async function ({ page, chrome, server }) {
    await check('streams: text, ASCII, UTF-8, hex with and without offsets', async () => {
        await opened(page, session('tags == http:password', { tab: 'streams' }));
        await until(async () => (await first(page).innerText()).includes('password=sunshine'), 'text');
        const way = (name) => page.locator('section.detail').getByRole('button', { name, exact: true }).click();
        for (const name of ['ASCII', 'UTF-8']) {
            await way(name);
            await until(async () => (await first(page).innerText()).includes('password=sunshine'), name);
        }
        await way('Hex');
        await until(async () => /^000000 {2}50 4f 53 54/.test(await first(page).innerText()), 'hex with offsets');
        await page.getByLabel('offsets').uncheck();
        await until(async () => /^50 4f 53 54/.test(await first(page).innerText()), 'hex without');
        await page.reload();
        await until(async () => /^50 4f 53 54/.test(await first(page).innerText()), 'the link has it');
    });
    await check('streams: decoders, their options, errors of them, one after the other', async () => {
        await opened(page, session('tags == http:password', { tab: 'streams' }));
        await until(async () => (await first(page).innerText()).includes('password=sunshine'), 'text');
        const decode = page.getByLabel('Decode', { exact: true });
        await decode.selectOption('BODY-UNXOR');
        await page.getByLabel('Key in Hex').fill('2z');
        await page.keyboard.press('Enter');
        await page.locator('section.detail [role=alert]', { hasText: 'is no key' }).waitFor();
        await page.getByLabel('Key in Hex').fill('20');
        await page.keyboard.press('Enter');
        await until(async () => (await first(page).innerText()).includes('PASSWORD\u00b7SUNSHINE'), 'every byte was changed by the key');
        await shot(page, 'decoded');
        await page.reload();
        await until(async () => (await first(page).innerText()).includes('PASSWORD\u00b7SUNSHINE'), 'the link has it');
        await decode.selectOption('BODY-UNBASE64');
        await until(async () => !(await first(page).innerText()).includes('SUNSHINE'), 'and then taken as base64');
        await page.getByRole('button', { name: 'Without: Decode base64' }).click();
        await until(async () => (await first(page).innerText()).includes('SUNSHINE'), 'that is taken back');
        await page.getByRole('button', { name: 'Without: XOR with a key' }).click();
        await until(async () => (await first(page).innerText()).includes('password=sunshine'), 'and the other');
        await page.goto(page.url() + '&decode=' + encodeURIComponent('{"NO-SUCH":{}}'));
        await page.locator('section.detail [role=alert]', { hasText: 'decode' }).first().waitFor();
    });
    await check('streams: bodies are unpacked, or shown as they were sent; pictures and other files are looked at', async () => {
        const store = folder();
        load(store, join(ROOT, 'tests', 'golden', 'http', 'gzip.pcap'));
        const second = await serve(store);
        const there = await open(chrome, second.url);
        try {
            await opened(there, '/sessions?tab=streams');
            const answer = there.locator('section.detail article.dst').first();
            await answer.locator('pre').waitFor();
            await until(async () => /unpacked/.test(await answer.locator('header').innerText()), 'it says that it is unpacked');
            const plain = await answer.locator('pre').innerText();
            await there.getByLabel('unpack').uncheck();
            await until(async () => (await answer.locator('pre').innerText()) !== plain, 'as it was sent');
            await there.getByRole('button', { name: 'Hex', exact: true }).click();
            await until(async () => /1f 8b/.test(await answer.locator('pre').innerText()), 'gzip');
        } finally {
            await there.context().close();
            await second.stop();
        }
        await opened(page, session('http.uri == *setup-2.4.exe', { tab: 'streams' }));
        await page.locator('section.detail table.files button', { hasText: 'look' }).first().click();
        const picture = page.locator('section.detail figure img');
        await until(() => picture.evaluate((img) => img.complete && img.naturalWidth === 256), 'its bytes are drawn');
        await shot(page, 'looked-at');
        await page.locator('section.detail table.files button', { hasText: 'look' }).first().click();
        await until(async () => (await picture.count()) === 0, 'closed');
        await page.goto(session('http.uri == *picture.png', { tab: 'streams' }));
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        await page.locator('section.detail table.files tr', { hasText: 'picture.png' }).getByRole('button', { name: 'look' }).click();
        await until(() => picture.evaluate((img) => img.src.startsWith('blob:') && img.complete && img.naturalWidth > 0 && img.naturalWidth !== 256), 'the picture is drawn');
        await shot(page, 'looked-at-picture');
    });
    await check('packets: in pages, to the last one', async () => {
        await opened(page, session('tags == http:password', { tab: 'packets', packets: '3' }));
        const numbers = () => page.locator('section.detail article .n').allInnerTexts();
        await until(async () => (await numbers()).join() === '1,2,3', 'the first three');
        await page.getByRole('button', { name: 'The next 3 packets' }).click();
        await until(async () => (await numbers()).join() === '4,5,6', 'the next three');
        await page.reload();
        await until(async () => (await numbers()).join() === '4,5,6', 'the link has them');
        await page.getByRole('button', { name: '3 packets before' }).click();
        await until(async () => (await numbers()).join() === '1,2,3', 'and back');
        await quiet(page);
    });
    void server;
}
