/** The job of `empty.mjs` in TypeScript. */
import { datagen, discard, job, sequence } from 'millrace';

export default job('empty-typescript', (flow) => {
  flow
    .from(datagen({ rows: 2, seed: 1, fields: { id: sequence() } }))
    .map((r) => r)
    .to(discard());
});
