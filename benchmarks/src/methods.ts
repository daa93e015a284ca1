/** The methods that `--methods` knows: names for functions that make a `Method` from a trial's hyperparameters. */
import { advprop, sparseTopK } from '@tfgraft/advprop'
import { compose, identity, type Method } from '@tfgraft/core'
import { diffAttentionMethod } from '@tfgraft/diff-attention'
import { proxprop } from '@tfgraft/proxprop'
import {
  type BonusMethod,
  disagreement,
  e3b,
  episodicCount,
  icm,
  ngu,
  pseudoCounts,
  re3,
  ride,
  rnd,
} from '@tfgraft/rl-exploration'
import { UsageError, unknownChoice } from './choices'
import { proximalPolicy } from './proximal-policy'
import type { Hyperparameters, SetupKind, Task } from './task'

export interface MethodEntry<S = unknown> {
  /** What `--methods` takes. */
  readonly name: string
  /** The kind of setup that it changes; `any`: whatever the task has. */
  readonly kind: SetupKind | 'any'
  /** One line for `list`. */
  readonly summary: string
  create(hyperparameters: Hyperparameters): Method<S>
}

/** Exploration bonuses, by their defaults, and what each pays for. */
const bonuses: readonly [name: string, bonus: () => BonusMethod, summary: string][] = [
  ['episodic-count', episodicCount, 'states that are new in the episode'],
  ['rnd', rnd, 'states that a predictor of a random network has not learned (Burda et al. 2019)'],
  ['icm', icm, 'steps whose outcome a model did not foresee (Pathak et al. 2017)'],
  ['ride', ride, 'steps that change much, less where the episode has been (Raileanu & Rocktäschel 2020)'],
  ['ngu', ngu, 'states far from those of the episode, more where rnd finds them new (Badia et al. 2020)'],
  ['re3', re3, 'states far from their neighbours in a random space (Seo et al. 2021)'],
  ['e3b', e3b, "states outside the ellipsoid of the episode's (Henaff et al. 2022)"],
  ['pseudo-counts', pseudoCounts, 'states far from those of the episode (Badia et al. 2020)'],
  ['disagreement', disagreement, 'steps on whose outcome models disagree (Pathak et al. 2019)'],
]

/** The entry that every ratio refers to. */
export const baselineName = 'backprop'

export const builtInMethods: readonly MethodEntry[] = [
  {
    name: baselineName,
    kind: 'any',
    summary: 'plain training: the setup as the task makes it',
    create: (): Method<unknown> => identity as Method<unknown>,
  },
  {
    name: 'proxprop',
    kind: 'supervised',
    summary: 'proximal steps on the weights of all hidden linear layers, solved exactly (Frerix et al. 2018)',
    create: ({ tau }) => proxprop({ solver: 'exact', ...(tau === undefined ? {} : { tau: Number(tau) }) }),
  },
  ...[3, 5, 10].map((steps) => ({
    name: `proxprop-cg${steps}`,
    kind: 'supervised' as const,
    summary: `the same, solved by ${steps} steps of conjugate gradient`,
    create: ({ tau }: Hyperparameters): Method<unknown> =>
      proxprop({
        solver: { cg: steps },
        ...(tau === undefined ? {} : { tau: Number(tau) }),
      }) as Method<unknown>,
  })),
  {
    name: 'advprop',
    kind: 'supervised',
    summary: 'clean and adversarial examples with batch statistics of their own (Xie et al. 2020)',
    create: ({ epsilon = 4 / 255 }) =>
      advprop({ attack: { epsilon: Number(epsilon), stepSize: Number(epsilon), iterations: 1 } }),
  },
  {
    name: 'sparse-top-k',
    kind: 'supervised',
    summary: 'only the largest activations per channel go on (Li et al. 2023)',
    create: ({ k = 0.2, after = 'stem' }) => sparseTopK({ k: Number(k), after: String(after) }),
  },
  {
    name: 'diff-attention',
    kind: 'supervised',
    summary: 'attention as the difference of two softmax maps (Ye et al. 2024)',
    create: () => diffAttentionMethod({ version: 1, weights: 'fresh' }),
  },
  {
    name: 'diff-attention-v2',
    kind: 'supervised',
    summary: 'its second version, with one lambda per token and head',
    create: () => diffAttentionMethod({ version: 2, weights: 'fresh' }),
  },
  ...bonuses.map(([name, bonus, summary]) => ({
    name,
    kind: 'agent' as const,
    summary: `a bonus for ${summary}`,
    create: (): Method<unknown> => bonus() as Method<unknown>,
  })),
  {
    name: 'proxprop-policy',
    kind: 'agent',
    summary: 'ProxProp in the hidden layers of PPO: it sees W - W+ of proximal steps as gradients',
    create: ({ tau = 1 }) => proximalPolicy({ tau: Number(tau) }),
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
      kind: parts.find((part) => part.kind !== 'any')?.kind ?? 'any',
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
  if (own) return { hyperparameters: own.chosen, tuned: own.validated }
  const parts = method.split('+').flatMap((part) => settings[part] ?? [])
  return {
    hyperparameters: Object.assign({}, settings[baselineName]?.chosen, ...parts.map((part) => part.chosen)),
    tuned: false,
  }
}
