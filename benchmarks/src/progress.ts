/** Shows a running trial: a bar on a terminal, one line every few seconds elsewhere (logs, CI). */
import { SingleBar } from 'cli-progress'
import { formatDuration } from './format'
import type { TrialProgress } from './trial'

export interface ProgressDisplay {
  start(title: string): void
  update(progress: TrialProgress): void
  stop(): void
}

/** @param stream Where to draw. A bar when it is a terminal. */
export function progressDisplay(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? bar(stream) : lines(stream)
}

const describe = ({ loss, accuracy, stepsPerSecond }: TrialProgress) =>
  `loss ${loss.toFixed(4)}${accuracy === undefined ? '' : `  accuracy ${(100 * accuracy).toFixed(1)} %`}` +
  `  ${stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0)} steps/s`

function bar(stream: NodeJS.WriteStream): ProgressDisplay {
  let current: SingleBar | undefined
  let title = ''
  return {
    start(name) {
      title = name
    },
    update(progress) {
      const payload = {
        epoch: `epoch ${progress.epoch}/${progress.epochs}`,
        numbers: describe(progress),
        left: formatDuration(progress.secondsLeft),
      }
      if (!current) {
        current = new SingleBar({
          format: `${title}  {bar}  {epoch}  {numbers}  {left} left`,
          stream,
          barsize: 20,
          hideCursor: true,
          clearOnComplete: true,
          // The trial gives the event loop turns of its own; the bar must not add a listener for each trial.
          gracefulExit: false,
        })
        current.start(progress.steps, progress.step, payload)
      } else current.update(progress.step, payload)
    },
    stop() {
      current?.stop()
      current = undefined
    },
  }
}

const lineEveryMs = 10_000

function lines(stream: NodeJS.WriteStream): ProgressDisplay {
  let title = ''
  let last = 0
  return {
    start(name) {
      title = name
      last = performance.now()
    },
    update(progress) {
      if (performance.now() - last < lineEveryMs) return
      last = performance.now()
      stream.write(
        `${title}  epoch ${progress.epoch}/${progress.epochs}  step ${progress.step}/${progress.steps}  ` +
          `${describe(progress)}  ${formatDuration(progress.secondsLeft)} left\n`,
      )
    },
    stop() {},
  }
}
