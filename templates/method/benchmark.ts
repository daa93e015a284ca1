/** What `pnpm bench --method ./templates/method/benchmark.ts` runs beside the baseline. */
export { labelSmoothing as default } from './src/index'
