// test_9_kept.mjs: users, roles, tokens, passwords, and what users keep: made, changed, shared, deleted; what goes wrong, and what
// those see who may not.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { addUser, check, expect, folder, load, open, quiet, SAMPLE, serve, shot, until } from './harness.mjs';
import { count, settled } from './test_2_work.mjs';

const row = (page, text) => page.locator('main tbody tr', { hasText: text });
const gone = (page, text) => until(async () => (await row(page, text).count()) === 0, `${text} is gone`);
const notice = (page, text) => until(async () => text.test(await page.locator('.notice').innerText()), `told: ${text}`);
/** A picture of the page in both themes. */
async function bothThemes(page, name) {
    for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await shot(page, `${name}-${colorScheme}`);
    }
    await page.emulateMedia({ colorScheme: 'light' });
}
const wrong = (page, text) => page.locator('main [role=alert]', { hasText: text }).first().waitFor();

/** Asks the API as the page does, with its login. */
const ask = (page, path) => page.evaluate(async (where) => (await fetch('/api/' + where)).json(), path);

async function fill(page, values) {
    for (const [label, value] of Object.entries(values)) {
        await page.locator('form.edit').getByLabel(label, { exact: true }).fill(value);
    }
    await page.locator('form.edit').getByRole('button', { name: 'Save' }).click();
}
async function remove(page, text) {
    await row(page, text).getByRole('button', { name: 'Delete', exact: true }).click();
    await row(page, text).getByRole('button', { name: 'Keep' }).click();
    await row(page, text).getByRole('button', { name: 'Delete', exact: true }).click();
    await row(page, text).getByRole('button', { name: 'Delete', exact: true }).click();
    await gone(page, text);
}

async function userCases(anna, ben) {
    await check('users: made, changed, deleted; what is left to the roles stays so', async () => {
        await anna.goto('/users');
        await row(anna, 'ben').waitFor();
        await anna.getByRole('button', { name: 'New user' }).click();
        await fill(anna, { Id: 'ben', Name: 'Ben again', Password: 'secret-of-ben' });
        await wrong(anna, /exists/i);
        await fill(anna, { Id: 'carl', Name: 'Carl', Password: 'x' });
        await wrong(anna, /3 characters/);
        await fill(anna, { Password: 'secret-of-carl' });
        await row(anna, 'carl').waitFor();
        await row(anna, 'carl').getByRole('button', { name: 'Change' }).click();
        await anna.getByLabel('does not see packets').selectOption('true');
        await fill(anna, { Name: 'Carl the second', 'Always asked with': 'protocols == dns' });
        await row(anna, 'Carl the second').waitFor();
        const carl = (await anna.evaluate(async () => {
            const token = decodeURIComponent(/ARKIME-COOKIE=([^;]*)/.exec(document.cookie)[1]);
            return (await fetch('/api/users', { method: 'POST', headers: { 'x-arkime-cookie': token } })).json();
        })).data.find((u) => u.userId === 'carl');
        expect(carl.hidePcap === true && carl.expression === 'protocols == dns', 'what was set is set: ' + JSON.stringify(carl));
        expect(!('removeEnabled' in carl) && !('hideStats' in carl), 'what was left open is open: ' + JSON.stringify(carl));
        await shot(anna, 'users-list');
        await remove(anna, 'carl');
    });
    await check('roles: made with a right, given to a user, who then has it', async () => {
        await anna.goto('/users?kind=roles');
        await anna.getByRole('button', { name: 'New role' }).click();
        await anna.getByLabel('may remove tags and data').selectOption('true');
        await fill(anna, { Id: 'role:cleaners', Name: 'Cleaners' });
        await row(anna, 'role:cleaners').waitFor();
        await anna.getByRole('button', { name: 'Users', exact: true }).click();
        expect((await ask(ben, 'user')).removeEnabled === false, 'ben has not the right');
        await ben.goto('/sessions?expression=' + encodeURIComponent('protocols == ntp'));
        await settled(ben, '2 sessions');
        expect((await ben.getByRole('button', { name: 'Delete', exact: true }).count()) === 0, 'nor is it offered');
        for (const [user, role] of [['ben', 'arkimeUser'], ['anna', 'superAdmin']]) {
            await row(anna, user).getByRole('button', { name: 'Change' }).click();
            await fill(anna, { 'Roles, by commas': `${role}, role:cleaners` });
            await row(anna, `${role}, role:cleaners`).waitFor();
        }
        await shot(ben, 'sessions-ben');
        await until(async () => (await ask(ben, 'user')).removeEnabled === true, 'ben has the right by the role');
    });
    await check('users: without the right the page is not offered, and says so when it is opened', async () => {
        await ben.goto('/sessions');
        await until(async () => (await count(ben)).startsWith('94'), 'rows');
        expect((await ben.locator('nav a', { hasText: 'Users' }).count()) === 0, 'no link');
        await ben.goto('/users');
        await wrong(ben, /./);
        await ben.goto('/settings?part=notifiers');
        await wrong(ben, /./);
    });
}

