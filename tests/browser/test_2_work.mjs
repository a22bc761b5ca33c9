// test_2_work.mjs: what people do: search, zoom, open, pivot, tag, export, keep a view, look at connections.
import { readFileSync } from 'node:fs';
import { check, expect, quiet, shot, until } from './harness.mjs';

export const count = async (page) => (await page.locator('.strip .count').innerText()).trim();
export const rows = (page) => page.locator('.tr');

/** Points of the graph of connections that are not empty. */
export const drawn = (page) =>
    page.locator('canvas').evaluate((c) => {
        const data = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let n = 0;
        for (let i = 3; i < data.length; i += 4) {
            n += data[i] > 0 ? 1 : 0;
        }
        return n;
    });

export async function search(page, expression) {
    await page.locator('.cm-content').click();
    await page.keyboard.press('Control+a');
    await page.keyboard.type(expression);
    await page.keyboard.press('Escape');
    await page.locator('.cm-content').click();
    await page.keyboard.press('End');
    await page.keyboard.press('Enter');
    await until(() => new URL(page.url()).searchParams.get('expression') === expression, 'the URL has ' + expression);
}
export async function settled(page, text) {
    await until(async () => (await count(page)).startsWith(text), `${text}; there is ${await count(page)}`);
}

export default async function ({ page, server }) {
    await check('sessions: all of the sample, in order of time', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        expect((await rows(page).count()) > 10, 'rows are drawn');
        expect((await rows(page).first().innerText()).includes('2026-01-14 10:00:00.000'), await rows(page).first().innerText());
    });
    await check('search: an expression narrows, and the URL has it', async () => {
        await search(page, 'protocols == smtp');
        await settled(page, '3 sessions');
        await page.reload();
        await settled(page, '3 sessions');
    });
    await check('completion: fields, operators and values come from the store', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        await page.keyboard.press('/');
        await page.keyboard.type('protoc', { delay: 20 });
        const list = page.locator('.cm-tooltip-autocomplete li');
        await until(async () => (await list.allInnerTexts()).some((t) => t.startsWith('protocols')), 'protocols is offered');
        await page.keyboard.type('ols == ', { delay: 20 });
        await until(async () => (await list.allInnerTexts()).some((t) => t === 'dns'), 'dns is offered');
        await shot(page, 'completion');
        await page.keyboard.type('ss', { delay: 20 });
        await until(async () => (await list.allInnerTexts())[0] === 'ssh', 'ssh is offered first');
        // A list that has only just come takes no keys.
        await until(async () => {
            if (!(await page.locator('.cm-tooltip-autocomplete li[aria-selected]').count())) {
                await page.keyboard.press('ArrowDown');
            }
            return page.locator('.cm-tooltip-autocomplete li[aria-selected]').count();
        }, 'ssh is chosen');
        await page.keyboard.press('Enter');
        await until(async () => (await page.locator('.cm-content').innerText()).trim() === 'protocols == ssh', 'ssh is written');
        await page.keyboard.press('Enter');
        await settled(page, '4 sessions');
    });
    await check('brush: dragging over the timeline zooms, back undoes it', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        await page.locator('.graph path.src').first().waitFor();
        await quiet(page);
        const box = await page.locator('.graph svg').boundingBox();
        await page.mouse.move(box.x + box.width * 0.44, box.y + 30);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 5 });
        await page.mouse.up();
        await until(() => page.url().includes('startTime='), 'the URL has a time');
        await until(async () => !(await count(page)).startsWith('94'), 'fewer sessions');
        const less = parseInt(await count(page), 10);
        expect(less > 0 && less < 60, `${less} sessions`);
        await page.goBack();
        await settled(page, '94 sessions');
    });
    await check('open: details in place, packets, both sides of the stream', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('tags == http:password'));
        await settled(page, '1 session');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        const detail = page.locator('section.detail');
        await detail.locator('dl').first().waitFor();
        expect((await detail.innerText()).includes('http:password'), 'fields are shown');
        await shot(page, 'detail');
        await detail.getByRole('tab', { name: 'Packets' }).click();
        await detail.locator('article').nth(3).waitFor();
        await detail.locator('article button.line').nth(3).click();
        await detail.locator('pre').first().waitFor();
        await shot(page, 'packets');
        await detail.getByRole('tab', { name: 'Streams' }).click();
        await detail.locator('article.src pre').first().waitFor();
        await until(async () => (await detail.locator('article.src pre').first().innerText()).includes('user=alice&password=sunshine'), 'the password is there');
        await shot(page, 'stream');
        await detail.getByRole('button', { name: 'Hex' }).click();
        await until(async () => /^000000 {2}50 4f 53 54/.test(await detail.locator('article.src pre').first().innerText()), 'hex');
        // The link shows a colleague the same.
        const link = page.url();
        await page.goto('/help');
        await page.goto(link);
        await page.locator('section.detail article.src pre').first().waitFor();
    });
    await check('open: what is kept as the hex of text is shown and asked for as text', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('protocols == smtp'));
        await settled(page, '3 sessions');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        await page.locator('section.detail dd .v', { hasText: /^EHLO lap$/ }).click();
        await page.getByRole('menuitem', { name: 'Only this', exact: true }).click();
        await until(async () => /^[1-9]\d* session/.test(await count(page)) && page.url().includes('EHLO'), 'sessions that begin so');
    });
    await check('files: bodies of a stream can be taken out', async () => {
        await page.goto('/sessions?tab=streams&expression=' + encodeURIComponent('http.uri == *setup-2.4.exe'));
        await settled(page, '1 session');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        const [download] = await Promise.all([page.waitForEvent('download'), page.locator('table.files a').first().click()]);
        expect(readFileSync(await download.path()).subarray(0, 2).toString() === 'MZ', 'it is the program');
    });
    await check('pivot: a value’s menu adds to the expression, excludes, and leads on', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        await page.locator('.tr .v[role=button]', { hasText: /^192\.0\.2\.66$/ }).first().click();
        await page.getByRole('menuitem', { name: /^And\s/ }).first().click();
        await until(() => new URL(page.url()).searchParams.get('expression')?.includes('192.0.2.66'), 'the expression has the address');
        const kiosk = parseInt(await until(async () => ((await count(page)).startsWith('94') ? null : count(page)), 'counted'), 10);
        await page.locator('.tr .v[role=button]', { hasText: /^dns$/ }).first().click();
        await page.getByRole('menuitem', { name: /^And not/ }).click();
        await until(async () => parseInt(await count(page), 10) < kiosk, 'fewer without dns');
        await page.locator('.tr .v[role=button]', { hasText: /^198\.51\.100\.83$/ }).first().click();
        await page.getByRole('menuitem', { name: /^Values over time/ }).click();
        await until(() => page.url().includes('/spigraph'), 'the graph of values');
        await page.locator('li .name', { hasText: '198.51.100.83' }).waitFor();
        await shot(page, 'pivot');
    });
    await check('tag: one session gets and loses a tag; the table shows it', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('protocols == ssh'));
        await settled(page, '4 sessions');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        await page.getByLabel('Tag to add').fill('seen-by-test');
        await page.getByRole('button', { name: 'Add tag' }).click();
        await page.locator('.tr .tag', { hasText: 'seen-by-test' }).first().waitFor();
        await search(page, 'tags == seen-by-test');
        await settled(page, '1 session');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        await page.getByLabel('Remove tag seen-by-test').click();
        await until(async () => (await page.locator('.tr .tag', { hasText: 'seen-by-test' }).count()) === 0, 'the tag is gone');
    });
    await check('columns: chosen from the registry, sorted, moved, kept', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        await page.getByRole('button', { name: 'Columns' }).click();
        await page.getByLabel('Find a field').fill('user agent');
        await page.locator('.pop label', { hasText: 'http.user-agent' }).first().click();
        await page.getByLabel('Close', { exact: true }).click();
        await page.locator('.th', { hasText: /agent/i }).waitFor();
        await page.locator('.th button', { hasText: 'Bytes' }).first().click();
        await page.locator('.th button', { hasText: 'Bytes' }).first().click();
        await until(() => page.url().includes('order=network.bytes%3Adesc'), 'sorted by bytes');
        const largest = (await (await page.request.get('/api/sessions?date=-1&length=1&order=network.bytes:desc')).json()).data[0];
        await until(async () => (await rows(page).first().innerText()).includes(String(largest.source.port)), 'the largest first');
        await page.locator('.th button', { hasText: 'Bytes' }).first().focus();
        await page.keyboard.press('Alt+ArrowLeft');
        await until(async () => {
            const heads = await page.locator('.th').allInnerTexts();
            return heads.findIndex((t) => t.startsWith('Bytes')) < heads.findIndex((t) => t.startsWith('Packets'));
        }, 'bytes stand before packets');
        await page.reload();
        await page.locator('.th', { hasText: /agent/i }).waitFor();
        await page.evaluate(() => localStorage.clear());
    });
    await check('export: CSV, JSON Lines and packets have what is seen, and a curl line', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('protocols == smtp'));
        await settled(page, '3 sessions');
        await page.getByRole('button', { name: 'Export' }).click();
        const take = async (name) => {
            const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.pop a', { hasText: name }).first().click()]);
            return readFileSync(await download.path());
        };
        const csv = (await take('CSV')).toString().trim().split(/\r?\n/);
        expect(csv.length === 4, 'a head and three rows: ' + csv.length);
        const lines = (await take('JSON Lines')).toString().trim().split('\n').map((line) => JSON.parse(line));
        expect(lines.length === 3 && lines.every((d) => JSON.stringify(d).includes('smtp')), 'three documents');
        const pcap = await take('Packets, pcap');
        expect([0xa1b2c3d4, 0xa1b23c4d].includes(pcap.readUInt32LE(0)), 'a capture');
        const ng = await take('Packets, pcapng');
        expect(ng.readUInt32LE(0) === 0x0a0d0d0a, 'a pcapng capture');
        await page.locator('.pop button', { hasText: 'curl' }).first().click();
        await page.getByRole('menuitem', { name: /^Copy this line/ }).click();
        const line = await until(async () => /^curl .*/s.exec(await page.evaluate(() => navigator.clipboard.readText()))?.[0], 'a curl line is copied');
        expect(line.includes('/api/sessions/csv') && line.includes('smtp'), line);
    });
    await check('view: kept under a name, found again, changed and deleted', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('protocols == ssh'));
        await settled(page, '4 sessions');
        await page.getByRole('button', { name: 'Save as view' }).click();
        await page.getByLabel('Name of the view').fill('ssh of the test');
        await page.keyboard.press('Enter');
        await until(async () => (await page.getByLabel('View', { exact: true }).locator('option').allInnerTexts()).includes('ssh of the test'), 'the view is listed');
        await page.goto('/sessions');
        await until(async () => (await page.getByLabel('View', { exact: true }).locator('option').allInnerTexts()).includes('ssh of the test'), 'the view is listed');
        await page.getByLabel('View', { exact: true }).selectOption({ label: 'ssh of the test' });
        await settled(page, '4 sessions');
        await page.goto('/settings?part=views');
        const row = page.locator('tr', { hasText: 'ssh of the test' });
        await row.getByRole('button', { name: 'Delete' }).click();
        await row.getByRole('button', { name: 'Delete' }).click();
        await until(async () => (await page.locator('tr', { hasText: 'ssh of the test' }).count()) === 0, 'the view is gone');
    });
    await check('connections: the graph is drawn, and its table leads to sessions', async () => {
        await page.goto('/connections');
        await page.locator('summary').click();
        await until(async () => (await drawn(page)) > 2000, 'the graph is drawn');
        await page.locator('details tbody a').first().click();
        await until(() => page.url().includes('/sessions') && page.url().includes('expression='), 'sessions of a link');
        await until(async () => parseInt(await count(page), 10) > 0, 'there are some');
    });
    await check('connections: weights, and what is new since the time before', async () => {
        const span = 'startTime=1768381500&stopTime=1768382100';
        const known = await (await page.request.get(`/api/connections?${span}&baselineDate=1x`)).json();
        const links = (when) => known.links.filter((l) => !when || l.inresult === when).length;
        expect(links(1) > 0 && links(2) > 0 && links(3) > 0, 'the sample has new, old and lasting links in that time');
        await page.goto('/connections?' + span);
        await page.locator('summary').click();
        await page.getByLabel('Baseline').selectOption('1x');
        const cells = page.locator('details tbody td:last-child');
        const said = async () => (await cells.allInnerTexts()).reduce((sum, t) => ({ ...sum, [t]: (sum[t] ?? 0) + 1 }), {});
        await until(async () => {
            const now = await said();
            return now.new === links(1) && now['only before'] === links(2) && now.both === links(3);
        }, 'each link says when it was');
        await shot(page, 'connections-baseline');
        await page.getByLabel('Which nodes').selectOption('new');
        await until(async () => JSON.stringify(await said()) === JSON.stringify({ new: links(1) }), 'only new links');
        await page.getByLabel('Which nodes').selectOption('old');
        await until(async () => JSON.stringify(await said()) === JSON.stringify({ 'only before': links(2) }), 'only those that are gone');
        await page.reload();
        await page.locator('summary').click();
        await until(async () => (await said())['only before'] === links(2), 'the link has it');
        await page.goto('/connections');
        await page.locator('summary').click();
        for (const [weight, path, column] of [['packets', 'network.packets', 3], ['bytes', 'network.bytes', 4]]) {
            await page.getByLabel('Weight').selectOption(weight);
            const all = await (await page.request.get('/api/connections?date=-1')).json();
            const heaviest = all.links.reduce((a, b) => (b[path] > a[path] ? b : a));
            await until(async () => {
                const first = await page.locator('details tbody tr').first().innerText();
                return first.includes(all.nodes[heaviest.source].id) && first.includes(all.nodes[heaviest.target].id);
            }, `the link with the most ${weight} stands first (column ${column})`);
        }
    });
    await check('order: several columns, the further ones by Shift', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        const head = (text) => page.locator('.th button', { hasText: text }).first();
        await head('Dst Port').click();
        await head('Bytes').click({ modifiers: ['Shift'] });
        await head('Bytes').click({ modifiers: ['Shift'] });
        await until(() => new URL(page.url()).searchParams.get('order') === 'destination.port:asc,network.bytes:desc', 'both orders: ' + page.url());
        const first = (await (await page.request.get('/api/sessions?date=-1&length=1&order=destination.port:asc,network.bytes:desc')).json()).data[0];
        await until(async () => (await rows(page).first().innerText()).includes(String(first.source.port)), 'the rows follow');
    });
    await check('time: which sessions count in a range is chosen', async () => {
        await page.goto('/sessions?startTime=1768381200&stopTime=1768381205');
        const found = async (bounding) => (await (await page.request.get(`/api/sessions?startTime=1768381200&stopTime=1768381205&length=0&bounding=${bounding}`)).json()).recordsFiltered;
        for (const bounding of ['first', 'either', 'both']) {
            await page.getByLabel('Which sessions').selectOption(bounding);
            const number = await found(bounding);
            await until(async () => (number ? parseInt(await count(page), 10) === number : page.locator('.empty').count()), `${bounding}: ${number}`);
        }
    });
    await check('menus: a field becomes a column, its values are there as text', async () => {
        await page.goto('/sessions?expression=' + encodeURIComponent('protocols == smtp'));
        await settled(page, '3 sessions');
        await rows(page).first().click({ position: { x: 5, y: 5 } });
        const name = page.locator('section.detail button.name', { hasText: /^Subject$/ });
        await name.click();
        const where = await page.getByRole('menuitem', { name: /^Values as text/ }).getAttribute('href');
        expect((await (await page.request.get(where)).text()).includes('The figures'), 'subjects of mails, with counts');
        await page.getByRole('menuitem', { name: 'As a column' }).click();
        await page.locator('.th', { hasText: 'Subject' }).waitFor();
        await name.click();
        await page.getByRole('menuitem', { name: 'Not as a column' }).click();
        await until(async () => (await page.locator('.th', { hasText: 'Subject' }).count()) === 0, 'it is none any more');
        await page.evaluate(() => localStorage.clear());
    });
    await check('menus have what the server adds: a file by its digest', async () => {
        await page.goto('/spiview?spi=http.md5');
        await page.locator('dd .v').first().click();
        const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('menuitem', { name: 'Download File' }).click()]);
        expect(readFileSync(await download.path()).length > 0, 'the file');
    });
    await check('history: what was asked is there, and can be asked again', async () => {
        await page.goto('/history?hours=1');
        await until(async () => (await page.locator('tbody tr', { hasText: 'protocols == smtp' }).count()) > 0, 'the search is there');
        const asked = page.locator('tbody tr', { hasText: 'protocols == smtp' }).filter({ hasText: 'ask again' }).first();
        await asked.getByRole('button', { name: 'more' }).click();
        await page.locator('tr.detail dt', { hasText: 'expression' }).first().waitFor();
        await asked.getByText('ask again').click();
        await settled(page, '3 sessions');
    });
    await check('time: typed, with zone; wrong ones are told', async () => {
        await page.goto('/sessions');
        await settled(page, '94 sessions');
        await page.getByLabel('From', { exact: true }).fill('2026-01-14 10:06:00');
        await page.getByLabel('To', { exact: true }).fill('2026-01-14 10:07:00');
        await page.keyboard.press('Enter');
        await until(async () => !(await count(page)).startsWith('94'), 'fewer');
        const url = new URL(page.url());
        expect(url.searchParams.get('startTime') === '1768381560', url.search);
        expect((await page.locator('.time').innerText()).includes('UTC+1'), 'the zone is shown');
        await page.getByLabel('From', { exact: true }).fill('yesterday-ish');
        await page.keyboard.press('Enter');
        expect((await page.locator('.time [role=alert]').innerText()).includes('is no time'), 'told');
    });
    void server;
}
