/** Shows running trials: a bar each on a terminal, a line every few seconds elsewhere (logs, CI). */
import { MultiBar, type SingleBar } from 'cli-progress'
import { formatDuration } from './format'
import type { TrialProgress } from './trial'

export interface ProgressDisplay {
  start(id: string, title: string): void
  update(id: string, progress: TrialProgress): void
  stop(id: string): void
  /** Removes what is left on the screen. */
  close(): void
  /** Writes a line that stays, above the bars. */
  log(line: string): void
}

/** @param stream Where to draw. Bars when it is a terminal. */
export function progressDisplay(stream: NodeJS.WriteStream = process.stderr): ProgressDisplay {
  return stream.isTTY ? bars(stream) : lines(stream)
}

const describe = ({ loss, accuracy, status, stepsPerSecond }: TrialProgress) =>
  status ??
  `loss ${loss.toFixed(4)}${accuracy === undefined ? '' : `  accuracy ${(100 * accuracy).toFixed(1)} %`}` +
    `  ${stepsPerSecond.toFixed(stepsPerSecond < 10 ? 1 : 0)} steps/s`

function bars(stream: NodeJS.WriteStream): ProgressDisplay {
  const titles = new Map<string, string>()
  const shown = new Map<string, SingleBar>()
  const all = new MultiBar({
    format: '{title}  {bar}  {epoch}  {numbers}  {left} left',
    stream,
    barsize: 20,
    hideCursor: true,
    clearOnComplete: true,
    // Ctrl-C is the command's: it finishes a step first.
    gracefulExit: false,
  })
  return {
    start: (id, title) => titles.set(id, title),
    update(id, progress) {
      const payload = {
        title: titles.get(id) ?? id,
        epoch: `epoch ${progress.epoch}/${progress.epochs}`,
        numbers: describe(progress),
        left: formatDuration(progress.secondsLeft),
      }
      const bar = shown.get(id)
      if (bar) bar.update(progress.step, payload)
      else shown.set(id, all.create(progress.steps, progress.step, payload))
    },
    stop(id) {
      const bar = shown.get(id)
      if (bar) all.remove(bar)
      shown.delete(id)
    },
    close: () => all.stop(),
    log(line) {
      if (shown.size) all.log(`${line}\n`)
      else stream.write(`${line}\n`)
    },
  }
}

const lineEveryMs = 10_000

function lines(stream: NodeJS.WriteStream): ProgressDisplay {
  const titles = new Map<string, { title: string; last: number }>()
  return {
    start: (id, title) => titles.set(id, { title, last: performance.now() }),
    update(id, progress) {
      const entry = titles.get(id)
      if (!entry || performance.now() - entry.last < lineEveryMs) return
      entry.last = performance.now()
      stream.write(
        `${entry.title}  epoch ${progress.epoch}/${progress.epochs}  step ${progress.step}/${progress.steps}  ` +
          `${describe(progress)}  ${formatDuration(progress.secondsLeft)} left\n`,
      )
    },
    stop: (id) => titles.delete(id),
    close() {},
    log: (line) => stream.write(`${line}\n`),
  }
}
