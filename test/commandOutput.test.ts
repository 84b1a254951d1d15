import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { npyPieces } from '../src/formats/npy.ts'
import { writeSafetensors } from '../src/formats/safetensors.ts'
import { Tensor } from '../src/index.ts'
import { commandBed } from './commandBed.ts'
import { archive } from './formats/npzFile.ts'

const { folder, program, run, done, refused, signalled } = commandBed('output')
const wine = ['wine.csv', '--target', 'cultivar']
const quick = ['--workers', '1', '--epochs', '5']

/** What is printed, with 0 in the place of numbers, in lines. */
const wordsOf = (text: string) =>
  text
    .replaceAll(folder, '.')
    .replace(/-?\d+([.,e-]+\d+)*/g, '0')
    .replace(/ +/g, ' ')
    .trimEnd()
    .split('\n')

beforeAll(() => {
  for (const name of ['wine.csv', 'auto-mpg.csv'])
    cpSync(fileURLToPath(new URL(`../examples/data/${name}`, import.meta.url)), join(folder, name))
})

test('train, evaluate and predict say what they did', { timeout: 150_000 }, () => {
  const trained = run('train', ...wine, '--seed', '3', ...quick)
  expect(wordsOf(trained.stderr)).toEqual([
    'choosing a network, 0 with l0 0 or another, by 0-fold cross-validation',
    'training on 0 rows, 0 inputs, 0 weights, at most 0 epochs',
    ...Array.from({ length: 5 }, () => 'epoch 0/0 loss 0 validation loss 0'),
    'training again on 0 rows, those of the validation among them, 0 epochs',
  ])
  const classes = [0, 1, 2].map(() => 'class_0 0 0 % 0 % 0 0 0')
  const head = 'class rows precision recall as class_0 as class_0 as class_0'
  const scores = 'accuracy 0 %, balanced 0 %, log loss 0'
  expect(wordsOf(trained.stdout)).toEqual([
    'class of "cultivar" from 0 columns (0 inputs)',
    'rows: 0 training, 0 validation, 0 test',
    'network: 0, 0 weights',
    'chosen: 0 with l0 0, of 0 with l0 0, 0 with l0 0, linear with l0 0 by 0-fold cross-validation',
    'stopped after 0 epochs: epochs',
    "trained again for 0 epochs on all 0 rows but the test's",
    'time: reading 0 s, encoding 0 s, choosing 0 s, training 0 s (0 rows a second)',
    `test: ${scores}`,
    `baseline: ${scores}`,
    'calibration error 0 %, before calibration 0 %',
    head,
    ...classes,
    'written to ./wine.model',
  ])
  expect(wordsOf(done('evaluate', 'wine.model', 'wine.csv', '--workers', '1'))).toEqual([
    `0 rows: ${scores}`,
    'calibration error 0 %, before calibration 0 %',
    head,
    ...classes,
  ])
  const rows = done('predict', 'wine.model', 'wine.csv', '--as', 'jsonl', '--keep', 'alcohol')
    .trim()
    .split('\n')
  expect(rows).toHaveLength(178)
  expect(JSON.parse(rows[0]!)).toEqual({
    alcohol: '14.23',
    prediction: expect.stringMatching(/^class_\d$/),
    'probability class_0': expect.any(Number),
    'probability class_1': expect.any(Number),
    'probability class_2': expect.any(Number),
  })
  expect(done('predict', 'wine.model', 'wine.csv', '--json').split('\n')).toHaveLength(179)
})

