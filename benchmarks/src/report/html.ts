/** The report: one HTML file without any reference to another file. */
import type { Environment } from '../environment'
import { formatMetric, formatNumber } from '../format'
import { baselineName } from '../methods'
import type { ResultRecord, TrialRecord } from '../results'
import { excludesZero } from '../statistics'
import { chart, chartsOf } from './charts'
import { matrixTable } from './matrix'
import { type Cell, type MainTable, mainTable } from './rows'
import { style } from './style'
import type { MethodSummary, TaskSummary } from './summarize'

/** Renders a report from summaries and the records that they came from. */
export async function reportHtml(
  summaries: readonly TaskSummary[],
  records: readonly ResultRecord[],
): Promise<string> {
  const trials = records.filter((record) => record.kind === 'trial')
  const methods = [...new Set(trials.map(({ config }) => config.method))]
  const title = methods.length ? methods.join(', ') : 'no results yet'
  const sections = await Promise.all(summaries.map(section))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tfgraft benchmark: ${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>tfgraft benchmark</h1>
<p class="muted">${escapeHtml(overview(summaries, trials))}</p>
${partialNotice(trials)}
<p>Each section trains the same network on the same data by different methods. All start from the same initial weights and see
the same batches in the same order; only the method and its settings (learning rate and the like) differ. <b>${baselineName}</b> is plain
training and the baseline that the others are compared with.</p>
${matrixSection(summaries)}
${sections.join('\n')}
${machineSection(trials)}
</main>
<script>${sortScript}</script>
</body>
</html>
`
}

function overview(summaries: readonly TaskSummary[], trials: readonly TrialRecord[]): string {
  if (trials.length === 0) return 'No trial has finished yet.'
  const backends = [...new Set(trials.map(({ config }) => config.backend))].join(', ')
  const dates = trials.map(({ date }) => date).sort()
  return (
    `${summaries.length} task${summaries.length === 1 ? '' : 's'}, ${trials.length} trial${trials.length === 1 ? '' : 's'}, ` +
    `backend ${backends}, ${dates[0]!.slice(0, 16).replace('T', ' ')} UTC`
  )
}

function partialNotice(trials: readonly TrialRecord[]): string {
  const unfinished = trials.filter(({ status }) => status === 'interrupted' || status === 'failed')
  if (unfinished.length === 0) return ''
  const list = unfinished
    .map(({ id, status, error }) => `${id} ${status}${error ? ` (${error})` : ''}`)
    .join('; ')
  return `<p class="partial"><b>Partial report.</b> ${escapeHtml(list)}. Run the same command with the same <code>--out</code> to finish it.</p>`
}

async function section(summary: TaskSummary): Promise<string> {
  const { task, epochs, seeds, limit } = summary
  const figures = await Promise.all(
    chartsOf(summary).map(async (options) => {
      const svg = await chart(summary, options)
      return svg
        ? `<figure><figcaption>${escapeHtml(options.title)} over ${options.over === 'epochs' ? `${task.epochTitle ?? 'epoch'}s` : 'training time'}</figcaption>${svg}</figure>`
        : ''
    }),
  )
  return `<section>
<h2>${escapeHtml(task.title)}</h2>
<p class="muted">${escapeHtml(task.summary)} ${epochs} ${task.epochTitle ?? 'epoch'}${epochs === 1 ? '' : 's'}, ${seeds} seed${seeds === 1 ? '' : 's'}${
    limit === undefined ? '' : `, only ${limit} training examples`
  }.</p>
${verdicts(summary)}
${tableHtml(mainTable(summary), 'colours')}
<div class="charts">${figures.join('\n')}</div>
<p class="muted">${legend(summary)}</p>
${pictures(summary)}
${lossDetails(summary)}
${trialDetails(summary)}
</section>`
}

/** One sentence per method: what a reader should take away. */
function verdicts({ task, methods }: TaskSummary): string {
  const metric = task.metrics[0]!
  const baseline = methods.find(({ method }) => method === baselineName)
  const sentences = methods
    .filter(({ method }) => method !== baselineName)
    .map((method) => verdict(method, baseline, metric))
    .filter(Boolean)
  return sentences.map((sentence) => `<p class="verdict">${sentence}</p>`).join('\n')
}

function verdict(
  { method, metrics, difference, ratio, msPerStep }: MethodSummary,
  baseline: MethodSummary | undefined,
  metric: TaskSummary['task']['metrics'][number],
): string {
  const own = metrics[metric.name]
  const theirs = baseline?.metrics[metric.name]
  if (!own || !theirs) return ''
  const show = (value: number) => formatMetric(value, metric.format)
  const better = own.mean > theirs.mean === (metric.better === 'higher')
  const relation = own.mean === theirs.mean ? 'the same as' : `${better ? 'better' : 'worse'} than`
  const certainty =
    difference === undefined || difference.count === 1
      ? ' (one seed: no statement about chance)'
      : excludesZero(difference)
        ? ' (significant at 95 % over the seeds)'
        : ' (within what seeds differ by chance)'
  const time =
    ratio === undefined
      ? ''
      : ` One step takes ${ratio.value.toFixed(2)} times as long${msPerStep === undefined ? '' : ` (${formatNumber(msPerStep.mean)} ms while training)`}.`
  return (
    `<b>${escapeHtml(method)}</b> reaches ${show(own.mean)} ${escapeHtml(metric.title)}, ${relation} ${baselineName} with ` +
    `${show(theirs.mean)}${certainty}.${time}`
  )
}

/** All tasks in one table, when there are several. */
const matrixSection = (summaries: readonly TaskSummary[]): string =>
  summaries.length < 2
    ? ''
    : `<section>
<h2>All tasks and methods</h2>
<p class="muted">Quality is the metric that the task is about. A click on a column's head sorts. p: paired t test over seeds.</p>
${tableHtml(matrixTable(summaries), 'names')}
</section>`

/** @param first `colours`: rows are methods in the order of the charts' colours; `names`: the first two columns are names. */
function tableHtml({ columns, rows }: MainTable, first: 'colours' | 'names'): string {
  const cell = ({ text, value, note }: Cell, column: number, row: number) => {
    const swatch =
      first === 'colours' && column === 0
        ? `<span class="swatch" style="background:var(--series-${row % 8})"></span>`
        : ''
    const sortable = value === undefined ? '' : ` data-value="${value}"`
    return `<td${sortable}>${swatch}${escapeHtml(text)}${note ? `<span class="note">${escapeHtml(note)}</span>` : ''}</td>`
  }
  return `<div class="scroll"><table class="sortable ${first}">
<thead><tr>${columns.map((column) => `<th scope="col"><button type="button">${escapeHtml(column)}</button></th>`).join('')}</tr></thead>
<tbody>${rows.map((row, index) => `<tr>${row.map((entry, column) => cell(entry, column, index)).join('')}</tr>`).join('')}</tbody>
</table></div>`
}

function legend({ steps, seeds }: TaskSummary): string {
  return [
    'Train loss: mean over the last epoch. ms / step: median over the training loop, data loading included.',
    steps
      ? `Ratio: ${steps.clock === 'processor' ? 'processor time' : 'time'} of one step relative to ${baselineName}, median over ${steps.rounds} rounds in which the methods took turns in one process.`
      : `Ratio: ms / step relative to ${baselineName}, from separate trainings.`,
    'Peak memory: most tensor bytes alive during one training step (weights, optimizer state, activations), without the data set and without scratch inside kernels.',
    seeds > 1
      ? '±: 95 % confidence interval of the mean over seeds (Student’s t); bands in the charts show the same.'
      : '',
  ].join(' ')
}

function lossDetails({ methods }: TaskSummary): string {
  const epochs = Math.max(0, ...methods.map(({ trainLoss }) => trainLoss.length))
  if (epochs === 0) return ''
  const head = Array.from({ length: epochs }, (_, epoch) => `<th scope="col">${epoch + 1}</th>`).join('')
  const rows = methods
    .map(
      ({ method, trainLoss }) =>
        `<tr><td>${escapeHtml(method)}</td>${trainLoss.map(({ mean }) => `<td>${formatNumber(mean)}</td>`).join('')}</tr>`,
    )
    .join('')
  return `<details open><summary>Training loss of each epoch</summary><div class="scroll"><table><thead><tr><th scope="col">epoch</th>${head}</tr></thead><tbody>${rows}</tbody></table></div></details>`
}

/** Pictures of the first trial of each method that has any. */
function pictures({ methods }: TaskSummary): string {
  return methods
    .flatMap(({ method, trials }) => {
      const trial = trials.find((candidate) => candidate.pictures?.length)
      if (!trial) return []
      const figures = trial.pictures!.map(
        ({ title, uri }) =>
          `<figure><figcaption>${escapeHtml(title)}</figcaption><img src="${escapeHtml(uri)}" alt="${escapeHtml(title)}"></figure>`,
      )
      return `<h3>${escapeHtml(method)}, seed ${trial.config.seed}</h3><div class="pictures">${figures.join('')}</div>`
    })
    .join('\n')
}

function trialDetails({ methods, task }: TaskSummary): string {
  const rows = methods
    .flatMap(({ trials }) => trials)
    .map(({ config, status, curve, timing, parameters }) => {
      const final = curve.at(-1)
      const metric = task.metrics[0]!
      const settings = Object.entries(config.hyperparameters)
        .map(([key, value]) => `${key} ${value}`)
        .join(', ')
      return `<tr><td>${escapeHtml(config.method)}</td><td>${config.seed}</td><td>${status}</td><td>${escapeHtml(settings)}</td><td>${parameters.toLocaleString('en')}</td><td>${
        final ? formatMetric(final.metrics[metric.name]!, metric.format) : '-'
      }</td><td>${timing.seconds.at(-1)?.toFixed(1) ?? '-'}</td></tr>`
    })
    .join('')
  return `<details><summary>Every trial, with its settings</summary><div class="scroll"><table><thead><tr>${[
    'method',
    'seed',
    'status',
    'settings',
    'parameters',
    task.metrics[0]!.title,
    'training s',
  ]
    .map((name) => `<th scope="col">${escapeHtml(name)}</th>`)
    .join('')}</tr></thead><tbody>${rows}</tbody></table></div></details>`
}

function machineSection(trials: readonly TrialRecord[]): string {
  if (trials.length === 0) return ''
  const distinct = new Map(
    trials.map(({ environment, command }) => [
      JSON.stringify([environment, command]),
      { environment, command },
    ]),
  )
  const blocks = [...distinct.values()].map(
    ({ environment, command }) =>
      `<pre>${escapeHtml(command)}</pre><dl class="facts">${facts(environment)
        .map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`)
        .join('')}</dl>`,
  )
  return `<section><h2>Command and machine</h2>${blocks.join('\n')}</section>`
}

const facts = (environment: Environment): [string, string][] => [
  ['processor', `${environment.cpu}, ${environment.cores} core${environment.cores === 1 ? '' : 's'}`],
  ['memory', `${environment.memoryGiB} GiB`],
  ['backend', environment.backend],
  ['TensorFlow.js', environment.tfjs],
  ['Node', `${environment.node}, ${environment.platform}`],
  ['tfgraft commit', environment.commit],
]

const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** Click a column's head to sort by it. Without script the tables are complete, in their first order. */
const sortScript = `
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = [...table.tHead.rows[0].cells]
  heads.forEach((head, column) => head.firstChild.addEventListener('click', () => {
    const ascending = head.getAttribute('aria-sort') !== 'ascending'
    heads.forEach((other) => other.removeAttribute('aria-sort'))
    head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending')
    const key = (row) => { const cell = row.cells[column]; return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value) }
    const rows = [...table.tBodies[0].rows].sort((a, b) => key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
    table.tBodies[0].append(...(ascending ? rows : rows.reverse()))
  }))
}
`
