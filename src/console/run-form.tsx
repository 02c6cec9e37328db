/**
 * What a job of a bundle is run with, the call that does the same, and its plan before it runs. Callers: the page for
 * submitting. Runs on: the page's thread.
 */
import { useState } from 'preact/hooks';
import { describeError } from '../base/errors.js';
import type { JobPlan } from '../rest/job-schemas.js';
import { countOf, shortened } from './format.js';
import { useClient } from './hooks.js';
import { hrefOf } from './route.js';
import { NO_PROGRAM, programOf, type ProgramForm, runCall } from './submit-program.js';

interface FieldText {
  readonly name: keyof ProgramForm;
  readonly title: string;
  readonly hint: string;
  readonly isLong?: boolean;
}

const FIELDS: readonly FieldText[] = [
  { name: 'job', title: 'Job', hint: 'where the module defines several' },
  {
    name: 'parallelism',
    title: 'Parallelism',
    hint: 'subtasks of each operator; empty: the job says',
  },
  { name: 'params', title: 'Parameters', hint: 'JSON, such as {"days": 7}', isLong: true },
  { name: 'settings', title: 'Settings', hint: 'one a line, as slot.memory=1gb', isLong: true },
  { name: 'savepointPath', title: 'Go on from', hint: 'directory of a savepoint or checkpoint' },
  {
    name: 'baseDirectory',
    title: 'Directory',
    hint: 'absolute; relative paths of the job start there',
  },
];

export function RunForm({ jar }: { readonly jar: { readonly id: string; readonly name: string } }) {
  const client = useClient();
  const [form, setForm] = useState<ProgramForm>(NO_PROGRAM);
  const [plan, setPlan] = useState<JobPlan['plan'] | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    setSaid('Planning…');
    setSaid(await what().then(() => null, describeError));
  };
  const showPlan = () =>
    attempt(async () => {
      const { savepointPath: _path, allowNonRestoredState: _allow, ...body } = programOf(form);
      const { plan: made } = await client.planJar({ jarid: jar.id }, body);
      setPlan(made);
    });
  const run = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      const { jobid } = await client.runJar({ jarid: jar.id }, programOf(form));
      location.hash = hrefOf({ page: 'job', jid: jobid, tab: 'graph', vertex: null });
    });
  };
  return (
    <section>
      <h1>Run {jar.name}</h1>
      <form class="fields" onSubmit={run}>
        {FIELDS.map((field) => (
          <Field
            key={field.name}
            field={field}
            value={form[field.name]}
            onInput={(value) => setForm({ ...form, [field.name]: value })}
          />
        ))}
        <dl class="equal wide">
          <dt>REST</dt>
          <dd>
            <pre>{runCall(jar.id, form)}</pre>
          </dd>
        </dl>
        <div class="buttons wide">
          <span role="status" class="outcome">
            {said}
          </span>
          <button type="button" onClick={() => void showPlan()}>
            Show the plan
          </button>
          <button type="submit" class="primary">
            Run
          </button>
        </div>
      </form>
      {plan !== null && <Plan plan={plan} />}
    </section>
  );
}

function Field({
  field,
  value,
  onInput,
}: {
  readonly field: FieldText;
  readonly value: string;
  onInput(value: string): void;
}) {
  const { title, hint, isLong = false } = field;
  return (
    <label>
      <b>{title}</b> <span class="quiet">{hint}</span>
      {isLong ? (
        <textarea
          rows={3}
          spellcheck={false}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      ) : (
        <input value={value} onInput={(event) => onInput(event.currentTarget.value)} />
      )}
    </label>
  );
}

function Plan({ plan }: { readonly plan: JobPlan['plan'] }) {
  const nameOf = (id: string): string =>
    shortened(plan.nodes.find((node) => node.id === id)?.description ?? id, 40);
  return (
    <>
      <h2>
        Plan of {plan.name} <span class="count">{countOf(plan.nodes.length, 'chain')}</span>
      </h2>
      <ol class="operators">
        {plan.nodes.map(({ id, description, parallelism, inputs = [] }) => (
          <li key={id}>
            <b>{description}</b> <span class="quiet">{countOf(parallelism, 'subtask')}</span>
            {inputs.map((input, index) => (
              <code key={index}>
                {input.ship_strategy} from {nameOf(input.id)}
              </code>
            ))}
          </li>
        ))}
      </ol>
    </>
  );
}
