import { afterAll, expect, test } from 'vitest'
import { benchData, benchOf, buildBench, networkNames } from '../src/command/benchNetworks.ts'
import { Engine } from '../src/runtime/engine.ts'

const engine = new Engine()
afterAll(() => engine.close())

test.each([...networkNames, '12-8-3'])('%s trains', async name => {
  const bench = benchOf(name)
  const model = buildBench(bench, engine, 1)
  const classes = model.outputShapes[0]!.at(-1)!
  const { x, y } = benchData(bench, 4, classes)
  const { history } = await model.fit(x, y, { batchSize: 2, epochs: 2, seed: 1, workers: 1 })
  expect(history.loss![1]).toBeLessThan(history.loss![0]!)
  model.dispose()
})