/** The other side of a webhook: keeps what it is sent, and answers with the status it is told to. */
async function hook() {
    const side = { status: 200, messages: [] };
    const server = createServer((request, response) => {
        let body = '';
        request.on('data', (part) => (body += part));
        request.on('end', () => {
            side.messages.push(JSON.parse(body).text);
            response.writeHead(side.status).end();
        });
    });
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    return Object.assign(side, { url: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() });
}

async function messageCases(anna, ben) {
    const side = await hook();
    const make = async (name, users) => {
        await anna.getByRole('button', { name: 'New notifier' }).click();
        await anna.locator('form.edit select').selectOption('slack');
        await fill(anna, { Name: name, 'Incoming webhook URL of the workspace': side.url, 'Users, by commas': users });
        await row(anna, name).waitFor();
    };
    await check('notifiers: a test says what the other side answered, and the row keeps it', async () => {
        await anna.goto('/settings?part=notifiers');
        await make('desk', 'ben');
        await make('attic', '');
        expect(!/failed|sent/.test(await row(anna, 'desk').innerText()), 'nothing was sent yet');
        await row(anna, 'desk').getByRole('button', { name: 'Test' }).click();
        await notice(anna, /Successfully issued alert using the desk notifier/);
        await row(anna, 'desk').getByRole('cell', { name: 'sent', exact: true }).waitFor();
        expect(side.messages.join() === 'Test alert from anna', 'it came: ' + side.messages.join());
        side.status = 500;
        await row(anna, 'desk').getByRole('button', { name: 'Test' }).click();
        await notice(anna, /^desk: .*answered 500/);
        await row(anna, 'desk').getByRole('cell', { name: /^failed: .*answered 500/ }).waitFor();
        await bothThemes(anna, 'settings-notifiers');
        side.status = 200;
    });
    await check('periodic queries: tell the notifiers that were chosen, of those one may use', async () => {
        side.messages.length = 0;
        await ben.goto('/settings?part=periodic');
        await ben.getByRole('button', { name: 'New periodic query' }).click();
        await ben.getByLabel('desk').check();
        expect((await ben.getByLabel('attic').count()) === 0, 'what is not shared is not offered');
        await ben.getByLabel('Begins with').selectOption('-1');
        await bothThemes(ben, 'settings-cron-form');
        await fill(ben, { Name: 'told', Expression: 'protocols == ssh', 'Tags, by commas': 'told' });
        await row(ben, 'told').getByRole('cell', { name: 'desk', exact: true }).waitFor();
        await until(() => side.messages.some((text) => text.includes('told')), 'the message came');
        // Somebody else's change that leaves the notifiers alone leaves it ben's.
        await anna.goto('/settings?part=periodic&all=yes');
        await row(anna, 'told').getByRole('button', { name: 'Change' }).click();
        expect(await anna.getByLabel('desk').isChecked(), 'what was chosen is chosen');
        await fill(anna, { 'What it is': 'shells that talk' });
        await notice(anna, /^Saved: told$/);
        const query = () => ask(anna, 'crons?all=true').then((all) => all.find((q) => q.name === 'told'));
        expect((await query()).creator === 'ben', 'it is ben’s: ' + JSON.stringify(await query()));
        await row(ben, 'told').getByRole('button', { name: 'Change' }).click();
        await ben.getByLabel('desk').uncheck();
        await fill(ben, {});
        await until(async () => (await row(ben, 'told').getByRole('cell', { name: 'desk', exact: true }).count()) === 0, 'it tells nobody');
        expect((await query()).notifier?.length === 0, 'it tells nobody: ' + JSON.stringify(await query()));
        await remove(ben, 'told');
        await anna.goto('/settings?part=notifiers');
        await remove(anna, 'desk');
        await remove(anna, 'attic');
    });
    side.stop();
}

