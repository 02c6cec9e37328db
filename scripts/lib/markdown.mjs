/** Pieces of generated Markdown pages. Callers: the pages in `scripts/docs`. */

/** What every generated page says under its title. */
export const GENERATED = 'Generated from the sources by `npm run docs`; edit those instead.';

/** A table; cells are Markdown, in which only the bar is escaped. */
export function table(head, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Code in a line, whatever backticks it holds. */
export function code(text) {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``;
}

/** A page of paragraphs. */
export function page(...paragraphs) {
  return `${paragraphs.join('\n\n')}\n`;
}
