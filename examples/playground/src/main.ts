/** The playground: reads the controls, trains both networks a few steps per frame, draws. */
import '@tensorflow/tfjs-backend-cpu'
import '@tensorflow/tfjs-backend-webgl'
import '@tensorflow/tfjs-backend-webgpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import wasm from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simd from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threaded from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import { type BackendName, useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { proxprop } from '@tfgraft/proxprop'
import { type Contender, contender, probabilityMap, train } from './contender'
import { drawCurves, drawMap } from './draw'
import { type Task, twoSpirals } from './task'

setWasmPaths({
  'tfjs-backend-wasm.wasm': wasm,
  'tfjs-backend-wasm-simd.wasm': simd,
  'tfjs-backend-wasm-threaded-simd.wasm': threaded,
})

const backends: BackendName[] = ['wasm', 'webgpu', 'webgl', 'cpu']
const mapSize = 48
const stepsPerFrame = 5

const byId = <T extends Element>(id: string) => document.querySelector(`#${id}`) as T
const form = byId<HTMLFormElement>('controls')
const status = byId<HTMLElement>('status')

let run = 0
let paused = false

async function start(): Promise<void> {
  const mine = ++run
  const field = (name: string) =>
    (form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement).value
  const solver = field('solver')
  const size = { hiddenLayers: Number(field('hiddenLayers')), units: Number(field('units')) }
  status.classList.remove('error')
  await useBackend(field('backend') as BackendName)
  const task = twoSpirals(240, 0.02, 3)
  const plain = contender(identity, { ...size, learningRate: Number(field('plainRate')) })
  const method = proxprop({
    tau: Number(field('tau')),
    solver: solver === 'exact' || solver === 'gradient' ? solver : { cg: Number(solver) },
  })
  const prox = contender(method, { ...size, learningRate: Number(field('proxRate')) })
  while (mine === run) {
    if (!paused) {
      await train(plain, task, stepsPerFrame)
      await train(prox, task, stepsPerFrame)
      await draw(plain, prox, task)
      status.textContent = `Training on ${field('backend')}: step ${plain.losses.length}.`
    }
    await new Promise(requestAnimationFrame)
  }
  for (const side of [plain, prox]) {
    side.setup.model.dispose()
    side.setup.optimizer.dispose()
  }
  task.xs.dispose()
  task.ys.dispose()
}

async function draw(plain: Contender, prox: Contender, task: Task): Promise<void> {
  for (const [name, side] of [
    ['plain', plain],
    ['prox', prox],
  ] as const) {
    drawMap(byId(`${name}-map`), await probabilityMap(side, mapSize), mapSize, task)
    const msPerStep = (1000 * side.seconds) / side.losses.length
    byId<HTMLElement>(`${name}-numbers`).textContent =
      `loss ${side.losses.at(-1)!.toPrecision(3)}, accuracy ${(100 * side.accuracy).toFixed(1)} %, ${msPerStep.toFixed(2)} ms/step`
  }
  drawCurves(byId('curves'), [
    { losses: plain.losses, color: 'var(--plain)' },
    { losses: prox.losses, color: 'var(--prox)' },
  ])
}

function report(error: unknown): void {
  status.classList.add('error')
  status.textContent = error instanceof Error ? error.message : String(error)
}

const choice = form.elements.namedItem('backend') as HTMLSelectElement
choice.append(...backends.map((name) => new Option(name)))
form.addEventListener('submit', (event) => {
  event.preventDefault()
  start().catch(report)
})
byId<HTMLButtonElement>('pause').addEventListener('click', (event) => {
  paused = !paused
  ;(event.currentTarget as HTMLButtonElement).textContent = paused ? 'Go on' : 'Pause'
})
start().catch(report)