async function keptCases(anna, ben) {
    await check('views: made, shared by user, used and not changed by that user, changed by a role, deleted', async () => {
        await anna.goto('/settings?part=views');
        await anna.getByRole('button', { name: 'New view' }).press('Enter');
        await until(() => anna.evaluate(() => document.activeElement?.closest('label')?.textContent.trim() === 'Name'), 'the name has the focus');
        await anna.getByRole('button', { name: 'Cancel' }).press('Enter');
        await until(() => anna.evaluate(() => document.activeElement?.textContent === 'New view'), 'and then the button again');
        await anna.getByRole('button', { name: 'New view' }).press('Enter');
        await fill(anna, { Name: 'names', Expression: 'protocols == ' });
        await wrong(anna, /Column \d+/);
        await fill(anna, { Expression: 'protocols == dns', 'Users, by commas': 'ben, nobody-here' });
        await notice(anna, /nobody-here/);
        await row(anna, 'names').waitFor();
        await ben.goto('/settings?part=views');
        await row(ben, 'names').getByText('shared with you').waitFor();
        expect((await row(ben, 'names').getByRole('button', { name: 'Change' }).count()) === 0, 'it is not ben’s to change');
        await row(ben, 'names').getByRole('link', { name: 'names' }).click();
        await settled(ben, '38 sessions');
        await row(anna, 'names').getByRole('button', { name: 'Change' }).click();
        expect((await anna.locator('form.edit').getByLabel('Users, by commas').inputValue()) === 'ben', 'it says with whom it is shared');
        await fill(anna, { 'Roles that may change it': 'role:cleaners' });
        await notice(anna, /^Saved: names$/);
        await ben.goto('/settings?part=views');
        await row(ben, 'names').getByRole('button', { name: 'Change' }).click();
        await fill(ben, { Expression: 'protocols == ssh' });
        await row(ben, 'protocols == ssh').waitFor();
        await anna.reload();
        await row(anna, 'protocols == ssh').waitFor();
        await shot(anna, 'settings-views');
        await remove(anna, 'names');
    });
    await check('shortcuts: wrong values are told, lists are used in expressions, everybody’s are shown to those who may', async () => {
        await ben.goto('/settings?part=shortcuts');
        await ben.getByRole('button', { name: 'New shortcut' }).click();
        await fill(ben, { Name: 'kiosks', 'Values, one a line': '192.0.2.66\nno address' });
        await wrong(ben, /./);
        await fill(ben, { 'Values, one a line': '192.0.2.66\n192.0.2.67', 'What it is': 'in the hall' });
        await row(ben, '$kiosks').waitFor();
        await ben.goto('/sessions?expression=' + encodeURIComponent('ip.src == $kiosks'));
        await settled(ben, '58 sessions');
        await anna.goto('/settings?part=shortcuts');
        await anna.getByText('None yet.').waitFor();
        await anna.getByLabel('everybody’s').check();
        await row(anna, '$kiosks').waitFor();
        await ben.goto('/settings?part=shortcuts');
        await remove(ben, '$kiosks');
    });
    await check('periodic queries: from what is asked, run, stopped, started, deleted', async () => {
        await ben.goto('/sessions?expression=' + encodeURIComponent('protocols == ssh'));
        await settled(ben, '4 sessions');
        await ben.getByRole('button', { name: 'Tag', exact: true }).click();
        await ben.getByLabel('Tags').fill('shells');
        await ben.getByRole('link', { name: 'Those to come as well' }).click();
        await ben.locator('form.edit').waitFor();
        expect((await ben.getByLabel('Expression', { exact: true }).inputValue()) === 'protocols == ssh', 'the expression came along');
        await fill(ben, { Expression: 'protocols == ' });
        await wrong(ben, /Column \d+/);
        await ben.getByLabel('Begins with').selectOption('-1');
        await fill(ben, { Expression: 'protocols == ssh' });
        await row(ben, 'shells').waitFor();
        await until(async () => {
            await ben.reload();
            await row(ben, 'shells').waitFor();
            return /\t4\t/.test(await row(ben, 'shells').innerText());
        }, 'it has found the four sessions');
        await shot(ben, 'settings-crons');
        await row(ben, 'shells').getByRole('button', { name: 'Stop' }).click();
        await row(ben, 'shells').getByRole('button', { name: 'Start' }).click();
        await row(ben, 'shells').getByRole('button', { name: 'Stop' }).waitFor();
        await row(ben, 'shells').getByRole('link', { name: 'sessions' }).click();
        await settled(ben, '4 sessions');
        await ben.goto('/settings?part=periodic');
        await remove(ben, 'shells');
    });
    await check('notifiers: made, changed, deleted by administrators', async () => {
        await anna.goto('/settings?part=notifiers');
        await anna.getByRole('button', { name: 'New notifier' }).click();
        await anna.locator('form.edit select').selectOption('syslog');
        await fill(anna, { Name: 'log host', 'Syslog server': 'log.example' });
        await row(anna, 'log host').waitFor();
        await row(anna, 'log host').getByRole('button', { name: 'Change' }).click();
        expect((await anna.getByLabel('Syslog server').inputValue()) === 'log.example', 'what was kept is there');
        await fill(anna, { Name: 'the log host' });
        await row(anna, 'the log host').waitFor();
        await remove(anna, 'the log host');
    });
}

