/**
 * `start`: serves the page. `start --tiny`: builds it, opens the built page in headless Chromium, and fails unless the
 * model learns there and all three maps are drawn.
 */
import { parseArgs } from 'node:util'
import { build, createServer, preview } from 'vite'

const { values } = parseArgs({
  options: {
    tiny: { type: 'boolean', default: false },
    screenshot: { type: 'string' },
    port: { type: 'string', default: '5174' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  console.log(`start [--port 5174]          serve the page
start --tiny [--screenshot f.png]   build it and check in headless Chromium (Debian's, or CHROMIUM=path) that it learns`)
} else if (values.tiny) {
  await check()
} else {
  const server = await createServer({ server: { port: Number(values.port) } })
  await server.listen()
  server.printUrls()
}

async function check() {
  const { chromium } = await import('playwright')
  await build({ logLevel: 'warn' })
  const server = await preview({ preview: { port: Number(values.port) } })
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-quic',
      '--no-first-run',
    ],
  })
  try {
    const page = await browser.newPage({ viewport: { width: 800, height: 1150 } })
    page.on('pageerror', (error) => console.error(`page: ${error.message}`))
    await page.goto(server.resolvedUrls.local[0])
    const result = await page.waitForFunction(
      () => {
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
      null,
      { timeout: 180_000, polling: 500 },
    )
    const seen = await result.jsonValue()
    if (values.screenshot) await page.screenshot({ path: values.screenshot })
    if (seen.failed) throw new Error(`The page reports: ${seen.failed}`)
    console.log(`The model learns in the page: ${seen.right} % of the answers right; three maps drawn.`)
  } finally {
    await browser.close()
    await server.close()
  }
}
