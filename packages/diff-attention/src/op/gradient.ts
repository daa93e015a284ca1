/**
 * The gradients of attention in plain tf ops, with the maps computed again:
 *
 *     D = P1 - lambda P2,  dP = dO V',  e_i = rowsum(P_i dP),  dV = D' dO
 *     dS1 = P1 (dP - e1),  dS2 = -lambda P2 (dP - e2),  dlambda = -e2
 *     dQ_i = scale dS_i K_i,  dK_i = scale dS_i' Q_i
 */
import * as tf from '@tensorflow/tfjs-core'
import type { AttentionInputs, AttentionProblem } from './options'
import {
  attentionMaps,
  broadcastLambda,
  byKeyHead,
  byQueryHead,
  byValueHead,
  headsFirst,
  mapsOf,
} from './reference'

/** Softmax backwards: P (dP - rowsum(P dP)), and that sum. */
function throughSoftmax(p: tf.Tensor, dp: tf.Tensor): { dS: tf.Tensor; e: tf.Tensor } {
  const e = tf.sum(tf.mul(p, dp), -1, true) // [batch, heads, query, 1]
  return { dS: tf.mul(p, tf.sub(dp, e)), e }
}

/** Gradients to q, k, v, and to lambda per token and head; `[1]` of zero in plain attention. */
export function referenceGradients(
  { dy, ...inputs }: AttentionInputs & { dy: tf.Tensor },
  problem: AttentionProblem,
): [dq: tf.Tensor, dk: tf.Tensor, dv: tf.Tensor, dLambda: tf.Tensor] {
  const { maps, batch, heads, queries, keys, scale, layout } = problem
  const q = headsFirst(inputs.q, problem)
  const k = headsFirst(inputs.k, problem)
  const v = headsFirst(inputs.v, problem)
  const g = byValueHead(headsFirst(dy, problem), problem)
  const [p1, p2] = mapsOf(attentionMaps(inputs, problem), problem)
  const dp = tf.reshape(tf.matMul(g, v, false, true), [batch, heads, queries, keys])
  const first = throughSoftmax(p1!, dp)
  let dS = first.dS
  let weights = p1!
  let dLambda: tf.Tensor = tf.zeros([1])
  if (maps === 2) {
    const lambda = broadcastLambda(inputs.lambda!, problem)
    const second = throughSoftmax(p2!, dp)
    const rows = [batch * heads, 1, queries * keys]
    dS = tf.concat([tf.reshape(first.dS, rows), tf.reshape(tf.mul(second.dS, tf.neg(lambda)), rows)], 1)
    weights = tf.sub(p1!, tf.mul(lambda, p2!))
    const tokens = tf.neg(tf.squeeze(second.e, [3]))
    dLambda = layout === 'heads-first' ? tokens : tf.transpose(tokens, [0, 2, 1])
  }
  const dRows = tf.mul(byKeyHead(tf.reshape(dS, [batch, heads * maps, queries, keys]), problem), scale)
  return [
    headsFirst(byQueryHead(tf.matMul(dRows, k), problem), problem),
    headsFirst(tf.matMul(dRows, byKeyHead(q, problem), true), problem),
    headsFirst(tf.matMul(byValueHead(weights, problem), g, true), problem),
    dLambda,
  ]
}