async function tokenCases(anna, ben, server) {
    const asked = (token, path) => fetch(server.url + path, { headers: { authorization: 'Bearer ' + token } });
    await check('tokens: shown once, let in, may only what they say, removed', async () => {
        await ben.goto('/settings?part=tokens');
        await ben.getByLabel('Name of the token').fill('nightly');
        await ben.getByLabel('What it may').selectOption('searches');
        await ben.getByRole('button', { name: 'Make a token' }).click();
        const token = (await ben.locator('.made code').innerText()).trim();
        await row(ben, 'nightly').waitFor();
        expect((await (await asked(token, '/api/sessions?date=-1&length=0')).json()).recordsFiltered === 94, 'it lets in');
        expect((await asked(token, '/api/sessions/pcap?date=-1')).status === 403, 'packets are not its');
        await ben.reload();
        await row(ben, 'nightly').waitFor();
        expect(!(await ben.locator('body').innerText()).includes(token), 'it is not shown again');
        await row(ben, 'nightly').getByRole('button', { name: 'Remove' }).click();
        await row(ben, 'nightly').getByRole('button', { name: 'Remove' }).click();
        await gone(ben, 'nightly');
        expect((await asked(token, '/api/sessions')).status === 401, 'it lets nobody in any more');
    });
    await check('copied lines: with a token made for them they work as they are, and no address has it', async () => {
        const out = folder();
        const addresses = [];
        ben.on('request', (request) => addresses.push(request.url()));
        await ben.goto('/sessions?expression=' + encodeURIComponent('protocols == smtp'));
        await settled(ben, '3 sessions');
        const copiedLine = async (button) => {
            await ben.evaluate(() => navigator.clipboard.writeText('nothing yet'));
            await button.click();
            await ben.getByRole('menuitem', { name: /^Copy it with a new token/ }).click();
            return until(async () => /^curl .*seine_.*/s.exec(await ben.evaluate(() => navigator.clipboard.readText()))?.[0], 'a line with a token');
        };
        await ben.getByRole('button', { name: 'Export' }).click();
        const csv = await copiedLine(ben.locator('.pop button', { hasText: 'curl' }).first());
        execFileSync('sh', ['-c', csv], { cwd: out });
        expect(execFileSync('cat', [join(out, 'sessions.csv')]).toString().trim().split(/\r?\n/).length === 4, 'a head and three rows');
        await ben.locator('.tr').first().click({ position: { x: 5, y: 5 } });
        const shark = await copiedLine(ben.getByRole('button', { name: 'Wireshark command' }));
        const capture = execFileSync('sh', ['-c', shark.replace(/\| wireshark.*/, '')]);
        expect([0xa1b2c3d4, 0xa1b23c4d].includes(capture.readUInt32LE(0)), 'a capture');
        const token = /seine_[\w-]+/.exec(csv)[0];
        const post = await fetch(server.url + '/api/sessions/addtags?date=-1&tags=x', { method: 'POST', headers: { authorization: 'Bearer ' + token } });
        expect(post.status === 403 || (await post.json()).success === false, 'it changes nothing');
        expect(!addresses.some((address) => address.includes('seine_')), 'a token was in an address');
    });
    await check('password: a wrong one and two that differ are told, the new one holds', async () => {
        await ben.goto('/settings?part=password');
        const change = async (old, fresh, again) => {
            await ben.getByLabel('Current password').fill(old);
            await ben.getByLabel('New password', { exact: true }).fill(fresh);
            await ben.getByLabel('New password again').fill(again);
            await ben.getByRole('button', { name: 'Change' }).click();
        };
        await change('not-bens', 'fresh-of-ben', 'fresh-of-ben');
        await wrong(ben, /mismatch/i);
        await change('secret-of-ben', 'fresh-of-ben', 'fresh-of-bem');
        await wrong(ben, /differ/);
        await change('secret-of-ben', 'fresh-of-ben', 'fresh-of-ben');
        await notice(ben, /Password changed/);
        expect(execFileSync('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--digest', '-u', 'ben:fresh-of-ben', server.url + '/api/user']).toString() === '200', 'the new password lets in');
    });
    await check('history: everybody’s for administrators, one’s own for others', async () => {
        await anna.goto('/history?hours=1&searchTerm=ben');
        await row(anna, 'protocols == smtp').first().waitFor();
        await anna.goto('/history?hours=1');
        const rowsOf = async () => (await ask(anna, 'histories?length=0&searchTerm=*notifier*')).recordsFiltered;
        const before = await rowsOf();
        await row(anna, '/api/notifier').first().getByRole('button', { name: 'Delete' }).click();
        await row(anna, '/api/notifier').first().getByRole('button', { name: 'Delete' }).click();
        await notice(anna, /Row removed/);
        await until(async () => (await rowsOf()) === before - 1, 'one row less');
        await until(async () => new Set(await anna.locator('tbody tr td:nth-child(2)').allInnerTexts()).size >= 2, 'several users');
    });
}

