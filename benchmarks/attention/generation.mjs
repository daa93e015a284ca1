/**
 * Time per generated token with the cache of keys and values, after prompts of several lengths, and without it.
 *
 *     node benchmarks/attention/generation.mjs [--out file.json]
 *
 * The model: 4 blocks, 128 features, 4 differential heads, 256 tokens, untrained. Medians. Run `pnpm build` first.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { useBackend } from '@tfgraft/backends'
import { environment, median } from '@tfgraft/bench/measure'
import { causalLanguageModel, generate } from '@tfgraft/diff-attention'

const { values } = parseArgs({ options: { out: { type: 'string' } } })
const backend = await useBackend('wasm')
const model = causalLanguageModel({ vocabularySize: 256, dim: 128, numLayers: 4, numHeads: 4 })

/** Milliseconds of every token after the first, which reads the prompt. */
async function tokenTimes(length, maxTokens, useCache) {
  const prompt = Array.from({ length }, (_, i) => (7 * i) % 256)
  const times = []
  let from
  for await (const _ of generate(model, prompt, { maxTokens, useCache })) {
    if (from !== undefined) times.push(performance.now() - from)
    from = performance.now()
  }
  return times
}

await tokenTimes(16, 8, true) // warm up
await tokenTimes(16, 3, false)
const lengths = [64, 256, 1024]
const cached = Object.fromEntries(lengths.map((length) => [length, []]))
const uncached = []
for (let round = 0; round < 3; round++) {
  for (const length of lengths) cached[length].push(...(await tokenTimes(length, 17, true)))
  uncached.push(...(await tokenTimes(1024, 3, false)))
}
const results = {
  'ms per token, cached, by length of the prompt': Object.fromEntries(
    lengths.map((length) => [length, median(cached[length])]),
  ),
  'ms per token, uncached, at 1024': median(uncached),
  'speedup at 1024': median(uncached) / median(cached[1024]),
}
console.log(JSON.stringify(results, (_, x) => (typeof x === 'number' ? Number(x.toFixed(2)) : x), 2))
if (values.out)
  writeFileSync(
    values.out,
    `${JSON.stringify({ command: 'node benchmarks/attention/generation.mjs', environment: environment(backend), results }, null, 2)}\n`,
  )
