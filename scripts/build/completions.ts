/** Completions for bash, zsh and fish, made from the same table as `--help`. */

import { type Command, type Option, optionsOf } from "../../src/commands/command.ts";
import { plainMetavariable, takesMany } from "./metavariable.ts";

/** The code by which bash completes the value of an option, by kind. */
const BASH_VALUES = {
  file: `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")`,
  directory: `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current")`,
  interface: `mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$current")`,
};

/** The same for zsh. */
const ZSH_VALUES = { file: "_files", directory: "_files -/", interface: "_net_interfaces" };

/** The same for fish. */
const FISH_VALUES = {
  file: "-rF",
  directory: "-xa '(__fish_complete_directories)'",
  interface: "-xa '(ls /sys/class/net)'",
};

/** The bash completion of a command. */
export function bashCompletion(command: Command): string {
  const options = optionsOf(command);
  const cases = options.filter((option) => option.values !== undefined).map((option) =>
    `    ${bashNames(option)}) ${bashValue(option)}; return ;;`
  );
  const lists = options.flatMap(({ name, choices }) =>
    choices === undefined ? [] : bashList(name, choices)
  );
  const functionName = `_${command.name.replaceAll(/\W/g, "_")}`;
  const words = options.map((option) => `--${option.name}`).join(" ");
  return [
    `# bash completion for ${command.name}`,
    `${functionName}() {`,
    `  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}`,
    "  COMPREPLY=()",
    '  case "$previous" in',
    ...cases,
    "  esac",
    ...lists,
    "  if [[ $current == -* ]]; then",
    `    mapfile -t COMPREPLY < <(compgen -W "${words}" -- "$current")`,
    "  else",
    `    ${bashPositional(command)}`,
    "  fi",
    "}",
    `complete -F ${functionName} ${command.name}`,
    "",
  ].join("\n");
}

function bashNames({ name, short }: Option): string {
  return short === undefined ? `--${name}` : `-${short}|--${name}`;
}

function bashValue(option: Option): string {
  if (option.choices !== undefined) return bashWords(option.choices);
  return option.completes === undefined ? ":" : BASH_VALUES[option.completes];
}

/** Completes the second and further values of an option that takes several values. */
function bashList(name: string, choices: readonly string[]): string[] {
  return [
    "  local index=$COMP_CWORD",
    `  while [[ \${COMP_WORDS[index-1]} == @(${choices.join("|")}) ]]; do ((index--)); done`,
    `  if [[ \${COMP_WORDS[index-1]} == --${name} ]]; then`,
    `    ${bashWords(choices)}`,
    "    ((${#COMPREPLY[@]} > 0)) && return",
    "  fi",
  ];
}

function bashWords(words: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W "${words.join(" ")}" -- "$current")`;
}

function bashPositional({ words, positional }: Command): string {
  if (words !== undefined) return bashWords(words);
  return positional === undefined ? ":" : BASH_VALUES.file;
}

/** The zsh completion of a command. */
export function zshCompletion(command: Command): string {
  const lines = optionsOf(command).flatMap(zshOption);
  if (command.words !== undefined) lines.push(`'1:action:(${command.words.join(" ")})'`);
  else if (command.positional !== undefined) {
    lines.push(`'${takesMany(command.positional.metavariable) ? "*" : "1"}:file:_files'`);
  }
  return `#compdef ${command.name}\n\n_arguments -s -S \\\n${
    lines.map((line) => `  ${line}`).join(" \\\n")
  }\n`;
}

function zshOption(option: Option): string[] {
  const names = option.short === undefined
    ? [`--${option.name}`]
    : [`-${option.short}`, `--${option.name}`];
  const repeatable = option.repeatable === true ? "*" : "";
  const explanation = zshText(firstSentence(option.help));
  const values = (option.values ?? []).map((value) =>
    `:${zshText(plainMetavariable(value))}:${zshValue(option)}`
  );
  // The first value is required; the double colon makes the further ones optional.
  values.push(...(option.choices ?? []).slice(1).map(() => `:${values[0]}`));
  return names.map((name) => `'${repeatable}${name}[${explanation}]${values.join("")}'`);
}

function zshValue({ choices, completes }: Option): string {
  if (choices !== undefined) return `(${choices.join(" ")})`;
  return completes === undefined ? "" : ZSH_VALUES[completes];
}

function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, (character) => `\\${character}`).replaceAll("'", "'\\''");
}

/** The fish completion of a command. */
export function fishCompletion(command: Command): string {
  const lines = optionsOf(command).flatMap((option) => {
    const short = option.short === undefined ? "" : ` -s ${option.short}`;
    const explanation = firstSentence(option.help).replaceAll("\\", "\\\\").replaceAll("'", "\\'");
    const first = `complete -c ${command.name}${short} -l ${option.name}${fishValue(option)}`;
    return [`${first} -d '${explanation}'`, ...fishList(command.name, option)];
  });
  if (command.words !== undefined) {
    lines.unshift(`complete -c ${command.name} -fa '${command.words.join(" ")}'`);
  }
  return lines.join("\n") + "\n";
}

function fishValue({ values, choices, completes }: Option): string {
  if (values === undefined) return "";
  if (choices !== undefined) return ` -xa '${choices.join(" ")}'`;
  return completes === undefined ? " -x" : ` ${FISH_VALUES[completes]}`;
}

/** Completes the second and further values of an option that takes several values. */
function fishList(command: string, { choices }: Option): string[] {
  if (choices === undefined) return [];
  const words = choices.join(" ");
  return [`complete -c ${command} -n '__fish_prev_arg_in ${words}' -a '${words}'`];
}

function firstSentence(text: string): string {
  return (/^.*?[.](?= |$)/.exec(text)?.[0] ?? text).replace(/[.]$/, "");
}

/** The completions of pacsrv, which are those of pacman. */
export const PACSRV_COMPLETIONS = {
  bash: `# bash completion for pacsrv: pacman's
if ! declare -F _pacman >/dev/null && declare -F _completion_loader >/dev/null; then
  _completion_loader pacman
fi
complete -o default -F _pacman pacsrv
`,
  zsh: `#compdef pacsrv

local service=pacman
(( $+functions[_pacman] )) || autoload -Uz _pacman
_pacman "$@"
`,
  fish: "complete -c pacsrv --wraps pacman\n",
};
