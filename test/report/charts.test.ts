import { expect, test } from 'vitest'
import { barChart, heatMap, sparkline } from '../../src/report/bars.ts'
import { histogram, lineChart, scatterChart } from '../../src/report/charts.ts'
import { html } from '../../src/report/markup.ts'
import { pageOf } from '../../src/report/page.ts'
import { figure, percent, scaleOf } from '../../src/report/scales.ts'

/** Texts that break out of markup where they are not escaped. */
const hostile = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '<!-- & &amp; ]]>',
  'a\u0000b\u001bc\ud800d',
  '\u202egnp.exe 😀 Ω',
]

/** Markup without what stands in quotes: tags and their attributes' names. */
const tagsOf = (markup: unknown) =>
  [
    ...String(markup)
      .replace(/"[^"]*"/g, '""')
      .matchAll(/<[^>]*>/g),
  ].map(([tag]) => tag)

test('what is put into a template is escaped, unless it came from one', () => {
  expect(
    String(
      html`<b title="${`"'<>&`}">${'<i>'}${html`<i>${1}</i>`}${[html`<u>`, '<u>']}${undefined}${null}${false}</b>`,
    ),
  ).toBe('<b title="&quot;&#39;&lt;&gt;&amp;">&lt;i&gt;<i>1</i><u>&lt;u&gt;</b>')
  expect(String(html`${hostile[4]!}`)).toBe('a\ufffdb\ufffdc\ufffdd')
  expect(String(html`${hostile[5]!}`)).toBe(hostile[5])
})

test('no name, title or note of a chart becomes markup', () => {
  const harmless = hostile.map((_, i) => `name ${i}`)
  const charts = (names: readonly string[]) => {
    const options = { title: names[0]!, note: names[1]!, x: { label: names[2]! }, y: { label: names[3]! } }
    const points = [
      [0, 1],
      [1, 2],
    ] as const
    const series = names.map(name => ({ name, points }))
    const grid = names.map(() => names.map(() => 0.5))
    return pageOf(
      names[0]!,
      html`${[
        lineChart({ ...options, series, marks: [{ x: 1, label: names[4]! }] }),
        scatterChart({ ...options, series }),
        barChart({ ...options, bars: names.map(name => ({ name, value: 1, text: name })) }),
        heatMap({ ...options, rows: names, columns: names, shades: grid, texts: grid.map(() => names) }),
        histogram({ ...options, edges: [0, 1], counts: [3] }),
      ]}`,
    )
  }
  const names = (tags: string[]) => tags.map(tag => tag.replace(/=""/g, ''))
  expect(new Set(names(tagsOf(charts(hostile))))).toEqual(new Set(names(tagsOf(charts(harmless)))))
  expect(String(charts(hostile))).not.toMatch(/<script|<img|onmouseover='/)
})

test.each<[number[], Parameters<typeof scaleOf>[1], number[], [number, number]]>([
  [[0.1, 0.93], { rounded: true }, [0, 0.2, 0.4, 0.6, 0.8, 1], [0, 1]],
  [[1, 60], { integers: true }, [20, 40, 60], [1, 60]],
  [[1, 3], { integers: true }, [1, 2, 3], [1, 3]],
  [[-7, 12], {}, [-5, 0, 5, 10], [-7, 12]],
  [[5, 5], {}, [4.6, 4.8, 5, 5.2, 5.4], [4.5, 5.5]],
  [[Number.NaN, Number.POSITIVE_INFINITY], {}, [0, 0.2, 0.4, 0.6, 0.8, 1], [0, 1]],
  [[1e-5, 0.1], { log: true }, [1e-5, 1e-4, 1e-3, 1e-2, 0.1], [1e-5, 0.1]],
  [[0.001, 0.006], { log: true }, [0.001, 0.002, 0.003, 0.005], [0.001, 0.006]],
  [[0, -1, 3], { log: true }, [2, 3, 5], [1.5, 6]],
])('an axis over %j with %j has ticks %j', (values, options, ticks, [low, high]) => {
  const scale = scaleOf(values, options)
  expect(scale.ticks).toEqual(ticks)
  expect([scale.low, scale.high]).toEqual([low, high])
  expect([scale.at(low), scale.at(high)]).toEqual([0, 1])
})

test('numbers are short', () => {
  expect([0, 12, 1234567, 0.123456, 1234.5, -0.5, 1.5e-7, Number.NaN].map(figure)).toEqual([
    '0',
    '12',
    '1,234,567',
    '0.1235',
    '1235',
    '−0.5',
    '1.50e−7',
    '–',
  ])
  expect([percent(0.97654), percent(-0.01, 0)]).toEqual(['97.7 %', '−1 %'])
  const format = (value: number) => scaleOf([value]).format(value)
  expect([1e-5, 0.002, 12_000, 2_500_000, -3].map(format)).toEqual(['1e−5', '0.002', '12k', '2.5M', '−3'])
})

test('lines have gaps where there is no number, and what sticks out of many points stays', () => {
  const path = (points: (readonly [number, number])[]) =>
    /class="line" d="([^"]*)"/.exec(String(lineChart({ title: '', series: [{ name: '', points }] })))![1]!
  expect(
    path([
      [0, 0],
      [1, 1],
      [2, Number.NaN],
      [3, 1],
      [4, 0],
    ])
      .match(/[ML]/g)!
      .join(''),
  ).toBe('MLML')
  const many = Array.from({ length: 10_000 }, (_, i) => [i, i === 5003 ? 10 : 0] as const)
  const steps = path(many).match(/[ML][^ML]*/g)!
  expect(steps.length).toBeLessThan(500)
  expect(steps.filter(step => step.endsWith(' 8'))).toHaveLength(1)
  expect(String(sparkline([0, 2, 1])).match(/M/g)).toHaveLength(2)
})
