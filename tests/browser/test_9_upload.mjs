// test_9_upload.mjs: captures sent by the page: chosen, dropped, cancelled; what is refused, and who is not offered it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addUser, check, expect, folder, load, open, quiet, ROOT, SAMPLE, serve, shot, until } from './harness.mjs';
import { settled } from './test_2_work.mjs';

const GET = join(ROOT, 'tests', 'golden', 'http', 'get.pcap');
const LIMIT = 3 << 20;
const button = (page) => page.getByRole('button', { name: 'Upload a capture' });
const form = (page) => page.getByRole('form', { name: 'Upload a capture' });
const sent = (page, name) => page.getByRole('list', { name: 'Uploads' }).getByRole('listitem').filter({ hasText: name });
const listed = (page, name) => page.getByRole('table', { name: 'Captures' }).getByRole('cell', { name });

/** Both themes, of what stands on the page. */
async function bothThemes(page, name) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await shot(page, `${name}-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: 'light' });
}

/** Sends files by the form: paths, or {name, mimeType, buffer}. */
async function send(page, files, tags = '') {
    await button(page).click();
    await form(page).getByLabel('Captures').setInputFiles(files);
    await form(page).getByLabel('Tags, by commas').fill(tags);
    await form(page).getByRole('button', { name: 'Send' }).click();
}
const made = (name, bytes) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.alloc(bytes, 'x') });

/** What a drag of files from the desktop does. */
async function drag(page, event, path, name) {
    const transfer = await page.evaluateHandle(
        ([text, called]) => {
            const it = new DataTransfer();
            it.items.add(new File([Uint8Array.from(atob(text), (c) => c.charCodeAt(0))], called));
            return it;
        },
        [readFileSync(path).toString('base64'), name],
    );
    await page.dispatchEvent('main', event, { dataTransfer: transfer });
}

async function takenCases(anna) {
    await check('upload: a capture that was chosen is read, with its tags, and listed', async () => {
        await anna.goto('/files');
        await listed(anna, /a\.pcap/).waitFor();
        await button(anna).click();
        await form(anna).getByLabel('Captures').setInputFiles(SAMPLE);
        await form(anna).getByLabel('Tags, by commas').fill('no tag at all');
        await form(anna).getByRole('button', { name: 'Send' }).click();
        expect(await form(anna).getByLabel('Tags, by commas').evaluate((e) => !e.validity.valid), 'tags have no spaces');
        await bothThemes(anna, 'upload-form');
        await form(anna).getByLabel('Tags, by commas').fill('case:7, morning');
        await form(anna).getByRole('button', { name: 'Send' }).click();
        await sent(anna, 'sample.pcap').getByText(/^94 sessions, [\d,.]+ packets$/).waitFor();
        await listed(anna, /upload-.*-sample\.pcap/).waitFor();
        await sent(anna, 'sample.pcap').getByRole('link', { name: 'sessions' }).click();
        await settled(anna, '94 sessions');
        await anna.goto('/sessions?expression=' + encodeURIComponent('tags == case:7 && tags == morning'));
        await settled(anna, '94 sessions');
    });
    await check('upload: what is dropped on the page waits for Send', async () => {
        await anna.goto('/files');
        await listed(anna, /sample\.pcap/).waitFor();
        await drag(anna, 'dragover', GET, 'dropped.pcap');
        await anna.getByText('Drop captures to upload them').waitFor();
        await bothThemes(anna, 'upload-drop');
        await drag(anna, 'drop', GET, 'dropped.pcap');
        await form(anna).waitFor();
        await until(() => form(anna).getByRole('button', { name: 'Send' }).isEnabled(), 'the file is chosen');
        expect((await sent(anna, 'dropped').count()) === 0, 'nothing is sent yet');
        await form(anna).getByRole('button', { name: 'Send' }).click();
        await sent(anna, 'dropped.pcap').getByText(/^1 session, /).waitFor();
        await listed(anna, /dropped\.pcap/).waitFor();
        await sent(anna, 'dropped.pcap').getByRole('button', { name: 'Done with it' }).click();
        await until(async () => (await sent(anna, 'dropped.pcap').count()) === 0, 'it is off the list');
    });
}

async function refusedCases(anna, captures) {
    await check('upload: what is refused is told: no capture, too large, no room, no right', async () => {
        const before = readdirSync(captures).length;
        await anna.goto('/files');
        await quiet(anna);
        await send(anna, [made('letter.txt', 1000), made('huge.pcap', LIMIT + (2 << 20))]);
        await sent(anna, 'letter.txt').getByText(/^Not read: .*no capture/).waitFor();
        await sent(anna, 'huge.pcap').getByText(/^Too large: .*uploadFileSizeLimit/).waitFor();
        expect(readdirSync(captures).length === before, 'nothing of them stays');
        for (const [status, says] of [[507, /^There is no room for it: the disk of the store is full/], [403, /^You may not send captures/], [409, /^The server is busy: .*Try again/]]) {
            // The disk is not filled for this: the answer is the server's, word by word.
            const text = status === 507 ? 'the disk of the store is full' : 'captures are being read';
            await anna.route('**/api/upload', (route) => route.fulfill({ status, json: { success: false, text } }));
            await send(anna, { ...made(`answer-${status}.pcap`, 100) });
            await sent(anna, `answer-${status}`).getByText(says).waitFor();
            await anna.unroute('**/api/upload');
        }
        await bothThemes(anna, 'upload-refused');
        await sent(anna, 'answer-409').getByRole('button', { name: 'Try again' }).click();
        await sent(anna, 'answer-409').getByText(/^Not read: /).waitFor();
    });
    await check('upload: one that is cancelled stops, the next goes on, nothing of it stays', async () => {
        const before = readdirSync(captures).length;
        const network = await anna.context().newCDPSession(anna);
        const speed = (uploadThroughput) => network.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput });
        await network.send('Network.enable');
        await anna.goto('/files');
        await quiet(anna);
        await speed(30000);
        await send(anna, [made('slow.pcap', LIMIT - 1000), made('waiting.pcap', 1000), made('next.txt', 1000)]);
        await until(() => sent(anna, 'slow.pcap').getByRole('progressbar').evaluate((e) => e.value > 0), 'some of it is sent');
        await sent(anna, 'waiting.pcap').getByText('waits', { exact: true }).waitFor();
        await bothThemes(anna, 'upload-sending');
        await sent(anna, 'waiting.pcap').getByRole('button', { name: 'Cancel' }).click();
        await sent(anna, 'slow.pcap').getByRole('button', { name: 'Cancel' }).click();
        await sent(anna, 'slow.pcap').getByText(/^Cancelled/).waitFor();
        await sent(anna, 'waiting.pcap').getByText(/^Cancelled/).waitFor();
        await speed(-1);
        await sent(anna, 'next.txt').getByText(/^Not read/).waitFor();
        await until(() => readdirSync(captures).length === before, 'nothing of it is kept');
    });
}

export default async function ({ chrome }) {
    const store = folder();
    const captures = join(store, 'captures');
    load(store, join(ROOT, 'tests', 'golden', 'dns', 'a.pcap'));
    addUser(store, 'secret-of-anna', '--admin', 'anna');
    addUser(store, 'secret-of-eva', '--role', 'role:none', 'eva');
    const as = (server, username) => open(chrome, server.url, { httpCredentials: { username, password: `secret-of-${username}` } });
    let server = await serve(store);
    let page = await as(server, 'anna');
    const notOffered = async (user) => {
        await page.goto('/files');
        await until(() => page.getByText(user, { exact: true }).first().isVisible(), 'who looks is known');
        await quiet(page);
        expect((await button(page).count()) === 0, 'no button');
        await drag(page, 'dragover', GET, 'x.pcap');
        await drag(page, 'drop', GET, 'x.pcap');
        await quiet(page);
        expect((await form(page).count()) === 0 && !existsSync(captures), 'nothing happens with what is dropped');
    };
    try {
        await check('upload: not offered where the server takes none', () => notOffered('anna'));
        await page.context().close();
        await server.stop();
        server = await serve(store, ['-o', 'upload=true', '-o', `uploadFileSizeLimit=${LIMIT}`]);
        page = await as(server, 'eva');
        await check('upload: nor to those without the role', () => notOffered('eva'));
        await page.context().close();
        page = await as(server, 'anna');
        await takenCases(page);
        await refusedCases(page, captures);
    } finally {
        await page.context().close();
        await server.stop();
    }
}
