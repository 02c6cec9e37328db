/**
 * Exceptions by cause; each opens to its stack. Callers: the tab of events, the drawer of a chain. Runs on: the page's
 * thread.
 */
import { type ExceptionEntry, type ExceptionGroup, groupedByCause } from './exception-cause.js';
import { timeText } from './format.js';

export function ExceptionGroups({ entries }: { readonly entries: readonly ExceptionEntry[] }) {
  return (
    <ul class="exceptions">
      {groupedByCause(entries).map((group) => (
        <Group key={group.key} group={group} />
      ))}
    </ul>
  );
}

function Group({ group }: { readonly group: ExceptionGroup }) {
  const { name, message, count, firstMs, lastMs, tasks, stack } = group;
  return (
    <li>
      <details>
        <summary>
          <span class="badge bad">{count} ×</span>
          <b>{name}</b>
          <span class="message">{message}</span>
          <span class="quiet when">
            {count > 1 && `${timeText(firstMs)} to `}
            {timeText(lastMs)}
          </span>
        </summary>
        {tasks.length > 0 && <p class="line">In {tasks.join(', ')}</p>}
        <pre>{stack}</pre>
      </details>
    </li>
  );
}
