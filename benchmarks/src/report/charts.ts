/** Learning curves as SVG, drawn by vega-lite at report time: the report needs no script and no network. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { estimate } from '../statistics'
import type { TaskSummary } from './summarize'

/** What a chart shows over what. */
export interface ChartOptions {
  /** `trainLoss`, or the name of a metric. */
  quantity: string
  title: string
  over: 'epochs' | 'seconds'
  format?: 'percent' | 'number'
}

interface Point {
  method: string
  x: number
  mean: number
  low: number
  high: number
}

/** Series colours of the page's style sheet. */
const colors = 8

/** Width and height of the plot itself; the page scales the SVG. */
const size = { width: 400, height: 240 }

/** The charts of a task: its first metric and the training loss, each over epochs and over seconds. */
export function chartsOf({ task }: TaskSummary): ChartOptions[] {
  const metric = task.metrics[0]!
  const quantities = [
    { quantity: metric.name, title: metric.title, ...(metric.format ? { format: metric.format } : {}) },
    { quantity: 'trainLoss', title: 'training loss' },
  ]
  return quantities.flatMap((quantity) => [
    { ...quantity, over: 'epochs' as const },
    { ...quantity, over: 'seconds' as const },
  ])
}

/** One chart as SVG text; `undefined` when no trial has a point. Colours are CSS variables of the page. */
export async function chart(summary: TaskSummary, options: ChartOptions): Promise<string | undefined> {
  const points = chartPoints(summary, options)
  if (points.length === 0) return undefined
  const view = new View(parse(compile(spec(summary, options, points)).spec), { renderer: 'none' })
  const svg = await view.toSVG()
  view.finalize()
  return svg
}

/** Means over seeds, with the 95 % interval where there are several. */
export function chartPoints({ methods }: TaskSummary, { quantity, over, format }: ChartOptions): Point[] {
  return methods.flatMap(({ method, trials }) => {
    const shown = trials.filter(({ status }) => status !== 'failed')
    const length = Math.max(0, ...shown.map(({ curve }) => curve.length))
    return Array.from({ length }, (_, index): Point | undefined => {
      const at = shown.filter(({ curve }) => curve[index])
      const values = at.flatMap(({ curve }) => {
        const point = curve[index]!
        return (quantity === 'trainLoss' ? point.trainLoss : point.metrics[quantity]) ?? []
      })
      if (values.length === 0) return undefined
      const { mean, low, high, count } = estimate(values)
      const x =
        over === 'epochs'
          ? at[0]!.curve[index]!.epoch
          : estimate(at.map(({ timing }) => timing.seconds[index]!)).mean
      if (count === 1) return { method, x, mean, low: mean, high: mean }
      // Student's interval knows nothing of the ends of a percentage.
      const [least, most] =
        format === 'percent' ? [0, 1] : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
      return { method, x, mean, low: Math.max(least, low), high: Math.min(most, high) }
    }).filter((point) => point !== undefined)
  })
}

function spec(
  { task, methods, seeds }: TaskSummary,
  { quantity, title, over, format }: ChartOptions,
  values: Point[],
): TopLevelSpec {
  const names = methods.map(({ method }) => method)
  const isLoss = quantity === 'trainLoss'
  // From the first trained epoch on: the untrained model would squeeze the differences that matter into a line.
  const trained = values.filter(({ x }) => x > 0)
  const shown = trained.length ? trained : values
  const text = 'currentColor'
  return {
    ...size,
    background: 'transparent',
    data: { values: shown },
    encoding: {
      x: {
        field: 'x',
        type: 'quantitative',
        title:
          over === 'epochs'
            ? `${task.epochTitle ?? 'epoch'}s trained`
            : 'training seconds (evaluation not counted)',
        scale: { zero: over === 'seconds', nice: true },
        axis: { ...(over === 'epochs' ? { tickMinStep: 1, format: 'd' } : {}), grid: false },
      },
      color: {
        field: 'method',
        type: 'nominal',
        title: null,
        scale: { domain: names, range: names.map((_, index) => `var(--series-${index % colors})`) },
        legend: {
          orient: 'top',
          // More than four do not fit beside each other.
          columns: names.length > 4 ? 3 : 4,
          labelLimit: 200,
          symbolType: 'stroke',
          symbolStrokeWidth: 3,
          symbolOpacity: 1,
        },
      },
    },
    layer: [
      ...(seeds > 1
        ? [
            {
              mark: { type: 'area' as const, opacity: 0.18 },
              encoding: {
                y: { field: 'low', type: 'quantitative' as const },
                y2: { field: 'high' },
              },
            },
          ]
        : []),
      {
        mark: { type: 'line' as const, strokeWidth: 2.5, point: { size: 36, filled: true } },
        encoding: {
          // Where colours begin anew.
          strokeDash: {
            field: 'method',
            type: 'nominal' as const,
            title: null,
            scale: { domain: names, range: names.map((_, index) => (index < colors ? [1, 0] : [6, 4])) },
          },
          y: {
            field: 'mean',
            type: 'quantitative' as const,
            title,
            scale: isLoss ? { type: lossScale(shown), nice: true } : { zero: false, nice: true },
            axis: { tickCount: 5, ...(format === 'percent' ? { format: '.1%' } : {}) },
          },
        },
      },
    ],
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis: {
        labelColor: text,
        titleColor: text,
        titleFontWeight: 'normal',
        domainColor: 'var(--line)',
        tickColor: 'var(--line)',
        gridColor: 'var(--line)',
        labelFontSize: 12,
        titleFontSize: 13,
      },
      legend: { labelColor: text, labelFontSize: 13 },
    },
  }
}

/** A logarithm shows the late differences of a loss; it needs positive numbers that span some range. */
const lossScale = (points: Point[]): 'log' | 'linear' => {
  const [least, most] = [
    Math.min(...points.map(({ mean }) => mean)),
    Math.max(...points.map(({ mean }) => mean)),
  ]
  return least > 0 && most / least > 5 ? 'log' : 'linear'
}
