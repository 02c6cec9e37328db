/**
 * Which part of the drawing is seen, and how large: moved with pointer, wheel and keys without drawing anything anew.
 * Callers: the graph. Runs on: the page's thread. Invariant: the drawing never gets lost, nor smaller than it fits.
 */
import type { RefObject } from 'preact';
import { useCallback, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** How a point of the drawing is shown: `x * scale + left`. */
export interface Camera {
  readonly scale: number;
  readonly left: number;
  readonly top: number;
}

/** How much there is to be seen. */
export type Detail = 'far' | 'mid' | 'near';

const SCALE_MAX = 2;
const SCALE_MIN = 0.04;
const STEP = 1.25;
/** Pixels at the bottom for the legend. */
const LEGEND_HEIGHT = 40;

/** Names are readable from this size on, numbers too from the other one. */
export function detailOf(scale: number): Detail {
  if (scale < 0.38) return 'far';
  return scale < 0.68 ? 'mid' : 'near';
}

/** All of a drawing in a window, at its own size at most. */
export function fitted(
  drawing: { readonly width: number; readonly height: number },
  view: { readonly width: number; readonly height: number },
): Camera {
  const scale = Math.min(
    1,
    Math.max(SCALE_MIN, Math.min(view.width / drawing.width, view.height / drawing.height)),
  );
  return {
    scale,
    left: (view.width - drawing.width * scale) / 2,
    top: (view.height - drawing.height * scale) / 2,
  };
}

/** Larger or smaller about a point of the window. */
export function zoomed(camera: Camera, factor: number, x: number, y: number): Camera {
  const scale = Math.min(SCALE_MAX, Math.max(SCALE_MIN, camera.scale * factor));
  const real = scale / camera.scale;
  return { scale, left: x - (x - camera.left) * real, top: y - (y - camera.top) * real };
}

/** What moves the camera. */
export interface CameraControl {
  readonly detail: Detail;
  fit(): void;
  zoom(larger: boolean): void;
  /** Moves so that a point of the drawing is seen. */
  reveal(x: number, y: number): void;
}

/** A camera on the first group of an image. */
export function useCamera(
  image: RefObject<SVGSVGElement | null>,
  drawing: { readonly width: number; readonly height: number } | null,
): CameraControl {
  const camera = useRef<Camera>({ scale: 1, left: 0, top: 0 });
  const isFitted = useRef(true);
  const [detail, setDetail] = useState<Detail>('near');

  const show = useCallback(
    (next: Camera): void => {
      camera.current = next;
      const { scale, left, top } = next;
      const group = image.current?.querySelector('g');
      group?.setAttribute('transform', `translate(${left} ${top}) scale(${scale})`);
      setDetail(detailOf(scale));
    },
    [image],
  );
  const viewOf = useCallback(() => {
    const { width = 1, height = 1 } = image.current?.getBoundingClientRect() ?? {};
    return { width, height: Math.max(1, height - LEGEND_HEIGHT) };
  }, [image]);
  const fit = useCallback((): void => {
    isFitted.current = true;
    if (drawing !== null) show(fitted(drawing, viewOf()));
  }, [drawing, show, viewOf]);
  const zoomAt = useCallback(
    (factor: number, x: number, y: number): void => {
      isFitted.current = false;
      show(zoomed(camera.current, factor, x, y));
    },
    [show],
  );

  useLayoutEffect(() => {
    const element = image.current;
    if (element === null) return undefined;
    fit();
    const observer = new ResizeObserver(() => {
      if (isFitted.current) fit();
    });
    observer.observe(element);
    const stop = followPointer(element, {
      zoom: zoomAt,
      move: (x, y) => {
        isFitted.current = false;
        const { scale, left, top } = camera.current;
        show({ scale, left: left + x, top: top + y });
      },
    });
    return () => {
      observer.disconnect();
      stop();
    };
  }, [image, fit, show, zoomAt]);

  return {
    detail,
    fit,
    zoom: (larger) => {
      const { width, height } = viewOf();
      zoomAt(larger ? STEP : 1 / STEP, width / 2, height / 2);
    },
    reveal: (x, y) => {
      const { width, height } = viewOf();
      const { scale, left, top } = camera.current;
      const [at, down] = [x * scale + left, y * scale + top];
      const isSeen = at > 60 && at < width - 60 && down > 40 && down < height - 40;
      if (isSeen) return;
      isFitted.current = false;
      show({ scale, left: width / 2 - x * scale, top: height / 2 - y * scale });
    },
  };
}

interface Moves {
  zoom(factor: number, x: number, y: number): void;
  move(x: number, y: number): void;
}

/** Wheel zooms, dragging moves; a drag is no click. */
function followPointer(element: SVGSVGElement, moves: Moves): () => void {
  const ends = new AbortController();
  const { signal } = ends;
  let last: { readonly x: number; readonly y: number } | null = null;
  let dragged = 0;
  element.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      moves.zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - left, event.clientY - top);
    },
    { signal, passive: false },
  );
  element.addEventListener('pointerdown', ({ clientX: x, clientY: y }) => (last = { x, y }), {
    signal,
  });
  addEventListener(
    'pointermove',
    ({ clientX: x, clientY: y, buttons }) => {
      if (last === null || buttons === 0) return;
      dragged += Math.abs(x - last.x) + Math.abs(y - last.y);
      moves.move(x - last.x, y - last.y);
      last = { x, y };
    },
    { signal },
  );
  addEventListener('pointerup', () => (last = null), { signal });
  element.addEventListener('dragstart', (event) => event.preventDefault(), { signal });
  element.addEventListener(
    'click',
    (event) => {
      if (dragged > 4) event.preventDefault();
      dragged = 0;
    },
    { signal, capture: true },
  );
  return () => ends.abort();
}
