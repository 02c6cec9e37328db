import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Page, pages, root } from './pages.js';

describe('links', () => {
  it('lead to files and headings that exist', () => {
    const dead = pages.flatMap((page) =>
      linksOf(page.text)
        .filter((link) => !/^[a-z]+:/.test(link))
        .filter((link) => !leadsSomewhere(page, link))
        .map((link) => `${page.path}: ${link}`),
    );
    expect(dead).toEqual([]);
  });

  it('the index of docs/ names every page in it', () => {
    const index = pages.find(({ path }) => path === 'docs/README.md')?.text ?? '';
    const missing = pages
      .map(({ path }) => /^docs\/([^/]+\.md)$/.exec(path)?.[1])
      .filter(
        (name) => name !== undefined && name !== 'README.md' && !index.includes(`](${name})`),
      );
    expect(missing).toEqual([]);
  });
});

function linksOf(text: string): readonly string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '');
}

function leadsSomewhere(page: Page, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
  if (!existsSync(join(root, path))) return false;
  if (heading === undefined) return true;
  const target = pages.find((each) => each.path === path);
  return target === undefined || headingsOf(target.text).includes(heading);
}

/** The anchors that GitHub makes of headings. */
function headingsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
