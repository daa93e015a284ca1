/** The layers against the original implementations in float64: Microsoft, Hugging Face, a university course. */
import { readdirSync, readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import type { layers } from '@tensorflow/tfjs-layers'
import { describeBackends, expectClose } from '@tfgraft/testing'
import { expect, it } from 'vitest'
import { reparameterizedLambda } from './differential-attention'
import {
  diffAttention,
  differentialAttention,
  differentialAttentionV2,
  lambdaInit,
  multiHeadAttention,
  rmsNormalization,
  swiGLU,
} from './index'
import { rmsNorm } from './rms-normalization'

interface Golden {
  shape: number[]
  data: (number | string)[]
}
interface Vectors {
  config: Record<string, number | string | boolean | null>
  inputs: Record<string, Golden>
  params: Record<string, Golden>
  outputs: Record<string, Golden>
  grads: Record<string, Golden>
}

const folder = new URL('../fixtures/', import.meta.url)
const load = (name: string): Vectors => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))
const named = (prefix: string) =>
  readdirSync(folder)
    .filter((file) => file.startsWith(prefix))
    .map((file) => file.replace('.json', ''))
const tensor = ({ shape, data }: Golden) => tf.tensor(data.map(Number), shape)
/** Linear weights are stored (out, in). */
const kernel = (golden: Golden) => tf.transpose(tensor(golden))

/** Sets weights by name, then compares the output and the gradients of sum(output * grad_output) by name. */
function holdsTo(
  layer: layers.Layer,
  inputs: tf.Tensor[],
  { inputs: { grad_output }, params, outputs, grads }: Vectors,
  names: Record<string, string>,
): void {
  const weights = () => layer.trainableWeights as unknown as { originalName: string; val: tf.Variable }[]
  layer.apply(inputs)
  const golden = (of: Record<string, Golden>, name: string) => {
    const value = of[names[name]!]!
    return name.endsWith('kernel') ? kernel(value) : tensor(value)
  }
  const byName = weights().map(({ originalName, val }) => ({
    name: originalName.split('/').at(-1)!,
    variable: val,
  }))
  expect(byName.map(({ name }) => name).sort()).toEqual(Object.keys(names).sort())
  layer.setWeights(byName.map(({ name }) => golden(params, name)))
  expectClose(layer.apply(inputs) as tf.Tensor, outputs.out!)
  const x = tf.variable(inputs[0]!)
  const others = inputs.slice(1).map((input) => (input === inputs[0] ? x : input))
  const { grads: actual } = tf.variableGrads(() =>
    tf.sum(tf.mul(layer.apply([x, ...others]) as tf.Tensor, tensor(grad_output!))),
  )
  expectClose(actual[x.name]!, grads.x!)
  for (const { name, variable } of byName) expectClose(actual[variable.name]!, golden(grads, name))
}

const lambdas = {
  lambda_q1: 'lambda_q1',
  lambda_k1: 'lambda_k1',
  lambda_q2: 'lambda_q2',
  lambda_k2: 'lambda_k2',
}
const projections = {
  query_kernel: 'q_proj.weight',
  key_kernel: 'k_proj.weight',
  value_kernel: 'v_proj.weight',
}

