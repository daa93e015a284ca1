/** citty passes unknown options through in silence; a misspelt `--epoch 1` would run for minutes and mislead. */
import type { ArgsDef } from 'citty'
import { UsageError } from '../choices'

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

/** Throws on options that the command does not have. */
export function checkFlags(rawArgs: readonly string[], args: ArgsDef): void {
  const names = Object.keys(args).map(kebab)
  const known = new Set(names.flatMap((name) => [`--${name}`, `--no-${name}`]))
  for (const argument of rawArgs) {
    const flag = argument.split('=')[0]!
    if (flag.startsWith('-') && flag !== '--' && !known.has(kebab(flag)))
      throw new UsageError(
        `unknown option '${flag}'. Choose from: ${names.map((name) => `--${name}`).join(', ')}.`,
      )
  }
}

/** `--seeds -1` as `--seeds=-1`: a number is a value, not an option, and deserves the error of its option. */
export function joinNegativeNumbers(rawArgs: readonly string[]): string[] {
  const joined: string[] = []
  for (const argument of rawArgs) {
    const last = joined.at(-1)
    if (/^-[\d.]/.test(argument) && last?.startsWith('--') && !last.includes('='))
      joined[joined.length - 1] = `${last}=${argument}`
    else joined.push(argument)
  }
  return joined
}
