/** Trains the agent of a setup for a number of steps. */

import { type Agent, type AgentState, createAgent, type UpdateReport } from './agent'
import type { AgentSetup } from './agent-setup'

/** Options of {@link trainAgent}. */
export interface TrainAgentOptions {
  /** Environment steps, of all environments together, to reach. Whole updates are made. */
  totalSteps: number
  /** Of weights, actions and minibatches. The environment has its own. @default 0 */
  seed?: number
  /** Called after every update. The agent may be saved in it. Return false to stop. */
  onUpdate?: (report: UpdateReport, agent: Agent) => unknown
  /** Goes on from a saved state as if it had never stopped. */
  resumeFrom?: AgentState
  /** Stops between updates when aborted. */
  signal?: AbortSignal
}

/** What a training came to. */
export interface TrainingResult {
  /** The trained agent: let it `act`, `save` it, `dispose` it. */
  agent: Agent
  history: UpdateReport[]
}

/**
 * Trains an agent.
 *
 * @throws When `totalSteps` is not positive.
 * @example
 * ```ts
 * import { useBackend } from '@tfgraft/backends'
 * import { episodicCount, gridWorld, ppo, trainAgent } from '@tfgraft/rl-exploration'
 *
 * await useBackend('wasm')
 * const env = gridWorld('MultiRoom-N2-S4-v0', { numEnvs: 16, seed: 1 })
 * const setup = episodicCount().apply(ppo(env, { numSteps: 32, warmupRollouts: 1 }))
 * const { agent, history } = await trainAgent(setup, {
 *   totalSteps: 1024,
 *   onUpdate: ({ step, successRate }) => console.log(step, successRate),
 * })
 * console.log(history.length)
 * agent.dispose()
 * ```
 */
export async function trainAgent(setup: AgentSetup, options: TrainAgentOptions): Promise<TrainingResult> {
  const { totalSteps, seed, onUpdate, resumeFrom, signal } = options
  if (!(totalSteps > 0))
    throw new Error(`trainAgent: \`totalSteps\` must be above 0. Received totalSteps=${totalSteps}.`)
  const agent = await createAgent(setup, { seed })
  if (resumeFrom) await agent.load(resumeFrom)
  const history: UpdateReport[] = []
  while (agent.step < totalSteps && !signal?.aborted) {
    const report = await agent.update(agent.step / totalSteps)
    history.push(report)
    if ((await onUpdate?.(report, agent)) === false) break
  }
  return { agent, history }
}
