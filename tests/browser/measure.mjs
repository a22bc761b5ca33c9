// measure.mjs: how quickly the page is there and how smoothly it goes over a large store, by the browser's own figures.
//
//     tests/browser/run --measure STORE        prints a table; not a part of ./test: times are a machine's
import { readFileSync } from 'node:fs';
import { browser, expect, open, serve, until } from './harness.mjs';
import { count, rows } from './test_2_work.mjs';

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const part = (list, p) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * p))];

export default async function measure(store) {
    const server = await serve(store);
    const chrome = await browser();
    const out = [];
    try {
        // The first time fills the caches of the store and of the browser; then people open links.
        const firsts = [];
        const rowsAt = [];
        let page;
        for (let i = 0; i < 5; i++) {
            await page?.context().close();
            page = await open(chrome, server.url);
            await page.addInitScript(() => {
                const watch = new MutationObserver(() => {
                    if (!window.rowsAt && document.querySelector('.tr [role=button]')) {
                        window.rowsAt = performance.now();
                    }
                });
                watch.observe(document, { childList: true, subtree: true });
                window.long = [];
                new PerformanceObserver((list) => window.long.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask', buffered: true });
            });
            await page.goto('/sessions');
            await rows(page).nth(5).waitFor();
            firsts.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime));
            rowsAt.push(await page.evaluate(() => window.rowsAt));
        }
        out.push(['sessions in the store', await count(page)]);
        out.push(['first paint after the link opens, ms (median of 5)', Math.round(median(firsts))]);
        out.push(['first rows after the link opens, ms (median of 5)', Math.round(median(rowsAt))]);

        await page.waitForTimeout(1500);
        await page.evaluate(() => (window.long = []));
        await page.locator('.cm-content').click();
        const typed = 'protocols == dns && ip.src == 10.0.0.1';
        const started = Date.now();
        await page.keyboard.type(typed, { delay: 40 });
        out.push(['milliseconds per typed character (40 of them waited by the test)', Math.round((Date.now() - started) / typed.length)]);
        out.push(['longest task while typing, ms', Math.round(Math.max(0, ...(await page.evaluate(() => window.long))))]);
        await page.keyboard.press('Escape');

        // Over 100,000 rows, 40 rows a frame, then back in jumps.
        await page.evaluate(() => (window.long = []));
        const frames = await page.evaluate(
            () =>
                new Promise((done) => {
                    const body = document.querySelector('[role=treegrid]');
                    const times = [];
                    let last = performance.now();
                    const step = (now) => {
                        times.push(now - last);
                        last = now;
                        body.scrollTop += 40 * 25;
                        if (body.scrollTop >= 100000 * 25 || times.length >= 2600) {
                            done(times.slice(1));
                        } else {
                            requestAnimationFrame(step);
                        }
                    };
                    requestAnimationFrame(step);
                }),
        );
        out.push(['frames while scrolling over 100,000 rows', frames.length]);
        out.push(['a frame, ms: median, 95th, 99th of 100, longest', [median(frames), part(frames, 0.95), part(frames, 0.99), Math.max(...frames)].map((n) => n.toFixed(1)).join(', ')]);
        await until(async () => (await rows(page).first().innerText()).length > 20, 'rows at the end of the scroll');
        const whole = await page.locator('[role=treegrid]').getAttribute('aria-rowcount');
        await page.evaluate(() => (document.querySelector('[role=treegrid]').scrollTop = 1e9));
        const last = Date.now();
        await page.locator(`[aria-rowindex="${whole}"] .v`).first().waitFor({ timeout: 60000 });
        out.push(['from there to the last row of all, ms', Date.now() - last]);
        for (const place of ['/spiview', '/connections', '/spigraph', '/']) {
            const before = Date.now();
            await page.evaluate((to) => (history.pushState(null, '', to), dispatchEvent(new PopStateEvent('popstate'))), place);
            await page.locator({ '/spiview': 'dd .v', '/connections': 'summary', '/spigraph': 'li .name', '/': '[data-card] li' }[place]).first().waitFor({ timeout: 60000 });
            out.push([`page ${place}, ms`, Date.now() - before]);
        }
        const context = await page.context().newCDPSession(page);
        await context.send('Performance.enable');
        await context.send('HeapProfiler.collectGarbage');
        const metrics = Object.fromEntries((await context.send('Performance.getMetrics')).metrics.map((m) => [m.name, m.value]));
        out.push(['heap of scripts after all this, MB', (metrics.JSHeapUsedSize / 2 ** 20).toFixed(1)]);
        out.push(['elements in the page', metrics.Nodes]);
        const info = await (await chrome.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
        const memory = info.processInfo
            .filter((p) => p.type === 'renderer')
            .map((p) => Number(/^RssAnon:\s+(\d+)/m.exec(readFileSync(`/proc/${p.id}/status`, 'utf8'))?.[1] ?? 0) / 1024);
        out.push(['memory of the page’s process (private), MB', Math.max(...memory).toFixed(0)]);
        expect(memory.length > 0, 'a renderer');
    } finally {
        await chrome.close();
        await server.stop();
    }
    for (const [what, value] of out) {
        console.log(`| ${what} | ${value} |`);
    }
}
