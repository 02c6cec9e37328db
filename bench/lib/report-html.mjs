/**
 * The report as one HTML file without anything from outside: tables, and bars as SVG. Callers: `run.mjs`. Pure.
 */
import { measureOf } from './bench-case.mjs';
import { isOurs } from './results.mjs';
import { byteSize, count, significant, withUnit } from './units.mjs';

/** @typedef {import('./results.mjs').CaseRecord} CaseRecord */
/** @typedef {import('./bench-case.mjs').BenchCase} BenchCase */

const BAR_HEIGHT = 20;
const ROW_HEIGHT = 28;
const NAME_WIDTH = 170;
const BAR_WIDTH = 470;
const FIGURE_WIDTH = 160;

const STYLE = `
  :root { color-scheme: light dark; --ours: #0f6e84; --limit: #8a8f98; --rival: #c98b3c; --line: #8884; }
  @media (prefers-color-scheme: dark) { :root { --ours: #4db6cf; --limit: #7d838d; --rival: #d9a45f; } }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 56rem; margin: 2rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.4rem 0 .2rem; }
  p { margin: .3rem 0; } .small { font-size: .85rem; opacity: .8; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem; }
  th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--line); }
  th:first-child, td:first-child { text-align: left; padding-left: 0; }
  svg { max-width: 100%; height: auto; } svg text { fill: currentColor; font-size: 13px; }
  .ours { fill: var(--ours); } .limit { fill: var(--limit); } .rival { fill: var(--rival); }
  .spread { stroke: currentColor; stroke-width: 1.5; opacity: .7; }
  .reached::before { content: '\\2713  '; } .missed { font-weight: 600; } .missed::before { content: '\\2717  '; }
  .stated::before { content: '\\2013  '; }
  ul { list-style: none; padding: 0; margin: .4rem 0; }
`;

/**
 * @param {readonly { record: CaseRecord, benchCase: BenchCase }[]} results
 * @param {Date} at
 * @returns {string}
 */
export function reportHtml(results, at) {
  const [first] = results;
  const { command, seed, guarantee, machine } = first.record;
  const { processor, cores, memoryGib, system, node, millrace, commit, load } = machine;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Millrace: benchmarks</title>
<style>${STYLE}</style>
<h1>Millrace: benchmarks</h1>
<p>${escape(at.toISOString().slice(0, 16).replace('T', ' '))} UTC. <code>${escape(command)}</code>,
seed ${seed}, guarantee: ${guarantee} (no checkpoints).</p>
<p>${escape(processor)}, ${cores} cores, ${memoryGib} GiB, ${escape(system)}, Node.js ${escape(node)},
Millrace ${escape(millrace)}${commit === null ? '' : ` (${escape(commit)})`}, load at start ${load}.</p>
<p class="small">Bars are medians, the thin lines reach from the worst run to the best. A ratio above 1 means that
Millrace is faster. The limit is a program written by hand for the one case.</p>
${results.map(({ record, benchCase }) => section(record, benchCase)).join('\n')}
</html>
`;
}

function section(record, benchCase) {
  const rows = (benchCase.shows ?? 'rows') === 'rows';
  const plots = rows
    ? [{ title: null, bars: rateBars(record) }]
    : (benchCase.measures ?? []).map(({ name }) => measurePlot(record, benchCase, name));
  return `<h2 id="${escape(record.case)}">${escape(record.case)}</h2>
<p>${escape(record.title)}</p>
${plots.map(({ title, bars }) => `${title === null ? '' : `<p class="small">${escape(title)}</p>`}${plot(bars)}`).join('\n')}
${verdicts(record)}
${detailTable(record)}`;
}

function rateBars({ contenders }) {
  return contenders.map(({ name, title, recordsPerSecond }) => ({
    name,
    title,
    spread: recordsPerSecond,
    figure: `${count(recordsPerSecond.median)}/s`,
  }));
}

function measurePlot({ contenders }, benchCase, name) {
  const { title, unit, better } = measureOf(benchCase, name);
  const measuring = contenders.filter(({ measures }) => measures[name] !== undefined);
  const bars = measuring.map((entry) => ({
    name: entry.name,
    title: entry.title,
    spread: entry.measures[name],
    figure: withUnit(entry.measures[name].median, unit),
  }));
  return { title: `${title} (${better} is better)`, bars };
}

/** Bars beside one another on one scale from zero. */
function plot(bars) {
  const most = Math.max(...bars.map(({ spread }) => spread.max)) || 1;
  const width = NAME_WIDTH + BAR_WIDTH + FIGURE_WIDTH;
  const x = (value) => (NAME_WIDTH + (value / most) * BAR_WIDTH).toFixed(1);
  const shapes = bars.map(({ name, title, spread, figure }, index) => {
    const top = index * ROW_HEIGHT + 4;
    const middle = top + BAR_HEIGHT / 2;
    const length = Math.max(1, (spread.median / most) * BAR_WIDTH).toFixed(1);
    const figureAt = Number(x(Math.max(spread.max, spread.median))) + 8;
    return `<g><title>${escape(title)}</title>
<text x="0" y="${middle + 4}">${escape(name)}</text>
<rect class="${kindOf(name)}" x="${NAME_WIDTH}" y="${top}" width="${length}" height="${BAR_HEIGHT}" rx="2"/>
<line class="spread" x1="${x(spread.min)}" x2="${x(spread.max)}" y1="${middle}" y2="${middle}"/>
<text x="${figureAt}" y="${middle + 4}">${escape(figure)}</text></g>`;
  });
  const height = bars.length * ROW_HEIGHT;
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
${shapes.join('\n')}
</svg>`;
}

function kindOf(name) {
  if (isOurs(name)) return 'ours';
  return name === 'limit' ? 'limit' : 'rival';
}

function verdicts({ must }) {
  const items = must.map(({ text, value, aim, reached, aimReached }) => {
    const goal = aim === null ? '' : `; aim ${significant(aim)}${aimReached ? ', reached' : ''}`;
    const state = reached === null ? 'stated' : reached ? 'reached' : 'missed';
    return `<li class="${state}">${escape(text)}: ${count(value)}${goal}</li>`;
  });
  return `<ul>${items.join('')}</ul>`;
}

function detailTable({ contenders }) {
  const rows = contenders.map(
    (entry) => `<tr><td>${escape(entry.title)}</td><td>${count(entry.records)}</td>
<td>${significant(entry.elapsedMs.min)} / ${significant(entry.elapsedMs.median)} / ${significant(entry.elapsedMs.max)}</td>
<td>${entry.bytesPerSecond === null ? '' : `${byteSize(entry.bytesPerSecond.median)}/s`}</td>
<td>${significant(entry.cpuSeconds)}</td><td>${byteSize(entry.peakRssBytes)}</td></tr>`,
  );
  return `<table><tr><th>who</th><th>records</th><th>ms min / median / max</th><th>input</th>
<th>CPU s</th><th>peak RSS</th></tr>
${rows.join('\n')}</table>`;
}

function escape(text) {
  const named = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return String(text).replace(/[&<>"]/g, (character) => named[character]);
}
