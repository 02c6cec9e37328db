/**
 * Fenced code blocks of Markdown pages. Callers: the tests of the pages, `try-package.mjs`.
 */

/**
 * The blocks of a page in order: `{ language, isRun, isOutput, code, line }`. ```` ```js run ```` is to be
 * run; ```` ```text output ```` behind it is what it prints.
 */
export function codeBlocks(markdown) {
  const blocks = [];
  const fence = /^```([^\n`]*)\n([\s\S]*?)^```[ \t]*$/gm;
  for (const match of markdown.matchAll(fence)) {
    const words = match[1].trim().split(/\s+/);
    blocks.push({
      language: words[0],
      isRun: words.includes('run'),
      isOutput: words.includes('output'),
      code: match[2],
      line: markdown.slice(0, match.index).split('\n').length,
    });
  }
  return blocks;
}