export default async function ({ chrome }) {
    const store = folder();
    load(store, SAMPLE);
    addUser(store, 'secret-of-anna', '--admin', 'anna');
    addUser(store, 'secret-of-ben', '--role', 'arkimeUser', 'ben');
    const server = await serve(store);
    const as = (username) => open(chrome, server.url, { httpCredentials: { username, password: `secret-of-${username}` } });
    const [anna, ben] = [await as('anna'), await as('ben')];
    try {
        await ben.goto('/');
        await ben.locator('main h1').waitFor();
        await quiet(ben);
        await userCases(anna, ben);
        await keptCases(anna, ben);
        await messageCases(anna, ben);
        await tokenCases(anna, ben, server);
        await check('delete: sessions that fit go, others stay', async () => {
            await anna.goto('/sessions');
            await settled(anna, '94 sessions');
            expect((await anna.getByRole('button', { name: 'Delete', exact: true }).count()) === 0, 'not of everything');
            await anna.goto('/sessions?expression=' + encodeURIComponent('protocols == ntp'));
            await settled(anna, '2 sessions');
            await anna.getByRole('button', { name: 'Delete', exact: true }).click();
            await anna.getByRole('button', { name: 'Keep' }).click();
            await anna.getByRole('button', { name: 'Delete', exact: true }).click();
            await anna.getByRole('button', { name: 'Delete 2 sessions' }).click();
            await anna.locator('.empty').waitFor();
            await anna.goto('/sessions');
            await settled(anna, '92 sessions');
        });
        await check('a page that stood open for long still changes things', async () => {
            await anna.goto('/settings?part=views');
            await anna.getByRole('button', { name: 'New view' }).click();
            await anna.context().clearCookies({ name: 'ARKIME-COOKIE' });
            await fill(anna, { Name: 'late', Expression: 'protocols == dns' });
            await row(anna, 'late').waitFor();
        });
    } finally {
        await anna.context().close();
        await ben.context().close();
        await server.stop();
    }
}
