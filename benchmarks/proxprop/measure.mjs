export { environment, meanWithInterval, median, quantile } from '@tfgraft/bench/measure'
