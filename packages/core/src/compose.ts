/** Methods compose: a list of methods is a method. The neutral one is plain training. */
import type { Method, Paper, TrainingSetup } from './method'

const backpropagation: Paper = {
  title: 'Learning representations by back-propagating errors',
  authors: ['Rumelhart', 'Hinton', 'Williams'],
  year: 1986,
  url: 'https://doi.org/10.1038/323533a0',
}

/** The method that changes nothing, whatever the kind of setup: the baseline of every comparison. */
export const identity: Omit<Method, 'apply'> & { apply<S>(setup: S): S } = {
  name: 'identity',
  paper: backpropagation,
  apply: (setup) => setup,
}

/**
 * One method that applies `methods` from left to right: `compose(a, b).apply(setup)` is `b.apply(a.apply(setup))`.
 * Without arguments it is {@link identity}.
 *
 * @example
 * ```ts
 * import { compose, identity, type Method } from '@tfgraft/core'
 *
 * const paper = identity.paper
 * const double: Method<number> = { name: 'double', paper, apply: (x) => 2 * x }
 * const increment: Method<number> = { name: 'increment', paper, apply: (x) => x + 1 }
 * console.log(compose(double, increment).apply(3)) // 7
 * ```
 */
export function compose<S = TrainingSetup>(...methods: readonly Method<S>[]): Method<S> {
  if (methods.length === 0) return identity
  for (const method of methods)
    if (typeof method?.apply !== 'function')
      throw new Error(
        `compose: every argument must be a method with an \`apply\`. Received ${String(method)}.`,
      )
  return {
    name: methods.map(({ name }) => name).join(' + '),
    paper: methods[0]!.paper,
    papers: methods.flatMap(({ paper, papers }) => papers ?? [paper]),
    apply: (setup) => methods.reduce((current, method) => method.apply(current), setup),
  }
}
