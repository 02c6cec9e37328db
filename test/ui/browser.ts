/**
 * The browser that the tests of the console drive: Chromium as the system has it, without anything to download. Whatever
 * a page reports as wrong is collected, so that a test can say that there was nothing.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pictures = join(root, 'out', 'console');

const PLACES = [
  process.env['MILLRACE_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

const executablePath = PLACES.find((path) => path !== '' && existsSync(path)) ?? null;

/** Why the tests cannot run here; null when they can. */
export const missingBrowser =
  executablePath === null
    ? 'There is no Chromium; install it (apt-get install chromium) or name it in MILLRACE_CHROMIUM.'
    : null;

export function openBrowser(): Promise<Browser> {
  if (executablePath === null) throw new Error('There is no Chromium.');
  // Its own walls need rights that containers rarely give.
  const args = ['--no-sandbox', '--disable-dev-shm-usage'];
  return chromium.launch({ executablePath, args, timeout: 200_000 });
}

/** A page and what has gone wrong in it. */
export interface OpenPage {
  readonly page: Page;
  readonly faults: string[];
}

export async function openPage(
  browser: Browser,
  url: string,
  theme: 'light' | 'dark' = 'light',
): Promise<OpenPage> {
  const viewport = { width: 1280, height: 760 };
  const page = await browser.newPage({ viewport, colorScheme: theme });
  page.setDefaultTimeout(200_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // That a request has failed is what some tests are about.
    const isRequest = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRequest) faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}

/** Keeps how a page looks in `out/console`; with UPDATE_SCREENSHOTS, in the documentation too. */
export async function picture(
  page: Page,
  name: string,
  { isDocumented = false } = {},
): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  const path = join(pictures, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled' });
  if (!isDocumented || process.env['UPDATE_SCREENSHOTS'] === undefined) return;
  mkdirSync(join(root, 'docs', 'images'), { recursive: true });
  copyFileSync(path, join(root, 'docs', 'images', `console-${name}.png`));
}
