/** The learning half of PPO: advantages of every stream, then epochs of minibatches over one upload. */
import * as tf from '@tensorflow/tfjs-core'
import type { Bonus, ExperienceBatch } from '../bonuses/bonus'
import { gae } from '../functional/gae'
import { ppoLoss } from '../functional/ppo-loss'
import type { Network } from '../networks/network'
import type { ClippedAdam } from '../networks/optimizer'
import type { SavableRandom } from '../networks/random'
import type { RecurrentNetwork } from '../networks/recurrent'
import type { AgentSetup } from './agent-setup'
import { type Minibatch, minibatches } from './minibatches'
import type { PolicyHead } from './policy-head'
import type { Rollout } from './rollout'

/** A stream of rewards with its value head. Stream 0 is the environment's. */
export interface Stream {
  rewards: Float32Array
  gamma: number
  episodic: boolean
  /** Weight of its advantages. */
  coefficient: number
  /** `[numEnvs]`: values of the observations after the rollout. */
  nextValues: Float32Array
  /** `[rows]`: values of the last observations of episodes that a time limit cut, 0 elsewhere. */
  finalValues?: Float32Array
}

/** What the minibatches of an update came to, on average. */
export interface UpdateLosses {
  policyLoss: number
  valueLoss: number
  entropy: number
  /** Of the last minibatch: `mean((ratio - 1) - log ratio)`. */
  approximateKl: number
  /** Loss of each bonus that learns. */
  bonusLosses: number[]
  /** Epochs that were run: fewer than asked when the divergence stopped them. */
  epochs: number
}

export interface UpdateInputs {
  rollout: Rollout
  streams: readonly Stream[]
  network: Network | RecurrentNetwork
  head: PolicyHead
  bonuses: readonly Bonus[]
  optimizer: ClippedAdam
  options: AgentSetup['options']
  random: SavableRandom
}

/** Advantages of all streams together, and each stream's returns. */
export function combineStreams(rollout: Rollout, streams: readonly Stream[], lambda: number) {
  const { numEnvs, numSteps, dones, ended, values } = rollout
  const nextDones = ended.subarray((numSteps - 1) * numEnvs)
  const advantages = new Float32Array(numSteps * numEnvs)
  const returns = streams.map((stream, k) => {
    const estimate = gae({ ...stream, values: values[k]!, dones, nextDones, lambda })
    estimate.advantages.forEach((a, row) => {
      advantages[row]! += stream.coefficient * a
    })
    return estimate.returns
  })
  return { advantages, returns }
}

/** Columns of the packed scalars of a sample. */
const LOG_PROB = 0
const ADVANTAGE = 1
const RETURNS = 2

/** The loss of one minibatch and its parts. Differentiable in the network's and the bonuses' weights. */
export function minibatchLoss(
  { network, head, bonuses, options }: Pick<UpdateInputs, 'network' | 'head' | 'bonuses' | 'options'>,
  batch: {
    inputs: tf.Tensor2D
    /** What a recurrent network remembers before each sequence, and where its rows begin an episode (0, else 1). */
    memory?: tf.Tensor2D
    keep?: tf.Tensor2D
    actions: tf.Tensor
    oldLogProbs: tf.Tensor1D
    advantages: tf.Tensor1D
    /** `[batch, streams]` */
    returns: tf.Tensor2D
    oldValues: tf.Tensor2D
    /** What each bonus that learns, learns from. */
    experience: readonly (ExperienceBatch | undefined)[]
  },
): { loss: tf.Scalar; parts: tf.Tensor1D } {
  const [rows, numStreams] = batch.returns.shape
  const outputs =
    'unroll' in network
      ? network.unroll(batch.inputs, batch.memory!, batch.keep!).outputs
      : network.apply(batch.inputs)
  const policy = head.distribution(tf.slice2d(outputs, [0, 0], [rows, head.size]))
  const values = tf.slice2d(outputs, [0, head.size], [rows, numStreams])
  const ppo = ppoLoss(
    {
      ...batch,
      logProbs: policy.logProb(batch.actions),
      entropy: policy.entropy(),
      values,
    },
    options,
  )
  const bonusLosses = bonuses.map((bonus, k) => bonus.loss?.(batch.experience[k]!) ?? tf.scalar(0))
  const weighted = bonusLosses.map((loss, k) => tf.mul(loss, bonuses[k]!.lossCoefficient))
  return {
    loss: weighted.reduce<tf.Scalar>((sum, loss) => tf.add(sum, loss), ppo.loss),
    parts: tf.stack([
      ppo.policyLoss,
      ppo.valueLoss,
      ppo.entropy,
      ppo.approximateKl,
      ...bonusLosses,
    ]) as tf.Tensor1D,
  }
}

