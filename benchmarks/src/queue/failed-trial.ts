/** The record of a trial that has no outcome of its own, because its process did not survive it. */
import { environment } from '../environment'
import type { TrialRecord } from '../results'
import type { TrialJob } from './job'

export const failedTrial = (
  { id, config, tuned, command, backend }: TrialJob,
  error: string,
): TrialRecord => ({
  kind: 'trial',
  id,
  config,
  tuned,
  command,
  status: 'failed',
  error,
  parameters: 0,
  stepsPerEpoch: 0,
  curve: [],
  timing: { seconds: [] },
  date: new Date().toISOString(),
  environment: environment(backend),
})
