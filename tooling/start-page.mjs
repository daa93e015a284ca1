/**
 * The `start` of an example that is a page: serves it, or with `--tiny` builds it, opens the built page in headless Chromium, and fails
 * unless it does there what it should.
 */
import { parseArgs } from 'node:util'

const chromiumArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-quic',
  '--no-first-run',
]

/**
 * @param vite The example's.
 * @param page `port` by default; `name`, for the help, and `does`, what is checked; the `viewport`. `isDone` runs in the page until it
 *   returns something, which `report` turns into a line; it is an error when that has a `failed`, or takes longer than `timeout`.
 */
export async function startPage(vite, page) {
  const { values } = parseArgs({
    options: {
      tiny: { type: 'boolean', default: false },
      screenshot: { type: 'string' },
      port: { type: 'string', default: String(page.port) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const port = Number(values.port)
  if (values.help) {
    console.log(`start [--port ${page.port}]          serve the ${page.name}
start --tiny [--screenshot f.png]   build it and check in headless Chromium (Debian's, or CHROMIUM=path) that ${page.does}`)
  } else if (values.tiny) {
    await vite.build({ logLevel: 'warn' })
    const server = await vite.preview({ preview: { port } })
    try {
      await check(server.resolvedUrls.local[0], page, values.screenshot)
    } finally {
      await server.close()
    }
  } else {
    const server = await vite.createServer({ server: { port } })
    await server.listen()
    server.printUrls()
  }
}

async function check(url, { viewport, isDone, timeout, polling, report }, screenshot) {
  const { chromium } = await import('playwright')
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: chromiumArguments,
  })
  try {
    const page = await browser.newPage({ viewport })
    page.on('pageerror', (error) => console.error(`page: ${error.message}`))
    await page.goto(url)
    const result = await page.waitForFunction(isDone, null, { timeout, polling })
    const seen = await result.jsonValue()
    if (screenshot) await page.screenshot({ path: screenshot })
    if (seen.failed) throw new Error(`The page reports: ${seen.failed}`)
    console.log(report(seen))
  } finally {
    await browser.close()
  }
}
