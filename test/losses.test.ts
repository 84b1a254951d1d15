import { describe, expect, test } from 'vitest'
import * as ls from '../src/index.ts'
import { noise, relativeError } from './bed.ts'

type AnyLoss = ls.CompileOptions['loss']

const [rows, classes] = [10, 3]
const x = ls.tensor(noise(rows * 5, 3), [rows, 5])
const oneHot = Float32Array.from({ length: rows * classes }, (_, i) =>
  Number(i % classes === Math.floor(i / classes) % classes),
)

/** Loss and weights after a step of gradient descent. */
async function step(loss: AnyLoss, activation: 'softmax' | 'sigmoid' | 'linear', target = oneHot) {
  const dense = ls.layers.dense({ units: classes, activation, inputShape: [5] })
  const model = ls.sequential({ layers: [dense], seed: 2 })
  model.compile({ optimizer: ls.train.sgd(0.5), loss })
  const value = await model.trainOnBatch(x, ls.tensor(target, [rows, target.length / rows]))
  const weights = model.getWeights().flatMap(w => [...(w.values as Float32Array)])
  model.dispose()
  return [value as number, ...weights]
}

describe('options of losses', () => {
  const { losses } = ls
  test.each([
    ['binaryCrossentropy', 'sigmoid', oneHot],
    ['categoricalCrossentropy', 'softmax', oneHot],
    ['sparseCategoricalCrossentropy', 'softmax', Float32Array.from({ length: rows }, (_, i) => i % classes)],
    ['binaryFocalCrossentropy', 'sigmoid', oneHot],
    ['categoricalFocalCrossentropy', 'softmax', oneHot],
  ] as const)('%s from logits is that of %s', async (name, activation, target) => {
    const expected = await step(name, activation, target)
    expect(await step(losses[name]({ fromLogits: true }), 'linear', target)).toEqual(expected)
    expect(await step(losses[name](), activation, target)).toEqual(expected)
    expect(await step(losses[name], activation, target)).toEqual(expected)
  })

  test.each([
    ['binaryCrossentropy', 'sigmoid', 2],
    ['categoricalCrossentropy', 'softmax', classes],
    ['binaryFocalCrossentropy', 'sigmoid', 2],
    ['categoricalFocalCrossentropy', 'softmax', classes],
  ] as const)('labels of %s are smoothed', async (name, activation, parts) => {
    const smooth = oneHot.map(t => t * 0.7 + 0.3 / parts)
    const expected = await step(name, activation, smooth)
    const found = await step(losses[name]({ labelSmoothing: 0.3 }), activation)
    expect(relativeError(found, expected)).toBeLessThan(1e-6)
  })

  test('huber has its delta, focal losses their class weights', async () => {
    // A quadratic without bounds is half the mean squared error.
    const [half] = await step(losses.huber({ delta: 1000 }), 'linear')
    const [whole] = await step('mse', 'linear')
    expect(half! / whole!).toBeCloseTo(0.5, 6)
    const plain = await step(losses.binaryFocalCrossentropy({ gamma: 0 }), 'sigmoid')
    expect(relativeError(plain, await step('binaryCrossentropy', 'sigmoid'))).toBeLessThan(1e-6)
    const balanced = losses.binaryFocalCrossentropy({ gamma: 0, applyClassBalancing: true, alpha: 0.5 })
    expect((await step(balanced, 'sigmoid'))[0]! / plain[0]!).toBeCloseTo(0.5, 6)
  })

  const alphas = [0.2, 1.5, 0.7]
  test.each(['softmax', 'softplus'] as const)(
    'categorical focal losses have a weight a class, of %s',
    async end => {
      const options = { gamma: 1.5, labelSmoothing: 0.1 }
      const found = await step(
        losses.categoricalFocalCrossentropy({ ...options, alpha: alphas }),
        end as 'softmax',
      )
      // The loss is linear in the target.
      const weighted = oneHot.map((t, i) => (0.9 * t + 0.1 / classes) * alphas[i % classes]!)
      const plain = losses.categoricalFocalCrossentropy({ gamma: 1.5, alpha: 1 })
      expect(relativeError(found, await step(plain, end as 'softmax', weighted))).toBeLessThan(1e-6)
    },
  )

  test.each(['sigmoid', 'hardSigmoid'] as const)(
    'binary focal losses have a weight a label, of %s',
    async end => {
      const options = { gamma: 1.5, applyClassBalancing: true }
      const each = await Promise.all(
        alphas.map(alpha => step(losses.binaryFocalCrossentropy({ ...options, alpha }), end as 'sigmoid')),
      )
      const [loss, ...weights] = await step(
        losses.binaryFocalCrossentropy({ ...options, alpha: alphas }),
        end as 'sigmoid',
      )
      // A label moves its own weights alone.
      weights.forEach((w, i) => expect(w).toBeCloseTo(each[i % classes]![i + 1]!, 6))
      const [first] = await step(
        losses.binaryFocalCrossentropy({ ...options, alpha: [0.2, 0.2, 0.2] }),
        end as 'sigmoid',
      )
      expect(first).toBeCloseTo(each[0]![0]!, 6)
      expect(loss).not.toBeCloseTo(first!, 3)
    },
  )

  test.each([
    ['mape', 'meanAbsolutePercentageError'],
    ['msle', 'meanSquaredLogarithmicError'],
    ['kld', 'kullbackLeiblerDivergence'],
    ['cosine', 'cosineProximity'],
    ['MSE', 'meanSquaredError'],
    ['MAE', 'meanAbsoluteError'],
  ] as const)('%s is %s', async (short, name) => {
    expect(await step(short, 'softmax')).toEqual(await step(name, 'softmax'))
  })

  test('wrong options are refused', () => {
    const { binaryCrossentropy, categoricalFocalCrossentropy, huber } = losses
    expect(() => binaryCrossentropy({ labelSmoothing: 2 })).toThrow(
      new RangeError('binaryCrossentropy: labelSmoothing must be in [0, 1], got 2'),
    )
    expect(() => binaryCrossentropy({ fromLogits: 1 as never })).toThrow(
      new TypeError('binaryCrossentropy: fromLogits must be true or false, got 1; correct it'),
    )
    expect(() => categoricalFocalCrossentropy({ gama: 1 } as never)).toThrow(
      new TypeError('categoricalFocalCrossentropy: unknown option "gama"; did you mean "gamma"?'),
    )
    expect(() => categoricalFocalCrossentropy({ alpha: [1, -1] })).toThrow(
      new RangeError('categoricalFocalCrossentropy: alpha must be a number >= 0, got -1'),
    )
    const model = ls.sequential({ layers: [ls.layers.dense({ units: 3, inputShape: [2] })] })
    const loss = categoricalFocalCrossentropy({ alpha: [1, 2] })
    expect(() => model.compile({ optimizer: 'sgd', loss })).toThrow(
      new RangeError(
        'compile: alpha of categoricalFocalCrossentropy must be 3, one a class, got 2; correct it',
      ),
    )
    model.dispose()
    expect(() => huber({ delta: 0 })).toThrow(new RangeError('huber: delta must be a number > 0, got 0'))
  })
})
