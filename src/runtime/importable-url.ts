/**
 * Where the threads of a run import the job from. The compiler is loaded for TypeScript only. Callers: start of a run,
 * the command line. Runs on: the caller's thread.
 */

const TYPESCRIPT = /\.[cm]?tsx?$/;

/** The URL that slots import for `moduleUrl`: itself for JavaScript, a bundle for TypeScript. */
export async function importableUrl(moduleUrl: string): Promise<string> {
  if (!moduleUrl.startsWith('file:') || !TYPESCRIPT.test(new URL(moduleUrl).pathname))
    return moduleUrl;
  const { bundledUrl } = await import('./job-bundle.js');
  return bundledUrl(moduleUrl);
}
