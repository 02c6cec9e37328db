/**
 * WebAssembly modules that are kept as text in the source. Callers: the row scanner and the finder of bytes. Runs on:
 * any thread. Invariant: memories never grow, so views of them stay valid.
 */

/** The part of the platform's WebAssembly that is used here; Node's types do not declare it. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
  validate(bytes: Uint8Array): boolean;
};

const PAGE_BYTES = 64 * 1024;

/** A compiled module. */
export type CompiledModule = object;

/** A module from base64; null where the platform has no SIMD, or forbids WebAssembly. */
export function compileModule(base64: string): CompiledModule | null {
  const code = Buffer.from(base64, 'base64');
  try {
    return WebAssembly.validate(code) ? new WebAssembly.Module(code) : null;
  } catch {
    return null;
  }
}

/** A module over a memory of its own of at least `bytes`. Throws where there are no addresses for it. */
export function instantiate<Exports>(
  module: CompiledModule,
  bytes: number,
): { readonly memory: ArrayBuffer; readonly exports: Exports } {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { memory: memory.buffer, exports: exports as Exports };
}
