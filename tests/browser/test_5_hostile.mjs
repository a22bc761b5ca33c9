// test_5_hostile.mjs: traffic that carries markup, scripts, marks that turn text around, 16 KB values and bytes that are no
// UTF-8 is shown as text on every page.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { check, expect, folder, load, open, quiet, ROOT, serve, shot, until } from './harness.mjs';
import { rows } from './test_2_work.mjs';

const PAGES = ['', 'sessions', 'sessions?columns=firstPacket,http.uri,http.useragent,http.host,info', 'spiview?groups=http,dns,general', 'spigraph?exp=http.uri', 'spigraph?exp=host.http',
    'hierarchy?exp=ip.src,http.uri,http.user-agent', 'hierarchy?shape=treemap&exp=host.http,http.uri', 'connections?srcField=source.ip&dstField=http.uri', 'files', 'history?hours=1'];

export default async function ({ chrome }) {
    const store = folder();
    const capture = join(folder(), '<img src=x onerror=window.hurt=3>.pcap');
    execFileSync('python3', [join(ROOT, 'tests', 'browser', 'hostile.py'), capture]);
    load(store, capture);
    const server = await serve(store);
    const page = await open(chrome, server.url);
    try {
        for (const address of PAGES) {
            await check(`hostile values are text: /${address}`, async () => {
                await page.goto('/' + address);
                await page.locator('main :is(h1, .tr, dd, li, canvas, path.tile, rect.tile, td)').first().waitFor();
                await quiet(page);
                const bad = await page.evaluate(() => ({
                    hurt: window.hurt,
                    made: document.querySelectorAll('main img, main script, [onerror]').length,
                    turned: /[\u202a-\u202e\u2066-\u2069\u200f]/.test(document.body.innerText),
                    wide: document.documentElement.scrollWidth - innerWidth,
                }));
                expect(bad.hurt === undefined, 'a script of the traffic ran: ' + bad.hurt);
                expect(bad.made === 0, `${bad.made} elements were made of values`);
                expect(!bad.turned, 'marks that turn text are shown as such');
                expect(bad.wide <= 0, `the page is ${bad.wide} pixels too wide`);
            });
        }
        await check('hostile values are text: details, packets and streams of every session', async () => {
            await page.goto('/sessions');
            await rows(page).nth(4).waitFor();
            const ids = (await (await page.request.get('/api/sessions?date=-1')).json()).data.map((d) => [d.id, d.node]);
            for (const [id, node] of ids) {
                for (const tab of ['fields', 'packets', 'streams']) {
                    await page.goto(`/session?id=${encodeURIComponent(id)}&node=${encodeURIComponent(node)}&tab=${tab}&as=text`);
                    await page.locator('section.detail :is(dt, article, .pad:not(:text-is("…")))').first().waitFor();
                    await quiet(page);
                    const bad = await page.evaluate(() => [window.hurt, document.querySelectorAll('main img, main script').length, /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText)]);
                    expect(bad[0] === undefined && bad[1] === 0 && !bad[2], `${id} ${tab}: ${bad}`);
                }
            }
            await shot(page, 'hostile');
        });
        await check('hostile values: the menu of one asks for exactly it', async () => {
            await page.goto('/spiview?spi=http.useragent');
            const values = page.locator('dd .v');
            await values.first().waitFor();
            const number = Math.min(5, await values.count());
            expect(number >= 4, `${number} values`);
            for (let i = 0; i < number; i++) {
                await page.goto('/spiview?spi=http.useragent');
                await values.nth(i).click();
                await page.getByRole('menuitem', { name: 'Only this', exact: true }).click();
                await until(() => page.url().includes('expression='), 'asked');
                const asked = new URL(page.url()).searchParams.get('expression');
                const body = await (await page.request.get('/api/sessions?date=-1&length=0&expression=' + encodeURIComponent(asked))).json();
                expect(body.recordsFiltered === 1, `${asked.slice(0, 80)} finds ${body.error ?? body.recordsFiltered}`);
            }
        });
    } finally {
        await page.context().close();
        await server.stop();
    }
}
