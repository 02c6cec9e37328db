/**
 * The compiled finder of bytes. Written by `scripts/build-webassembly.mjs` from `byte-marks.as`; do not
 * edit. Callers: `byte-marks.ts`. Runs on: any thread; constants.
 */

/** SHA-256 of the source that the module was compiled from. */
export const BYTE_MARKS_SOURCE_HASH =
  'b34434648df57dda1e1846e21f78275043dde9798c9f061c9f5f043efed31745';

/** The WebAssembly module, as base64. */
export const BYTE_MARKS_MODULE =
  'AGFzbQEAAAABCgFgBX9/f39/AX8CDwEDZW52Bm1lbW9yeQIAAAMCAQAHEQIEZmluZAAABm1lbW9yeQIACuQBAeEB' +
  'AgV/AXsgAv0PIQogAyEFIAAhAgNAIAEgAksEQCAC/QAEACAK/SP9ZCAC/QAEECAK/SP9ZEEQdHIhBiABIAJrIgdB' +
  'IEkEQCAGQQEgB3RBAWtxIQYLIAZpIQkgAiAAayAEaiEIQQAhBwNAIAdBBkgEQCAFIAdBAnRqIAggBmhqNgIAIAYg' +
  'BkEBa3EhBiAHQQFqIQcMAQsLIAVBGGohBwNAIAYEQCAHIAggBmhqNgIAIAYgBkEBa3EhBiAHQQRqIQcMAQsLIAUg' +
  'CUECdGohBSACQSBqIQIMAQsLIAUgA2tBAnYL';
