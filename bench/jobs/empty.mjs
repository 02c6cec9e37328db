/** Nothing much, so that what takes time is the start; its source needs worker threads, as most jobs do. */
import { datagen, discard, job, sequence } from 'millrace';

export default job('empty', (flow) => {
  flow
    .from(datagen({ rows: 2, seed: 1, fields: { id: sequence() } }))
    .map((r) => r)
    .to(discard());
});
