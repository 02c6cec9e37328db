/** The state of jobs in the console, in a real browser, on a real server. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkpoints } from '../../src/rest/job-schemas.js';
import type { CheckpointState } from '../../src/rest/state-schemas.js';
import { HOSTILE } from '../fixtures/jobs/browsed.mjs';
import { poll, TestServer } from '../integration/server/server-harness.js';
import { missingBrowser, openBrowser, type OpenPage, openPage, picture } from './browser.js';

if (missingBrowser !== null) console.log(`State in the console is not tested: ${missingBrowser}`);

const RETENTION = 'execution.checkpointing.externalizedCheckpointRetention';

describe.skipIf(missingBrowser !== null)('state in the console', () => {
  let directory: string;
  let server: TestServer;
  let browser: Browser;
  let running: string;
  let ended: string;
  let none: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-state-ui-'));
    [server, browser] = await Promise.all([
      TestServer.start(join(directory, 'data'), '--uploads', '--slots', '8'),
      openBrowser(),
    ]);
    const flinkConfiguration = {
      'execution.checkpointing.interval': '1s',
      [RETENTION]: 'retainOnCancellation',
    };
    running = await server.run('browsed.mjs', { params: { users: 130 }, flinkConfiguration });
    ended = await server.run('browsed.mjs', { params: { users: 20 }, flinkConfiguration });
    none = await server.run('endless.mjs');
    for (const jobid of [running, ended]) {
      await poll(
        () => server.call<Checkpoints>('checkpoints', { jobid }),
        ({ counts }) => counts.completed >= 3,
      );
    }
    await server.call('cancelJob', { jobid: ended });
    await server.untilEnded(ended);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.release();
    rmSync(directory, { recursive: true, force: true });
  });

  async function at(
    jobid: string,
    look: (page: Page) => Promise<void>,
    theme: 'light' | 'dark' = 'light',
  ): Promise<void> {
    const opened: OpenPage = await openPage(browser, `${server.url}/#/jobs/${jobid}/state`, theme);
    try {
      await look(opened.page);
      expect(opened.faults).toEqual([]);
      // What records hold never becomes part of the page.
      expect(await opened.page.locator('img').count()).toBe(0);
      expect(await opened.page.title()).not.toBe('taken');
    } finally {
      await opened.page.close();
    }
  }

  const rows = (page: Page) => page.locator('.entries tbody tr');

  it.each(['light', 'dark'] as const)('lists states, and pages through one (%s)', (theme) =>
    at(
      running,
      async (page) => {
        const states = page.locator('.states tbody tr');
        await states.filter({ hasText: 'profiles' }).first().waitFor();
        await states.filter({ hasText: 'rules' }).getByText('broadcast').waitFor();
        await page.getByRole('button', { name: 'Entries of seen of profiles' }).click();
        await expect.poll(() => rows(page).count()).toBe(50);
        const entries = page.getByRole('region', { name: 'Entries of seen' });
        await entries.getByText('page 1, 50 entries').waitFor();
        const first = await rows(page).first().textContent();
        await entries.getByText(/^GET .*operator=profiles&state=seen&limit=50/).waitFor();
        await entries
          .getByText(/^millrace state scan .*chk-\d+ profiles seen --limit 50$/)
          .waitFor();
        await page.getByRole('region', { name: 'In the running job' }).waitFor();
        await page.getByText(/100 % of 1 subtasks?/).waitFor();
        await page.setViewportSize({ width: 1280, height: 1500 });
        const name = theme === 'light' ? 'state' : 'state-dark';
        await picture(page, name, { isDocumented: theme === 'light' });
        await entries.getByRole('button', { name: 'Next page' }).click();
        await entries.getByText('page 2, 50 entries').waitFor();
        await entries.getByRole('button', { name: 'Next page' }).click();
        await entries.getByText('page 3, 30 entries').waitFor();
        expect(await entries.getByRole('button', { name: 'Next page' }).isDisabled()).toBe(true);
        await entries.getByRole('button', { name: 'Previous page' }).click();
        await entries.getByRole('button', { name: 'Previous page' }).click();
        await entries.getByText('page 1, 50 entries').waitFor();
        // The checkpoint is still the one that was looked at first, whatever the job has done since.
        expect(await rows(page).first().textContent()).toBe(first);
      },
      theme,
    ),
  );

  it('finds a key by the keyboard alone, shows text as text, hides secrets, says what it cuts', () =>
    at(running, async (page) => {
      const choose = page.getByRole('button', { name: 'Entries of profile of profiles' });
      await choose.focus();
      await page.keyboard.press('Enter');
      const entries = page.getByRole('region', { name: 'Entries of profile', exact: true });
      await entries.getByRole('searchbox').focus();
      await page.keyboard.type(HOSTILE);
      await page.keyboard.press('Enter');
      await expect.poll(() => rows(page).count()).toBe(1);
      const row = rows(page).first();
      await row.getByText(HOSTILE).first().waitFor();
      await row.getByText('"password":"******"').first().waitFor();
      await entries.getByText(/^millrace state get .* profiles profile '<img /).waitFor();
      await picture(page, 'state-hostile');
      await entries.getByRole('searchbox').fill('user 0');
      await page.keyboard.press('Enter');
      await row.getByText(/^the first of \d+ KB$/).waitFor();
      await row.locator('summary').focus();
      await page.keyboard.press('Enter');
      await row
        .locator('pre')
        .getByText(/é{100}/)
        .waitFor();
      await entries.getByRole('searchbox').fill('nobody');
      await page.keyboard.press('Enter');
      await entries.getByText('There is no such entry.').waitFor();
      await entries.getByLabel('How to look for keys').selectOption('prefix');
      await entries.getByRole('searchbox').fill('user 12');
      await page.keyboard.press('Enter');
      // 12 and 120 to 129.
      await expect.poll(() => rows(page).count()).toBe(11);
      await page.getByRole('button', { name: 'Entries of token of profiles' }).click();
      await rows(page).first().getByText('******').waitFor();
    }));

  it('shows windows, lists, maps, items and broadcasts', () =>
    at(running, async (page) => {
      const open = async (name: string, text: string | RegExp): Promise<void> => {
        await page.getByRole('button', { name }).first().click();
        await rows(page).getByText(text).first().waitFor();
      };
      await open('Entries of pages of profiles', /^\[\d+(,\d+){0,4}\]$/);
      await open('Entries of settings of profiles', /\["apikey","\*{6}"\]/);
      await open('Entries of firsts of profiles', /"secret":"\*{6}"/);
      await open('Entries of rules of ruled', 'rule 1');
      await page
        .getByRole('button', { name: /^Entries of .* of hourly$/ })
        .first()
        .click();
      await rows(page)
        .getByText(/visits/)
        .first()
        .waitFor();
      await picture(page, 'state-windows');
    }));

  it('reads an ended job from the checkpoint that outlives it, and says what is damaged', () =>
    at(ended, async (page) => {
      await page.getByRole('button', { name: 'Entries of seen of profiles' }).click();
      await expect.poll(() => rows(page).count()).toBe(20);
      expect(await page.getByRole('region', { name: 'In the running job' }).count()).toBe(0);
      const { checkpoint } = await server.call<CheckpointState>('checkpointState', {
        jobid: ended,
        checkpointid: 'latest',
      });
      const home = join(checkpoint.path, '..');
      for (const folder of readdirSync(home).map((name) => join(home, name))) {
        for (const name of readdirSync(folder).filter((one) => one.startsWith('state-'))) {
          const bytes = readFileSync(join(folder, name));
          bytes.fill(0xff, 64);
          writeFileSync(join(folder, name), bytes);
        }
      }
      await page.getByRole('button', { name: 'Entries of profile of profiles' }).click();
      await page.getByRole('alert').filter({ hasText: 'CHECKPOINT_CORRUPT' }).waitFor();
      await picture(page, 'state-damaged');
    }));

  it('says where there is no checkpoint yet', () =>
    at(none, async (page) => {
      await page.getByText(/There is no checkpoint yet/).waitFor();
    }));
});
