// all.mjs: runs the files of tests one after the other over one server and one browser.
import { readdirSync } from 'node:fs';
import { browser, end, folder, load, open, SAMPLE, serve } from './harness.mjs';

const wanted = process.argv.slice(2);
if (wanted[0] === '--measure') {
    await (await import('./measure.mjs')).default(wanted[1]);
    process.exit();
}
const files = readdirSync(new URL('.', import.meta.url)).filter((name) => name.startsWith('test_') && (!wanted.length || wanted.includes(name)));

const chrome = await browser();
const store = folder();
load(store, SAMPLE);
const server = await serve(store);
try {
    for (const file of files.sort()) {
        const page = await open(chrome, server.url);
        await (await import('./' + file)).default({ page, chrome, server, store });
        await page.context().close();
    }
} finally {
    await chrome.close();
    await server.stop();
}
end();
