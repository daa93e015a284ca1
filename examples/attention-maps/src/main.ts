/** The page: trains a small transformer a few steps per frame, and draws the attention maps of one context. */
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import wasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import * as tf from '@tensorflow/tfjs-core'
import { useBackend } from '@tfgraft/backends'
import { createRandom } from '@tfgraft/core'
import {
  type AttentionMaps,
  attentionMapPixels,
  attentionMapsOfModel,
  causalLanguageModel,
  DifferentialAttention,
  differentialAttention,
  differentialAttentionV2,
  multiHeadAttention,
} from '@tfgraft/diff-attention'
import { context, type Haystack, haystack, label, needles, vocabularySize } from './task'

setWasmPaths({
  'tfjs-backend-wasm.wasm': wasm,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})

const [batchSize, stepsPerFrame] = [32, 2]
const layersOf = {
  differential: () => differentialAttention({ numHeads: 2, headDim: 16, causal: true }),
  'differential-v2': () => differentialAttentionV2({ numHeads: 4, headDim: 16, causal: true }),
  plain: () => multiHeadAttention({ numHeads: 4, headDim: 16, causal: true }),
}

const byId = <T extends Element>(id: string) => document.querySelector(`#${id}`) as T
const form = byId<HTMLFormElement>('controls')
const status = byId<HTMLElement>('status')
const field = (name: string) => (form.elements.namedItem(name) as HTMLSelectElement).value
let run = 0
let paused = false

async function start(): Promise<void> {
  const mine = ++run
  status.classList.remove('error')
  await useBackend('wasm')
  const choice = field('attention') as keyof typeof layersOf
  const model = causalLanguageModel({
    vocabularySize,
    dim: 64,
    numLayers: 1,
    feedForwardDim: 128,
    attention: layersOf[choice],
  })
  const optimizer = tf.train.adam(0.003)
  const random = createRandom(1)
  const shown = haystack(createRandom('shown'))
  let step = 0
  while (mine === run) {
    if (!paused) {
      let learned = { loss: Number.NaN, accuracy: Number.NaN }
      for (let i = 0; i < stepsPerFrame; i++, step++) {
        const batch = Array.from({ length: batchSize }, () => haystack(random))
        learned = trainStep(model, optimizer, batch)
      }
      byId('numbers').textContent =
        `step ${step}, loss ${learned.loss.toFixed(3)}, answers right ${(100 * learned.accuracy).toFixed(0)} %`
      status.textContent = `Training on ${tf.getBackend()}.`
      draw(model, shown)
    }
    await new Promise(requestAnimationFrame)
  }
  model.dispose()
  optimizer.dispose()
}

type Model = ReturnType<typeof causalLanguageModel>

/** Logits at the questions, `[batch, needles, vocabulary]`. */
const answersOf = (model: Model, xs: tf.Tensor) =>
  tf.slice(model.apply(xs) as tf.Tensor, [0, context, 0], [-1, needles, vocabularySize])

function trainStep(model: Model, optimizer: tf.Optimizer, batch: Haystack[]) {
  return tf.tidy(() => {
    const xs = tf.tensor2d(
      batch.flatMap(({ tokens }) => tokens),
      [batch.length, context + needles],
      'int32',
    )
    const ys = tf.tensor2d(
      batch.flatMap(({ answers }) => answers),
      [batch.length, needles],
      'int32',
    )
    let right: tf.Tensor | undefined
    const loss = optimizer.minimize(() => {
      const logits = answersOf(model, xs)
      right = tf.keep(tf.mean(tf.cast(tf.equal(tf.argMax(logits, -1), ys), 'float32'))) // the step tidies up
      return tf.losses.softmaxCrossEntropy(tf.oneHot(ys, vocabularySize), logits)
    }, true)!
    const accuracy = right!.dataSync()[0]!
    right!.dispose()
    return { loss: loss.dataSync()[0]!, accuracy }
  })
}

function draw(model: Model, shown: Haystack): void {
  const xs = tf.tensor2d([shown.tokens], [1, shown.tokens.length], 'int32')
  const { layer, maps } = attentionMapsOfModel(model, xs)[0]!
  for (const [name, map] of Object.entries({
    first: maps.first,
    second: maps.second,
    difference: maps.difference,
  })) {
    const figure = byId<HTMLElement>(`${name}-figure`)
    figure.hidden = map === undefined
    if (!map) continue
    const { data, width, height } = attentionMapPixels({ first: map }, { cell: 4 })
    const canvas = byId<HTMLCanvasElement>(name)
    Object.assign(canvas, { width, height })
    canvas.getContext('2d')!.putImageData(new ImageData(data, width), 0, 0)
  }
  byId('lambda').textContent =
    layer instanceof DifferentialAttention
      ? `λ = ${tf.tidy(() => layer.lambda().dataSync()[0]!).toFixed(2)}`
      : ''
  byId('tokens').replaceChildren(...shown.tokens.map((token, i) => tokenElement(token, i, maps, shown)))
  tf.dispose([xs, ...Object.values(maps)])
}

/** A token, coloured by how much the last question attends to it, averaged over heads. */
function tokenElement(token: number, position: number, maps: AttentionMaps, shown: Haystack): HTMLElement {
  const map = maps.difference ?? maps.first
  const length = shown.tokens.length
  const weights = map.dataSync()
  const heads = map.shape[1]!
  let weight = 0
  for (let head = 0; head < heads; head++)
    weight += weights[head * length * length + (length - 1) * length + position]! / heads
  const element = document.createElement('span')
  element.textContent = label(token)
  element.style.setProperty('--weight', `${Math.round(100 * Math.min(1, Math.max(0, weight)))}%`)
  element.title = `weight ${weight.toFixed(3)}`
  return element
}

function report(error: unknown): void {
  status.classList.add('error')
  status.textContent = error instanceof Error ? error.message : String(error)
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  start().catch(report)
})
byId<HTMLButtonElement>('pause').addEventListener('click', (event) => {
  paused = !paused
  ;(event.currentTarget as HTMLButtonElement).textContent = paused ? 'Go on' : 'Pause'
})
for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-save]'))
  button.addEventListener('click', () => {
    const name = button.dataset.save!
    const link = document.createElement('a')
    link.download = `${name}.png`
    link.href = byId<HTMLCanvasElement>(name).toDataURL('image/png')
    link.click()
  })
start().catch(report)
