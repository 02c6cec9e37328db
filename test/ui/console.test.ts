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
  }, 120_000);
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

  it('shows checkpoints as they come, and takes a savepoint once the equal calls were shown', () =>
    at(`#/jobs/${calm}/checkpoints`, async (page) => {
      await expect
        .poll(() => page.locator('.checkpoint-line rect').count(), { timeout: 60_000 })
        .toBeGreaterThan(1);
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
        if (tab === '') await page.locator('.node').first().click();
        if (tab === '/logs') await page.getByText(`printed ${HOSTILE}`).first().waitFor();
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
