/** Writes `python/gymnasium_worker.py` into a module, so that every build finds it, bundled or not. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'

const source = await readFile(new URL('python/gymnasium_worker.py', import.meta.url), 'utf8')
await mkdir(new URL('src/generated/', import.meta.url), { recursive: true })
await writeFile(
  new URL('src/generated/gymnasium-worker.ts', import.meta.url),
  `// Generated from python/ by embed-python.mjs. Do not edit.\nexport const gymnasiumWorker = ${JSON.stringify(source)}\n`,
)