/** Runs the epochs of one update. */
export async function ppoUpdate(inputs: UpdateInputs): Promise<UpdateLosses> {
  const { rollout, streams, head, bonuses, optimizer, options, random } = inputs
  const rows = rollout.numSteps * rollout.numEnvs
  const size = rollout.inputs.length / rows
  const { advantages, returns } = combineStreams(rollout, streams, options.lambda)
  const K = streams.length
  const width = RETURNS + 2 * K
  const packed = new Float32Array(rows * width)
  for (let row = 0; row < rows; row++) {
    packed[row * width + LOG_PROB] = rollout.logProbs[row]!
    packed[row * width + ADVANTAGE] = advantages[row]!
    for (let k = 0; k < K; k++) {
      packed[row * width + RETURNS + k] = returns[k]![row]!
      packed[row * width + RETURNS + K + k] = rollout.values[k]![row]!
    }
  }
  const learning = bonuses.some((bonus) => bonus.loss)
  const uploaded = {
    inputs: tf.tensor2d(rollout.inputs, [rows, size]),
    packed: tf.tensor2d(packed, [rows, width]),
    actions: head.discrete
      ? tf.tensor1d(rollout.actions as Int32Array, 'int32')
      : tf.tensor2d(rollout.actions as Float32Array, [rows, head.actionSize]),
    observations: learning ? tf.tensor2d(rollout.observations, [rows, size]) : undefined,
    nextObservations: learning ? tf.tensor2d(rollout.nextObservations, [rows, size]) : undefined,
  }

  /** The samples that bonuses learn from: a random share. The others are not computed at all. */
  function experienceOf(chosen: Int32Array, index: tf.Tensor1D, proportion: number): ExperienceBatch {
    const kept = proportion < 1 ? chosen.filter(() => random.uniform() < proportion) : chosen
    // An empty share still needs a row; its mask takes it out.
    const learnt = kept.length > 0 ? kept : chosen.subarray(0, 1)
    const rowsOf = learnt === chosen ? index : tf.tensor1d(learnt, 'int32')
    return {
      observations: tf.gather(uploaded.observations!, rowsOf),
      nextObservations: tf.gather(uploaded.nextObservations!, rowsOf),
      actions: tf.gather(uploaded.actions as tf.Tensor, rowsOf),
      mask: kept.length > 0 ? tf.ones([learnt.length]) : tf.zeros([1]),
    }
  }

  /** Per bonus; those of one share learn from the same samples. */
  function experienceOfEach(chosen: Int32Array, index: tf.Tensor1D) {
    const byShare = new Map<number, ExperienceBatch>()
    return bonuses.map(({ loss, updateProportion }) => {
      if (!loss) return undefined
      const batch = byShare.get(updateProportion) ?? experienceOf(chosen, index, updateProportion)
      byShare.set(updateProportion, batch)
      return batch
    })
  }

  /** What recurrent networks need beside the inputs. */
  function remembered({ rows: chosen, sequences }: Minibatch) {
    if (sequences === 0) return {}
    const { memories, memorySize, dones } = rollout
    const memory = new Float32Array(sequences * memorySize)
    for (let s = 0; s < sequences; s++)
      memory.set(memories.subarray(chosen[s]! * memorySize, (chosen[s]! + 1) * memorySize), s * memorySize)
    const keep = Float32Array.from(chosen, (row) => 1 - dones[row]!)
    return {
      memory: tf.tensor2d(memory, [sequences, memorySize]),
      keep: tf.tensor2d(keep, [chosen.length, 1]),
    }
  }

  const deal = minibatches(rollout, { ...options, random })
  const reports: tf.Tensor1D[] = []
  let epochs = 0
  while (epochs < options.updateEpochs) {
    epochs++
    for (const minibatch of deal()) {
      const chosen = minibatch.rows
      const parts = tf.tidy(() => {
        const index = tf.tensor1d(chosen, 'int32')
        const scalars = tf.gather(uploaded.packed, index)
        const column = (k: number) =>
          tf.reshape(tf.slice2d(scalars, [0, k], [-1, 1]), [chosen.length]) as tf.Tensor1D
        const batch = {
          inputs: tf.gather(uploaded.inputs, index),
          ...remembered(minibatch),
          actions: tf.gather(uploaded.actions as tf.Tensor, index),
          oldLogProbs: column(LOG_PROB),
          advantages: column(ADVANTAGE),
          returns: tf.slice2d(scalars, [0, RETURNS], [-1, K]),
          oldValues: tf.slice2d(scalars, [0, RETURNS + K], [-1, K]),
          experience: experienceOfEach(chosen, index),
        }
        let kept: tf.Tensor1D | undefined
        optimizer.minimize(() => {
          const { loss, parts } = minibatchLoss(inputs, batch)
          kept = tf.keep(parts)
          return loss
        })
        return kept!
      })
      reports.push(parts)
    }
    if (options.targetKl !== undefined && (await reports.at(-1)!.data())[3]! > options.targetKl) break
  }
  tf.dispose(uploaded as unknown as tf.TensorContainer)
  const mean = tf.tidy(() => tf.mean(tf.stack(reports), 0))
  const [averages, last] = await Promise.all([mean.data(), reports.at(-1)!.data()])
  tf.dispose([mean, ...reports])
  return {
    policyLoss: averages[0]!,
    valueLoss: averages[1]!,
    entropy: averages[2]!,
    approximateKl: last[3]!,
    bonusLosses: [...averages.slice(4)],
    epochs,
  }
}
