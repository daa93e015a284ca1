import * as vite from 'vite'
import { startPage } from '../../tooling/start-page.mjs'

await startPage(vite, {
  port: 5173,
  name: 'playground',
  does: 'it learns',
  viewport: { width: 760, height: 1150 },
  isDone: () => {
    const failed = document.querySelector('#status.error')?.textContent
    if (failed) return { failed }
    const read = (id) =>
      Number(document.querySelector(`#${id}-numbers`).textContent.match(/loss ([^,]+)/)?.[1])
    const [plain, prox] = [read('plain'), read('prox')]
    return plain < 0.5 && prox < 0.5 ? { plain, prox } : null
  },
  timeout: 120_000,
  report: ({ plain, prox }) =>
    `Both networks learn in the page: loss ${plain} by backprop, ${prox} by ProxProp.`,
})
