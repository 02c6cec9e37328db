/**
 * The option `returns` of verbs whose function makes new records. Callers: the streams of this folder. Runs on: any
 * thread.
 */
import type { Schema } from '../record/schema.js';
import { schemaFault } from '../record/schema-fault.js';
import type { OperatorOptions, OptionCheck } from './operator-options.js';

/** Options of operators whose function makes new records. */
export interface ReturnsOptions extends OperatorOptions {
  /** Schema of the records the function returns; inferred from the first ones when absent. */
  readonly returns?: Schema;
}

export const RETURNS: Readonly<Record<string, OptionCheck>> = {
  returns: (value) => {
    const fault = schemaFault(value);
    return fault === null ? null : `a schema; of this one, ${fault}`;
  },
};
