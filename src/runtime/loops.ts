/**
 * What only jobs with loops consist of, so that the slots of others need not load it: nothing else but this file
 * imports it. Callers: the slot builder, which loads it where there is a loop. Runs on: the slot's thread.
 */
export { FeedbackChannel } from './feedback-channel.js';
export { LoopGate } from './loop-gate.js';
export { LoopRounds } from './loop-rounds.js';
