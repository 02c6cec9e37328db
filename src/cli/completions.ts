/**
 * Completions for shells, made of the same definitions as the help: commands, those below others, their options and
 * what these are for. Callers: `main.ts`. Runs on: the main thread; pure.
 */
import type { Command } from 'commander';
import type { Shell } from './program.js';

/** A command as shells see it. */
interface Completed {
  /** Words behind `millrace`, such as `state ls`. */
  readonly path: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Commands below it; what follows is a file otherwise. */
  readonly below: readonly Completed[];
}

interface CompletedOption {
  readonly short: string | null;
  readonly long: string | null;
  readonly description: string;
  readonly takesValue: boolean;
}

/** The script of a shell, to be evaluated by it. */
export function completions(program: Command, shell: Shell): string {
  const top = completed(program, []);
  const lines = { bash: bashLines, zsh: zshLines, fish: fishLines }[shell](top);
  return `${lines.join('\n')}\n`;
}

function completed(command: Command, path: readonly string[]): Completed {
  const options = command.options.map(({ short, long, description, required }) => {
    return { short: short ?? null, long: long ?? null, description, takesValue: required };
  });
  const help = { short: '-h', long: '--help', description: 'print help', takesValue: false };
  const below = command.commands.map((each) => completed(each, [...path, each.name()]));
  return {
    path: path.join(' '),
    description: command.description(),
    options: [...options, help],
    below,
  };
}

/** Every command with those below it, the outermost first. */
function allOf(command: Completed): readonly Completed[] {
  return [command, ...command.below.flatMap(allOf)];
}

function nameOf({ path }: Completed): string {
  return path.split(' ').at(-1) ?? '';
}

function flagsOf({ short, long }: CompletedOption): readonly string[] {
  return [short, long].filter((flag) => flag !== null);
}

/** The words so far that are commands; the first one that is none ends them. */
function bashLines(top: Completed): readonly string[] {
  const all = allOf(top);
  const cases = all.map((command) => {
    const names = command.below.map(nameOf);
    const flags = command.options.flatMap(flagsOf);
    const [path, words, dashed] = [command.path, names.join(' '), flags.join(' ')].map(quoted);
    return `    ${path}) names=${words} flags=${dashed} ;;`;
  });
  return [
    '# Bash completions of millrace: eval "$(millrace completions bash)"',
    '_millrace() {',
    '  local word path="" names="" flags="" current="${COMP_WORDS[COMP_CWORD]}"',
    '  _millrace_words ""',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case " $names " in',
    '      *" $word "*) path="${path:+$path }$word"; _millrace_words "$path" ;;',
    '    esac',
    '  done',
    '  if [[ $current == -* ]]; then names=$flags; fi',
    '  COMPREPLY=($(compgen -W "$names" -- "$current"))',
    '}',
    '_millrace_words() {',
    '  case "$1" in',
    ...cases,
    '  esac',
    '}',
    // Where there is no name to offer, bash completes files.
    'complete -o default -F _millrace millrace',
  ];
}

function zshLines(top: Completed): readonly string[] {
  const functions = allOf(top).flatMap((command) => {
    const name = zshFunction(command);
    const specs = command.options.map((option) => `    ${zshOption(option)} \\`);
    if (command.below.length === 0) {
      return [`${name}() {`, '  _arguments \\', ...specs, "    '*:file:_files'", '}'];
    }
    const names = command.below.map((each) => {
      return `    ${quoted(`${nameOf(each)}:${withoutColons(each.description)}`)}`;
    });
    const cases = command.below.map((each) => `    ${nameOf(each)}) ${zshFunction(each)} ;;`);
    return [
      `${name}() {`,
      '  local line state',
      '  local -a names=(',
      ...names,
      '  )',
      '  _arguments -C \\',
      ...specs,
      "    '1: :->command' '*::argument:->rest'",
      '  case $state in',
      '    command) _describe command names ;;',
      '    rest) case $line[1] in',
      ...cases,
      '    esac ;;',
      '  esac',
      '}',
    ];
  });
  return [
    '#compdef millrace',
    '# Zsh completions of millrace: eval "$(millrace completions zsh)"',
    ...functions,
    'compdef _millrace millrace',
  ];
}

function zshFunction({ path }: Completed): string {
  return `_millrace${path === '' ? '' : `_${path.replaceAll(/\W/g, '_')}`}`;
}

function zshOption(option: CompletedOption): string {
  const about = `[${withoutColons(option.description).replaceAll(/[[\]]/g, '')}]`;
  const value = option.takesValue ? ':value:_files' : '';
  const specs = flagsOf(option).map((flag) => quoted(`*${flag}${about}${value}`));
  return specs.join(' ');
}

function fishLines(top: Completed): readonly string[] {
  const lines = allOf(top).flatMap((command) => {
    const condition = fishCondition(command);
    const names = command.below.map(
      (each) => `${condition} -f -a ${nameOf(each)} -d ${quoted(each.description)}`,
    );
    const options = command.options.map((option) => {
      const short = option.short === null ? '' : ` -s ${option.short.slice(1)}`;
      const long = option.long === null ? '' : ` -l ${option.long.slice(2)}`;
      const value = option.takesValue ? ' -r' : '';
      return `${condition}${short}${long}${value} -d ${quoted(option.description)}`;
    });
    return [...names, ...options];
  });
  return ['# Fish completions of millrace: millrace completions fish | source', ...lines];
}

/** At the top nothing has been named; else the words of the command have, and none of those below it. */
function fishCondition({ path, below }: Completed): string {
  if (path === '') return 'complete -c millrace -n __fish_use_subcommand';
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  const open =
    below.length === 0 ? [] : [`not __fish_seen_subcommand_from ${below.map(nameOf).join(' ')}`];
  return `complete -c millrace -n ${quoted([...seen, ...open].join('; and '))}`;
}

function withoutColons(text: string): string {
  return text.replaceAll(':', ' –');
}

/** As one word of any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
