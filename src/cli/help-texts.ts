/**
 * What the help of commands says beyond their options: examples, keys, lines of `--json`, exit codes. Callers:
 * `main.ts`, late, for who asks for help. Runs on: the main thread. With colour, as all of the help.
 */
import type { Command } from 'commander';
import { PAINTED_STYLE } from './style.js';

const { bold, dim } = PAINTED_STYLE;

/** By the words behind `millrace`. */
const HELP_TEXTS: Readonly<Record<string, string>> = {
  '': `
${bold('Examples:')}
  millrace new flights                         a project: a job, its test
  millrace run flights.ts                      run the job that the module exports
  millrace run flights.ts -p 4 -D slot.memory=1gb
  millrace run flights.ts --param days=7       the job is given { days: 7 }
  millrace run flights.ts --json | jq .type    one JSON object a line
  millrace dev flights.ts                      run it while you write it
  millrace preview flights.ts --limit 5        its first rows; nothing is written
  millrace explain flights.ts                  what would run where, and why
  millrace doctor                              what this machine offers
  millrace server --uploads                    run jobs for others; then list, stop, cancel
  millrace state ls out/checkpoints/<job>      what a checkpoint holds

${bold('Configuration')}, later wins:
  millrace.config.{ts,mts,js,mjs,json,yaml,yml} in the current directory,
  or the file that MILLRACE_CONFIG or --config names
  environment   MILLRACE_SLOT_MEMORY=1gb is slot.memory
  command line  -D slot.memory=1gb

${bold('Exit codes:')}
  0    success
  1    the job failed, the server does not answer or could not do it, doctor found a problem,
       state get found nothing, or state diff a difference
  2    the call, the configuration or the job is wrong; nothing has run
  130  interrupted by SIGINT or SIGTERM
  141  the reader of the output went away, as head does

${dim('Results go to standard output, everything about the run to standard error.')}
${dim('NO_COLOR, FORCE_COLOR, CI and TERM=dumb are respected.')}
${dim('Run `millrace help <command>` for its options.')}`,

  run: `
On a terminal the running job is drawn in place; elsewhere a line every five seconds tells
how far it is. The first Ctrl-C cancels the job in order, the second ends it at once; what
sinks have not committed is thrown away.

${bold('With --json')} standard output has one JSON object a line, told apart by "type":
  plan       the plan, first
  progress   counters of chains and edges, every second
  restored   the checkpoint that the job goes on from
  restorePlan  with --plan: what maps to what, what is new, lost, or cannot be read
  checkpoint a checkpoint that has completed or failed
  chainBroken  state that checkpoints build on is damaged; the next one holds everything
  restart    why the job has failed and is started again
  rescaled   from which parallelism to which, and how long it took
  badRecord  a record that could not be parsed and was skipped
  log        what a function of the job has logged
  result     duration, counters and memory ledger, when the job has finished; with --from
             latest of a job that had finished before, hadFinishedMs says when
  error      code, message, place, advice and causes, when it has not
What a print sink or the job's own functions write goes to standard error then.

${bold('Examples:')}
  millrace run word-count.ts --param path='books/*.txt' --param limit=20
  millrace run flights.ts -D execution.checkpointing.interval=10s \\
    -D execution.checkpointing.dir=checkpoints --from latest
  millrace run flights.ts --from savepoints/savepoint-3f2a91-0b1c2d3e4f5a --plan
  millrace run flights.ts --job daily -D task.stallTimeout=30s --verbose
  millrace run flights.ts -m 127.0.0.1:8081 -d  a server that takes uploads runs it
  millrace run flights.ts --serve              with a REST interface and a console of its own`,

  dev: `
Watches the module, what it imports, and the configuration. On a save the new code is
compiled and planned while the old one runs; then the old one is suspended with a savepoint,
and the new one goes on from it. What does not compile, plan, or take up the state is shown,
and the old code goes on. The job runs in a process of its own, takes checkpoints every 10 s
unless told otherwise, and is not started again after a failure but with the next save.

${bold('Keys')} on a terminal:
  r  restart, with the state         p  pause, or go on
  c  clean start, without the state  s  take a savepoint
  n  newest code, leaving out state  q  quit
     that it does not take up        h  help

${bold('With --json')} lines are changed, running (tookMs since the save), refused, failed, result
and those of run.`,

  preview: `
Only what leads to the operator runs, on one thread; no sink is opened, dead letters go
nowhere, no checkpoint is taken or read. What functions of the job write themselves, they do.
An operator is named as in the plan, or by its uid. Ctrl-C shows what there is.

${bold('With --json')} lines are record, log, and at the end preview: operator, rows shown, rows
read, badRecords, and whether these are all (isWhole); or error.

${bold('Examples:')}
  millrace preview flights.ts --limit 5
  millrace preview flights.ts --at 'late flights' --param days=7`,

  explain: `
Sources and sinks are not touched, except that --code lets sources look at their input to
learn its schema.

${bold('Examples:')}
  millrace explain flights.ts --code           the generated loops too
  millrace explain flights.ts -p 8 --json      the plan as one line of JSON`,

  new: `
${bold('Templates:')}
  batch   files in, totals out, to its end
  stream  events without end, windows of event time, checkpoints`,

  doctor: `
A bundle has what doctor found, versions, variables of Millrace and Node, the configuration,
and of a server: settings, processes, its log, and of its 50 newest jobs their detail, flow,
memory, checkpoints, failures and log. Values whose names say that they are secrets are hidden.
Records, state, printed output and code of jobs are not in it; what functions log is.

${bold('Examples:')}
  millrace doctor
  millrace doctor --bundle support.tgz -m 127.0.0.1:8081
  millrace doctor --bundle support.tgz --data /var/lib/millrace`,

  server: `
A server that was killed finds its jobs again and goes on from their checkpoints. Ctrl-C
ends it; its jobs go on when it is started again.

${bold('Examples:')}
  millrace server                              on http://127.0.0.1:8081, jobs in ./millrace-data
  millrace server --uploads --slots 16 --data /var/lib/millrace
  millrace run flights.ts -m 127.0.0.1:8081 -d
  millrace list`,

  top: `
${bold('Keys')} on a terminal:
  j, k, arrows  choose a job       q  quit
  Enter         its chains, or not

Elsewhere there is a line for each job every five seconds. ${bold('With --json')} one snapshot is
printed: a line of type top.`,

  state: `
A checkpoint is named by its directory, such as checkpoints/<job>/chk-7 or a savepoint, by the
_metadata in it, or by the directory of its job, which stands for the newest one. Nothing is
ever changed in it, and no job is needed; edit writes a new savepoint.

${bold('Exit codes:')}
  0  done
  1  get: the key has no such state; diff: the two differ
  2  the call is wrong: no such checkpoint, operator or state; or the checkpoint is damaged

${bold('Examples:')}
  millrace state ls savepoints/savepoint-3f2a91-0b1c2d3e4f5a
  millrace state get checkpoints/3f2a91/chk-7 totals sum alice
  millrace state scan checkpoints/3f2a91 totals sum --key-groups 0-31 --json | jq .value
  millrace state diff checkpoints/3f2a91/chk-7 checkpoints/3f2a91/chk-8
  millrace state export checkpoints/3f2a91 totals sum --to out/sums --format parquet
  millrace state edit checkpoints/3f2a91 --to savepoints/edited --rename totals=sums`,

  'state edit': `
Uids are those of the checkpoint, also in the file. Each line of the file is one of
  {"uid":"totals","state":"sum","key":"alice","value":0}
  {"uid":"totals","state":"sum","key":"bob","delete":true}
  {"uid":"totals","state":"seen","items":[1,2]}             a list of the operator`,

  completions: `
${bold('Examples:')}
  eval "$(millrace completions bash)"          in ~/.bashrc
  eval "$(millrace completions zsh)"           in ~/.zshrc, behind compinit
  millrace completions fish | source           in ~/.config/fish/config.fish`,
};

/** Adds the texts to the commands of a program. */
export function addHelpTexts(program: Command, path: readonly string[] = []): void {
  const text = HELP_TEXTS[path.join(' ')];
  if (text !== undefined) program.addHelpText('after', text);
  for (const command of program.commands) addHelpTexts(command, [...path, command.name()]);
}
