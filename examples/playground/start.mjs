/**
 * `start`: serves the playground. `start --tiny`: builds it, opens the built page in headless Chromium, and fails
 * unless both networks learn there.
 */
import { parseArgs } from 'node:util'
import { build, createServer, preview } from 'vite'

const { values } = parseArgs({
  options: {
    tiny: { type: 'boolean', default: false },
    screenshot: { type: 'string' },
    port: { type: 'string', default: '5173' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

if (values.help) {
  console.log(`start [--port 5173]          serve the playground
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
    const page = await browser.newPage({ viewport: { width: 760, height: 1150 } })
    page.on('pageerror', (error) => console.error(`page: ${error.message}`))
    await page.goto(server.resolvedUrls.local[0])
    const losses = await page.waitForFunction(
      () => {
        const read = (id) =>
          Number(document.querySelector(`#${id}-numbers`).textContent.match(/loss ([^,]+)/)?.[1])
        const failed = document.querySelector('#status.error')?.textContent
        if (failed) return { failed }
        const [plain, prox] = [read('plain'), read('prox')]
        return plain < 0.5 && prox < 0.5 ? { plain, prox } : null
      },
      null,
      { timeout: 120_000 },
    )
    const seen = await losses.jsonValue()
    if (values.screenshot) await page.screenshot({ path: values.screenshot })
    if (seen.failed) throw new Error(`The page reports: ${seen.failed}`)
    console.log(`Both networks learn in the page: loss ${seen.plain} by backprop, ${seen.prox} by ProxProp.`)
  } finally {
    await browser.close()
    await server.close()
  }
}
