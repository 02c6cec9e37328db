/** The console in a real browser, on a real server with real jobs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOSTILE } from '../fixtures/jobs/shop.mjs';
import { TestServer } from '../integration/server/server-harness.js';
import { fixture } from '../integration/run-cli.js';
import { missingBrowser, openBrowser, type OpenPage, openPage, picture } from './browser.js';

if (missingBrowser !== null) console.log(`The console is not tested: ${missingBrowser}`);

/** So that a page that looks again in intervals has the time for it. */
const POLLED = { timeout: 60_000, intervals: [1000] };
const CHECKPOINTED = { 'execution.checkpointing.interval': '1s' };
/** So that barriers do not wait behind many records. */
const SHORT_QUEUES = { 'exchange.targetDrain': '100ms' };
const FREQUENT = {
  ...CHECKPOINTED,
  'restartStrategy.type': 'fixedDelay',
  'restartStrategy.fixedDelay.attempts': '1000000',
  'restartStrategy.fixedDelay.delay': '300ms',
};

describe.skipIf(missingBrowser !== null)('the console', () => {
  let directory: string;
  let server: TestServer;
  let browser: Browser;
  /** Held up by one of its operators, so that its checkpoints wait behind full rings. */
  let shop: string;
  let calm: string;
  let hostile: string;
  let ended: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-console-'));
    [server, browser] = await Promise.all([
      TestServer.start(join(directory, 'data'), '--uploads', '--slots', '16'),
      openBrowser(),
    ]);
    calm = await server.run('shop.mjs', {
      entryClass: 'shop-revenue',
      parallelism: 2,
      params: { rate: 1500, workUs: 5 },
      flinkConfiguration: CHECKPOINTED,
    });
    shop = await server.run('shop.mjs', {
      entryClass: 'shop-revenue',
      parallelism: 2,
      flinkConfiguration: { ...CHECKPOINTED, ...SHORT_QUEUES },
    });
    hostile = await server.run('shop.mjs', {
      entryClass: `hostile ${HOSTILE}`,
      flinkConfiguration: FREQUENT,
    });
    ended = await server.run('printing.mjs', { params: { rows: 10 } });
    await server.until(shop, ({ state }) => state === 'RUNNING');
    await server.until(ended, ({ state }) => state === 'FINISHED');
  });
  afterAll(async () => {
    await browser?.close();
    await server?.release();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Opens a place, and whatever becomes of it, nothing may go wrong in the page. */
  async function at(
    place: string,
    look: (page: Page) => Promise<void>,
    theme: 'light' | 'dark' = 'light',
  ): Promise<void> {
    const opened: OpenPage = await openPage(browser, `${server.url}/${place}`, theme);
    try {
      await look(opened.page);
      expect(opened.faults).toEqual([]);
    } finally {
      await opened.page.close();
    }
  }

  it.each(['light', 'dark'] as const)(
    'lists jobs with rate, checkpoint and restarts (%s)',
    (theme) =>
      at(
        '',
        async (page) => {
          const row = page.getByRole('row').filter({ hasText: 'shop-revenue' }).first();
          await row.getByText('running', { exact: true }).first().waitFor();
          await row
            .getByText(/^[\d.]+ K\/s/)
            .first()
            .waitFor();
          await row.getByText(/^(now|[\dms ]+ ago)$/).waitFor();
          await page.getByRole('row').filter({ hasText: 'finished' }).first().waitFor();
          await page.getByText(/of 16 slots in use/).waitFor();
          await page.waitForTimeout(4000);
          await picture(page, `jobs-${theme}`);
          // Whatever jobs are called, what can be done to them is in sight.
          const card = page.locator('section').first();
          const width = await card.evaluate((element) => element.scrollWidth - element.clientWidth);
          expect(width).toBe(0);
        },
        theme,
      ),
  );

  it('draws the graph, and names what sets the pace', () =>
    at(`#/jobs/${shop}`, async (page) => {
      await page.getByText(/enrich.* sets the pace: busy \d+ % of the time/).waitFor();
      await expect.poll(() => page.locator('.node').count()).toBe(4);
      const fill = page.locator('.edge').filter({ hasText: /% full/ });
      await fill.first().waitFor();
      await picture(page, 'graph', { isDocumented: true });
      await page.locator('.node').filter({ hasText: 'enrich' }).click();
      const drawer = page.locator('.drawer');
      await expect.poll(() => drawer.locator('.vrow.subtask:not(.head)').count()).toBe(2);
      await drawer.locator('.chart canvas').waitFor();
      await drawer.getByText(/\d+ K records/).waitFor();
      await page.waitForTimeout(6000);
      await picture(page, 'drawer');
      await drawer.getByRole('tab', { name: 'Watermarks' }).click();
      await drawer
        .getByText(/2025-10-\d+ [\d:.]+ UTC/)
        .first()
        .waitFor();
      await drawer.getByRole('tab', { name: 'Exceptions' }).click();
      await drawer.getByText('Nothing has failed in this chain.').waitFor();
      await drawer.getByRole('tab', { name: 'Operators' }).click();
      await drawer.getByText('partial revenue', { exact: true }).waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => drawer.count()).toBe(0);
    }));

  it('shows records that pass a chain, those for which a filter is true, and how many passed', () =>
    at(`#/jobs/${shop}`, async (page) => {
      await page.locator('.node').filter({ hasText: 'enrich' }).click();
      const drawer = page.locator('.drawer');
      await drawer.getByRole('tab', { name: 'Tap' }).click();
      await drawer.getByLabel('Where to look').selectOption({ label: 'What goes in' });
      const filter = drawer.getByRole('searchbox');
      await filter.fill('pric > 50');
      await page.keyboard.press('Enter');
      await drawer.getByRole('alert').filter({ hasText: 'Did you mean "price"?' }).waitFor();
      await filter.fill('price > 50 and depot = "Rome"');
      await page.keyboard.press('Enter');
      const rows = drawer.locator('.log-line');
      await rows.filter({ hasText: '"depot":"Rome"' }).first().waitFor();
      await drawer.getByText(/^\d+ of [\d,.\u202f ]+[KM]? shown, .* looked at$/).waitFor();
      expect(await rows.filter({ hasText: 'Oslo' }).count()).toBe(0);
      await page.waitForTimeout(1000);
      await picture(page, 'tap');
      await drawer.getByRole('button', { name: 'Stop' }).click();
      await drawer.getByRole('button', { name: 'Look' }).waitFor();
    }));

  it('shows in which functions a chain spends its time, those of the job by their names', () =>
    at(`#/jobs/${shop}`, async (page) => {
      await page.locator('.node').filter({ hasText: 'enrich' }).click();
      const drawer = page.locator('.drawer');
      await drawer.getByRole('tab', { name: 'Flame' }).click();
      const work = drawer.locator('.flames .frame.own').filter({ hasText: /^work / });
      await work.first().waitFor();
      await drawer.getByRole('cell', { name: /^work / }).waitFor();
      await picture(page, 'flame');
      await work.first().click();
      await expect
        .poll(async () => (await drawer.locator('.flames .frame').first().textContent()) ?? '')
        .toMatch(/^work /);
      await drawer.getByLabel('What to show').selectOption({ label: 'Waiting' });
      await drawer.getByText(/ samples, one in a millisecond$/).waitFor();
    }));

  it('shows the records of an edge that is clicked', () =>
    at(`#/jobs/${shop}`, async (page) => {
      const edges = page.locator('.edge');
      await expect.poll(() => edges.count()).toBe(3);
      await edges.first().locator('text').first().click();
      const drawer = page.locator('.drawer');
      const place = drawer.getByLabel('Where to look');
      await place.waitFor();
      expect(await place.locator('option:checked').textContent()).toMatch(/^To enrich/);
      await drawer.getByRole('button', { name: 'Look' }).click();
      await drawer.locator('.log-line').filter({ hasText: '"depot":' }).first().waitFor();
      await picture(page, 'edge');
    }));

  it('shows checkpoints as they come, and takes a savepoint once the equal calls were shown', () =>
    at(`#/jobs/${calm}/checkpoints`, async (page) => {
      await expect.poll(() => page.locator('.checkpoint-line rect').count()).toBeGreaterThan(1);
      await page.getByRole('button', { name: 'Savepoint shop-revenue' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(`POST /jobs/${calm}/savepoints`).waitFor();
      await dialog.getByText(`millrace savepoint ${calm}`).waitFor();
      await picture(page, 'savepoint');
      await dialog.getByRole('button', { name: 'Savepoint', exact: true }).click();
      await dialog.getByText(/The savepoint is in .*savepoint-/).waitFor({ timeout: 60_000 });
      await dialog.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('cell', { name: 'savepoint', exact: true }).waitFor();
      await picture(page, 'checkpoints', { isDocumented: true });
    }));

  it('shows what a restore would mean before a job that has ended goes on', async () => {
    const jobid = await server.run('shop.mjs', {
      entryClass: 'shop-revenue',
      params: { rate: 1500, workUs: 5 },
      flinkConfiguration: CHECKPOINTED,
    });
    await server.until(jobid, ({ state }) => state === 'RUNNING');
    const savepoints = join(directory, 'restored');
    await server.call('stopJob', { jobid }, { targetDirectory: savepoints });
    await server.until(jobid, ({ state }) => state === 'FINISHED');
    await at(`#/jobs/${jobid}/checkpoints`, async (page) => {
      await page.getByRole('link', { name: /^Restore from / }).click();
      await page.getByRole('heading', { name: 'Restore shop-revenue' }).waitFor();
      await page.getByLabel(/Claim mode/).selectOption('CLAIM');
      await page.getByLabel(/Leave out state/).check();
      await page.getByText(/"claimMode":"CLAIM","allowNonRestoredState":true/).waitFor();
      await page.getByText(/--claim-mode claim --allow-non-restored/).waitFor();
      expect(await page.getByRole('button', { name: 'Run', exact: true }).count()).toBe(0);
      await page.getByRole('button', { name: 'Review the restore' }).click();
      await page.getByRole('row').filter({ hasText: 'restored' }).first().waitFor();
      await page.getByText('Nothing stands in the way of it.').waitFor();
      await picture(page, 'restore');
      // What would be done is another thing now, and is to be shown again.
      await page.getByLabel('Job', { exact: false }).first().fill('wide');
      await page.getByRole('button', { name: 'Review the restore' }).waitFor();
      await page.getByLabel('Job', { exact: false }).first().fill('');
      await page.getByRole('button', { name: 'Review the restore' }).click();
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.waitForURL(/#\/jobs\/[0-9a-f]{32}$/);
      const next = page.url().slice(-32);
      expect(next).not.toBe(jobid);
      await server.until(next, ({ state }) => state === 'RUNNING');
      await server.call('cancelJob', { jobid: next, query: '?mode=cancel' });
    });
  });

  it('has a job go on at the parallelism that is given', () =>
    at(`#/jobs/${calm}`, async (page) => {
      await page.getByRole('button', { name: 'Rescale shop-revenue' }).click();
      const dialog = page.getByRole('dialog');
      const confirm = dialog.getByRole('button', { name: 'Rescale', exact: true });
      // Nothing is asked of the server before there is a number.
      await confirm.click();
      await dialog.getByText(`PATCH /jobs/${calm}/rescaling?parallelism=…`).waitFor();
      await dialog.getByLabel('Parallelism').fill('1');
      await dialog.getByText(`PATCH /jobs/${calm}/rescaling?parallelism=1`).waitFor();
      await dialog.getByText(`millrace rescale ${calm} 1`).waitFor();
      await picture(page, 'rescale');
      await confirm.click();
      await dialog.getByText(/The parallelism is 1, before 2/).waitFor({ timeout: 60_000 });
      // It has slots of two groups.
      expect((await server.job(calm)).slots).toBe(2);
    }));

  it('shows who holds the memory', () =>
    at(`#/jobs/${shop}/memory`, async (page) => {
      await expect.poll(() => page.locator('.slots li').count()).toBe(4);
      await page.getByRole('heading', { name: /Slot 2/ }).waitFor();
      await page
        .getByText(/[\d.]+ MB of \d+ MB, \d+ %/)
        .first()
        .waitFor();
      await picture(page, 'memory');
    }));

  it('never takes the text of jobs for its own', async () => {
    const tabs = ['', '/checkpoints', '/events', '/logs', '/config'];
    for (const tab of tabs) {
      await at(`#/jobs/${hostile}${tab}`, async (page) => {
        await page.getByRole('heading', { name: `hostile ${HOSTILE}` }).waitFor();
        if (tab === '') {
          await page.locator('.node').first().click();
          await page.getByRole('tab', { name: 'Tap' }).click();
          // What is not running at the moment is looked at when it is asked again.
          await expect
            .poll(async () => {
              const look = page.getByRole('button', { name: 'Look' });
              if (await look.isVisible()) await look.click();
              return page.locator('.tap .log-line').filter({ hasText: '<script>taken()' }).count();
            }, POLLED)
            .toBeGreaterThan(0);
        }
        if (tab === '/logs') {
          await page.getByLabel('Only from this level on').selectOption('warn');
          await page.locator('.log-line.warn').filter({ hasText: HOSTILE }).first().waitFor();
          await page.getByLabel('What to look at').selectOption('output');
          await page.getByText(`printed ${HOSTILE}`).first().waitFor();
        }
        if (tab === '/events') {
          await page.getByText(/\d+ ×/).first().waitFor({ timeout: 60_000 });
          await page.locator('summary').first().click();
          await page.locator('details pre').getByText(`failed ${HOSTILE}`).first().waitFor();
        }
        expect(await page.locator('img').count()).toBe(0);
        // The page brings one script, and the browser none that it was not given.
        const scripts = await page
          .locator('script')
          .evaluateAll((all) => all.map((script) => script.textContent ?? ''));
        expect(scripts.every((text) => text === '')).toBe(true);
        expect(await page.title()).not.toBe('taken');
        await picture(page, `hostile${tab.replace('/', '-')}`);
      });
    }
  });

  it('shows the log of a job by level and text, and changes what its functions log', async () => {
    const jobid = await server.run('logging.mjs');
    await at(`#/jobs/${jobid}/logs`, async (page) => {
      const lines = page.locator('.log-line');
      await lines
        .filter({ hasText: /INFO  watch\[0\] tenth .*"password":"\*{6}"/ })
        .first()
        .waitFor();
      await lines.filter({ hasText: 'The job is RUNNING' }).waitFor();
      expect(await lines.filter({ hasText: 'DEBUG' }).count()).toBe(0);
      await picture(page, 'logs');
      // By the keyboard: what is beside what is looked at.
      await page.getByLabel('What to look at').focus();
      await page.keyboard.press('Tab');
      await page.keyboard.type('warn');
      await lines.filter({ hasText: 'WARN  written[0] opened' }).waitFor();
      await expect.poll(() => lines.filter({ hasText: 'INFO' }).count()).toBe(0);
      await page.keyboard.press('Home');
      await page.getByRole('searchbox').fill('is running');
      await expect.poll(() => lines.count()).toBe(1);
      await page.getByRole('searchbox').fill('');
      await page.getByLabel('Have functions log').selectOption('debug');
      const dialog = page.getByRole('dialog');
      await dialog.getByText(`PATCH /jobs/${jobid}/log?level=debug`).waitFor();
      await dialog.getByText(`millrace logs ${jobid} --level debug`).waitFor();
      await dialog.getByRole('button', { name: 'Change' }).click();
      await dialog.getByText('Functions log from debug on.').waitFor();
      await dialog.getByRole('button', { name: 'Close' }).click();
      await lines.filter({ hasText: 'DEBUG watch[0] each' }).first().waitFor();
    });
    await server.call('cancelJob', { jobid });
  });

  it('is used by the keyboard alone', () =>
    at('', async (page) => {
      await page.getByRole('link', { name: 'shop-revenue' }).first().waitFor();
      await page.keyboard.press('Tab');
      expect(await focused(page)).toContain('Skip to the page');
      for (let press = 0; press < 30; press++) {
        if ((await focused(page)) === 'shop-revenue') break;
        await page.keyboard.press('Tab');
      }
      await page.keyboard.press('Enter');
      await page.locator('.node').first().waitFor();
      for (let press = 0; press < 40; press++) {
        if ((await focused(page)).startsWith('orders')) break;
        await page.keyboard.press('Tab');
      }
      expect(await focused(page)).toContain('orders');
      await page.keyboard.press('ArrowRight');
      expect(await focused(page)).toContain('enrich');
      await page.keyboard.press('ArrowRight');
      expect(await focused(page)).toMatch(/revenue|sold/);
      await page.keyboard.press('ArrowLeft');
      await picture(page, 'keyboard');
      await page.keyboard.press('Enter');
      const drawer = page.getByRole('complementary');
      await drawer.getByRole('heading', { name: /enrich/ }).waitFor();
      await page.keyboard.press('Escape');
      await expect.poll(() => drawer.count()).toBe(0);
      expect(await focused(page)).toContain('enrich');
    }));

  it('keeps an ended job readable', () =>
    at(`#/jobs/${ended}`, async (page) => {
      await page.getByText('The job has ended; rates are averages over its run.').waitFor();
      await page.locator('.node').first().waitFor();
      expect(await page.getByRole('button', { name: /Cancel/ }).count()).toBe(0);
      await page.getByRole('link', { name: 'Events' }).click();
      await page.getByText('Is FINISHED').waitFor();
    }));

  it('uploads a bundle, says what is wrong with a form, and runs the job', () =>
    at('#/submit', async (page) => {
      const path = join(directory, 'mine.mjs');
      writeFileSync(path, readFileSync(fixture('printing.mjs')));
      await page.getByLabel('Bundle to upload').setInputFiles(path);
      await page.getByRole('heading', { name: 'Run mine.mjs' }).waitFor();
      await page.getByLabel(/Parameters/).fill('{rows: 3}');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page
        .getByText(/The parameters are no JSON/)
        .first()
        .waitFor();
      await page.getByLabel(/Parameters/).fill('{"rows": 3}');
      await page.getByRole('button', { name: 'Show the plan' }).click();
      await page.getByRole('heading', { name: /Plan of / }).waitFor();
      await picture(page, 'submit');
      await page.getByRole('button', { name: 'Run', exact: true }).click();
      await page.waitForURL(/#\/jobs\/[0-9a-f]{32}/);
      await page.getByText('finished', { exact: true }).first().waitFor();
    }));

  it('cancels a job once the equal calls were shown', () =>
    at('', async (page) => {
      const jobid = await server.run('endless.mjs');
      const row = page.getByRole('row').filter({ hasText: 'endless' });
      await row.getByRole('button', { name: 'Cancel endless' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(`PATCH /jobs/${jobid}?mode=cancel`).waitFor();
      await dialog.getByText(`millrace cancel ${jobid}`).waitFor();
      await page.keyboard.press('Escape');
      expect((await server.job(jobid)).state).not.toMatch(/CANCEL/);
      await row.getByRole('button', { name: 'Cancel endless' }).click();
      await dialog.getByRole('button', { name: 'Cancel', exact: true }).click();
      await server.until(jobid, ({ state }) => state === 'CANCELED');
      await dialog.getByRole('button', { name: 'Close' }).click();
      await row.getByText('canceled').waitFor();
    }));

  it('says so while the server is away, and comes back by itself', () =>
    at(`#/jobs/${shop}`, async (page) => {
      await page.locator('.node').first().waitFor();
      const port = new URL(server.url).port;
      await server.kill();
      await page.getByText('The server does not answer.').waitFor();
      await picture(page, 'away');
      expect(await page.locator('.node').count()).toBe(4);
      server = await TestServer.start(join(directory, 'data'), '--uploads', '--port', port);
      await expect.poll(() => page.getByText('The server does not answer.').count()).toBe(0);
      await server.until(shop, ({ state }) => state === 'RUNNING');
      await page.getByText('running', { exact: true }).first().waitFor();
      await page
        .getByText(/Went on|sets the pace|waits for input|busy/)
        .first()
        .waitFor();
    }));

  it('asks for the token, once', async () => {
    const token = join(directory, 'token');
    writeFileSync(token, 'open-sesame\n');
    const guarded = await TestServer.start(join(directory, 'guarded'), '--token-file', token);
    const { page, faults } = await openPage(browser, guarded.url);
    try {
      await page.getByLabel(/This server asks for a token/).fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByText('The server does not take this token.').waitFor();
      await picture(page, 'token');
      await page.getByLabel(/This server asks for a token/).fill('open-sesame');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'No job yet' }).waitFor();
      await picture(page, 'empty');
      await page.reload();
      await page.getByRole('heading', { name: 'No job yet' }).waitFor();
      await page.getByRole('link', { name: 'Submit', exact: true }).click();
      await page.getByText(/takes no uploads/).waitFor();
      expect(faults).toEqual([]);
    } finally {
      await page.close();
      await guarded.release();
    }
  });
});

/** What has the focus, as a person who cannot see it is told. */
async function focused(page: Page): Promise<string> {
  const element = page.locator(':focus');
  if ((await element.count()) === 0) return '';
  return (await element.getAttribute('aria-label')) ?? (await element.textContent()) ?? '';
}
