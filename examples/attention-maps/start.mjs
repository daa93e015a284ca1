import * as vite from 'vite'
import { startPage } from '../../tooling/start-page.mjs'

await startPage(vite, {
  port: 5174,
  name: 'page',
  does: 'it learns',
  viewport: { width: 800, height: 1150 },
  isDone: () => {
    const failed = document.querySelector('#status.error')?.textContent
    if (failed) return { failed }
    const right = Number(document.querySelector('#numbers').textContent.match(/right (\d+) %/)?.[1])
    // A map that was drawn has more than one shade of blue.
    const shades = ['first', 'second', 'difference'].map((id) => {
      const canvas = document.querySelector(`#${id}`)
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
      return new Set(data.filter((_, i) => i % 4 === 0)).size
    })
    return right >= 75 && shades.every((count) => count > 3) ? { right, shades } : null
  },
  timeout: 180_000,
  polling: 500,
  report: ({ right }) => `The model learns in the page: ${right} % of the answers right; three maps drawn.`,
})
