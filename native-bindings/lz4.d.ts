/**
 * The content of one raw block of at most `outputBytesMax` bytes, in memory of its own. `dictionary` is what
 * precedes it when blocks refer back. Throws when the block is damaged.
 */
export declare function decompressLz4Block(block: Uint8Array, outputBytesMax: number, dictionary: Uint8Array | null): Uint8Array;
