// test_6_images.mjs: the pictures of README, as the page looks. They are written into build/browser/; with IMAGES=docs/images
// also where README takes them from.
import { copyFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, expect, folder, load, open, quiet, ROOT, SAMPLE, serve, SHOTS, shot, until } from './harness.mjs';
import { rows } from './test_2_work.mjs';

export default async function ({ chrome, server }) {
    await check('pictures: the first page, and a stream in the dark', async () => {
        const light = await open(chrome, server.url, { timezoneId: 'UTC' });
        await light.goto('/');
        await light.locator('[data-card] li').nth(20).waitFor();
        await light.locator('.timeline path.src').first().waitFor();
        await shot(light, 'readme-start');
        await light.context().close();
        const dark = await open(chrome, server.url, { colorScheme: 'dark', timezoneId: 'UTC' });
        await dark.goto('/sessions?tab=streams&expression=' + encodeURIComponent('ip.src == 2001:db8:1::21 && protocols == http'));
        await rows(dark).filter({ hasText: 'http:password' }).first().click({ position: { x: 5, y: 5 } });
        await dark.locator('section.detail article.src pre').first().waitFor();
        await quiet(dark);
        await shot(dark, 'readme-stream');
        await dark.context().close();
        for (const name of ['readme-start', 'readme-stream']) {
            const size = statSync(join(SHOTS, name + '.png')).size;
            expect(size > 20000 && size < 300000, `${name}: ${size} bytes`);
            if (process.env.IMAGES) {
                mkdirSync(join(ROOT, process.env.IMAGES), { recursive: true });
                copyFileSync(join(SHOTS, name + '.png'), join(ROOT, process.env.IMAGES, name.replace('readme-', '') + '.png'));
            }
        }
    });
    await check('the map: countries of sessions where there are any; one leads to its sessions', async () => {
        const page = await open(chrome, server.url);
        await page.goto('/map');
        await page.locator('main p', { hasText: 'carries a place' }).waitFor();
        await page.context().close();
        const store = folder();
        const settings = join(folder(), 'places.ini');
        writeFileSync(settings, '[default]\n[override-ips]\n198.51.100.0/24=country:DE\n192.0.2.0/24=country:FR\n');
        load(store, '--config', settings, SAMPLE);
        const second = await serve(store);
        const there = await open(chrome, second.url);
        try {
            await there.goto('/map?way=dst');
            const land = there.locator('path.hit[aria-label^="Germany"]');
            await land.waitFor();
            await shot(there, 'map-places');
            await land.click({ position: { x: 12, y: 14 } });
            await there.getByRole('menuitem', { name: /^Only this/ }).first().click();
            await until(() => new URL(there.url()).searchParams.get('expression')?.startsWith('country.dst == DE'), 'asked for Germany: ' + there.url());
        } finally {
            await there.context().close();
            await second.stop();
        }
    });
}
