/**
 * Reads the plainest of user functions without a parser, whose loading takes longer than all else in planning a small
 * job: arrow functions of one named parameter that only compare or calculate, such as `(r) => r.delay > 15`. Callers:
 * what else reads functions, before it parses. Runs on: any thread; pure. Invariant: what is read here is what the
 * parser would have told; anything not understood gives null.
 */

/** A variable with properties of it, a number, a text without escapes. */
const OPERAND = [
  String.raw`[!-]?(?:[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*`,
  String.raw`\d+(?:\.\d+)?|'[^'\\\n]*'|"[^"\\\n]*")`,
].join('|');
/** What may stand between two operands, but for assignments; `?` and `:` are those of a condition. */
const OPERATOR = String.raw`(?:[<>]=?|[=!]==?|&&|\|\||\?\?|[-+*/%?:])`;
const NAME = String.raw`([A-Za-z_$][\w$]*)`;
const HEAD = String.raw`(?:\(\s*${NAME}\s*\)|${NAME})\s*=>\s*`;
const PLAIN = new RegExp(String.raw`^${HEAD}(${OPERAND}(?:\s*${OPERATOR}\s*${OPERAND})*)$`);
const PARTS = /'[^']*'|"[^"]*"|[A-Za-z_$][\w$]*(?:\??\.[A-Za-z_$][\w$]*)*/g;
/** Words that are no variables, or that reach more than their names say; comparing with null reads nothing. */
const NO_VARIABLES = /^(?:arguments|eval|import|new|null|super|this|undefined)\b/;

/** What a function without calls, loops and declarations does. */
export interface PlainLambda {
  readonly parameter: string;
  /** Variables it reads, each with its properties: `[['r', 'delay'], ['limit']]`. */
  readonly variables: readonly (readonly string[])[];
}

/** Reads the source text of a function; null when it is not as plain as that. */
export function glance(source: string): PlainLambda | null {
  const [, inParentheses, bare, body] = PLAIN.exec(source) ?? [];
  const parameter = inParentheses ?? bare;
  if (parameter === undefined || body === undefined) return null;
  const names = (body.match(PARTS) ?? []).filter((part) => !/^['"]/.test(part));
  if (names.some((name) => NO_VARIABLES.test(name))) return null;
  const variables = names.map((name) => name.split(/\??\./));
  return isLookedInto(variables) ? null : { parameter, variables };
}

/** Whether one variable is a part of another: it may only be asked whether it is there. */
function isLookedInto(variables: readonly (readonly string[])[]): boolean {
  return variables.some((whole) =>
    variables.some(
      (part) => part.length > whole.length && whole.every((name, at) => name === part[at]),
    ),
  );
}
