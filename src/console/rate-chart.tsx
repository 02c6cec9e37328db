/**
 * A rate over the last minutes, with its axis. Callers: the drawer. Runs on: the page's thread. The plotting library is
 * loaded when the first chart is shown.
 */
import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { rateText, timeText } from './format.js';

const HEIGHT = 130;

export function RateChart({
  values,
  nowMs,
}: {
  readonly values: readonly number[];
  nowMs: number;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useRef(dataOf(values, nowMs));
  data.current = dataOf(values, nowMs);
  useEffect(() => {
    const element = place.current;
    let isShown = true;
    void import('uplot').then(({ default: Plot }) => {
      if (!isShown || element === null) return;
      plot.current = new Plot(optionsOf(element), data.current, element);
    });
    return () => {
      isShown = false;
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);
  useEffect(() => plot.current?.setData(data.current), [values, nowMs]);
  return (
    <div class="chart" ref={place} role="img" aria-label="Records per second, last 3 minutes" />
  );
}

function dataOf(values: readonly number[], nowMs: number): [number[], number[]] {
  const newest = Math.floor(nowMs / 1000);
  return [values.map((_, index) => newest - (values.length - 1 - index)), [...values]];
}

function optionsOf(element: HTMLElement): uPlot.Options {
  // Asked for at each drawing, since the theme may have been changed.
  const color = (name: string) => (): string => colorOf(element, name);
  const font = `11px ${getComputedStyle(element).fontFamily}`;
  const axis = {
    font,
    size: 24,
    gap: 4,
    stroke: color('--quiet'),
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  };
  const line = color('--accent');
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, _min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      {
        ...axis,
        space: 70,
        values: (_, splits) => splits.map((at) => timeText(at * 1000).slice(-8)),
      },
      {
        ...axis,
        size: 62,
        splits: (_, _axis, _min, max) => [0, max / 2, max],
        values: (_, splits) => splits.map(rateText),
      },
    ],
    series: [{}, { stroke: line, width: 1.5, points: { show: false } }],
  };
}

/** A color of the style sheet, as canvases understand it. */
function colorOf(element: HTMLElement, name: string): string {
  element.style.color = `var(${name})`;
  const { color } = getComputedStyle(element);
  element.style.color = '';
  return color;
}
