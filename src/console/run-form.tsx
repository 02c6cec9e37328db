/**
 * What a job of a bundle is run with, the calls that do the same, its plan, and before it goes on from a snapshot what
 * that would mean. Callers: the page for submitting. Runs on: the page's thread. Invariant: no restore is run that was
 * not shown as it is.
 */
import { useState } from 'preact/hooks';
import { describeError } from '../base/errors.js';
import type { JarPlanRequest, JarRunRequest } from '../rest/cluster-schemas.js';
import type { JobPlan } from '../rest/job-schemas.js';
import type { RestorePlan } from '../rest/restore-schemas.js';
import { isImpossible } from '../rest/restore-text.js';
import { EqualCalls } from './action-dialog.js';
import { countOf, shortened } from './format.js';
import { useClient } from './hooks.js';
import { RestoreReview } from './restore-review.js';
import { hrefOf } from './route.js';
import {
  isRestore,
  NO_PROGRAM,
  programOf,
  type ProgramForm,
  runCall,
  runCommandLine,
  type TextField,
} from './submit-program.js';

interface FieldText {
  readonly name: TextField;
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

/** What is run: a bundle, or a job that the server keeps, with what it was submitted with. */
export interface Program {
  readonly id: string;
  readonly name: string;
  /** The file that a command would name; null for a job. */
  readonly module: string | null;
}

export function RunForm({ program, from }: { readonly program: Program; readonly from: string }) {
  const { id, name, module } = program;
  const client = useClient();
  const [form, setForm] = useState<ProgramForm>({ ...NO_PROGRAM, savepointPath: from });
  const [plan, setPlan] = useState<JobPlan['plan'] | null>(null);
  const [restore, setRestore] = useState<RestorePlan | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const change = (changed: Partial<ProgramForm>): void => {
    setForm({ ...form, ...changed });
    // What was shown is not what would be done any more.
    setRestore(null);
  };
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    setSaid('Planning…');
    setSaid(await what().then(() => null, describeError));
  };
  const showPlan = () =>
    attempt(async () => {
      const { plan: made } = await client.planJar({ jarid: id }, planned(programOf(form)));
      setPlan(made);
    });
  const review = () =>
    attempt(async () => {
      setRestore(await client.planRestore({ jarid: id }, programOf(form)));
    });
  const run = () =>
    attempt(async () => {
      const { jobid } = await client.runJar({ jarid: id }, programOf(form));
      location.hash = hrefOf({ page: 'job', jid: jobid, tab: 'graph', vertex: null });
    });
  const isToReview = isRestore(form) && restore === null;
  const submit = (event: Event): void => {
    event.preventDefault();
    void (isToReview ? review() : run());
  };
  return (
    <section>
      <h1>
        {module === null ? 'Restore' : 'Run'} {name}
      </h1>
      {module === null && <p class="hint">What is left empty is as it was for that job.</p>}
      <form class="fields" onSubmit={submit}>
        {FIELDS.map((field) => (
          <Field
            key={field.name}
            field={field}
            value={form[field.name]}
            onInput={(value) => change({ [field.name]: value })}
          />
        ))}
        {isRestore(form) && <RestoreChoices form={form} onChange={change} />}
        <EqualCalls
          rest={runCall(id, form)}
          commandLine={runCommandLine(module ?? '<its module>', location.host, form)}
        />
        <Buttons
          said={said}
          label={isToReview ? 'Review the restore' : 'Run'}
          isRefused={restore !== null && isImpossible(restore)}
          onPlan={() => void showPlan()}
        />
      </form>
      {restore !== null && <RestoreReview plan={restore} />}
      {plan !== null && <Plan plan={plan} />}
    </section>
  );
}

function Buttons({
  said,
  label,
  isRefused,
  onPlan,
}: {
  readonly said: string | null;
  readonly label: string;
  readonly isRefused: boolean;
  onPlan(): void;
}) {
  return (
    <div class="buttons wide">
      <span role="status" class="outcome">
        {said}
      </span>
      <button type="button" onClick={onPlan}>
        Show the plan
      </button>
      <button type="submit" class="primary" disabled={isRefused}>
        {label}
      </button>
    </div>
  );
}

/** Without what is about a restore. */
function planned(request: JarRunRequest): JarPlanRequest {
  const {
    savepointPath: _path,
    allowNonRestoredState: _allow,
    claimMode: _mode,
    ...body
  } = request;
  return body;
}

/** What may be lost, and whose the snapshot is from then on. */
function RestoreChoices({
  form,
  onChange,
}: {
  readonly form: ProgramForm;
  onChange(changed: Partial<ProgramForm>): void;
}) {
  return (
    <>
      <label>
        <b>Claim mode</b> <span class="quiet">whose the snapshot is from then on</span>
        <select
          value={form.claimMode}
          onChange={({ currentTarget: { value } }) =>
            onChange({ claimMode: value === 'CLAIM' ? 'CLAIM' : 'NO_CLAIM' })
          }
        >
          <option value="NO_CLAIM">yours: it stays (NO_CLAIM)</option>
          <option value="CLAIM">the job’s, which deletes it in time (CLAIM)</option>
        </select>
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={form.allowNonRestored}
          onChange={({ currentTarget }) => onChange({ allowNonRestored: currentTarget.checked })}
        />
        <b>Leave out state</b> <span class="quiet">of operators that the job does not have</span>
      </label>
    </>
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
