// node examples/spam.ts: a recurrent network reads mails word by word and tells spam from ham.
import { readdirSync, readFileSync } from 'node:fs'
import * as ls from 'lockstep'
import { spamMails } from './data.ts'
import { type Running, running, type Score, start } from './score.ts'

const { layers } = ls

const settings = {
  ...running,
  /** Most frequent words that have a number of their own. */
  vocabulary: 8000,
  /** Words that are read of each mail. */
  words: 128,
  units: 32,
  epochs: 4,
  /** Every so many-th mail is tested with. */
  testEvery: 5,
  /** Mails that are taken, one of every `take`. */
  take: 1,
  /** Accuracy that must be reached; to call everything ham gives 0.69. */
  bound: 0.96,
}
type Settings = typeof settings & Running

interface Mail {
  readonly words: readonly string[]
  readonly spam: number
}

/** The subject and the text of a mail: no other header, which would tell where it was collected; no HTML. */
function wordsOf(raw: string): string[] {
  const [head, ...body] = raw.replaceAll('\r', '').split('\n\n')
  const subject = /^subject: (.*)$/im.exec(head!)?.[1] ?? ''
  const text = body.join(' ').replace(/<style.*?<\/style>|<[^>]*>|&\w+;/gs, ' ')
  return `${subject} ${text}`.toLowerCase().match(/[a-z']+|\d+|[!$%?]/g) ?? []
}

/** All mails that differ, in a fixed order that mixes spam and ham. */
function readMails(folder: string, { words, take }: Settings): Mail[] {
  const groups = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2']
  const files = groups.flatMap(group =>
    readdirSync(`${folder}/${group}`)
      .filter(name => name.endsWith('.txt'))
      .map(name => ({ path: `${folder}/${group}/${name}`, name, spam: group.startsWith('spam') ? 1 : 0 })),
  )
  // A name is a number and the checksum of the mail: the checksums' order is as good as a random one.
  const key = (name: string) => name.slice(name.indexOf('.'))
  files.sort((a, b) => (key(a.name) < key(b.name) ? -1 : 1))
  const mails = new Map<string, Mail>()
  for (const { path, spam } of files.filter((_, i) => i % take === 0)) {
    const read = wordsOf(readFileSync(path, 'latin1')).slice(0, words)
    if (read.length > 0) mails.set(read.join(' '), { words: read, spam })
  }
  return [...mails.values()]
}

/** Numbers of the words that occur most often in `mails`: from 2 on; 0 stands for none and 1 for any other word. */
function numbersOf(mails: readonly Mail[], vocabulary: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (const word of mails.flatMap(mail => mail.words)) counts.set(word, (counts.get(word) ?? 0) + 1)
  const ordered = [...counts].sort(([, a], [, b]) => b - a).slice(0, vocabulary - 2)
  return new Map(ordered.map(([word], i) => [word, i + 2]))
}

export async function spam(options: Partial<Settings> = {}): Promise<readonly Score[]> {
  const all: Settings = { ...settings, ...options }
  const { vocabulary, words, units, epochs, testEvery, seed, workers, say } = all
  const mails = readMails(spamMails(), all)
  const training = mails.filter((_, i) => i % testEvery !== 0)
  const tested = mails.filter((_, i) => i % testEvery === 0)
  const numbers = numbersOf(training, vocabulary)
  const dataOf = (part: readonly Mail[]) => {
    const x = new Int32Array(part.length * words)
    for (const [i, mail] of part.entries()) {
      // Short mails end where long ones do.
      const from = (i + 1) * words - mail.words.length
      for (const [j, word] of mail.words.entries()) x[from + j] = numbers.get(word) ?? 1
    }
    return [ls.tensor(x, [part.length, words]), Float32Array.from(part, mail => mail.spam)] as const
  }

  // One network reads a mail forwards, another one backwards.
  const mail = ls.input({ shape: [words] })
  const embedded = layers.embedding({ inputDim: vocabulary, outputDim: 32 }).apply(mail)
  const reader = layers.gru({ units, recurrentActivation: 'sigmoid' })
  const both = layers.bidirectional({ layer: reader }).apply(embedded)
  const kept = layers.dropout({ rate: 0.3 }).apply(both)
  const isSpam = layers.dense({ units: 1, activation: 'sigmoid' }).apply(kept)
  const model = ls.model({ inputs: mail, outputs: isSpam, seed })
  model.compile({ optimizer: ls.train.adam(2e-3), loss: 'binaryCrossentropy', metrics: ['accuracy'] })
  const [x, y] = dataOf(training)
  const share = tested.filter(mail => mail.spam === 0).length / tested.length
  say(
    `${training.length} mails to learn from, ${tested.length} to be tested, of which ${(100 * share).toFixed(1)} % ham`,
  )
  await model.fit(x, y, {
    epochs,
    seed,
    workers,
    callbacks: {
      onEpochEnd(epoch, logs) {
        say(`epoch ${epoch + 1}  loss ${logs!.loss!.toFixed(4)}  accuracy ${logs!.acc!.toFixed(4)}`)
      },
    },
  })
  const { acc } = await model.evaluateAsync(...dataOf(tested))
  model.dispose()
  return [{ name: 'spam mails: test accuracy', value: acc!, bound: all.bound, better: 'atLeast' }]
}

await start(import.meta.url, spam)
