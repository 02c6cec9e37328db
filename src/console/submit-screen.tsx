/**
 * Bundles on the server: uploading one, deleting one, choosing one to run. Callers: the shell. Runs on: the page's
 * thread.
 */
import { useContext, useState } from 'preact/hooks';
import { describeError } from '../base/errors.js';
import type { JobSummary } from '../rest/job-schemas.js';
import type { ReplyOf } from '../rest/path-types.js';
import { timeText } from './format.js';
import { AskContext, useAnswer, useClient } from './hooks.js';
import type { Route } from './route.js';
import { RunForm } from './run-form.js';
import { Pending } from './tab.js';
import { TableHead } from './table-head.js';

type Restored = NonNullable<Extract<Route, { readonly page: 'submit' }>['restore']>;
type Jar = ReplyOf<'listJars'>['files'][number];

/** The bundles; before them, when it was asked for, a job that is to go on. */
export function SubmitScreen({
  restore,
  jobs,
}: {
  readonly restore: Restored | null;
  readonly jobs: readonly JobSummary[];
}) {
  const client = useClient();
  const [version, setVersion] = useState(0);
  const [chosen, setChosen] = useState<string | null>(null);
  const refresh = (): void => setVersion((last) => last + 1);
  const { value, error } = useAnswer('submit', version, () =>
    Promise.all([client.listJars(), client.config()]),
  );
  if (value === null) return <Pending error={error} />;
  const [{ files }, { features }] = value;
  const jar = files.find(({ id }) => id === chosen) ?? null;
  return (
    <div class="page">
      {restore !== null && (
        <RunForm
          program={{
            id: restore.jid,
            name: jobs.find(({ jid }) => jid === restore.jid)?.name ?? restore.jid,
            module: null,
          }}
          from={restore.from}
        />
      )}
      <section>
        <h1>Bundles</h1>
        {features['web-submit'] ? (
          <Upload
            onDone={(id) => {
              refresh();
              setChosen(id);
            }}
          />
        ) : (
          <p class="hint">
            This server takes no uploads: whoever may upload can run any program as its user. Start
            it with <code>millrace server --uploads</code> to allow them.
          </p>
        )}
        {files.length > 0 && (
          <Bundles files={files} chosen={chosen} onChoose={setChosen} onChange={refresh} />
        )}
      </section>
      {jar !== null && <RunForm key={jar.id} program={{ ...jar, module: jar.name }} from="" />}
    </div>
  );
}

function Upload({ onDone }: { onDone(id: string): void }) {
  const client = useClient();
  const [said, setSaid] = useState<string | null>(null);
  const [isOver, setIsOver] = useState(false);
  const upload = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    setSaid(`Uploading ${file.name}…`);
    try {
      const id = await client.upload(file.name, new Uint8Array(await file.arrayBuffer()));
      setSaid(null);
      onDone(id);
    } catch (error) {
      setSaid(describeError(error));
    }
  };
  return (
    <label
      class={`drop ${isOver ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        void upload(event.dataTransfer?.files[0]);
      }}
    >
      <input
        type="file"
        accept=".js,.mjs,.ts,.mts"
        aria-label="Bundle to upload"
        onChange={(event) => void upload(event.currentTarget.files?.[0])}
      />
      <span>
        Choose a module (<code>.js .mjs .ts .mts</code>), or drop it here. What it imports of your
        own files has to be in it; <code>millrace run job.ts --server {location.host}</code> bundles
        that by itself.
      </span>
      {said !== null && <b role="status">{said}</b>}
    </label>
  );
}

function Bundles({
  files,
  chosen,
  onChoose,
  onChange,
}: {
  readonly files: readonly Jar[];
  readonly chosen: string | null;
  onChoose(id: string): void;
  onChange(): void;
}) {
  const client = useClient();
  const ask = useContext(AskContext);
  const askDelete = ({ id, name }: Jar): void =>
    ask({
      title: `Delete “${name}”?`,
      consequence: 'Jobs that run from it go on; nobody can run it again.',
      isDestructive: true,
      confirm: 'Delete',
      rest: () => `DELETE /jars/${id}`,
      commandLine: null,
      run: async () => {
        await client.deleteJar({ jarid: id });
        onChange();
        return 'It is deleted.';
      },
    });
  return (
    <>
      <table class="rows">
        <TableHead columns={['Name', 'Uploaded', { hidden: 'Actions' }]} />
        <tbody>
          {files.map((jar) => (
            <tr key={jar.id} class={jar.id === chosen ? 'chosen' : ''}>
              <th scope="row">{jar.name}</th>
              <td class="quiet">{timeText(jar.uploaded)}</td>
              <td class="actions">
                <button type="button" class="primary" onClick={() => onChoose(jar.id)}>
                  Run…
                </button>
                <button type="button" class="danger" onClick={() => askDelete(jar)}>
                  Delete
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
