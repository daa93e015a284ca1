/** The methods that `--methods` knows: names for functions that make a `Method` from a trial's hyperparameters. */
import { compose, identity, type Method } from '@tfgraft/core'
import { UsageError, unknownChoice } from './choices'
import type { Hyperparameters, Task } from './task'

export interface MethodEntry<S = unknown> {
  /** What `--methods` takes. */
  readonly name: string
  /** One line for `list`. */
  readonly summary: string
  create(hyperparameters: Hyperparameters): Method<S>
}

/** The entry that every ratio refers to. */
export const baselineName = 'backprop'

export const builtInMethods: readonly MethodEntry[] = [
  {
    name: baselineName,
    summary: 'plain training: the setup as the task makes it',
    create: (): Method<unknown> => identity as Method<unknown>,
  },
]

/**
 * The methods of `--methods a,b+c`, in that order: `b+c` is the composition `compose(b, c)`, with the hyperparameters of
 * both. The baseline comes first and is always there, or there would be nothing to compare with.
 */
export function resolveMethods(names: string, all: readonly MethodEntry[]): MethodEntry[] {
  const find = (name: string) => {
    const entry = all.find((candidate) => candidate.name === name)
    if (!entry)
      throw unknownChoice(
        'method',
        name,
        all.map((candidate) => candidate.name),
      )
    return entry
  }
  const wanted = names
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  if (wanted.length === 0) throw new UsageError('`--methods` names no method.')
  const entries = [...new Set([baselineName, ...wanted])].map((name): MethodEntry => {
    const parts = name.split('+').map((part) => find(part.trim()))
    if (parts.length === 1) return parts[0]!
    return {
      name: parts.map((part) => part.name).join('+'),
      summary: parts.map((part) => part.summary).join('; '),
      create: (hyperparameters) => compose(...parts.map((part) => part.create(hyperparameters))),
    }
  })
  return entries
}

/** The settings of a method for a task: its own, or the baseline's overlaid by those of its parts in order. */
export function settingsFor(
  method: string,
  settings: Task['settings'],
): { hyperparameters: Hyperparameters; tuned: boolean } {
  const own = settings[method]
  if (own) return { hyperparameters: own.chosen, tuned: true }
  const parts = method.split('+').flatMap((part) => settings[part] ?? [])
  return {
    hyperparameters: Object.assign({}, settings[baselineName]?.chosen, ...parts.map((part) => part.chosen)),
    tuned: false,
  }
}