test('what nobody reads, or no disk takes, is no reason to lose a training', { timeout: 150_000 }, () => {
  const shell = (line: string) => {
    const command = `"${process.execPath}" "${program()}"`
    return spawnSync('bash', ['-c', `set -o pipefail; ${line.replace('lockstep', command)}`], {
      cwd: folder,
      encoding: 'utf8',
    })
  }
  const first = shell('lockstep train wine.csv --target cultivar --epochs 2 --out unread 2>&1 | head -1')
  expect(first).toMatchObject({ status: 0, stdout: expect.stringMatching(/^choosing a network, .*\n$/) })
  const some = shell('lockstep predict unread wine.csv | head -1')
  expect(some).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^prediction,.*\n$/) })
  for (const line of ['predict unread wine.csv', 'inspect unread']) {
    const { status, stderr } = shell(`lockstep ${line} > /dev/full`)
    expect(stderr).toMatch(/^lockstep: not all could be written to the standard output: ENOSPC.*\n$/)
    expect(status).toBe(1)
  }
})

test('numbers: options of the network, and what is said of them', { timeout: 150_000 }, () => {
  const options = ['--optimizer', 'lion', '--schedule', 'cosine', '--weight-decay', '0.1', '--dropout', '0.2']
  const more = [
    '--noise',
    '0.1',
    '--l2',
    '0.01',
    '--batch-size',
    '16',
    '--learning-rate',
    '0.001',
    '--patience',
    '3',
  ]
  const text = done(
    'train',
    'auto-mpg.csv',
    '--target',
    'mpg',
    '--hidden',
    '8,4',
    ...options,
    ...more,
    ...quick,
  )
  expect(wordsOf(text)).toEqual([
    'regression of "mpg" from 0 columns (0 inputs)',
    'rows: 0 training, 0 validation, 0 test, 0 set aside',
    'network: 0, 0 weights',
    'stopped after 0 epochs: epochs',
    "trained again for 0 epochs on all 0 rows but the test's",
    'time: reading 0 s, encoding 0 s, training 0 s (0 rows a second)',
    'test: R² 0, root mean squared error 0, mean absolute error 0',
    'baseline: R² 0, root mean squared error 0, mean absolute error 0',
    'written to ./auto-mpg.model',
  ])
  const saved = JSON.parse(readFileSync(join(folder, 'auto-mpg.model/configuration.json'), 'utf8'))
  expect(saved).toMatchObject({
    ...{ optimizer: 'lion', schedule: 'cosine', weightDecay: 0.1, dropout: 0.2, noise: 0.1, l2: 0.01 },
    ...{ batchSize: 16, learningRate: 0.001, patience: 3, hidden: [8, 4], epochs: 5 },
  })
  const { network, epochs } = JSON.parse(
    done('train', '--config', 'auto-mpg.model/configuration.json', '--epochs', '2', '--out', 'two', '--json'),
  )
  expect([network.optimizer, network.batchSize, epochs]).toEqual(['lion', 16, 2])
  for (const [name, value] of [
    ['optimizer', 'adm'],
    ['schedule', 'cosin'],
    ['task', 'clas'],
  ] as const)
    expect(refused(1, 'train', ...wine, `--${name}`, value, '--out', 'no')).toMatch(
      new RegExp(`^lockstep: train: ${name} must be one of .*, got "${value}"; did you mean`),
    )
})

test('tables of any form: delimiter, no header, ragged rows, the kind of task', { timeout: 150_000 }, () => {
  const lines = Array.from({ length: 60 }, (_, i) => `${i};${(i * 7) % 5};${i % 2}`)
  writeFileSync(join(folder, 'odd.txt'), [...lines, '1;2', '1;2;3;4'].join('\n'))
  const reading = ['--format', 'csv', '--delimiter', ';', '--no-header']
  expect(refused(1, 'inspect', 'odd.txt', ...reading)).toMatch(
    'odd.txt line 61, column 3: must have 3 fields, got 2',
  )
  const inspected = run('inspect', 'odd.txt', ...reading, '--skip-ragged')
  expect(inspected.stderr).toBe(
    'warning: odd.txt: rows set aside that have not 3 fields: 2 (the first: line 61)\n',
  )
  expect(
    inspected.stdout
      .trim()
      .split('\n')
      .map(line => line.replace(/ +/g, ' ')),
  ).toEqual([
    'odd.txt: csv, 60 rows, 3 columns',
    'column type missing distinct values',
    'column1 number 0 60 0 to 59',
    'column2 number 0 5 0 to 4',
    'column3 number 0 2 0 to 1',
  ])
  const args = ['odd.txt', ...reading, '--skip-ragged', '--target', 'column3', '--json', ...quick]
  expect(JSON.parse(done('train', ...args, '--out', 'class'))).toMatchObject({
    task: 'class',
    rows: { training: 42, validation: 9, test: 9 },
  })
  const parts = ['--task', 'regression', '--validation', '0.2', '--test', '0.1']
  expect(JSON.parse(done('train', ...args, ...parts, '--out', 'regression'))).toMatchObject({
    task: 'regression',
    rows: { training: 42, validation: 12, test: 6 },
  })
})

