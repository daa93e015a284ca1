/** Drawings of the playground: what a network has learned, and its losses. */
import type { Task } from './task'

const classColors = [
  [37, 99, 235],
  [217, 119, 6],
] as const

/** Paints class probabilities as a soft background and the points over it. */
export function drawMap(
  canvas: HTMLCanvasElement,
  probabilities: Float32Array,
  size: number,
  task: Task,
): void {
  const context = canvas.getContext('2d')!
  const image = new ImageData(size, size)
  for (let i = 0; i < size * size; i++) {
    const p = probabilities[i]!
    for (let c = 0; c < 3; c++) {
      const mixed = classColors[0][c]! * (1 - p) + classColors[1][c]! * p
      image.data[4 * i + c] = 255 - 0.55 * (255 - mixed) // pale, so that points stand out
    }
    image.data[4 * i + 3] = 255
  }
  const small = new OffscreenCanvas(size, size)
  small.getContext('2d')!.putImageData(image, 0, 0)
  context.imageSmoothingEnabled = true
  context.drawImage(small, 0, 0, canvas.width, canvas.height)
  for (let i = 0; i < task.classes.length; i++) {
    const x = ((task.points[2 * i]! + 1) / 2) * canvas.width
    const y = ((1 - task.points[2 * i + 1]!) / 2) * canvas.height
    context.beginPath()
    context.arc(x, y, 2.5, 0, 2 * Math.PI)
    context.fillStyle = `rgb(${classColors[task.classes[i] as 0 | 1].join()})`
    context.fill()
    context.strokeStyle = 'white'
    context.stroke()
  }
}

export interface Curve {
  losses: readonly number[]
  /** CSS colour. */
  color: string
}

/** Draws loss curves on a logarithmic axis from 1 down to 1e-4. */
export function drawCurves(svg: SVGSVGElement, curves: readonly Curve[]): void {
  const [left, right, top, bottom] = [48, 630, 10, 235]
  const steps = Math.max(10, ...curves.map(({ losses }) => losses.length))
  const x = (step: number) => left + ((right - left) * step) / steps
  const y = (loss: number) => top + ((bottom - top) * -Math.log10(Math.min(1, Math.max(1e-4, loss)))) / 4
  const ticks = [1, 0.1, 0.01, 0.001, 0.0001]
  const grid = ticks.map(
    (tick) =>
      `<line x1="${left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}" stroke="var(--faint)"/>` +
      `<text x="${left - 6}" y="${y(tick) + 4}" text-anchor="end">${tick}</text>`,
  )
  const lines = curves.map(({ losses, color }) => {
    const stride = Math.ceil(losses.length / 600)
    const points = losses.flatMap((loss, i) =>
      i % stride === 0 ? [`${x(i).toFixed(1)},${y(loss).toFixed(1)}`] : [],
    )
    return `<polyline fill="none" stroke="${color}" stroke-width="2" points="${points.join(' ')}"/>`
  })
  const axis = `<text x="${right}" y="${bottom + 18}" text-anchor="end">${steps} steps</text>`
  svg.innerHTML = grid.join('') + lines.join('') + axis
}
