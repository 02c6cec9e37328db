/**
 * What going on from a snapshot would mean, before it is done: an operator a line, then what stands in the way.
 * Callers: the form for a job. Runs on: the page's thread.
 */
import type { RestorePlan } from '../rest/restore-schemas.js';
import {
  changedStates,
  changeText,
  heldText,
  isImpossible,
  type PlannedOperator,
} from '../rest/restore-text.js';
import { countOf, timeText } from './format.js';
import { TableHead } from './table-head.js';

const TONES = { restored: 'ok', new: 'done', lost: 'bad', dropped: 'wait' } as const;

export function RestoreReview({ plan }: { readonly plan: RestorePlan }) {
  const { checkpoint, operators, unreadable, refusals } = plan;
  const states = changedStates(operators);
  return (
    <section aria-label="Restore">
      <h2>
        Restore of {plan.job} <span class="count">{countOf(operators.length, 'operator')}</span>
      </h2>
      {checkpoint !== null && (
        <p class="hint">
          From {checkpoint.kind} {checkpoint.id} of {checkpoint.jobName}, taken{' '}
          {timeText(checkpoint.timestampMs)}, in <code>{checkpoint.path}</code>
        </p>
      )}
      <table class="rows">
        <TableHead
          columns={[
            'Fate',
            'Uid',
            'Name',
            { number: 'Parallelism' },
            { number: 'Maximum' },
            'State',
          ]}
        />
        <tbody>
          {operators.map((operator) => (
            <OperatorRow key={operator.uid} operator={operator} />
          ))}
        </tbody>
      </table>
      {states.length > 0 && (
        <>
          <h2>States that are declared otherwise</h2>
          <ul>
            {states.map(({ text, how }) => (
              <li key={text}>
                {text} <span class="quiet">{how.join('; ')}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <Faults title="Cannot be read" faults={unreadable} />
      <Faults title="The job would not start" faults={refusals} />
      {!isImpossible(plan) && <p role="status">Nothing stands in the way of it.</p>}
    </section>
  );
}

function OperatorRow({ operator }: { readonly operator: PlannedOperator }) {
  const { uid, name, fate, before, now } = operator;
  return (
    <tr>
      <td>
        <span class={`badge ${TONES[fate]}`}>{fate}</span>
      </td>
      <th scope="row">{uid}</th>
      <td>{name}</td>
      <td class="number">{changeText(before?.parallelism, now?.parallelism)}</td>
      <td class="number">{changeText(before?.maxParallelism, now?.maxParallelism)}</td>
      <td>{heldText(operator)}</td>
    </tr>
  );
}

function Faults({
  title,
  faults,
}: {
  readonly title: string;
  readonly faults: RestorePlan['refusals'];
}) {
  if (faults.length === 0) return null;
  return (
    <>
      <h2>{title}</h2>
      <ul>
        {faults.map(({ code, message, advice, where }, index) => (
          <li key={index}>
            <b class="bad">{code ?? 'error'}</b> {message}{' '}
            {where.file !== undefined && <code>{where.file}</code>}{' '}
            <span class="quiet">{advice}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
