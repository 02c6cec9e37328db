/**
 * A table of any length of which only the rows in sight are in the page. Callers: the drawer, the log. Runs on: the
 * page's thread.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';

/** Rows beyond the edges of the window, so that scrolling shows no gaps. */
const MARGIN_ROWS = 8;

/** The first row to draw, and the one after the last. */
export function rowsInSight(
  scrolled: number,
  windowHeight: number,
  rowHeight: number,
  count: number,
): readonly [number, number] {
  const first = Math.max(0, Math.floor(scrolled / rowHeight) - MARGIN_ROWS);
  const last = Math.ceil((scrolled + windowHeight) / rowHeight) + MARGIN_ROWS;
  return [Math.min(first, count), Math.min(count, last)];
}

export function VirtualRows({
  count,
  rowHeight,
  head,
  label,
  followsEnd = false,
  row,
}: {
  readonly count: number;
  readonly rowHeight: number;
  readonly head?: ComponentChildren;
  readonly label: string;
  /** Whether new rows at the end come into sight while the end is in sight. */
  readonly followsEnd?: boolean;
  row(index: number): ComponentChildren;
}) {
  const place = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const [[scrolled, height], setWindow] = useState<readonly [number, number]>([0, 400]);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const look = (): void => {
      const { scrollTop, clientHeight, scrollHeight } = element;
      isAtEnd.current = scrollTop + clientHeight >= scrollHeight - rowHeight;
      setWindow([scrollTop, clientHeight]);
    };
    look();
    isAtEnd.current = true;
    element.addEventListener('scroll', look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener('scroll', look);
      observer.disconnect();
    };
  }, [rowHeight]);
  useLayoutEffect(() => {
    const element = place.current;
    if (followsEnd && isAtEnd.current && element !== null) element.scrollTop = element.scrollHeight;
  }, [count, followsEnd]);
  const [first, last] = rowsInSight(scrolled, height, rowHeight, count);
  return (
    <div
      class="virtual"
      ref={place}
      role="table"
      aria-label={label}
      aria-rowcount={count}
      tabIndex={0}
    >
      {head}
      <div style={{ height: `${count * rowHeight}px`, position: 'relative' }} role="rowgroup">
        <div style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {Array.from({ length: last - first }, (_, offset) => row(first + offset))}
        </div>
      </div>
    </div>
  );
}