describeBackends('golden vectors', () => {
  it('lambdaInit is the reference function', () => {
    const { depth, lambda_init } = load('diffattn_lambda_init') as unknown as Record<string, number[]>
    expectClose(depth!.map(lambdaInit), lambda_init!, { rtol: 1e-12, atol: 0 })
  })

  it.each(named('diffattn_ms'))('%s: Microsoft, output and all gradients', (name) => {
    const vectors = load(name)
    const { config, inputs } = vectors
    const layer = differentialAttention({
      numHeads: config.num_heads as number,
      numKeyValueHeads: config.num_kv_heads as number,
      depth: config.depth as number,
      causal: !inputs.attn_mask,
      rotary: config.rotary ? 'interleaved' : undefined,
      keyMapping: config.gqa_key_map === 'naive' ? 'naive-compat' : 'flash',
    })
    const x = tensor(inputs.x!)
    const mask = inputs.attn_mask ? [x, tensor(inputs.attn_mask)] : []
    const names = { ...projections, ...lambdas, output_kernel: 'out_proj.weight', norm_gamma: 'subln.weight' }
    holdsTo(layer, [x, ...mask], vectors, names)
    expectClose(layer.lambda(), [vectors.outputs.lambda_full as unknown as number])
  })

  it.each(named('diffattn_hf'))('%s: Hugging Face DiffLlama, output and all gradients', (name) => {
    const vectors = load(name)
    const { config, inputs } = vectors
    const layer = differentialAttention({
      numHeads: (config.num_attention_heads as number) / 2,
      numKeyValueHeads: (config.num_key_value_heads as number) / 2,
      headDim: config.head_dim as number,
      depth: config.layer_idx as number,
      rotary: 'half-split',
      pairing: 'halves',
      normAffine: false,
    })
    const x = tensor(inputs.x!)
    const mask = inputs.attention_mask ? [x, tensor(inputs.attention_mask)] : []
    holdsTo(layer, [x, ...mask], vectors, { ...projections, ...lambdas, output_kernel: 'o_proj.weight' })
  })

  it.each(named('attn_ms'))('%s: plain attention, output and all gradients', (name) => {
    const vectors = load(name)
    const { config, inputs } = vectors
    const layer = multiHeadAttention({
      numHeads: config.num_heads as number,
      numKeyValueHeads: config.num_kv_heads as number,
      causal: true,
      rotary: config.rotary ? 'interleaved' : undefined,
    })
    holdsTo(layer, [tensor(inputs.x!)], vectors, { ...projections, output_kernel: 'out_proj.weight' })
  })

  it('course: RMSNorm and SwiGLU', () => {
    const norm = load('hw3_rms_norm')
    holdsTo(rmsNormalization(), [tensor(norm.inputs.x!)], norm, { gamma: 'gamma' })
    const feedForward = load('hw3_swiglu')
    holdsTo(swiGLU({ hiddenDim: 5 }), [tensor(feedForward.inputs.x!)], feedForward, {
      gate_kernel: 'w1.weight',
      gate_bias: 'w1.bias',
      value_kernel: 'v.weight',
      value_bias: 'v.bias',
      output_kernel: 'w2.weight',
      output_bias: 'w2.bias',
    })
  })

  it('course: lambda and its gradients', () => {
    const { config, inputs, outputs, grads } = load('hw3_calculate_lambda')
    const names = ['lambda_q1', 'lambda_k1', 'lambda_q2', 'lambda_k2'] as const
    const f = (q1: tf.Tensor, k1: tf.Tensor, q2: tf.Tensor, k2: tf.Tensor) =>
      reparameterizedLambda([q1, k1, q2, k2], config.lambda_init as number)
    const vectors = names.map((name) => tensor(inputs[name]!))
    expectClose(f(...(vectors as Parameters<typeof f>)), [outputs.lambda as unknown as number])
    tf.grads((...xs) => f(...(xs as Parameters<typeof f>)))(vectors).forEach((gradient, i) => {
      expectClose(gradient, grads[names[i]!]!)
    })
  })

  it('course: the op on the halves of each head, normalised and projected, with all gradients', () => {
    const { config, inputs, params, outputs, grads } = load('hw3_differential_attention')
    const init = config.lambda_init as number
    const names = ['q', 'k', 'v', 'lambda', 'gamma', 'w_o.weight', 'w_o.bias']
    const values = names.map((name) => tensor((inputs[name] ?? params[name])!))
    /** [batch, heads, length, 2 width] to [batch, 2 heads, length, width] */
    const halves = (x: tf.Tensor) => {
      const [batch, heads, length, features] = x.shape as [number, number, number, number]
      const apart = tf.reshape(x, [batch * heads, length, 2, features / 2])
      return tf.reshape(tf.transpose(apart, [0, 2, 1, 3]), [batch, 2 * heads, length, features / 2])
    }
    const f = (...[q, k, v, lambda, gamma, w, bias]: tf.Tensor[]) => {
      const o = diffAttention(halves(q!), halves(k!), v!, lambda!, { causal: true })
      const [batch, heads, length, width] = o.shape as [number, number, number, number]
      const normalised = tf.mul(rmsNorm(o, gamma), 1 - init)
      const rows = tf.reshape(tf.transpose(normalised, [0, 2, 1, 3]), [batch * length, heads * width])
      const y = tf.add(tf.matMul(rows, tf.transpose(w!)), bias!)
      return tf.reshape(y, [batch, length, -1])
    }
    expectClose(f(...values), outputs.out!)
    expectClose(f(...values), outputs.published!, { rtol: 0, atol: 1e-4 })
    const G = tensor(inputs.grad_output!)
    tf.grads((...xs) => tf.sum(tf.mul(f(...xs), G)))(values).forEach((gradient, i) => {
      expectClose(gradient, grads[names[i]!]!)
    })
  })

  // No implementation of version 2 could be run for vectors. This is its published formula, head by head, in plain ops:
  //   attn = attention(q, k, v); attn1, attn2 = attn[:, :, 0::2], attn[:, :, 1::2]; attn = attn1 - sigmoid(x W) attn2
  it.each([2, 1])('version 2 is its published formula, %i key and value heads', (valueHeads) => {
    const [heads, width, length] = [2, 4, 5]
    const layer = differentialAttentionV2({ numHeads: heads, numKeyValueHeads: valueHeads, causal: true })
    const x = tf.randomNormal([2, length, heads * width], 0, 1, 'float32', 1)
    layer.apply(x)
    const variables = layer.trainableWeights as unknown as { originalName: string; val: tf.Variable }[]
    expect(variables.map(({ originalName }) => originalName.split('/').at(-1))).toEqual(
      ['query', 'key', 'value', 'output', 'lambda'].map((part) => `${part}_kernel`),
    )
    const weights = variables.map(({ val }, i) => tf.randomNormal(val.shape, 0, 0.5, 'float32', 10 + i))
    layer.setWeights(weights)
    const times = (x: tf.Tensor, w: tf.Tensor) =>
      tf.reshape(tf.matMul(tf.reshape(x, [-1, w.shape[0]!]), w), [2, length, -1])
    const columns = (x: tf.Tensor, head: number, size: number) =>
      tf.slice(x, [0, 0, head * size], [2, length, size])
    const formula = (
      x: tf.Tensor,
      wq: tf.Tensor,
      wk: tf.Tensor,
      wv: tf.Tensor,
      wo: tf.Tensor,
      wl: tf.Tensor,
    ) => {
      const [q, k, v, lambda] = [times(x, wq), times(x, wk), times(x, wv), tf.sigmoid(times(x, wl))]
      const attend = (queryHead: number) => {
        const shared = Math.floor((queryHead * valueHeads) / (2 * heads))
        const logits = tf.mul(
          tf.matMul(columns(q!, queryHead, width), columns(k!, shared, width), false, true),
          width ** -0.5,
        )
        const future = tf.sub(1, tf.linalg.bandPart(tf.ones([length, length]), -1, 0))
        return tf.matMul(tf.softmax(tf.sub(logits, tf.mul(future, 1e9))), columns(v!, shared, width))
      }
      const parts = Array.from({ length: heads }, (_, h) =>
        tf.sub(attend(2 * h), tf.mul(columns(lambda!, h, 1), attend(2 * h + 1))),
      )
      return times(tf.concat(parts, 2), wo)
    }
    expectClose(
      layer.apply(x) as tf.Tensor,
      formula(x, ...(weights as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor])),
    )
    const G = tf.randomNormal([2, length, heads * width], 0, 1, 'float32', 3)
    const input = tf.variable(x)
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(layer.apply(input) as tf.Tensor, G)) as tf.Scalar,
      [input, ...variables.map(({ val }) => val)],
    )
    const expected = tf.grads((...[x, q, k, v, o, l]: tf.Tensor[]) =>
      tf.sum(tf.mul(formula(x!, q!, k!, v!, o!, l!), G)),
    )([x, ...weights])
    for (const [i, name] of [input.name, ...variables.map(({ val }) => val.name)].entries())
      expectClose(grads[name]!, expected[i]!)
  })
})
