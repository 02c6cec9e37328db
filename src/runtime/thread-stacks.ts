/**
 * The entry by which a server looks into its own threads, which is in no other file of its own. Callers:
 * `profile-handlers.ts`, which loads it when somebody asks. Runs on: the main thread.
 */
export { threadStacks } from './profiling.js';