test('what is wrong with a table is said in one line', () => {
  writeFileSync(join(folder, 'twice.jsonl'), '{"a":1,"b":2}\n{"a":1,"\\u0061":2,"b":1}\n')
  writeFileSync(join(folder, 'empty.csv'), '')
  expect(refused(1, 'inspect', 'twice.jsonl')).toBe(
    'lockstep: twice.jsonl line 2 must have keys of their own, got "a" twice\n',
  )
  expect(refused(1, 'train', 'empty.csv', '--target', 'a')).toBe(
    'lockstep: empty.csv must hold a table, got an empty file; give another one\n',
  )
})

test('inspect tells what files of arrays, models and checkpoints hold', { timeout: 60_000 }, async () => {
  const tensor = new Tensor(new Float32Array(6), [2, 3], 'float32')
  const npy = Buffer.concat(npyPieces(tensor))
  writeFileSync(join(folder, 'one.npy'), npy)
  writeFileSync(join(folder, 'some.npz'), archive([{ name: 'a.npy', data: npy }]))
  await writeSafetensors(join(folder, 'some.safetensors'), { w: tensor })
  const table = (name: string) => `array  type     shape\n${name.padEnd(5)}  float32  [2, 3]\n`
  expect(done('inspect', 'one.npy')).toBe(table('one'))
  expect(done('inspect', 'some.npz')).toBe(table('a'))
  expect(done('inspect', 'some.safetensors')).toBe(table('w'))
  expect(JSON.parse(done('inspect', 'one.npy', '--json'))).toEqual({
    kind: 'arrays',
    path: 'one.npy',
    arrays: [{ name: 'one', dtype: 'float32', shape: [2, 3] }],
  })
  const model = wordsOf(done('inspect', 'wine.model/model.json'))
  expect(model[0]).toBe('wine.model: class of "cultivar" (class_0, class_0, class_0)')
  expect(model[1]).toBe('column type inputs missing encoding')
  expect(model.at(-2)).toBe('Trainable: 0, not trainable: 0')
  expect(wordsOf(done('inspect', 'wine.model/checkpoints'))[0]).toMatch(/^step0-save0.ckpt: 0 bytes, SHA/)
})

test('report and search: pages and what is said of them', { timeout: 150_000 }, () => {
  expect(done('report', 'wine.model')).toBe(`written to ${join(folder, 'wine.model', 'report.html')}\n`)
  expect(done('report', 'wine.model', '--output', 'page.html')).toBe(
    `written to ${join(folder, 'page.html')}\n`,
  )
  expect(readFileSync(join(folder, 'page.html'), 'utf8')).toBe(
    readFileSync(join(folder, 'wine.model/report.html'), 'utf8'),
  )
  expect(JSON.parse(done('report', 'wine.model', '--json')).title).toBe('cultivar from wine.csv')
  const search = ['--trials', '3', '--pruner', 'median', '--sampler', 'random', '--search', 'dropout,noise']
  const text = wordsOf(done('tune', ...wine, ...search, '--parallel', '1', ...quick, '--out', 'found'))
  expect(text.slice(0, 2)).toEqual([
    '0 trials: 0 complete, 0 pruned, 0 failed',
    'trial state value epoch seconds dropout noise',
  ])
  expect(text).toContain('parameter importance')
  expect(text).toContain('study: ./found.study.jsonl')
  expect(done('report', 'found.study.jsonl')).toBe(`written to ${join(folder, 'found.study.html')}\n`)
  expect(readFileSync(join(folder, 'found.study.html'), 'utf8')).toMatch(/<svg .*dropout/s)
  expect(refused(1, 'report', 'class/metrics.json')).toMatch(/^lockstep: .*metrics.json/)
})

