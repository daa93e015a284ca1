/**
 * Four rooms behind closed doors, and one reward at the far end: an agent that explores by chance never gets there.
 * The same agent, curious, does within minutes on a laptop.
 *
 *     pnpm --filter @tfgraft/example-exploration start          # about 500,000 steps each
 *     pnpm --filter @tfgraft/example-exploration start --tiny   # a few seconds, learns nothing
 */
import { writeFileSync } from 'node:fs'
import { useBackend } from '@tfgraft/backends'
import { identity } from '@tfgraft/core'
import { episodeGif, gridWorld, playEpisode, ppo, rnd, trainAgent } from '@tfgraft/rl-exploration'

const tiny = process.argv.includes('--tiny')
await useBackend('wasm')

// 64 copies of the world are stepped together. Each episode is a new layout, and 80 steps long at most.
const world = 'MultiRoom-N4-S5-v1'
const totalSteps = tiny ? 2 * 64 * 32 : 64 * 128 * 64

// A method is a function from a setup to a setup: plain PPO, and PPO with random network distillation.
for (const method of [identity, rnd({ updateProportion: 0.25 })]) {
  const env = gridWorld(world, { numEnvs: 64, seed: 1 })
  const baseline = ppo(env, {
    numSteps: tiny ? 32 : 128,
    numMinibatches: 4,
    updateEpochs: 4,
    learningRate: 1e-3,
    clip: 0.2,
    entropyCoefficient: 0.01,
    gamma: 0.99,
    maxGradNorm: 0.5,
    warmupRollouts: tiny ? 1 : 10,
  })

  console.log(`\n${method.name}: ${totalSteps} steps`)
  const { agent } = await trainAgent(method.apply(baseline), {
    totalSteps,
    seed: 1,
    onUpdate: ({ update, step, successRate, meanLength, stepsPerSecond }) => {
      if (update % 8 !== 0 && !tiny) return
      const success = Number.isNaN(successRate) ? '-' : `${Math.round(100 * successRate)} %`
      console.log(
        `step ${step}  success ${success}  length ${meanLength.toFixed(0)}  ${stepsPerSecond.toFixed(0)} steps/s`,
      )
    },
  })

  // One episode of a layout that training has not seen, as an animation.
  const { frames, totalReward } = await playEpisode(agent, gridWorld(world, { seed: 999_999 }))
  const file = `${method.name}.gif`
  writeFileSync(new URL(file, import.meta.url), episodeGif(frames))
  console.log(`${file}: ${frames.length} steps, reward ${totalReward.toFixed(2)}`)
  agent.dispose()
}
