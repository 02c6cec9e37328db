/**
 * Records on their way between two subtasks as pieces of a checkpoint that overtook them: a piece belongs to whoever
 * was to receive them. Callers: the slots, whoever reads or plans a restore. Runs on: any thread; pure. Invariant: the
 * name alone says where the records of a piece go on.
 */
import type { StatePiece } from './contract.js';

/** Where records were on their way to. */
export interface InFlightPlace {
  /** Input edge of the receiving vertex. */
  readonly input: number;
  /** Receiving subtask. */
  readonly to: number;
  /** Kept by its receiver, or by a sender that had found no room for them: these come later. */
  readonly stage: 'received' | 'sent';
}

/** The name of a piece. */
export function inFlightName({ input, to, stage }: InFlightPlace): string {
  return `in-flight/${input}/${to}/${stage}`;
}

/** The place of a piece; null for state of an operator. */
export function inFlightPlace({ name }: Pick<StatePiece, 'name'>): InFlightPlace | null {
  const [, input, to, stage] = /^in-flight\/(\d+)\/(\d+)\/(received|sent)$/.exec(name) ?? [];
  if (stage !== 'received' && stage !== 'sent') return null;
  return { input: Number(input), to: Number(to), stage };
}