test('lr, learning-curve and bench with all their options', { timeout: 150_000 }, () => {
  const rates = ['--from', '1e-4', '--to', '1', '--updates', '20']
  const found = JSON.parse(done('lr', ...wine, ...rates, '--json', '--workers', '1'))
  expect(found).toMatchObject({ rates: expect.arrayContaining([1e-4]) })
  expect(found.rates.length).toBeLessThanOrEqual(20)
  const curve = ['learning-curve', ...wine, '--sizes', '2', '--repeats', '1', ...quick]
  const drawn = run(...curve, '--output', 'curve.html')
  expect(wordsOf(drawn.stdout)[0]).toBe('rows training log loss validation log loss accuracy')
  expect(wordsOf(drawn.stdout).at(-1)).toMatch(/^From 0 to 0 rows the log loss (fell|rose) by 0 ± 0/)
  expect(drawn.stderr).toMatch(/written to curve.html\n$/)
  expect(readFileSync(join(folder, 'curve.html'), 'utf8')).toMatch(/<svg .*rows trained on/s)
  expect(refused(1, ...curve, '--compare', 'dropuot')).toMatch('did you mean "dropout"?')
  const bench = ['--network', '4-4-2', '--batch', '16', '--workers', '1', '--rounds', '1', '--seed', '2']
  expect(wordsOf(done('bench', ...bench, '--max-seconds', '5'))).toEqual([
    '0, mini-batches of 0',
    'workers samples/s speed-up efficiency at barriers',
    expect.stringMatching(/^ ?0 0 0 0 % 0 % ▏█+$/),
    'fastest: 0 worker',
  ])
})

test('exit codes: 0 done, 1 the data, 2 the command line, 130 and 143 a signal', {
  timeout: 150_000,
}, async () => {
  expect(run('--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' })
  for (const name of [
    'train',
    'evaluate',
    'predict',
    'inspect',
    'tune',
    'lr',
    'learning-curve',
    'bench',
    'report',
  ]) {
    const { status, stdout } = run(name, '--help')
    expect([status, stdout]).toEqual([
      0,
      expect.stringMatching(/Examples?:\n {2}lockstep .*\n(.*\n)*\nExit codes:/),
    ])
    expect(run(name, '--wrong').status).toBe(2)
    if (name !== 'bench') expect(run(name, 'nothing.csv', 'nothing.csv', '--target', 'a').status).not.toBe(0)
  }
  expect(refused(1, 'evaluate', 'wine.model', 'nothing.csv')).toMatch(/^lockstep: ENOENT/)
  expect(refused(2, 'train', ...wine, '--epochs', 'many')).toMatch(
    "'--epochs <N>' argument 'many' is invalid",
  )
  expect(refused(2, 'train', '--resume')).toMatch(
    'train: --resume needs --out FOLDER, got none; name the folder',
  )
  expect(refused(1, 'train', ...wine, '--resume', '--out', 'never')).toMatch(
    'never/configuration.json: must be there, got no file; give the one that train wrote',
  )
  expect(refused(1, 'train', '--config', 'wine.model/metrics.json', '--out', 'never')).toMatch(
    'unknown option',
  )
  const long = ['train', ...wine, '--epochs', '100000', '--patience', '100000', '--workers', '1']
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    expect((await signalled(/training on/, [signal], ...long, '--out', signal)).code).toBe(code)
})
