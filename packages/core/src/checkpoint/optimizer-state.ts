/** All of an optimizer's state, by position of its variables, so that a rebuilt model can take it over. */
import * as tf from '@tensorflow/tfjs-core'
import { ClippedOptimizer } from '../optimizers/clip-by-global-norm'
import type { NamedTensor } from '../optimizers/named-tensor'

/** Scalars that an optimizer of tfjs keeps as variables beside its weights, such as Adam's powers of beta. */
function scalarVariables(optimizer: tf.Optimizer): [string, tf.Variable][] {
  // Not `instanceof`, which tfjs overrides: every optimizer would be an instance of every optimizer class.
  if (optimizer.getClassName() === ClippedOptimizer.className)
    return scalarVariables((optimizer as ClippedOptimizer).optimizer)
  return Object.entries(optimizer).filter(
    (entry): entry is [string, tf.Variable] => entry[1] instanceof tf.Variable && entry[1].size === 1,
  )
}

export interface OptimizerState {
  /** Copies or the optimizer's own variables: `release` disposes the former only. */
  weights: NamedTensor[]
  /**
   * The exact values of scalar variables: `setWeights` of tfjs recomputes them, with another rounding than that of the
   * steps that made them.
   */
  scalars: Record<string, number>
  release(): void
}

export async function optimizerState(optimizer: tf.Optimizer): Promise<OptimizerState> {
  let weights: NamedTensor[]
  try {
    weights = await optimizer.getWeights()
  } catch (error) {
    throw new Error(
      `checkpointTo: the optimizer must implement \`getWeights\`. Received ${optimizer.getClassName()}: ` +
        `${(error as Error).message}`,
      { cause: error },
    )
  }
  // WebGPU in Node has no synchronous read.
  const scalars = await Promise.all(
    scalarVariables(optimizer).map(async ([name, value]) => [name, (await value.data())[0]!] as const),
  )
  return {
    weights,
    scalars: Object.fromEntries(scalars),
    release: () => tf.dispose(weights.map(({ tensor }) => tensor).filter((t) => !(t instanceof tf.Variable))),
  }
}

/** Restores what {@link optimizerState} read. `renames` maps the variables' old names to their names now. */
export async function restoreOptimizer(
  optimizer: tf.Optimizer,
  weights: readonly NamedTensor[],
  scalars: Readonly<Record<string, number>>,
  renames: ReadonlyMap<string, string>,
): Promise<void> {
  const renamed = weights.map(({ name, tensor }) => {
    const slash = name.lastIndexOf('/')
    const variable = renames.get(name.slice(0, slash))
    return { name: variable === undefined ? name : variable + name.slice(slash), tensor }
  })
  await optimizer.setWeights(renamed)
  for (const [name, variable] of scalarVariables(optimizer)) {
    const value = scalars[name]
    if (value !== undefined) tf.tidy(() => variable.assign(tf.fill(variable.shape, value, variable.dtype)))
  }
}
