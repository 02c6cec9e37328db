/**
 * Property tests draw the same samples in every run, so that a commit is judged by itself. `FC_SEED=random` draws
 * fresh ones, `FC_SEED=<n>` repeats a run that failed.
 */
import fc from 'fast-check';

const given = process.env['FC_SEED'] ?? '20261121';
if (given !== 'random') fc.configureGlobal({ seed: Number(given) });
