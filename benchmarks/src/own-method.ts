/** Loads a user's method from a file, for `--method ./my-method.ts`. */
import type { Method } from '@tfgraft/core'
import { UsageError } from './choices'
import { importOwnFile } from './import-own-file'
import type { MethodEntry } from './methods'
import type { Hyperparameters } from './task'

/**
 * The default export of `path`: a `Method`, or a function from a trial's hyperparameters to one. TypeScript files are
 * compiled as they are loaded.
 */
export async function loadOwnMethod(path: string): Promise<MethodEntry> {
  const exported = await importOwnFile('--method', path)
  const create =
    typeof exported === 'function'
      ? (exported as (hyperparameters: Hyperparameters) => unknown)
      : () => exported
  const checked = (hyperparameters: Hyperparameters): Method<unknown> => {
    const method = create(hyperparameters) as Method<unknown> | undefined
    if (typeof method?.apply !== 'function' || typeof method.name !== 'string')
      throw new UsageError(
        `--method ${path}: the default export must be a Method ({ name, paper, apply }) or a function that returns one. ` +
          `Received ${JSON.stringify(method) ?? typeof method}.`,
      )
    return method
  }
  const { name } = checked({})
  if (/[,+\s]/.test(name))
    throw new UsageError(`--method ${path}: \`name\` must have no space, comma or plus. Received '${name}'.`)
  return { name, kind: 'any', summary: `from ${path}`, create: checked }
}
